"""patient_brief: what a practitioner wants to know before a visit, on one page.

Requests: 16 cold, 11 warm (with the set-up in memory) for a usual call. In general what finding the patient takes (1 by
id, up to 13 by name; by an appointment those that find it and one for its attendees), 5 for the roster where memory has
none, and one each (one more a hundred rows) for alerts, bookings, attendees, open cases, forms and open invoices; 1
more for the latest hundred notes where they are asked for, and for a history one for each 95 places in classes that
were given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final, TypedDict

from pydantic import Field

from cliniko_mcp.cliniko.arguments import refused_arguments
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.invoices import Invoice
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.brief_rows import (
    BriefRow,
    CaseRow,
    Consent,
    FormRow,
    Sessions,
    Unpaid,
    VisitCounts,
    Written,
    consented,
)
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.find_booking import NEEDS as BOOKING_NEEDS
from cliniko_mcp.frontdesk.find_booking import Looking, which_visit
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patient_file import PatientFile, read_file
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.reports.figures import amount
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    name_text,
    person_row,
    preferred_first_name,
    remarks,
)
from cliniko_mcp.frontdesk.visit_rows import VisitRows, form_row
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import are, clean, counted, plain
from cliniko_mcp.tools.tool import curated

_MAX_ALERTS: Final = 15
_MAX_INVOICE_NUMBERS: Final = 10
_NOTE_LENGTH: Final = 4_000
_TITLE_LENGTH: Final = 120


class PatientBrief(Body):
    """Whose brief, said by name or by an appointment, and whether it holds what people wrote."""

    patient: str | None = Field(default=None, description="Name or id.")
    appointment: str | None = Field(default=None, description="Or: id, Faye's 9:15.")
    notes: bool = Field(default=False, description="Also treatment notes, remarks.")
    visits: int = Field(default=3, ge=1, le=20)
    history: bool = False


class Brief(AnswerModel):
    """A patient's brief."""

    item: BriefRow = Field(description="The patient.")


async def patient_brief(clinic: GuardedClinic, arguments: PatientBrief) -> Answer:
    """The brief; parts that this key may not read are named in the notes."""
    permitted = PartialReads()
    roster, patient, found_by = await _whose(clinic, arguments)
    file = await read_file(clinic, patient.id, permitted, notes=arguments.notes, history=arguments.history)
    now = clinic.now
    live = [visit for visit in file.visits if visit.cancelled is None]
    coming = [visit for visit in live if visit.ends > now]
    past = [visit for visit in live if visit.ends <= now]
    zone = roster.zone(coming[0].business_id if coming else past[-1].business_id if past else None)
    notes = [*found_by, *remarks(patient)]
    nearest, latest = coming[: arguments.visits], past[-arguments.visits :][::-1]
    visit_rows = VisitRows(file, roster, len(nearest) + len(latest))
    nexts, lasts = visit_rows.coming(nearest), visit_rows.past(latest)
    free_text, left_out = _free_text(patient.record, file, visit_rows, shown=arguments.notes)
    history, earlier = visit_rows.history() if arguments.history else (None, 0)
    item = BriefRow(
        **_person(patient, now.astimezone(zone).date()),
        next_visits=nexts,
        last_visits=lasts,
        counts=VisitCounts(
            past=len(past),
            no_shows=sum(visit.arrived is False for visit in past),
            coming=len(coming),
            cancelled=sum(visit.cancelled is not None for visit in file.visits),
        ),
        open_cases=None if file.cases is None else [_case(case, file, roster, now) for case in file.cases],
        open_forms=_open_forms(file, roster),
        consent=None if file.forms is None else _consent(patient.record, file.forms, roster),
        unpaid=None if file.invoices is None else _unpaid(file.invoices),
        free_text=free_text if free_text != Written() else None,
        history=history,
    )
    notes += [*left_out, *permitted.notes]
    if earlier:
        visits = f"{counted(earlier, 'earlier visit')} of the history {are(earlier)}"
        notes.append(f"{visits} not shown: list_attendees with patient_id has the rest.")
    if file.given_up and not arguments.history:
        given_up = len(file.given_up)
        places = counted(given_up, "given-up place in a class", "given-up places in classes")
        notes.append(f"{places} {are(given_up)} not counted: history: true has them.")
    if any(case.max_sessions is not None for case in file.cases or ()):
        notes.append("sessions.left is max_sessions less visits used and booked, by the case's own rule for no-shows.")
    return Answer(Brief(item=item), notes, zone)


async def _whose(clinic: GuardedClinic, arguments: PatientBrief) -> tuple[Roster, Known[Patient], list[str]]:
    """The roster, the patient, and what has to be said of how an appointment that was said was found."""
    if arguments.appointment is None:
        if arguments.patient is None:
            raise refused_arguments("patient_brief", {"patient": "is needed, or appointment: a name or an id"}, ())
        roster, patient = await run_concurrently(
            partial(Roster.load, clinic), partial(find_patient, clinic, arguments.patient)
        )
        return roster, patient, []
    roster = await Roster.load(clinic)
    which = await which_visit(clinic, roster, arguments.appointment, Looking.COMING, arguments.patient)
    visit = await visits.visit_of(clinic, which)
    starts = local_text(visit.starts, roster.zone(visit.business_id))
    notes = [f"Found by the appointment {visit.booking_id} on {starts}."]
    notes += [which.note] if which.note else []
    return roster, which.patient or await find_patient(clinic, visit.patient_id), notes


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


def _case(case: PatientCase, file: PatientFile, roster: Roster, now: datetime) -> CaseRow:
    return CaseRow(
        id=case.id,
        name=clean(case.name or "", _TITLE_LENGTH),
        referral_type=None if case.referral_type is None else clean(case.referral_type, 40),
        expiry_date=case.expiry_date.isoformat() if case.expiry_date else None,
        sessions=_sessions(case, file, roster, now),
        max_invoiceable_amount=case.max_invoiceable_amount,
    )


def _sessions(case: PatientCase, file: PatientFile, roster: Roster, now: datetime) -> Sessions:
    """The visits of a case: those that count towards it, begun or to come, and those that do not by its own rule."""
    linked = frozenset(case.attendee_ids or ())
    placed: Mapping[str, Visit] = {visit.attendee_id: visit for visit in file.history() if visit.attendee_id}
    mine = [row for row in file.attendees if row.patient_case_id == case.id or row.id in linked]
    cancelled = [row for row in mine if row.cancelled_at is not None]
    missed = [row for row in mine if row.cancelled_at is None and row.arrived is False]
    counted = [
        row
        for row in mine
        if (row.cancelled_at is None or case.include_cancelled_attendees)
        and (row.arrived is not False or case.include_dna_attendees)
    ]
    found = sorted((visit for row in counted if (visit := placed.get(row.id))), key=lambda visit: visit.starts)
    booked = [visit for visit in found if visit.starts > now]
    begun = [visit for visit in found if visit.starts <= now]
    used = len(counted) - len(booked)
    late = [visit for visit in booked if case.expiry_date and _day(visit, roster) > case.expiry_date]
    left = None if case.max_sessions is None else case.max_sessions - used - len(booked)
    return Sessions(
        max=case.max_sessions,
        used=used,
        booked=len(booked),
        left=None if left is None else max(left, 0),
        over=-left if left is not None and left < 0 else None,
        no_shows=len(missed) or None,
        no_shows_count=bool(case.include_dna_attendees) if missed else None,
        cancelled=len(cancelled) or None,
        cancelled_count=bool(case.include_cancelled_attendees) if cancelled else None,
        last=local_text(begun[-1].starts, roster.zone(begun[-1].business_id)) if begun else None,
        next=local_text(booked[0].starts, roster.zone(booked[0].business_id)) if booked else None,
        after_expiry=len(late) or None,
    )


def _day(visit: Visit, roster: Roster) -> date:
    return visit.starts.astimezone(roster.zone(visit.business_id)).date()


def _open_forms(file: PatientFile, roster: Roster) -> list[FormRow] | None:
    if file.forms is None:
        return None
    return [form_row(form, roster) for form in file.forms if form.completed_at is None]


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
        consent_form=form_row(latest, roster) if latest else None,
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


def _free_text(record: Patient, file: PatientFile, visit_rows: VisitRows, *, shown: bool) -> tuple[Written, list[str]]:
    """What people wrote, remarks and notes only where `shown`, and sentences about what was left out."""
    left_out: list[str] = []
    alerts = None if file.alerts is None else [clean(alert.name or "", 255) for alert in file.alerts]
    if (more := len(alerts or ()) - _MAX_ALERTS) > 0:
        left_out.append(f"{counted(more, 'more alert')}: list_medical_alerts shows the rest.")
    texts = (record.appointment_notes or "").strip(), (record.notes or "").strip()
    if any(texts) and not shown:
        left_out.append("The patient's file holds remarks; they are shown with notes: true.")
    if (more := len(file.invoices or ()) - _MAX_INVOICE_NUMBERS) > 0:
        left_out.append(f"{counted(more, 'more unpaid invoice')}: list_invoices shows the rest.")
    appointment_notes, notes = (plain(text, _NOTE_LENGTH) if text and shown else None for text in texts)
    written = Written(
        alerts=None if alerts is None else alerts[:_MAX_ALERTS],
        appointment_notes=appointment_notes,
        notes=notes,
        treatment_notes=visit_rows.other_notes() or None,
    )
    return written, left_out


tool = curated(
    "patient_brief",
    "Brief before a visit: alerts, appointments, no-shows, case sessions left, open forms, consent, "
    "unpaid invoices. Contact details: get_patient; files: list_patient_attachments.",
    PatientBrief,
    patient_brief,
    answer=Brief,
    needs=[*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS, *BOOKING_NEEDS],
)
