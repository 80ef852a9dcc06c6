"""Treatment notes, final and in draft, as the practitioners wrote them up, and their templates.

Source: cliniko-api.md#clinical-records.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.rules.notes import DRAFT, FINAL
from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.documents import NOTE_TEMPLATES, ORDERS, note_content
from cliniko_mcp.sandbox.seed.offer import OFFERS
from cliniko_mcp.sandbox.seed.staff import Person
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.wire import Json

TEMPTED: Final = "Amos Fields"
"""The patient with the note that gives an assistant orders."""

_DIFFERENT: Final = 24
_SOON: Final = timedelta(minutes=10)
_LATER: Final = timedelta(hours=2)


def build_templates(builder: SeedBuilder) -> None:
    """Two templates in use and an archived one."""
    for name, content in NOTE_TEMPLATES.items():
        settings: Json = {"title": name, "include_patient_dob": True, "include_patient_medicare": False}
        values: Json = {"name": name, "content": content, "print_settings": settings}
        builder.add("treatment_note_templates", values, known_as=name, days_ago=1300)
    old: Json = {"name": "Gait analysis (old)", "content": NOTE_TEMPLATES["Standard consultation"]}
    builder.archive("treatment_note_templates", builder.add("treatment_note_templates", old, days_ago=1400), 500)
    for offer in OFFERS:
        name = "Initial assessment" if offer.name == "Initial consult" else "Standard consultation"
        template = builder.id("treatment_note_templates", name)
        appointment_type = builder.id("appointment_types", offer.name)
        builder.context.set_derived("appointment_types", appointment_type, treatment_note_template_id=template)


def build_notes(builder: SeedBuilder, visits: Sequence[Visit]) -> None:
    """Notes for a part of the visits; some of the last days are still drafts."""
    rng = builder.rng("notes")
    # Rows are never changed in place, so notes with the same text share their content.
    contents = {
        (number, initial): note_content(number, builder.day(14).isoformat(), initial=initial)
        for number in range(_DIFFERENT)
        for initial in (False, True)
    }
    rows: list[Json] = []
    archived: list[str] = []
    for visit in visits:
        if not visit.arrived or visit.in_group or not visit.person.active or rng.random() > shape.NOTED.aim:
            continue
        initial = visit.offer.name == "Initial consult"
        recent = visit.ends > builder.now - timedelta(days=7)
        draft = rng.random() < (0.4 if recent else 0.01)
        number = int(rng.random() * _DIFFERENT)
        template = "Initial assessment" if initial else "Standard consultation"
        note: Json = {
            "title": template,
            "content": contents[number, initial],
            "treatment_note_template_id": builder.id("treatment_note_templates", template),
            "booking_id": visit.booking_id,
            "attendee_id": visit.attendee_id,
        }
        if number == 7 and rng.random() < 0.05:
            note["pinned_at"] = stamp(visit.ends)
        row = _row(builder, visit, visit.person, draft, note)
        rows.append(row)
        if rng.random() < 0.002:
            archived.append(str(row["id"]))
        else:
            visit.shared["treatment_note_status"] = DRAFT if draft else FINAL
    rows.append(_orders(builder, visits))
    builder.extend("treatment_notes", rows)
    for row_id in archived:
        builder.archive("treatment_notes", row_id, 1)


def _orders(builder: SeedBuilder, visits: Sequence[Visit]) -> Json:
    """A final note with orders to an assistant; like an imported letter it names no visit and no template."""
    tempted = builder.row("patients", TEMPTED)
    visit = max((visit for visit in visits if visit.arrived and visit.person.active), key=lambda visit: visit.starts)
    content: Json = {"sections": [{"questions": [{"name": "History", "type": "paragraph", "answer": ORDERS}]}]}
    note: Json = {"title": "Phone call", "content": content, "patient_id": tempted["id"]}
    return _row(builder, visit, visit.person, False, note)


def _row(builder: SeedBuilder, visit: Visit, author: Person, draft: bool, note: Json) -> Json:
    made = stamp(min(builder.now, visit.ends + _SOON))
    final = made if draft else stamp(min(builder.now, visit.ends + _LATER))
    row: Json = {
        "created_at": made,
        "updated_at": final,
        "id": builder.context.ids.next(),
        "patient_id": visit.patient["id"],
        "practitioner_id": builder.id("practitioners", author.name),
        "author_name": f"{author.first} {author.last}",
        "draft": draft,
        **note,
    }
    if not draft:
        row["finalized_at"] = final
    return row
