"""patient_brief: what a practitioner wants to know before a visit, on one page.

Requests: what finding the patient takes (1 by id, up to 13 by name), 5 for the roster, and one each (one more a hundred
rows) for alerts, bookings, attendees, open cases, forms and open invoices; 1 more for notes where they are asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final, cast

from pydantic import Field

from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.bookings import entry_of
from cliniko_mcp.frontdesk.concurrency import collect, run_concurrently
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.frontdesk.notes import note_text
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.reports.money import amount
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import text_of
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean, plain
from cliniko_mcp.tools.tool import curated

MOST: Final = 3
"""Visits, notes and so on of one kind that are shown."""
_MOST_ALERTS: Final = 15
_NOTE_LENGTH: Final = 4_000
_WRITTEN: Final = {10: "draft", 90: "final"}
Json = dict[str, JsonValue]


class PatientBrief(Body):
    patient: str = Field(description="Name or id.")
    notes: bool = Field(default=False, description="Also what is written: last treatment notes, remarks.")


@dataclass(slots=True)
class _File:
    """Everything that was read about one patient; None for what this key may not read."""

    visits: list[Visit]
    unplaced: int
    attendees: list[Record]
    alerts: list[Record] | None
    cases: list[Record] | None
    forms: list[Record] | None
    invoices: list[Record] | None
    written: list[Record] | None


async def work(clinic: GuardedClinic, given: PatientBrief) -> Answer:
    """The brief; parts that this key may not read are named in the notes."""
    permitted = PartialReads()
    roster, patient = await run_concurrently(partial(Roster.load, clinic), partial(find_patient, clinic, given.patient))
    kept = await _read(clinic, patient.id, permitted, notes=given.notes)
    now = clinic.now
    live = [each for each in kept.visits if each.cancelled is None]
    coming = [each for each in live if each.ends > now]
    past = [each for each in live if each.ends <= now]
    zone = roster.zone(coming[0].business_id if coming else past[-1].business_id if past else None)
    item: Json = {"id": patient.id, "patient": patient.name, **_person(patient, now.astimezone(zone).date())}
    item["next_visits"] = [_row(each, roster) for each in coming[:MOST]]
    item["last_visits"] = [_row(each, roster, past=True) for each in reversed(past[-MOST:])]
    item["counts"] = _counts(kept.visits, past, coming)
    if kept.cases is not None:
        cases = [each for each in kept.cases if isinstance(each, PatientCase)]
        item["open_cases"] = [_case(each, kept, now) for each in cases]
    if kept.forms is not None:
        forms = [each for each in kept.forms if isinstance(each, PatientForm)]
        item["open_forms"] = [_form(each, roster) for each in forms if each.completed_at is None]
        item["consent"] = _consent(patient.record, forms, roster)
    if kept.invoices is not None:
        item["unpaid"] = _unpaid(kept.invoices)
    notes = remarks(patient)
    free, left = _free(patient.record, kept, roster, given)
    if free:
        item["free_text"] = free
    notes += [*left, *permitted.notes]
    if kept.unplaced:
        notes.append(f"{kept.unplaced} given-up places in classes are not among the counts.")
    if any("sessions" in cast("Json", each) for each in cast("list[JsonValue]", item.get("open_cases", []))):
        notes.append("sessions.left is max_sessions less visits used and booked, by the case's own rule for no-shows.")
    return Answer({"item": item}, notes, zone)


async def _read(clinic: GuardedClinic, patient_id: str, permitted: PartialReads, *, notes: bool) -> _File:
    async def latest() -> list[Record]:
        call = clinic.call("list_treatment_notes", patient_id=patient_id, sort="created_at:desc")
        return list((await clinic.rows(call, limit=MOST)).rows)

    async def bookings() -> list[Record]:
        return await collect(clinic.all_named("list_bookings", patient_ids=patient_id, cancelled_at="all"))

    async def attendees() -> list[Record]:
        return await collect(clinic.all_named("list_attendees", patient_id=patient_id, cancelled_at="all"))

    async def listed(name: str, **filters: object) -> list[Record]:
        return await collect(clinic.all_named(name, patient_id=patient_id, **filters))

    async def nothing() -> list[Record] | None:
        return None

    parts = await run_concurrently(
        *(
            bookings,
            attendees,
            partial(permitted.read, "Medical alerts", partial(listed, "list_medical_alerts")),
            partial(permitted.read, "Cases", partial(listed, "list_active_patient_cases")),
            partial(permitted.read, "Forms", partial(listed, "list_patient_forms")),
            partial(permitted.read, "Invoices", partial(listed, "list_invoices", status="10")),
            partial(permitted.read, "Treatment notes", latest) if notes else nothing,
        )
    )
    booked, placed = parts[0] or [], parts[1] or []
    entries = [each for each in map(entry_of, booked) if each is not None]
    known = {each.id for each in entries}
    unplaced = sum(str(getattr(each, "booking_id", "")) not in known for each in placed)
    return _File(visits.of_patient(entries, placed), unplaced, placed, *parts[2:])


def _person(patient: Known, today: date) -> Json:
    record = patient.record
    row: Json = {}
    preferred = text_of(record, "preferred_first_name")
    if preferred and preferred not in patient.name.split():
        row["preferred_first_name"] = preferred
    born = getattr(record, "date_of_birth", None)
    if isinstance(born, date):
        row["born"] = born.isoformat()
        row["age"] = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    for name in ("sex", "gender_identity", "occupation"):
        if text := text_of(record, name):
            row[name] = text
    pronouns = getattr(record, "pronouns", None)
    if pronouns is not None and (word := text_of(pronouns, "nominative")):
        row["pronouns"] = f"{word}/{text_of(pronouns, 'accusative')}"
    return row


def _row(visit: Visit, roster: Roster, *, past: bool = False) -> Json:
    row = visit.row(roster)
    if visit.arrived is not None:
        row["attendance"] = "arrived" if visit.arrived else "did not arrive"
    if past:
        row["note"] = _WRITTEN.get(visit.written or 0, "none")
    return row


def _counts(every: Sequence[Visit], past: Sequence[Visit], coming: Sequence[Visit]) -> Json:
    return {
        "past": len(past),
        "no_shows": sum(each.arrived is False for each in past),
        "coming": len(coming),
        "cancelled": sum(each.cancelled is not None for each in every),
    }


def _case(case: PatientCase, kept: _File, now: datetime) -> Json:
    row: Json = {"id": case.id, "name": clean(case.name or "", 120)}
    for name, value in (("referral_type", case.referral_type), ("expiry_date", case.expiry_date)):
        if value is not None:
            row[name] = value.isoformat() if isinstance(value, date) else clean(value, 40)
    if case.max_sessions is not None:
        used, booked = _sessions(case, kept, now)
        left = max(case.max_sessions - used - booked, 0)
        row["sessions"] = {"max": case.max_sessions, "used": used, "booked": booked, "left": left}
    if case.max_invoiceable_amount is not None:
        row["max_invoiceable_amount"] = case.max_invoiceable_amount
    return row


def _sessions(case: PatientCase, kept: _File, now: datetime) -> tuple[int, int]:
    """How many visits count towards a case: those that have begun, and those to come."""
    named = frozenset(case.attendee_ids or ())
    placed = {each.attendee_id: each for each in kept.visits if each.attendee_id}
    used = booked = 0
    for attendee in kept.attendees:
        own = str(getattr(attendee, "id", ""))
        if getattr(attendee, "patient_case_id", None) != case.id and own not in named:
            continue
        if getattr(attendee, "cancelled_at", None) is not None and not case.include_cancelled_attendees:
            continue
        if getattr(attendee, "arrived", None) is False and not case.include_dna_attendees:
            continue
        visit = placed.get(own)
        if visit is not None and visit.starts > now:
            booked += 1
        else:
            used += 1
    return used, booked


def _form(form: PatientForm, roster: Roster) -> Json:
    return {
        "id": form.id,
        "name": clean(form.name or "", 120),
        "given_at": local_text(form.created_at, roster.zone(form.business_id)) if form.created_at else None,
    }


def _consent(record: Record, forms: Iterable[PatientForm], roster: Roster) -> Json:
    row: Json = {}
    if isinstance(record, Patient):
        answers = {
            "privacy_policy": record.accepted_privacy_policy,
            "sms_marketing": record.accepted_sms_marketing,
            "email_marketing": record.accepted_email_marketing,
        }
        row |= {name: "not answered" if value is None else value for name, value in answers.items()}
    signed = [each for each in forms if each.completed_at is not None and "consent" in fold(each.name or "")]
    if signed:
        last = max(signed, key=lambda each: cast("datetime", each.completed_at))
        when = local_text(cast("datetime", last.completed_at), roster.zone(last.business_id))
        row["consent_form"] = {"id": last.id, "name": clean(last.name or "", 120), "completed_at": when}
    else:
        row["consent_form"] = "none completed"
    return row


def _unpaid(invoices: Sequence[Record]) -> Json:
    row: Json = {"invoices": len(invoices)}
    if invoices:
        total = sum((amount(getattr(each, "total_amount", None)) for each in invoices), Decimal())
        dates = [day for each in invoices if isinstance(day := getattr(each, "issue_date", None), date)]
        row["total"] = format(total, ".2f")
        row["numbers"] = [getattr(each, "number", None) for each in invoices[:10]]
        if dates:
            row["oldest"] = min(dates).isoformat()
    return row


def _free(record: Record, kept: _File, roster: Roster, given: PatientBrief) -> tuple[Json, list[str]]:
    """What people wrote, as far as it was asked for, and sentences about what was left out."""
    free: Json = {}
    left: list[str] = []
    if kept.alerts is not None:
        alerts = [clean(str(getattr(each, "name", "") or ""), 255) for each in kept.alerts]
        free["alerts"] = list[JsonValue](alerts[:_MOST_ALERTS])
        if len(alerts) > _MOST_ALERTS:
            left.append(f"{len(alerts) - _MOST_ALERTS} more alerts: list_medical_alerts shows them.")
    remarks = {name: str(getattr(record, name, None) or "") for name in ("appointment_notes", "notes")}
    if given.notes:
        free |= {name: plain(text, _NOTE_LENGTH) for name, text in remarks.items() if text.strip()}
    elif any(text.strip() for text in remarks.values()):
        left.append("The patient's file holds remarks; they are shown with notes: true.")
    written = [each for each in kept.written or () if isinstance(each, TreatmentNote)]
    if written:
        free["treatment_notes"] = [_note(each, roster) for each in written]
    return free, left


def _note(note: TreatmentNote, roster: Roster) -> Json:
    text = note_text(note.content, _NOTE_LENGTH)
    row: Json = {
        "id": note.id,
        "title": clean(note.title or "", 120),
        "written_at": local_text(note.created_at, roster.home) if note.created_at else None,
        "author": clean(note.author_name or "", 80),
        "state": "draft" if note.draft is not False else "final",
        "text": text,
    }
    if text.endswith("…"):
        row["cut"] = "get_treatment_note has the whole."
    return row


tool = curated(
    "patient_brief",
    "Brief before a visit: alerts, last and next appointments, no-shows, case sessions left, open forms, consent, "
    "unpaid invoices.",
    PatientBrief,
    work,
    needs=(*ROSTER_NEEDS, *PATIENT_NEEDS, *visits.NEEDS),
    synonyms="summary of patient prepare pre-visit overview history allergies warnings referral sessions left owes",
)
