"""Sites, users (one for each role), practitioners and their weekly hours."""

from dataclasses import dataclass, field
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.permissions import (
    ADMINISTRATOR,
    BOOKKEEPER,
    POWER_RECEPTIONIST,
    PRACTITIONER,
    RECEPTIONIST,
    SCHEDULER,
)
from cliniko_mcp.sandbox.rules.patients import normalised
from cliniko_mcp.sandbox.seed.builder import ADELAIDE, SYDNEY, SeedBuilder

NORTHSIDE: Final = "Northside"
RIVERSIDE: Final = "Riverside"
ZONES: Final = {NORTHSIDE: (SYDNEY, "Sydney"), RIVERSIDE: (ADELAIDE, "Adelaide")}
"""IANA name and label of each site's zone. Both change their clocks, and they are half an hour apart."""


@dataclass(frozen=True)
class Person:
    """A practitioner: name, designation, role of the login, and hours as {site: {weekday 1..6: (from, to)}}."""

    title: str
    first: str
    last: str
    designation: str
    role: str
    hours: dict[str, dict[int, tuple[str, str]]]
    online: bool = True
    active: bool = True
    name: str = field(init=False)
    """The name that the clinic calls them by."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", " ".join(part for part in (self.title, self.first, self.last) if part))


def _week(days: str, start: str, end: str) -> dict[int, tuple[str, str]]:
    return {int(day): (start, end) for day in days}


PRACTITIONERS: Final = (
    Person("Dr", "Mei", "Ng", "Physiotherapist", ADMINISTRATOR, {NORTHSIDE: _week("12345", "08:30", "17:00")}),
    Person("", "Tom", "Okafor", "Physiotherapist", PRACTITIONER, {NORTHSIDE: _week("1245", "07:00", "15:30")}),
    Person("", "Priya", "Nair", "Exercise Physiologist", PRACTITIONER, {NORTHSIDE: _week("25", "12:00", "18:00")}),
    Person("", "Lena", "Brandt", "Podiatrist", PRACTITIONER, {NORTHSIDE: _week("34", "09:00", "14:00")}, online=False),
    Person("", "Marcus", "Bell", "Myotherapist", PRACTITIONER, {NORTHSIDE: _week("46", "10:00", "15:00")}),
    Person("", "Jack", "Whitfield", "Physiotherapist", PRACTITIONER, {RIVERSIDE: _week("12345", "08:00", "16:30")}),
    Person("", "Aroha", "Tane", "Remedial Massage Therapist", PRACTITIONER, {RIVERSIDE: _week("6", "09:00", "16:00")}),
    Person(
        "",
        "Sam",
        "Iyer",
        "Physiotherapist",
        PRACTITIONER,
        {NORTHSIDE: _week("12", "09:00", "17:00"), RIVERSIDE: _week("45", "09:00", "17:00")},
    ),
    Person("", "Greta", "Holm", "Physiotherapist", PRACTITIONER, {NORTHSIDE: {}}, online=False, active=False),
)

_SHORT_ID: Final = "87654"  # accounts from the first years have short ids

_OFFICE: Final = (
    ("Bianca", "Rossi", POWER_RECEPTIONIST, NORTHSIDE),
    ("Finn", "Gallagher", RECEPTIONIST, NORTHSIDE),
    ("Noor", "Haddad", BOOKKEEPER, RIVERSIDE),
    ("Wes", "Tanaka", SCHEDULER, RIVERSIDE),
)


def build_staff(builder: SeedBuilder) -> None:
    """The two sites and everyone who works there."""
    _add_sites(builder)
    for number, person in enumerate(PRACTITIONERS):
        _add_practitioner(builder, person)
        for site in person.hours:
            _add_number(builder, person, site, number)
    for first, last, role, site in _OFFICE:
        _add_user(builder, "", first, last, role, site, True)


def _add_sites(builder: SeedBuilder) -> None:
    streets = {
        NORTHSIDE: ("12 Example Street", "Sampleton", "NSW", "2999"),
        RIVERSIDE: ("3 Placeholder Parade", "Mockville", "SA", "5999"),
    }
    for number, (site, (zone, label)) in enumerate(ZONES.items()):
        street, city, state, post_code = streets[site]
        builder.add(
            "businesses",
            {
                "id": None if number else _SHORT_ID,
                "business_name": site,
                "display_name": site,
                "label": site,
                "address_1": street,
                "city": city,
                "state": state,
                "post_code": post_code,
                "country": "Australia",
                "country_code": "AU",
                "contact_information": "(02) 5550 1234" if not number else "(08) 5550 4321",
                "email_reply_to": f"{site.lower()}@clinic.example",
                "website_address": f"https://{site.lower()}.clinic.example",
                "show_in_online_bookings": True,
                "appointment_reminders_enabled": True,
                "appointment_type_ids": [],
                "time_zone": label,
                "time_zone_identifier": zone,
            },
            known_as=site,
            days_ago=1500 - number,
        )


def _add_practitioner(builder: SeedBuilder, person: Person) -> None:
    home = next(iter(person.hours))
    user = _add_user(builder, person.title, person.first, person.last, person.role, home, person.active)
    sites: list[JsonValue] = [builder.id("businesses", site) for site in person.hours]
    own = builder.add(
        "practitioners",
        {
            "active": person.active,
            "designation": person.designation,
            "display_name": person.name,
            "first_name": person.first,
            "last_name": person.last,
            "title": person.title or None,
            "label": person.name,
            "description": f"{person.designation} at {' and '.join(person.hours)}.",
            "show_in_online_bookings": person.online,
            "user_id": user,
            "business_ids": sites,
        },
        known_as=person.name,
        days_ago=1400,
    )
    for site, week in person.hours.items():
        _add_hours(builder, own, site, week)


def _add_hours(builder: SeedBuilder, practitioner_id: str, site: str, week: dict[int, tuple[str, str]]) -> None:
    zone, label = ZONES[site]
    for weekday, (start, end) in week.items():
        builder.add(
            "daily_availabilities",
            {
                "availabilities": [{"starts_at": start, "ends_at": end}],
                "business_id": builder.id("businesses", site),
                "practitioner_id": practitioner_id,
                "day_of_week": weekday,
                "time_zone": label,
                "time_zone_identifier": zone,
            },
            days_ago=1300,
        )


def _add_number(builder: SeedBuilder, person: Person, site: str, number: int) -> None:
    builder.add(
        "practitioner_reference_numbers",
        {
            "name": "Provider number",
            "reference_number": f"{2_000_000 + number * 1111}{site[0]}",
            "business_id": builder.id("businesses", site),
            "practitioner_id": builder.id("practitioners", person.name),
        },
        days_ago=1290,
    )


def _add_user(builder: SeedBuilder, title: str, first: str, last: str, role: str, site: str, active: bool) -> str:
    zone, label = ZONES[site]
    phone: list[JsonValue] = [{"phone_type": "Mobile", "number": f"0491 570 {len(last) * 111:03d}"}]
    return builder.add(
        "users",
        {
            "title": title or None,
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}@clinic.example".lower(),
            "role": role,
            "active": active,
            "user_active": active,
            "phone_numbers": normalised(phone, "AU"),
            "time_zone": label,
            "time_zone_identifier": zone,
        },
        known_as=f"{first} {last}",
        days_ago=1450,
    )
