"""The question that a report answers, and the form of its finding."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visits import Visit, visits
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.models import AnswerModel


@dataclass(frozen=True)
class ReportQuestion:
    """What a report is about: when, whose and where. None means all time, everyone, every site.

    `now` is an aware instant.
    """

    clinic: GuardedClinic
    roster: Roster
    span: Span | None
    practitioner: Known[Practitioner] | None
    business: Known[Business] | None
    now: datetime

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
        """The span asked about. Raises RuntimeError where all time is meant, which is our own mistake."""
        if self.span is None:
            raise RuntimeError("this report needs a time")
        return self.span

    async def visits(self, *, cancelled: bool = False) -> list[Visit]:
        """The visits asked about: those that begin in the time, of the practitioner, at the site."""
        return await visits(
            self.clinic,
            self.time,
            practitioners=self.practitioners,
            businesses=self.businesses,
            cancelled=cancelled,
        )

    def keeps(self, visit: Visit) -> bool:
        """Whether a visit is of the practitioner and at the site asked about."""
        return (self.practitioner is None or visit.practitioner_id == self.practitioner.id) and (
            self.business is None or visit.business_id == self.business.id
        )

    def holds(self, visit: Visit) -> bool:
        """Whether a visit begins in the time asked about, by its site's clock."""
        return any(low <= visit.starts < high for low, high in self.time.windows(visit.business_id))

    def holds_day(self, day: date) -> bool:
        """Whether a calendar day has any part in the time asked about; every day where all time is meant."""
        if self.span is None:
            return True
        start, end = day_bounds(day, self.span.zone)
        when = self.span.at(self.business.id if self.business else None)
        return any(low < end and start < high for low, high in when.windows())

    def by_practitioner(self, found: Iterable[Visit]) -> dict[str, int]:
        """The number of these visits by the practitioner's name, the most first; by the id where no name is known."""
        counts = Counter(visit.practitioner_id for visit in found)
        return {self.roster.name("practitioner_id", key) or key: count for key, count in counts.most_common()}


@dataclass(slots=True)
class Finding:
    """The definition in sentences, the figures in `summary`, and the rows.

    Rows hold `patient_id`; the name is put beside it once it is known which rows are shown.
    """

    definition: str
    summary: AnswerModel
    rows: Sequence[AnswerModel]
    notes: list[str] = field(default_factory=list[str])
