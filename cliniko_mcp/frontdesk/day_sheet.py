"""The diary as a clinic reads it: a sheet for each day, site and practitioner, with entries and gaps between them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field

from cliniko_mcp.cliniko.filters import MAX_IDS, Hidden, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendees
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.medical_alerts import MedicalAlerts
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.cliniko.resources.unavailable_block_types import UnavailableBlockTypes
from cliniko_mcp.cliniko.shapes.phones import PhoneNumberRecord
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE, Attendance, CancelledRow, ClockSpan
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import times
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.roster import Known, Roster, name_text
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visits import Visit, appointments_of, with_places
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = (
    Attendees.list_attendees,
    Patients.list_patients,
    UnavailableBlockTypes.list_unavailable_block_types,
)

_NOTE_LENGTH: Final = 120


class DiaryPatient(CancelledRow):
    """A patient in an entry of the diary."""

    patient: str | None = Field(default=None, description="The patient's name.")
    patient_id: str | None = Field(default=None, description="The patient's id.")
    attendance: Attendance | None = Field(default=None, description="Whether the patient came, where it is marked.")
    alert: bool | None = Field(default=None, description="True where the file holds a medical alert.")
    phones: list[str] | None = Field(default=None, description="Phone numbers, mobile first.")


class EntryText(AnswerModel):
    """What people wrote into an entry."""

    notes: str = Field(description="The booking's notes, shortened.")


class EntryRow(DiaryPatient):
    """An appointment, a class or blocked-out time."""

    at: ClockSpan = Field(description="Start and end by the site's clock.")
    id: str = Field(description="Its id.")
    practitioner: str | None = Field(default=None, description="The practitioner's name, in time order.")
    type: str | None = Field(default=None, description="The appointment type's name.")
    places: int | None = Field(default=None, description="Places of a class.")
    places_left: int | None = Field(default=None, description="Free places of a class.")
    attendees: list[DiaryPatient] | None = Field(default=None, description="The patients of a class.")
    block: str | None = Field(default=None, description="Kind of blocked-out time.")
    free_text: EntryText | None = Field(default=None, description="What people wrote.")


class Totals(AnswerModel):
    """Counts over the whole span; what is left out is none."""

    patients: int | None = Field(default=None, description="Head count: patients booked in, each counted once.")
    alerts: int | None = Field(default=None, description="How many of those have a medical alert.")
    appointments: int | None = Field(default=None, description="Appointments that are not cancelled.")
    groups: int | None = Field(default=None, description="Classes.")
    blocks: int | None = Field(default=None, description="Blocked-out times.")
    arrived: int | None = Field(default=None, description="Patients who arrived.")
    no_shows: int | None = Field(default=None, description="Patients who did not arrive.")
    cancelled: int | None = Field(default=None, description="Cancelled appointments and places in classes.")
    free_minutes: int = Field(description="Free working time in minutes.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One practitioner's day at one site: local day, hours and gaps as UTC stretches, entries by start.

    `over` holds what began on a day before and runs into this one; it is counted where it begins. On a run sheet,
    where nobody is named, `free` holds everyone's gaps by the practitioner's id.
    """

    day: date
    business_id: str
    practitioner_id: str
    hours: Sequence[Stretch]
    gaps: Sequence[Stretch]
    entries: Sequence[Entry]
    over: Sequence[Entry] = ()
    free: Mapping[str, Sequence[Stretch]] = field(default_factory=dict[str, Sequence[Stretch]])


@dataclass(frozen=True, slots=True)
class People:
    """The visits of each booking by its id, the patients' files by id, the names of types of blocks by id, and the ids
    of the patients whose files hold a medical alert."""

    visits: Mapping[str, Sequence[Visit]]
    patients: Mapping[str, Known[Patient]]
    blocks: Mapping[str, str]
    alerted: Collection[str] = frozenset()

    def expected(self, entries: Iterable[Entry]) -> set[str]:
        """The ids of the patients who are booked into these entries; cancelled ones and their places count for none."""
        found: set[str] = set()
        for entry in entries:
            places = self.visits.get(entry.id)
            if entry.cancelled:
                continue
            if places is None:  # a class whose attendees could not be read
                found |= set(entry.patient_ids)
            else:
                found |= {visit.patient_id for visit in places if visit.cancelled is None}
        return found

    def block_kind(self, entry: Entry) -> str:
        """What kind of time is blocked out: "Leave", "Lunch"; "Blocked out" where no kind is known."""
        return self.blocks.get(entry.record.unavailable_block_type_id or "") or "Blocked out"


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


def run_sheets(sheets: Iterable[Sheet]) -> list[Sheet]:
    """The same entries with one sheet for each day and site, everyone's in order of time."""
    by_day: dict[tuple[date, str], list[Sheet]] = {}
    for sheet in sheets:
        by_day.setdefault((sheet.day, sheet.business_id), []).append(sheet)
    return [
        Sheet(
            day,
            site,
            "",
            (),
            (),
            _by_time(entry for sheet in own for entry in sheet.entries),
            _by_time(entry for sheet in own for entry in sheet.over),
            {sheet.practitioner_id: sheet.gaps for sheet in own if sheet.gaps},
        )
        for (day, site), own in by_day.items()
    ]


def _by_time(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.starts, entry.ends, entry.id))


def _by_day(
    entries: Iterable[Entry], zone: ZoneInfo, working: Collection[date], windows: Sequence[tuple[datetime, datetime]]
) -> tuple[dict[date, list[Entry]], dict[date, list[Entry]]]:
    """The entries by the days on which they stand, and those that run over from a day before."""
    standing: dict[date, list[Entry]] = {}
    over: dict[date, list[Entry]] = {}
    for entry in _by_time(entries):
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
    """The places in these entries, cancelled ones too, with the patients' files and alerts and the types of blocks.

    A request for each 95 classes, two for each 95 patients, and one for the types of blocked-out time. What cannot be
    read is left out, and `reads` says so: the appointments' own names of patients serve then.
    """
    typed = any(entry.record.unavailable_block_type_id for entry in entries)

    async def kinds_of_blocks() -> dict[str, str]:
        return await block_kinds(clinic) if typed else {}

    places, kinds = await run_concurrently(
        partial(
            reads.read,
            "Attendees of classes, in the rows and in the totals,",
            partial(with_places, clinic, entries, cancelled=True),
        ),
        partial(reads.read, "Kinds of blocked-out time", kinds_of_blocks),
    )
    visits = places if places is not None else appointments_of(entries)
    ids = sorted({visit.patient_id for visit in visits if visit.patient_id})
    records, alerted = await run_concurrently(
        partial(
            reads.read,
            "Names and numbers from patients' files",
            partial(clinic.by_id, Patients.list_patients, ids),
        ),
        partial(reads.read, "Medical alerts", partial(_alerted, clinic, ids)),
    )
    by_booking: dict[str, list[Visit]] = {}
    for visit in visits:
        by_booking.setdefault(visit.booking_id, []).append(visit)
    return People(
        by_booking,
        {key: known_patient(record) for key, record in (records or {}).items()},
        kinds or {},
        alerted or frozenset(),
    )


async def block_kinds(clinic: GuardedClinic) -> dict[str, str]:
    """The names of the kinds of blocked-out time by id, archived ones too: one request."""
    types = await clinic.collect(UnavailableBlockTypes.list_unavailable_block_types, archived_at=Hidden.INCLUDED)
    return {kind.id: name_text(kind.name) for kind in types}


async def _alerted(clinic: GuardedClinic, patient_ids: Sequence[str]) -> frozenset[str]:
    """The ids of those patients whose files hold a medical alert: a request for each 95."""
    batches = [patient_ids[begin : begin + MAX_IDS] for begin in range(0, len(patient_ids), MAX_IDS)]
    found = await run_concurrently(
        *(partial(clinic.collect, MedicalAlerts.list_medical_alerts, patient_id=OneOf(batch)) for batch in batches)
    )
    return frozenset(alert.patient_id for alerts in found for alert in alerts)


def entry_row(entry: Entry, roster: Roster, people: People, *, phones: bool, whose: bool = False) -> EntryRow:
    """An entry as a row of a sheet, in the site's local time; with the practitioner's name where `whose` says so."""
    practitioner = roster.name("practitioner_id", entry.practitioner_id) if whose else None
    at = times(entry.starts, entry.ends, roster.zone(entry.business_id))
    notes = clean(entry.record.notes or "", _NOTE_LENGTH)
    free_text = EntryText(notes=notes) if notes else None
    if entry.kind == "block":
        return EntryRow(
            at=at, practitioner=practitioner, block=people.block_kind(entry), id=entry.id, free_text=free_text
        )
    places = people.visits.get(entry.id, ())
    group = entry.kind == "group"
    alone = DiaryPatient(patient=name_text(entry.record.patient_name))
    if places and not group:
        alone = _whose(places[0], entry, people, phones)
    return EntryRow(
        at=at,
        patient=None if group else alone.patient,
        patient_id=alone.patient_id,
        attendance=alone.attendance,
        cancelled=alone.cancelled,
        reason=alone.reason,
        alert=alone.alert,
        phones=alone.phones,
        practitioner=practitioner,
        type=roster.name("appointment_type_id", entry.type_id),
        places=entry.places if group else None,
        places_left=entry.left if group else None,
        attendees=[_whose(visit, entry, people, phones) for visit in places] if group else None,
        id=entry.id,
        free_text=free_text,
    )


def _whose(visit: Visit, entry: Entry, people: People, phones: bool) -> DiaryPatient:
    patient = people.patients.get(visit.patient_id)
    cancelled = visit.cancelled is not None
    return DiaryPatient(
        patient=(patient.name if patient else "") or name_text(entry.record.patient_name) or visit.patient_id,
        patient_id=visit.patient_id,
        attendance=None if cancelled or visit.arrived is None else ATTENDANCE[visit.arrived],
        cancelled=True if cancelled else None,
        reason=(visit.reason or None) if cancelled else None,
        alert=True if visit.patient_id in people.alerted else None,
        phones=phones_of(patient) if phones and patient is not None else None,
    )


def phones_of(patient: Known[Patient] | None) -> list[str]:
    """A patient's phone numbers as they are written in the file, mobile first."""
    return numbers_in_order((patient.record.patient_phone_numbers if patient else None) or ())


def numbers_in_order(rows: Iterable[PhoneNumberRecord]) -> list[str]:
    """Phone numbers as they are written, mobile first."""
    numbers = [(row.phone_type != "Mobile", name_text(row.number)) for row in rows]
    return [number for _, number in sorted(numbers) if number]


def totals(sheets: Iterable[Sheet], people: People) -> Totals:
    """Counts over all sheets, each entry once."""
    entries: dict[str, Entry] = {}
    free = timedelta()
    for sheet in sheets:
        entries |= {entry.id: entry for entry in sheet.entries}
        free += sum((gap.length for gap in sheet.gaps), timedelta())
    kinds = Counter(entry.kind for entry in entries.values() if not entry.cancelled)
    places = [visit for entry in entries.values() for visit in people.visits.get(entry.id, ())]
    live = [visit for visit in places if visit.cancelled is None]
    expected = people.expected(entries.values())
    return Totals(
        patients=len(expected) or None,
        alerts=sum(patient in people.alerted for patient in expected) or None,
        appointments=kinds["appointment"] or None,
        groups=kinds["group"] or None,
        blocks=kinds["block"] or None,
        arrived=sum(visit.arrived is True for visit in live) or None,
        no_shows=sum(visit.arrived is False for visit in live) or None,
        cancelled=(len(places) - len(live)) or None,
        free_minutes=free // timedelta(minutes=1),
    )
