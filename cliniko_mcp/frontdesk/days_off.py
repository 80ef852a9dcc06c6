"""Who is not at work on the days of a span, and why: no hours, another site, or blocked-out time by its kind."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.frontdesk.answer_rows import Day
from cliniko_mcp.frontdesk.day_sheet import People
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, Window
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.models import AnswerModel

EVERY_REASON: Final = 7
"""The longest span, in days, of which days without hours are told; of a longer one only time that is blocked out."""
_DAY: Final = timedelta(days=1)
NO_HOURS: Final = "no working hours"


class OffRow(AnswerModel):
    """A practitioner who is not at work on a day, or from one day to another."""

    practitioner: str = Field(description="The practitioner's name.")
    day: Day = Field(description="The day, or the first of them.")
    to: Day | None = Field(default=None, description="The last day, where there are several.")
    why: str = Field(description="Why: the kind of blocked-out time such as Leave, no working hours, or another site.")
    booked: int | None = Field(default=None, description="Appointments and classes that are booked all the same.")


def days_off(
    roster: Roster,
    diary: Diary,
    people: People,
    span: Span,
    practitioners: Collection[Known[Practitioner]],
    sites: Collection[Known[Business]],
) -> list[OffRow]:
    """The practitioners who are not at work at these sites, by name and day; none asked for means all who work here.

    `diary` may hold cancelled entries. Who never works at these sites is told of only where asked for by name.
    """
    open_sites = [site for site in sites if not site.gone]
    named = {known.id for known in practitioners}
    everyone = [known for known in practitioners or roster.practitioners.values() if not known.gone]
    days = days_of(span, roster, open_sites)
    found: list[OffRow] = []
    for person in sorted(everyone, key=lambda known: (known.name, known.id)):
        theirs = [site for site in open_sites if (person.id, site.id) in diary.work]
        if not theirs and person.id not in named and len(open_sites) < len(roster.sites):
            continue
        reasons = ((day, _reason(diary, people, roster, span, person.id, open_sites, day)) for day in days)
        rows = _joined(roster.name("practitioner_id", person.id), reasons)
        found += [row for row in rows if len(days) <= EVERY_REASON or row.why != NO_HOURS]
    return found


def days_of(span: Span, roster: Roster, sites: Iterable[Known[Business]]) -> list[date]:
    """The local days of a span at these sites, in order; those of the home zone where there is no site."""
    zones = {site.id: roster.zone(site.id) for site in sites}
    days: set[date] = set()
    for site, zone in zones.items() or [("", roster.home)]:
        for low, high in span.windows(site):
            day, last = low.astimezone(zone).date(), (high - timedelta(seconds=1)).astimezone(zone).date()
            while day <= last:
                days.add(day)
                day += _DAY
    return sorted(days)


def _reason(
    diary: Diary,
    people: People,
    roster: Roster,
    span: Span,
    person: str,
    sites: Collection[Known[Business]],
    day: date,
) -> tuple[str, int]:
    """Why someone is not at work on a day, and how many are booked with them all the same; "" where they are."""
    work: list[Stretch] = []
    for site in sites:
        work += _hours(diary, person, site.id, _part(span, roster, site.id, day))
    if not work:
        elsewhere = [
            site.name
            for site in roster.sites
            if site.id not in {here.id for here in sites}
            and _hours(diary, person, site.id, [day_bounds(day, roster.zone(site.id))])
        ]
        return (f"at {' and '.join(elsewhere)}" if elsewhere else NO_HOURS), 0
    if diary.unblocked(person, work):
        return "", 0
    mine = [entry for entry in diary.entries if entry.practitioner_id == person and not entry.cancelled]
    overlapping = [entry for entry in mine if any(entry.meets(*stretch) for stretch in work)]
    kinds = [people.block_kind(entry) for entry in overlapping if entry.kind == "block"]
    # Lunch within two weeks of leave is not why someone is away: the longest time is named, then what it lacks.
    longest = max(
        (entry for entry in overlapping if entry.kind == "block"), key=lambda entry: entry.ends - entry.starts
    )
    alone = all(longest.starts <= stretch.starts and stretch.ends <= longest.ends for stretch in work)
    why = people.block_kind(longest) if alone else " and ".join(dict.fromkeys(kinds))
    return why, sum(entry.kind != "block" for entry in overlapping)


def _part(span: Span, roster: Roster, site_id: str, day: date) -> list[Window]:
    """What of a day lies in the span at a site."""
    low, high = day_bounds(day, roster.zone(site_id))
    windows = span.windows(site_id)
    return [(max(low, start), min(high, end)) for start, end in windows if max(low, start) < min(high, end)]


def _hours(diary: Diary, person: str, site_id: str, windows: Iterable[tuple[datetime, datetime]]) -> list[Stretch]:
    return within(diary.work.get((person, site_id), ()), windows)


def _joined(name: str, reasons: Iterable[tuple[date, tuple[str, int]]]) -> Iterator[OffRow]:
    """Yield a row for each run of days that follow one another with the same reason."""
    row: OffRow | None = None
    last = date.min
    for day, (why, booked) in reasons:
        if row is not None and why == row.why and day - last == _DAY:
            row = row.model_copy(update={"to": _shown(day), "booked": ((row.booked or 0) + booked) or None})
        else:
            if row is not None:
                yield row
            row = OffRow(practitioner=name, day=_shown(day), why=why, booked=booked or None) if why else None
        last = day
    if row is not None:
        yield row


def _shown(day: date) -> str:
    return f"{day.isoformat()} {day:%a}"
