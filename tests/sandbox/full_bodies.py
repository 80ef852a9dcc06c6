"""A full and right body for every create of the API, made of the ids that a test's clinic holds."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from cliniko_mcp.sandbox.wire import SandboxRequest

if TYPE_CHECKING:
    from .world import World

SVG = "data:image/svg+xml,%3Csvg%20width=%2250%22%20height=%2220%22%3E%3C/svg%3E"
FIELD, SECTION, OPTION, DATE = (f"ef4c43ec-105d-489c-88cc-0f3c5f67dc9{digit}" for digit in range(4))
"""Tokens of the custom fields that this clinic asks for."""

Body = dict[str, Any]


def referral(world: "World") -> Body:
    return {
        "referral_source_type_id": world.ids["referral_source_types"],
        "referrer_id": world.ids["contacts"],
        "subcategory": "GP",
        "notes": "By letter",
    }


def content(*more: Body) -> Body:
    questions: list[Body] = [
        {"name": "Line", "type": "text"},
        {"name": "Story", "type": "paragraph", "answer": "<p>So</p>"},
        {"name": "Side", "type": "radiobuttons", "answers": [{"value": "Left"}], "other": {"enabled": True}},
        {"name": "Signs", "type": "checkboxes", "answers": [{"value": "Red"}]},
        *more,
    ]
    return {"sections": [{"name": "Health", "description": "All of it", "questions": questions}, {"name": "End"}]}


def answered(*more: Body) -> Body:
    return content(
        {"name": "Day", "type": "date", "answer": "2026-11-24"},
        {"name": "Pick", "type": "radiobuttons", "answers": [{"value": "Left", "selected": True}, {"value": "Right"}]},
        {"name": "Own", "type": "checkboxes", "other": {"enabled": True, "selected": True, "value": "Else"}},
        *more,
    )


def upload(world: "World") -> str:
    post = world.client.get(f"/patients/{world.ids['patients']}/attachment_presigned_post")
    sent = httpx2.Request("POST", post["url"], data=post["fields"], files={"file": ("a.pdf", b"%PDF", "text/plain")})
    headers = {name.lower(): value for name, value in sent.headers.items()}
    answer = world.sandbox.respond(SandboxRequest("POST", "/_storage/", (), headers, sent.read()))
    return answer.headers["Location"]


def _booking(world: "World") -> Body:
    names = ("practitioner_id", "business_id", "appointment_type_id")
    tables = ("practitioners", "businesses", "appointment_types")
    return {
        **{name: world.ids[table] for name, table in zip(names, tables, strict=True)},
        "starts_at": "2027-03-01T00:00:00Z",
        "ends_at": "2027-03-01T01:00:00Z",
        "notes": "Bring the scan",
    }


def _group(world: "World") -> str:
    kind = world.client.id("appointment_types", "Pilates class")
    return world.client.post("/group_appointments", {**_booking(world), "appointment_type_id": kind})["id"]


def _patient(world: "World", **more: Any) -> Body:
    return {"patient_id": world.ids["patients"], **more}


ADDRESSED: Body = {
    "address_1": "1 Sample Street",
    "address_2": "Unit 2",
    "city": "Sampleton",
    "state": "NSW",
    "post_code": "2999",
    "country_code": "AU",
}
PHONES = [{"phone_type": "Mobile", "number": "0491 570 006"}]
PRONOUNS = dict.fromkeys(
    ("nominative", "accusative", "pronominal_possessive", "predicative_possessive", "reflexive"), "they"
)
REPEATED = {"repeat_type": "Weekly", "number_of_repeats": 1, "repeating_interval": 1}

BODIES: Mapping[str, Callable[["World"], Body]] = {
    "appointment_types": lambda world: {
        "name": "Walk",
        "color": "#1a73e8",
        "duration_in_minutes": 30,
        "max_attendees": 1,
        "category": "Outside",
        "description": "A walk",
        "deposit_price": "10",
        "online_bookings_lead_time_hours": 4,
        "online_payments_mode": "optional",
        "show_in_online_bookings": True,
        "telehealth_enabled": False,
        "add_deposit_to_account_credit": False,
        "billable_item_id": world.ids["billable_items"],
        "product_id": world.ids["products"],
        "treatment_note_template_id": world.ids["treatment_note_templates"],
        "business_ids": [world.ids["businesses"]],
        "practitioner_ids": [world.ids["practitioners"]],
    },
    "appointment_type_billable_items": lambda world: {
        "appointment_type_id": world.ids["appointment_types"],
        "billable_item_id": world.ids["billable_items"],
        "quantity": "1",
        "discount_percentage": "10",
    },
    "appointment_type_products": lambda world: {
        "appointment_type_id": world.ids["appointment_types"],
        "product_id": world.ids["products"],
        "quantity": "2.5",
        "discounted_amount": "5",
    },
    "attendees": lambda world: _patient(
        world, booking_id=_group(world), patient_case_id=world.ids["patient_cases"], notes="Window", arrived=True
    ),
    "availability_blocks": lambda world: {**_booking(world), "repeat_rule": REPEATED},
    "billable_items": lambda world: {
        "name": "Consult",
        "item_code": "C1",
        "item_type": "Service",
        "price": "95",
        "tax_id": world.ids["taxes"],
    },
    "businesses": lambda world: {
        **ADDRESSED,
        "business_name": "Hillside",
        "display_name": "Hill",
        "time_zone": "Melbourne",
        "appointment_type_ids": [world.ids["appointment_types"]],
        "business_registration_name": "ABN",
        "business_registration_value": "12 345 678 910",
        "additional_information": "Ring twice",
        "website_address": "https://hill.clinic.example",
        "email_reply_to": "hill@clinic.example",
        "logo": "aGVsbG8=",
    },
    "communications": lambda world: _patient(
        world, type_code=3, direction_code=2, to="RequestContext", content="Late", confidential=True, **{"from": "Ana"}
    ),
    "concession_types": lambda world: {"name": "Pensioner"},
    "contacts": lambda world: {
        **ADDRESSED,
        "first_name": "Ida",
        "last_name": "Sample",
        "title": "Dr",
        "company_name": "Acme Example",
        "email": "ida@mail.example",
        "type_code": 1,
        "doctor_type": "specialist",
        "provider_number": "123456A",
        "phone_numbers": PHONES,
    },
    "group_appointments": lambda world: {**_booking(world), "max_attendees": 4, "repeat_rule": REPEATED},
    "individual_appointments": lambda world: {
        **_patient(world, patient_case_id=world.ids["patient_cases"]),
        **_booking(world),
    },
    "medical_alerts": lambda world: _patient(world, name="Pacemaker"),
    "patient_attachments": lambda world: _patient(world, upload_url=upload(world), description="Scan"),
    "patient_cases": lambda world: _patient(
        world,
        name="Knee",
        attendee_ids=[world.ids["attendees"]],
        patient_attachment_ids=[world.ids["patient_attachments"]],
        contact_id=world.ids["contacts"],
        issue_date="2026-11-01",
        expiry_date="2027-11-01",
        max_sessions=5,
        max_invoiceable_amount="500",
        referral=True,
        referral_type="medicare",
        notes="Left",
    ),
    "patient_form_templates": lambda world: {
        "name": "Intake",
        "content": content({"name": "Sign", "type": "signature", "required": True}),
        "email_to_patient_on_completion": True,
        "restricted_to_practitioner": False,
    },
    "patient_forms": lambda world: _patient(
        world,
        name="Intake",
        attendee_id=world.ids["attendees"],
        completed=True,
        content=answered({"name": "Sign", "type": "signature", "required": True, "signature": SVG}),
        patient_form_template_id=world.ids["patient_form_templates"],
    ),
    "patients": lambda world: {
        **ADDRESSED,
        "first_name": "Nia",
        "last_name": "Sample",
        "preferred_first_name": "Ni",
        "title": "Mx",
        "date_of_birth": "1990-02-28",
        "email": "nia@mail.example",
        "patient_phone_numbers": PHONES,
        "pronouns": PRONOUNS,
        "reminder_type": "SMS & Email",
        "concession_type_id": world.ids["concession_types"],
        "referring_doctor_id": world.ids["contacts"],
        "sex": "Female",
        "gender_identity": "Woman",
        "medicare": "2123456701",
        "dva_card_number": "NX123456",
        "unsubscribe_sms_marketing": True,
        "accepted_privacy_policy": True,
        "custom_fields": {
            "sections": [
                {
                    "token": SECTION,
                    "fields": [
                        {
                            "token": FIELD,
                            "options": [{"token": OPTION, "selected": True}],
                            "other": {"selected": True, "value": "More"},
                        },
                        {"token": DATE, "value": "2020-01-31"},
                    ],
                }
            ]
        },
    },
    "practitioner_reference_numbers": lambda world: {
        "name": "Provider number",
        "reference_number": "123456A",
        "business_id": world.ids["businesses"],
        "practitioner_id": world.ids["practitioners"],
    },
    "product_suppliers": lambda world: {"name": "Acme Example"},
    "products": lambda world: {
        "name": "Band",
        "item_code": "B1",
        "serial_number": "7",
        "notes": "Blue",
        "price": 22.5,
        "price_includes_tax": True,
        "cost_price": "8",
        "stock_level": "10",
        "product_supplier_id": world.ids["product_suppliers"],
        "tax_id": world.ids["taxes"],
    },
    "relationships": lambda world: {
        "patient_id": world.ids["patients"],
        "related_patient_id": world.client.post("/patients", {"first_name": "Kit", "last_name": "Sample"})["id"],
        "relation": 20,
    },
    "stock_adjustments": lambda world: {
        "product_id": world.ids["products"],
        "quantity": "-1",
        "adjustment_type": "Item Sold",
        "notes": "At the desk",
    },
    "taxes": lambda world: {"name": "VAT", "rate": "20"},
    "treatment_note_templates": lambda world: {
        "name": "SOAP",
        "content": content({"name": "Chart", "type": "bodycharts"}, {"name": "Day", "type": "date"}),
        "print_settings": {"title": "Note", "include_patient_dob": True},
    },
    "treatment_notes": lambda world: _patient(
        world,
        title="Visit",
        draft=True,
        attendee_id=world.ids["attendees"],
        content=answered({"name": "Chart", "type": "bodycharts", "body_chart_ids": ["1104000000000000001"]}),
        treatment_note_template_id=world.ids["treatment_note_templates"],
    ),
    "unavailable_block_types": lambda world: {"name": "Training", "color": "#FFF", "duration_in_minutes": 60},
    "unavailable_blocks": lambda world: {
        **_booking(world),
        "unavailable_block_type_id": world.ids["unavailable_block_types"],
    },
}
"""A full and right body for every create; an update sends as much of it as it takes."""

SPECIAL: Mapping[str, Callable[["World"], Body]] = {"update_referral_source": referral}

MADE = (
    "contacts",
    "product_suppliers",
    "products",
    "treatment_note_templates",
    "patient_form_templates",
    "unavailable_block_types",
    "patient_attachments",
    "patient_cases",
    "appointment_type_billable_items",
    "appointment_type_products",
    "availability_blocks",
    "communications",
    "medical_alerts",
    "patient_forms",
    "practitioner_reference_numbers",
    "relationships",
    "stock_adjustments",
    "treatment_notes",
    "unavailable_blocks",
)
"""What the clinic of these tests has beyond the seed, each after what it names."""
