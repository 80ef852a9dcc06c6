"""Reports on visits: no-shows, cancellations with their notice, visits without a bill, visits without a final note.

Requests: one a hundred bookings of the time, one each 95 classes in it and each further hundred attendees.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import (
    ATTENDANCE,
    Attendance,
    LocalTime,
    NoteState,
    PatientRow,
    Rate,
    VisitRow,
    rate,
)
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = visits.NEEDS

_FINAL: Final = 90
_DRAFT: Final = 10
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class NoShowSummary(AnswerModel):
    """What the no-shows come to."""

    no_shows: Rate = Field(description="No-shows of all visits that were due.")
    patients: int = Field(description="Patients.")
    more_than_once: int = Field(description="Patients who did not come more than once.")
    not_marked: int = Field(description="Visits that were due and are not marked.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")
    by_weekday: dict[str, int] = Field(description="How many by weekday.")


class NoShowRow(PatientRow):
    """A patient who did not come."""

    no_shows: int = Field(description="How often.")
    last: LocalTime = Field(description="Start of the latest one.")
    practitioner: str = Field(description="The practitioner's name.")
    appointment_ids: list[str] = Field(description="Ids of the latest three.")


class CancellationSummary(AnswerModel):
    """What the cancellations come to."""

    cancelled: Rate = Field(description="Cancelled visits of all that were booked.")
    notice: dict[str, int] = Field(description="How many by the time left to the start.")
    reasons: dict[str, int] = Field(description="How many by reason, the most first.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")


class CancellationRow(VisitRow):
    """A visit that was cancelled."""

    cancelled_at: LocalTime | None = Field(default=None, description="When it was cancelled.")
    notice_hours: float = Field(description="Hours from then to the start; negative after it.")
    reason: str = Field(description="Why it was cancelled.")


class UnbilledSummary(AnswerModel):
    """What the visits without an invoice come to."""

    unbilled: Rate = Field(description="Visits without an invoice of all that took place.")
    by_type: dict[str, int] = Field(description="How many by appointment type, the most first.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")


class MissingNoteSummary(AnswerModel):
    """What the visits without a final note come to."""

    without_final_note: Rate = Field(description="Visits without a final note of all that took place.")
    draft: int = Field(description="Visits with a draft.")
    none: int = Field(description="Visits without any note.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")


async def no_shows(question: ReportQuestion) -> Finding:
    """Who did not come, the most often first, and how that compares with all visits that were due."""
    due, to_come = _begun(question, await question.visits())
    missed = [visit for visit in due if visit.arrived is False]
    mine: dict[str, list[Visit]] = {}
    for visit in missed:
        mine.setdefault(visit.patient_id, []).append(visit)
    days = Counter(visit.starts.astimezone(question.roster.zone(visit.business_id)).weekday() for visit in missed)
    return Finding(
        "A no-show is a visit marked as did not arrive (DNA), an appointment or a place in a class. The rate is of all "
        "visits that should have begun in the time; cancelled ones are in neither.",
        NoShowSummary(
            no_shows=rate(len(missed), len(due)),
            patients=len(mine),
            more_than_once=sum(len(theirs) > 1 for theirs in mine.values()),
            not_marked=sum(visit.arrived is None for visit in due),
            by_practitioner=question.by_practitioner(missed),
            by_weekday={_DAYS[day]: days[day] for day in sorted(days)},
        ),
        [
            _missed(question, patient_id, theirs)
            for patient_id, theirs in sorted(mine.items(), key=lambda one: (-len(one[1]), one[1][-1].starts))
        ],
        to_come,
    )


def _missed(question: ReportQuestion, patient_id: str, theirs: Sequence[Visit]) -> NoShowRow:
    last = theirs[-1]
    return NoShowRow(
        patient_id=patient_id,
        no_shows=len(theirs),
        last=local_text(last.starts, question.roster.zone(last.business_id)),
        practitioner=question.roster.name("practitioner_id", last.practitioner_id),
        appointment_ids=[visit.booking_id for visit in theirs[-3:]],
    )


async def cancellations(question: ReportQuestion) -> Finding:
    """What was cancelled, with how much notice and why, the latest first."""
    every = await question.visits(cancelled=True)
    cancelled = [visit for visit in every if visit.cancelled is not None]
    notices: Counter[str] = Counter(map(_notice, cancelled))
    reasons = Counter(visit.reason or "not said" for visit in cancelled)
    return Finding(
        "A cancellation is an appointment, or a place in a class, that was due in the time and was cancelled (archived "
        "ones are not counted). Notice is from the moment of cancelling to the start. The rate is of all that was "
        "booked for the time, cancelled or not.",
        CancellationSummary(
            cancelled=rate(len(cancelled), len(every)),
            notice={name: notices[name] for name in _NOTICES},
            reasons=dict(reasons.most_common()),
            by_practitioner=question.by_practitioner(cancelled),
        ),
        [_cancelled(question, visit) for visit in reversed(cancelled)],
    )


_NOTICES: Final = ("after the start", "under 24 h", "24 to 48 h", "48 h or more")


def _notice(visit: Visit) -> str:
    left = _left(visit)
    if left < timedelta():
        return _NOTICES[0]
    if left < timedelta(hours=24):
        return _NOTICES[1]
    return _NOTICES[2] if left < timedelta(hours=48) else _NOTICES[3]


def _left(visit: Visit) -> timedelta:
    return visit.starts - (visit.cancelled or visit.starts)


def _cancelled(question: ReportQuestion, visit: Visit) -> CancellationRow:
    row = _row(question, visit)
    zone = question.roster.zone(visit.business_id)
    return CancellationRow(
        patient_id=row.patient_id,
        appointment_id=row.appointment_id,
        starts_at=row.starts_at,
        practitioner=row.practitioner,
        type=row.type,
        business=row.business,
        cancelled_at=local_text(visit.cancelled, zone) if visit.cancelled else None,
        notice_hours=round(_left(visit).total_seconds() / 3600, 1),
        reason=visit.reason or "not said",
    )


async def unbilled(question: ReportQuestion) -> Finding:
    """Visits that took place and have no invoice, the oldest first."""
    due, to_come = _begun(question, await question.visits())
    came = [visit for visit in due if visit.arrived is not False]
    open_ = [visit for visit in came if visit.billed is None]
    kinds = Counter(question.roster.name("appointment_type_id", visit.type_id) or "unknown" for visit in open_)
    return Finding(
        "Unbilled is a visit that should have begun, was not cancelled and not a no-show, and has no invoice of any "
        "status. Places in classes count one by one.",
        UnbilledSummary(
            unbilled=rate(len(open_), len(came)),
            by_type=dict(kinds.most_common()),
            by_practitioner=question.by_practitioner(open_),
        ),
        [_row(question, visit, attendance=ATTENDANCE[visit.arrived]) for visit in open_],
        to_come,
    )


async def missing_notes(question: ReportQuestion) -> Finding:
    """Visits that took place and have no final treatment note, the oldest first."""
    due, to_come = _begun(question, await question.visits())
    came = [visit for visit in due if visit.arrived is not False]
    open_ = [visit for visit in came if visit.written != _FINAL]
    drafts = [visit for visit in open_ if visit.written == _DRAFT]
    return Finding(
        "A visit that should have begun, was not cancelled and not a no-show, and whose treatment note is missing or "
        "still a draft. Places in classes count one by one.",
        MissingNoteSummary(
            without_final_note=rate(len(open_), len(came)),
            draft=len(drafts),
            none=len(open_) - len(drafts),
            by_practitioner=question.by_practitioner(open_),
        ),
        [_row(question, visit, note="draft" if visit.written == _DRAFT else "none") for visit in open_],
        to_come,
    )


def _row(
    question: ReportQuestion, visit: Visit, *, attendance: Attendance | None = None, note: NoteState | None = None
) -> VisitRow:
    row = visit.row(question.roster)
    one_site = question.business is not None or len(question.roster.sites) < 2
    return row.model_copy(
        update={
            "patient_id": visit.patient_id,
            "business": None if one_site else row.business,
            "attendance": attendance,
            "note": note,
        }
    )


def _begun(question: ReportQuestion, found: Sequence[Visit]) -> tuple[list[Visit], list[str]]:
    """The visits that should have begun by now, and a sentence about those that are still to come."""
    due = [visit for visit in found if visit.begun(question.now)]
    later = len(found) - len(due)
    return due, [f"{later:,} visits of that time are still to come; they are not counted."] if later else []
