"""Which visit is meant is said in the same words to every tool: to move, cancel and read up the coming one is meant,
for attendance and notes the one that was."""

from typing import Any

import pytest

from .conftest import OpenStory
from .office import Scene, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
SECTIONS = [{"name": "S", "questions": [{"name": "Plan", "type": "text"}]}]
SAID = [
    "Faye's 9:15 on Monday", "Faye Lindqvist, mon 9.15", "the 9:15 with {who} on Monday", "Lindqvist monday 9:15am",
    "faye's quarter past nine on Monday", "Monday 9:15, Faye Lindqvist", "{who}'s 9:15 on Monday",
]  # fmt: skip
TOOLS: dict[str, tuple[str, dict[str, Any], int]] = {
    "move_appointment": ("appointment", {"when": "4pm"}, 4),
    "cancel_appointment": ("appointment", {"reason": "away"}, 4),
    "patient_brief": ("appointment", {}, 4),
    "set_attendance": ("appointment", {"state": "did_not_arrive"}, -3),
    "write_treatment_note": ("visit", {"template": "Follow up", "answers": {"Plan": "Rest."}}, -3),
}
ZONES = ["Adelaide", "Sydney", "Olympus", "Nowhere", None]
NEXT = ["my next patient", "my next one", "the next one with {me}", "{me}'s next patient", "my next visit"]
CLASS = ["Faye's pilates on Monday", "Faye at pilates Monday", "Faye Lindqvist, pilates, Monday 5pm",
         "Faye in the Pilates class on Monday", "faye's class monday 5pm"]  # fmt: skip


@pytest.mark.parametrize("tool", list(TOOLS))
@pytest.mark.parametrize(("scene", "words"), told(SAID), ids=str)
async def test_the_same_words_mean_the_visit_that_the_tool_is_about(
    desk_in: OpenStory, scene: Scene, words: str, tool: str
) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    visits = {days: desk.visit(faye, days, "09:15") for days in (-3, 4)}
    for days in (-3, 4):
        desk.visit(desk.patient(f"Omar Other{days + 3}"), days, "09:15", who=desk.second)
        desk.visit(desk.patient(f"Ruth Later{days + 3}"), days, "11:00")
    desk.add("treatment_note_templates", name="Follow up", content={"sections": SECTIONS})
    argument, more, days = TOOLS[tool]
    answer = await desk.tell(tool, **{argument: words.format(who=desk.who), **more})
    assert "code" not in answer, answer
    assert f"{scene.at(days, '09:15'):%Y-%m-%dT%H:%M}" in str(answer) and "Faye Lindqvist" in str(answer), answer
    own = await desk.row("individual_appointments", visits[days]["id"])
    if tool == "move_appointment":
        assert desk.local(own["starts_at"]) == "4 16:00"
    elif tool == "cancel_appointment":
        gone = [row["id"] for row in await desk.rows("individual_appointments") if row.get("cancelled_at")]
        assert gone == [own["id"]]
    elif tool == "set_attendance":
        marked = [row["booking_id"] for row in await desk.rows("attendees") if row.get("arrived") is False]
        assert marked == [own["id"]]
    elif tool == "write_treatment_note":
        (note,) = await desk.new("treatment_notes")
        assert (note["booking_id"], note["patient_id"]) == (own["id"], faye["id"])
    assert len(await desk.wrote()) == (tool != "patient_brief")


@pytest.mark.parametrize(("scene", "words"), told(NEXT), ids=str)
async def test_the_next_one_of_a_practitioner_is_that_of_their_diary(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    me = "Mei Ng"
    desk.visit(desk.patient("Omar Haddad"), 4, "11:00", who=me)
    due = desk.visit(desk.patient("Faye Lindqvist"), 1, "09:15", who=me)
    desk.visit(desk.patient("Ruth Okoye"), 0, "23:00", who=desk.second if desk.second != me else "Tom Okafor")
    answer = await desk.tell("patient_brief", appointment=words.format(me=me))
    assert answer["item"]["name"] == "Faye Lindqvist" and due["id"] in str(answer), answer


@pytest.mark.parametrize(("scene", "words"), told(CLASS), ids=str)
async def test_a_place_in_a_class_is_said_in_words_too(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    session = desk.session([faye, desk.patient("Omar Haddad")], 4, "17:00")
    desk.visit(faye, 4, "09:15")
    answer = await desk.tell("cancel_appointment", appointment=words, reason="sick")
    gone = [row for row in await desk.rows("attendees") if row.get("cancelled_at")]
    assert [(row["booking_id"], row["patient_id"]) for row in gone] == [(session["id"], faye["id"])], answer
    again = await desk.tell("cancel_appointment", appointment=words, reason="sick")
    assert "ancelled" in str(again) and len(await desk.wrote()) == 1


@pytest.mark.long_but_one
@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool not in ("move_appointment", "patient_brief")])
@pytest.mark.parametrize(("scene", "label"), told(ZONES), ids=str)
async def test_a_visit_by_the_clock_of_a_site_without_a_known_zone_is_not_guessed(
    new_desk_in: OpenStory, scene: Scene, label: str | None, tool: str
) -> None:
    desk = new_desk_in(scene)
    site = desk.sites[scene.site]
    site["time_zone_identifier"], site["time_zone"] = None, label
    faye = desk.patient("Faye Lindqvist")
    for days in (-3, 4):
        desk.visit(faye, days, "09:15")
    desk.add("treatment_note_templates", name="Follow up", content={"sections": SECTIONS})
    argument, more, _ = TOOLS[tool]
    answer = await desk.tell(tool, **{argument: "Faye's 9:15 on Monday", **more})
    right = label is not None and label in str(scene.zone)
    assert (len(await desk.wrote()), "code" in answer) == ((1, False) if right else (0, True)), answer
