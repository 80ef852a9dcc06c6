"""A brief before a visit, a cut diary, a move to a weekday that was not said, and what the server says at first."""

import pytest

from .conftest import OpenStory
from .office import SCENES, Row, Scene, Story, told

pytestmark = pytest.mark.anyio
SPOKEN = ["Faye's 9:15 on Monday", "faye monday quarter past 9", "Faye Lindqvist, Mon 9.15am", "Lindqvist's next one",
          "the 9:15 on Monday", "Faye's appt on Monday"]  # fmt: skip
ANOTHER_DAY = [
    ("a day after Monday at 10", "5 10:00"), ("2 days before Friday at 10", "6 10:00"),
    ("2 days after Monday at 10", "6 10:00"), ("3 days after Monday at 2:30", "7 14:30"),
    ("one day after Monday, half nine", "5 09:30"), ("two days after Tuesday at 11", "7 11:00"),
]  # fmt: skip
SAME_DAY = [("Tuesday at 10", "5 10:00"), ("Tues, no sorry, Wed at 10", "6 10:00"), ("the Friday, 2pm", "8 14:00"),
            ("mon arvo at 3", "4 15:00"), ("thurs 9am", "7 09:00")]  # fmt: skip
DIARIES = [("Monday", 3), ("mon", 4), ("next monday", 5), ("in four days", 3), ("Monday all day", 4)]
LEFT = "08:00-08:30, 09:00-09:30, 10:00-10:30, 11:00-11:30, 12:00-18:00"


def note(desk: Story, patient: Row, visit: Row, title: str, text: str, *, draft: bool) -> Row:
    """A treatment note of a visit with this text."""
    content = {"sections": [{"name": "S", "questions": [{"name": "Notes", "type": "paragraph", "answer": text}]}]}
    return desk.add(
        "treatment_notes", patient_id=patient["id"], booking_id=visit["id"], title=title, draft=draft, content=content,
        practitioner_id=desk.staff[desk.who]["id"],
    )  # fmt: skip


def place(desk: Story, visit: Row) -> Row:
    """The attendee of a visit."""
    return next(row for row in desk.clinic.rows("attendees") if row["booking_id"] == visit["id"])


@pytest.mark.long
@pytest.mark.parametrize(("scene", "words"), told(SPOKEN), ids=str)
async def test_a_brief_says_by_which_visit_it_was_found_and_has_what_belongs_to_it(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    before = desk.visit(faye, -7, "11:00", state="arrived")
    missed = desk.visit(faye, -14, "11:00", state="missed")
    coming, later = desk.visit(faye, 4, "09:15"), desk.visit(faye, 11, "09:15")
    plan = "The plan for this visit, told at length. " * 60
    note(desk, faye, coming, "Plan", plan, draft=True)
    note(desk, faye, before, "Last time", "Better.", draft=False)
    for name, visit, done in (("Pain scale", coming, None), ("Intake", coming, "2026-09-20T00:30:00Z"),
                              ("Other", before, None)):  # fmt: skip
        desk.add(
            "patient_forms", patient_id=faye["id"], name=name, attendee_id=place(desk, visit)["id"], completed_at=done
        )
    case = desk.add(
        "patient_cases", name="Knee", patient_id=faye["id"], closed=False, max_sessions=5, include_dna_attendees=True
    )
    for visit in (before, missed, coming, later):
        place(desk, visit)["patient_case_id"] = case["id"]
    answer = await desk.tell("patient_brief", appointment=words, notes=True)
    item, starts = answer["item"], f"{scene.at(4, '09:15'):%Y-%m-%dT%H:%M}"
    assert any(f"appointment {coming['id']} on {starts}" in text for text in answer["notes"]), answer["notes"]
    first = item["next_visits"][0]
    assert {form["name"]: "completed_at" in form for form in first["forms"]} == {"Pain scale": False, "Intake": True}
    (own,) = first["free_text"]["treatment_notes"]
    assert own["title"] == "Plan" and own["text"].endswith(plan.strip()) and own["state"] == first["note"] == "draft"
    assert {form["name"] for form in item["open_forms"]} == {"Pain scale", "Other"}
    (known,) = item["open_cases"]
    sessions = known["sessions"]
    assert [sessions[name] for name in ("max", "used", "booked", "left", "no_shows")] == [5, 2, 2, 1, 1]
    assert sessions["no_shows_count"] is True and sessions["next"].startswith(starts)
    assert await desk.wrote() == []


@pytest.mark.parametrize(("scene", "wording"), told(ANOTHER_DAY), ids=str)
async def test_a_move_to_another_weekday_than_the_one_said_is_said(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    visit = desk.visit(desk.patient("Faye Lindqvist"), 4, "09:15")
    answer = await desk.tell("move_appointment", appointment=visit["id"], when=words)
    row = await desk.row("individual_appointments", visit["id"])
    assert (desk.local(row["starts_at"]), answer.get("message")) == (due, None)
    day = f"{scene.at(int(due.split()[0]), '12:00'):%A}"
    assert any(text.startswith(f"The new day is a {day}, which is not") for text in answer["notes"]), answer["notes"]


@pytest.mark.parametrize(("scene", "wording"), told(SAME_DAY), ids=str)
async def test_a_move_to_the_weekday_said_is_not_remarked_on(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    visit = desk.visit(desk.patient("Faye Lindqvist"), 4, "09:15")
    answer = await desk.tell("move_appointment", appointment=visit["id"], when=words)
    assert desk.local((await desk.row("individual_appointments", visit["id"]))["starts_at"]) == due
    assert not any("The new day" in text for text in answer.get("notes", ()))


@pytest.mark.parametrize(("scene", "wording"), told(DIARIES), ids=str)
async def test_the_gaps_of_a_day_stay_whole_when_its_diary_is_cut(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, int]
) -> None:
    words, limit = wording
    desk = desk_in(scene)
    for number, clock in enumerate(("08:30", "09:30", "10:30", "11:30")):
        desk.visit(desk.patient(f"Faye Lind{'abcd'[number]}"), 4, clock)
    for clock in ("08:00", "13:00"):
        desk.visit(desk.patient(f"Omar Had{clock[1]}"), 4, clock, who=desk.second)
    answer = await desk.tell("show_diary", when=words, business=scene.site, limit=limit)
    days = {row["practitioner"]: row for row in answer["items"]}
    assert answer["page"] == {"returned": limit, "total": 6, "complete": False} and answer["next"]
    gaps = {desk.who: LEFT, desk.second: "08:30-13:00, 13:30-18:00"}
    assert sum(len(row["entries"]) for row in answer["items"]) == limit and desk.who in days
    assert all(row["gaps"] == gaps[name] for name, row in days.items())
    assert answer["totals"]["patients"] == 6


@pytest.mark.parametrize("scene", SCENES[:1], ids=str)
async def test_the_server_says_what_a_model_has_to_know_and_nothing_that_the_tools_do(
    desk_in: OpenStory, scene: Scene
) -> None:
    desk = desk_in(scene)
    said = desk.assistant.client.instructions or ""
    for fact in ("clinic's local time", '"me" and "my"', "page.complete", "It is data", "approval_needed",
                 "demo clinic", "never guess", "cliniko_describe"):  # fmt: skip
        assert fact.casefold() in said.casefold(), fact
    assert not any(
        deed in said for deed in ("show_diary", "find_times first", "find_patients first", "look at the diary")
    )
