"""Places in classes, and what of a series is cancelled or stays: as said, and told to the person who is asked."""

from datetime import timedelta

import pytest

from .conftest import OpenStory
from .office import Row, Scene, Story, told

pytestmark = pytest.mark.anyio
CLASS = ["pilates", "Pilates class", "the pilates class", "pilates classes", "Class", "Pilates"]
WHEN = ["Monday at 5pm", "mon 5pm", "monday evening", "Monday 5 o'clock", "on Monday, 17:00", "next monday 5pm"]
REST = [
    ("one", [11]), ("rest", [11, 18, 25]), ("whole", [4, 11, 18, 25]), ("one", [11]), ("rest", [11, 18, 25]),
    ("whole", [4, 11, 18, 25]),
]  # fmt: skip
REASONS = [("sick", 30), ("she's unwell, flu", 50), ("away", 40), ("work", 60), ("feeling better", 10),
           ("got called into work", 50)]  # fmt: skip


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "words"), told([*zip(CLASS, WHEN, strict=True)]), ids=str)
async def test_a_place_in_a_class_is_booked_where_there_is_room(
    desk_in: OpenStory, scene: Scene, words: tuple[str, str]
) -> None:
    kind, when = words
    desk = desk_in(scene)
    session = desk.session([desk.patient("Omar Haddad"), desk.patient("Ruth Okoye")], 4, "17:00")
    faye = desk.patient("Faye Lindqvist")
    answer = await desk.tell("book_appointment", patient="Faye Lindqvist", type=kind, when=when)
    (place,) = await desk.new("attendees")
    assert (place["booking_id"], place["patient_id"]) == (session["id"], faye["id"]), answer
    assert await desk.wrote() == ["POST attendees"] and (answer["places_before"], answer["places_after"]) == (2, 1)
    again = await desk.tell("book_appointment", patient="Faye Lindqvist", type=kind, when=when)
    assert "already" in again["done"].casefold() and len(await desk.new("attendees")) == 1


@pytest.mark.parametrize(("scene", "words"), told([*zip(CLASS, WHEN, strict=True)]), ids=str)
async def test_a_full_class_names_the_next_session_with_room(
    desk_in: OpenStory, scene: Scene, words: tuple[str, str]
) -> None:
    kind, when = words
    desk = desk_in(scene)
    others = [desk.patient(f"Guest Number{number}") for number in "ABCD"]
    desk.session(others, 4, "17:00")
    desk.session(others, 6, "17:00")
    desk.session(others[:3], 8, "17:00")
    desk.patient("Faye Lindqvist")
    answer = await desk.tell("book_appointment", patient="Faye Lindqvist", type=kind, when=when)
    assert "code" in answer and await desk.wrote() == []
    assert f"{scene.at(8, '17:00'):%Y-%m-%dT%H:%M}" in str(answer)
    assert f"{scene.at(6, '17:00'):%Y-%m-%dT%H:%M}" not in str(answer)


@pytest.mark.parametrize(("scene", "words"), told([
    ("Knee", "knee"), ("Left shoulder", "her shoulder"), ("Workers comp 2026", "workers comp"), ("Lower back", ""),
    ("Hip replacement", "hip"), ("ACL rehab", "the ACL one"),
]), ids=str)  # fmt: skip
async def test_a_case_is_taken_or_said(desk_in: OpenStory, scene: Scene, words: tuple[str, str]) -> None:
    name, case = words
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist")
    known = desk.add("patient_cases", name=name, patient_id=faye["id"], closed=False, max_sessions=5)
    usual = {"practitioner": desk.who, "type": "Standard consult", "when": "Tuesday at 2", "patient_case": case}
    answer = await desk.tell("book_appointment", patient="Lindqvist, Faye", **usual)
    (row,) = await desk.new("individual_appointments")
    if case:
        assert row.get("patient_case_id") == known["id"], answer
    else:
        assert not row.get("patient_case_id") and any(name in note for note in answer["notes"])


def series_of(desk: Story) -> list[Row]:
    """Faye's four Mondays at 10, made by one rule."""
    faye = desk.patient("Faye Lindqvist")
    first = desk.visit(faye, 4, "10:00")
    rows = [first, *(desk.visit(faye, days, "10:00") for days in (11, 18, 25))]
    rule = {"repeat_type": "Weekly", "repeating_interval": 1, "number_of_repeats": 3}
    for row in rows:
        row |= {"repeat_rule": rule, "repeated_from_id": first["id"]}
    return rows


@pytest.mark.long_but_one
@pytest.mark.parametrize(("scene", "part"), told(REST), ids=str)
async def test_one_the_rest_or_the_whole_of_a_series_is_cancelled_and_the_person_sees_which(
    desk_in: OpenStory, scene: Scene, part: tuple[str, list[int]]
) -> None:
    series, days = part
    desk = desk_in(scene)
    rows = series_of(desk)
    words = f"Faye Lindqvist on {scene.date(11)} at 10"
    answer = await desk.tell("cancel_appointment", appointment=words, reason="away", series=series)
    gone = [row for row in await desk.rows("individual_appointments") if row.get("cancelled_at")]
    assert sorted(int(desk.local(row["starts_at"]).split()[0]) for row in gone) == days, answer
    (question,) = desk.assistant.asked
    shown = {day for day in (4, 11, 18, 25) if f"{scene.at(day, '10:00'):%a %-d %b}" in question}
    assert shown == set(days) and "Faye Lindqvist" in question
    later = sum(day > min(days) for day in days)
    assert (f"the {later} later ones will be cancelled too" if later else "only this one is cancelled") in question
    assert " more." not in question
    left = [row for row in rows if row["id"] not in {one["id"] for one in gone}]
    stays = [scene.at(int(desk.local(row["starts_at"]).split()[0]), "10:00") for row in left]
    assert all(f"{start:%Y-%m-%dT%H:%M}" in str(answer) for start in stays)


@pytest.mark.long
@pytest.mark.parametrize(("scene", "reason"), told(REASONS), ids=str)
async def test_what_stays_behind_is_told_to_the_model_as_to_the_person(
    desk_in: OpenStory, scene: Scene, reason: tuple[str, int]
) -> None:
    words, code = reason
    desk = desk_in(scene)
    faye = desk.patient("Faye Lindqvist", email="faye@mail.example")
    visit = desk.visit(faye, 4, "09:15")
    desk.visit(faye, 12, "11:00")
    past = desk.visit(faye, -7, "11:00", state="arrived")
    desk.add(
        "invoices", patient_id=faye["id"], appointment_id=past["id"], status=10, number=1001, net_amount="80.0",
        issue_date=f"{scene.at(-7, '12:00'):%Y-%m-%d}", practitioner_id=desk.staff[desk.who]["id"],
        business_id=desk.sites[scene.site]["id"],
    )  # fmt: skip
    answer = await desk.tell("cancel_appointment", appointment="Faye's 9:15 on Monday", reason=words)
    row = await desk.row("individual_appointments", visit["id"])
    assert row["cancellation_reason"] == code and "done" in answer, answer
    later = f"{scene.at(12, '11:00'):%Y-%m-%d}"
    assert any(later in note for note in answer["notes"]) and any("open invoice" in note for note in answer["notes"])
    assert answer["item"]["patient"] == "Faye Lindqvist" and answer["item"]["starts_at"].endswith(" Mon")
    assert timedelta(0) < scene.at(4, "09:15") - scene.now
