"""book_appointment said again after a lost answer: answered with what is there, and a second one only on purpose."""

from typing import Any

import pytest

from cliniko_mcp.sandbox.faults import Fault

from .reception import NORTHSIDE, Reception, reception

pytestmark = pytest.mark.anyio
BASE: dict[str, Any] = {
    "patient": "Otto Zimt", "practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00",
}  # fmt: skip
CLASS: dict[str, Any] = {"patient": "Otto Zimt", "type": "Pilates class", "when": "21 January 2027 at 9"}


def emptied(clinic: Reception) -> str:
    clinic.empty_diary()
    return clinic.patient("Otto", "Zimt")


@pytest.mark.long_but_one
@pytest.mark.parametrize("again", [
    {}, {"when": "2027-01-20T10:00+11:00"}, {"practitioner": "Dr Mei Ng", "business": "Northside"},
    {"when": "Wednesday 20 January 2027, 10am to 10:30"}, {"notes": "Ring first"}, {"minutes": 45},
])  # fmt: skip
async def test_the_same_visit_is_not_booked_twice(again: dict[str, Any]) -> None:
    async with reception() as clinic:
        emptied(clinic)
        first = await clinic.assistant.call("book_appointment", **BASE)
        answer = await clinic.assistant.call("book_appointment", **{**BASE, **again})
        assert answer["done"] == f"Already there, id {first['item']['id']}. Nothing was changed."
        assert answer["item"]["id"] == first["item"]["id"]
        assert len(clinic.rows("individual_appointments")) == 1
        assert len(clinic.assistant.changes()) == 1


@pytest.mark.long
async def test_a_second_one_on_purpose_takes_the_clash_text_and_again_only_once() -> None:
    async with reception() as clinic:
        emptied(clinic)
        await clinic.assistant.call("book_appointment", **BASE)
        there = await clinic.assistant.call("book_appointment", **BASE)
        assert "on purpose" in there["notes"][0]
        second = await clinic.assistant.call("book_appointment", **BASE, allow_clash=there["clash"])
        assert second["done"] == "Booked." and second["conflicts"] is True
        lost = await clinic.assistant.call("book_appointment", **BASE, allow_clash=there["clash"])
        assert lost["done"].startswith("Already there")
        assert len(clinic.rows("individual_appointments")) == 2


@pytest.mark.long_but_one
@pytest.mark.parametrize("change", [
    {"repeat": "weekly x3"}, {"repeat": "weekly x4", "skip": ["27 January"]}, {"repeat": "fortnightly until March"},
])  # fmt: skip
async def test_a_series_is_not_booked_twice(change: dict[str, Any]) -> None:
    async with reception() as clinic:
        emptied(clinic)
        first = await clinic.assistant.call("book_appointment", **BASE, **change)
        made = {row["id"] for row in clinic.rows("individual_appointments")}
        answer = await clinic.assistant.call("book_appointment", **BASE, **change)
        assert answer["done"].startswith(f"Already there, id {first['item']['id']}")
        assert {row["id"] for row in clinic.rows("individual_appointments")} == made
        assert {row["id"] for row in answer["visits"] if "id" in row} == made


@pytest.mark.long
async def test_a_series_over_a_visit_that_is_there_is_a_clash_and_leaving_it_out_books_the_rest() -> None:
    async with reception() as clinic:
        emptied(clinic)
        first = await clinic.assistant.call("book_appointment", **BASE)
        refusal = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x3")
        assert refusal["code"] == "clash" and first["item"]["id"] in refusal["clashes"][0]
        await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x3", skip=["20 January"])
        assert len(clinic.rows("individual_appointments")) == 3


@pytest.mark.long_but_one
@pytest.mark.parametrize(("other", "code"), [
    ({"practitioner": "Okafor"}, "clash"), ({"type": "Initial consult"}, "clash"), ({"patient": "Ana Lima"}, "clash"),
])  # fmt: skip
async def test_what_differs_in_patient_type_or_practitioner_is_no_repetition(other: dict[str, Any], code: str) -> None:
    async with reception() as clinic:
        emptied(clinic)
        await clinic.assistant.call("book_appointment", **BASE)
        answer = await clinic.assistant.call("book_appointment", **{**BASE, **other})
        assert answer["code"] == code, answer


async def test_a_cancelled_visit_may_be_booked_again() -> None:
    async with reception() as clinic:
        otto = emptied(clinic)
        clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2027-01-20 10:00", cancelled_at="2026-11-20T00:00:00Z")
        answer = await clinic.assistant.call("book_appointment", **BASE)
        assert answer["done"] == "Booked."


@pytest.mark.long
async def test_a_place_in_a_class_is_not_taken_twice() -> None:
    async with reception() as clinic:
        otto = emptied(clinic)
        session = clinic.group([], NORTHSIDE, "Priya Nair", "2027-01-21 09:00")
        first = await clinic.assistant.call("book_appointment", **CLASS)
        assert first["done"] == "Booked.", first
        for when in ("21 January 2027", "21 January 2027 at 9:00", "Thursday 21 January 2027 in the morning"):
            answer = await clinic.assistant.call("book_appointment", **{**CLASS, "when": when})
            assert answer["done"] == f"Already there, id {session}. Nothing was changed."
        assert [row["patient_id"] for row in clinic.rows("attendees")] == [otto]


@pytest.mark.long
async def test_the_case_and_notes_of_what_is_there_are_not_said_to_have_changed() -> None:
    async with reception() as clinic:
        otto = emptied(clinic)
        clinic.put("patient_cases", patient_id=otto, name="Care plan")
        await clinic.assistant.call("book_appointment", **BASE)
        answer = await clinic.assistant.call("book_appointment", **BASE, notes="New", patient_case="Care plan")
        assert any("notes stay as they are" in note for note in answer["notes"])
        assert any("case stays as it is" in note for note in answer["notes"])
        assert not any("counts towards" in note for note in answer["notes"])


@pytest.mark.long
@pytest.mark.parametrize("lost", [
    {}, {"repeat": "weekly x3"}, {"repeat": "weekly x3", "skip": ["27 January"]},
    CLASS, {**CLASS, "repeat": "weekly x2"},
])  # fmt: skip
async def test_after_a_lost_answer_the_same_call_leaves_each_visit_once(lost: dict[str, Any]) -> None:
    async with reception() as clinic:
        emptied(clinic)
        for day in ("2027-01-21", "2027-01-28"):
            clinic.group([], NORTHSIDE, "Priya Nair", f"{day} 09:00")
        arguments = {**({} if "type" in lost else BASE), **lost}
        path = "/v1/attendees" if "type" in lost else "/v1/individual_appointments"
        clinic.sandbox.faults.set(Fault("drop_after", path=path, method="POST", times=1))
        unknown = await clinic.assistant.call("book_appointment", **arguments)
        assert unknown["code"] == "outcome_unknown"
        await clinic.assistant.call("book_appointment", **arguments)
        last = await clinic.assistant.call("book_appointment", **arguments)
        assert last["done"].startswith("Already there"), last
        starts = [row["starts_at"] for row in clinic.rows("individual_appointments")]
        places = [row["booking_id"] for row in clinic.rows("attendees")]
        due = 1 if "repeat" not in lost else 2 if "skip" in lost or "type" in lost else 3
        assert len(places) == len(set(places)) == due
        assert len(starts) == len(set(starts)) == (0 if "type" in lost else due)


async def test_a_place_in_a_class_of_one_is_no_appointment_that_is_there_already() -> None:
    async with reception() as clinic:
        patient = emptied(clinic)
        session = clinic.group([patient], NORTHSIDE, "Dr Mei Ng", "2027-01-20T10:00", kind="Standard consult")
        answer = await clinic.assistant.call("book_appointment", **BASE)
        assert answer["code"] == "clash" and any(session in clash for clash in answer["clashes"])
        assert clinic.assistant.changes() == []
