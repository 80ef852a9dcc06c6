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
    ends: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.ends = self.starts + timedelta(minutes=self.offer.minutes)

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


def reminders_of(patient: Row) -> tuple[bool, bool]:
    """Whether a patient is reminded by SMS and by email: as wished, and where there is a mobile or an address."""
    wish, phones = str(patient.get("reminder_type")), patient.get("patient_phone_numbers")
    mobile = "SMS" in wish and isinstance(phones, list) and "'Mobile'" in str(phones)
    return mobile, "Email" in wish and "email" in patient


_DAY: Final = timedelta(days=1)


def _sent(sms: bool, email: bool) -> Json:
    return {
        **fresh_counts(),
        "sent_email_reminders_count": int(email),
        "sent_sms_reminders_count": int(sms),
        "email_reminder_sent": email,
        "sms_reminder_sent": sms,
    }


_SENT: Final = {(sms, email): _sent(sms, email) for sms in (False, True) for email in (False, True)}


def build_visits(builder: SeedBuilder, visits: Iterable[Visit]) -> None:
    """Appointments and attendees, and the latest booking of every patient."""
    soon, now = builder.now + _DAY, stamp(builder.now)
    attendees: list[Json] = []
    bookings: list[Json] = []
    latest: dict[str, tuple[datetime, str]] = {}
    wishes: dict[str, tuple[bool, bool]] = {}
    for visit in visits:
        made, patient_id, shared = stamp(visit.made), visit.patient_id, visit.shared
        cancelled = shared.get("cancelled_at")
        reminded = (False, False)
        if visit.starts < soon and (cancelled is None or str(cancelled) > stamp(visit.starts - _DAY)):
            if patient_id not in wishes:
                wishes[patient_id] = reminders_of(visit.patient)
            reminded = wishes[patient_id]
        ends = stamp(visit.ends)
        updated = cancelled or (min(ends, now) if visit.arrived is not None else made)
        attendee: Json = {
            "created_at": made,
            "updated_at": updated,
            "id": visit.attendee_id,
            "booking_id": visit.booking_id,
            "patient_id": patient_id,
            **_SENT[reminded],
            **shared,
        }
        arrived = visit.arrived
        if arrived is not None:
            attendee["arrived"] = arrived
        attendees.append(attendee)
        if not visit.in_group:
            booking: Json = {
                "created_at": made,
                "updated_at": updated,
                "id": visit.booking_id,
                "appointment_type_id": builder.id("appointment_types", visit.offer.name),
                "business_id": builder.id("businesses", visit.site),
                "practitioner_id": builder.id("practitioners", visit.person.name),
                "patient_id": patient_id,
                "starts_at": stamp(visit.starts),
                "ends_at": ends,
                "patient_ids": [patient_id],
                "email_reminder_sent": reminded[1],
                "sms_reminder_sent": reminded[0],
                "online_booking_policy_accepted": False,
                **shared,
                **visit.own,
            }
            if (name := visit.patient.get("label")) is not None:
                booking["patient_name"] = name
            if arrived is not None:
                booking["patient_arrived"], booking["did_not_arrive"] = arrived, not arrived
            bookings.append(booking)
        if cancelled is None:
            entry = (visit.starts, visit.booking_id)
            if patient_id not in latest or latest[patient_id] < entry:
                latest[patient_id] = entry
    builder.extend("attendees", attendees)
    builder.extend("individual_appointments", bookings)
    for patient_id, (_, booking_id) in latest.items():
        builder.context.set_derived("patients", patient_id, latest_booking_id=booking_id)
