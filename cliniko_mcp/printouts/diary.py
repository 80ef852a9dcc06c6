"""The answers of the tool `show_diary` as one diary, with its parts typed, and as lines for a pipe."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, Field

from cliniko_mcp.frontdesk.answer_rows import Page
from cliniko_mcp.frontdesk.day_sheet import DiaryPatient, EntryRow, Totals
from cliniko_mcp.frontdesk.days_off import OffRow
from cliniko_mcp.sanitize import clean, counted
from cliniko_mcp.tools.curated.show_diary import NextCall, SheetRow

_FOR_MODELS: Final = re.compile("calls under next|in another call|larger limit")
_DATED: Final = re.compile("(?P<first>.{10}) (?P<low>.{5}) to (?P<last>.{10}) (?P<high>.{5})")
_MIDNIGHT: Final = 24 * 60
_HOUR: Final = 60


class Diary(BaseModel):
    """What the tool answered, with the sheets of every call that it took."""

    when: str
    items: list[SheetRow] = Field(default_factory=list[SheetRow])
    page: Page
    totals: Totals
    off: list[OffRow] = Field(default_factory=list[OffRow])
    notes: list[str] = Field(default_factory=list[str])
    next: list[NextCall] = Field(default_factory=list[NextCall])
    now: str
    time_zone: str

    def with_more(self, later: "Diary") -> "Diary":
        """The same with the entries of another call; a sheet that was shown in part is made whole."""
        sheets = {(sheet.day, sheet.business, sheet.practitioner): sheet for sheet in self.items}
        for sheet in later.items:
            place = (sheet.day, sheet.business, sheet.practitioner)
            first = sheets.get(place)
            if first is None:
                sheets[place] = sheet
                continue
            known = {entry.id for entry in (*first.entries, *(first.began_before or ()))}
            new = [entry for entry in sheet.entries if entry.id not in known]
            sheets[place] = first.model_copy(update={"entries": [*first.entries, *new]})
        items = sorted(sheets.values(), key=lambda sheet: (sheet.day, sheet.business, sheet.practitioner or ""))
        shown = sum(len(sheet.entries) for sheet in items)
        page = Page(returned=shown, total=max(self.page.total, shown), complete=shown >= self.page.total)
        return self.model_copy(update={"items": items, "page": page, "next": []})

    @property
    def days(self) -> list[str]:
        """The days on which anybody works or anything stands, in order."""
        return list(dict.fromkeys(sheet.day for sheet in self.items))

    @property
    def remarks(self) -> list[str]:
        """What the answer remarks for people; how to call for more is for programs."""
        missing = self.page.total - self.page.returned
        told = [clean(note) for note in self.notes if not _FOR_MODELS.search(note)]
        if missing > 0:
            told.append(f"{counted(missing, 'more entry is', 'more entries are')} not shown: ask for fewer days.")
        return told

    @property
    def summary(self) -> str:
        """The counts of the whole span, on one line."""
        totals = self.totals
        parts = [
            _counted(totals.appointments, "visit"),
            _counted(totals.groups, "class", "classes"),
            f"{totals.arrived} arrived" if totals.arrived else "",
            _counted(totals.no_shows, "no-show"),
            f"{totals.cancelled} cancelled" if totals.cancelled else "",
            _counted(totals.alerts, "medical alert"),
            f"{length_words(totals.free_minutes)} free" if totals.free_minutes else "",
        ]
        return ", ".join(part for part in parts if part) or "Nothing in the diary"


@dataclass(frozen=True, slots=True)
class Item:
    """A thing in a column of a day: an entry, or a free stretch, in minutes of that day."""

    start: int
    end: int
    at: str
    entry: EntryRow | None = None
    clash: bool = False

    @property
    def name(self) -> str:
        """Whose or what it is."""
        if self.entry is None:
            return f"Free {length_words(self.end - self.start)}"
        return clean(self.entry.patient or self.entry.block or self.entry.type or "No name")

    @property
    def kind(self) -> str:
        """Of a visit its type, of a class its places; empty otherwise."""
        entry = self.entry
        if entry is None or entry.block is not None:
            return ""
        if entry.attendees is None:
            return clean(entry.type or "")
        free = f", {entry.places_left} of {entry.places} places free" if entry.places is not None else ""
        return f"class{free}"

    @property
    def states(self) -> list[str]:
        """What there is to know of it, in words."""
        entry = self.entry
        if entry is None:
            return []
        return [word for word in (*_states(entry), "clash" if self.clash else "") if word]


def items_of(sheet: SheetRow) -> list[Item]:
    """Entries and free stretches of a sheet by start; cancelled ones, which take no time, with the others."""
    day = sheet.day[:10]
    entries = [(entry, *minutes(entry.at, day)) for entry in (*(sheet.began_before or ()), *sheet.entries)]
    live = [one for one in entries if not one[0].cancelled]

    def clashes(entry: EntryRow, start: int, end: int) -> bool:
        others = ((low, high) for other, low, high in live if other is not entry)
        bookable = entry.block is None and not entry.cancelled
        return bookable and any(start < high and low < end for low, high in others)

    found = [Item(start, end, entry.at, entry, clashes(entry, start, end)) for entry, start, end in entries]
    found += [Item(*minutes(at, day), at) for at in (sheet.gaps or "").split(", ") if at]
    return sorted(found, key=lambda item: (item.start, item.end))


def minutes(at: str, day: str) -> tuple[int, int]:
    """Start and end of `09:30-10:00` in minutes of a day; of what runs over midnight the part on that day."""
    if (dated := _DATED.fullmatch(at)) is not None:
        start = 0 if dated["first"] < day else _of_clock(dated["low"])
        return start, _MIDNIGHT if dated["last"] > day else _of_clock(dated["high"])
    low, high = at.split("-")
    start, end = _of_clock(low), _of_clock(high)
    return start, end if end > start else min(end + _HOUR, _MIDNIGHT)  # the clock went back in between


def length_words(length: int) -> str:
    """Minutes as `1 h 30 min`."""
    hours, rest = divmod(length, _HOUR)
    return " ".join(
        part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else "") if part
    )


def people_of(entry: EntryRow) -> list[str]:
    """The patients of a class, each with what there is to know."""
    people = entry.attendees or ()
    return [" ".join([clean(person.patient or "No name"), *_bracketed(_states(person))]) for person in people]


def diary_lines(diary: Diary) -> Iterator[str]:
    """The diary as whole lines: a heading a sheet, a line an entry."""
    yield diary.when[:1].upper() + diary.when[1:]
    yield diary.summary
    for sheet in diary.items:
        yield ""
        who = clean(sheet.practitioner or "Everyone")
        yield ", ".join([sheet.day, who, clean(sheet.business), *([sheet.hours] if sheet.hours else ["not at work"])])
        yield from (_line(item) for item in items_of(sheet))
    if diary.off:
        yield ""
        yield from off_lines(diary.off)
    for remark in diary.remarks:
        yield ""
        yield remark


def off_lines(off: Iterable[OffRow]) -> Iterator[str]:
    """Who is not at work, a line each."""
    for row in off:
        until = f" to {row.to}" if row.to else ""
        booked = f", {row.booked} booked all the same" if row.booked else ""
        yield f"Off: {clean(row.practitioner)}, {row.day}{until}: {clean(row.why)}{booked}"


def _line(item: Item) -> str:
    whose = item.entry.practitioner if item.entry is not None else None
    told = [item.name, *([clean(whose)] if whose else []), *([item.kind] if item.kind else []), *item.states]
    people = people_of(item.entry) if item.entry is not None else []
    phones = (item.entry.phones or []) if item.entry is not None else []
    notes = item.entry.free_text.notes if item.entry is not None and item.entry.free_text is not None else ""
    return f"  {item.at:<11}  {', '.join([*told, *phones, *people, *([clean(notes)] if notes else [])])}"


def _states(patient: DiaryPatient) -> Iterator[str]:
    if patient.cancelled:
        yield f"cancelled ({clean(patient.reason)})" if patient.reason else "cancelled"
    elif patient.attendance == "arrived":
        yield "arrived"
    elif patient.attendance == "did not arrive":
        yield "no-show"
    if patient.alert:
        yield "medical alert"


def _bracketed(words: Iterable[str]) -> Sequence[str]:
    told = ", ".join(words)
    return [f"({told})"] if told else []


def _of_clock(text: str) -> int:
    return int(text[:2]) * _HOUR + int(text[3:5])


def _counted(number: int | None, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}" if number else ""
