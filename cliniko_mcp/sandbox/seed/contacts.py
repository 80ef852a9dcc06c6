"""People around the patients: doctors, payers, where patients come from, who belongs to whom, and what to heed."""

from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.rules.contacts import DOCTOR, STANDARD
from cliniko_mcp.sandbox.rules.patients import normalised
from cliniko_mcp.sandbox.seed.builder import Soil
from cliniko_mcp.sandbox.seed.patients import DOCTORS, others
from cliniko_mcp.sandbox.wire import Json

PAYER: Final = 2
_GP, _SPECIALIST = "general_practitioner", "specialist"
_CONTACTS: Final = (
    ("Dr", "Iris", "Sampleford", "Sampleton Family Practice", DOCTOR, _GP),
    ("Dr", "Otto", "Exemplar", "Mockville Medical Centre", DOCTOR, _GP),
    ("Dr", "Pia", "Former", "Sampleton Family Practice", DOCTOR, _GP),
    ("Mr", "Bartholomew", "Knie", "Placeholder Orthopaedics", DOCTOR, _SPECIALIST),
    ("Dr", "Solveig", "Ørsted-Muster", "Imaginary Imaging", DOCTOR, _SPECIALIST),
    (None, None, None, "Mutual of Nowhere", PAYER, None),
    (None, None, None, "Example WorkCare", PAYER, None),
    ("Ms", "Cleo", "Advocate", "Fictional & Partners, Solicitors", STANDARD, None),
    (None, "Pax", None, "Sampleton Netball Club", STANDARD, None),
)
_SUBCATEGORIES: Final[dict[str, tuple[str | None, tuple[str, ...]]]] = {
    "Patient": ("Patient", ()),
    "Contact": ("Contact", ("General practice", "Specialist", "Solicitor")),
    "Other": (None, ()),
    "Internet": (None, ("Search engine", "Our website", "Social media")),
}
_ALERTS: Final = (
    "Pacemaker",
    "Allergic to latex",
    "Takes blood thinners",
    "Falls risk: walk with the patient",
    "Pregnant",
    "Hearing impaired: face the patient",
    "Osteoporosis",
    "Diabetes, type 1",
)


def plant_contacts(soil: Soil) -> None:
    """The address book; one doctor in it has retired."""
    for number, (title, first, last, company, kind, doctor) in enumerate(_CONTACTS):
        name = " ".join(part for part in (title, first, last) if part)
        phones: list[JsonValue] = [{"phone_type": "Work", "number": f"(02) 5550 2{number:03d}"}]
        soil.plant(
            "contacts",
            {
                "title": title,
                "first_name": first,
                "last_name": last,
                "company_name": company,
                "occupation": "Orthopaedic surgeon" if first == "Bartholomew" else None,
                "email": f"desk{number}@practice.example" if number % 3 else None,
                "phone_numbers": normalised(phones, "AU") if number % 4 != 3 else [],
                "address_1": f"{number + 1} Imaginary Avenue",
                "city": "Sampleton",
                "state": "NSW",
                "post_code": "2999",
                "country": "Australia",
                "country_code": "AU",
                "type_code": kind,
                "doctor_type": doctor,
                "provider_number": f"{4_000_000 + number * 7}A" if kind == DOCTOR else None,
            },
            known_as=name or company,
            days_ago=1300 - number,
        )
    soil.hide("contacts", soil.id("contacts", "Dr Pia Former"), 150)


def plant_ties(soil: Soil) -> None:
    """Families, where patients come from, and their alerts."""
    _plant_sources(soil)
    for one, other, relation in (
        ("Emma Sample", "Oliver Sample", 30),
        ("Oliver Sample", "Emma Sample", 30),
        ("Grace Example", "Henry Example", 40),
        ("Henry Example", "Grace Example", 40),
        ("Daniel Kim", "Daniela Kim", 30),
        ("Amos Fields", "Edith Former", 60),
    ):
        _relate(soil, soil.id("patients", one), soil.id("patients", other), relation)
    dice = soil.dice("ties")
    patients = [str(row["id"]) for row in others(soil)]
    for _ in range(34):
        one, other = dice.sample(patients, 2)
        _relate(soil, one, other, dice.choice((10, 20, 30, 40, 50, 60, 70)))
    for number, patient in enumerate(dice.sample(patients, 64)):
        alert = soil.plant(
            "medical_alerts",
            {"name": _ALERTS[number % len(_ALERTS)], "patient_id": patient},
            days_ago=dice.randint(5, 500),
        )
        if number % 13 == 12:
            soil.hide("medical_alerts", alert, 3)


def _relate(soil: Soil, one: str, other: str, relation: int) -> None:
    pair: Json = {"patient_id": one, "related_patient_id": other, "relation": relation}
    soil.plant("relationships", pair, days_ago=200)


def _plant_sources(soil: Soil) -> None:
    for name, (referrer, subcategories) in _SUBCATEGORIES.items():
        words: list[JsonValue] = [*subcategories]
        soil.plant(
            "referral_source_types",
            {"name": name, "referrer_type": referrer, "subcategories": words},
            known_as=name,
            days_ago=1480,
        )
    retired = soil.plant("referral_source_types", {"name": "Yellow pages", "subcategories": []}, days_ago=1480)
    soil.hide("referral_source_types", retired, 700)
    dice = soil.dice("sources")
    patients = [str(row["id"]) for row in others(soil)]
    doctors = [soil.id("contacts", name) for name in DOCTORS]
    for patient in dice.sample(patients, 230):
        kind = dice.choice(("Patient", "Contact", "Contact", "Other", "Internet", "Internet"))
        source: Json = {"patient_id": patient, "referral_source_type_id": soil.id("referral_source_types", kind)}
        referrer, subcategories = _SUBCATEGORIES[kind]
        if referrer == "Contact":
            source.update(referrer_id=dice.choice(doctors), referrer_type=referrer, subcategory=subcategories[0])
        elif referrer == "Patient":
            source.update(referrer_id=dice.choice([each for each in patients[:40] if each != patient]))
            source["referrer_type"] = referrer
        elif subcategories:
            source["subcategory"] = dice.choice(subcategories)
        else:
            source["notes"] = dice.choice(("Walked past", "The market stall", "A colleague at work"))
        soil.plant("referral_sources", source, days_ago=dice.randint(1, 560))
