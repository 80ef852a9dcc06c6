"""show_diary: a day or a span of the diary, for a practitioner, a site or all, never cut without saying so.

Requests: 5 for the roster, 2 for working hours, one for each hundred entries; then one for the kinds of blocked-out
time, one for each 95 classes and each 95 patients.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk import working_hours
from cliniko_mcp.frontdesk.clock_text import times
from cliniko_mcp.frontdesk.day_sheet import People, Sheet, entry_row, people_of, sheets_of, totals
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.working_hours import Stretch, within
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES
from cliniko_mcp.results.envelope import MOST_BYTES, USUAL_BYTES, Answer, size
from cliniko_mcp.results.rows import Row
from cliniko_mcp.tools.tool import curated

REACH: Final = timedelta(days=62)
"""The longest stretch that is read in one call."""
_ENVELOPE: Final = 1_600
"""Bytes kept for the interval, the totals, the names and the remarks."""


class ShowDiary(Body):
    when: str = Field(default="today", description="E.g. tomorrow.")
    practitioner: list[str] | None = None
    business: str | None = Field(default=None, description="Site.")
    phones: bool = False
    limit: int | None = Field(default=None, ge=1, le=400)


async def work(clinic: GuardedClinic, given: ShowDiary) -> Answer:
    """The sheets of the span, totals over all of it, and what to ask for to see those that do not fit."""
    roster = await Roster.load(clinic)
    people = roster.several(given.practitioner or ())
    site = roster.business(given.business) if given.business else None
    who = {each.id for each in people}
    span = read_span(given.when, clinic.now, roster, [site] if site else ())
    starts, ends = span.bounds
    cut = ends - starts > REACH
    diary = await working_hours.read_diary(clinic, roster, starts, min(ends, starts + REACH), who, cancelled=True)
    # Entries at closed sites are shown as well: the diary is also a record.
    sites = [site] if site else [each for each in roster.businesses.values() if not each.gone or _used(each, diary)]
    sheets = sheets_of(roster, diary, span, sites, who)
    found = await people_of(clinic, [each for sheet in sheets for each in (*sheet.entries, *sheet.over)])
    shown = _Shown(roster, found, given, (MOST_BYTES if given.limit else USUAL_BYTES) - _ENVELOPE)
    for sheet in sheets:
        shown.add(sheet)
    body: dict[str, JsonValue] = {
        "when": span.description,
        "items": list[JsonValue](shown.rows),
        "page": {
            "returned": shown.entries,
            "total": sum(len(each.entries) for each in sheets),
            "complete": not shown.left,
        },
        "totals": totals(sheets, found),
        "names": roster.legend(shown.used),
    }
    notes = remarks(*people, site)
    if cut:
        last = (starts + REACH).astimezone(span.zone).date()
        notes.append(f"Only read up to {day_words(last)}; ask about later days in another call.")
    if shown.left:
        body["next"] = _next(shown, roster, span, given)
        notes.append(_more(shown.left, given))
    zones = {roster.zone(each.business_id) for each in sheets}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else span.zone)


def _used(site: Known, diary: working_hours.Diary) -> bool:
    return any(each.business_id == site.id for each in diary.entries)


class _Shown:
    """The sheets that fit, in order, and the parts of sheets that are left."""

    def __init__(self, roster: Roster, people: People, given: ShowDiary, room: int) -> None:
        self._roster = roster
        self._people = people
        self._phones = given.phones
        self._most = given.limit or 400
        self._room = room
        self.rows: list[Row] = []
        self.entries = 0
        self.left: list[Sheet] = []
        self.partly = False
        self.used: list[tuple[str, str | None]] = []

    def add(self, sheet: Sheet) -> None:
        """Show the sheet, or as many of its first entries as fit; once something is left, so is all that follows."""
        if self.left:
            self.left.append(sheet)
            return
        row = self._head(sheet)
        room, kept = self._room - size(row), list[JsonValue]()
        for entry in sheet.entries:
            shown = entry_row(entry, self._roster, self._people, phones=self._phones)
            room -= size(shown) + 1
            if (room < 0 and (self.rows or kept)) or self.entries + len(kept) >= self._most:
                break
            kept.append(shown)
        rest = sheet.entries[len(kept) :]
        if rest:
            # Entries that begin together stay together, so that the rest can be asked for by its time.
            while kept and sheet.entries[len(kept) - 1].starts == rest[0].starts:
                kept.pop()
                rest = sheet.entries[len(kept) :]
            if not kept:
                self.left.append(sheet)
                return
            self.left.append(replace(sheet, hours=(), gaps=(), entries=rest, over=()))
            self.partly = True
            row.pop("gaps", None)
        elif room < 0 and self.rows:
            self.left.append(sheet)
            return
        row["entries"] = kept
        self.rows.append(row)
        self.entries += len(kept)
        self._room = room
        self.used += [("practitioner_id", sheet.practitioner_id), ("business_id", sheet.business_id)]

    def _head(self, sheet: Sheet) -> Row:
        zone = self._roster.zone(sheet.business_id)
        row: Row = {
            "day": f"{sheet.day.isoformat()} {sheet.day:%a}",
            "practitioner": self._roster.name("practitioner_id", sheet.practitioner_id),
            "business": self._roster.name("business_id", sheet.business_id),
        }
        if sheet.hours:
            row["hours"] = ", ".join(times(*each, zone) for each in sheet.hours)
        if sheet.gaps:
            row["gaps"] = ", ".join(times(*each, zone) for each in sheet.gaps)
        if sheet.over:
            shown = (entry_row(each, self._roster, self._people, phones=self._phones) for each in sheet.over)
            row["began_before"] = list[JsonValue](shown)
        return row


def _next(shown: _Shown, roster: Roster, span: Span, given: ShowDiary) -> list[JsonValue]:
    """The calls that show the rest: of the first sheet where it was cut, of its day, and of the days after."""
    first = shown.left[0]
    sites: dict[str, JsonValue] = {"business": given.business} if given.business else {}
    calls: list[JsonValue] = []
    day = [each for each in shown.left if each.day == first.day]
    if shown.partly:
        here: list[JsonValue] = [first.practitioner_id]
        place: dict[str, JsonValue] = {"practitioner": here, "business": first.business_id}
        calls.extend({"when": when, **place} for when in _on_day(span, first, roster, first.entries[0].starts))
        day = day[1:]
    if day:
        who = list[JsonValue](dict.fromkeys(each.practitioner_id for each in day))
        calls.extend({"when": when, "practitioner": who, **sites} for when in _on_day(span, day[0], roster))
    named: dict[str, JsonValue] = {"practitioner": list[JsonValue](given.practitioner)} if given.practitioner else {}
    later = [each for each in shown.left if each.day != first.day]
    cut = [each for each in later if each.day == later[-1].day and _ends_within(span, each, roster)]
    whole = [each for each in later if not cut or each.day != cut[0].day]
    if whole:
        when = f"{whole[0].day} to {whole[-1].day}{_again(span, first)}"
        calls.append({"when": when, **named, **sites})
    if cut:
        # "To" a day means to its end, so the day on which the span ends early is asked for by its hours.
        calls.extend({"when": when, **named, **sites} for when in _on_day(span, cut[0], roster))
    return calls


def _ends_within(span: Span, sheet: Sheet, roster: Roster) -> bool:
    """Whether the span ends before the day of this sheet does, where its hours do not say so of every day."""
    when = span.at(sheet.business_id)
    return not when.times and when.end < day_bounds(sheet.day, roster.zone(sheet.business_id))[1]


def _on_day(span: Span, sheet: Sheet, roster: Roster, begin: datetime | None = None) -> list[str]:
    """What of the span lies on the day of a sheet, from `begin` on, as phrases."""
    zone = roster.zone(sheet.business_id)
    low, high = day_bounds(sheet.day, zone)
    parts = within([Stretch(max(low, begin or low).astimezone(UTC), high)], span.windows(sheet.business_id))
    return [f"{sheet.day} {times(*each, zone).replace('-', ' to ')}" for each in parts]


def _again(span: Span, sheet: Sheet) -> str:
    """The hours and weekdays of a span that has the same ones throughout, to be said again."""
    when = span.at(sheet.business_id)
    hours = [f"{clock_words(low)} to {clock_words(high)}" for low, high in when.times]
    days = [WEEKDAY_NAMES[each - 1] for each in sorted(when.weekdays)]
    said = f", {' and '.join(hours)}" if hours else ""
    return f"{said} on {' and '.join(days)}" if days else said


def _more(left: Sequence[Sheet], given: ShowDiary) -> str:
    entries = sum(len(each.entries) for each in left)
    days = sorted({each.day for each in left})
    span = day_words(days[0]) if len(days) == 1 else f"{day_words(days[0])} to {day_words(days[-1])}"
    larger = "" if given.limit else " A limit such as 200 shows more at once."
    return f"{entries:,} more entries on {span} are not shown: the calls under next show them.{larger}"


tool = curated(
    "show_diary",
    "Show the diary (calendar, day sheet, who is coming) of a day or span: appointments, classes with places left, "
    "blocked-out time, gaps, and who arrived, did not come or cancelled.",
    ShowDiary,
    work,
    needs=(
        "list_attendees",
        "list_patients",
        "list_unavailable_block_types",
        *ROSTER_NEEDS,
        *working_hours.NEEDS,
    ),
    synonyms="schedule agenda list today tomorrow run sheet appointments bookings no-shows dna phone list roster gaps",
)
