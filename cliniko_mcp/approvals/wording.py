"""What a preview states, for each kind of record that can be archived, deleted or cancelled, and for an update that
loses something.

Of the resource modules a call imports those of its own record and of what is linked to it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from cliniko_mcp.approvals.effects import rule_named
from cliniko_mcp.approvals.facts import Facts, day_words, name_of, patient_words, when_words
from cliniko_mcp.approvals.links import about, appointment_type, practitioner, site
from cliniko_mcp.approvals.losses import Loss, changed
from cliniko_mcp.approvals.other_changes import other_changes
from cliniko_mcp.approvals.refusals import check_place
from cliniko_mcp.approvals.series import later_cancelled, left_alone, stay
from cliniko_mcp.approvals.shown import Fact, Preview
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.filters import FilterValue
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Operation, Unarchive
from cliniko_mcp.cliniko.registry import resource
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps, BookingStamps
from cliniko_mcp.sanitize import clean, counted, label

NOUNS: Final[Mapping[str, str]] = {
    "appointment_type_billable_items": "billable item of an appointment type",
    "appointment_type_products": "product of an appointment type",
    "attendees": "place in an appointment",
    "businesses": "site",
    "communications": "memo",
    "individual_appointments": "appointment",
    "patient_attachments": "attached file",
    "practitioner_reference_numbers": "provider number",
    "taxes": "tax",
    "unavailable_blocks": "blocked-out time",
    "unavailable_block_types": "type of blocked-out time",
}
"""What people call a record, by resource, where that is not the resource's own name in the singular."""

_NAMELESS: Final = frozenset({"appointment_type_billable_items", "appointment_type_products"})

_PEOPLE: Final = frozenset({"patients", "contacts"})
_DONE: Final[Mapping[str, str]] = {"archive": "Archived", "delete": "Deleted", "cancel": "Cancelled"}
_RESTORABLE: Final = "It can be brought back: ask the assistant to restore it."

Stated = Sequence[Fact | str]
"""Facts, and sentences about what follows."""
Subject = Callable[[Facts, Call, Record], Awaitable[Sequence[Fact] | None]]
"""The facts that say which record it is; None where its name and what it belongs to say it."""
Details = Callable[[Facts, Call, Record], Awaitable[Stated]]
"""What a kind of record has besides."""


async def describe(facts: Facts, call: Call, record: Record) -> Preview:
    """What is shown about this call: which record, what follows, whether it can be undone; without its digest.

    Raises ClinikoRefused where something linked cannot be read for another reason than that it is gone or not for this
    key to see.
    """
    resource, shape = call.operation.resource, call.operation.shape
    noun, undo = noun_of(resource), _undo(call.operation)
    stated: list[Fact | str] = [*await _subject(facts, call, record)]
    if shape == "cancel":
        stated += await _cancelling(facts, call, record)
    elif resource in _DETAILS:
        stated += await _DETAILS[resource](facts, call, record)
    return Preview(
        act=f"{shape.capitalize()} this {noun}",
        keep="Keep them" if resource in _PEOPLE else "Keep it",
        done=_DONE[shape],
        facts=[*(fact for fact in stated if isinstance(fact, Fact)), *_number(call)],
        consequences=[sentence for sentence in stated if isinstance(sentence, str)],
        undo=undo,
        restorable=undo == _RESTORABLE,
    )


async def describe_change(facts: Facts, call: Call, record: Record, losses: Sequence[Loss]) -> Preview:
    """What is shown about this update: which record it changes, what that loses, what follows; without its digest.

    Raises what `describe` raises.
    """
    rules = list(dict.fromkeys(rule_named(call.operation, loss.rule) for loss in losses))
    told = {name for rule in rules for name in rule.fields}
    others = await other_changes(facts, call, record, told, {loss.label for loss in losses})
    return Preview(
        act=_acts([rule.act for rule in rules] or ["Change this {noun}"]).format(noun=noun_of(call.operation.resource)),
        keep="Leave it as it is",
        done="Changed",
        facts=[*await _subject(facts, call, record), *_number(call)],
        losses=[*(Fact(loss.label, loss.before, becomes=loss.after) for loss in losses), *others],
        undo=" ".join(dict.fromkeys(rule.undo for rule in rules)),
    )


def _acts(acts: Sequence[str]) -> str:
    """All that a yes does, as one sentence: `Move this {noun} out of the diary and give it to another patient`."""
    first, *others = acts
    more = [f"{act[0].lower()}{act[1:].replace('this {noun}', 'it')}" for act in others]
    return " and ".join([", ".join([first, *more[:-1]]), *more[-1:]])


def noun_of(module: str) -> str:
    """What people call a record of this resource: `patient`."""
    return NOUNS.get(module, module.removesuffix("s").replace("_", " "))


async def _subject(facts: Facts, call: Call, record: Record) -> Sequence[Fact]:
    """The facts that say which record it is, and for records that go by their name what they belong to."""
    module = call.operation.resource
    subject = await _SUBJECTS[module](facts, call, record) if module in _SUBJECTS else None
    if subject is not None:
        return subject
    named = Fact(noun_of(module).capitalize(), name_of(record) or "without a name")
    return [*(() if module in _NAMELESS else (named,)), *await about(facts, record)]


def _number(call: Call) -> Sequence[Fact]:
    return [Fact("Number", call.target)] if call.target else []


def _undo(operation: Operation) -> str:
    """Whether it can be undone and by whom. Source: cliniko-api.md#archive-delete-cancel."""
    if operation.shape == "cancel":
        return "A cancellation cannot be undone; a new appointment can be booked."
    if operation.shape == "delete":
        return "This is permanent: it is deleted for good and nobody can bring it back."
    if any(isinstance(line, Unarchive) for line in resource(operation.resource).operations()):
        return _RESTORABLE
    return "The assistant cannot bring it back; only somebody in Cliniko itself may be able to."


async def _patient(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    from cliniko_mcp.cliniko.resources.patients import Patient

    if not isinstance(record, Patient):
        return None
    return [Fact("Patient", patient_words(record, call.ids["id"]))]


async def _referral(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    return [await _person(facts, "Patient", call.ids["patient_id"])]


async def _person(facts: Facts, role: str, identity: str | None) -> Fact:
    return Fact(role, await facts.patient(identity) or "not known")


async def _block(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlock

    return [*await about(facts, record), await _when(facts, record)] if isinstance(record, UnavailableBlock) else None


async def _place(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    from cliniko_mcp.cliniko.resources.attendees import Attendee
    from cliniko_mcp.cliniko.resources.bookings import Bookings

    if not isinstance(record, Attendee):
        return None
    booking = await facts.linked(Bookings.get_booking, record.booking_id)
    who = await _person(facts, "Patient", record.patient_id)
    if booking is None:
        return [who, Fact("In", "a booking that cannot be read")]
    check_place(call, booking)
    group = [Fact("In", "a group appointment")] if booking.max_attendees is not None else []
    return [who, *group, *await _booking(facts, booking, booking.appointment_type_id)]


async def _relationship(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    from cliniko_mcp.cliniko.resources.relationships import Relationship

    if not isinstance(record, Relationship):
        return None
    kind = clean(record.relation_description or "")
    return [
        await _person(facts, "Patient", record.patient_id),
        await _person(facts, "Related to", record.related_patient_id),
        *([Fact("As", label(kind))] if kind else []),
    ]


async def _appointment(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    if not isinstance(record, AppointmentStamps):
        return None
    patient = await facts.patient(record.patient_id)
    who = [Fact("Patient", patient)] if patient is not None else []
    return [*who, *await _booking(facts, record, record.appointment_type_id)]


async def _group_appointment(facts: Facts, call: Call, record: Record) -> Sequence[Fact] | None:
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment

    return await _booking(facts, record, record.appointment_type_id) if isinstance(record, GroupAppointment) else None


async def _booking(facts: Facts, booking: BookingStamps, type_id: str | None) -> Sequence[Fact]:
    """A diary entry: when, with whom, what for and where."""
    kind = await facts.named(appointment_type(), type_id, "appointment type")
    who = await facts.named(practitioner(), booking.practitioner_id, "practitioner")
    where = await facts.named(site(), booking.business_id, "site")
    named = [Fact(role, name) for role, name in (("With", who), ("For", kind), ("Where", where)) if name]
    return [await _when(facts, booking), *named]


async def _when(facts: Facts, booking: BookingStamps) -> Fact:
    if booking.starts_at is None:
        return Fact("When", "at an unknown time")
    zone = await facts.zone(booking.business_id)
    return Fact("When", *when_words(booking.starts_at, booking.ends_at, zone, facts.now))


async def _coming(facts: Facts, whose: str, which: str, filters: Mapping[str, FilterValue]) -> Stated:
    number = await facts.coming(**filters)
    if number is None:
        return ["Coming appointments could not be looked up."]
    if number == 0:
        return [f"{whose} no coming appointments{which}."]
    stay = "which stays" if number == 1 else "which stay"
    return [f"{whose} {counted(number, 'coming appointment')}{which}, {stay} in the diary."]


async def _of_patient(facts: Facts, call: Call, record: Record) -> Stated:
    return await _coming(facts, "They have", "", {"patient_ids": call.ids["id"]})


async def _of_business(facts: Facts, call: Call, record: Record) -> Stated:
    return await _coming(facts, "It has", "", {"business_id": call.ids["id"]})


async def _of_appointment_type(facts: Facts, call: Call, record: Record) -> Stated:
    return await _coming(facts, "There are", " of this type", {"appointment_type_id": call.ids["id"]})


async def _of_unavailable_block(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.unavailable_blocks import UnavailableBlock, UnavailableBlocks

    listing = UnavailableBlocks.list_unavailable_blocks.where
    return await left_alone(facts, listing, record) if isinstance(record, UnavailableBlock) else []


async def _of_appointment(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointment, IndividualAppointments

    listing = IndividualAppointments.list_individual_appointments.where
    repeats = await left_alone(facts, listing, record) if isinstance(record, IndividualAppointment) else []
    return ["It leaves the diary without a reason being kept.", *repeats]


async def _of_group_appointment(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointment, GroupAppointments

    if not isinstance(record, GroupAppointment):
        return []
    number = len(record.patient_ids or ())
    held = counted(number, "patient holds a place", "patients hold a place") if number else "Nobody holds a place"
    return [f"{held} in it.", *await left_alone(facts, GroupAppointments.list_group_appointments.where, record)]


async def _of_attendee(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.attendees import Attendee
    from cliniko_mcp.cliniko.resources.bookings import Bookings

    booking = await facts.linked(Bookings.get_booking, record.booking_id) if isinstance(record, Attendee) else None
    if booking is None or booking.max_attendees is not None:
        return []
    return ["The place is the whole appointment: it leaves the diary too."]


async def _of_treatment_note(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote

    draft = record.draft if isinstance(record, TreatmentNote) else None
    state = [] if draft is None else [Fact("State", "draft" if draft else "final")]
    return [*await _created(facts, call, record), *state]


async def _created(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.communications import AnyCommunication
    from cliniko_mcp.cliniko.resources.patient_attachments import PatientAttachment
    from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
    from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote

    dated = AnyCommunication, PatientAttachment, PatientForm, TreatmentNote
    if not isinstance(record, dated) or (at := record.created_at) is None:
        return []
    zone = await facts.zone(None)
    return [Fact("Created", day_words(at.astimezone(zone).date(), facts.now.astimezone(zone).date()))]


async def _of_tax(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.taxes import Tax

    rate = (record.rate or record.amount) if isinstance(record, Tax) else None
    return [Fact("Rate", f"{clean(rate, 20)}%")] if rate else []


async def _of_reference_number(facts: Facts, call: Call, record: Record) -> Stated:
    from cliniko_mcp.cliniko.resources.practitioner_reference_numbers import PractitionerReferenceNumber

    number = clean(record.reference_number or "") if isinstance(record, PractitionerReferenceNumber) else ""
    return [Fact("Provider's own number", label(number))] if number else []


async def _cancelling(facts: Facts, call: Call, record: Record) -> Stated:
    """What a cancellation says and reaches: reason, note, series, and that the patient may be notified.

    Source: cliniko-api.md#appointments.
    """
    stated: list[Fact | str] = []
    sent = changed(call)
    reason = sent.get("cancellation_reason")
    if isinstance(reason, int):
        stated.append(Fact("Reason", str(CANCELLATION_REASONS.get(reason, reason))))
    note = sent.get("cancellation_note")
    if isinstance(note, str) and (whole := clean(note, lines=True)):
        stated.append(Fact("Note", whole))
    every = sent.get("apply_to_repeats") is True
    later, at = await later_cancelled(facts, record, every=every)
    if later is None:
        known = "All later ones of its series are cancelled too" if every else "Later ones of its series stay"
        stated.append(f"{known}; how many there are could not be looked up.")
    elif later.number and every:
        also = "the later one" if later.number == 1 else f"the {later.number:,} later ones"
        days = await later.days(facts, at)
        stated.append(f"It is part of a series; {also} will be cancelled too{days and ': '}{days}.")
    elif later.number:
        stated.append(f"It is part of a series; only this one is cancelled, {stay(later.number)}.")
    elif every:
        stated.append("It has no later repeats.")
    return [*stated, "Depending on the clinic's settings, the patient may get a message."]


_SUBJECTS: Final[Mapping[str, Subject]] = {
    "individual_appointments": _appointment,
    "group_appointments": _group_appointment,
    "attendees": _place,
    "patients": _patient,
    "referral_sources": _referral,
    "relationships": _relationship,
    "unavailable_blocks": _block,
}
"""By the resource of the operation."""
_DETAILS: Final[Mapping[str, Details]] = {
    "patients": _of_patient,
    "businesses": _of_business,
    "appointment_types": _of_appointment_type,
    "individual_appointments": _of_appointment,
    "group_appointments": _of_group_appointment,
    "attendees": _of_attendee,
    "unavailable_blocks": _of_unavailable_block,
    "treatment_notes": _of_treatment_note,
    "patient_forms": _created,
    "patient_attachments": _created,
    "communications": _created,
    "taxes": _of_tax,
    "practitioner_reference_numbers": _of_reference_number,
}
