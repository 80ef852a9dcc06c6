"""A visit is moved as a desk says it: it lands where the words say, read from the visit, and nowhere else."""

import pytest

from .conftest import OpenStory
from .office import Scene, told

pytestmark = pytest.mark.anyio
# Faye is booked on Monday at 9:15; the days count from today, which is a Thursday.
MOVES = [
    ("push her back to quarter past two", "4 14:15"), ("14:40", "4 14:40"),
    ("same day, half 3 instead", "4 15:30"), ("an hour later", "4 10:15"), ("45 minutes earlier", "4 08:30"),
    ("the Wednesday of that week, same time", "6 09:15"), ("tuesday arvo at ten to 3", "5 14:50"),
    ("the day after, 11ish no make that 11:15", "5 11:15"), ("a week later", "11 09:15"),
    ("2 days later at noon", "6 12:00"),
    ("next Friday 10am", "8 10:00"), ("tomorrow, same time", "1 09:15"), ("bring it forward to 8.30", "4 08:30"),
    ("the Thursday instead, same time please", "7 09:15"), ("Tue 3pm if you can", "5 15:00"),
    ("Tuesday instead of Monday", "5 09:15"), ("a week on Tuesday at 10", "12 10:00"),
    ("the day after, at 10", "5 10:00"),
    ("Wednesday, 10 on the dot", "6 10:00"), ("the day after Tuesday", "6 09:15"),
]  # fmt: skip
FAR = [
    ("the 9th of February 2028, same time", True), ("in 3 months at 9:15", True), ("in ten weeks, same time", True),
    ("three weeks later", False), ("in a month at 10", False), ("12 weeks later", True),
]  # fmt: skip


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "wording"), told(MOVES), ids=str)
async def test_a_visit_goes_where_the_words_say(desk_in: OpenStory, scene: Scene, wording: tuple[str, str]) -> None:
    words, due = wording
    desk = desk_in(scene)
    visit = desk.visit(desk.patient("Faye Lindqvist"), 4, "09:15")
    answer = await desk.tell("move_appointment", appointment="Faye's 9:15 on Monday", when=words)
    row = await desk.row("individual_appointments", visit["id"])
    assert (desk.local(row["starts_at"]), answer.get("message")) == (due, None)
    assert await desk.wrote() == ["PATCH individual_appointments"]
    starts = answer["item"]["starts_at"]
    assert answer["was"]["starts_at"].endswith(" Mon") and starts[11:16] == due.split()[1] and starts[-3:].isalpha()


@pytest.mark.parametrize(("scene", "wording"), told(FAR), ids=str)
async def test_a_move_of_more_than_sixty_days_is_said(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, bool]
) -> None:
    words, far = wording
    desk = desk_in(scene)
    visit = desk.visit(desk.patient("Faye Lindqvist"), 4, "09:15")
    answer = await desk.tell("move_appointment", appointment=visit["id"], when=words, dry_run=True)
    days = int(desk.local(answer["item"]["starts_at"].split(" ")[0]).split()[0]) - 4
    assert (days > 60) is far
    assert any(f"That is {days} days later" in note for note in answer["notes"]) is far
    assert await desk.wrote() == []
