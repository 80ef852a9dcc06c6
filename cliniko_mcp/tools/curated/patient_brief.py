"""patient_brief: what a practitioner wants to know before a visit, on one page.

Requests: what finding the patient takes (1 by id, up to 13 by name), 5 for the roster, and one each (one more a hundred
rows) for alerts, bookings, attendees, open cases, forms and open invoices; 1 more for notes where they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final, TypedDict

from pydantic import Field

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.invoices import Invoice, Invoices
from cliniko_mcp.cliniko.resources.medical_alerts import MedicalAlert, MedicalAlerts
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase, PatientCases
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm, PatientForms
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote, TreatmentNotes
from cliniko_mcp.cliniko.shapes.answers import answer_text
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE, NOTE_STATES, VisitRow
from cliniko_mcp.frontdesk.bookings import Entry, entry_of
from cliniko_mcp.frontdesk.brief_rows import (
    BriefRow,
    CaseRow,
    Consent,
    FormRow,
    NoteRow,
    Sessions,
    Unpaid,
    VisitCounts,
    Written,
    consented,
)
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.reports.money import amount
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    name_text,
    person_row,
    preferred_first_name,
    remarks,
)
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean, plain
from cliniko_mcp.tools.tool import curated

_MAX_SHOWN: Final = 3
"""Visits and notes that are shown of one kind."""
_MAX_ALERTS: Final = 15
_MAX_INVOICE_NUMBERS: Final = 10
_NOTE_LENGTH: Final = 4_000
_TITLE_LENGTH: Final = 120
_OPEN_INVOICE: Final = 10


class PatientBrief(Body):
    """Whose brief, and whether it holds what people wrote."""

    patient: str = Field(description="Name or id.")
    notes: bool = Field(default=False, description="Also what is written: last treatment notes, remarks.")


@dataclass(slots=True)
class _PatientFile:
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
    def given_up(self) -> int:
        """How many attendees have a booking that does not list the patient, as of places in classes that were left."""
        listed = {entry.id for entry in self.entries}
        return sum(attendee.booking_id not in listed for attendee in self.attendees)


class Brief(AnswerModel):
    """A patient's brief."""

    item: BriefRow = Field(description="The patient.")


async def patient_brief(clinic: GuardedClinic, arguments: PatientBrief) -> Answer:
    """The brief; parts that this key may not read are named in the notes."""
    permitted = PartialReads()
    roster, patient = await run_concurrently(
        partial(Roster.load, clinic), partial(find_patient, clinic, arguments.patient)
    )
    file = await _read(clinic, patient.id, permitted, notes=arguments.notes)
    now = clinic.now
    live = [visit for visit in file.visits if visit.cancelled is None]
    coming = [visit for visit in live if visit.ends > now]
    past = [visit for visit in live if visit.ends <= now]
    zone = roster.zone(coming[0].business_id if coming else past[-1].business_id if past else None)
    notes = remarks(patient)
    free_text, left_out = _free_text(patient.record, file, roster, shown=arguments.notes)
    item = BriefRow(
        **_person(patient, now.astimezone(zone).date()),
        next_visits=[_visit(visit, roster) for visit in coming[:_MAX_SHOWN]],
        last_visits=[_visit(visit, roster, past=True) for visit in reversed(past[-_MAX_SHOWN:])],
        counts=VisitCounts(
            past=len(past),
            no_shows=sum(visit.arrived is False for visit in past),
            coming=len(coming),
            cancelled=sum(visit.cancelled is not None for visit in file.visits),
        ),
        open_cases=None if file.cases is None else [_case(case, file, now) for case in file.cases],
        open_forms=_open_forms(file, roster),
        consent=None if file.forms is None else _consent(patient.record, file.forms, roster),
        unpaid=None if file.invoices is None else _unpaid(file.invoices),
        free_text=free_text if free_text != Written() else None,
    )
    notes += [*left_out, *permitted.notes]
    if file.given_up:
        notes.append(f"{file.given_up} given-up places in classes are not among the counts.")
    if any(case.max_sessions is not None for case in file.cases or ()):
        notes.append("sessions.left is max_sessions less visits used and booked, by the case's own rule for no-shows.")
    return Answer(Brief(item=item), notes, zone)


async def _read(clinic: GuardedClinic, patient_id: str, permitted: PartialReads, *, notes: bool) -> _PatientFile:
    """The file of a patient, its parts read at once; treatment notes, the latest few, only where asked for."""
    file = _PatientFile()

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
        return list((await clinic.rows(call, limit=_MAX_SHOWN)).rows)

    async def treatment_notes() -> None:
        file.treatment_notes = await permitted.read("Treatment notes", latest_notes)

    asked_for = (treatment_notes,) if notes else ()
    await run_concurrently(bookings, attendees, alerts, cases, forms, invoices, *asked_for)
    file.visits = visits.of_patient(file.entries, file.attendees)
    return file


class _Person(TypedDict):
    """The fields of a brief that say who the patient is."""

    id: str
    name: str
    born: str | None
    preferred_first_name: str | None
    age: int | None
    sex: str | None
    gender_identity: str | None
    occupation: str | None
    pronouns: str | None


def _person(patient: Known[Patient], today: date) -> _Person:
    record, row = patient.record, person_row(patient)
    born, pronouns = record.date_of_birth, None
    if record.pronouns is not None and (word := name_text(record.pronouns.nominative)):
        pronouns = f"{word}/{name_text(record.pronouns.accusative)}"
    return {
        "id": row.id,
        "name": row.name,
        "born": row.born,
        "preferred_first_name": preferred_first_name(patient),
        "age": today.year - born.year - ((today.month, today.day) < (born.month, born.day)) if born else None,
        "sex": name_text(record.sex) or None,
        "gender_identity": name_text(record.gender_identity) or None,
        "occupation": name_text(record.occupation) or None,
        "pronouns": pronouns,
    }


def _visit(visit: Visit, roster: Roster, *, past: bool = False) -> VisitRow:
    marked = None if visit.arrived is None else ATTENDANCE[visit.arrived]
    note = NOTE_STATES.get(visit.written or 0, "none") if past else None
    return visit.row(roster).model_copy(update={"attendance": marked, "note": note})


def _case(case: PatientCase, file: _PatientFile, now: datetime) -> CaseRow:
    sessions = None
    if case.max_sessions is not None:
        used, booked = _sessions(case, file, now)
        left = max(case.max_sessions - used - booked, 0)
        sessions = Sessions(max=case.max_sessions, used=used, booked=booked, left=left)
    return CaseRow(
        id=case.id,
        name=clean(case.name or "", _TITLE_LENGTH),
        referral_type=None if case.referral_type is None else clean(case.referral_type, 40),
        expiry_date=case.expiry_date.isoformat() if case.expiry_date else None,
        sessions=sessions,
        max_invoiceable_amount=case.max_invoiceable_amount,
    )


def _sessions(case: PatientCase, file: _PatientFile, now: datetime) -> tuple[int, int]:
    """How many visits count towards a case: those that have begun, and those to come."""
    linked = frozenset(case.attendee_ids or ())
    placed: Mapping[str, Visit] = {visit.attendee_id: visit for visit in file.visits if visit.attendee_id}
    used = booked = 0
    for attendee in file.attendees:
        if attendee.patient_case_id != case.id and attendee.id not in linked:
            continue
        if attendee.cancelled_at is not None and not case.include_cancelled_attendees:
            continue
        if attendee.arrived is False and not case.include_dna_attendees:
            continue
        visit = placed.get(attendee.id)
        if visit is not None and visit.starts > now:
            booked += 1
        else:
            used += 1
    return used, booked


def _open_forms(file: _PatientFile, roster: Roster) -> list[FormRow] | None:
    if file.forms is None:
        return None
    return [_form(form, roster) for form in file.forms if form.completed_at is None]


def _form(form: PatientForm, roster: Roster) -> FormRow:
    zone = roster.zone(form.business_id)
    return FormRow(
        id=form.id,
        name=clean(form.name or "", _TITLE_LENGTH),
        given_at=local_text(form.created_at, zone) if form.created_at else None,
        completed_at=local_text(form.completed_at, zone) if form.completed_at else None,
    )


def _consent(record: Patient, forms: Sequence[PatientForm], roster: Roster) -> Consent:
    signed = [
        (form.completed_at, form)
        for form in forms
        if form.completed_at is not None and "consent" in fold(form.name or "")
    ]
    latest = max(signed, key=lambda pair: pair[0])[1] if signed else None
    return Consent(
        privacy_policy=consented(record.accepted_privacy_policy),
        sms_marketing=consented(record.accepted_sms_marketing),
        email_marketing=consented(record.accepted_email_marketing),
        consent_form_completed=latest is not None,
        consent_form=_form(latest, roster) if latest else None,
    )


def _unpaid(invoices: Sequence[Invoice]) -> Unpaid:
    dates = [invoice.issue_date for invoice in invoices if invoice.issue_date is not None]
    numbers = [invoice.number for invoice in invoices[:_MAX_INVOICE_NUMBERS] if invoice.number is not None]
    return Unpaid(
        invoices=len(invoices),
        total=format(sum((amount(invoice.total_amount) for invoice in invoices), Decimal()), ".2f"),
        numbers=numbers or None,
        oldest=min(dates).isoformat() if dates else None,
    )


def _free_text(record: Patient, file: _PatientFile, roster: Roster, *, shown: bool) -> tuple[Written, list[str]]:
    """What people wrote, remarks and notes only where `shown`, and sentences about what was left out."""
    left_out: list[str] = []
    alerts = None if file.alerts is None else [clean(alert.name or "", 255) for alert in file.alerts]
    if (more := len(alerts or ()) - _MAX_ALERTS) > 0:
        left_out.append(f"{more} more alerts: list_medical_alerts shows them.")
    texts = (record.appointment_notes or "").strip(), (record.notes or "").strip()
    if any(texts) and not shown:
        left_out.append("The patient's file holds remarks; they are shown with notes: true.")
    if (more := len(file.invoices or ()) - _MAX_INVOICE_NUMBERS) > 0:
        left_out.append(f"{more} more unpaid invoices: list_invoices shows them.")
    appointment_notes, notes = (plain(text, _NOTE_LENGTH) if text and shown else None for text in texts)
    written = Written(
        alerts=None if alerts is None else alerts[:_MAX_ALERTS],
        appointment_notes=appointment_notes,
        notes=notes,
        treatment_notes=[_note(note, roster) for note in file.treatment_notes or ()] or None,
    )
    return written, left_out


def _note(note: TreatmentNote, roster: Roster) -> NoteRow:
    # Content in another form than the documented one is shown as well.
    content = note.content or note.unexpected.get("content")
    answers = answer_text(content, _NOTE_LENGTH, lines=True)
    return NoteRow(
        id=note.id,
        title=clean(note.title or "", _TITLE_LENGTH),
        written_at=local_text(note.created_at, roster.home) if note.created_at else None,
        author=name_text(note.author_name),
        state="draft" if note.draft is not False else "final",
        text=answers.text,
        cut="get_treatment_note has the whole." if answers.cut else None,
    )


tool = curated(
    "patient_brief",
    "Brief before a visit: alerts, last and next appointments, no-shows, case sessions left, open forms, consent, "
    "unpaid invoices. Contact details are in get_patient, files in list_patient_attachments.",
    PatientBrief,
    patient_brief,
    answer=Brief,
    needs=[*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS],
)
