"""Contacts, referral sources, relationships between patients, and medical alerts."""

from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.rules.contacts import DOCTOR, STANDARD
from cliniko_mcp.sandbox.rules.patients import normalised
from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import SeedBuilder
from cliniko_mcp.sandbox.seed.patients import others
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
_SENDERS: Final = {_GP: "General practice", _SPECIALIST: "Specialist", None: "Solicitor"}
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


def build_contacts(builder: SeedBuilder) -> None:
    """The contacts; one doctor has retired."""
    for number, (title, first, last, company, type_code, doctor) in enumerate(_CONTACTS):
        name = " ".join(part for part in (title, first, last) if part)
        phones: list[JsonValue] = [{"phone_type": "Work", "number": f"(02) 5550 2{number:03d}"}]
        builder.add(
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
                "type_code": type_code,
                "doctor_type": doctor,
                "provider_number": f"{4_000_000 + number * 7}A" if type_code == DOCTOR else None,
            },
            known_as=name or company,
            days_ago=1300 - number,
        )
    builder.archive("contacts", builder.id("contacts", "Dr Pia Former"), 150)


def build_ties(builder: SeedBuilder) -> None:
    """Relationships, referral sources and medical alerts."""
    _add_sources(builder)
    for one, other, relation in (
        ("Emma Sample", "Oliver Sample", 30),
        ("Oliver Sample", "Emma Sample", 30),
        ("Grace Example", "Henry Example", 40),
        ("Henry Example", "Grace Example", 40),
        ("Daniel Kim", "Daniela Kim", 30),
        ("Amos Fields", "Edith Former", 60),
    ):
        _relate(builder, builder.id("patients", one), builder.id("patients", other), relation)
    rng = builder.rng("ties")
    patients = [str(row["id"]) for row in others(builder)]
    for _ in range(34):
        one, other = rng.sample(patients, 2)
        _relate(builder, one, other, rng.choice((10, 20, 30, 40, 50, 60, 70)))
    for number, patient in enumerate(rng.sample(patients, 64)):
        alert = builder.add(
            "medical_alerts",
            {"name": _ALERTS[number % len(_ALERTS)], "patient_id": patient},
            days_ago=rng.randint(5, 500),
        )
        if number % 13 == 12:
            builder.archive("medical_alerts", alert, 3)


def _relate(builder: SeedBuilder, one: str, other: str, relation: int) -> None:
    pair: Json = {"patient_id": one, "related_patient_id": other, "relation": relation}
    builder.add("relationships", pair, days_ago=200)


def _add_sources(builder: SeedBuilder) -> None:
    for name, (referrer, subcategories) in _SUBCATEGORIES.items():
        names: list[JsonValue] = [*subcategories]
        builder.add(
            "referral_source_types",
            {"name": name, "referrer_type": referrer, "subcategories": names},
            known_as=name,
            days_ago=1480,
        )
    retired = builder.add("referral_source_types", {"name": "Yellow pages", "subcategories": []}, days_ago=1480)
    builder.archive("referral_source_types", retired, 700)
    rng = builder.rng("sources")
    patients = others(builder)
    kinds = {" ".join(filter(None, contact[:3])): contact[5] for contact in _CONTACTS}
    for number, patient in enumerate(patients):
        if rng.random() > shape.SOURCED.aim:
            continue
        source_type = shape.drawn(rng, shape.SOURCES)
        source: Json = {
            "patient_id": patient["id"],
            "referral_source_type_id": builder.id("referral_source_types", source_type),
            "created_at": patient["created_at"],
            "updated_at": patient["created_at"],
        }
        referrer, subcategories = _SUBCATEGORIES[source_type]
        if referrer == "Contact":
            name = shape.drawn(rng, shape.REFERRERS)
            contact, doctor = builder.id("contacts", name), kinds[name]
            source.update(referrer_id=contact, referrer_type=referrer, subcategory=_SENDERS[doctor])
            if doctor:
                builder.context.set_derived("patients", str(patient["id"]), referring_doctor_id=contact)
        elif referrer == "Patient":
            # Someone who was here before, the long-standing patients more often than others.
            known = patients[int(max(number, 40) * rng.random() ** 2)]
            source.update(referrer_id=(known if known is not patient else patients[number - 1])["id"])
            source["referrer_type"] = referrer
        elif subcategories:
            source["subcategory"] = subcategories[int(len(subcategories) * rng.random() ** 1.6)]
        else:
            source["notes"] = rng.choice(("Walked past", "The market stall", "A colleague at work"))
        builder.add("referral_sources", source)
