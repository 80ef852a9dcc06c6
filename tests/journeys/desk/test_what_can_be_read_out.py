"""Answers that a desk reads out: held against the raw rows of the practice, not against one another."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from clinics.rows import stamp

from .conftest import OpenStory
from .office import Row, Scene, Story, Told, told

pytestmark = pytest.mark.anyio
UTC = ZoneInfo("UTC")
MOBILE = [{"phone_type": "Mobile", "number": "0491 570 156"}]
DAYS = [("Monday", 4), ("mon", 4), ("next monday", 4), ("the {4}", 4), ("in four days", 4), ("Mon all day", 4)]
FREE = [("Saturday", 2), ("sat", 2), ("this weekend", 2), ("the {2}", 2), ("Sunday", 3)]
NEXT = [("asap", "Massage"), ("any time", "massage"), ("as soon as possible", "massag"), ("whenever", "the massage"),
        ("first available", "massages"), ("next available", "Massage")]  # fmt: skip
GAPS = ["Monday 10 to 10:30", "mon 10 til half 10", "monday at 10", "Monday 10:00-10:30", "10am next Monday"]
BRIEFLY = ["Faye", "Faye Lindqvist", "Lindqvist, Faye", "faye lindqvist"]


def dated(scene: Scene, text: str) -> str:
    for days in (2, 4):
        text = text.replace(f"{{{days}}}", scene.date(days))
    return text


def away(desk: Story, name: str, days: int, kind: str = "Leave") -> None:
    """A whole day blocked out."""
    block = next(row for row in desk.clinic.rows("unavailable_block_types") if row["name"] == kind)
    starts, ends = (stamp(desk.scene.at(day, "00:00").astimezone(UTC)) for day in (days, days + 1))
    desk.add(
        "unavailable_blocks", practitioner_id=desk.staff[name]["id"], business_id=desk.sites[desk.scene.site]["id"],
        unavailable_block_type_id=block["id"], starts_at=starts, ends_at=ends,
    )  # fmt: skip


def clock(desk: Story, row: Row) -> str:
    return desk.local(row["starts_at"]).split()[1]


@pytest.mark.long
@pytest.mark.parametrize(("scene", "wording"), told(DAYS), ids=str)
async def test_a_run_sheet_has_everyone_in_time_order_with_a_head_count(
    new_desk_in: OpenStory, scene: Scene, wording: tuple[str, int]
) -> None:
    words, days = wording
    desk = new_desk_in(scene)
    desk.staff[desk.second]["show_in_online_bookings"] = False
    people = {
        name: desk.patient(name, patient_phone_numbers=MOBILE)
        for name in ("Faye Lindqvist", "Omar Haddad", "Ruth Okoye")
    }
    desk.add("medical_alerts", name="Latex allergy", patient_id=people["Faye Lindqvist"]["id"])
    desk.visit(people["Omar Haddad"], days, "11:00")
    desk.visit(people["Faye Lindqvist"], days, "09:15")
    desk.visit(people["Ruth Okoye"], days, "08:30", who=desk.second)
    desk.visit(people["Omar Haddad"], days, "15:00", who=desk.second)
    answer = await desk.tell("show_diary", when=dated(scene, words), business=scene.site, run_sheet=True, phones=True)
    (sheet,) = answer["items"]
    assert [entry["at"][:5] for entry in sheet["entries"]] == ["08:30", "09:15", "11:00", "15:00"]
    assert sheet["patients"] == answer["totals"]["patients"] == 3 and answer["online_off"] == [desk.second]
    assert [entry["patient"] for entry in sheet["entries"] if entry.get("alert")] == ["Faye Lindqvist"]
    assert all(entry["phones"] == ["0491 570 156"] for entry in sheet["entries"])
    assert not any(request != "GET" for request in await desk.wrote())


@pytest.mark.parametrize(("scene", "wording"), told(FREE), ids=str)
async def test_a_day_without_entries_says_so_and_who_is_away_and_why(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, int]
) -> None:
    words, _ = wording
    desk = desk_in(scene)
    empty = await desk.tell("show_diary", when=dated(scene, words), business=scene.site)
    assert empty["items"] == [] and any("nothing is booked" in note for note in empty["notes"])
    assert {row["practitioner"] for row in empty["off"]} == {desk.who, desk.second}
    other = desk_in(scene)
    away(other, other.second, 5)
    answer = await other.tell("show_diary", when="Tuesday", business=scene.site)
    assert [(row["practitioner"], row["why"]) for row in answer["off"]] == [(other.second, "Leave")]


@pytest.mark.parametrize(("scene", "wording"), told(NEXT), ids=str)
async def test_the_next_free_time_is_found_however_far_it_is(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    when, kind = wording
    desk = desk_in(scene)
    for days in range(40):
        away(desk, desk.who, days)
    answer = await desk.tell("find_times", type=kind, when=when, practitioner=[desk.who])
    first = desk.local(answer["items"][0]["starts_at"].split(" ")[0])
    due = next(days for days in range(40, 47) if scene.at(days, "12:00").isoweekday() <= 5)
    assert first == f"{due} 08:00" and any(note.startswith("Looked from ") for note in answer["notes"])


@pytest.mark.long
@pytest.mark.parametrize(("scene", "wording"), told([
    ("Tuesday", "Leave"), ("Saturday", "not at work"), ("Wednesday", "full"), ("Monday online", "nline"),
    ("Friday week", "offer"),
]), ids=str)  # fmt: skip
async def test_why_there_is_no_time_is_told_apart_with_the_next_one(
    new_desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    when, why = wording
    desk = new_desk_in(scene)
    away(desk, desk.who, 5)
    faye = desk.patient("Faye Lindqvist")
    for hour in range(8, 18):
        desk.visit(faye, 6, f"{hour:02}:00", kind="Massage")
    kind = "diary"
    if why == "nline":
        desk.staff[desk.who]["show_in_online_bookings"] = False
        kind = "online"
    if why == "offer":
        desk.types["Massage"]["practitioner_ids"] = [desk.staff[desk.second]["id"]]
    answer = await desk.tell(
        "find_times", type="Massage", when=when.removesuffix(" online"), practitioner=[desk.who], kind=kind
    )
    assert answer["items"] == [] and any(why in text and desk.who in text for text in answer["why"]), answer
    own = [slot for slot in answer.get("alternatives", ()) if slot["practitioner"] == desk.who]
    assert bool(own) is (why != "offer")


@pytest.mark.parametrize(("scene", "words"), told(GAPS), ids=str)
async def test_a_gap_is_offered_to_whoever_can_be_phoned_and_is_free_nearest_first(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    near, far, mute, busy, left, beyond = (
        desk.patient(name, patient_phone_numbers=phones)
        for name, phones in (
            ("Omar Haddad", MOBILE), ("Ruth Okoye", MOBILE), ("Vera Quill", []), ("Ines Duarte", MOBILE),
            ("Faye Lindqvist", MOBILE), ("Noel Far", MOBILE),
        )
    )  # fmt: skip
    for patient, days in ((near, 6), (far, 20), (mute, 5), (busy, 7), (beyond, 45)):
        desk.visit(patient, days, "10:00")
    desk.visit(busy, 4, "10:00", who=desk.second)
    desk.visit(left, 4, "10:00", state="cancelled")
    desk.visit(left, 11, "10:00")
    answer = await desk.tell("fill_gap", practitioner=desk.who, when=words, type="Standard consult")
    assert [row["patient"] for row in answer["items"]] == ["Omar Haddad", "Ruth Okoye", "Vera Quill"], answer
    assert answer["items"][0]["phones"] == ["0491 570 156"] and await desk.wrote() == []


async def history(desk: Story, words: str, **more: object) -> Told:
    """Faye's file with nine visits of all kinds behind her and one to come, each with a note of its own."""
    faye = desk.patient("Faye Lindqvist")
    states = ["arrived", "missed", "cancelled", "arrived", "arrived", "arrived", "arrived", "missed", "arrived"]
    for place, state in enumerate(states, 1):
        visit = desk.visit(faye, -7 * place, "11:00", state=state)
        if state == "arrived":
            content = {
                "sections": [{"name": "S", "questions": [{"name": "P", "type": "text", "answer": f"Week {place}."}]}]
            }
            desk.add(
                "treatment_notes", patient_id=faye["id"], booking_id=visit["id"], title=f"Note {place}", draft=False,
                practitioner_id=desk.staff[desk.who]["id"], content=content,
            )  # fmt: skip
    desk.session([faye], -3, "17:00")
    desk.visit(faye, 4, "09:15")
    return (await desk.tell("patient_brief", patient=words, **more))["item"]


@pytest.mark.parametrize(("scene", "words"), told([*BRIEFLY, "Lindqvist"]), ids=str)
async def test_a_brief_has_as_many_visits_as_asked_and_the_whole_history_on_request(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    item = await history(desk, words, visits=6, notes=True, history=True)
    assert len(item["last_visits"]) == 6 and item["counts"]["past"] >= 6
    texts = str(item["last_visits"])
    assert "Week 1." in texts and "Note 1" in texts
    days = [desk.local(visit["starts_at"].split(" ")[0]) for visit in item["history"]]
    moments = [datetime.fromisoformat(visit["starts_at"].split(" ")[0]) for visit in item["history"]]
    assert len(days) == 11 and "-3 17:00" in days and moments in (sorted(moments), sorted(moments, reverse=True))
    told_of = str(item["history"])
    assert "did not arrive" in told_of and "cancelled" in told_of and "Other" in told_of


@pytest.mark.parametrize(("scene", "words"), told([
    "next week", "in the next 7 days", "this Monday", "next wk", "over the next fortnight",
]), ids=str)  # fmt: skip
async def test_lists_and_counts_take_the_same_phrases_and_names(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    faye, omar = desk.patient("Faye Lindqvist"), desk.patient("Omar Haddad")
    due = desk.visit(faye, 4, "09:15")
    desk.visit(omar, 4, "10:15", who=desk.second)
    desk.visit(faye, 4, "11:15", kind="Massage")
    filters = {"practitioner_id": desk.who, "appointment_type_id": "Standard consult", "starts_at": words}
    listed = await desk.tell("list_individual_appointments", **filters)
    assert [row["id"] for row in listed["items"]] == [due["id"]], listed
    counted = await desk.tell("count_records", operation="list_individual_appointments", arguments=filters)
    assert counted["count"] == 1, counted
