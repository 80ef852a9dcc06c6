"""Visits to choose from, in the error that several fit what was said or none does; and who is in a booking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import Ambiguous, JsonValue, NotFound
from cliniko_mcp.frontdesk.bookings import Entry, entry_of
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, Roster, with_birth_year
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.rows import local_text


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that fits, and the patient by whom it was found."""

    entry: Entry
    patient: Known[Patient] | None


async def several(clinic: GuardedClinic, roster: Roster, hits: Sequence[Hit], message: str) -> Ambiguous:
    """The error that several visits fit, with up to five; the caller raises it."""
    return Ambiguous(
        message.removesuffix(".") + _more(hits) + ".",
        "Ask which one is meant, then call again with its id.",
        candidates=await _rows(clinic, roster, hits),
    )


async def nearest(
    clinic: GuardedClinic, roster: Roster, hits: Sequence[Hit], message: str, now: datetime | None
) -> NotFound:
    """The error that nothing fits, with the visits that come near: by their distance from `now`, else as they
    stand; the caller raises it."""
    near = hits if now is None else sorted(hits, key=lambda hit: (hit.entry.cancelled, abs(hit.entry.starts - now)))
    if not near:
        return NotFound(message, "Say another time; show_diary lists what is booked.")
    return NotFound(
        message.removesuffix(".") + _more(near) + ".",
        "Ask whether one of the candidates is meant, then call again with its id.",
        candidates=await _rows(clinic, roster, near),
    )


def _more(hits: Sequence[Hit]) -> str:
    more = len(hits) - MAX_CANDIDATES
    noun = "candidate is" if more == 1 else "candidates are"
    return f"; {more} more {noun} not shown" if more > 0 else ""


async def _rows(clinic: GuardedClinic, roster: Roster, hits: Sequence[Hit]) -> list[JsonValue]:
    """Up to five visits to choose from, by start, with whose they are."""
    shown = sorted(hits[:MAX_CANDIDATES], key=lambda hit: (hit.entry.starts, hit.entry.id))
    nameless = [hit.entry for hit in shown if hit.patient is None and hit.entry.kind == "appointment"]
    found = await clinic.by_id(Patients.list_patients, [key for entry in nameless for key in entry.patient_ids])
    rows: list[JsonValue] = []
    for hit in shown:
        entry = hit.entry
        record = found.get(entry.patient_ids[0]) if entry in nameless and entry.patient_ids else None
        who = hit.patient or (known_patient(record) if record is not None else None)
        row: dict[str, JsonValue] = {
            "id": entry.id,
            "starts_at": local_text(entry.starts, roster.zone(entry.business_id)),
            "type": roster.name("appointment_type_id", entry.type_id),
            "practitioner": roster.name("practitioner_id", entry.practitioner_id),
        }
        if who is not None:
            row |= {"patient": with_birth_year(who), "patient_id": who.id}
        elif entry.kind == "group":
            row["patients"] = len(entry.patient_ids)
        if entry.cancelled:
            row["is"] = "cancelled"
        rows.append(row)
    return rows


async def patients_of(clinic: GuardedClinic, entry: Entry) -> tuple[Known[Patient], ...]:
    """Everyone booked into an entry, in one request for each 95 of them."""
    found = await clinic.by_id(Patients.list_patients, entry.patient_ids)
    return tuple(known_patient(found[patient_id]) for patient_id in entry.patient_ids if patient_id in found)


def in_series(entry: Entry) -> bool:
    """Whether a booking is one of a series: a repeat, or the first that has some."""
    rule = entry.record.repeat_rule
    return bool(entry.record.repeated_from_id or (rule and rule.repeat_type))


async def series_of(clinic: GuardedClinic, entry: Entry) -> list[Entry]:
    """The live bookings of an entry's series by start, itself among them: two requests, fresh each time."""
    first = entry.record.repeated_from_id or entry.id
    rows = await clinic.collect(Bookings.list_bookings, repeated_from_id=first)
    rows += await clinic.collect(Bookings.list_bookings, id=first)
    found = {row.id: row for row in map(entry_of, rows) if row is not None}
    return sorted(found.values(), key=lambda row: (row.starts, row.id))
