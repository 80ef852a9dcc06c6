"""What an update may do that a person is asked about: the table of effects, by resource.

An update is asked about for what this call of it does, not for its name. The table is complete: the update of every
resource stands in it, also one without a rule of its own. docs/approvals.md is made of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from cliniko_mcp.approvals.effect_rules import (
    EMPTIED,
    Rule,
    emptied,
    emptied_of,
    form_reopened,
    link_cleared,
    other_patient,
    start_moved,
    text_reduced,
    zone_changed,
)
from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.links import offered_at, offered_by
from cliniko_mcp.approvals.losses import NOTHING_EARLIER, Earlier, Loss, amount, as_json, changed, written
from cliniko_mcp.approvals.part_rules import (
    answers_emptied,
    answers_gone,
    list_emptied,
    picture_removed,
    questions_removed,
    series_changed,
    template_put_under,
)
from cliniko_mcp.cliniko.calls import Call, Operation
from cliniko_mcp.cliniko.models import Record, value_of

_NOT_OFFERED: Final = "it is offered nowhere any more, as after `archive_appointment_type`"
_PATIENT: Final = other_patient("patient_id")
TABLE: Final[Mapping[str, tuple[Rule, ...]]] = {
    "appointment_types": (
        link_cleared("billable_item_id", "appointment type billable item"),
        link_cleared("product_id", "appointment type product"),
        list_emptied("business_ids", "Sites where it is offered", _NOT_OFFERED, offered_at),
        list_emptied("practitioner_ids", "Practitioners who offer it", _NOT_OFFERED, offered_by),
    ),
    "appointment_type_billable_items": (),
    "appointment_type_products": (),
    "attendees": (),
    "billable_items": (),
    "businesses": (
        zone_changed(),
        list_emptied(
            "appointment_type_ids",
            "Types offered there",
            "nothing can be booked there, as after `archive_business`",
            None,
        ),
        picture_removed("remove_logo", "Logo"),
    ),
    "communications": (text_reduced("content", "Text"), _PATIENT),
    "concession_types": (),
    "contacts": (),
    "group_appointments": (start_moved(), series_changed()),
    "individual_appointments": (start_moved(), _PATIENT, series_changed()),
    "medical_alerts": (text_reduced("name", "Alert"), _PATIENT),
    "patients": (answers_emptied("custom_fields"),),
    "patient_attachments": (),
    "patient_cases": (
        _PATIENT,
        list_emptied(
            "attendee_ids",
            "Visits that count towards it",
            "the case loses its visits, as after `archive_attendee` for each",
            None,
        ),
        list_emptied(
            "patient_attachment_ids",
            "Files kept with it",
            "the case loses its files, as after `archive_patient_attachment` for each",
            None,
        ),
    ),
    "patient_forms": (
        form_reopened(),
        text_reduced("content", "Answers"),
        template_put_under("patient_form_template_id", "content", "Answers"),
        _PATIENT,
    ),
    "patient_form_templates": (questions_removed("content"),),
    "practitioner_reference_numbers": (),
    "products": (),
    "product_suppliers": (),
    "referral_sources": (),
    "relationships": (other_patient("patient_id", "related_patient_id"),),
    "taxes": (),
    "treatment_notes": (
        text_reduced("content", "Answers"),
        template_put_under("treatment_note_template_id", "content", "Answers"),
        _PATIENT,
    ),
    "treatment_note_templates": (questions_removed("content"),),
    "unavailable_blocks": (start_moved(), series_changed()),
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


def emptied_parts(call: Call, record: Record | None) -> frozenset[str]:
    """What this update empties of what the record holds, fields and answers; without a record what it sends empty."""
    if record is None:
        return emptied(call)
    fields = [rule.fields[0] for rule in rules(call.operation) if rule.name == "answers"]
    answers = (answers_gone(field, call, record) for field in fields)
    return emptied_of(call, record).union(*answers)


def text_amount(call: Call, record: Record) -> int:
    """How many letters and digits of clinical text this update would write over; 0 where it writes over none."""
    fields = [
        rule.fields[0] for rule in rules(call.operation) if rule.name == "text" and rule.fields[0] in changed(call)
    ]
    return max((amount(written(as_json(value_of(record, name)))) for name in fields), default=0)
