"""Everything that a brief tells of one patient, read at once.

Requests: one each (one more a hundred rows) for bookings, attendees, alerts, open cases, forms and open invoices; one
for the latest hundred treatment notes where they are wanted, and for a history one for each 95 places given up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.invoices import Invoice, Invoices
from cliniko_mcp.cliniko.resources.medical_alerts import MedicalAlert, MedicalAlerts
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase, PatientCases
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm, PatientForms
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote, TreatmentNotes
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.bookings import Entry, entry_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import gone
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

_MAX_NOTES: Final = 100
"""The latest treatment notes that are read: one page."""
_OPEN_INVOICE: Final = 10


@dataclass(slots=True)
class PatientFile:
    """Everything that was read about one patient; None for what this key may not read."""

    entries: list[Entry] = field(default_factory=list[Entry])
    attendees: list[Attendee] = field(default_factory=list[Attendee])
    alerts: list[MedicalAlert] | None = None
    cases: list[PatientCase] | None = None
    forms: list[PatientForm] | None = None
    invoices: list[Invoice] | None = None
    treatment_notes: list[TreatmentNote] | None = None
    visits: Sequence[Visit] = ()
    """The patient's places in those entries of the diary, by start."""

    @property
    def given_up(self) -> list[str]:
        """The ids of bookings that do not list the patient, as of places in classes that were left, one a place."""
        listed = {entry.id for entry in self.entries}
        return [attendee.booking_id for attendee in self.attendees if attendee.booking_id not in listed]

    def history(self) -> list[Visit]:
        """Every place the patient has or had, by start: given up and taken again is two."""
        own: dict[str, list[Attendee]] = {}
        for attendee in self.attendees:
            own.setdefault(attendee.booking_id, []).append(attendee)
        found: list[Visit] = []
        for entry in self.entries:
            for attendee in own.get(entry.id, ()):
                found += visits.of_patient([entry], [attendee])
            if entry.id not in own:
                found += visits.of_patient([entry], [])
        return sorted(found, key=lambda visit: (visit.starts, visit.booking_id, visit.attendee_id))

    def notes_of(self, visit: Visit) -> list[TreatmentNote]:
        """The treatment notes of a visit, the latest first."""
        return [note for note in self.treatment_notes or () if _belongs(visit, note.attendee_id, note.booking_id)]

    def forms_of(self, visit: Visit) -> list[PatientForm]:
        """The forms that were given for a visit, completed or not."""
        return [form for form in self.forms or () if _belongs(visit, form.attendee_id, form.booking_id)]


def _belongs(visit: Visit, attendee_id: str | None, booking_id: str | None) -> bool:
    """Whether what names this attendee, or only this booking, belongs to the visit."""
    if attendee_id and visit.attendee_id:
        return attendee_id == visit.attendee_id
    return booking_id == visit.booking_id


async def read_file(
    clinic: GuardedClinic, patient_id: str, permitted: PartialReads, *, notes: bool, history: bool
) -> PatientFile:
    """The file of a patient, its parts read at once: treatment notes and the classes that were left only on request."""
    file = PatientFile()

    async def bookings() -> None:
        rows = clinic.all(Bookings.list_bookings, patient_ids=patient_id, cancelled_at=Hidden.INCLUDED)
        file.entries = [entry async for row in rows if (entry := entry_of(row)) is not None]

    async def attendees() -> None:
        file.attendees = await clinic.collect(
            Attendees.list_attendees, patient_id=patient_id, cancelled_at=Hidden.INCLUDED
        )

    async def alerts() -> None:
        listing = partial(clinic.collect, MedicalAlerts.list_medical_alerts, patient_id=patient_id)
        file.alerts = await permitted.read("Medical alerts", listing)

    async def cases() -> None:
        listing = partial(clinic.collect, PatientCases.list_active_patient_cases, patient_id=patient_id)
        file.cases = await permitted.read("Cases", listing)

    async def forms() -> None:
        listing = partial(clinic.collect, PatientForms.list_patient_forms, patient_id=patient_id)
        file.forms = await permitted.read("Forms", listing)

    async def invoices() -> None:
        listing = partial(clinic.collect, Invoices.list_invoices, patient_id=patient_id, status=_OPEN_INVOICE)
        file.invoices = await permitted.read("Invoices", listing)

    async def latest_notes() -> list[TreatmentNote]:
        call = TreatmentNotes.list_treatment_notes.call(patient_id=patient_id, sort="created_at:desc")
        return list((await clinic.rows(call, limit=_MAX_NOTES)).rows)

    async def treatment_notes() -> None:
        file.treatment_notes = await permitted.read("Treatment notes", latest_notes)

    wanted = (treatment_notes,) if notes else ()
    await run_concurrently(bookings, attendees, alerts, cases, forms, invoices, *wanted)
    if history and file.given_up:
        left = await clinic.by_id(Bookings.list_bookings, list(dict.fromkeys(file.given_up)))
        entries = [entry_of(record) for record in left.values() if not gone(record)]
        file.entries += [entry for entry in entries if entry is not None]
    file.visits = visits.of_patient(file.entries, file.attendees)
    return file
