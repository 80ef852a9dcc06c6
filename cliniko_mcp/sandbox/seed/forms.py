"""Patient forms: filled in and signed, still open, edited afterwards; and their templates (api.md 2.5, 3.4)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.seed.builder import Soil, at
from cliniko_mcp.sandbox.seed.documents import FORM_TEMPLATES, SIGNATURE, UNKNOWN_QUESTION, form_content
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.wire import Json

_NEW: Final = "New patient form"
_COUNT: Final = 150


def plant_forms(soil: Soil, visits: Sequence[Visit]) -> None:
    """A form for some initial visits: completed before a past one, mostly open before a coming one."""
    for name, content in FORM_TEMPLATES.items():
        flags: Json = {"email_to_patient_on_completion": name == _NEW, "restricted_to_practitioner": name != _NEW}
        soil.plant("patient_form_templates", {"name": name, "content": content, **flags}, known_as=name, days_ago=1250)
    old: Json = {"name": "Screening questions", "content": FORM_TEMPLATES["Exercise readiness"]}
    soil.hide("patient_form_templates", soil.plant("patient_form_templates", old, days_ago=900), 300)
    firsts = [each for each in visits if each.offer.name == "Initial consult" and not each.cancelled]
    coming = [each for each in firsts if each.starts > soil.now]
    past = [each for each in firsts if each.ends < soil.now]
    past = past[:: max(1, len(past) // _COUNT)]
    for number, visit in enumerate([*past, *coming[:12]]):
        _plant(soil, number, visit)
    strange: Json = {
        "name": "Falls questionnaire",
        "patient_id": soil.id("patients", "Delia Marsh"),
        "content": UNKNOWN_QUESTION,
        "restricted_to_practitioner": False,
        "email_to_patient_on_completion": False,
    }
    soil.plant("patient_forms", strange, days_ago=4)


def _plant(soil: Soil, number: int, visit: Visit) -> None:
    past = visit.ends < soil.now
    begun = min(soil.now, visit.starts) - timedelta(days=1, minutes=number)
    completed = begun + timedelta(hours=5) if past and number % 12 != 11 else None
    edited = completed + timedelta(days=1) if completed is not None and number % 17 == 3 else None
    own, drawn = soil.context.ids.next(), None
    if completed is not None:
        signed: Json = {"image": SIGNATURE, "patient_form_id": own, "user_id": soil.id("users", "Finn Gallagher")}
        drawn = soil.plant("signatures", signed, made=completed)
    form = soil.plant(
        "patient_forms",
        {
            "id": own,
            "name": _NEW,
            "patient_id": visit.patient["id"],
            "patient_form_template_id": soil.id("patient_form_templates", _NEW),
            "attendee_id": visit.attendee_id,
            "booking_id": visit.booking_id,
            "business_id": soil.id("businesses", visit.site),
            "content": form_content(number, drawn),
            "signatures_id": drawn,
            "completed_at": at(completed) if completed else None,
            "edited_at": at(min(edited, soil.now)) if edited else None,
            "email_to_patient_on_completion": True,
            "restricted_to_practitioner": False,
            "updated_at": at(min(edited or completed or begun, soil.now)),
        },
        made=begun,
    )
    if number % 40 == 39:
        soil.hide("patient_forms", form, 1)
