"""Notes are finished where they were begun, new people are looked for first, and a list says what it forgets."""

import pytest

from .conftest import OpenStory
from .office import Row, Scene, Story, told

pytestmark = pytest.mark.anyio
SECTIONS = [{"name": "S", "questions": [{"name": "Progress", "type": "paragraph"}, {"name": "Plan", "type": "text"}]}]
VISITS = ["today", "this morning", "her last visit", "last one", "today's", "the latest"]
NEW = [
    ("Ines", "Duarte", "12 April 1990", "0491 570 110"), ("ines", "duarte", "1990-04-12", "+61 491 570 110"),
    ("Inês", "Duarte", "12/4/1990", None), ("Duarte", "Ines", "12th of April 1990", None),
    ("Ines", "Duarte", "4 December 1990", "0491570110"), ("Ines", "Duarté", None, None),
]  # fmt: skip
PRINTED = ["move_appointment", "book_appointment", "block_time", "find_times", "set_attendance"]


def prepared(desk: Story) -> tuple[Row, Row]:
    """Faye's visit today at 8, the template for its note, and the draft that was begun of it."""
    faye = desk.patient("Faye Lindqvist")
    visit = desk.visit(faye, 0, "08:00", state="arrived")
    desk.add("treatment_note_templates", name="Follow up", content={"sections": SECTIONS})
    return faye, visit


@pytest.mark.long
@pytest.mark.parametrize(("scene", "words"), told(VISITS), ids=str)
async def test_a_draft_is_made_of_the_visit_once_then_completed(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    faye, visit = prepared(desk)
    usual = {"patient": "Faye Lindqvist", "template": "follow up", "visit": words}
    first = await desk.tell("write_treatment_note", **usual, answers={"progress": "Walks well."})
    (note,) = await desk.new("treatment_notes")
    assert (note["booking_id"], note["patient_id"], note["draft"]) == (visit["id"], faye["id"], True), first
    again = await desk.tell("write_treatment_note", **usual, answers={"progress": "Walks well."})
    assert len(await desk.new("treatment_notes")) == 1, again
    done = await desk.tell("write_treatment_note", note=note["id"], answers={"Plan": "Two more."}, final=True)
    after = await desk.row("treatment_notes", note["id"])
    assert after["draft"] is False and "Walks well." in str(after) and "Two more." in str(after), done
    assert await desk.wrote() == ["POST treatment_notes", "PATCH treatment_notes"]


@pytest.mark.parametrize(("scene", "person"), told(NEW), ids=str)
async def test_a_new_file_is_made_only_after_the_same_person_was_shown(
    desk_in: OpenStory, scene: Scene, person: tuple[str, str, str | None, str | None]
) -> None:
    first, last, born, mobile = person
    desk = desk_in(scene)
    phones = [{"phone_type": "Mobile", "number": "0491 570 110"}]
    there = desk.patient("Ines Duarte", date_of_birth="1990-04-12", patient_phone_numbers=phones)
    arguments = {"first_name": first, "last_name": last, "born": born, "mobile": mobile, "email": "ines@mail.example"}
    refused = await desk.tell("register_patient", **{name: value for name, value in arguments.items() if value})
    assert refused["code"] == "clash" and await desk.wrote() == [] and there["id"] in refused["clashes"][0]
    made = await desk.tell(
        "register_patient", **{name: value for name, value in arguments.items() if value}, allow_clash=refused["clash"]
    )
    (row,) = await desk.new("patients")
    assert row["id"] == made["item"]["id"] and await desk.wrote() == ["POST patients"]


@pytest.mark.parametrize(("scene", "tool"), told(PRINTED), ids=str)
async def test_a_time_as_an_answer_prints_it_is_read_back(desk_in: OpenStory, scene: Scene, tool: str) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    visit = desk.visit(faye, -1 if tool == "set_attendance" else 4, "09:15")
    free = await desk.tell("find_times", type="Standard consult", when="Tuesday after 2", practitioner=[desk.who])
    starts, span = free["items"][0]["starts_at"], free["when"]
    calls = {
        "move_appointment": {"appointment": visit["id"], "when": starts},
        "book_appointment": {
            "patient": "Faye Lindqvist", "practitioner": desk.who, "type": "Massage", "when": starts,
        },
        "block_time": {"practitioner": desk.who, "when": span, "business": scene.site},
        "find_times": {"type": "Standard consult", "when": span, "practitioner": [desk.who]},
        "set_attendance": {
            "patient": "Faye", "state": "arrived", "when": f"{scene.at(-1, '09:15'):%Y-%m-%dT%H:%M%z %a}",
        },
    }  # fmt: skip
    answer = await desk.tell(tool, **calls[tool])
    assert "message" not in answer, answer
    if tool == "find_times":
        assert answer["when"] == span and answer["items"] == free["items"]
    elif tool == "set_attendance":
        assert [row["booking_id"] for row in await desk.rows("attendees") if row.get("arrived")] == [visit["id"]]
    else:
        table = "unavailable_blocks" if tool == "block_time" else "individual_appointments"
        assert "5 14:00" in [desk.local(row["starts_at"]) for row in await desk.rows(table)]


@pytest.mark.parametrize(("scene", "left"), told([
    ["0491 570 156"], [], ["(02) 5550 1234"], ["0491 570 156", "0491 570 157"], ["0491 570 158"],
]), ids=str)  # fmt: skip
async def test_a_list_that_is_replaced_says_what_went_by_value(
    desk_in: OpenStory, scene: Scene, left: list[str]
) -> None:
    desk = desk_in(scene)
    before = ["0491 570 156", "(02) 5550 1234", "0491 570 157"]
    rows = [{"phone_type": "Mobile", "number": number} for number in before]
    faye = desk.patient("Faye Lindqvist", patient_phone_numbers=rows)
    numbers = [{"phone_type": "Mobile", "number": number} for number in left]
    call = {"id": faye["id"], "patient_phone_numbers": numbers}
    answer = await desk.tell("cliniko_write", operation="update_patient", arguments=call)
    kept = [row["number"] for row in (await desk.row("patients", faye["id"]))["patient_phone_numbers"]]
    assert kept == left
    assert all((number in str(answer["notes"])) is (number not in left) for number in before), answer


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "when"), told([
    "next week", "next Monday", "in four days", "the next 5 days", "next monday evening", "in 3 to 5 days",
]), ids=str)  # fmt: skip
async def test_create_attendee_names_who_what_and_when(desk_in: OpenStory, scene: Scene, when: str) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    session = desk.session([desk.patient("Omar Haddad")], 4, "17:00")
    then = {"starts_at": when, "appointment_type_id": "pilates"}
    (found,) = (await desk.tell("cliniko_read", operation="list_group_appointments", arguments=then))["items"]
    assert found["id"] == session["id"]
    call = {"booking_id": found["id"], "patient_id": faye["id"]}
    made = await desk.tell("cliniko_write", operation="create_attendee", arguments=call)
    (place,) = await desk.new("attendees")
    words = f"{scene.at(4, '17:00'):%Y-%m-%dT%H:%M}"
    assert all(part in str(made) for part in ("Faye Lindqvist", "Pilates class", words)), made
    gone = await desk.tell("cancel_appointment", appointment="Faye's pilates class on Monday", reason="sick")
    assert (await desk.row("attendees", place["id"])).get("cancelled_at"), gone
    everything = {"patient_ids": faye["id"], "cancelled_at": "all"}
    listed = await desk.tell("cliniko_read", operation="list_bookings", arguments=everything)
    assert listed["items"] == [] and "class" in str(listed["notes"]), listed


@pytest.mark.parametrize(("scene", "deed"), told([
    ("book_appointment", {"patient": "Faye", "type": "Massage", "when": "tue 2pm"}, "may send Faye Lindqvist"),
    ("move_appointment", {"appointment": "Faye on Monday", "when": "an hour later"}, "may send Faye Lindqvist"),
    ("cancel_appointment", {"appointment": "Faye's 9:15 Monday", "reason": "sick"}, "may email Faye Lindqvist"),
    ("block_time", {"when": "Thursday week 12 to 1"}, "sends patients nothing"),
    ("set_attendance", {"patient": "Faye", "when": "yesterday", "state": "arrived"}, "sends patients nothing"),
    ("write_treatment_note", {"patient": "Faye", "template": "Follow up", "answers": {"plan": "Rest."}},
     "sends patients nothing"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte"}, "sends nothing when a file is made"),
]), ids=str)  # fmt: skip
async def test_every_write_says_what_may_be_sent(
    desk_in: OpenStory, scene: Scene, deed: tuple[str, dict[str, object], str]
) -> None:
    tool, arguments, words = deed
    desk = desk_in(scene)
    faye, _ = prepared(desk)
    faye |= {"email": "faye@mail.example", "reminder_type": "SMS & Email"}
    desk.visit(faye, 4, "09:15")
    desk.visit(faye, -1, "14:00")
    named = {"practitioner": desk.who} if tool in ("book_appointment", "block_time") else {}
    answer = await desk.tell(tool, **named, **arguments)
    assert any(words in note for note in answer["notes"]) and await desk.wrote(), answer
