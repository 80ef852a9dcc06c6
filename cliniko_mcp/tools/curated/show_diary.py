"""show_diary: a day or a span of the diary, for a practitioner, a site or all, never cut without saying so.

Requests: 10 cold, 3 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, 2 for working hours, one for each hundred entries; then one for the kinds of blocked-out time, one for each 95
classes and two for each 95 patients, their files and their medical alerts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.frontdesk import day_sheet, working_hours
from cliniko_mcp.frontdesk.answer_rows import ClockSpan, Day, Names, Page
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import times
from cliniko_mcp.frontdesk.day_sheet import (
    EntryRow,
    People,
    Sheet,
    Totals,
    entry_row,
    people_of,
    run_sheets,
    sheets_of,
    totals,
)
from cliniko_mcp.frontdesk.days_off import EVERY_REASON, OffRow, days_of, days_off
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.set_up_words import means_everyone, means_everywhere
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.frontdesk.staff_named import staff_named
from cliniko_mcp.frontdesk.working_hours import Stretch, within
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Facing, day_bounds
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES
from cliniko_mcp.results.budget import MAX_TOKENS, USUAL_TOKENS, size
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import are, counted
from cliniko_mcp.tools.curated.empty_clinic import lacking
from cliniko_mcp.tools.tool import curated

_REACH: Final = timedelta(days=62)
"""The longest stretch that is read in one call."""
_MAX_LIMIT: Final = 400
_MAX_OFF: Final = 20
"""Rows of who is off that are shown."""
_NAMED_DAYS: Final = 7
"""Days without entries that are named; of more only their number is told."""
_DIARY: Final = re.compile(
    r"(?:^(?:the )?|(?:['’]s)? )(?:diary|day sheet|run sheet|calendar|appointments|list|schedule)(?: (?:for|of|on))?$"
    r"|^(?:the )?(?:diary|day sheet|run sheet|calendar|appointments|list|schedule) (?:for|of|on) ",
    re.IGNORECASE,
)
"""What people call the diary itself beside a time: "yesterday's diary", "the run sheet for Friday"."""
_ENVELOPE_TOKENS: Final = 600
"""Tokens kept for the interval, the totals, the names and the remarks."""


class ShowDiary(Body):
    """Whose diary, where and when; a `limit` of entries also allows a longer answer."""

    when: str = Field(default="today", description="E.g. tomorrow.")
    practitioner: list[str] | None = None
    business: str | None = Field(default=None, description="Site.")
    run_sheet: bool = Field(default=False, description="In time order.")
    phones: bool = False
    limit: int | None = Field(default=None, ge=1, le=_MAX_LIMIT)


class SheetRow(AnswerModel):
    """One practitioner's day at one site; on a run sheet everyone's."""

    day: Day = Field(description="The day at the site.")
    practitioner: str | None = Field(default=None, description="The practitioner's name.")
    business: str = Field(description="The site's name.")
    patients: int = Field(description="Head count: patients who are booked in that day, each counted once.")
    hours: ClockSpan | None = Field(default=None, description="Working hours by the site's clock.")
    gaps: ClockSpan | None = Field(default=None, description="All free stretches of the day, by the site's clock.")
    free: dict[str, str] | None = Field(default=None, description="The same by practitioner, on a run sheet.")
    began_before: list[EntryRow] | None = Field(default=None, description="What runs over from the day before.")
    entries: list[EntryRow] = Field(description="What is in the diary, by start; cancelled ones too.")


class NextCall(AnswerModel):
    """The arguments of a call of show_diary that shows more."""

    when: str = Field(description="The time to ask for.")
    practitioner: list[str] | None = Field(default=None, description="Whose, names or ids.")
    business: str | None = Field(default=None, description="The site, name or id.")
    run_sheet: bool | None = Field(default=None, description="True for a run sheet.")


class DiaryShown(AnswerModel):
    """The sheets of a span, with totals over all of it."""

    when: str = Field(description="The time as it was understood.")
    items: list[SheetRow] = Field(description="Sheets by day, site and practitioner.")
    page: Page = Field(description="How many entries of how many are shown.")
    totals: Totals = Field(description="Counts over the whole span, shown or not.")
    off: list[OffRow] | None = Field(default=None, description="Who is not at work, and why.")
    online_off: list[str] | None = Field(default=None, description="Whose online booking is off.")
    names: Names = Field(description="The ids behind the names.")
    next: list[NextCall] | None = Field(default=None, description="The calls that show the rest.")


async def show_diary(clinic: GuardedClinic, arguments: ShowDiary) -> Answer:
    """The sheets of the span, totals over all of it, and what to ask for to see those that do not fit."""
    roster = await Roster.load(clinic)
    names = arguments.practitioner or ()
    practitioners = [] if means_everyone(names, or_anyone=True) else staff_named(roster, names)
    at = arguments.business
    site = roster.business(at) if at and not means_everywhere(at) else None
    ids = {practitioner.id for practitioner in practitioners}
    span = _span(arguments.when, clinic.now, roster, [site] if site else [])
    starts, ends = span.bounds
    cut = ends - starts > _REACH
    diary = await working_hours.read_diary(clinic, roster, starts, min(ends, starts + _REACH), ids, cancelled=True)
    # Entries at closed sites are shown as well: the diary is also a record.
    sites = [site] if site else [known for known in roster.businesses.values() if not known.gone or _used(known, diary)]
    sheets = sheets_of(roster, diary, span, sites, ids)
    reads = PartialReads()
    people = await people_of(clinic, [entry for sheet in sheets for entry in (*sheet.entries, *sheet.over)], reads)
    off = days_off(roster, diary, people, span, practitioners, [site] if site else roster.sites)
    told_off = off[:_MAX_OFF]
    shown = _Shown(roster, people, arguments, size([row.as_json() for row in told_off]))
    for sheet in run_sheets(sheets) if arguments.run_sheet else sheets:
        shown.add(sheet)
    total = sum(len(sheet.entries) for sheet in sheets)
    body = DiaryShown(
        when=span.description,
        items=shown.rows,
        page=Page(returned=shown.entries, total=total, complete=not shown.left),
        totals=totals(sheets, people),
        off=told_off or None,
        online_off=_online_off(roster, practitioners, sheets) or None,
        names=roster.legend(shown.used),
        next=_next(shown, roster, span, arguments) if shown.left else None,
    )
    notes = [*lacking(roster, "site", "practitioner"), *remarks(*practitioners, site), *reads.notes]
    days = days_of(span, roster, [site] if site else roster.sites)
    if not sheets and not notes:
        notes.append("Nobody is at work in that time, and nothing is booked or blocked out.")
    elif not cut and not total:
        notes.append("Nothing is booked or blocked out in that time.")
    elif not cut and (empty := sorted({*days} - {sheet.day for sheet in sheets if sheet.entries})):
        notes.append(_without_entries(empty, len(days)))
    if len(off) > len(told_off):
        more = len(off) - len(told_off)
        notes.append(f"{more} more of who is off {are(more)} not shown: ask for fewer days or by name.")
    if len(days) > EVERY_REASON:
        notes.append(f"off tells of blocked-out days only; of up to {EVERY_REASON} days it tells of every reason.")
    if cut:
        last = (starts + _REACH).astimezone(span.zone).date()
        notes.append(f"Only read up to {day_words(last)}; ask about later days in another call.")
    if shown.left:
        notes.append(_more(shown.left, arguments))
    zones = {roster.zone(sheet.business_id) for sheet in sheets}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else span.zone)


def _span(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> Span:
    """The time that is asked about, ahead or "yesterday's diary" as it is said."""
    when = _DIARY.sub("", phrase.strip()).strip() or "today"
    return read_span(when, now, roster, sites, facing=Facing.AHEAD)


def _online_off(roster: Roster, practitioners: Sequence[Known[Practitioner]], sheets: Sequence[Sheet]) -> list[str]:
    """The names of those asked for, or of those in the diary, who still work here and cannot be booked online."""
    ids = {known.id for known in practitioners} or {sheet.practitioner_id for sheet in sheets}
    off = [
        person.id
        for person in roster.practitioners.values()
        if person.id in ids and not person.gone and person.record.show_in_online_bookings is False
    ]
    return sorted(roster.name("practitioner_id", practitioner_id) for practitioner_id in off)


def _without_entries(empty: Sequence[date], days: int) -> str:
    if len(empty) > _NAMED_DAYS:
        return f"On {len(empty)} of the {days} days nothing is booked or blocked out."
    return f"Nothing is booked or blocked out on {', '.join(map(day_words, empty))}."


def _used(site: Known[Business], diary: working_hours.Diary) -> bool:
    return any(entry.business_id == site.id for entry in diary.entries)


class _Shown:
    """The sheets that fit, in order, and the parts of sheets that are left."""

    def __init__(self, roster: Roster, people: People, arguments: ShowDiary, taken: int) -> None:
        self._roster = roster
        self._people = people
        self._phones = arguments.phones
        self._limit = arguments.limit or _MAX_LIMIT
        self._room = (MAX_TOKENS if arguments.limit else USUAL_TOKENS) - _ENVELOPE_TOKENS - taken
        self.rows: list[SheetRow] = []
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
        room, kept = self._room - size(row.as_json()), list[EntryRow]()
        for entry in sheet.entries:
            shown = self._entry(entry, sheet)
            room -= size(shown.as_json()) + 1
            if (room < 0 and (self.rows or kept)) or self.entries + len(kept) >= self._limit:
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
            self.left.append(replace(sheet, hours=(), gaps=(), free={}, entries=rest, over=()))
            self.partly = True
        elif room < 0 and self.rows:
            self.left.append(sheet)
            return
        self.rows.append(row.model_copy(update={"entries": kept}))
        self.entries += len(kept)
        self._room = room
        whose = {sheet.practitioner_id} if sheet.practitioner_id else {*sheet.free}
        whose |= {entry.practitioner_id for entry in sheet.entries[: len(kept)]}
        self.used += [*(("practitioner_id", person) for person in sorted(whose)), ("business_id", sheet.business_id)]

    def _entry(self, entry: Entry, sheet: Sheet) -> EntryRow:
        whose = not sheet.practitioner_id
        return entry_row(entry, self._roster, self._people, phones=self._phones, whose=whose)

    def _head(self, sheet: Sheet) -> SheetRow:
        zone = self._roster.zone(sheet.business_id)
        over = [self._entry(entry, sheet) for entry in sheet.over]
        free = {
            self._roster.name("practitioner_id", person): ", ".join(times(*stretch, zone) for stretch in gaps)
            for person, gaps in sheet.free.items()
        }
        return SheetRow(
            day=f"{sheet.day.isoformat()} {sheet.day:%a}",
            practitioner=self._roster.name("practitioner_id", sheet.practitioner_id) or None,
            patients=len(self._people.expected(sheet.entries)),
            business=self._roster.name("business_id", sheet.business_id),
            hours=", ".join(times(*stretch, zone) for stretch in sheet.hours) or None,
            gaps=", ".join(times(*stretch, zone) for stretch in sheet.gaps) or None,
            free=free or None,
            began_before=over or None,
            entries=[],
        )


def _next(shown: _Shown, roster: Roster, span: Span, arguments: ShowDiary) -> list[NextCall]:
    """The calls that show the rest: of the first sheet where it was cut, of its day, and of the days after."""
    first = shown.left[0]
    site, whose = arguments.business, arguments.practitioner
    run_sheet = True if arguments.run_sheet else None
    calls: list[NextCall] = []
    same_day = [sheet for sheet in shown.left if sheet.day == first.day]
    if shown.partly:
        left = _on_day(span, first, roster, first.entries[0].starts)
        who, where = [first.practitioner_id] if first.practitioner_id else whose, first.business_id
        calls.extend(NextCall(when=when, practitioner=who, business=where, run_sheet=run_sheet) for when in left)
        same_day = same_day[1:]
    if same_day:
        ids = list(dict.fromkeys(sheet.practitioner_id for sheet in same_day))
        for where in [site] if run_sheet is None else [sheet.business_id for sheet in same_day]:
            left = _on_day(span, same_day[0], roster)
            calls.extend(
                NextCall(when=when, practitioner=whose if run_sheet else ids, business=where, run_sheet=run_sheet)
                for when in left
            )
    later = [sheet for sheet in shown.left if sheet.day != first.day]
    cut = [sheet for sheet in later if sheet.day == later[-1].day and _ends_within(span, sheet, roster)]
    whole = [sheet for sheet in later if not cut or sheet.day != cut[0].day]
    if whole:
        when = f"{whole[0].day} to {whole[-1].day}{_again(span, first)}"
        calls.append(NextCall(when=when, practitioner=whose, business=site, run_sheet=run_sheet))
    if cut:
        # "To" a day means to its end, so the day on which the span ends early is asked for by its hours.
        left = _on_day(span, cut[0], roster)
        calls.extend(NextCall(when=when, practitioner=whose, business=site, run_sheet=run_sheet) for when in left)
    return calls


def _ends_within(span: Span, sheet: Sheet, roster: Roster) -> bool:
    """Whether the span ends before the day of this sheet does, where its hours do not say so of every day."""
    when = span.at(sheet.business_id)
    return not when.times and when.end < day_bounds(sheet.day, roster.zone(sheet.business_id))[1]


def _on_day(span: Span, sheet: Sheet, roster: Roster, begin: datetime | None = None) -> Iterator[str]:
    """What of the span lies on the day of a sheet, from `begin` on, as phrases."""
    zone = roster.zone(sheet.business_id)
    low, high = day_bounds(sheet.day, zone)
    for part in within([Stretch(max(low, begin or low).astimezone(UTC), high)], span.windows(sheet.business_id)):
        yield f"{sheet.day} {times(*part, zone).replace('-', ' to ')}"


def _again(span: Span, sheet: Sheet) -> str:
    """The hours and weekdays of a span that has the same ones throughout, to be said again."""
    when = span.at(sheet.business_id)
    hours = " and ".join(f"{clock_words(low)} to {clock_words(high)}" for low, high in when.times)
    days = " and ".join(WEEKDAY_NAMES[weekday - 1] for weekday in sorted(when.weekdays))
    return (f", {hours}" if hours else "") + (f" on {days}" if days else "")


def _more(left: Sequence[Sheet], arguments: ShowDiary) -> str:
    entries = sum(len(sheet.entries) for sheet in left)
    days = sorted({sheet.day for sheet in left})
    span = day_words(days[0]) if len(days) == 1 else f"{day_words(days[0])} to {day_words(days[-1])}"
    larger = "" if arguments.limit else " A limit such as 200 shows more at once."
    if not entries:
        return f"The free time on {span} is not shown: the calls under next show it."
    what = counted(entries, "more entry", "more entries")
    return f"{what} on {span} {are(entries)} not shown: the calls under next show the rest.{larger}"


tool = curated(
    "show_diary",
    "Show the diary (calendar, day sheet, who is coming): appointments, classes with places left, blocked-out time, "
    "gaps, attendance, head count, alerts, who is off and why. One entry: get_booking; free times: "
    "find_times.",
    ShowDiary,
    show_diary,
    answer=DiaryShown,
    needs=[*ROSTER_NEEDS, *working_hours.NEEDS, *day_sheet.NEEDS],
)
