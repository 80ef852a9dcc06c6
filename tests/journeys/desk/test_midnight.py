"""A minute into the day: "today" is the day that has just begun at the site, whatever day it is at the other one."""

import pytest

from .conftest import OpenStory
from .office import MIDNIGHT, Scene, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
# Today is a Thursday, one minute old; the days count from it.
BOOKED = [("today at 10", "0 10:00"), ("tomorrow 10am", "1 10:00"), ("this arvo at 3", "0 15:00"),
          ("thursday 9am", "7 09:00"), ("friday noon", "1 12:00"), ("this Thursday at 2", "0 14:00"),
          ("9 tomorrow", "1 09:00")]  # fmt: skip
MOVED = [("an hour later", "0 10:15"), ("tomorrow, same time", "1 09:15"), ("today at 4", "0 16:00"),
         ("the day after", "1 09:15"), ("half nine", "0 09:30"), ("same time, Friday", "1 09:15")]  # fmt: skip
PAST = ["yesterday at 2", "yesterday's 2pm", "her last visit", "yesterday", "wed 2pm", "yesterday arvo"]
DIARY = [("today", 0), ("this morning", 0), ("tomorrow", 1), ("friday", 1), ("this thursday", 0), ("thurs week", 14)]
BLOCKED = [("today 12 to 1", "0 12:00"), ("tomorrow lunchtime", "1 12:00"), ("friday 1 to 2", "1 13:00"),
           ("noon to 1 today", "0 12:00"), ("this arvo, 3 to 4", "0 15:00")]  # fmt: skip


@pytest.mark.parametrize(("scene", "wording"), told(BOOKED, MIDNIGHT), ids=str)
async def test_a_booking_is_on_the_day_that_has_begun(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    answer = await desk.tell("book_appointment", patient="Faye", practitioner=desk.who, type="Massage", when=words)
    (row,) = await desk.new("individual_appointments")
    assert (desk.local(row["starts_at"]), row["business_id"]) == (due, desk.sites[scene.site]["id"]), answer


@pytest.mark.parametrize(("scene", "wording"), told(MOVED, MIDNIGHT), ids=str)
async def test_a_visit_of_today_is_moved_from_its_day(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    visit = desk.visit(desk.patient("Faye Lindqvist"), 0, "09:15")
    answer = await desk.tell("move_appointment", appointment="Faye's 9:15 today", when=words)
    assert desk.local((await desk.row("individual_appointments", visit["id"]))["starts_at"]) == due, answer
    assert await desk.wrote() == ["PATCH individual_appointments"]


@pytest.mark.parametrize(("scene", "words"), told(PAST, MIDNIGHT), ids=str)
async def test_yesterday_is_the_day_that_has_just_ended(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    for days in (-8, -1):
        desk.visit(faye, days, "14:00")
    answer = await desk.tell("set_attendance", appointment=f"Faye Lindqvist, {words}", state="did_not_arrive")
    (place,) = [row for row in await desk.rows("attendees") if row.get("arrived") is False]
    visit = await desk.row("individual_appointments", place["booking_id"])
    assert desk.local(visit["starts_at"]) == "-1 14:00", answer


@pytest.mark.parametrize(("scene", "wording"), told(DIARY, MIDNIGHT), ids=str)
async def test_the_diary_is_that_of_the_day_said(desk_in: OpenStory, scene: Scene, wording: tuple[str, int]) -> None:
    words, days = wording
    desk = desk_in(scene)
    visits = {day: desk.visit(desk.patient(f"Faye Day{day}"), day, "09:15") for day in (-1, 0, 1, 7, 14)}
    answer = await desk.tell("show_diary", when=words, business=scene.site)
    ids = [entry["id"] for row in answer["items"] for entry in row["entries"]]
    assert ids == [visits[days]["id"]], answer


@pytest.mark.parametrize(("scene", "wording"), told(BLOCKED, MIDNIGHT), ids=str)
async def test_time_is_blocked_out_on_the_day_said(desk_in: OpenStory, scene: Scene, wording: tuple[str, str]) -> None:
    words, due = wording
    desk = desk_in(scene)
    answer = await desk.tell("block_time", practitioner=desk.who, when=words, type="lunch")
    (row,) = await desk.rows("unavailable_blocks")
    assert desk.local(row["starts_at"]) == due, answer
