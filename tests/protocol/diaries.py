"""Answers of show_diary that pages have to bear: a full week, an empty day, 200 bookings, clocks that change, clashes.

Each is what the tool's own model takes, so that none can show what the tool never answers.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from cliniko_mcp.frontdesk.answer_rows import Names, Page
from cliniko_mcp.frontdesk.day_sheet import DiaryPatient, EntryRow, EntryText, Totals
from cliniko_mcp.frontdesk.days_off import OffRow
from cliniko_mcp.tools.curated.show_diary import DiaryShown, SheetRow

EIGHT: Final = (
    "Aroha Tane", "Dr Mei Ng", "Jack Whitfield", "Lena Brandt", "Marcus Bell", "Priya Nair", "Sam Iyer", "Tom Okafor",
)  # fmt: skip
PATIENTS: Final = (
    "Ana Lima", "Ben Adeyemi", "Łukasz Nowak", "Siobhán O'Brien", "田中 花子", "Odette Wetherby-Fake",
    "Maximiliana Featherstonehaugh-Wolffenbüttel", "Jean-Luc Dubois-Martin", "Bo",
    "Wolfeschlegelsteinhausenbergerdorff",
)  # fmt: skip
TYPES: Final = ("Standard consult", "Initial consult", "Dry needling", "Post-surgical rehab", "Exercise assessment")
HOSTILE: Final = '<img src=x onerror="parent.pwned=1"><b>Bold</b>'


def clock(minutes: int) -> str:
    """540 as 09:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def visit(number: int, start: int, end: int, **more: Any) -> EntryRow:
    """A visit of one of the patients, of one of the types."""
    fields: dict[str, Any] = {
        "at": f"{clock(start)}-{clock(end)}",
        "id": str(1_104_000_050_000_000_000 + number),
        "patient": PATIENTS[number % len(PATIENTS)],
        "patient_id": str(1_104_000_000_000_000_000 + number % 97),
        "type": TYPES[number % len(TYPES)],
    }
    return EntryRow(**fields | more)


def block(number: int, at: str, kind: str = "Lunch", notes: str = "") -> EntryRow:
    """Blocked-out time."""
    return EntryRow(at=at, id=str(number), block=kind, free_text=EntryText(notes=notes) if notes else None)


def full_sheet(day: date, who: str, number: int, site: str = "Northside") -> SheetRow:
    """A day with no minute left: visits of 30 minutes, lunch, a class, one who did not come, one cancelled."""
    entries = [visit(number + place, 480 + 30 * place, 510 + 30 * place) for place in range(9)]
    entries[1] = visit(number + 1, 510, 540, attendance="arrived", alert=True)
    entries[2] = visit(number + 2, 540, 570, attendance="did not arrive")
    entries.append(block(number + 20, "12:30-13:00"))
    entries += [visit(number + 30 + place, 780 + 30 * place, 810 + 30 * place) for place in range(6)]
    entries.append(visit(number + 50, 780, 810, cancelled=True, reason="Feeling better"))
    places = [DiaryPatient(patient=name, patient_id=str(place), attendance="arrived" if place % 2 else None)
              for place, name in enumerate(PATIENTS[:5])]  # fmt: skip
    entries.append(
        EntryRow(at="16:00-17:00", id=str(number + 60), type="Pilates class", places=8, places_left=3, attendees=places)
    )
    return SheetRow(
        day=f"{day.isoformat()} {day:%a}", practitioner=who, business=site, patients=20, hours="08:00-17:00",
        entries=sorted(entries, key=lambda entry: entry.at),
    )  # fmt: skip


def answer(
    when: str, sheets: Sequence[SheetRow], off: Sequence[OffRow] = (), notes: Sequence[str] = (), zone: str = "Sydney"
) -> dict[str, Any]:
    """The whole answer, with the time now in the middle of the first of December 2026."""
    entries = sum(len(sheet.entries) for sheet in sheets)
    shown = DiaryShown(
        when=f"{when} (Australia/{zone})",
        items=list(sheets),
        page=Page(returned=entries, total=entries, complete=True),
        totals=Totals(free_minutes=0),
        off=list(off) or None,
        names=Names(),
    )
    told: dict[str, Any] = {"notes": list(notes)} if notes else {}
    return {**shown.as_json(), **told, "now": "2026-12-01T12:40+11:00 Tue", "time_zone": f"Australia/{zone}"}


def full_week() -> dict[str, Any]:
    """Eight practitioners, each full on seven days."""
    days = [date(2026, 11, 30) + timedelta(days=number) for number in range(7)]
    sheets = [
        full_sheet(day, who, 100 * place, "Northside" if place < 5 else "Riverside")
        for day in days
        for place, who in enumerate(EIGHT)
    ]
    return answer("Monday 30 November 2026 to Sunday 6 December 2026", sheets)


def full_day() -> dict[str, Any]:
    """Eight practitioners, each full on one day."""
    sheets = [full_sheet(date(2026, 12, 1), who, 100 * place) for place, who in enumerate(EIGHT)]
    return answer("Tuesday 1 December 2026, all day", sheets)


def empty_day() -> dict[str, Any]:
    """A Sunday on which nobody works."""
    off = [OffRow(practitioner=name, day="2026-12-06 Sun", why="no working hours") for name in EIGHT[1:]]
    off.append(OffRow(practitioner=EIGHT[0], day="2026-12-06 Sun", to="2026-12-13 Sun", why="Leave", booked=2))
    notes = ["Nobody is at work in that time, and nothing is booked or blocked out."]
    return answer("Sunday 6 December 2026, all day", [], off, notes)


def two_hundred() -> dict[str, Any]:
    """200 bookings on one day, of 15 minutes and less, by eight practitioners."""
    day = date(2026, 12, 1)
    sheets: list[SheetRow] = []
    for place, who in enumerate(EIGHT):
        entries = [visit(100 * place + number, 480 + 20 * number, 490 + 20 * number) for number in range(25)]
        gaps = ", ".join(f"{clock(490 + 20 * number)}-{clock(500 + 20 * number)}" for number in range(25))
        sheets.append(
            SheetRow(
                day=f"{day} Tue",
                practitioner=who,
                business="Northside",
                patients=25,
                hours="08:00-16:20",
                gaps=gaps,
                entries=entries,
            )
        )
    return answer("Tuesday 1 December 2026, all day", sheets)


def clashing_day() -> dict[str, Any]:
    """Three at once, one within leave, what runs over from the night before, a name that is markup, an endless note."""
    entries = [
        visit(1, 540, 600),
        visit(2, 555, 615, patient=HOSTILE),
        visit(3, 585, 630, attendance="did not arrive", alert=True),
        visit(4, 600, 605),
        visit(5, 840, 870, phones=["0400 555 010", "+61 2 5550 1234"]),
        block(9, "2026-11-30 00:00 to 2026-12-02 24:00", "Leave", "Back on Thursday " + "x" * 90),
    ]
    over = [EntryRow(at="2026-11-30 23:30 to 2026-12-01 00:30", id="7", patient="Bo", patient_id="7", type="Overnight")]
    sheet = SheetRow(
        day="2026-12-01 Tue", practitioner=HOSTILE, business="Northside", patients=5, hours="08:00-12:00, 13:00-17:00",
        gaps="13:00-14:00", began_before=over, entries=entries,
    )  # fmt: skip
    other = full_sheet(date(2026, 12, 1), "Dr Mei Ng", 300)
    return answer("Tuesday 1 December 2026, all day", [sheet, other])


def clock_change(*, forward: bool) -> dict[str, Any]:
    """A night at work on the day on which the clocks of Sydney change."""
    day = date(2026, 10, 4) if forward else date(2027, 4, 4)
    at = "01:30-03:30" if forward else "02:30-02:15"
    entries = [visit(1, 60, 90), EntryRow(at=at, id="2", patient="Ana Lima", patient_id="2", type="Night watch")]
    entries.append(visit(3, 600, 630))
    sheet = SheetRow(
        day=f"{day} Sun", practitioner="Dr Mei Ng", business="Northside", patients=3, hours="00:00-12:00",
        gaps="04:00-10:00", entries=entries,
    )  # fmt: skip
    return answer(f"Sunday {day.day} {day:%B %Y}, all day", [sheet])


def run_sheet() -> dict[str, Any]:
    """A run sheet: everyone's entries in order of time."""
    entries = [
        visit(1, 540, 570, practitioner="Dr Mei Ng"),
        visit(2, 540, 600, practitioner="Sam Iyer"),
        visit(3, 600, 630, practitioner="Dr Mei Ng"),
    ]
    free = {"Dr Mei Ng": "09:30-10:00", "Sam Iyer": "10:00-11:00, 12:00-13:00"}
    sheet = SheetRow(day="2026-12-01 Tue", business="Northside", patients=3, free=free, entries=entries)
    return answer("Tuesday 1 December 2026, all day", [sheet])


def two_zones() -> dict[str, Any]:
    """Sites of which the name of one begins as that of the other does, half an hour apart."""
    day = date(2026, 12, 1)
    sheets = [full_sheet(day, "Dr Mei Ng", 0, "North"), full_sheet(day, "Jack Whitfield", 100, "Northside")]
    shown = answer("Tuesday 1 December 2026, all day", sheets)
    zones = "(Australia/Adelaide at Northside, Australia/Sydney at North)"
    return {**shown, "when": f"Tuesday 1 December 2026, all day {zones}"}


DIARIES: Final = {
    "full week": full_week(),
    "full day": full_day(),
    "empty day": empty_day(),
    "two hundred": two_hundred(),
    "clashes": clashing_day(),
    "clocks forward": clock_change(forward=True),
    "clocks back": clock_change(forward=False),
    "run sheet": run_sheet(),
    "two zones": two_zones(),
}
