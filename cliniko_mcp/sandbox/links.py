"""The link objects that each resource embeds and where they lead (cliniko-api.md#resources, "Links"; their form, and
which of them are null: cliniko-api.md#values).

`one` names a record by its stored `<name>_id`; `many` is a path below the base URL, `{id}` being the record's own id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one resource. `nullable` ones are null when unset; all other unset to-one links are left out."""

    one: Mapping[str, str] = field(default_factory=dict[str, str])
    many: Mapping[str, str] = field(default_factory=dict[str, str])
    nullable: tuple[str, ...] = ()


_BOOKING: Final = {
    "appointment_type": "appointment_types",
    "business": "businesses",
    "practitioner": "practitioners",
}


def _booking(table: str, one: Mapping[str, str], attendees: bool = True) -> Links:
    many = {"conflicts": f"/{table}/{{id}}/conflicts"}
    if attendees:
        many["attendees"] = f"/{table}/{{id}}/attendees"
    return Links({**one, "repeated_from": table}, many, ("repeats",))


_MESSAGE: Final = {
    "attendee": "attendees",
    "booking": "bookings",
    "invoice": "invoices",
    "letter": "letters",
    "patient": "patients",
    "payment": "payments",
}

LINKS: Final[Mapping[str, Links]] = {
    "appointment_type_billable_items": Links(
        {"appointment_type": "appointment_types", "billable_item": "billable_items"}
    ),
    "appointment_type_products": Links({"appointment_type": "appointment_types", "product": "products"}),
    "appointment_types": Links(
        {
            "billable_item": "billable_items",
            "product": "products",
            "treatment_note_template": "treatment_note_templates",
        },
        {
            "appointment_type_billable_items": "/appointment_type_billable_items?q%5B%5D=appointment_type_id%3A%3D{id}",
            "appointment_type_products": "/appointment_type_products?q%5B%5D=appointment_type_id%3A%3D{id}",
            "practitioners": "/appointment_types/{id}/practitioners",
        },
    ),
    "attendees": Links(
        {"booking": "bookings", "patient": "patients", "patient_case": "patient_cases"},
        {"invoices": "/attendees/{id}/invoices", "patient_forms": "/attendees/{id}/patient_forms"},
    ),
    "availability_blocks": Links({"business": "businesses", "practitioner": "practitioners"}),
    "billable_items": Links({"tax": "taxes"}),
    "businesses": Links(
        many={"appointments": "/businesses/{id}/appointments", "practitioners": "/businesses/{id}/practitioners"}
    ),
    "communications": Links(_MESSAGE),
    "concession_prices": Links({"billable_item": "billable_items", "concession_type": "concession_types"}),
    "daily_availabilities": Links({"business": "businesses", "practitioner": "practitioners"}),
    "group_appointments": _booking("group_appointments", _BOOKING),
    "individual_appointments": _booking(
        "individual_appointments", {**_BOOKING, "patient": "patients", "patient_case": "patient_cases"}
    ),
    "invoice_items": Links({"billable_item": "billable_items", "invoice": "invoices", "product": "products"}),
    "invoices": Links(
        {
            "appointment": "appointments",
            "attendee": "attendees",
            "business": "businesses",
            "original_invoice": "invoices",
            "patient": "patients",
            "practitioner": "practitioners",
            "signature": "signatures",
        },
        {
            "invoice_items": "/invoices/{id}/invoice_items",
            "reversed_invoices": "/invoices?q%5B%5D=invoice_id%3A%3D{id}",
        },
    ),
    "medical_alerts": Links({"patient": "patients"}),
    "patient_attachments": Links({"patient": "patients", "user": "users"}, nullable=("content",)),
    "patient_cases": Links(
        {"contact": "contacts", "patient": "patients"},
        {
            "attendees": "/patient_cases/{id}/attendees",
            "bookings": "/patient_cases/{id}/bookings",
            "invoices": "/patient_cases/{id}/invoices",
            "patient_attachments": "/patient_cases/{id}/patient_attachments",
        },
    ),
    "patient_forms": Links(
        {"attendee": "attendees", "booking": "bookings", "business": "businesses", "patient": "patients"},
        nullable=("signatures",),
    ),
    "patients": Links(
        {
            "concession_type": "concession_types",
            "latest_booking": "bookings",
            "merged_with_patient": "patients",
            "referring_doctor": "contacts",
        },
        {
            "appointments": "/patients/{id}/appointments",
            "attendees": "/attendees?q%5B%5D=patient_id%3A%3D{id}",
            "invoices": "/patients/{id}/invoices",
            "medical_alerts": "/patients/{id}/medical_alerts",
            "patient_attachments": "/patients/{id}/patient_attachments",
            "relationships": "/relationships?q%5B%5D=patient_id%3A%3D{id}",
        },
    ),
    "practitioner_reference_numbers": Links({"business": "businesses", "practitioner": "practitioners"}),
    "practitioners": Links(
        {"default_appointment_type": "appointment_types", "user": "users"},
        {
            "appointment_types": "/practitioners/{id}/appointment_types",
            "appointments": "/practitioners/{id}/appointments",
            "invoices": "/practitioners/{id}/invoices",
            "practitioner_reference_numbers": "/practitioners/{id}/practitioner_reference_numbers",
        },
    ),
    "products": Links(
        {"product_supplier": "product_suppliers", "tax": "taxes"},
        {"stock_adjustments": "/stock_adjustments?q%5B%5D=product_id%3A%3D{id}"},
    ),
    "recalls": Links({"patient": "patients", "recall_type": "recall_types"}),
    "referral_source_types": Links(nullable=("referrers",)),
    "referral_sources": Links(
        {"patient": "patients", "referral_source_type": "referral_source_types"}, nullable=("referrer",)
    ),
    "relationships": Links({"patient": "patients", "related_patient": "patients"}),
    "services": Links({"appointment_type": "appointment_types", "business": "businesses"}),
    "signatures": Links({"user": "users"}),
    "stock_adjustments": Links({"product": "products", "user": "users"}),
    "treatment_notes": Links(
        {
            "attendee": "attendees",
            "booking": "bookings",
            "patient": "patients",
            "practitioner": "practitioners",
            "treatment_note_template": "treatment_note_templates",
        }
    ),
    "unavailable_blocks": _booking(
        "unavailable_blocks",
        {
            "business": "businesses",
            "practitioner": "practitioners",
            "unavailable_block_type": "unavailable_block_types",
        },
        attendees=False,
    ),
}

OTHER_IDS: Final[Mapping[str, str]] = {
    "appointment_type_ids": "appointment_types",
    "attendee_ids": "attendees",
    "business_ids": "businesses",
    "patient_attachment_ids": "patient_attachments",
    "patient_form_template_id": "patient_form_templates",
    "practitioner_ids": "practitioners",
    "product_supplier_id": "product_suppliers",
    "treatment_note_template_id": "treatment_note_templates",
}
"""Ids in bodies that are no link of their resource, with the resource that they name."""

WRITE_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "appointment_types": frozenset({"business_ids", "practitioner_ids"}),
    "businesses": frozenset({"logo", "logo_height", "remove_logo"}),
    "patient_attachments": frozenset({"upload_url"}),
    "patient_cases": frozenset({"patient_attachment_ids"}),
    "patient_forms": frozenset({"completed", "patient_form_template_id"}),
    "patients": frozenset({"unsubscribe_sms_marketing"}),
    "products": frozenset({"price", "price_includes_tax"}),
    "referral_sources": frozenset({"referrer_id"}),
}
"""Write-only fields: stored for the rules, never answered (cliniko-api.md#resources, "write-only")."""

NO_SELF: Final = frozenset({"services", "settings", "public_settings"})
"""Resources without a link to themselves (cliniko-api.md#values)."""

VIEWS: Final[Mapping[str, tuple[str, ...]]] = {
    "bookings": ("individual_appointments", "group_appointments", "unavailable_blocks"),
    "appointments": ("individual_appointments", "group_appointments"),
}
"""Resources that are a view of other tables under the same ids."""


def target_of(resource: str, field_name: str) -> str | None:
    """The resource that an id field (`patient_id`, `business_ids`) of this resource names, or None."""
    links = LINKS.get(resource)
    if field_name.endswith("_id") and links is not None:
        found = links.one.get(field_name.removesuffix("_id"))
        if found is not None:
            return found
    return OTHER_IDS.get(field_name)
