"""Reports on who did not come: no-shows, and cancellations with their notice.

Requests: one a hundred bookings of the time, one each 95 classes among them and each further hundred attendees; for
the next visit of those who did not come or cancelled, where it is later than that time, one a hundred of their later
appointments in batches of 95 patients, one a hundred later classes, and one each 95 classes of theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Figure, Findable, ReportVisitRow
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion, by_patient, still_to_come
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (*visits.NEEDS, *visits.LATER_NEEDS)

_LATE: Final = timedelta(hours=24)
_MAX_DATES: Final = 6
_NO_REASON: Final = "no reason"
_NOTICES: Final[Mapping[str, Callable[[timedelta], bool]]] = {
    "after the start": lambda left: left < timedelta(),
    "under 24 h": lambda left: timedelta() <= left < _LATE,
    "24 to 48 h": lambda left: _LATE <= left < 2 * _LATE,
    "48 h or more": lambda left: left >= 2 * _LATE,
}


class NoShowRow(Findable):
    """A patient who did not come."""

    no_shows: int = Field(description="How often.")
    dates: list[LocalTime] = Field(description="Starts of the latest ones, the latest first; at most six.")
    practitioner: str = Field(description="The practitioner of the latest one.")
    appointment_ids: list[str] = Field(description="Their ids, in the same order.")
    times_invoiced: int = Field(description="How many have an invoice all the same.")
    next_visit: LocalTime | None = Field(default=None, description="The first visit after the latest of them, if any.")


class CancellationRow(ReportVisitRow):
    """A visit that was cancelled."""

    cancelled_at: LocalTime | None = Field(default=None, description="When it was cancelled.")
    notice_hours: float = Field(description="Hours from then to the start; negative after it.")
    reason: str = Field(description="Why it was cancelled.")
    invoiced: bool | None = Field(default=None, description="True where it has an invoice all the same.")
    next_visit: LocalTime | None = Field(default=None, description="The patient's first visit after it, if any.")
    times: int | None = Field(default=None, description="Times the patient cancelled, if more than once.")


class Attendance:
    """The visits of the time, cancelled ones too, and what comes after them for whom it is told of.

    `cancelled` are the cancelled ones that count, where these are others than those of the time.
    """

    def __init__(
        self, question: ReportQuestion, every: Sequence[Visit], cancelled: Sequence[Visit] | None = None
    ) -> None:
        self.question = question
        self.booked = [visit for visit in every if question.holds(visit) and question.keeps(visit)]
        live = [visit for visit in self.booked if visit.cancelled is None]
        self.begun = [visit for visit in live if visit.begun(question.now)]
        self.missed = [visit for visit in self.begun if visit.arrived is False]
        found = [visit for visit in self.booked if visit.cancelled is not None]
        self.cancelled: Sequence[Visit] = found if cancelled is None else cancelled
        self.late = [visit for visit in self.cancelled if notice(visit) < _LATE]
        self._live = by_patient(
            visit for visit in every if visit.cancelled is None and visit.arrived is not False and visit.patient_id
        )
        self.notes = still_to_come(len(live) - len(self.begun))

    def next_visit(self, visit: Visit) -> Visit | None:
        """The patient's first visit after this one that was kept or is still to come."""
        return next((other for other in self._live.get(visit.patient_id, ()) if other.starts > visit.starts), None)

    def next_start(self, visit: Visit) -> str | None:
        """The start of the next visit, by its site's clock."""
        found = self.next_visit(visit)
        return local_text(found.starts, self.question.roster.zone(found.business_id)) if found else None

    def policy(self) -> Figure:
        """No-shows and late cancellations, of the visits that have begun and those cancelled so late, once due."""
        late = [visit for visit in self.late if visit.begun(self.question.now)]
        return figures.share(len(self.missed) + len(late), len(self.begun) + len(late))


def notice(visit: Visit) -> timedelta:
    """The time from the moment of cancelling to the start; negative after it."""
    return visit.starts - (visit.cancelled or visit.starts)


async def _attendance(question: ReportQuestion, concerns: Callable[[Visit], bool]) -> Attendance:
    """The visits of the time, and what comes after those that `concerns` is true of, where that is not among them."""
    starts, until = question.time.bounds
    every = await question.visits_since(starts, until)
    found = Attendance(question, every)
    open_ = {visit.patient_id for visit in found.booked if concerns(visit) and found.next_visit(visit) is None}
    return Attendance(question, [*every, *await question.visits_of(open_, until)])


async def no_shows(question: ReportQuestion) -> Finding:
    """Who did not come, the most often first, and how that compares with all visits that have begun."""
    found = await _attendance(question, lambda visit: visit.arrived is False)
    mine = by_patient(found.missed)
    facts = Facts(Measure.SHARE, [question.fact(visit, part=visit.arrived is False) for visit in found.begun])
    ranked = sorted(mine.values(), key=lambda theirs: (-len(theirs), theirs[-1].starts, theirs[-1].booking_id))
    return Finding(
        "A no-show (DNA) is a visit marked as did not arrive: an appointment, or a place in a class. Rates are of the "
        "visits of that time that have begun; cancelled ones are in neither, and unmarked ones count as kept. Late is "
        "cancelled less than 24 hours before the start or after it.",
        {
            "no_shows": facts.figure,
            **_kinds_apart("no_shows", found.begun, lambda visit: visit.arrived is False),
            "no_shows_and_late_cancellations": found.policy(),
            "no_shows_invoiced": figures.share(_billed(found.missed), len(found.missed)),
            "no_shows_with_a_later_visit": figures.share(
                sum(found.next_visit(visit) is not None for visit in found.missed), len(found.missed)
            ),
            "patients_with_no_shows": figures.count(len(mine)),
            "patients_with_more_than_one": figures.count(sum(len(theirs) > 1 for theirs in mine.values())),
            "visits_not_marked": figures.share(sum(visit.arrived is None for visit in found.begun), len(found.begun)),
        },
        [_missed(found, theirs) for theirs in ranked],
        facts,
        notes=found.notes,
    )


def _missed(found: Attendance, theirs: Sequence[Visit]) -> NoShowRow:
    roster, last = found.question.roster, theirs[-1]
    latest = theirs[: -_MAX_DATES - 1 : -1]
    return NoShowRow(
        patient_id=last.patient_id or None,
        no_shows=len(theirs),
        dates=[local_text(visit.starts, roster.zone(visit.business_id)) for visit in latest],
        practitioner=roster.name("practitioner_id", last.practitioner_id),
        appointment_ids=[visit.booking_id for visit in latest],
        times_invoiced=_billed(theirs),
        next_visit=found.next_start(last),
    )


async def cancellations(question: ReportQuestion) -> Finding:
    """What was cancelled, with how much notice and why: who cancelled most often first, each their latest first."""
    found = await _attendance(question, lambda visit: visit.cancelled is not None)
    facts = Facts(Measure.SHARE, [question.fact(visit, part=visit.cancelled is not None) for visit in found.booked])
    return Finding(
        "A cancellation is an appointment, or a place in a class, of that time that was cancelled, whenever that was "
        "done; archived ones are not counted. Rates are of all that was booked for the time. Late is cancelled less "
        "than 24 hours before the start or after it. Lost is a cancelled visit after which the patient has no other. "
        "Who cancelled most often comes first.",
        {
            "cancelled": facts.figure,
            **_kinds_apart("cancelled", found.booked, lambda visit: visit.cancelled is not None),
            "cancelled_late": figures.share(len(found.late), len(found.booked)),
            "no_shows_and_late_cancellations": found.policy(),
            **after_cancelling(found),
        },
        [
            cancelled_row(found, visit, len(theirs))
            for theirs in _most_often(found.cancelled)
            for visit in reversed(theirs)
        ],
        facts,
        by=why_and_when(found),
    )


def _most_often(found: Sequence[Visit]) -> list[list[Visit]]:
    """These visits by patient: who has most of them first, then whose latest is the latest."""
    people = by_patient(found)
    return sorted(people.values(), key=lambda theirs: (-len(theirs), -theirs[-1].starts.timestamp()))


def after_cancelling(found: Attendance) -> dict[str, Figure]:
    """What became of the cancelled visits and of the patients whose they were."""
    cancelled, people = found.cancelled, by_patient(found.cancelled)
    lost = sum(found.next_visit(visit) is None for visit in cancelled)
    return {
        "cancelled_and_invoiced": figures.share(_billed(cancelled), len(cancelled)),
        "cancelled_late_and_invoiced": figures.share(_billed(found.late), len(found.late)),
        "lost": figures.share(lost, len(cancelled)),
        "patients_who_cancelled": figures.count(len(people)),
        "patients_with_more_than_one": figures.count(sum(len(theirs) > 1 for theirs in people.values())),
    }


def why_and_when(found: Attendance) -> dict[str, Breakdown]:
    """The cancelled visits by the notice that was left, and by the reason."""
    fact = found.question.fact
    whole = Facts(Measure.COUNT, [*map(fact, found.cancelled)])
    notices = {
        name: [fact(visit) for visit in found.cancelled if fits(notice(visit))] for name, fits in _NOTICES.items()
    }
    reasons: dict[str, list[Fact]] = {}
    for visit in found.cancelled:
        reasons.setdefault(visit.reason or _NO_REASON, []).append(fact(visit))
    return {"notice": parts(notices, whole, "shortest notice first"), "reason": parts(reasons, whole)}


def cancelled_row(found: Attendance, visit: Visit, times: int | None = None) -> CancellationRow:
    """A cancelled visit, with what was left of time, what comes next, and how often the patient cancelled."""
    zone = found.question.roster.zone(visit.business_id)
    more = {
        "cancelled_at": local_text(visit.cancelled, zone) if visit.cancelled else None,
        "notice_hours": round(notice(visit).total_seconds() / 3600, 1) + 0.0,  # less than none, rounded, has no sign
        "reason": visit.reason or _NO_REASON,
        "invoiced": True if visit.billed is not None else None,
        "next_visit": found.next_start(visit),
        "times": times if times is not None and times > 1 else None,
    }
    return CancellationRow.model_validate({**dict(visit_row(found.question, visit)), **more})


def visit_row(question: ReportQuestion, visit: Visit) -> ReportVisitRow:
    """A visit with names, the site only where there are several."""
    row = visit.row(question.roster)
    one_site = question.business is not None or len(question.roster.sites) < 2
    return ReportVisitRow(
        patient_id=visit.patient_id or None,
        appointment_id=row.appointment_id,
        starts_at=row.starts_at,
        practitioner=row.practitioner,
        type=row.type,
        business=None if one_site else row.business,
    )


def _billed(found: Sequence[Visit]) -> int:
    return sum(visit.billed is not None for visit in found)


def _kinds_apart(name: str, among: Sequence[Visit], counts: Callable[[Visit], bool]) -> dict[str, Figure]:
    """The share in appointments and that in classes, where there are classes."""
    if not any(visit.group for visit in among):
        return {}
    apart = {"appointments": [visit for visit in among if not visit.group], "classes": [v for v in among if v.group]}
    return {f"{name}_in_{where}": figures.share(sum(map(counts, some)), len(some)) for where, some in apart.items()}
