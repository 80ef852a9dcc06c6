"""Reports on what visits still lack: an invoice, or a final treatment note.

Requests: one a hundred bookings of the time, one each 95 classes in it and each further hundred attendees; up to
five more for what visits without an invoice would have been charged, two of which memory keeps.
"""

from collections.abc import Callable, Sequence
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import Money, NoteState
from cliniko_mcp.frontdesk.reports import figures, prices
from cliniko_mcp.frontdesk.reports.attendance import visit_row
from cliniko_mcp.frontdesk.reports.facts import Facts, Measure
from cliniko_mcp.frontdesk.reports.figures import ReportVisitRow, money_text
from cliniko_mcp.frontdesk.reports.prices import expected_amounts
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion, still_to_come
from cliniko_mcp.frontdesk.visits import Visit

NEEDS: Final[tuple[Operation, ...]] = (*visits.NEEDS, *prices.NEEDS)

_FINAL: Final = 90
_DRAFT: Final = 10


class UnbilledRow(ReportVisitRow):
    """A visit without an invoice."""

    expected: Money | None = Field(default=None, description="What its type is charged by default, tax included.")


async def unbilled(question: ReportQuestion) -> Finding:
    """Visits that took place and have no invoice, the oldest first, with what their types are charged."""
    held, notes = await _held(question)
    open_ = [visit for visit in held if visit.billed is None]
    charged = await expected_amounts(question.clinic, {visit.type_id for visit in open_})
    facts = _facts(question, held, lambda visit: visit.billed is None)
    free = sum(visit.type_id not in charged for visit in open_)
    return Finding(
        "Unbilled is a visit of that time that has begun, was not cancelled and not a no-show, and has no invoice of "
        "any status. Places in classes count one by one. Expected is what the billable items and products of the "
        "type come to, tax included, with their usual discounts and without concessions.",
        {
            "unbilled_visits": facts.figure,
            "expected_for_them": figures.money(charged[visit.type_id] for visit in open_ if visit.type_id in charged),
            "of_types_that_charge_nothing": figures.share(free, len(open_)),
        },
        [
            UnbilledRow.model_validate(
                {
                    **dict(visit_row(question, visit)),
                    "expected": money_text(charged[visit.type_id]) if visit.type_id in charged else None,
                }
            )
            for visit in open_
        ],
        facts,
        notes=notes,
    )


async def missing_notes(question: ReportQuestion) -> Finding:
    """Visits that took place and have no final treatment note, the oldest first."""
    held, notes = await _held(question)
    open_ = [visit for visit in held if visit.written != _FINAL]
    drafts = [visit for visit in open_ if visit.written == _DRAFT]
    facts = _facts(question, held, lambda visit: visit.written != _FINAL)
    return Finding(
        "A visit of that time that has begun, was not cancelled and not a no-show, and whose treatment note is missing "
        "or still a draft. Places in classes count one by one.",
        {
            "visits_without_final_note": facts.figure,
            "visits_with_a_draft": figures.share(len(drafts), len(held)),
            "visits_without_any_note": figures.share(len(open_) - len(drafts), len(held)),
        },
        [_row(question, visit, "draft" if visit.written == _DRAFT else "none") for visit in open_],
        facts,
        notes=notes,
    )


async def _held(question: ReportQuestion) -> tuple[list[Visit], list[str]]:
    """The visits that have begun and were kept, unmarked ones too, and a sentence about those still to come."""
    found = await question.visits()
    later = sum(not visit.begun(question.now) for visit in found)
    return [*filter(question.kept, found)], still_to_come(later)


def _facts(question: ReportQuestion, held: Sequence[Visit], counts: Callable[[Visit], bool]) -> Facts:
    return Facts(Measure.SHARE, [question.fact(visit, part=counts(visit)) for visit in held])


def _row(question: ReportQuestion, visit: Visit, note: NoteState) -> ReportVisitRow:
    return visit_row(question, visit).model_copy(update={"note": note})
