"""The diary for a terminal: a day in columns, several days as a row a practitioner, with a word beside every colour."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cliniko_mcp.frontdesk.day_sheet import EntryRow
from cliniko_mcp.frontdesk.days_off import NO_HOURS
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.printouts.diary import Diary, Item, items_of, off_lines, people_of
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.curated.show_diary import SheetRow

_CLOCK: Final = 6
_COLUMN: Final = 24
"""Characters of a column at the least, its edges with it."""
_DAY: Final = 10
_WHO: Final = 17
_STYLES: Final = {
    "arrived": "green",
    "no-show": "bold red",
    "clash": "bold red",
    "medical alert": "yellow",
}


def diary_tables(diary: Diary, columns: int) -> Iterator[RenderableType]:
    """What a terminal of this width is shown, part by part."""
    yield Text(diary.when[:1].upper() + diary.when[1:], style="bold")
    yield Text(diary.summary, style="dim")
    if len(diary.days) > 1 and len({sheet.practitioner for sheet in diary.items}) > 1:
        yield from _week(diary, columns)
    else:
        room = max(1, (columns - _CLOCK - 2) // _COLUMN)
        for part in _parts(diary.items, room):
            yield _day(part, several=len(diary.days) > 1)
    away = [row for row in diary.off if len(diary.days) <= 1 or row.why != NO_HOURS]
    for line in off_lines(away):
        yield Text(line, style="dim")
    for remark in diary.remarks:
        yield Text("")
        yield Text(remark)


def _parts(sheets: Sequence[SheetRow], most: int) -> Iterator[Sequence[SheetRow]]:
    """The sheets in as few parts as fit, each of about as many."""
    count = -(-len(sheets) // most) if sheets else 0
    begin = 0
    for number in range(count):
        size = (len(sheets) - begin) // (count - number)
        yield sheets[begin : begin + size]
        begin += size


def _day(sheets: Sequence[SheetRow], *, several: bool) -> Table:
    """A column a sheet, a row a start."""
    table = Table(box=box.ROUNDED, show_lines=False, header_style="", border_style="dim", pad_edge=False, expand=True)
    table.add_column("", style="dim", no_wrap=True, width=5, justify="right")
    found = [items_of(sheet) for sheet in sheets]
    for sheet in sheets:
        who = clean(sheet.practitioner or "Everyone")
        title = Text.assemble((f"{_short(sheet.day)}\n{who}" if several else who, "bold"))
        title.append(f"\n{clean(sheet.business)}\n{sheet.hours or 'not at work'}", style="dim")
        table.add_column(title, ratio=1, overflow="fold")
    for start in sorted({item.start for items in found for item in items}):
        cells = [_cell([item for item in items if item.start == start]) for items in found]
        table.add_row(f"{start // 60:02}:{start % 60:02}", *cells)
    return table


def _cell(items: Sequence[Item]) -> Text:
    made = Text()
    for item in items:
        if made:
            made.append("\n")
        made.append_text(_told(item))
    return made


def _told(item: Item) -> Text:
    entry = item.entry
    ends = f"to {item.at[-5:]}"
    if entry is None:
        return Text(f"{item.name}\n{ends}", style="green")
    if entry.block is not None:
        made = Text(f"▒ {item.name}\n{ends}", style="dim")
    else:
        style = "strike dim" if entry.cancelled else "bold magenta" if entry.attendees is not None else "bold"
        made = Text.assemble((item.name, style), (f"\n{ends} {item.kind}", "dim"))
    for state in item.states:
        made.append(f"\n{_marked(state)}", style=_STYLES.get(state, "dim"))
    for line in (*people_of(entry), *(entry.phones or ()), *_notes(entry)):
        made.append(f"\n  {line}", style="dim")
    return made


def _notes(entry: EntryRow) -> Iterator[str]:
    if entry.free_text is not None:
        yield clean(entry.free_text.notes)


def _marked(state: str) -> str:
    return {"arrived": "✓ arrived", "no-show": "✗ no-show", "clash": "! clash", "medical alert": "! medical alert"}.get(
        state, state
    )


def _week(diary: Diary, columns: int) -> Iterator[RenderableType]:
    """A row a practitioner and site, a column a day; as many days in a table as fit."""
    room = max(1, (columns - _WHO - 2) // _DAY)
    rows = list(dict.fromkeys((sheet.business, sheet.practitioner or "Everyone") for sheet in diary.items))
    by_place = {(sheet.day, sheet.business, sheet.practitioner or "Everyone"): sheet for sheet in diary.items}
    for begin in range(0, len(diary.days), room):
        days = diary.days[begin : begin + room]
        table = Table(box=box.ROUNDED, show_lines=True, header_style="bold", border_style="dim", pad_edge=False)
        table.add_column("", max_width=_WHO, overflow="fold")
        for day in days:
            table.add_column(_short(day), width=_DAY - 3)
        for site, who in sorted(rows):
            name = Text.assemble((clean(who), "bold"), (f"\n{clean(site)}", "dim"))
            table.add_row(name, *(_booked(by_place.get((day, site, who))) for day in days))
        yield table
    yield Text("Who is booked in, the free time beneath; DNA is who did not arrive.", style="dim")


def _booked(sheet: SheetRow | None) -> Text:
    """What of a day fits into a cell."""
    if sheet is None:
        return Text("-", style="dim")
    items = items_of(sheet)
    entries = [(item, item.entry) for item in items if item.entry is not None]
    visits = [item for item, entry in entries if entry.block is None and not entry.cancelled]
    free = sum(item.end - item.start for item in items if item.entry is None)
    made = Text.assemble((f"{len(visits)} in", "bold"))
    told = f"{free // 60}h{free % 60:02}" if free else "full" if sheet.hours else "off"
    made.append(f"\n{told}", style="green" if free else "dim")
    missed = sum("no-show" in item.states for item in visits)
    if missed:
        made.append(f"\n{missed} DNA", style="bold red")
    if any(item.clash for item in visits):
        made.append("\n! clash", style="bold red")
    return made


def _short(day: str) -> str:
    at = date.fromisoformat(day[:10])
    return f"{day_words(at)[:3]} {at.day} {at:%b}"
