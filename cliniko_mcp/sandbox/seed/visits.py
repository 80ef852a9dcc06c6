"""A visit of the seed: one patient's place in a booking, planned first and added when everything about it is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.rules.attendees import fresh_counts
from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.offer import Offer
from cliniko_mcp.sandbox.seed.staff import Person
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json


@dataclass(slots=True)
class Visit:
    """One attendee; for an individual appointment also the appointment. Instants are naive UTC (see SeedBuilder).

    `shared` is what the appointment and its attendee have in common: cancellation, notes, states of invoice and note,
    case. `own` is what the appointment alone has.
    """

    booking_id: str
    attendee_id: str
    patient: Row
    person: Person
    site: str
    offer: Offer
    starts: datetime
    made: datetime
    in_group: bool = False
    arrived: bool | None = None
    shared: Json = field(default_factory=dict[str, JsonValue])
    own: Json = field(default_factory=dict[str, JsonValue])

    @property
    def ends(self) -> datetime:
        """The end, naive UTC."""
        return self.starts + timedelta(minutes=self.offer.minutes)

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return "cancelled_at" in self.shared

    @property
    def patient_id(self) -> str:
        """The id of the patient."""
        return str(self.patient["id"])


def planned(
    builder: SeedBuilder, patient: Row, person: Person, site: str, offer: Offer, starts: datetime, made: datetime
) -> Visit:
    """A visit with new ids."""
    ids = builder.context.ids
    return Visit(ids.next(), ids.next(), patient, person, site, offer, starts, made)


_REMINDED: Final[Json] = {
    **fresh_counts(),
    "sent_email_reminders_count": 1,
    "sent_sms_reminders_count": 1,
    "email_reminder_sent": True,
    "sms_reminder_sent": True,
}


def build_visits(builder: SeedBuilder, visits: Iterable[Visit]) -> None:
    """Appointments and attendees, and the latest booking of every patient."""
    put = builder.context.store.put
    fresh = fresh_counts()
    latest: dict[str, tuple[datetime, str]] = {}
    for visit in visits:
        made, reminded = stamp(visit.made), visit.starts < builder.now
        stamps: Json = {"created_at": made, "updated_at": _touched(builder, visit, made)}
        patient_id = visit.patient["id"]
        if not visit.in_group:
            put("individual_appointments", {**stamps, **_booking(builder, visit, reminded)})
        put(
            "attendees",
            {
                **stamps,
                "id": visit.attendee_id,
                "booking_id": visit.booking_id,
                "patient_id": patient_id,
                **(_REMINDED if reminded else fresh),
                "arrived": visit.arrived,
                **visit.shared,
            },
        )
        if not visit.cancelled:
            entry = (visit.starts, visit.booking_id)
            latest[visit.patient_id] = max(latest.get(visit.patient_id, entry), entry)
    for patient_id, (_, booking_id) in latest.items():
        builder.context.set_derived("patients", patient_id, latest_booking_id=booking_id)


def _touched(builder: SeedBuilder, visit: Visit, made: str) -> str:
    """When it last changed: at its cancellation, or when the patient came or did not."""
    cancelled = visit.shared.get("cancelled_at")
    if isinstance(cancelled, str):
        return cancelled
    return stamp(min(visit.ends, builder.now)) if visit.arrived is not None else made


def _booking(builder: SeedBuilder, visit: Visit, reminded: bool) -> Json:
    arrived = visit.arrived
    return {
        "id": visit.booking_id,
        "appointment_type_id": builder.id("appointment_types", visit.offer.name),
        "business_id": builder.id("businesses", visit.site),
        "practitioner_id": builder.id("practitioners", visit.person.name),
        "patient_id": visit.patient["id"],
        "starts_at": stamp(visit.starts),
        "ends_at": stamp(visit.ends),
        "patient_name": visit.patient.get("label"),
        "patient_ids": [visit.patient["id"]],
        "email_reminder_sent": reminded,
        "sms_reminder_sent": reminded,
        "online_booking_policy_accepted": False,
        "patient_arrived": arrived,
        "did_not_arrive": None if arrived is None else not arrived,
        **visit.shared,
        **visit.own,
    }
