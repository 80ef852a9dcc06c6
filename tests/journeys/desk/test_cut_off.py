"""The network breaks off while something is written: what the answer advises does it once, and never elsewhere."""

from datetime import UTC
from typing import Any

import pytest
from clinics.rows import stamp

from .conftest import OpenStory
from .office import Scene, Story, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
SECTIONS = [{"name": "S", "questions": [{"name": "Plan", "type": "text"}]}]
Deed = tuple[str, dict[str, Any], str, str]
DEEDS: list[Deed] = [
    ("book_appointment", {"patient": "Faye Lindqvist", "type": "std consult", "when": "Tuesday at 10"},
     "POST", "individual_appointments"),
    ("book_appointment", {"patient": "lindqvist", "type": "massage", "when": "wed 2pm", "repeat": "weekly x3"},
     "POST", "individual_appointments"),
    ("book_appointment", {"patient": "Faye", "type": "pilates", "when": "Monday 5pm"}, "POST", "attendees"),
    ("move_appointment", {"appointment": "Faye's 9:15 on Monday", "when": "an hour later"},
     "PATCH", "individual_appointments"),
    ("move_appointment", {"appointment": "Faye's 9:15 on Monday", "when": "the day after, same time"},
     "PATCH", "individual_appointments"),
    ("move_appointment", {"appointment": "Faye's 9:15 on Monday", "minutes": 60}, "PATCH", "individual_appointments"),
    ("cancel_appointment", {"appointment": "Faye's 9:15 on Monday", "reason": "sick"},
     "PATCH", "individual_appointments"),
    ("cancel_appointment", {"appointment": "Omar's pilates on Monday", "reason": "work"}, "PATCH", "attendees"),
    ("set_attendance", {"appointment": "Faye yesterday at 2", "state": "arrived"}, "PATCH", "attendees"),
    ("block_time", {"when": "every Friday 12 to 1 for 3 weeks", "type": "lunch"}, "POST", "unavailable_blocks"),
    ("block_time", {"when": "Wednesday 3 to half 3", "lift": True}, "PATCH", "unavailable_blocks"),
    ("block_time", {"when": "Wednesday 3 to 4", "lift": True}, "POST", "unavailable_blocks"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte", "case": "Hip"}, "POST", "patient_cases"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte", "born": "12 April '90", "case": "Hip"},
     "POST", "patients"),
    ("write_treatment_note", {"patient": "Faye", "template": "follow up", "answers": {"plan": "Rest."}},
     "POST", "treatment_notes"),
    ("write_treatment_note", {"note": "{note}", "answers": {"Plan": "Rest."}, "final": True},
     "PATCH", "treatment_notes"),
]  # fmt: skip
TABLES = ("individual_appointments", "attendees", "unavailable_blocks", "patients", "patient_cases", "treatment_notes")


def prepared(desk: Story) -> str:
    """Faye's visits, a class, a block on Wednesday at 3 and a draft, whose id is given back."""
    faye, omar = desk.patient("Faye Lindqvist"), desk.patient("Omar Haddad")
    desk.visit(faye, 4, "09:15")
    past = desk.visit(faye, -1, "14:00")
    starts, ends = (stamp(desk.scene.at(6, at).astimezone(UTC)) for at in ("15:00", "16:00"))
    where = {"practitioner_id": desk.staff[desk.who]["id"], "business_id": desk.sites[desk.scene.site]["id"]}
    desk.add("unavailable_blocks", **where, starts_at=starts, ends_at=ends)
    desk.session([omar], 4, "17:00")
    template = desk.add("treatment_note_templates", name="Follow up", content={"sections": SECTIONS})
    note = desk.add(
        "treatment_notes", patient_id=faye["id"], booking_id=past["id"], draft=True, title="Plan",
        content={"sections": SECTIONS}, treatment_note_template_id=template["id"],
        practitioner_id=desk.staff[desk.who]["id"],
    )  # fmt: skip
    return str(note["id"])


async def state(desk: Story) -> list[str]:
    """What stands in the clinic's tables, whatever ids and stamps it has."""
    kept = ("starts_at", "ends_at", "cancellation_reason", "arrived", "draft", "name", "first_name", "date_of_birth")
    found: list[str] = []
    for table in TABLES:
        for row in await desk.rows(table):
            values = [row[name] for name in kept if row.get(name) is not None]
            gone = [name for name in ("cancelled_at", "archived_at") if row.get(name)]
            answers = "Rest." in str(row.get("content"))
            found.append(f"{table} {gone} {values} {answers}")
    return sorted(found)


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
@pytest.mark.parametrize(("scene", "deed"), told(DEEDS), ids=str)
async def test_what_was_cut_off_is_done_once_as_the_answer_advises(
    desk_in: OpenStory, scene: Scene, deed: Deed, kind: str
) -> None:
    tool, arguments, method, table = deed
    whole, cut = desk_in(scene), desk_in(scene)
    notes = {desk: prepared(desk) for desk in (whole, cut)}
    if tool in ("book_appointment", "block_time") and table != "attendees":
        arguments = {**arguments, "practitioner": whole.who}
    if "note" in arguments:
        arguments = {**arguments, "note": notes[whole]}
    done = await whole.tell(tool, **arguments)
    assert "code" not in done, done
    due = await state(whole)
    if "note" in arguments:
        arguments = {**arguments, "note": notes[cut]}
    await cut.cut(kind, method, table)
    lost = await cut.tell(tool, **arguments)
    assert "is not known" in str(lost) and "Call again" in str(lost), lost
    await cut.tell(tool, **lost.get("again", arguments))
    assert await state(cut) == due
    await cut.tell(tool, **lost.get("again", arguments))
    assert await state(cut) == due
