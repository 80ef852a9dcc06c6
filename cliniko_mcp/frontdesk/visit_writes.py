"""Several visits written one after another, and what is said of a series before and after."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.errors import ClinikoMcpError, ClinikoRefused, OutcomeUnknown
from cliniko_mcp.frontdesk.booking_answers import DateRow, DateState
from cliniko_mcp.frontdesk.series_dates import Series, SeriesDate
from cliniko_mcp.frontdesk.working_hours import Stretch
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text

SAME_AGAIN = "Call again with the same arguments for the rest: what is there already is not booked twice."


async def write_each(
    times: Sequence[Stretch], write: Callable[[Stretch], Awaitable[str]], notes: list[str]
) -> dict[datetime, str]:
    """The ids of what was written, by start: one request for each time, in order, up to the first that fails.

    Notes then say how far it came. Raises what the very first write raised.
    """
    made: dict[datetime, str] = {}
    for time in times:
        try:
            made[time.starts] = await write(time)
        except ClinikoMcpError as problem:
            if not made:
                raise
            unknown = " Whether the next one was made is not known." if isinstance(problem, OutcomeUnknown) else ""
            notes.insert(0, f"Only {len(made)} of {len(times)} were booked: {problem.message}{unknown} {SAME_AGAIN}")
            break
    return made


async def made_by_rule(
    clinic: GuardedClinic, first: str, times: Sequence[Stretch], notes: list[str]
) -> dict[datetime, str]:
    """The ids of a series that Cliniko's rule made, by start: one request for each hundred.

    Notes say where its visits are not those that were asked for, or cannot be read.
    """
    made = {times[0].starts: first}
    try:
        rows = await clinic.collect(Bookings.list_bookings, repeated_from_id=first)
    except ClinikoRefused:
        notes.append("It is done, but the repeats could not be read; look with show_diary.")
        return made
    made |= {row.starts_at: row.id for row in rows if row.starts_at is not None}
    due = {time.starts for time in times}
    if len(rows) != len(times) - 1 or set(made) != due:
        notes.insert(0, f"{len(times)} visits were asked for and {len(rows) + 1} are in the diary: compare the dates.")
    return made


def date_rows(
    series: Series,
    zone: ZoneInfo,
    *,
    made: Mapping[datetime, str] | None = None,
    there: Mapping[datetime, str] | None = None,
    clashes: Mapping[datetime, Sequence[str]] | None = None,
    nearest: Mapping[datetime, Sequence[str]] | None = None,
    conflicts: Mapping[str, bool | None] | None = None,
    left: Mapping[str, int] | None = None,
) -> list[DateRow] | None:
    """A row for each visit of a series, by start (UTC); None for a single visit.

    `made` and `there` are ids of visits that are new or were there before; None in place of `made` while nothing was
    to be written.
    """
    if series.repeat is None:
        return None
    ids = {**(there or {}), **(made or {})}

    def row(date: SeriesDate) -> DateRow:
        starts = date.time.starts
        own = "" if date.skipped else ids.get(starts, "")
        state: DateState | None = None
        if date.skipped:
            state = "left out"
        elif starts in (there or {}) and starts not in (made or {}):
            state = "already there"
        elif made is not None and not own:
            state = "not booked"
        return DateRow(
            id=own or None,
            starts_at=local_text(starts, zone),
            was=local_text(date.was, zone) if date.moved else None,
            state=state,
            clashes=None if date.skipped else list((clashes or {}).get(starts, ())) or None,
            nearest=None if date.skipped else list((nearest or {}).get(starts, ())) or None,
            conflict=(conflicts or {}).get(own),
            places_left=(left or {}).get(own),
        )

    return [row(date) for date in series.dates]


def series_notes(series: Series, zone: ZoneInfo, *, places: bool = False) -> list[str]:
    """What a series was read as, and what follows from dates that are left out or moved; nothing of a single visit.

    `places` are those of a class, for which Cliniko has no rule.
    """
    if series.repeat is None:
        return []
    last = series.dates[-1].was.astimezone(zone)
    notes = [f"The series is {series.repeat.wording}, by the rule the last on {last:%A %-d %B %Y}."]
    if places:
        notes.append("Each is a place of its own, cancelled on its own.")
    elif not series.by_rule:
        changes = {
            "left out": sum(date.skipped for date in series.dates),
            "moved": sum(date.moved and not date.skipped for date in series.dates),
        }
        what = " and ".join(f"{number} {change}" for change, number in changes.items() if number)
        notes.append(
            f"With {what}, which Cliniko's rule cannot do, every visit is a single one ({len(series.times)} in all): "
            "they cannot be cancelled as one series."
        )
    return notes


def dates_in_short(series: Series, zone: ZoneInfo, clashing: Collection[datetime]) -> str | None:
    """The days of a series by month, clashing ones marked: `2026 Nov 27; Dec 4, 11*, 18; 2027 Jan 1 (* clash)`."""
    if series.repeat is None:
        return None
    shown: list[str] = []
    year = 0
    for (in_year, _), times in groupby(
        series.times, key=lambda time: (time.starts.astimezone(zone).year, time.starts.astimezone(zone).month)
    ):
        days = [(time.starts.astimezone(zone), time.starts in clashing) for time in times]
        head = f"{days[0][0]:%b} " if in_year == year else f"{in_year} {days[0][0]:%b} "
        year = in_year
        shown.append(head + ", ".join(f"{day.day}{'*' if clash else ''}" for day, clash in days))
    days = "; ".join(shown)
    if len(clashing) == len(series.times):
        return f"{days.replace('*', '')} (all clash)"
    return days + (" (* clash)" if clashing else "")
