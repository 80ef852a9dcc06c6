"""What an update may do that a person is asked about: the table of effects, by operation.

An update is asked about for what this call of it does, not for its name. A rule says of a call alone whether it could
apply, so that everyday changes cost no reading, and of the record as it is what would be lost. The table is complete:
every update stands in it, also one without a rule of its own. docs/approvals.md is made of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from cliniko_mcp.approvals.facts import Facts, when_words
from cliniko_mcp.approvals.links import UNREADABLE, linked_words, offered_at, offered_by
from cliniko_mcp.approvals.losses import (
    NOTHING_EARLIER,
    Earlier,
    Loss,
    amount,
    as_json,
    changed,
    empties,
    field_words,
    value_words,
    written,
)
from cliniko_mcp.cliniko.calls import Call, Operation
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.time_zones import local_instant, time_zone

YEARS_AHEAD: Final = 2
"""A start further ahead than so many years is as good as out of the diary."""
_EASTERNMOST: Final = timedelta(hours=14)
"""How far the clocks of a site can be ahead of UTC."""
_ATTENDANCE: Final = frozenset({"arrived"})

Possible = Callable[[Call, datetime, Earlier], bool]
"""Whether a rule could apply to this call, by the call alone; the time is now, aware."""
Losses = Callable[[Facts, Call, Record, Earlier], Awaitable[list[Loss]]]
"""What this call would take from this record by a rule; none where the rule does not apply to it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that an update may do that a person is asked about."""

    name: str
    fields: tuple[str, ...]
    """The fields by which it is done; none where any field may do it."""
    when: str
    """When it applies, for people, in Markdown, after "asked about"."""
    why: str
    """Why it is asked about, for people."""
    title: str
    """The question, with the noun of the record."""
    undo: str
    """What a person is told about bringing back what is lost."""
    possible: Possible
    losses: Losses


def _code(fields: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def _link_cleared(field: str, row: str) -> Rule:
    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        held = value_of(record, field)
        if not isinstance(held, str) or not held:
            return []
        return [Loss(field_words(field), await linked_words(facts, field, held))]

    return Rule(
        "link",
        (field,),
        f"`clear` names `{field}` and one is set",
        f"the {row} that `delete_{row.replace(' ', '_')}` deletes goes with it",
        "Take something off this {noun}?",
        "It is deleted for good.",
        lambda call, now, earlier: field in (sent := changed(call)) and empties(sent[field]),
        losses,
    )


def _list_emptied(field: str, what: str, why: str, listed: Callable[[Facts, str], Awaitable[str]] | None) -> Rule:
    """`listed` says what the list holds where the record does not tell it."""

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        if listed is not None:
            before = await listed(facts, call.ids["id"])
        elif field not in type(record).model_fields:
            before = UNREADABLE
        else:
            before = await _names(facts, field, value_of(record, field))
        return [Loss(what, before)] if before else []

    return Rule(
        "list",
        (field,),
        f"`{field}` becomes an empty list and holds something",
        why,
        "Empty a list of this {noun}?",
        "What the list held is not kept; it can be put together again by hand.",
        lambda call, now, earlier: field in (sent := changed(call)) and empties(sent[field]),
        losses,
    )


async def _names(facts: Facts, field: str, held: object) -> str:
    ids: list[object] = [*held] if isinstance(held, list) else []
    if not ids:
        return ""
    names = [await linked_words(facts, field.removesuffix("s"), str(identity)) for identity in ids[:5]]
    return ", ".join(names) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _start_moved() -> Rule:
    def possible(call: Call, now: datetime, earlier: Earlier) -> bool:
        start = changed(call).get("starts_at")
        if not isinstance(start, datetime):
            return False
        far = (_years_later(now.date()) - now.date()) - timedelta(days=2)
        if start.tzinfo is None:
            # In whatever zone the site is, this day is not over yet.
            soonest = (now.astimezone(UTC) + _EASTERNMOST).date()
            return start.date() < soonest or start.date() - now.date() > far
        return start < now or start - now > far

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        from cliniko_mcp.cliniko.shapes.bookings import BookingStamps

        start = changed(call).get("starts_at")
        if not isinstance(start, datetime) or not isinstance(record, BookingStamps):
            return []
        old, site = record.starts_at, changed(call).get("business_id") or record.business_id
        zone = await facts.zone(site if isinstance(site, str) else None)
        day, today = _instant(start, zone).astimezone(zone).date(), facts.now.astimezone(zone).date()
        was = old.astimezone(zone).date() if old is not None else None
        if day == was or today <= day <= _years_later(today):
            return []
        before = when_words(old, None, zone) if old is not None else "an unknown time"
        return [Loss("Start", before, when_words(_instant(start, zone), None, zone))]

    return Rule(
        "start",
        ("starts_at",),
        f"`starts_at` moves to a day before today, or over {YEARS_AHEAD} years ahead",
        "it leaves the diary, as if it were cancelled, without a reason",
        "Move this {noun} out of the diary?",
        "It can be moved back by hand.",
        possible,
        losses,
    )


def _instant(start: datetime, zone: tzinfo) -> datetime:
    return start if start.tzinfo is not None else local_instant(start, zone)


def _years_later(day: date) -> date:
    year = day.year + YEARS_AHEAD
    return day.replace(year=year, day=min(day.day, 28)) if day.month == 2 else day.replace(year=year)


def _other_patient(*fields: str) -> Rule:
    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        found: list[Loss] = []
        for name in fields:
            new, old = changed(call).get(name), value_of(record, name)
            if isinstance(new, str) and new != old:
                before = await facts.patient(old if isinstance(old, str) else None) or "nobody"
                found.append(Loss(field_words(name), before, await facts.patient(new) or new))
        return found

    return Rule(
        "patient",
        fields,
        f"{_code(fields)} becomes another patient",
        "it leaves one patient's file and appears in another's",
        "Give this {noun} to another patient?",
        "It can be given back by hand.",
        lambda call, now, earlier: any(name in changed(call) for name in fields),
        losses,
    )


def _form_reopened() -> Rule:
    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        from cliniko_mcp.cliniko.resources.patient_forms import PatientForm

        if not isinstance(record, PatientForm) or record.completed_at is None:
            return []
        day = record.completed_at.astimezone(await facts.zone(None))
        return [Loss("Completed", f"{day:%A} {day.day} {day:%B %Y}", "not completed")]

    return Rule(
        "reopened",
        ("completed",),
        "`completed` becomes false and the form is completed",
        "what the patient handed in counts no more, and can be changed",
        "Take back that this {noun} is completed?",
        "It can be completed again, with a new date.",
        lambda call, now, earlier: changed(call).get("completed") is False,
        losses,
    )


def _text_reduced(field: str, what: str) -> Rule:
    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        old, new = (list(written(as_json(value))) for value in (value_of(record, field), changed(call).get(field)))
        held, left = amount(old), amount(new)
        # An unchanged text loses nothing, whatever was taken from it before.
        if left >= held or left * 5 >= max(held, earlier.text):
            return []
        return [Loss(what, value_words(" / ".join(old)), value_words(" / ".join(new)))]

    return Rule(
        "text",
        (field,),
        f"`{field}` keeps less than a fifth of the characters that were written there",
        "what was written about a patient is gone, as if the record were archived",
        "Take away most of what this {noun} says?",
        "What was written cannot be brought back from here.",
        lambda call, now, earlier: field in changed(call),
        losses,
    )


def _zone_changed() -> Rule:
    names = ("time_zone", "time_zone_identifier")

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        sent = changed(call)
        # The label counts where both are sent (cliniko-api.md#communications-phones-zones).
        new = next((sent[name] for name in names if name in sent), None)
        old = next((held for name in reversed(names) if isinstance(held := value_of(record, name), str)), None)
        known = time_zone(new) if isinstance(new, str) else None
        if new == old or (known is not None and known == time_zone(old)):
            return []
        return [Loss("Time zone", old or "none", known.key if known is not None else value_words(new))]

    return Rule(
        "zone",
        names,
        f"{_code(names)} becomes another time zone",
        "every time in the site's diary shifts",
        "Change the time zone of this {noun}?",
        "It can be changed back by hand.",
        lambda call, now, earlier: any(name in changed(call) for name in names),
        losses,
    )


def _emptied() -> Rule:
    def possible(call: Call, now: datetime, earlier: Earlier) -> bool:
        return len(emptied(call)) > 0 and len(emptied(call) | earlier.emptied) > 1

    async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier) -> list[Loss]:
        fields = call.operation.body.model_fields if call.operation.body is not None else {}
        held = {name for name in fields if name not in _ATTENDANCE and _holds(value_of(record, name))}
        going = held & emptied(call)
        before = held | (earlier.emptied & fields.keys())
        if not going or 2 * len(going | (earlier.emptied - held)) <= len(before):
            return []
        return [
            Loss(field_words(name), await linked_words(facts, name, value_of(record, name)))
            for name in fields
            if name in going
        ]

    return Rule(
        "emptied",
        (),
        "two fields or more are emptied, and these are more than half of what the record holds",
        "what is left is hardly the record any more",
        "Empty most of this {noun}?",
        "What is emptied cannot be brought back from here.",
        possible,
        losses,
    )


def emptied(call: Call) -> frozenset[str]:
    """The fields that an update empties, attendance left out."""
    return frozenset(name for name, value in changed(call).items() if empties(value)) - _ATTENDANCE


def can_be_emptied(operation: Operation) -> bool:
    """Whether two fields of this update can be emptied, which the rule for emptied records takes."""
    return len({*operation.clearable} - _ATTENDANCE) > 1


def _holds(value: object) -> bool:
    return not isinstance(value, bool) and not empties(value) and as_json(value) not in ({}, None)


EMPTIED: Final = _emptied()
_NOT_OFFERED: Final = "it is offered nowhere any more, as after `archive_appointment_type`"
_NO_TYPES: Final = "nothing can be booked there, as after `archive_business`"
_NO_VISITS: Final = "the case loses its visits, as after `archive_attendee` for each"
_NO_FILES: Final = "the case loses its files, as after `archive_patient_attachment` for each"
_PATIENT: Final = _other_patient("patient_id")
TABLE: Final[Mapping[str, tuple[Rule, ...]]] = {
    "appointment_types": (
        _link_cleared("billable_item_id", "appointment type billable item"),
        _link_cleared("product_id", "appointment type product"),
        _list_emptied("business_ids", "Sites where it is offered", _NOT_OFFERED, offered_at),
        _list_emptied("practitioner_ids", "Practitioners who offer it", _NOT_OFFERED, offered_by),
    ),
    "appointment_type_billable_items": (),
    "appointment_type_products": (),
    "attendees": (),
    "billable_items": (),
    "businesses": (
        _zone_changed(),
        _list_emptied(
            "appointment_type_ids",
            "Types offered there",
            "nothing can be booked there, as after `archive_business`",
            None,
        ),
    ),
    "communications": (_PATIENT,),
    "concession_types": (),
    "contacts": (),
    "group_appointments": (_start_moved(),),
    "individual_appointments": (_start_moved(), _PATIENT),
    "medical_alerts": (_text_reduced("name", "Alert"), _PATIENT),
    "patients": (),
    "patient_attachments": (),
    "patient_cases": (
        _PATIENT,
        _list_emptied(
            "attendee_ids",
            "Visits that count towards it",
            "the case loses its visits, as after `archive_attendee` for each",
            None,
        ),
        _list_emptied(
            "patient_attachment_ids",
            "Files kept with it",
            "the case loses its files, as after `archive_patient_attachment` for each",
            None,
        ),
    ),
    "patient_forms": (_form_reopened(), _text_reduced("content", "Answers"), _PATIENT),
    "patient_form_templates": (),
    "practitioner_reference_numbers": (),
    "products": (),
    "product_suppliers": (),
    "referral_sources": (),
    "relationships": (_other_patient("patient_id", "related_patient_id"),),
    "taxes": (),
    "treatment_notes": (_text_reduced("content", "Answers"), _PATIENT),
    "treatment_note_templates": (),
    "unavailable_blocks": (_start_moved(),),
    "unavailable_block_types": (),
}
"""The rules of the update of each resource that has one; besides them `EMPTIED` holds for all."""


def rules(operation: Operation) -> tuple[Rule, ...]:
    """The rules of an operation; none for one that is no update."""
    return (*TABLE[operation.resource], EMPTIED) if operation.shape == "update" else ()


def possible(call: Call, now: datetime, earlier: Earlier = NOTHING_EARLIER) -> tuple[Rule, ...]:
    """The rules that could apply to this call, by the call alone."""
    return tuple(rule for rule in rules(call.operation) if rule.possible(call, now, earlier))


async def losses(facts: Facts, call: Call, record: Record, earlier: Earlier = NOTHING_EARLIER) -> list[Loss]:
    """What this update would take from this record that a person is asked about, each with the name of its rule.

    Raises ClinikoRefused where something linked cannot be read for another reason than that it is gone or not for this
    key to see.
    """
    return [
        replace(loss, rule=rule.name)
        for rule in possible(call, facts.now, earlier)
        for loss in await rule.losses(facts, call, record, earlier)
    ]


def rule_named(operation: Operation, name: str) -> Rule:
    """The rule of this operation with this name."""
    return next(rule for rule in rules(operation) if rule.name == name)


def text_amount(call: Call, record: Record) -> int:
    """How many characters the clinical text has that this update would write over; 0 where it writes over none."""
    fields = [
        rule.fields[0] for rule in rules(call.operation) if rule.name == "text" and rule.fields[0] in changed(call)
    ]
    return max((amount(written(as_json(value_of(record, name)))) for name in fields), default=0)
