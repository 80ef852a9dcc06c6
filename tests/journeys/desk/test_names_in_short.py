"""Types in short, everyone at both sites, and a new person with case and referrer: as said, in one call."""

from datetime import UTC
from typing import Any

import pytest

from .conftest import OpenStory
from .office import SECOND, STAFF, Scene, told

pytestmark = [pytest.mark.anyio, pytest.mark.long]
SHORT = [
    ("std consult", "Standard consult"), ("std", "Standard consult"), ("init cons", "Initial consult"),
    ("initial", "Initial consult"), ("massg", "Massage"), ("a massage appt", "Massage"),
    ("std appt", "Standard consult"),
]  # fmt: skip
SEVERAL = [("consult", 2), ("a consult", 2), ("cons", 2), ("consultation", 2), ("consults", 2)]
NONE = ["acupuncture", "physio", "podiatry", "dry needling", "hydro"]
EVERYONE = [
    ("everyone", "both sites"), ("all staff", "all sites"), ("the whole team", "both"), ("everybody", "every site"),
    ("all the practitioners", "both clinics"), ("all", "everywhere"), ("all of the team", "all the locations"),
]  # fmt: skip
PEOPLE: list[dict[str, Any]] = [
    {"first_name": "Ines", "last_name": "Duarte", "born": "12/4/1990", "mobile": "0491 570 110", "case": "Hip"},
    {"first_name": "Ines", "last_name": "Duarte", "born": "12 April '90", "mobile": "0491570110", "case": "Hip"},
    {"first_name": "Ines", "last_name": "Duarte", "born": "12th of April 1990", "mobile": "+61 491 570 110",
     "case": "Hip"},
    {"first_name": "Ines", "last_name": "Duarte", "born": "1990-04-12", "mobile": "0491-570-110", "case": "Hip"},
    {"first_name": "Ines", "last_name": "Duarte", "born": "April 12, 1990", "mobile": "(0491) 570 110", "case": "Hip"},
]  # fmt: skip
EMPTY = ["in March", "next March", "the whole of March", "all of March", "1 March to 31 March"]


@pytest.mark.parametrize(("scene", "wording"), told(SHORT), ids=str)
async def test_a_type_in_short_is_the_one_that_it_stands_for(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    words, due = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    answer = await desk.tell(
        "book_appointment", patient="Faye", practitioner=desk.who, type=words, when="Tuesday at 10"
    )
    (row,) = await desk.new("individual_appointments")
    assert row["appointment_type_id"] == desk.types[due]["id"] and answer["item"]["type"] == due, answer


@pytest.mark.parametrize(("scene", "wording"), told(SEVERAL), ids=str)
async def test_a_type_that_may_be_several_is_asked_about(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, int]
) -> None:
    words, number = wording
    desk = desk_in(scene)
    desk.patient("Faye Lindqvist")
    usual = {"practitioner": desk.who, "type": words, "when": "Tuesday at 10"}
    answer = await desk.tell("book_appointment", patient="Faye", **usual)
    assert answer["code"] == "ambiguous" and len(answer["candidates"]) == number and await desk.wrote() == []


@pytest.mark.parametrize(("scene", "words"), told(NONE), ids=str)
async def test_a_type_that_there_is_not_is_answered_with_those_there_are(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    answer = await desk.tell("find_times", type=words, when="Tuesday")
    assert answer["code"] == "not_found" and "Standard consult" in str(answer["candidates"])


@pytest.mark.parametrize(("scene", "wording"), told(EVERYONE), ids=str)
async def test_everyone_at_both_sites_is_blocked_out_by_the_clock_of_each_site(
    desk_in: OpenStory, scene: Scene, wording: tuple[str, str]
) -> None:
    who, where = wording
    desk = desk_in(scene)
    answer = await desk.tell("block_time", practitioner=[who], business=where, when="Tuesday 12 to 1", type="mtg")
    rows = await desk.rows("unavailable_blocks")
    homes = {" ".join(name): site for names in (STAFF, SECOND) for site, name in names.items()}
    assert {row["practitioner_id"] for row in rows} == {desk.staff[name]["id"] for name in homes}, answer
    for row in rows:
        home = next(site for name, site in homes.items() if desk.staff[name]["id"] == row["practitioner_id"])
        there = Scene(scene.clock, home, scene.season)
        assert row["business_id"] == desk.sites[home]["id"]
        assert row["starts_at"] == f"{there.at(5, '12:00').astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(("scene", "person"), told(PEOPLE), ids=str)
async def test_a_new_person_is_one_file_with_a_case_and_a_referrer(
    desk_in: OpenStory, scene: Scene, person: dict[str, Any]
) -> None:
    desk = desk_in(scene)
    doctor = desk.add("contacts", first_name="Ada", last_name="Byrne", type_code=1, label="Ada Byrne")
    desk.patient("Faye Lindqvist", date_of_birth="1990-04-13")
    answer = await desk.tell("register_patient", **person, email="ines@mail.example", referrer="dr Byrne")
    (file,) = await desk.new("patients")
    (case,) = await desk.new("patient_cases")
    assert (file["first_name"], file["last_name"], file["date_of_birth"]) == ("Ines", "Duarte", "1990-04-12"), answer
    assert file["email"] == "ines@mail.example" and file["referring_doctor_id"] == doctor["id"]
    digits = "".join(filter(str.isdigit, file["patient_phone_numbers"][0]["number"]))
    assert digits.endswith("491570110") and (case["name"], case["patient_id"]) == ("Hip", file["id"])
    assert await desk.wrote() == ["POST patients", "POST patient_cases"]


@pytest.mark.parametrize(("scene", "words"), told(EMPTY), ids=str)
async def test_a_month_without_entries_says_so(desk_in: OpenStory, scene: Scene, words: str) -> None:
    desk = desk_in(scene)
    answer = await desk.tell("show_diary", when=words, business=scene.site)
    assert not any(row["entries"] for row in answer["items"])
    assert any("othing is booked" in note for note in answer["notes"]), answer
