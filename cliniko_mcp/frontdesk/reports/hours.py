"""Utilisation in hours: booked time over open time, by practitioner.

Requests: two for working hours and one a hundred diary entries of the time, whatever the number of practitioners.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.frontdesk.answer_rows import Rate, rate
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, joined, read_diary, within, without
from cliniko_mcp.results.models import AnswerModel

_HOUR: Final = timedelta(hours=1)


class HoursSummary(AnswerModel):
    """The hours of everyone together."""

    open_hours: float = Field(description="Open hours.")
    booked_hours: float = Field(description="Booked hours, outside open hours too.")
    free_hours: float = Field(description="Open hours that are not booked.")
    utilisation: Rate = Field(description="Booked hours within open hours, of open hours.")


class HoursRow(HoursSummary):
    """The hours of one practitioner."""

    practitioner: str = Field(description="The practitioner's name.")
    blocked_hours: float = Field(description="Working hours that are blocked out.")
    bookings: int = Field(description="Appointments and classes.")
    outside_hours: float | None = Field(default=None, description="Booked hours outside open hours.")


async def utilisation(question: ReportQuestion) -> Finding:
    """Open, booked and free hours, in all and a row a practitioner, the fullest first.

    Hours are numbers with two decimals, `utilisation` is text such as `71.4%`.
    """
    starts, ends = question.time.bounds
    diary = await read_diary(question.clinic, question.roster, starts, ends, question.practitioners)
    people = {who for who, _ in diary.work} | {
        entry.practitioner_id for entry in diary.entries if entry.kind != "block"
    }
    found = [_Hours(question, diary, who) for who in people]
    kept = sorted(
        (hours for hours in found if hours.open or hours.booked),
        key=lambda hours: (-hours.share, question.roster.name("practitioner_id", hours.who)),
    )
    open_ = sum((hours.open for hours in kept), timedelta())
    inside = sum((hours.inside for hours in kept), timedelta())
    return Finding(
        "Open hours are working hours and one-off openings less blocked-out time. Booked hours are the union of live "
        "appointments and classes, so that overlapping ones count once; no-shows count as booked, cancelled ones do "
        "not. Utilisation is booked time within open hours over open hours; what is booked outside them, or over "
        "blocked-out time, is told apart. People who no longer work here have no open hours.",
        HoursSummary(
            open_hours=_hours(open_),
            booked_hours=_hours(sum((hours.booked for hours in kept), timedelta())),
            free_hours=_hours(open_ - inside),
            utilisation=_share(inside, open_),
        ),
        [hours.row() for hours in kept],
    )


class _Hours:
    """The hours of one practitioner in the time asked about."""

    def __init__(self, question: ReportQuestion, diary: Diary, who: str) -> None:
        self.who = who
        self.name = question.roster.name("practitioner_id", who)
        sites = [site for site in diary.sites(who) if not question.businesses or site in question.businesses]
        windows = {site: list(question.time.windows(site)) for site in {*question.roster.businesses}}
        work = joined(part for site in sites for part in within(diary.work[who, site], windows[site]))
        mine = [entry for entry in diary.entries if entry.practitioner_id == who]
        blocks = [Stretch(entry.starts, entry.ends) for entry in mine if entry.kind == "block"]
        entries = [
            entry
            for entry in mine
            if entry.kind != "block" and (not question.businesses or entry.business_id in question.businesses)
        ]
        booked = joined(
            part
            for entry in entries
            for part in within([Stretch(entry.starts, entry.ends)], windows.get(entry.business_id, []))
        )
        free = without(work, blocks)
        self.count = len(entries)
        self.work = _length(work)
        self.open = _length(free)
        self.booked = _length(booked)
        self.inside = self.open - _length(without(free, booked))

    @property
    def share(self) -> float:
        """Booked time within open hours over open hours, from 0 to 1; 0 where nothing is open."""
        return self.inside / self.open if self.open else 0.0

    def row(self) -> HoursRow:
        """The row of one practitioner: hours with two decimals; `outside_hours` only where there are any."""
        return HoursRow(
            practitioner=self.name,
            open_hours=_hours(self.open),
            blocked_hours=_hours(self.work - self.open),
            booked_hours=_hours(self.booked),
            free_hours=_hours(self.open - self.inside),
            utilisation=_share(self.inside, self.open),
            bookings=self.count,
            outside_hours=_hours(self.booked - self.inside) if self.booked > self.inside else None,
        )


def _length(stretches: Iterable[Stretch]) -> timedelta:
    return sum((stretch.length for stretch in stretches), timedelta())


def _hours(length: timedelta) -> float:
    return round(length.total_seconds() / 3600, 2)


def _share(part: timedelta, whole: timedelta) -> Rate:
    return rate(part / _HOUR, whole / _HOUR)
