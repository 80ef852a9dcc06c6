"""The diary as a clinic reads it: a sheet for each day, site and practitioner, with entries and gaps between them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendees
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockType, UnavailableBlockTypes
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import times
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patients import known_patient
from cliniko_mcp.frontdesk.roster import Known, Roster, name_text
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visits import Visit, appointments_of, with_places
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.rows import Row
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = (
    Attendees.list_attendees,
    Patients.list_patients,
    UnavailableBlockTypes.list_unavailable_block_types,
)

_NOTE_LENGTH: Final = 120


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
    """The visits of each booking by its id, the patients' files by id, and the names of types of blocks by id."""

    visits: Mapping[str, Sequence[Visit]]
    patients: Mapping[str, Known[Patient]]
    blocks: Mapping[str, str]


def sheets_of(
    roster: Roster, diary: Diary, span: Span, sites: Iterable[Known[Business]], who: Collection[str]
) -> list[Sheet]:
    """The sheets of a span, by day, site and practitioner; `who` empty means everyone.

    `diary` holds cancelled entries too; they take no time. An appointment stands on the day on which it begins, and in
    `over` on a later one where it began before the hours or days that were asked for; a blocked-out time stands on the
    first day asked for that it touches and on each working one.
    """
    live = replace(diary, entries=[entry for entry in diary.entries if not entry.cancelled])
    found: list[Sheet] = []
    for site in sites:
        zone, windows = roster.zone(site.id), list(span.windows(site.id))
        here = [entry for entry in diary.entries if entry.business_id == site.id]
        people = {entry.practitioner_id for entry in here} | {
            person for person, place in diary.work if place == site.id
        }
        for person in people & set(who) if who else people:
            work = within(diary.work.get((person, site.id), ()), windows)
            free = within(live.free(person, site.id), windows)
            days = {stretch.starts.astimezone(zone).date() for stretch in work}
            mine = [entry for entry in here if entry.practitioner_id == person]
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
    for entry in sorted(entries, key=lambda entry: (entry.starts, entry.ends, entry.id)):
        inside = [(max(entry.starts, low), min(entry.ends, high)) for low, high in windows if entry.meets(low, high)]
        days = list(dict.fromkeys(day for low, high in inside for day in _days(low, high, zone)))
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


async def people_of(clinic: GuardedClinic, entries: Sequence[Entry], reads: PartialReads) -> People:
    """The places in these entries, cancelled ones too, with the patients' files and the names of the types of blocks.

    A request for each 95 classes and each 95 patients, and one for the types of blocked-out time. What cannot be read
    is left out, and `reads` says so: the appointments' own names of patients serve then.
    """
    typed = any(entry.record.unavailable_block_type_id for entry in entries)

    async def block_types() -> list[UnavailableBlockType]:
        if not typed:
            return []
        return await clinic.collect(UnavailableBlockTypes.list_unavailable_block_types, archived_at=Hidden.INCLUDED)

    places, types = await run_concurrently(
        partial(
            reads.read,
            "Attendees of classes, in the rows and in the totals,",
            partial(with_places, clinic, entries, cancelled=True),
        ),
        partial(reads.read, "Kinds of blocked-out time", block_types),
    )
    visits = places if places is not None else appointments_of(entries)
    ids = sorted({visit.patient_id for visit in visits if visit.patient_id})
    files = partial(clinic.by_id, Patients.list_patients, ids)
    records = await reads.read("Names and numbers from patients' files", files) or {}
    by_booking: dict[str, list[Visit]] = {}
    for visit in visits:
        by_booking.setdefault(visit.booking_id, []).append(visit)
    return People(
        by_booking,
        {key: known_patient(record) for key, record in records.items()},
        {row.id: name_text(row.name) for row in types or ()},
    )


def entry_row(entry: Entry, roster: Roster, people: People, *, phones: bool) -> Row:
    """An entry as a row of a sheet, in the site's local time."""
    zone = roster.zone(entry.business_id)
    row: Row = {"at": times(entry.starts, entry.ends, zone)}
    places = people.visits.get(entry.id, ())
    kind = roster.name("appointment_type_id", entry.type_id)
    if entry.kind == "block":
        row["block"] = people.blocks.get(entry.record.unavailable_block_type_id or "") or "Blocked out"
    elif entry.kind == "group":
        row |= {"group": kind, "places": entry.places, "places_left": entry.left}
        row["attendees"] = [_whose(visit, entry, people, phones) for visit in places]
    else:
        row |= _whose(places[0], entry, people, phones) if places else {"patient": name_text(entry.record.patient_name)}
        row["type"] = kind
    row["id"] = entry.id
    if notes := clean(entry.record.notes or "", _NOTE_LENGTH):
        row["free_text"] = {"notes": notes}
    return row


def _whose(visit: Visit, entry: Entry, people: People, phones: bool) -> Row:
    patient = people.patients.get(visit.patient_id)
    row: Row = {
        "patient": (patient.name if patient else "") or name_text(entry.record.patient_name) or visit.patient_id,
        "patient_id": visit.patient_id,
    }
    if attendance := status(visit):
        row["status"] = attendance
    if phones and patient is not None:
        row["phone"] = ", ".join(phones_of(patient)) or "none"
    return row


def status(visit: Visit) -> str:
    """Whether a patient has arrived, did not come or cancelled; empty while nothing is known."""
    if visit.cancelled is not None:
        return f"cancelled ({visit.reason})" if visit.reason else "cancelled"
    return {True: "arrived", False: "did not come", None: ""}[visit.arrived]


def phones_of(patient: Known[Patient] | None) -> list[str]:
    """A patient's phone numbers as they are written in the file, mobile first."""
    rows = (patient.record.patient_phone_numbers if patient else None) or ()
    numbers = [(row.phone_type != "Mobile", name_text(row.number)) for row in rows]
    return [number for _, number in sorted(numbers) if number]


def totals(sheets: Iterable[Sheet], people: People) -> dict[str, JsonValue]:
    """Counts over all sheets, each entry once: `{"appointments": 12, "arrived": 3, ..., "free_minutes": 95}`."""
    entries: dict[str, Entry] = {}
    free = timedelta()
    for sheet in sheets:
        entries |= {entry.id: entry for entry in sheet.entries}
        free += sum((gap.length for gap in sheet.gaps), timedelta())
    counts: dict[str, int] = dict.fromkeys(
        ("appointments", "groups", "blocks", "arrived", "did_not_come", "cancelled"), 0
    )
    for entry in entries.values():
        places = people.visits.get(entry.id, ())
        counts["cancelled"] += sum(visit.cancelled is not None for visit in places)
        if not entry.cancelled:
            counts[f"{entry.kind}s"] += 1
        live = [visit for visit in places if visit.cancelled is None]
        counts["arrived"] += sum(visit.arrived is True for visit in live)
        counts["did_not_come"] += sum(visit.arrived is False for visit in live)
    return {**{name: count for name, count in counts.items() if count}, "free_minutes": free // timedelta(minutes=1)}
