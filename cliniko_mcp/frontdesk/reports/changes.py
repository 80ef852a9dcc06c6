"""The report on what was changed through this server, by person and day, from the audit log. No requests."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Final

import anyio.to_thread
from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk.answer_rows import Day
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.guards.changes import Ending, Logged, LoggedChange, Tally, logged_changes, tallies
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = ()

_NAMES: Final[Sequence[tuple[Ending, str]]] = (
    ("declined", "declined_by_a_person"),
    ("refused", "refused_by_the_settings"),
    ("questions", "questions_put"),
    ("failed", "failed"),
    ("unknown", "outcome_not_known"),
)
_DEFINITION: Final = (
    "Changes that were asked of Cliniko through this server, from its audit log, by the day on which they ended. Made "
    "is what Cliniko accepted; approved, what a person said yes to; allowed beforehand, what the operator lets pass "
    "without a question. Declined is a person's no; refused, what the settings here do not allow; questions, those "
    "put, whose answers count apart; failed, what Cliniko or a check did not take; not known, what broke off. A person "
    "is how they are connected: the log holds no names. What is done in Cliniko itself is not in it."
)


class ChangesRow(AnswerModel):
    """What one person had changed on one day."""

    day: Day = Field(description="The day.")
    person: str = Field(description="Who: this computer, or the digest of a token.")
    made: int | None = Field(default=None, description="Changes made.")
    approved: int | None = Field(default=None, description="How many of them a person approved.")
    allowed: int | None = Field(default=None, description="How many of them were allowed beforehand.")
    declined: int | None = Field(default=None, description="Changes that a person declined.")
    refused: int | None = Field(default=None, description="Changes that the settings did not allow.")
    questions: int | None = Field(default=None, description="Questions put.")
    failed: int | None = Field(default=None, description="Changes that came to nothing.")
    unknown: int | None = Field(default=None, description="Changes of which it is not known whether they took effect.")
    operations: dict[str, int] = Field(description="How many changes of each kind were made.")


async def changes(question: ReportQuestion) -> Finding:
    """What was changed, approved and refused in the time, by person and day, the latest day first.

    Over HTTP only what the caller had changed.
    """
    logged, notes = await _logged(question)
    own = question.clinic.caller.route == "http"
    found = [
        change
        for change in logged.changes
        if question.holds_day(_day_of(question, change)) and (not own or change.person == question.clinic.caller.in_log)
    ]
    if own:
        notes.append("Only your own changes; `cliniko-mcp audit report` on the server tells everybody's.")
    made = [change for change in found if change.ending == "made"]
    facts = Facts(Measure.COUNT, [_fact(question, change) for change in made])
    return Finding(
        _DEFINITION,
        {
            "changes_made": facts.figure,
            "approved_by_a_person": figures.share(sum(change.approved for change in made), len(made)),
            "allowed_beforehand": figures.share(sum(change.allowed for change in made), len(made)),
            **{name: figures.count(sum(change.ending == ending for change in found)) for ending, name in _NAMES},
        },
        [_row(tally) for tally in tallies(found, partial(_day_of, question))],
        facts,
        by={
            "person": parts(_grouped(question, made, lambda change: change.who), facts),
            "operation": parts(_grouped(question, made, lambda change: clean(change.operation, 80)), facts),
        },
        notes=notes,
    )


async def first_line(clinic: GuardedClinic) -> datetime | None:
    """When the audit log that is kept begins; None where there is none, or it cannot be read."""
    log, latest = clinic.log, clinic.now
    if log is None:
        return None
    with suppress(OSError):
        return (await anyio.to_thread.run_sync(logged_changes, log, latest, latest)).since
    return None


async def _logged(question: ReportQuestion) -> tuple[Logged, list[str]]:
    """The changes of the time, and what has to be said of the log."""
    log, (low, high) = question.clinic.log, question.moments
    try:
        logged = await anyio.to_thread.run_sync(logged_changes, log, low, high) if log is not None else None
    except OSError as problem:
        return Logged([], None), [f"The audit log cannot be read: {problem.strerror or problem}."]
    if logged is None or logged.since is None:
        return Logged([], None), ["There is no audit log here yet."]
    begun = local_day(logged.since, question.time.home.zone)
    late = question.time.home.start.date() < begun
    return logged, [f"The audit log that is kept begins on {begun}; what was before is not counted."] if late else []


def _day_of(question: ReportQuestion, change: LoggedChange) -> date:
    return local_day(change.at, question.time.home.zone)


def _fact(question: ReportQuestion, change: LoggedChange) -> Fact:
    local = change.at.astimezone(question.time.home.zone)
    return Fact(day=local.date(), hour=local.hour)


def _grouped(
    question: ReportQuestion, made: Sequence[LoggedChange], name: Callable[[LoggedChange], str]
) -> dict[str, list[Fact]]:
    groups: dict[str, list[Fact]] = {}
    for change in made:
        groups.setdefault(name(change), []).append(_fact(question, change))
    return groups


def _row(tally: Tally) -> ChangesRow:
    ended = tally.endings
    return ChangesRow(
        day=f"{tally.day} {tally.day:%a}",
        person=tally.who,
        made=ended["made"] or None,
        approved=tally.approved or None,
        allowed=tally.allowed or None,
        declined=ended["declined"] or None,
        refused=ended["refused"] or None,
        questions=ended["questions"] or None,
        failed=ended["failed"] or None,
        unknown=ended["unknown"] or None,
        operations=dict(tally.operations.most_common()),
    )
