"""The question that a report answers, and the form of its finding."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.frontdesk.bookings import EVER
from cliniko_mcp.frontdesk.reports.cohorts import Cohort
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Figure
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import OpenSpan, Span, Window
from cliniko_mcp.frontdesk.visits import Visit, visits, visits_of, visits_since
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.models import AnswerModel

_MINUTE = timedelta(minutes=1)
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before the first record of any clinic."""


@dataclass(frozen=True, slots=True)
class _Read:
    """The visits of the clinic from a moment on and before another one."""

    starts: datetime
    until: datetime
    visits: Sequence[Visit]


@dataclass(frozen=True)
class ReportQuestion:
    """What a report is about: when, whose and where. None means all time, everyone, every site.

    `now` is an aware instant; `by` names the groupings that the answer shows.
    """

    clinic: GuardedClinic
    roster: Roster
    span: Span | OpenSpan | None
    practitioner: Known[Practitioner] | None
    business: Known[Business] | None
    now: datetime
    by: Sequence[str] = ()
    words: str = ""
    """What to look for in notes."""
    patient: Known[Patient] | None = None
    phones: bool = False
    """Whether rows tell how to reach the people in them."""
    _read: "list[_Read]" = field(default_factory=lambda: list[_Read]())
    """What was read so far, which the same question of a time within it need not read again."""

    def at(self, span: Span) -> "ReportQuestion":
        """The same of another time."""
        return replace(self, span=span)

    @property
    def practitioners(self) -> list[str]:
        """The ids to keep to; none means everyone."""
        return [self.practitioner.id] if self.practitioner else []

    @property
    def businesses(self) -> list[str]:
        """The ids to keep to; none means every site."""
        return [self.business.id] if self.business else []

    @property
    def narrowed(self) -> bool:
        """Whether a time, a practitioner or a site was named."""
        return bool(self.span or self.practitioner or self.business)

    @cached_property
    def time(self) -> Span:
        """The time asked about. Raises RuntimeError where all time is meant or it has no start: our own mistake."""
        if not isinstance(self.span, Span):
            raise RuntimeError("this report needs a time with a start")
        return self.span

    @property
    def moments(self) -> Window:
        """The first and the last moment of the time: at its sites, and by the calendar of the report, in UTC."""
        (starts, ends), home = self.time.bounds, self.time.home
        return min(starts, home.start.astimezone(UTC)), max(ends, home.end.astimezone(UTC))

    @property
    def today(self) -> date:
        """The day that it is by the calendar of the report."""
        return local_day(self.now, self.span.home.zone if self.span else self.roster.home)

    async def visits(self, *, cancelled: bool = False) -> list[Visit]:
        """The visits asked about: those that begin in the time, of the practitioner, at the site."""
        starts, until = self.time.bounds
        if not (self.practitioner or self.business) or self._find(starts, until) is not None:
            # The same list for every kind of report, which memory serves again where it is long and over.
            between = await self.visits_since(starts, until)
            live = [visit for visit in between if cancelled or visit.cancelled is None]
            return [visit for visit in live if self.holds(visit) and self.keeps(visit)]
        return await visits(
            self.clinic,
            self.time,
            practitioners=self.practitioners,
            businesses=self.businesses,
            cancelled=cancelled,
        )

    async def visits_since(self, starts: datetime, until: datetime = EVER) -> list[Visit]:
        """Every visit of the clinic that begins from this moment on and before `until`, by start, cancelled ones and
        those to come too."""
        if (kept := self._find(starts, until)) is not None:
            return [visit for visit in kept.visits if starts <= visit.starts < until]
        found = await visits_since(self.clinic, starts, until, cancelled=True)
        self._read.append(_Read(starts, until, found))
        return found

    async def visits_of(self, patients: Collection[str], starts: datetime) -> list[Visit]:
        """The live visits of these patients from this moment on, by start, those to come too."""
        if self._find(starts, EVER) is None:
            return await visits_of(self.clinic, patients, starts)
        every = await self.visits_since(starts)
        return [visit for visit in every if visit.cancelled is None and visit.patient_id in patients]

    def _find(self, starts: datetime, until: datetime) -> _Read | None:
        """What was read of this stretch before."""
        return next((kept for kept in self._read if kept.starts <= starts and until <= kept.until), None)

    async def history(self) -> list[Visit]:
        """Every visit of the clinic, as `visits_since` gives them, that was not cancelled."""
        return [visit for visit in await self.visits_since(_BEGINNING) if visit.cancelled is None]

    async def first_visits(self) -> dict[str, Visit]:
        """The first kept visit ever of each patient, with anyone at any site."""
        found: dict[str, Visit] = {}
        for visit in await self.history():
            if self.kept(visit) and visit.patient_id:
                found.setdefault(visit.patient_id, visit)
        return found

    def kept(self, visit: Visit) -> bool:
        """Whether a visit has begun and was neither cancelled nor a no-show; one that is not marked counts as kept."""
        return visit.begun(self.now) and visit.cancelled is None and visit.arrived is not False

    def keeps(self, visit: Visit) -> bool:
        """Whether a visit is of the practitioner and at the site asked about."""
        return (self.practitioner is None or visit.practitioner_id == self.practitioner.id) and (
            self.business is None or visit.business_id == self.business.id
        )

    def holds(self, visit: Visit) -> bool:
        """Whether a visit begins in the time asked about, by its site's clock; every visit where all time is meant."""
        return self.holds_moment(visit.starts, visit.business_id)

    def holds_moment(self, moment: datetime, business_id: str) -> bool:
        """Whether a moment is in the time asked about, by the clock of this site."""
        if self.span is None:
            return True
        span = self.span.since(_BEGINNING) if isinstance(self.span, OpenSpan) else self.span
        return any(low <= moment < high for low, high in span.windows(business_id))

    def holds_day(self, day: date) -> bool:
        """Whether a calendar day is in the time asked about; every day where all time is meant."""
        if self.span is None:
            return True
        home = self.span.home
        starts = home.start.date() if home.start else date.min
        return starts <= day <= (home.end - _MINUTE).date() and (not home.weekdays or day.isoweekday() in home.weekdays)

    def day(self, visit: Visit) -> date:
        """The local day on which a visit begins, by its site's clock."""
        return local_day(visit.starts, self.roster.zone(visit.business_id))

    def fact(self, visit: Visit, *, part: bool = True, at: datetime | None = None) -> Fact:
        """What a visit is grouped by; `part` says whether it counts, `at` names another moment than its start."""
        local = (at or visit.starts).astimezone(self.roster.zone(visit.business_id))
        return Fact(
            day=local.date(),
            hour=local.hour,
            practitioner_id=visit.practitioner_id,
            business_id=visit.business_id,
            type_id=visit.type_id,
            patient_id=visit.patient_id,
            part=int(part),
        )


@dataclass(slots=True)
class Finding:
    """The definition in sentences, the figures by name, what the first of them counts, and the rows.

    The first figure is what all facts come to; `by` holds the breakdowns that the kind itself makes. Rows hold
    `patient_id`; the name is put beside it once it is known which rows are shown. `cohorts` are of new
    patients by month.
    """

    definition: str
    summary: dict[str, Figure]
    rows: Sequence[AnswerModel] = ()
    facts: Facts | None = None
    by: dict[str, Breakdown] = field(default_factory=dict[str, Breakdown])
    notes: list[str] = field(default_factory=list[str])
    cohorts: list[Cohort] = field(default_factory=list[Cohort])


def by_patient(found: Iterable[Visit]) -> dict[str, list[Visit]]:
    """These visits by the patient whose they are, in the order in which they come."""
    mine: dict[str, list[Visit]] = {}
    for visit in found:
        mine.setdefault(visit.patient_id, []).append(visit)
    return mine


def still_to_come(later: int) -> list[str]:
    """A sentence about the visits of the time that have not begun; none where all have."""
    what = (
        "visits of that time are still to come; they are" if later > 1 else "visit of that time is still to come; it is"
    )
    return [f"{later:,} {what} not counted."] if later else []
