"""The right person, visit and hour: whoever is not surely meant is asked about, and nothing is written."""

import pytest

from .conftest import OpenStory
from .office import NORTHSIDE, Scene, Story, told

pytestmark = pytest.mark.anyio
BOOKED = {"type": "Standard consult", "when": "Monday at 10"}
EQUAL = [
    ("Zoe Muller", "Zoë Müller", "zoe muller"), ("Kit O'Brien", "Kit O Brien", "O'Brien, Kit"),
    ("Ann Mcdonald", "Ann MacDonald", "Ann McDonald"), ("Jean-Luc Roy", "Jean Luc Roy", "jean luc roy"),
    ("Siobhán Walsh", "Siobhan Walsh", "walsh siobhan"), ("Mary Ann Voss", "Maryann Voss", "Mary-Ann Voss"),
]  # fmt: skip
SHORT = ["Faye L", "Lindqvist, F.", "Fa", "Fa Li", "F. Lindqvist", "Li", "fl", "A"]
MINE = [("me", "Monday 11am"), ("my", "Tuesday at 2"), ("mine", "mon 3:30pm"), ("myself", "Wednesday noon"),
        ("Me", "Friday week 9am"), ("my diary", "tomorrow at 4")]  # fmt: skip
SAID = [
    "Faye's 9:15 on Monday", "Faye Lindqvist, mon 9.15", "the 9:15 with {who} on Monday", "Monday's quarter past nine",
    "Lindqvist monday 9:15am", "faye lindqvist's next one", "Faye's next appointment", "her {date} one, Faye Lindqvist",
]  # fmt: skip
SEVERAL = ["Faye Lindqvist", "Faye's appointment", "Lindqvist, Faye", "Faye next week", "the one for Faye Lindqvist"]
PAST = ["her last visit", "last one", "yesterday 2pm", "yesterday", "the most recent one", "yesterday at two"]
ZONES = [("", "Adelaide"), (None, "Sydney"), ("Mars/Olympus", "Olympus"), (None, "Nowhere"), (None, None)]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "names"), told(EQUAL), ids=str)
async def test_names_that_are_one_when_folded_are_asked_about(
    desk_in: OpenStory, scene: Scene, names: tuple[str, str, str]
) -> None:
    one, other, words = names
    desk = desk_in(scene)
    ids = {desk.patient(name)["id"] for name in (one, other)}
    refused = await desk.tell("book_appointment", patient=words, practitioner=desk.who, **BOOKED)
    assert refused["code"] == "ambiguous" and {row["id"] for row in refused["candidates"]} == ids
    assert await desk.wrote() == []


@pytest.mark.parametrize(("scene", "words"), told(SHORT), ids=str)
async def test_nobody_is_booked_by_fewer_than_three_letters_of_a_name(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    refused = await desk.tell("book_appointment", patient=words, practitioner=desk.who, **BOOKED)
    assert refused["code"] in ("not_found", "ambiguous") and await desk.wrote() == []


@pytest.mark.parametrize(("scene", "words"), told(MINE), ids=str)
async def test_me_and_mine_are_the_practitioner_whose_key_it_is(
    desk_in: OpenStory, scene: Scene, words: tuple[str, str]
) -> None:
    who, when = words
    desk = desk_in(scene)
    desk.patient("Memphis Mynard")
    answer = await desk.tell(
        "book_appointment", patient="Memphis Mynard", practitioner=who, type="consult standard", when=when
    )
    (row,) = await desk.new("individual_appointments")
    assert row["practitioner_id"] == desk.staff["Mei Ng"]["id"], answer
    overview = await desk.tell("clinic_overview")
    assert "Mei Ng" in overview["you"] if isinstance(overview.get("you"), str) else "Mei Ng" in str(overview)


async def prepared(desk: Story) -> str:
    """Faye's visit on Monday at 9:15, beside others' visits at that time and hers yesterday; its id."""
    faye = desk.patient("Faye Lindqvist")
    desk.visit(faye, -1, "14:00", state="arrived")
    desk.visit(desk.patient("Omar Haddad"), 4, "09:15", who=desk.second)
    desk.visit(desk.patient("Ruth Okoye"), 4, "11:00")
    return desk.visit(faye, 4, "09:15")["id"]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "words"), told(SAID), ids=str)
@pytest.mark.parametrize("tool", ["move_appointment", "cancel_appointment"])
async def test_a_visit_is_said_in_the_same_words_to_move_and_to_cancel(
    desk_in: OpenStory, scene: Scene, words: str, tool: str
) -> None:
    desk = desk_in(scene)
    visit = await prepared(desk)
    words = words.format(who=desk.who, date=scene.date(4))
    more = {"when": "4pm"} if tool == "move_appointment" else {"reason": "away"}
    answer = await desk.tell(tool, appointment=words, **more)
    if words.startswith("Monday's"):  # two people come then
        assert answer["code"] == "ambiguous" and await desk.wrote() == []
        assert all("09:15" in str(row) for row in answer["candidates"])
        return
    row = await desk.row("individual_appointments", visit)
    assert "message" not in answer, answer
    assert bool(row.get("cancelled_at")) is (tool == "cancel_appointment") and len(await desk.wrote()) == 1
    if tool == "move_appointment":
        assert desk.local(row["starts_at"]) == "4 16:00"


@pytest.mark.parametrize(("scene", "words"), told(SEVERAL), ids=str)
async def test_of_several_visits_the_times_are_shown(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    await prepared(desk)
    other = desk.visit(desk.clinic.patients[0], 6, "15:00")
    answer = await desk.tell("cancel_appointment", appointment=words, reason="sick")
    assert answer["code"] == "ambiguous" and await desk.wrote() == [] and desk.assistant.asked == []
    assert other["id"] in {row["id"] for row in answer["candidates"]} and "T15:00" in str(answer["candidates"])


@pytest.mark.parametrize(("scene", "words"), told(PAST), ids=str)
async def test_attendance_looks_among_what_is_past_first(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    await prepared(desk)
    answer = await desk.tell("set_attendance", appointment=f"Faye Lindqvist, {words}", state="did_not_arrive")
    (row,) = [row for row in await desk.rows("attendees") if row.get("arrived") is False]
    visit = await desk.row("individual_appointments", row["booking_id"])
    assert desk.local(visit["starts_at"]) == "-1 14:00", answer
    assert await desk.wrote() == ["PATCH attendees"]


@pytest.mark.parametrize(("scene", "clock"), told(["9", "9.30", "10 past nine", "09:00", "ten"]), ids=str)
async def test_a_time_a_little_off_names_the_visits_of_that_day(desk_in: OpenStory, scene: Scene, clock: str) -> None:
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    for at in ("09:15", "14:00"):
        desk.visit(faye, -1, at)
    answer = await desk.tell("set_attendance", patient="Faye", when=f"yesterday at {clock}", state="arrived")
    assert answer["code"] in ("not_found", "ambiguous") and await desk.wrote() == []
    assert "T09:15" in str(answer["candidates"]) and "T14:00" in str(answer["candidates"])


@pytest.mark.parametrize(("scene", "zone"), told(ZONES), ids=str)
async def test_a_site_without_a_known_zone_is_never_booked_at_a_guessed_hour(
    desk_in: OpenStory, scene: Scene, zone: tuple[str | None, str | None]
) -> None:
    identifier, label = zone
    desk = desk_in(scene)
    site = desk.sites[scene.site]
    site["time_zone_identifier"], site["time_zone"] = identifier, label
    faye = desk.patient("Faye Lindqvist")
    visit = desk.visit(faye, 4, "09:15")
    await desk.tell("cliniko_write", operation="update_business", arguments={"id": site["id"], "city": "Sampleton"})
    known = label in ("Adelaide", "Sydney")
    deeds = [
        ("book_appointment", {"patient": "Faye", "practitioner": desk.who, "type": "Massage", "when": "Tuesday at 10"}),
        ("move_appointment", {"appointment": visit["id"], "when": "Wednesday at 11:45"}),
        ("block_time", {"practitioner": desk.who, "when": "Friday 12 to 1", "business": scene.site}),
    ]
    before = await desk.wrote()
    for tool, arguments in deeds:
        answer = await desk.tell(tool, **arguments)
        assert ("message" in answer) is not known, answer
    assert (len(await desk.wrote()) - len(before)) == (3 if known else 0)
    if known and (label == "Sydney") is (scene.site == NORTHSIDE):
        rows = [*await desk.rows("individual_appointments"), *await desk.rows("unavailable_blocks")]
        assert sorted(desk.local(row["starts_at"]) for row in rows) == ["5 10:00", "6 11:45", "8 12:00"]
    site["time_zone_identifier"], site["time_zone"] = {NORTHSIDE: ("Australia/Sydney", "Sydney")}.get(
        scene.site, ("Australia/Adelaide", "Adelaide")
    )
