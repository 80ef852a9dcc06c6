"""Utilisation in hours: open, blocked, booked, delivered and free time, by practitioner.

Requests: two for working hours and one a hundred diary entries of the time, whatever the number of practitioners;
where the time is over, one a hundred visits and one a hundred blocked-out times.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.frontdesk import working_hours
from cliniko_mcp.frontdesk.answer_rows import LocalTime, Rate, rate
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.reports.span import days_of
from cliniko_mcp.frontdesk.visits import entries_since
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, joined, read_diary, within, without
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = working_hours.NEEDS

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_MAX_FREE: Final = 3


class FreeStretch(AnswerModel):
    """A stretch of open time that nothing is booked in."""

    starts_at: LocalTime = Field(description="Start, by the site's clock.")
    hours: float = Field(description="How long it is.")
    business: str = Field(description="The site's name.")


class HoursRow(AnswerModel):
    """The hours of one practitioner."""

    practitioner: str = Field(description="The practitioner's name.")
    open_hours: float = Field(description="Working hours that are not blocked out.")
    blocked_hours: float = Field(description="Working hours that are blocked out.")
    booked_hours: float = Field(description="Booked hours, outside open hours too.")
    delivered_hours: float = Field(description="Booked hours that are over, without those of no-shows.")
    free_hours: float = Field(description="Open hours that are not booked.")
    utilisation: Rate = Field(description="Booked hours within open hours, of open hours.")
    bookings: int = Field(description="Appointments and classes.")
    outside_hours: float | None = Field(default=None, description="Booked hours outside open hours.")
    longest_free: list[FreeStretch] = Field(description="The three longest free stretches, of those still to come.")


async def utilisation(question: ReportQuestion) -> Finding:
    """Open, booked and free hours, in all and a row a practitioner: the fullest first, or for a time that goes on after
    today whoever has most free.

    Hours are numbers with two decimals, `utilisation` is text such as `71.4%`.
    """
    starts, ends = question.time.bounds
    diary = await read_diary(
        question.clinic,
        question.roster,
        starts,
        ends,
        question.practitioners,
        entries_by=partial(_past, question) if ends <= question.now and question.practitioner is None else None,
    )
    people = {who for who, _ in diary.work} | {
        entry.practitioner_id for entry in diary.entries if entry.kind != "block"
    }
    found = [Hours(question, diary, who) for who in people]
    kept = sorted(
        (hours for hours in found if hours.open or hours.booked),
        key=lambda hours: (-hours.share, hours.name),
    )
    ahead = any(day > question.today for day in days_of(question.time))
    if ahead:
        kept.sort(key=lambda hours: (hours.inside - hours.open, hours.name))
    facts = Facts(Measure.HOURS, [fact for hours in kept for fact in hours.facts()])
    return Finding(
        "Open hours are working hours and one-off openings less blocked-out time. Booked hours are the union of live "
        "appointments and classes, so that overlapping ones count once; no-shows count as booked, cancelled ones do "
        "not. Delivered is what of them is over, without no-shows; a class counts unless it was cancelled. Utilisation "
        "is booked time within open hours over open hours; what is booked outside them, or over blocked-out time, is "
        "told apart. People who no longer work here have no open hours. Rows name the three longest free stretches. "
        f"{'Most free hours first.' if ahead else 'Fullest first.'}",
        {
            "booked_hours_within_open_hours": facts.figure,
            "open_hours": figures.hours(_sum(hours.open for hours in kept)),
            "blocked_hours": figures.hours(_sum(hours.work - hours.open for hours in kept)),
            "booked_hours": figures.hours(_sum(hours.booked for hours in kept)),
            "delivered_hours": figures.hours(_sum(hours.delivered for hours in kept)),
            "free_hours": figures.hours(_sum(hours.open - hours.inside for hours in kept)),
        },
        [hours.row() for hours in kept],
        facts,
    )


async def _past(question: ReportQuestion) -> list[Entry]:
    """The entries of a time that is over: visits in the list that other reports read too, blocked-out times apart."""
    starts, ends = question.time.bounds
    visits, blocks = await run_concurrently(
        partial(entries_since, question.clinic, starts, ends, cancelled=True),
        partial(bookings, question.clinic, starts, ends, visits=False),
    )
    return [*(entry for entry in visits if not entry.cancelled), *blocks]


class Hours:
    """The hours of one practitioner in the time asked about, or from a later moment on."""

    def __init__(self, question: ReportQuestion, diary: Diary, who: str, since: datetime | None = None) -> None:
        self.who = who
        self.name = question.roster.name("practitioner_id", who)
        self._question = question
        windows = {
            site: [(max(low, since or low), high) for low, high in question.time.windows(site)]
            for site in {*question.roster.businesses}
        }
        sites = [site for site in diary.sites(who) if not question.businesses or site in question.businesses]
        self._work = {site: within(diary.work[who, site], windows[site]) for site in sites}
        mine = [entry for entry in diary.entries if entry.practitioner_id == who]
        blocks = [Stretch(entry.starts, entry.ends) for entry in mine if entry.kind == "block"]
        entries = [
            entry
            for entry in mine
            if entry.kind != "block" and (not question.businesses or entry.business_id in question.businesses)
        ]

        def taken(some: Iterable[Entry]) -> list[Stretch]:
            return joined(
                part
                for entry in some
                for part in within([Stretch(entry.starts, entry.ends)], windows.get(entry.business_id, []))
            )

        booked = taken(entries)
        self._taken = taken(entry for entry in mine if entry.kind != "block")
        free = without(joined(part for parts in self._work.values() for part in parts), blocks)
        over = [entry for entry in entries if entry.ends <= question.now and entry.record.did_not_arrive is not True]
        self._blocks, self._booked = blocks, booked
        self.count = len(entries)
        self.work = length_of(joined(part for parts in self._work.values() for part in parts))
        self.open = length_of(free)
        self.booked = length_of(booked)
        self.delivered = length_of(taken(over))
        self.inside = self.open - length_of(without(free, booked))

    @property
    def share(self) -> float:
        """Booked time within open hours over open hours, from 0 to 1; 0 where nothing is open."""
        return self.inside / self.open if self.open else 0.0

    def facts(self) -> Iterator[Fact]:
        """Yield the open time hour by hour of each site's clock, with the minutes of it that are booked.

        Hours that are worked at two sites at once count at the first of them, as they count once in all.
        """
        counted: list[Stretch] = []
        for site, stretches in self._work.items():
            open_ = without(without(stretches, self._blocks), counted)
            counted = joined([*counted, *open_])
            zone = self._question.roster.zone(site)
            for stretch in open_:
                for part in _by_hour(stretch):
                    local = part.starts.astimezone(zone)
                    whole = part.length // _MINUTE
                    left = length_of(without([part], self._booked)) // _MINUTE
                    yield Fact(
                        day=local.date(),
                        hour=local.hour,
                        practitioner_id=self.who,
                        business_id=site,
                        part=whole - left,
                        whole=whole,
                    )

    def _longest(self) -> list[FreeStretch]:
        """The longest stretches that are free, from now on where some of the time is still to come."""
        question = self._question
        _, ends = question.time.bounds
        since = question.now if ends > question.now else question.time.bounds[0]
        found = [
            (stretch, site)
            for site, stretches in self._work.items()
            for stretch in without(without(within(stretches, [(since, ends)]), self._blocks), self._taken)
        ]
        found.sort(key=lambda one: (-one[0].length, one[0].starts))
        return [
            FreeStretch(
                starts_at=local_text(stretch.starts, question.roster.zone(site)),
                hours=in_hours(stretch.length),
                business=question.roster.name("business_id", site),
            )
            for stretch, site in found[:_MAX_FREE]
        ]

    def row(self) -> HoursRow:
        """The row of one practitioner: hours with two decimals; `outside_hours` only where there are any."""
        return HoursRow(
            practitioner=self.name,
            open_hours=in_hours(self.open),
            blocked_hours=in_hours(self.work - self.open),
            booked_hours=in_hours(self.booked),
            delivered_hours=in_hours(self.delivered),
            free_hours=in_hours(self.open - self.inside),
            utilisation=rate(self.inside / _HOUR, self.open / _HOUR),
            bookings=self.count,
            outside_hours=in_hours(self.booked - self.inside) if self.booked > self.inside else None,
            longest_free=self._longest(),
        )


def _by_hour(stretch: Stretch) -> Iterator[Stretch]:
    """Yield the parts of a stretch between quarters of hours, at which the hours of every zone change."""
    begin = stretch.starts
    while begin < stretch.ends:
        quarter = begin.replace(minute=begin.minute // 15 * 15, second=0, microsecond=0) + 15 * _MINUTE
        end = min(quarter, stretch.ends)
        yield Stretch(begin, end)
        begin = end


def length_of(stretches: Sequence[Stretch]) -> timedelta:
    """How long these stretches are together."""
    return _sum(stretch.length for stretch in stretches)


def _sum(lengths: Iterable[timedelta]) -> timedelta:
    return sum(lengths, timedelta())


def in_hours(length: timedelta) -> float:
    """A length of time in hours, with two decimals."""
    return round(length.total_seconds() / 3600, 2)
