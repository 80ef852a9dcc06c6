"""Reports on visits: no-shows, cancellations with their notice, visits without a bill, visits without a final note.

Requests: one a hundred bookings of the time, one each 95 classes in it and each further hundred attendees.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.reports.question import Finding, Json, ReportQuestion, rate
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = visits.NEEDS

_FINAL: Final = 90
_DRAFT: Final = 10
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ATTENDANCE: Final = {True: "arrived", False: "did not arrive", None: "not marked"}


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
        {
            "no_shows": len(missed),
            "visits": len(due),
            "rate": rate(len(missed), len(due)),
            "patients": len(mine),
            "more_than_once": sum(len(theirs) > 1 for theirs in mine.values()),
            "not_marked": sum(visit.arrived is None for visit in due),
            "by_practitioner": question.by_practitioner(missed),
            "by_weekday": {_DAYS[day]: days[day] for day in sorted(days)},
        },
        [
            _missed(question, patient_id, theirs)
            for patient_id, theirs in sorted(mine.items(), key=lambda one: (-len(one[1]), one[1][-1].starts))
        ],
        to_come,
    )


def _missed(question: ReportQuestion, patient_id: str, theirs: Sequence[Visit]) -> Json:
    last = theirs[-1]
    return {
        "patient_id": patient_id,
        "no_shows": len(theirs),
        "last": local_text(last.starts, question.roster.zone(last.business_id)),
        "practitioner": question.roster.name("practitioner_id", last.practitioner_id),
        "appointment_ids": [visit.booking_id for visit in theirs[-3:]],
    }


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
        {
            "cancelled": len(cancelled),
            "booked": len(every),
            "rate": rate(len(cancelled), len(every)),
            "notice": {name: notices[name] for name in _NOTICES},
            "reasons": dict(reasons.most_common()),
            "by_practitioner": question.by_practitioner(cancelled),
        },
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


def _cancelled(question: ReportQuestion, visit: Visit) -> Json:
    row = _row(question, visit)
    if visit.cancelled is not None:
        row["cancelled_at"] = local_text(visit.cancelled, question.roster.zone(visit.business_id))
    row["notice_hours"] = round(_left(visit).total_seconds() / 3600, 1)
    row["reason"] = visit.reason or "not said"
    return row


async def unbilled(question: ReportQuestion) -> Finding:
    """Visits that took place and have no invoice, the oldest first."""
    due, to_come = _begun(question, await question.visits())
    came = [visit for visit in due if visit.arrived is not False]
    open_ = [visit for visit in came if visit.billed is None]
    kinds = Counter(question.roster.name("appointment_type_id", visit.type_id) or "unknown" for visit in open_)
    return Finding(
        "Unbilled is a visit that should have begun, was not cancelled and not a no-show, and has no invoice of any "
        "status. Places in classes count one by one.",
        {
            "unbilled": len(open_),
            "visits": len(came),
            "rate": rate(len(open_), len(came)),
            "by_type": dict(kinds.most_common()),
            "by_practitioner": question.by_practitioner(open_),
        },
        [{**_row(question, visit), "attendance": _ATTENDANCE[visit.arrived]} for visit in open_],
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
        {
            "without_final_note": len(open_),
            "draft": len(drafts),
            "none": len(open_) - len(drafts),
            "visits": len(came),
            "by_practitioner": question.by_practitioner(open_),
        },
        [{**_row(question, visit), "note": "draft" if visit.written == _DRAFT else "none"} for visit in open_],
        to_come,
    )


def _row(question: ReportQuestion, visit: Visit) -> Json:
    row: Json = {"patient_id": visit.patient_id, **visit.row(question.roster)}
    if question.business is not None or len(question.roster.sites) < 2:
        row.pop("business", None)
    return row


def _begun(question: ReportQuestion, found: Sequence[Visit]) -> tuple[list[Visit], list[str]]:
    """The visits that should have begun by now, and a sentence about those that are still to come."""
    due = [visit for visit in found if visit.begun(question.now)]
    later = len(found) - len(due)
    return due, [f"{later:,} visits of that time are still to come; they are not counted."] if later else []
