"""A whole day off at two sites by the clock of each, attendance on the visit that is meant, and sites said in part."""

from datetime import UTC, timedelta
from itertools import product

import pytest

from .conftest import OpenStory
from .office import NORTHSIDE, RIVERSIDE, SCENES, Scene, Story, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
# Today is a Thursday; in two of three seasons the clocks change on the Sunday, which is three days on.
WHOLE_DAYS = [
    ("Sunday", 3), ("all day Sunday", 3), ("this coming Sunday, the whole day", 3), ("{3}", 3), ("in three days", 3),
    ("the whole of Sunday", 3), ("all day tomorrow", 1), ("Monday all day", 4), ("next tuesday, all day", 5),
]  # fmt: skip
MARKED = [
    ("Faye's 8:15", "arrived", "0 08:15"),
    ("Faye this morning", "did_not_arrive", "0 08:15"),
    ("Faye Lindqvist's 8.15 today", "did_not_arrive", "0 08:15"),
    ("Faye, quarter past eight", "arrived", "0 08:15"),
    ("Faye's last one", "arrived", "0 08:15"),
    ("Faye's 5pm", "arrived", "0 17:00"),
    ("Faye yesterday", "did_not_arrive", "-1 14:00"),
]  # fmt: skip
PARTS = [
    ("north", NORTHSIDE), ("river side", RIVERSIDE), ("River", RIVERSIDE), ("the northside clinic", NORTHSIDE),
    ("North Side", NORTHSIDE), ("riverside practice", RIVERSIDE), ("the river one", RIVERSIDE),
]  # fmt: skip
SEVERAL = ["north", "North", "the north one", "nor", "north clinic"]
NO_SITE = ["side", "ri", "N", "southside", "nrthside"]


@pytest.mark.parametrize(("scene", "wording"), told(WHOLE_DAYS), ids=str)
async def test_a_whole_day_off_is_midnight_to_midnight_by_the_clock_of_each_site(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, int]
) -> None:
    words, days = wording
    desk = desk_in(scene)
    who = desk.staff[desk.who]["id"]
    hours = [{"starts_at": "08:00", "ends_at": "20:00"}]
    for name in (NORTHSIDE, RIVERSIDE):
        for day in range(7):
            if name != scene.site or day in (0, 6):
                desk.add(
                    "daily_availabilities", practitioner_id=who, business_id=desk.sites[name]["id"], day_of_week=day,
                    availabilities=hours,
                )  # fmt: skip
    when = words.replace("{3}", scene.date(3))
    answer = await desk.tell("block_time", practitioner=desk.who, when=when, type="leave")
    rows = await desk.rows("unavailable_blocks")
    due: dict[str, tuple[str, str]] = {}
    for name in (NORTHSIDE, RIVERSIDE):
        there = Scene(scene.clock, name, scene.season)
        starts, ends = (there.at(day, "00:00").astimezone(UTC) for day in (days, days + 1))
        due[desk.sites[name]["id"]] = (f"{starts:%Y-%m-%dT%H:%M:%SZ}", f"{ends:%Y-%m-%dT%H:%M:%SZ}")
        changes = days == 3 and scene.season != "summer"
        assert (ends - starts == timedelta(days=1)) is not changes
    assert {row["business_id"]: (row["starts_at"], row["ends_at"]) for row in rows} == due, answer
    assert len(rows) == 2 and {row["practitioner_id"] for row in rows} == {who}
    assert await desk.wrote() == ["POST unavailable_blocks"] * 2


@pytest.mark.parametrize("late", [False, True], ids=["morning", "afternoon"])
@pytest.mark.parametrize(("scene", "wording"), told(MARKED), ids=str)
async def test_who_came_and_who_did_not_is_marked_on_the_visit_that_is_meant_and_on_no_other(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str, str], *, late: bool
) -> None:
    words, state, due = wording
    clock = "16:30" if late else "08:30"
    desk = desk_in(Scene(clock, scene.site, scene.season))
    visits_of_faye(desk)
    answer = await desk.tell("set_attendance", appointment=words, state=state)
    assert await marked(desk) == [(due, state == "arrived")], answer
    assert await desk.wrote() == ["PATCH attendees"]


BARE = [{"appointment": "Faye Lindqvist"}, {"appointment": "Faye's visit today"}, {"patient": "Faye"},
        {"appointment": "Lindqvist, Faye, today"}, {"patient": "Faye Lindqvist", "when": "today"}]  # fmt: skip


@pytest.mark.parametrize("late", [False, True], ids=["morning", "afternoon"])
@pytest.mark.parametrize(("scene", "words"), told(BARE), ids=str)
async def test_of_two_visits_today_the_two_are_shown_and_none_of_another_day(
    desk_in: OpenStory, scene: Scene, words: dict[str, str], *, late: bool
) -> None:
    desk = desk_in(Scene("16:30" if late else "08:30", scene.site, scene.season))
    visits = visits_of_faye(desk)
    for state in ("arrived", "did_not_arrive"):
        answer = await desk.tell("set_attendance", state=state, **words)
        assert answer["code"] == "ambiguous", answer
        assert {row["id"] for row in answer["candidates"]} == {visits["0 08:15"], visits["0 17:00"]}
    assert await marked(desk) == [] and await desk.wrote() == []


def visits_of_faye(desk: Story) -> dict[str, str]:
    """Visits last week, yesterday, today before and after now, and next week: their ids by days and time."""
    faye = desk.patient("Faye Lindqvist")
    times = ((-7, "09:15"), (-1, "14:00"), (0, "08:15"), (0, "17:00"), (7, "09:15"))
    return {f"{days} {at}": desk.visit(faye, days, at)["id"] for days, at in times}


async def marked(desk: Story) -> list[tuple[str, bool]]:
    """When the visits are that carry a mark, with whether the patient arrived."""
    visits = {row["id"]: desk.local(row["starts_at"]) for row in await desk.rows("individual_appointments")}
    return [
        (visits[row["booking_id"]], row["arrived"])
        for row in await desk.rows("attendees")
        if row.get("arrived") is not None
    ]


@pytest.mark.parametrize(("scene", "wording"), told(PARTS), ids=str)
async def test_a_part_of_the_name_of_a_site_is_that_site(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, site = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    found = await desk.tell("find_times", type="Massage", when="Tuesday", business=words)
    assert {row["business"] for row in found["items"]} == {site}
    diary = await desk.tell("show_diary", when="Tuesday", business=words)
    assert {row["business"] for row in diary["items"]} == {site} and await desk.wrote() == []
    who = desk.who if scene.site == site else next(iter(diary["items"]))["practitioner"]
    answer = await desk.tell(
        "book_appointment", patient="Faye", practitioner=who, type="Massage", when="Tuesday at 10", business=words
    )
    (row,) = await desk.new("individual_appointments")
    there = Scene(scene.clock, site, scene.season)
    assert row["business_id"] == desk.sites[site]["id"], answer
    assert row["starts_at"] == f"{there.at(5, '10:00').astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.long_but_one
@pytest.mark.parametrize("scene", SCENES[:2], ids=str)
async def test_a_part_that_may_be_several_sites_or_is_none_is_asked_about(new_desk_in: OpenStory, scene: Scene) -> None:
    desk = new_desk_in(scene)
    desk.patient("Faye Lindqvist")
    gate = desk.add("businesses", business_name="Northgate", label="Northgate", display_name="Northgate",
                    time_zone_identifier="Australia/Sydney", country_code="AU")  # fmt: skip
    sites = {row["id"] for row in (*desk.sites.values(), gate)}
    tools = {
        "find_times": {"type": "Massage"},
        "show_diary": {},
        "book_appointment": {"patient": "Faye", "practitioner": desk.who, "type": "Massage"},
        "block_time": {"practitioner": desk.who},
    }
    for words, (tool, more) in product([*SEVERAL, *NO_SITE], tools.items()):
        answer = await desk.tell(tool, when="Tuesday at 10", business=words, **more)
        assert "candidates" in answer, (words, tool, answer)
        offered = {row["id"] for row in answer["candidates"]}
        if words in SEVERAL:
            assert answer["code"] == "ambiguous" and offered == {desk.sites[NORTHSIDE]["id"], gate["id"]}, answer
        else:
            assert answer["code"] == "not_found" and offered and offered <= sites, answer
    assert await desk.wrote() == []
