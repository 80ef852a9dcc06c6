"""All of a profession at once, ends that are no dates, what a series clashes with, and as many visits as were said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from .conftest import OpenStory
from .office import NORTHSIDE, RIVERSIDE, SCENES, Row, Scene, Story, told
from .test_briefs_and_gaps import note

pytestmark = [pytest.mark.anyio, pytest.mark.long]
PHYSIOS = [
    ["all the physios"], ["physios"], ["the physiotherapists"], ["every physio"], ["all of our physiotherapists"],
    ["all physios"], ["Physios"],
]  # fmt: skip
NOBODY = ["all the dentists", "every acupuncturist", "all of the osteos", "all our dietitians", "each podiatrist",
          "all the physiologists"]  # fmt: skip
NO_DATES = [
    ("weekly until Christmas", "christmas"), ("every week till xmas", "xmas"), ("weekly through to Easter", "easter"),
    ("fortnightly until the end of term", "term"), ("weekly until the school holidays", "school holidays"),
    ("every three weeks until Christmas", "christmas"), ("weekly up to Christmas", "christmas"),
]  # fmt: skip
# The first visit is on Monday at 10; the days count from today, a Thursday. Those taken are at its second and last.
CLASHING = [
    ("weekly x4", [4, 11, 18, 25], [18]), ("fortnightly, 3 visits", [4, 18, 32], [18, 32]),
    ("every 3 weeks x3", [4, 25, 46], [46]), ("every second Monday x4", [4, 18, 32, 46], [4]),
    ("once a week, five visits", [4, 11, 18, 25, 32], [11, 32]),
    ("every three weeks, four all up", [4, 25, 46, 67], [25]),
    ("4 appts two weeks apart", [4, 18, 32, 46], [4, 18, 32, 46]),
]  # fmt: skip
CONSULT = timedelta(minutes=30)
MANY = [1, 5, 20]


def professions(desk: Story) -> None:
    """A physiotherapist at each site and one more at Northside; the rest are others, one of a name much like it."""
    for name, designation in (
        ("Mei Ng", "Physiotherapist"), ("Tom Okafor", "Senior Physiotherapist"), ("Jack Whitfield", "Physio"),
        ("Aroha Tane", "Exercise Physiologist"),
    ):  # fmt: skip
        desk.staff[name]["designation"] = designation


@pytest.mark.long_but_one
@pytest.mark.parametrize("somewhere", [False, True], ids=["everywhere", "at the site"])
@pytest.mark.parametrize("scene", SCENES[1:3], ids=str)
async def test_all_of_a_profession_are_blocked_out_and_looked_at_and_nobody_else(
    new_desk_in: OpenStory, scene: Scene, *, somewhere: bool
) -> None:
    desk = new_desk_in(scene)
    professions(desk)
    at = {"business": scene.site} if somewhere else {}
    homes = {"Mei Ng": NORTHSIDE, "Tom Okafor": NORTHSIDE, "Jack Whitfield": RIVERSIDE}
    due = {name for name, site in homes.items() if not somewhere or site == scene.site}
    rows: list[Row] = []
    for hour, whom in enumerate(PHYSIOS, 9):
        found = await desk.tell("find_times", practitioner=whom, when="Monday", type="Massage", limit=100, **at)
        assert {row["practitioner"] for row in found["items"]} == due, found
        when = f"Tuesday {hour}:00 to {hour}:45"
        answer = await desk.tell("block_time", practitioner=whom, when=when, type="Meeting", **at)
        new = [row for row in await desk.rows("unavailable_blocks") if row not in rows]
        assert sorted(row["practitioner_id"] for row in new) == sorted(desk.staff[name]["id"] for name in due), answer
        for row in new:
            name = next(name for name in due if desk.staff[name]["id"] == row["practitioner_id"])
            starts = Scene(scene.clock, homes[name], scene.season).at(5, f"{hour:02}:00").astimezone(UTC)
            assert (
                row["starts_at"] == f"{starts:%Y-%m-%dT%H:%M:%SZ}"
                and row["business_id"] == desk.sites[homes[name]]["id"]
            )
        rows += new


@pytest.mark.parametrize(("scene", "whom"), told(NOBODY), ids=str)
async def test_a_profession_that_nobody_has_is_refused_with_how_to_say_it(
    desk_in: OpenStory, scene: Scene, whom: str
) -> None:
    desk = desk_in(scene)
    for tool, more in (("block_time", {}), ("find_times", {"type": "Massage"}), ("show_diary", {})):
        answer = await desk.tell(tool, practitioner=[whom], when="Tuesday 12 to 1", **more)
        assert answer["code"] == "not_found" and f"“{whom}”" in answer["message"]
        assert 'practitioner: ["Mei Ng", "' in answer["fix"] and "everyone" in answer["fix"], answer
    assert await desk.wrote() == []


@pytest.mark.parametrize(("scene", "wording"), told(NO_DATES), ids=str)
async def test_an_end_that_is_no_date_is_refused_with_how_to_say_it(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, what = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    booked = {"patient": "Faye", "type": "Massage", "when": "Monday at 10", "repeat": words}
    for tool, more in (("book_appointment", booked), ("block_time", {"when": f"Monday 12 to 1, {words}"})):
        answer = await desk.tell(tool, practitioner=desk.who, **more)
        assert answer["code"] == "not_understood" and f'"{what}"' in answer["message"], answer
        assert "give the date" in answer["message"]
        assert "weekly until 18 December 2026" in answer["fix"] and "weekly x4" in answer["fix"]
    assert await desk.wrote() == []


def shown_days(desk: Story, visits: Sequence[dict[str, object]], *, of: str) -> list[int]:
    """The days from today of the visits of an answer for which `of` is true."""
    return [int(desk.local(str(one["starts_at"]).split(" ")[0]).split()[0]) for one in visits if one.get(of)]


@pytest.mark.parametrize(("scene", "wording"), told(CLASHING), ids=str)
async def test_each_date_of_a_series_is_told_with_its_own_conflicts(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, list[int], list[int]]
) -> None:
    repeat, days, taken = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    others = {day: desk.visit(desk.patient(f"Omar Haddad{day}"), day, "10:15")["id"] for day in taken}
    usual = {"patient": "Faye Lindqvist", "practitioner": desk.who, "type": "Standard consult", "when": "Monday at 10",
             "repeat": repeat}  # fmt: skip
    refused = await desk.tell("book_appointment", **usual)
    assert refused["code"] == "clash" and await desk.wrote() == [], refused
    dates = [f"{scene.at(day, '10:00'):%Y-%m-%d}" for day in taken]
    assert all(any(date in clash and others[day] in clash for clash in refused["clashes"])
               for day, date in zip(taken, dates, strict=True))  # fmt: skip
    made = await desk.tell("book_appointment", **usual, allow_clash=refused["clash"])
    assert made["conflicts"] is True, made
    assert shown_days(desk, made["visits"], of="starts_at") == days
    assert shown_days(desk, made["visits"], of="conflict") == taken
    assert [desk.local(row["starts_at"]) for row in await desk.new("individual_appointments")] == [
        f"{day} 10:00" for day in days
    ]
    assert await desk.wrote() == ["POST individual_appointments"]


@pytest.mark.parametrize(("scene", "wording"), told(CLASHING), ids=str)
async def test_what_is_offered_beside_a_clash_was_not_refused_and_is_free_on_every_date(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, list[int], list[int]]
) -> None:
    repeat, days, taken = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    for number, day in enumerate(taken):
        for at in ("10:15", "11:00", "09:00")[: 3 - number % 3]:
            desk.visit(desk.patient(f"Omar Haddad{day} {at}"), day, at)
    usual = {"patient": "Faye Lindqvist", "practitioner": desk.who, "type": "Standard consult", "repeat": repeat}
    dry = await desk.tell("book_appointment", when="Monday at 10", dry_run=True, **usual)
    refused = await desk.tell("book_appointment", when="Monday at 10", **usual)
    offered = dry["nearest"]
    # of many clashes a refusal has no room for more
    assert refused.get("nearest", offered if len(taken) > 3 else None) == offered and len(offered) == 3
    assert await desk.wrote() == []
    stretches = [
        (datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"]))
        for row in await desk.rows("individual_appointments")
    ]

    def free(text: str, on: Sequence[int]) -> bool:
        at = f"{datetime.fromisoformat(text.split(' ')[0]):%H:%M}"
        starts = [desk.scene.at(day, at).astimezone(UTC) for day in on]
        return not any(start < end and begin < start + CONSULT for start in starts for begin, end in stretches)

    assert all(free(text, days) and "T10:00" not in text for text in offered)
    own = {day: row.get("nearest", []) for day, row in zip(days, dry["visits"], strict=True)}
    assert [day for day, texts in own.items() if texts] == taken
    assert all(free(text, [day]) and "T10:00" not in text for day, texts in own.items() for text in texts)
    made = await desk.tell("book_appointment", when=offered[0], **usual)
    assert made["conflicts"] is False and not any(row.get("conflict") or row.get("clashes") for row in made["visits"])
    at = offered[0][11:16]
    rows = await desk.new("individual_appointments")
    assert [desk.local(row["starts_at"]) for row in rows] == [f"{day} {at}" for day in days]


@pytest.mark.parametrize("number", MANY)
@pytest.mark.parametrize("scene", [scene for scene, _ in told(range(5))], ids=str)
async def test_a_brief_has_as_many_visits_as_were_said_each_with_its_own_note(
    desk_in: OpenStory, scene: Scene, number: int
) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    visits = {day: desk.visit(faye, -day, "11:00", state="arrived") for day in range(1, 23)}
    coming = [desk.visit(faye, day, "11:00")["id"] for day in range(1, 23)]
    for day, visit in visits.items():
        if day % 3:
            note(desk, faye, visit, f"Note {day}", f"Text of day {day}.", draft=day % 3 == 1)
    answer = await desk.tell("patient_brief", patient="Faye Lindqvist", notes=True, visits=number)
    rows = answer["item"]["last_visits"]
    assert [row["appointment_id"] for row in rows] == [visits[day]["id"] for day in range(1, number + 1)]
    assert [row["appointment_id"] for row in answer["item"]["next_visits"]] == coming[:number]
    for day, row in enumerate(rows, 1):
        state = ("none", "draft", "final")[day % 3]
        assert row["note"] == state, row
        own = row.get("free_text", {}).get("treatment_notes", [])
        due = [(f"Note {day}", state, f"Text of day {day}.")] if day % 3 else []
        assert [(one["title"], one["state"], one["text"].splitlines()[-1][-len(f"Text of day {day}."):])
                for one in own] == due  # fmt: skip
    assert await desk.wrote() == []


@pytest.mark.parametrize(("scene", "number"), told([21, 0, 100, -1, 22]), ids=str)
async def test_more_visits_than_a_brief_holds_are_refused_with_the_limit(
    desk_in: OpenStory, scene: Scene, number: int
) -> None:
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    answer = await desk.tell("patient_brief", patient="Faye Lindqvist", visits=number)
    assert answer["code"] == "invalid_arguments" and ("20" if number > 0 else "1") in answer["message"], answer
