"""Time is blocked out for whom, where and when it was said, listed before it is made, and freed again after a yes."""

from zoneinfo import ZoneInfo

import pytest
from clinics.rows import stamp

from .conftest import OpenStory
from .office import NORTHSIDE, RIVERSIDE, Scene, Story, told

pytestmark = pytest.mark.anyio
# For whom, in which words, and how many hours of which days from today, a Thursday.
REPEATED = [
    ("every Monday 12 to 1 for the next three weeks", ["4 12:00", "11 12:00", "18 12:00"]),
    ("Tuesdays 12.30-1.30 for 2 weeks", ["5 12:30", "12 12:30"]),
    ("fortnightly on Friday 9 to 10 x3", ["1 09:00", "15 09:00", "29 09:00"]),
    ("Wednesday 1pm to 2pm, weekly until {18}", ["6 13:00", "13 13:00"]),
    ("every second Tuesday 3 to 4, three times all up", ["5 15:00", "19 15:00", "33 15:00"]),
    ("each Monday from noon til 1 for a fortnight", ["4 12:00", "11 12:00"]),
    ("Mondays 4 to 5 x2", ["4 16:00", "11 16:00"]),
]  # fmt: skip
KINDS = ["Holidays", "RDO", "Tea break", "Course", "Sick"]


async def blocks(desk: Story) -> list[str]:
    return sorted(
        desk.local(row["starts_at"]) for row in await desk.rows("unavailable_blocks") if not row.get("archived_at")
    )


def dated(scene: Scene, text: str) -> str:
    return text.replace("{18}", scene.date(18))


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "wording"), told(REPEATED), ids=str)
async def test_repeated_time_is_blocked_out_as_often_as_was_said(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, list[str]]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    dry = await desk.tell("block_time", practitioner=desk.who, when=dated(scene, words), type="lunch", dry_run=True)
    assert await desk.wrote() == [] and [desk.local(row["starts_at"].split(" ")[0]) for row in dry["items"]] == due, dry
    await desk.tell("block_time", practitioner=desk.who, when=dated(scene, words), type="lunch")
    assert await blocks(desk) == sorted(due) and set(await desk.wrote()) == {"POST unavailable_blocks"}


@pytest.mark.parametrize(("scene", "whom"), told([
    ["{who}", "{second}"], ["{second}, {who}"], ["{who} and {second}"], [], ["everyone"], ["{who} & {second}"],
]), ids=str)  # fmt: skip
async def test_several_or_a_whole_site_are_blocked_out_in_one_call(
    desk_in: OpenStory, scene: Scene, whom: list[str]
) -> None:
    desk = desk_in(scene)
    names = [name.format(who=desk.who, second=desk.second) for name in whom]
    answer = await desk.tell(
        "block_time", practitioner=names, business=scene.site, when="Tuesday 12 to 1", type="Meeting"
    )
    rows = await desk.rows("unavailable_blocks")
    due = {desk.staff[name]["id"] for name in (desk.who, desk.second)}
    assert {row["practitioner_id"] for row in rows} == due and len(rows) == 2, answer
    assert {row["business_id"] for row in rows} == {desk.sites[scene.site]["id"]}


@pytest.mark.parametrize(("scene", "when"), told([
    "Monday", "all day Tuesday", "next wednesday", "the whole of Friday week", "Thursday week",
]), ids=str)  # fmt: skip
async def test_leave_on_a_day_at_two_sites_is_one_call(desk_in: OpenStory, scene: Scene, when: str) -> None:
    desk = desk_in(scene)
    who = desk.staff[desk.who]
    for name in (NORTHSIDE, RIVERSIDE):
        if name != scene.site:
            for day in range(1, 6):
                desk.add(
                    "daily_availabilities", practitioner_id=who["id"], business_id=desk.sites[name]["id"],
                    day_of_week=day, availabilities=[{"starts_at": "18:00", "ends_at": "20:00"}],
                )  # fmt: skip
    answer = await desk.tell("block_time", practitioner=desk.who, when=when, type="leave")
    rows = await desk.rows("unavailable_blocks")
    assert {row["business_id"] for row in rows} == {site["id"] for site in desk.sites.values()}, answer


@pytest.mark.parametrize(("scene", "kind"), told(KINDS), ids=str)
async def test_a_kind_that_there_is_not_is_answered_with_those_there_are(
    desk_in: OpenStory, scene: Scene, kind: str
) -> None:
    desk = desk_in(scene)
    answer = await desk.tell("block_time", practitioner=desk.who, when="Tuesday 12 to 1", type=kind)
    assert answer["code"] == "not_found" and await desk.wrote() == []
    assert all(name in answer["fix"] for name in ("Lunch", "Leave", "Admin", "Meeting"))


@pytest.mark.parametrize(("scene", "when"), told([
    ("Monday 12 to 1", []), ("monday lunchtime", []), ("Monday", []), ("Monday 12:30 to 1", ["4 12:00-12:30"]),
    ("Monday 12 to half 12", ["4 12:30-13:00"]), ("mon noon til 1pm", []),
]), ids=str)  # fmt: skip
async def test_blocked_out_time_is_lifted_or_shortened_after_a_yes(
    desk_in: OpenStory, scene: Scene, when: tuple[str, list[str]]
) -> None:
    words, due = when
    desk = desk_in(scene)
    span = {name: stamp(scene.at(4, at).astimezone(ZoneInfo("UTC"))) for name, at in
            (("starts_at", "12:00"), ("ends_at", "13:00"))}  # fmt: skip
    desk.add(
        "unavailable_blocks",
        practitioner_id=desk.staff[desk.who]["id"],
        business_id=desk.sites[scene.site]["id"],
        **span,
    )
    answer = await desk.tell("block_time", practitioner=desk.who, when=words, lift=True)
    left = [
        f"{desk.local(row['starts_at'])}-{desk.local(row['ends_at']).split()[1]}"
        for row in await desk.rows("unavailable_blocks")
        if not row.get("archived_at")
    ]
    assert left == due, answer
    assert bool(desk.assistant.asked) is (not due) and len(await desk.wrote()) == 1


@pytest.mark.parametrize(("scene", "when"), told([
    "Monday at 12", "Monday at noon", "12 on Monday", "midday Monday", "Monday 12pm", "Monday at 12 o'clock",
]), ids=str)  # fmt: skip
async def test_a_point_in_time_frees_the_block_that_begins_then_and_never_a_minute_of_it(
    desk_in: OpenStory, scene: Scene, when: str
) -> None:
    desk = desk_in(scene)
    span = {name: stamp(scene.at(4, at).astimezone(ZoneInfo("UTC"))) for name, at in
            (("starts_at", "12:00"), ("ends_at", "13:00"))}  # fmt: skip
    place = {"practitioner_id": desk.staff[desk.who]["id"], "business_id": desk.sites[scene.site]["id"]}
    desk.add("unavailable_blocks", **place, **span)
    within = await desk.tell("block_time", practitioner=desk.who, when="Monday at 12:30", lift=True)
    assert within["code"] == "invalid_arguments" and "12:00+" in within["message"] and await desk.wrote() == [], within
    answer = await desk.tell("block_time", practitioner=desk.who, when=when, lift=True)
    assert await blocks(desk) == [] and len(desk.assistant.asked) == 1, answer


@pytest.mark.parametrize(("scene", "when"), told([
    "Monday at 12", "Monday noon", "12 on Monday", "midday Monday", "Monday 12pm",
]), ids=str)  # fmt: skip
async def test_a_point_in_time_takes_the_length_of_its_kind_and_says_so_and_asks_without_one(
    desk_in: OpenStory, scene: Scene, when: str
) -> None:
    desk = desk_in(scene)
    huddle = desk.add("unavailable_block_types", name=f"Huddle {desk.clinic.story}", duration_in_minutes=20)
    without = await desk.tell("block_time", practitioner=desk.who, when=when)
    assert without["code"] == "invalid_arguments" and await desk.wrote() == []
    answer = await desk.tell("block_time", practitioner=desk.who, when=when, type=huddle["name"])
    assert "code" not in answer, answer
    (row,) = await desk.rows("unavailable_blocks")
    assert [desk.local(row[name]) for name in ("starts_at", "ends_at")] == ["4 12:00", "4 12:20"]
    assert any("No end was said: 20 minutes" in note and "Huddle" in note for note in answer["notes"]), answer


@pytest.mark.parametrize(("scene", "kind"), told([
    ("annual leave", "Leave"), ("A/L", "Leave"), ("lunch break", "Lunch"), ("admin time", "Admin"), ("mtg", "Meeting"),
    ("paid leave", "Leave"),
]), ids=str)  # fmt: skip
async def test_a_kind_is_known_by_what_desks_call_it(desk_in: OpenStory, scene: Scene, kind: tuple[str, str]) -> None:
    said, meant = kind
    desk = desk_in(scene)
    answer = await desk.tell("block_time", practitioner=desk.who, when="Monday 12 to 1", type=said)
    (row,) = await desk.rows("unavailable_blocks")
    kinds = {row["id"]: row["name"] for row in await desk.rows("unavailable_block_types")}
    assert kinds[row["unavailable_block_type_id"]] == meant == answer["type"], answer


@pytest.mark.parametrize(("scene", "when"), told([
    "twice a week, Tuesdays and Thursdays 12 to 1 for 2 weeks",
    "Tuesdays and Thursdays 12 to 1 twice a week for 2 weeks",
    "2 times a week for 2 weeks, Tuesday and Thursday 12-1", "twice per week on Tue and Thu noon to 1 for a fortnight",
    "2x a week Tuesdays & Thursdays 12 to 1 for two weeks",
]), ids=str)  # fmt: skip
async def test_twice_a_week_is_blocked_out_on_the_days_that_are_named(
    desk_in: OpenStory, scene: Scene, when: str
) -> None:
    desk = desk_in(scene)
    unsaid = await desk.tell("block_time", practitioner=desk.who, when="twice a week 12 to 1 for 2 weeks")
    assert "which days" in unsaid["message"] and await desk.wrote() == []
    answer = await desk.tell("block_time", practitioner=desk.who, when=when)
    assert await blocks(desk) == sorted(["5 12:00", "7 12:00", "12 12:00", "14 12:00"]), answer


@pytest.mark.parametrize(("scene", "when"), told([
    "by Friday", "by COB Friday", "by next Monday", "by the end of the week", "by close of business tomorrow",
]), ids=str)  # fmt: skip
async def test_an_end_alone_blocks_nothing_out_by_itself(desk_in: OpenStory, scene: Scene, when: str) -> None:
    desk = desk_in(scene)
    answer = await desk.tell("block_time", practitioner=desk.who, when=when)
    assert answer["code"] == "invalid_arguments" and "not from when" in answer["message"], answer
    dry = await desk.tell("block_time", practitioner=desk.who, when="until next Tuesday", dry_run=True)
    assert "No beginning was said: from now on." in dry["notes"] and await desk.wrote() == [], dry
