"""Treatment notes, final and in draft, as the practitioners wrote them up, and their templates (api.md 2.5)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.rules.notes import DRAFT, FINAL
from cliniko_mcp.sandbox.seed.builder import Soil, at
from cliniko_mcp.sandbox.seed.documents import NOTE_TEMPLATES, ORDERS, note_content
from cliniko_mcp.sandbox.seed.offer import OFFERS
from cliniko_mcp.sandbox.seed.staff import Person
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.wire import Json

TEMPTED: Final = "Amos Fields"
"""The patient with the note that gives an assistant orders."""

_WRITTEN: Final = 0.34
_DIFFERENT: Final = 24


def plant_templates(soil: Soil) -> None:
    """Two templates in use and one put away."""
    for name, content in NOTE_TEMPLATES.items():
        settings: Json = {"title": name, "include_patient_dob": True, "include_patient_medicare": False}
        values: Json = {"name": name, "content": content, "print_settings": settings}
        soil.plant("treatment_note_templates", values, known_as=name, days_ago=1300)
    old: Json = {"name": "Gait analysis (old)", "content": NOTE_TEMPLATES["Standard consultation"]}
    soil.hide("treatment_note_templates", soil.plant("treatment_note_templates", old, days_ago=1400), 500)
    for offer in OFFERS:
        name = "Initial assessment" if offer.name == "Initial consult" else "Standard consultation"
        template = soil.id("treatment_note_templates", name)
        kind = soil.id("appointment_types", offer.name)
        soil.context.note("appointment_types", kind, treatment_note_template_id=template)


def plant_notes(soil: Soil, visits: Sequence[Visit]) -> None:
    """A note for a part of the visits, those of the last days still in draft now and then."""
    dice = soil.dice("notes")
    # Rows are never altered in place, so notes of the same words may hold the same content.
    contents = {
        (number, initial): note_content(number, soil.day(14).isoformat(), initial=initial)
        for number in range(_DIFFERENT)
        for initial in (False, True)
    }
    for visit in visits:
        if not visit.arrived or visit.in_group or not visit.person.active or dice.random() > _WRITTEN:
            continue
        initial = visit.offer.name == "Initial consult"
        recent = visit.ends > soil.now - timedelta(days=7)
        draft = dice.random() < (0.4 if recent else 0.01)
        number = int(dice.random() * _DIFFERENT)
        template = "Initial assessment" if initial else "Standard consultation"
        note: Json = {
            "title": template,
            "content": contents[number, initial],
            "treatment_note_template_id": soil.id("treatment_note_templates", template),
            "booking_id": visit.booking_id,
            "attendee_id": visit.attendee_id,
            "pinned_at": at(visit.ends) if number == 7 and dice.random() < 0.05 else None,
        }
        row = _plant(soil, visit, visit.person, draft, note)
        if dice.random() < 0.004:
            soil.hide("treatment_notes", row, 1)
        else:
            visit.shared["treatment_note_status"] = DRAFT if draft else FINAL
    _plant_orders(soil, visits)


def _plant_orders(soil: Soil, visits: Sequence[Visit]) -> None:
    """A final note that speaks to an assistant; it names no visit and no template, as letters taken over do."""
    tempted = soil.row("patients", TEMPTED)
    visit = max((each for each in visits if each.arrived and each.person.active), key=lambda each: each.starts)
    content: Json = {"sections": [{"questions": [{"name": "History", "type": "paragraph", "answer": ORDERS}]}]}
    note: Json = {"title": "Phone call", "content": content, "patient_id": tempted["id"]}
    _plant(soil, visit, visit.person, False, note)


def _plant(soil: Soil, visit: Visit, author: Person, draft: bool, note: Json) -> str:
    made = min(soil.now, visit.ends + timedelta(minutes=10))
    final = min(soil.now, visit.ends + timedelta(hours=2))
    user = soil.row("practitioners", author.name)
    return soil.plant(
        "treatment_notes",
        {
            "patient_id": visit.patient["id"],
            "practitioner_id": user["id"],
            "author_name": f"{author.first} {author.last}",
            "draft": draft,
            "finalized_at": None if draft else at(final),
            "updated_at": at(made if draft else final),
            **note,
        },
        made=made,
    )
