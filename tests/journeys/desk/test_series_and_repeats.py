"""A series has just the visits that were said, a clash on one date is told of that date, and nothing is made twice."""

import pytest

from .conftest import OpenStory
from .office import Scene, Story, Told, told

pytestmark = pytest.mark.anyio
# The first visit is on Monday at 10; the days count from today, a Thursday.
SERIES = [
    ("weekly, five visits", [4, 11, 18, 25, 32]), ("once a week, 4 all up", [4, 11, 18, 25]),
    ("every second Monday, three sessions", [4, 18, 32]), ("Mondays for the next four weeks", [4, 11, 18, 25]),
    ("3 appts two weeks apart", [4, 18, 32]), ("fortnightly, another two after that", [4, 18, 32]),
    ("every Monday x4, that's four in total", [4, 11, 18, 25]), 
    ("same time every week for a month", [4, 11, 18, 25, 32]),
    ("weekly until {25}", [4, 11, 18, 25]), ("every three weeks for three visits", [4, 25, 46]),
    ("weekly - 6 in total please", [4, 11, 18, 25, 32, 39]), ("one a week for 3 weeks", [4, 11, 18]),
]  # fmt: skip
CHANGED = [
    ("weekly x4", ["the second one"], None), ("weekly x4 except {11}", [], [4, 18, 25]),
    ("weekly x4", ["{18}"], [4, 11, 25]), ("weekly x4", ["{11} -> {12} at 2pm"], [4, 12, 18, 25]),
    ("weekly, 4 visits, but not {25}", [], [4, 11, 18]), ("weekly x4", ["{11}", "{18}"], [4, 25]),
    ("weekly, four visits, skip {18}", [], [4, 11, 25]),
]  # fmt: skip
TWICE = [
    ("book_appointment", {"patient": "Faye Lindqvist", "type": "Standard consult", "when": "Monday at 10"},
     "individual_appointments"),
    ("block_time", {"when": "Tuesday 1 to 2", "type": "Lunch"}, "unavailable_blocks"),
    ("register_patient", {"first_name": "Ines", "last_name": "Duarte", "born": "12/4/1990", "case": "Hip"}, "patients"),
    ("book_appointment", {"patient": "Lindqvist", "type": "Massage", "when": "next wed 2pm", "repeat": "weekly x3"},
     "individual_appointments"),
    ("block_time", {"when": "every Friday 12 to 1 for 3 weeks"}, "unavailable_blocks"),
    ("book_appointment", {"patient": "Faye Lindqvist", "type": "Pilates class", "when": "Monday 5pm"}, "attendees"),
]  # fmt: skip
Change = tuple[str, list[str], list[int] | None]


def dated(scene: Scene, text: str) -> str:
    for days in (11, 12, 18, 25):
        text = text.replace(f"{{{days}}}", scene.date(days))
    return text


async def book(desk: Story, **more: object) -> Told:
    usual = {"patient": "Faye Lindqvist", "practitioner": desk.who, "type": "Standard consult", "when": "Monday at 10"}
    return await desk.tell("book_appointment", **{**usual, **more})


async def starts(desk: Story) -> list[str]:
    return sorted(desk.local(row["starts_at"]) for row in await desk.new("individual_appointments"))


@pytest.mark.long
@pytest.mark.parametrize(("scene", "wording"), told(SERIES), ids=str)
async def test_a_series_has_as_many_visits_as_were_said(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, list[int]]
) -> None:
    words, days = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    answer = await book(desk, repeat=dated(scene, words))
    assert (await starts(desk), answer.get("message")) == (sorted(f"{day} 10:00" for day in days), None)
    assert [desk.local(visit["starts_at"].split(" ")[0]) for visit in answer["visits"]] == [
        f"{day} 10:00" for day in days
    ]
    assert await desk.wrote() == ["POST individual_appointments"] and answer["conflicts"] is False


@pytest.mark.parametrize(("scene", "when"), told([
    "tomorrow at 10", "Friday 10am", "tmrw 10", "this coming Friday at ten", "fri 10:00", "tomorrow, 10 o'clock",
]), ids=str)  # fmt: skip
async def test_a_series_keeps_its_clock_time_over_the_change_of_clocks(
    desk_in: OpenStory, scene: Scene, when: str
) -> None:
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    await book(desk, when=when, repeat="once a week, three visits")
    assert await starts(desk) == ["1 10:00", "15 10:00", "8 10:00"]
    offsets = {scene.at(days, "10:00").utcoffset() for days in (1, 8)}
    assert len(offsets) == (1 if scene.season == "summer" else 2)


@pytest.mark.parametrize(("scene", "change"), told(CHANGED), ids=str)
async def test_dates_of_a_series_are_left_out_or_moved_one_by_one(
    desk_in: OpenStory, scene: Scene, change: Change
) -> None:
    repeat, skip, days = change
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    answer = await book(desk, repeat=dated(scene, repeat), skip=[dated(scene, text) for text in skip])
    due = [f"{day} {'14:00' if day == 12 else '10:00'}" for day in days or ()]
    assert (await starts(desk), "code" in answer) == (sorted(due), days is None)
    assert days is None or any("cannot be cancelled as one" in note or "single" in note for note in answer["notes"])


@pytest.mark.parametrize(("scene", "repeat"), told([
    "weekly x4", "four visits, a week apart", "every Monday for 4 weeks", "once a week x4", "weekly, another three",
    "Mondays, four sessions",
]), ids=str)  # fmt: skip
async def test_a_clash_of_one_date_refuses_all_and_is_told_of_that_date(
    desk_in: OpenStory, scene: Scene, repeat: str
) -> None:
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    taken = desk.visit(desk.patient("Omar Haddad"), 18, "10:00")
    refused = await book(desk, repeat=repeat)
    assert refused["code"] == "clash" and taken["id"] in str(refused["clashes"]) and await desk.wrote() == []
    day = f"{scene.at(18, '10:00'):%Y-%m-%d}"
    assert all(day in clash for clash in refused["clashes"]) and len(refused["clashes"]) == 1
    offered = str(refused.get("nearest"))
    assert f"{scene.at(4, '10:00'):%Y-%m-%dT%H:%M}" not in offered, "what was refused is not offered"
    made = await book(desk, repeat=repeat, allow_clash=refused["clash"])
    (clashing,) = [visit for visit in made["visits"] if visit.get("clashes") or visit.get("conflicts")]
    assert clashing["starts_at"].startswith(day) and made["conflicts"] is True
    assert len(await starts(desk)) == 4


@pytest.mark.parametrize(("scene", "deed"), told(TWICE), ids=str)
async def test_what_is_told_again_after_a_lost_answer_is_there_once(
    desk_in: OpenStory, scene: Scene, deed: tuple[str, dict[str, str], str]
) -> None:
    tool, arguments, table = deed
    desk = desk_in(scene)
    desk.session([desk.patient("Omar Haddad")], 4, "17:00")
    desk.patient("Faye Lindqvist")
    named = {"practitioner": desk.who} if tool in ("book_appointment", "block_time") else {}
    first = await desk.tell(tool, **{**named, **arguments})
    made, wrote = await desk.new(table), await desk.wrote()
    again = await desk.tell(tool, **{**named, **arguments})
    assert made and "message" not in first
    assert (await desk.new(table), await desk.wrote()) == (made, wrote)
    assert "already" in again["done"].casefold() and any(row.get("booking_id", row["id"]) in str(again) for row in made)
