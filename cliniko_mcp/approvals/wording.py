"""The sentences of a preview, for each kind of record that can be archived, deleted or cancelled, and for an update
that loses something.

Of the resource modules a call imports those of its own record and of what is linked to it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from cliniko_mcp.approvals.effects import rule_named
from cliniko_mcp.approvals.facts import Facts, count_words, name_of, patient_words, when_words
from cliniko_mcp.approvals.links import about, appointment_type, practitioner, site
from cliniko_mcp.approvals.losses import Loss, as_json, changed, field_words
from cliniko_mcp.approvals.refusals import check_place
from cliniko_mcp.approvals.series import later_cancelled, left_alone, stay
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.filters import FilterValue
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import Operation, Unarchive
from cliniko_mcp.cliniko.registry import resource
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps, BookingStamps
from cliniko_mcp.sanitize import clean, label

NOUNS: Final[Mapping[str, str]] = {
    "appointment_type_billable_items": "the billable item of an appointment type",
    "appointment_type_products": "the product of an appointment type",
    "attendees": "place",
    "businesses": "site",
    "communications": "memo",
    "patient_attachments": "attached file",
    "practitioner_reference_numbers": "provider number",
    "taxes": "tax",
    "unavailable_blocks": "blocked-out time",
    "unavailable_block_types": "type of blocked-out time",
}
"""What people call a record, by resource, where that is not the resource's own name in the singular."""

_NAMELESS: Final = frozenset({"appointment_type_billable_items", "appointment_type_products"})

Subject = Callable[[Facts, Call, Record], Awaitable[str | None]]
"""What exactly is archived, deleted or cancelled, in words; None where its noun and name say it."""
Sentences = Callable[[Facts, Call, Record], Awaitable[list[str]]]
"""The sentences that a kind of record has besides; none for a record of another kind."""


async def describe(facts: Facts, call: Call, record: Record) -> tuple[str, list[str]]:
    """A short question as the title, and the sentences: what exactly, what follows from it, whether it can be undone.

    Raises ClinikoRefused where something linked cannot be read for another reason than that it is gone or not for this
    key to see.
    """
    noun = noun_of(call.operation.resource)
    verb = call.operation.shape.capitalize()
    sentences = await _named(facts, call, record, verb)
    if call.operation.resource in _SENTENCES:
        sentences += await _SENTENCES[call.operation.resource](facts, call, record)
    if call.operation.shape == "cancel":
        sentences += await _cancelling(facts, call, record)
    return f"{verb} {noun}?", [*sentences, _undo(call)]


async def describe_change(facts: Facts, call: Call, record: Record, losses: Sequence[Loss]) -> tuple[str, list[str]]:
    """A short question as the title, and the sentences: which record an update changes, what it loses, what follows.

    Raises what `describe` raises.
    """
    rules = list(dict.fromkeys(rule_named(call.operation, loss.rule) for loss in losses))
    sentences = [*await _named(facts, call, record, "Change"), *map(loss_words, losses)]
    lost = {loss.label for loss in losses}
    others = [field_words(name) for name, value in changed(call).items() if not _same(value, value_of(record, name))]
    if others := [words for words in others if words not in lost]:
        sentences.append(f"It also changes: {', '.join(others)}.")
    sentences += dict.fromkeys(rule.undo for rule in rules)
    title = rules[0].title if rules else "Change this {noun}?"
    return title.format(noun=noun_of(call.operation.resource)), sentences


def _same(sent: object, held: object) -> bool:
    return sent == held or as_json(sent) == as_json(held)


def loss_words(loss: Loss) -> str:
    """A loss as a sentence: `Removed: Email, “a@example.com”.`, or `Changed: Patient, from Ana Lima to Bo Chen.`."""
    if loss.after:
        return f"Changed: {loss.label}, from {loss.before} to {loss.after}."
    return f"Removed: {loss.label}, {loss.before}."


def noun_of(module: str) -> str:
    """What people call a record of this resource: `patient`."""
    return NOUNS.get(module, module.removesuffix("s").replace("_", " "))


async def _named(facts: Facts, call: Call, record: Record, verb: str) -> list[str]:
    """The sentence that says which record it is, and for records that go by their name what they belong to."""
    module, noun = call.operation.resource, noun_of(call.operation.resource)
    what = await _SUBJECTS[module](facts, call, record) if module in _SUBJECTS else None
    if what is not None:
        return [f"{verb} {what}."]
    identity = call.target or ""
    named = f"{noun} (number {identity})" if module in _NAMELESS else f"{noun} {name_of(record) or identity}"
    return [f"{verb} {named}.", *await about(facts, record)]


def _undo(call: Call) -> str:
    if call.operation.shape == "cancel":
        return "A cancellation cannot be undone."
    if call.operation.shape == "delete":
        return "This is permanent: it is deleted for good and cannot be brought back."
    name = _restored_by(call.operation)
    return f"Can be restored with {name}." if name else "It cannot be brought back from here."


def _restored_by(operation: Operation) -> str | None:
    """The name of the operation that brings the record back, where there is one.

    Source: cliniko-api.md#archive-delete-cancel.
    """
    restoring = (line.name for line in resource(operation.resource).operations() if isinstance(line, Unarchive))
    return next(restoring, None)


async def _patient(facts: Facts, call: Call, record: Record) -> str | None:
    from cliniko_mcp.cliniko.resources.patients import Patient

    if not isinstance(record, Patient):
        return None
    words = patient_words(record, call.ids["id"])
    return words if words.startswith("patient ") else f"patient {words}"


async def _referral(facts: Facts, call: Call, record: Record) -> str | None:
    return f"the referral source of {await facts.patient(call.ids['patient_id'])}"


async def _place(facts: Facts, call: Call, record: Record) -> str | None:
    from cliniko_mcp.cliniko.resources.attendees import Attendee
    from cliniko_mcp.cliniko.resources.bookings import Bookings

    if not isinstance(record, Attendee):
        return None
    booking = await facts.linked(Bookings.get_booking, record.booking_id)
    who = await facts.patient(record.patient_id) or f"attendee {call.ids['id']}"
    if booking is None:
        return f"the place of {who} in a booking that cannot be read"
    check_place(call, booking)
    if booking.max_attendees is not None:
        return f"the place of {who} in {await _group(facts, booking, booking.appointment_type_id)}"
    return f"the place of {who} in {await _visit(facts, booking)}"


async def _relationship(facts: Facts, call: Call, record: Record) -> str | None:
    from cliniko_mcp.cliniko.resources.relationships import Relationship

    if not isinstance(record, Relationship):
        return None
    one = await facts.patient(record.patient_id) or "a patient"
    other = await facts.patient(record.related_patient_id) or "a patient"
    kind = clean(record.relation_description or "")
    return f"the relationship of {one} with {other}" + (f" ({label(kind)})" if kind else "")


async def _appointment(facts: Facts, call: Call, record: Record) -> str | None:
    return await _visit(facts, record) if isinstance(record, AppointmentStamps) else None


async def _group_appointment(facts: Facts, call: Call, record: Record) -> str | None:
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment

    return await _group(facts, record, record.appointment_type_id) if isinstance(record, GroupAppointment) else None


async def _visit(facts: Facts, booking: AppointmentStamps) -> str:
    return await _booking(facts, "the appointment", booking, booking.appointment_type_id, booking.patient_id)


async def _group(facts: Facts, booking: BookingStamps, type_id: str | None) -> str:
    return await _booking(facts, "the group appointment", booking, type_id, None)


async def _booking(facts: Facts, noun: str, booking: BookingStamps, type_id: str | None, patient_id: str | None) -> str:
    """A diary entry in words: what, whose, with whom, when and where."""
    kind = await facts.named(appointment_type(), type_id, "appointment type")
    who = await facts.named(practitioner(), booking.practitioner_id, "practitioner")
    where = await facts.named(site(), booking.business_id, "site")
    patient = await facts.patient(patient_id)
    start, end = booking.starts_at, booking.ends_at
    words = noun
    words += f" of {patient}" if patient else ""
    words += f" with {who}" if who else ""
    words += f" on {when_words(start, end, await facts.zone(booking.business_id))}" if start else " at an unknown time"
    words += f", {kind}" if kind else ""
    return words + (f", at {where}" if where else "")


async def _coming(facts: Facts, whose: str, which: str, filters: Mapping[str, FilterValue]) -> list[str]:
    number = await facts.coming(**filters)
    if number is None:
        return ["Coming appointments could not be looked up."]
    if number == 0:
        return [f"{whose} no coming appointments{which}."]
    stay = "which stays" if number == 1 else "which stay"
    return [f"{whose} {count_words(number, 'coming appointment')}{which}, {stay} in the diary."]


async def _of_patient(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "They have", "", {"patient_ids": call.ids["id"]})


async def _of_business(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "It has", "", {"business_id": call.ids["id"]})


async def _of_appointment_type(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "There are", " of this type", {"appointment_type_id": call.ids["id"]})


async def _of_unavailable_block(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlock, UnavailableBlocks

    if not isinstance(record, UnavailableBlock) or record.starts_at is None:
        return []
    when = when_words(record.starts_at, record.ends_at, await facts.zone(record.business_id))
    repeats = await left_alone(facts, UnavailableBlocks.list_unavailable_blocks.where, record)
    return [f"When: {when}.", *repeats]


async def _of_appointment(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointment, IndividualAppointments

    if call.operation.shape == "cancel" or not isinstance(record, IndividualAppointment):
        return []
    repeats = await left_alone(facts, IndividualAppointments.list_individual_appointments.where, record)
    return ["It leaves the diary without a reason being kept.", *repeats]


async def _of_group_appointment(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment, GroupAppointments

    if not isinstance(record, GroupAppointment):
        return []
    number = len(record.patient_ids or ())
    held = count_words(number, "patient holds a place", "patients hold a place") if number else "Nobody holds a place"
    return [f"{held} in it.", *await left_alone(facts, GroupAppointments.list_group_appointments.where, record)]


async def _of_treatment_note(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote

    if not isinstance(record, TreatmentNote):
        return []
    created = await _created(facts, record.created_at)
    if record.draft is None:
        return created
    return [*created, "It is a draft." if record.draft else "It is final."]


async def _of_patient_form(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.patient_forms import PatientForm

    return await _created(facts, record.created_at) if isinstance(record, PatientForm) else []


async def _of_patient_attachment(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment

    return await _created(facts, record.created_at) if isinstance(record, PatientAttachment) else []


async def _of_communication(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.communications import AnyCommunication

    return await _created(facts, record.created_at) if isinstance(record, AnyCommunication) else []


async def _created(facts: Facts, at: datetime | None) -> list[str]:
    if at is None:
        return []
    day = at.astimezone(await facts.zone(None))
    return [f"Created: {day:%A} {day.day} {day:%B %Y}."]


async def _of_tax(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.taxes import Tax

    rate = (record.rate or record.amount) if isinstance(record, Tax) else None
    return [f"Rate: {clean(rate, 20)}%."] if rate else []


async def _of_reference_number(facts: Facts, call: Call, record: Record) -> list[str]:
    from cliniko_mcp.cliniko.resources.practitioner_reference_numbers import PractitionerReferenceNumber

    number = clean(record.reference_number or "") if isinstance(record, PractitionerReferenceNumber) else ""
    return [f"Number: {label(number)}."] if number else []


async def _cancelling(facts: Facts, call: Call, record: Record) -> list[str]:
    """What a cancellation says and reaches: reason, note, series, and that the patient may be notified.

    Source: cliniko-api.md#appointments.
    """
    sentences: list[str] = []
    reason = call.body.sent("cancellation_reason") if call.body is not None else None
    if isinstance(reason, int):
        sentences.append(f"Reason: {CANCELLATION_REASONS.get(reason, reason)}.")
    note = call.body.sent("cancellation_note") if call.body is not None else None
    if isinstance(note, str) and (shown := clean(note, 200)):
        sentences.append("Note: “" + shown.replace("“", "'").replace("”", "'") + "”.")
    later, at = await later_cancelled(facts, record)
    every = call.body is not None and call.body.sent("apply_to_repeats") is True
    if later is None:
        known = "All later ones of its series are cancelled too" if every else "Later ones of its series stay"
        sentences.append(f"{known}; how many there are could not be looked up.")
    elif later.number and every:
        also = "the later one" if later.number == 1 else f"the {later.number:,} later ones"
        days = await later.days(facts, at)
        sentences.append(f"It is part of a series; {also} will be cancelled too{days and ': '}{days}.")
    elif later.number:
        sentences.append(f"It is part of a series; only this one is cancelled, {stay(later.number)}.")
    elif every:
        sentences.append("It has no later repeats.")
    return [*sentences, "The clinic's settings may notify the patient."]


_SUBJECTS: Final[Mapping[str, Subject]] = {
    "individual_appointments": _appointment,
    "group_appointments": _group_appointment,
    "attendees": _place,
    "patients": _patient,
    "referral_sources": _referral,
    "relationships": _relationship,
}
"""By the resource of the operation."""
_SENTENCES: Final[Mapping[str, Sentences]] = {
    "patients": _of_patient,
    "businesses": _of_business,
    "appointment_types": _of_appointment_type,
    "individual_appointments": _of_appointment,
    "group_appointments": _of_group_appointment,
    "unavailable_blocks": _of_unavailable_block,
    "treatment_notes": _of_treatment_note,
    "patient_forms": _of_patient_form,
    "patient_attachments": _of_patient_attachment,
    "communications": _of_communication,
    "taxes": _of_tax,
    "practitioner_reference_numbers": _of_reference_number,
}
