"""Appointment types with their sites and practitioners; types of unavailable time."""

from typing import Final, NamedTuple

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.seed.builder import SeedBuilder
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, RIVERSIDE


class Offer(NamedTuple):
    """An appointment type; practitioners whose designation contains one of `designations` offer it."""

    name: str
    minutes: int
    designations: tuple[str, ...]
    sites: tuple[str, ...] = (NORTHSIDE, RIVERSIDE)
    places: int = 1
    category: str = "Consultations"
    color: str = "#1a73e8"
    online: bool = True
    lead_hours: int | None = None


_PHYSIO: Final = ("Physiotherapist",)
_ALL: Final = ("Physiotherapist", "Exercise", "Podiatrist", "Myotherapist", "Massage")

OFFERS: Final = (
    Offer("Standard consult", 30, _ALL),
    Offer("Initial consult", 45, _ALL, lead_hours=4),
    Offer("Extended consult", 60, _PHYSIO, color="#0b8043"),
    Offer("Short review", 15, _PHYSIO, color="#33b679"),
    Offer("Telehealth consult", 30, (*_PHYSIO, "Exercise"), color="#8e24aa"),
    Offer("Post-surgical rehab", 45, _PHYSIO, color="#d50000", online=False),
    Offer("Dry needling", 30, (*_PHYSIO, "Myotherapist"), sites=(NORTHSIDE,), color="#f4511e"),
    Offer("Exercise assessment", 60, ("Exercise",), sites=(NORTHSIDE,), color="#f6bf26"),
    Offer("Foot and gait check", 45, ("Podiatrist",), sites=(NORTHSIDE,), color="#7cb342"),
    Offer("Remedial massage", 60, ("Massage", "Myotherapist"), category="Massage", color="#039be5"),
    Offer("Pilates class", 60, ("Exercise", "Physiotherapist"), places=8, category="Classes", color="#e67c73"),
    Offer(
        "Balance class", 45, ("Exercise",), (NORTHSIDE,), places=6, category="Classes", color="#616161", online=False
    ),
)
RETIRED: Final = Offer("Hydrotherapy", 45, _PHYSIO, (), color="#00695c", online=False)
"""A type that is archived: old appointments still lead to it."""

RETIRED_SINCE: Final = 240
GROUPS: Final = ("Pilates class", "Balance class")
BLOCK_TYPES: Final = (
    ("Lunch", 30, "#9e9e9e"),
    ("Admin", 60, "#bdbdbd"),
    ("Leave", 480, "#795548"),
    ("Off site", 240, "#607d8b"),
)


def build_offer(builder: SeedBuilder) -> None:
    """The appointment types, and the types of unavailable time."""
    for offer in OFFERS:
        _add_type(builder, offer)
    _add_type(builder, RETIRED)
    builder.archive("appointment_types", builder.id("appointment_types", RETIRED.name), RETIRED_SINCE)
    for site in (NORTHSIDE, RIVERSIDE):
        here: list[JsonValue] = [builder.id("appointment_types", offer.name) for offer in OFFERS if site in offer.sites]
        builder.context.set_derived("businesses", builder.id("businesses", site), appointment_type_ids=here)
    for person in PRACTITIONERS:
        usual = builder.id("appointment_types", "Standard consult")
        builder.context.set_derived(
            "practitioners", builder.id("practitioners", person.name), default_appointment_type_id=usual
        )
    for name, minutes, color in (*BLOCK_TYPES, ("Public holiday", 1439, "#b71c1c")):
        builder.add(
            "unavailable_block_types",
            {
                "name": name,
                "duration_in_minutes": minutes,
                "color": color,
                "system_controlled": name == "Public holiday",
            },
            known_as=name,
        )


def _add_type(builder: SeedBuilder, offer: Offer) -> None:
    givers: list[JsonValue] = [
        builder.id("practitioners", person.name)
        for person in PRACTITIONERS
        if any(word in person.designation for word in offer.designations)
    ]
    builder.add(
        "appointment_types",
        {
            "name": offer.name,
            "category": offer.category,
            "color": offer.color,
            "description": f"{offer.name}, {offer.minutes} minutes.",
            "duration_in_minutes": offer.minutes,
            "max_attendees": offer.places,
            "online_bookings_lead_time_hours": offer.lead_hours,
            "practitioner_ids": givers,
            "show_in_online_bookings": offer.online,
            "telehealth_enabled": offer.name.startswith("Telehealth"),
            "add_deposit_to_account_credit": False,
            "appointment_confirmation_template_ids": [],
            "appointment_follow_up_template_ids": [],
            "appointment_reminder_template_ids": [],
        },
        known_as=offer.name,
        days_ago=1200,
    )
