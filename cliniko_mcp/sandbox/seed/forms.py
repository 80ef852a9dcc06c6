"""Patient forms: filled in and signed, still open, edited afterwards; and their templates.

Source: cliniko-api.md#clinical-records, #structured-content.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.seed.builder import SeedBuilder, stamp
from cliniko_mcp.sandbox.seed.documents import FORM_TEMPLATES, SIGNATURE, UNKNOWN_QUESTION, form_content
from cliniko_mcp.sandbox.seed.visits import Visit
from cliniko_mcp.sandbox.wire import Json

_NEW: Final = "New patient form"
_COUNT: Final = 150


def build_forms(builder: SeedBuilder, visits: Sequence[Visit]) -> None:
    """Forms for some initial visits: completed before past ones, mostly open before coming ones."""
    for name, content in FORM_TEMPLATES.items():
        flags: Json = {"email_to_patient_on_completion": name == _NEW, "restricted_to_practitioner": name != _NEW}
        builder.add("patient_form_templates", {"name": name, "content": content, **flags}, known_as=name, days_ago=1250)
    old: Json = {"name": "Screening questions", "content": FORM_TEMPLATES["Exercise readiness"]}
    builder.archive("patient_form_templates", builder.add("patient_form_templates", old, days_ago=900), 300)
    firsts = [visit for visit in visits if visit.offer.name == "Initial consult" and not visit.cancelled]
    coming = [visit for visit in firsts if visit.starts > builder.now]
    past = [visit for visit in firsts if visit.ends < builder.now]
    past = past[:: max(1, len(past) // _COUNT)]
    for number, visit in enumerate([*past, *coming[:12]]):
        _add(builder, number, visit)
    strange: Json = {
        "name": "Falls questionnaire",
        "patient_id": builder.id("patients", "Delia Marsh"),
        "content": UNKNOWN_QUESTION,
        "restricted_to_practitioner": False,
        "email_to_patient_on_completion": False,
    }
    builder.add("patient_forms", strange, days_ago=4)


def _add(builder: SeedBuilder, number: int, visit: Visit) -> None:
    past = visit.ends < builder.now
    begun = min(builder.now, visit.starts) - timedelta(days=1, minutes=number)
    completed = begun + timedelta(hours=5) if past and number % 12 != 11 else None
    edited = completed + timedelta(days=1) if completed is not None and number % 17 == 3 else None
    own, drawn = builder.context.ids.next(), None
    if completed is not None:
        signed: Json = {"image": SIGNATURE, "patient_form_id": own, "user_id": builder.id("users", "Finn Gallagher")}
        drawn = builder.add("signatures", signed, made=completed)
    form = builder.add(
        "patient_forms",
        {
            "id": own,
            "name": _NEW,
            "patient_id": visit.patient["id"],
            "patient_form_template_id": builder.id("patient_form_templates", _NEW),
            "attendee_id": visit.attendee_id,
            "booking_id": visit.booking_id,
            "business_id": builder.id("businesses", visit.site),
            "content": form_content(number, drawn),
            "signatures_id": drawn,
            "completed_at": stamp(completed) if completed else None,
            "edited_at": stamp(min(edited, builder.now)) if edited else None,
            "email_to_patient_on_completion": True,
            "restricted_to_practitioner": False,
            "updated_at": stamp(min(edited or completed or begun, builder.now)),
        },
        made=begun,
    )
    if number % 40 == 39:
        builder.archive("patient_forms", form, 1)
