"""The sentences of a preview, for each kind of record that can be archived, deleted or cancelled."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from cliniko_mcp.approvals.facts import Facts, count_words, moment, name_of, patient_words, text, when_words
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.filters import FilterValue, From
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import Operation, Unarchive
from cliniko_mcp.cliniko.registry import resource
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
"""Where people say it differently from the last word of the resource's name."""

_NAMELESS: Final = frozenset({"appointment_type_billable_items", "appointment_type_products"})
_LINKS: Final = (
    ("practitioner_id", "practitioners", "Practitioner"),
    ("business_id", "businesses", "Site"),
    ("appointment_type_id", "appointment_types", "Appointment type"),
    ("billable_item_id", "billable_items", "Billable item"),
    ("product_id", "products", "Product"),
    ("contact_id", "contacts", "Contact"),
    ("unavailable_block_type_id", "unavailable_block_types", "Kind"),
)

Sentences = Callable[[Facts, Call, Record], Awaitable[list[str]]]


async def describe(facts: Facts, call: Call, record: Record) -> tuple[str, list[str]]:
    """A short title that asks, and the sentences: what exactly, what follows from it, and whether it can be undone."""
    module = call.operation.resource
    verb = call.operation.shape.capitalize()
    noun = NOUNS.get(module, module.removesuffix("s").replace("_", " "))
    named = f"{noun} {name_of(record) or call.ids['id']}"
    match module:
        case "individual_appointments" | "group_appointments":
            what = await _booking(facts, record)
        case "attendees":
            what = await _place(facts, call, record)
        case "patients":
            what = patient_words(record, call.ids["id"])
            what = what if what.startswith("patient ") else f"patient {what}"
        case "relationships":
            what = await _relationship(facts, record)
        case "appointment_type_billable_items" | "appointment_type_products":
            what = f"{noun} (number {call.ids['id']})"
        case _:
            what = named
    sentences = [f"{verb} {what}."]
    if what == named or module in _NAMELESS:
        sentences += await _about(facts, record)
    if module in _SENTENCES:
        sentences += await _SENTENCES[module](facts, call, record)
    if call.operation.shape == "cancel":
        sentences += await _cancelling(facts, call, record)
    return f"{verb} {noun}?", [*sentences, _undo(call)]


async def _place(facts: Facts, call: Call, record: Record) -> str:
    booking = await facts.linked("bookings", text(record, "booking_id"))
    who = await facts.patient(text(record, "patient_id")) or f"attendee {call.ids['id']}"
    return f"the place of {who} in {await _booking(facts, booking) if booking else 'a booking that cannot be read'}"


async def _relationship(facts: Facts, record: Record) -> str:
    one = await facts.patient(text(record, "patient_id")) or "a patient"
    other = await facts.patient(text(record, "related_patient_id")) or "a patient"
    kind = text(record, "relation_description")
    return f"the relationship of {one} with {other}" + (f" ({label(kind)})" if kind else "")


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


async def _booking(facts: Facts, booking: Record) -> str:
    """A diary entry in words: what, whose, with whom, when and where."""
    business = text(booking, "business_id")
    kind = await facts.named("appointment_types", text(booking, "appointment_type_id"), "appointment type")
    practitioner = await facts.named("practitioners", text(booking, "practitioner_id"), "practitioner")
    site = await facts.named("businesses", business, "site")
    patient = await facts.patient(text(booking, "patient_id"))
    start, end = moment(booking, "starts_at"), moment(booking, "ends_at")
    words = "the group appointment" if value_of(booking, "max_attendees") is not None else "the appointment"
    words += f" of {patient}" if patient else ""
    words += f" with {practitioner}" if practitioner else ""
    words += f" on {when_words(start, end, await facts.zone(business))}" if start else " at an unknown time"
    words += f", {kind}" if kind else ""
    return words + (f", at {site}" if site else "")


async def _about(facts: Facts, record: Record) -> list[str]:
    """A sentence for each thing that the record belongs to."""
    sentences: list[str] = []
    if (patient := await facts.patient(text(record, "patient_id"))) is not None:
        sentences.append(f"Patient: {patient}.")
    for name, module, role in _LINKS:
        if (linked := await facts.named(module, text(record, name), role.lower())) is not None:
            sentences.append(f"{role}: {linked}.")
    return sentences


async def _coming(facts: Facts, whose: str, which: str, filters: Mapping[str, FilterValue]) -> list[str]:
    number = await facts.coming(**filters)
    if number is None:
        return ["Coming appointments could not be looked up."]
    if number == 0:
        return [f"{whose} no coming appointments{which}."]
    stay = "which stays" if number == 1 else "which stay"
    return [f"{whose} {count_words(number, 'coming appointment')}{which}, {stay} in the diary."]


async def _patient(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "They have", "", {"patient_ids": call.ids["id"]})


async def _business(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "It has", "", {"business_id": call.ids["id"]})


async def _appointment_type(facts: Facts, call: Call, record: Record) -> list[str]:
    return await _coming(facts, "There are", " of this type", {"appointment_type_id": call.ids["id"]})


async def _unavailable_block(facts: Facts, call: Call, record: Record) -> list[str]:
    start, end = moment(record, "starts_at"), moment(record, "ends_at")
    if start is None:
        return []
    zone = await facts.zone(text(record, "business_id"))
    return [f"When: {when_words(start, end, zone)}.", *await _left_alone(facts, call.operation.resource, record)]


async def _individual_appointment(facts: Facts, call: Call, record: Record) -> list[str]:
    if call.operation.shape == "cancel":
        return []
    sentences = ["It leaves the diary without a reason being kept."]
    return sentences + await _left_alone(facts, call.operation.resource, record)


async def _group_appointment(facts: Facts, call: Call, record: Record) -> list[str]:
    patients = value_of(record, "patient_ids")
    number = len(patients) if isinstance(patients, list) else 0  # pyright: ignore[reportUnknownArgumentType]
    held = count_words(number, "patient holds a place", "patients hold a place") if number else "Nobody holds a place"
    return [f"{held} in it.", *await _left_alone(facts, call.operation.resource, record)]


async def _written(facts: Facts, call: Call, record: Record) -> list[str]:
    made = moment(record, "created_at")
    if made is None:
        return []
    day = made.astimezone(await facts.zone(None))
    words = [f"Created: {day:%A} {day.day} {day:%B %Y}."]
    draft = value_of(record, "draft")
    if isinstance(draft, bool):
        words.append("It is a draft." if draft else "It is final.")
    return words


async def _tax(facts: Facts, call: Call, record: Record) -> list[str]:
    rate = text(record, "rate") or text(record, "amount")
    return [f"Rate: {clean(rate, 20)}%."] if rate else []


async def _reference_number(facts: Facts, call: Call, record: Record) -> list[str]:
    number = text(record, "reference_number")
    return [f"Number: {label(number)}."] if number else []


async def _later(facts: Facts, module: str, record: Record, **filters: FilterValue) -> int | None:
    """How many later records of the same series there are; 0 where the record is not part of one
    (cliniko-api.md#appointments).

    Later is what does not start before it. The first of a series counts too where it was moved behind the record.
    """
    own, first, start = text(record, "id"), text(record, "repeated_from_id"), moment(record, "starts_at")
    if own is None or start is None:
        return 0
    listed = await facts.listed(module, repeated_from_id=first or own, starts_at=From(start), **filters)
    if listed is None:
        return None
    number, rows = listed
    number -= any(text(row, "id") == own for row in rows)
    if first is not None:
        moved = await facts.listed(module, id=first, starts_at=From(start), **filters)
        if moved is None:
            return None
        number += moved[0]
    return number


async def _left_alone(facts: Facts, module: str, record: Record) -> list[str]:
    later = await _later(facts, module, record)
    if later is None:
        return ["Whether it repeats could not be looked up."]
    return [f"It is part of a series; {_stay(later)}."] if later else []


def _stay(later: int) -> str:
    return "the later one stays" if later == 1 else f"the {later:,} later ones stay"


async def _cancelling(facts: Facts, call: Call, record: Record) -> list[str]:
    """What a cancellation says and reaches: reason, note, series, and that the patient may hear of it.

    Source: cliniko-api.md#appointments.
    """
    sentences: list[str] = []
    reason = call.body.sent("cancellation_reason") if call.body is not None else None
    if isinstance(reason, int):
        sentences.append(f"Reason: {CANCELLATION_REASONS.get(reason, reason)}.")
    note = call.body.sent("cancellation_note") if call.body is not None else None
    if isinstance(note, str) and (shown := clean(note, 200)):
        sentences.append("Note: “" + shown.replace("“", "'").replace("”", "'") + "”.")
    later = await _later_cancelled(facts, call, record)
    every = call.body is not None and call.body.sent("apply_to_repeats") is True
    if later is None:
        known = "All later ones of its series are cancelled too" if every else "Later ones of its series stay"
        sentences.append(f"{known}; how many there are could not be looked up.")
    elif later and every:
        also = "the later one" if later == 1 else f"the {later:,} later ones"
        sentences.append(f"It is part of a series; {also} will be cancelled too.")
    elif later:
        sentences.append(f"It is part of a series; only this one is cancelled, {_stay(later)}.")
    elif every:
        sentences.append("It has no later repeats.")
    return [*sentences, "The clinic's settings may notify the patient."]


async def _later_cancelled(facts: Facts, call: Call, record: Record) -> int | None:
    if call.operation.resource != "attendees":
        return await _later(facts, call.operation.resource, record)
    booking = await facts.linked("bookings", text(record, "booking_id"))
    patient = text(record, "patient_id")
    if booking is None or patient is None:
        return None
    group = value_of(booking, "max_attendees") is not None
    if group:
        return await _later(facts, "group_appointments", booking, patient_ids=patient)
    return await _later(facts, "individual_appointments", booking, patient_id=patient)


_SENTENCES: Final[Mapping[str, Sentences]] = {
    "patients": _patient,
    "businesses": _business,
    "appointment_types": _appointment_type,
    "individual_appointments": _individual_appointment,
    "group_appointments": _group_appointment,
    "unavailable_blocks": _unavailable_block,
    "treatment_notes": _written,
    "patient_forms": _written,
    "patient_attachments": _written,
    "communications": _written,
    "taxes": _tax,
    "practitioner_reference_numbers": _reference_number,
}
