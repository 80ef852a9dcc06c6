"""Patients: plainly made up, with the awkward ones that every real clinic has."""

from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.rules.patients import label, normalised
from cliniko_mcp.sandbox.seed.soil import Soil

NAMES: Final = (
    ("Ana", "Lima", "1984-03-17"),
    ("Ben", "Adeyemi", "1990-11-02"),
    ("Chloe", "Fairweather", "2001-06-25"),
    ("Zoë", "Müller", "1977-01-09"),
    ("Łukasz", "Nowak", "1969-12-30"),
    ("Siobhán", "O'Brien", "1988-02-29"),
    ("Thị Mai", "Nguyễn", "1995-08-14"),
    ("小红", "王", "1992-05-05"),
    ("ليلى", "حداد", "1981-10-21"),
    ("Jean-Luc", "Dubois-Martin", "1958-07-04"),
    ("Daniel", "Kim", "1979-09-09"),
    ("Daniela", "Kim", "1979-09-09"),
    ("Emma", "Sample", "2010-04-01"),
    ("Oliver", "Sample", "2012-08-19"),
    ("Grace", "Example", "1946-01-31"),
    ("Henry", "Example", "1944-06-06"),
    ("Isla", "Mackenzie", "1999-03-03"),
    ("Jonah", "Wolff", "1986-12-12"),
    ("Keiko", "Yamada", "1972-04-23"),
    ("Liam", "Novak", "2004-02-28"),
    ("Maya", "Rosen", "1993-07-17"),
    ("Noah", "Petrov", "1965-05-01"),
    ("Olga", "Ivanova", "1951-11-11"),
    ("Pablo", "Serrano", "1983-08-08"),
    ("Quinn", "Harper", "1997-10-10"),
    ("Rosa", "Delgado", "1970-02-14"),
    ("Stefan", "Lindqvist", "1989-06-30"),
    ("Tara", "Mbeki", "1994-01-20"),
    ("Uma", "Krishnan", "1976-03-28"),
    ("Victor", "Almeida", "1961-09-15"),
    ("Wendy", "Cho", "1987-05-27"),
    ("Xavier", "Roux", "2000-12-24"),
    ("Yusuf", "Demir", "1991-04-16"),
    ("Zara", "Hussain", "1998-08-30"),
    ("Amos", "Fields", None),
    ("Bridget", "Vale", "1955-10-02"),
    ("Caleb", "Stone", "1982-11-18"),
    ("Delia", "Marsh", "1948-06-13"),
)
_SHORT_IDS: Final = {"Ben Adeyemi": "4211", "Grace Example": "90210", "Keiko Yamada": "987654321098765432"}
_SEX: Final = ("Female", "Male", None)


def plant_patients(soil: Soil) -> None:
    """Everyone in NAMES, then the half-entered, the archived and the merged."""
    for number, (first, last, born) in enumerate(NAMES):
        _plant(soil, number, first, last, born)
    half = _plant(soil, 40, "Walk-in", None, None, id="777")
    _archive(soil, half, 30)
    gone = _plant(soil, 41, "Edith", "Former", "1931-02-02")
    _archive(soil, gone, 90)
    twice = _plant(soil, 42, "Anna", "Lima", "1984-03-17")
    _archive(soil, twice, 60, merged_with_patient_id=soil.id("patients", "Ana Lima"))


def _plant(soil: Soil, number: int, first: str, last: str | None, born: str | None, **more: JsonValue) -> str:
    name = label(first, last) or first
    ascii_name = f"{first}.{last}".lower().replace("'", "").replace(" ", "")
    email = f"{ascii_name}@mail.example" if ascii_name.isascii() and number % 7 != 3 else None
    phones: list[JsonValue] = [{"phone_type": "Mobile", "number": f"0491 57{number // 10} {number * 37 % 1000:03d}"}]
    return soil.plant(
        "patients",
        {
            "id": more.pop("id", None) or _SHORT_IDS.get(name),
            "first_name": first,
            "last_name": last,
            "label": name,
            "date_of_birth": born,
            "email": email,
            "patient_phone_numbers": normalised(phones, "AU") if number % 9 != 8 else [],
            "address_1": f"{number + 1} Fictional Street" if number % 5 else None,
            "city": "Sampleton",
            "state": "NSW",
            "post_code": "2999",
            "country": "Australia",
            "country_code": "AU",
            "time_zone": "Australia/Sydney",
            "sex": _SEX[number % 3],
            "reminder_type": ("SMS & Email", "SMS", "Email", "None")[number % 4],
            "accepted_sms_marketing": number % 3 != 0,
            "accepted_email_marketing": number % 4 != 0,
            "accepted_privacy_policy": None if number % 6 == 5 else True,
            "receives_confirmation_emails": True,
            "receives_cancellation_emails": True,
            "occupation": ("Teacher", "Nurse", "Carpenter", "Student", None)[number % 5],
            "appointment_notes": "Prefers the ground-floor room." if number % 8 == 1 else None,
            "emergency_contact": "" if number % 10 == 4 else None,
            **more,
        },
        known_as=name,
        days_ago=900 - number * 20,
    )


def _archive(soil: Soil, row_id: str, days_ago: int, **more: JsonValue) -> None:
    when = soil.ago(days_ago)
    stamps: dict[str, JsonValue] = {"archived_at": when, "deleted_at": when}
    if more:
        stamps["merged_at"] = when
    soil.desk.note("patients", row_id, **stamps, **more)
