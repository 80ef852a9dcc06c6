"""Reports on what visits still lack: an invoice, or a final treatment note.

Requests: one a hundred bookings of the time, one each 95 classes in it and each further hundred attendees.
"""

from collections.abc import Callable, Sequence
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.attendance import visit_row
from cliniko_mcp.frontdesk.reports.facts import Facts, Measure
from cliniko_mcp.frontdesk.reports.figures import ReportVisitRow
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.visits import Visit

NEEDS: Final[tuple[Operation, ...]] = visits.NEEDS

_FINAL: Final = 90
_DRAFT: Final = 10


async def unbilled(question: ReportQuestion) -> Finding:
    """Visits that took place and have no invoice, the oldest first."""
    held, notes = await _held(question)
    open_ = [visit for visit in held if visit.billed is None]
    facts = _facts(question, held, lambda visit: visit.billed is None)
    return Finding(
        "Unbilled is a visit of that time that has begun, was not cancelled and not a no-show, and has no invoice of "
        "any status. Places in classes count one by one.",
        {"unbilled_visits": facts.figure},
        [_row(question, visit, attendance=ATTENDANCE[visit.arrived]) for visit in open_],
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
        [_row(question, visit, note="draft" if visit.written == _DRAFT else "none") for visit in open_],
        facts,
        notes=notes,
    )


async def _held(question: ReportQuestion) -> tuple[list[Visit], list[str]]:
    """The visits that have begun and were kept, unmarked ones too, and a sentence about those still to come."""
    found = await question.visits()
    later = sum(not visit.begun(question.now) for visit in found)
    notes = [f"{later:,} visits of that time are still to come; they are not counted."] if later else []
    return [*filter(question.kept, found)], notes


def _facts(question: ReportQuestion, held: Sequence[Visit], counts: Callable[[Visit], bool]) -> Facts:
    return Facts(Measure.SHARE, [question.fact(visit, part=counts(visit)) for visit in held])


def _row(question: ReportQuestion, visit: Visit, **more: str) -> ReportVisitRow:
    return visit_row(question, visit).model_copy(update=more)
