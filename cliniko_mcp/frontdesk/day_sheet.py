"""The diary as a clinic reads it: a sheet for each day, site and practitioner, with entries and gaps between them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, cast
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import times
from cliniko_mcp.frontdesk.concurrency import both, gathered
from cliniko_mcp.frontdesk.patients import known_patient
from cliniko_mcp.frontdesk.people import Known, Roster
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visits import Visit, with_places
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.names import text_of
from cliniko_mcp.results.rows import Row
from cliniko_mcp.sanitize import clean

_NOTE: Final = 120


@dataclass(frozen=True, slots=True)
class Sheet:
    """One practitioner's day at one site: local day, hours and gaps as UTC stretches, entries by start.

    `over` holds what began on a day before and runs into this one; it is counted where it begins.
    """

    day: date
    business_id: str
    practitioner_id: str
    hours: Sequence[Stretch]
    gaps: Sequence[Stretch]
    entries: Sequence[Entry]
    over: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Who is booked in, by booking; the patients' files by id; the names of the kinds of blocked-out time by id."""

    visits: Mapping[str, Sequence[Visit]]
    patients: Mapping[str, Known]
    blocks: Mapping[str, str]


def sheets_of(roster: Roster, diary: Diary, span: Span, sites: Iterable[Known], who: Collection[str]) -> list[Sheet]:
    """The sheets of a span, by day, site and practitioner; `who` empty means everyone.

    `diary` holds cancelled entries too; they take no time. An appointment stands on the day on which it begins, and in
    `over` on a later one where it began before the hours or days that were asked for; a blocked-out time stands on the
    first day asked for that it touches and on each working one.
    """
    live = replace(diary, entries=[each for each in diary.entries if not each.cancelled])
    found: list[Sheet] = []
    for site in sites:
        zone, windows = roster.zone(site.id), list(span.windows(site.id))
        here = [each for each in diary.entries if each.business_id == site.id]
        people = {each.practitioner_id for each in here} | {person for person, place in diary.work if place == site.id}
        for person in people & set(who) if who else people:
            work = within(diary.work.get((person, site.id), ()), windows)
            free = within(live.free(person, site.id), windows)
            days = {each.starts.astimezone(zone).date() for each in work}
            mine = [each for each in here if each.practitioner_id == person]
            standing, over = _by_day(mine, zone, days, windows)
            for day in days | standing.keys() | over.keys():
                bounds = [day_bounds(day, zone)]
                hours, gaps = within(work, bounds), within(free, bounds)
                found.append(Sheet(day, site.id, person, hours, gaps, standing.get(day, ()), over.get(day, ())))

    def order(sheet: Sheet) -> tuple[date, str, str, str]:
        names = roster.name("business_id", sheet.business_id), roster.name("practitioner_id", sheet.practitioner_id)
        return sheet.day, *names, sheet.practitioner_id

    return sorted(found, key=order)


def _by_day(
    entries: Iterable[Entry], zone: ZoneInfo, working: Collection[date], windows: Sequence[tuple[datetime, datetime]]
) -> tuple[dict[date, list[Entry]], dict[date, list[Entry]]]:
    """The entries by the days on which they stand, and those that run over from a day before."""
    standing: dict[date, list[Entry]] = {}
    over: dict[date, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: (each.starts, each.ends, each.id)):
        asked = [(max(entry.starts, low), min(entry.ends, high)) for low, high in windows if entry.meets(low, high)]
        days = list(dict.fromkeys(day for low, high in asked for day in _days(low, high, zone)))
        if entry.kind == "block":
            for day in days:
                if day == days[0] or day in working:
                    standing.setdefault(day, []).append(entry)
        elif days and days[0] == entry.starts.astimezone(zone).date():
            standing.setdefault(days[0], []).append(entry)
        elif days and not entry.cancelled:
            over.setdefault(days[0], []).append(entry)
    return standing, over


def _days(low: datetime, high: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The local days that a stretch touches."""
    day, last = low.astimezone(zone).date(), (high - timedelta(seconds=1)).astimezone(zone).date()
    yield day
    while day < last:
        day += timedelta(days=1)
        yield day


async def people_of(clinic: GuardedClinic, entries: Sequence[Entry]) -> People:
    """Who holds a place in these entries, cancelled places too, with their files and the kinds of the blocks.

    A request for each 95 classes and each 95 patients, and one for the kinds of blocked-out time.
    """
    asked = any(getattr(each.record, "unavailable_block_type_id", None) for each in entries)

    async def kinds() -> list[Record]:
        return await gathered(clinic.all_named("list_unavailable_block_types", archived_at="all")) if asked else []

    visits, rows = await both(partial(with_places, clinic, entries, cancelled=True), kinds)
    ids = {each.patient_id for each in visits if each.patient_id}
    records = await clinic.by_id_named("list_patients", sorted(ids))
    by_booking: dict[str, list[Visit]] = {}
    for visit in visits:
        by_booking.setdefault(visit.booking_id, []).append(visit)
    return People(
        by_booking,
        {key: known_patient(record) for key, record in records.items()},
        {str(getattr(row, "id", "")): text_of(row, "name") for row in rows},
    )


def entry_row(entry: Entry, roster: Roster, people: People, *, phones: bool) -> Row:
    """An entry as it stands in a sheet, in the site's local time."""
    zone = roster.zone(entry.business_id)
    row: Row = {"at": times(entry.starts, entry.ends, zone)}
    places = people.visits.get(entry.id, ())
    kind = roster.name("appointment_type_id", entry.type_id)
    if entry.kind == "block":
        named = people.blocks.get(str(getattr(entry.record, "unavailable_block_type_id", "")), "")
        row |= {"block": named or "Blocked out"}
    elif entry.kind == "group":
        row |= {"group": kind, "places": entry.places, "places_left": entry.left}
        row["attendees"] = [_whose(each, entry, people, phones) for each in places]
    else:
        row |= _whose(places[0], entry, people, phones) if places else {"patient": _named(entry)}
        row["type"] = kind
    row["id"] = entry.id
    if notes := clean(str(getattr(entry.record, "notes", None) or ""), _NOTE):
        row["free_text"] = {"notes": notes}
    return row


def _named(entry: Entry) -> str:
    return text_of(entry.record, "patient_name")


def _whose(visit: Visit, entry: Entry, people: People, phones: bool) -> Row:
    patient = people.patients.get(visit.patient_id)
    row: Row = {
        "patient": (patient.name if patient else "") or _named(entry) or visit.patient_id,
        "patient_id": visit.patient_id,
    }
    if said := status(visit):
        row["status"] = said
    if phones:
        row["phone"] = ", ".join(phones_of(patient)) or "none"
    return row


def status(visit: Visit) -> str:
    """Whether a patient has arrived, did not come or cancelled; empty while nothing is known."""
    if visit.cancelled is not None:
        return f"cancelled ({visit.reason})" if visit.reason else "cancelled"
    return {True: "arrived", False: "did not come", None: ""}[visit.arrived]


def phones_of(patient: Known | None) -> list[str]:
    """A patient's phone numbers as they are written in the file, mobile first."""
    listed = getattr(patient.record, "patient_phone_numbers", None) if patient else None
    rows = cast("Sequence[Record]", listed) if isinstance(listed, list) else ()
    numbers = [(text_of(each, "phone_type") != "Mobile", text_of(each, "number")) for each in rows]
    return [number for _, number in sorted(numbers) if number]


def totals(sheets: Iterable[Sheet], people: People) -> dict[str, JsonValue]:
    """How many of what there are in all sheets, each entry once; `free` is in minutes."""
    entries: dict[str, Entry] = {}
    free = timedelta()
    for sheet in sheets:
        entries |= {each.id: each for each in sheet.entries}
        free += sum((each.length for each in sheet.gaps), timedelta())
    counts: dict[str, int] = dict.fromkeys(
        ("appointments", "groups", "blocks", "arrived", "did_not_come", "cancelled"), 0
    )
    for entry in entries.values():
        places = people.visits.get(entry.id, ())
        counts["cancelled"] += sum(each.cancelled is not None for each in places)
        if not entry.cancelled:
            counts[f"{entry.kind}s"] += 1
        live = [each for each in places if each.cancelled is None]
        counts["arrived"] += sum(each.arrived is True for each in live)
        counts["did_not_come"] += sum(each.arrived is False for each in live)
    return {**{name: count for name, count in counts.items() if count}, "free_minutes": free // timedelta(minutes=1)}
