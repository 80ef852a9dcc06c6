"""What a catalogue operation says of the messages that may follow it, in the words of the tools of the front desk.

Requests: none where an appointment or a file is made or changed, whose names have been read; for a place in a class its
type and its site, where memory has none; after a cancellation one for the patient.
"""

from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.moments import is_timed
from cliniko_mcp.results.names import Named, ids_in, linked, referenced

UNKNOWN: Final = "Depending on the clinic's settings, the patient may get a message."
"""What is said where the settings could not be read."""
_VISITS: Final = frozenset({"individual_appointments", "attendees"})
"""The resources of whose rows one is made for each visit of a patient."""
_SET_UP: Final = ("appointment_type_id", "business_id")


async def messages_after(clinic: GuardedClinic, call: Call, record: Record, found: Named) -> list[str]:
    """A sentence on what may go out for what was made or moved, now and before the visit; none for anything else.

    `found` holds the records behind the ids of the new one.
    """
    operation = call.operation
    if operation.resource == "patients" and operation.shape == "create":
        return _of_a_file(record)
    if operation.resource not in _VISITS or not (operation.shape == "create" or _moved(call)):
        return []
    return [await _of_a_booking(clinic, record, found) or UNKNOWN]


async def messages_after_cancelling(clinic: GuardedClinic, call: Call, before: Record | None) -> list[str]:
    """A sentence on what may go out now that a visit is cancelled, which was `before`; none for anything else."""
    if call.operation.resource not in _VISITS or call.operation.shape != "cancel":
        return []
    from cliniko_mcp.cliniko.resources.patients import Patient
    from cliniko_mcp.frontdesk.notices import cancelling_notices
    from cliniko_mcp.frontdesk.patient_names import known_patient

    if before is None:
        return [UNKNOWN]
    named = await referenced(clinic, ids_in([before], ("patient_id",)))
    patients = [one for one in named.records.get("patient_id", {}).values() if isinstance(one, Patient)]
    return [cancelling_notices(known_patient(one)) for one in patients] or [UNKNOWN]


def _moved(call: Call) -> bool:
    sent = call.body.sent if call.body is not None and call.operation.shape == "update" else None
    return sent is not None and bool(sent("starts_at") or sent("patient_id"))


def _of_a_file(record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.patients import Patient
    from cliniko_mcp.frontdesk.notices import filing_notices

    return [filing_notices(record)] if isinstance(record, Patient) else []


async def _of_a_booking(clinic: GuardedClinic, record: Record, found: Named) -> str:
    """The sentence on a visit or a place in a class; empty where its patient, type or site could not be read."""
    from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
    from cliniko_mcp.cliniko.resources.businesses import Business
    from cliniko_mcp.cliniko.resources.patients import Patient
    from cliniko_mcp.frontdesk.notices import booking_notices
    from cliniko_mcp.frontdesk.patient_names import known_patient
    from cliniko_mcp.frontdesk.roster import Known

    visit = next(iter(found.records.get("booking_id", {}).values()), record)
    named = found if visit is record else await referenced(clinic, ids_in([visit], _SET_UP))
    patient = _first(found, record, "patient_id")
    kind, site = (_first(named, visit, name) for name in _SET_UP)
    if not (isinstance(patient, Patient) and isinstance(kind, AppointmentType) and isinstance(site, Business)):
        return ""
    begun = is_timed(visit) and visit.starts_at is not None and visit.starts_at <= clinic.now
    return booking_notices(known_patient(patient), Known(kind.id, "", kind), Known(site.id, "", site), begun=begun)


def _first(found: Named, record: Record, name: str) -> Record | None:
    records = found.records.get(name, {})
    return next((records[key] for key in linked(record, name) if key in records), None)
