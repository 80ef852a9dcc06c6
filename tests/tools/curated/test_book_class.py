"""book_appointment for a class: room, who is in it, the places before and after, and the next session with room."""

from typing import Any

import pytest

from .reception import NORTHSIDE, RIVERSIDE, Reception, reception

pytestmark = pytest.mark.anyio
CLASS: dict[str, Any] = {"patient": "Otto Zimt", "type": "Pilates class", "when": "Thursday at 9"}


def prepared(clinic: Reception, held: int = 3, later: int = 5) -> tuple[str, str, str]:
    """Otto, the class of Thursday with so many in it, and the one a week on; ids."""
    clinic.empty_diary()
    others = [clinic.patient(f"P{number}", "Class") for number in range(8)]
    first = clinic.group(others[:held], NORTHSIDE, "Priya Nair", "2026-11-26 09:00")
    second = clinic.group(others[:later], NORTHSIDE, "Priya Nair", "2026-12-03 09:00")
    return clinic.patient("Otto", "Zimt"), first, second


def held(clinic: Reception, session: str) -> list[str]:
    """The patients with a live place in a session, by the raw rows."""
    return [
        row["patient_id"]
        for row in clinic.rows("attendees")
        if row["booking_id"] == session and not row.get("cancelled_at")
    ]


@pytest.mark.long_but_one
@pytest.mark.parametrize("when", [
    "Thursday at 9", "Thursday", "26 November 9am", "this Thursday morning", "2026-11-26T09:00", "in 2 days",
])  # fmt: skip
async def test_a_place_is_taken_in_the_session_that_is_meant(when: str) -> None:
    async with reception() as clinic:
        otto, first, _ = prepared(clinic)
        answer = await clinic.assistant.call("book_appointment", **{**CLASS, "when": when})
        assert answer.get("done") == "Booked.", answer
        assert (answer["places_before"], answer["places_after"]) == (5, 4)
        assert answer["item"]["id"] == first and answer["item"]["practitioner"] == "Priya Nair"
        assert held(clinic, first)[-1] == otto
        assert clinic.assistant.changes() == ["POST /v1/attendees"]
        assert "Otto Zimt" in answer["notes"][0] and "Cliniko" in answer["notes"][0]


@pytest.mark.long
async def test_a_full_class_is_refused_with_the_next_that_has_room() -> None:
    async with reception() as clinic:
        _, _, second = prepared(clinic, held=8)
        answer = await clinic.assistant.call("book_appointment", **CLASS)
        assert answer["code"] == "clash" and "clash" not in answer
        assert "full (8 of 8 places)" in answer["clashes"][0]
        assert f"2026-12-03T09:00+11:00 Thu with Priya Nair, 3 places (class {second})" in answer["clashes"][0]
        assert clinic.assistant.changes() == []
        preview = await clinic.assistant.call("book_appointment", **CLASS, dry_run=True)
        assert preview["clashes"] == answer["clashes"] and "clash" not in preview


@pytest.mark.long
async def test_the_next_with_room_is_not_one_at_which_the_patient_is_elsewhere() -> None:
    async with reception() as clinic:
        otto, _, _ = prepared(clinic, held=8)
        third = clinic.group([], NORTHSIDE, "Priya Nair", "2026-12-10 09:00")
        clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-12-03 09:30")
        answer = await clinic.assistant.call("book_appointment", **CLASS)
        assert f"class {third}" in answer["clashes"][0]


@pytest.mark.long
async def test_another_booking_of_the_patient_then_is_a_clash_that_can_be_allowed() -> None:
    async with reception() as clinic:
        otto, first, _ = prepared(clinic)
        own = clinic.book(otto, RIVERSIDE, "Jack Whitfield", "2026-11-26 08:45")
        refusal = await clinic.assistant.call("book_appointment", **CLASS)
        assert refusal["code"] == "clash" and own in refusal["clashes"][0]
        assert held(clinic, first).count(otto) == 0
        await clinic.assistant.call("book_appointment", **CLASS, allow_clash=refusal["clash"])
        assert held(clinic, first).count(otto) == 1


@pytest.mark.long
async def test_of_two_sessions_it_asks_which_and_a_time_or_a_practitioner_decides() -> None:
    async with reception() as clinic:
        _, first, _ = prepared(clinic)
        noon = clinic.group([], NORTHSIDE, "Tom Okafor", "2026-11-26 12:00")
        asked = await clinic.assistant.call("book_appointment", **{**CLASS, "when": "Thursday"})
        assert asked["code"] == "ambiguous"
        assert [(row["id"], row["places_left"]) for row in asked["candidates"]] == [(first, 5), (noon, 8)]
        by_time = await clinic.assistant.call("book_appointment", **{**CLASS, "when": "Thursday at 12"}, dry_run=True)
        by_name = await clinic.assistant.call(
            "book_appointment", **{**CLASS, "when": "Thursday"}, practitioner="Okafor", dry_run=True
        )
        assert by_time["item"]["id"] == by_name["item"]["id"] == noon


@pytest.mark.long
async def test_a_time_without_a_session_names_those_to_come() -> None:
    async with reception() as clinic:
        _, _, second = prepared(clinic)
        answer = await clinic.assistant.call("book_appointment", **{**CLASS, "when": "Saturday at 9"})
        assert answer["code"] == "not_found"
        assert [row["id"] for row in answer["sessions"]] == [second]


@pytest.mark.long
async def test_places_of_a_series_are_taken_one_by_one_and_full_sessions_left_out() -> None:
    async with reception() as clinic:
        otto, first, second = prepared(clinic, later=8)
        third = clinic.group([], NORTHSIDE, "Priya Nair", "2026-12-10 09:00")
        refusal = await clinic.assistant.call("book_appointment", **CLASS, repeat="weekly x3")
        assert refusal["code"] == "clash" and refusal["dates"] == "2026 Nov 26; Dec 3*, 10 (* clash)"
        answer = await clinic.assistant.call("book_appointment", **CLASS, repeat="weekly x3", skip=["3 December"])
        assert [row.get("places_left") for row in answer["visits"]] == [4, None, 7]
        assert [held(clinic, session).count(otto) for session in (first, second, third)] == [1, 0, 1]
        assert len(clinic.assistant.changes()) == 2


@pytest.mark.long
async def test_a_length_is_no_matter_of_a_class() -> None:
    async with reception() as clinic:
        prepared(clinic)
        answer = await clinic.assistant.call("book_appointment", **CLASS, minutes=30)
        assert (answer["code"], answer["field"]) == ("invalid_arguments", "minutes")


@pytest.mark.long
@pytest.mark.parametrize("named", ["Care plan", "care", "ID"])
@pytest.mark.parametrize("kind", ["class", "consult"])
async def test_a_visit_counts_towards_the_case_that_is_named(kind: str, named: str) -> None:
    async with reception() as clinic:
        otto, _, _ = prepared(clinic)
        case = clinic.put("patient_cases", patient_id=otto, name="Care plan", max_sessions=5)
        clinic.put("patient_cases", patient_id=otto, name="Old claim", closed_at="2026-01-01T00:00:00Z")
        consult = {**CLASS, "type": "Standard consult", "practitioner": "Ng"}
        arguments = CLASS if kind == "class" else consult
        answer = await clinic.assistant.call(
            "book_appointment", **arguments, patient_case=case if named == "ID" else named
        )
        assert answer.get("done") == "Booked.", answer
        (own,) = [row for row in clinic.rows("attendees") if row["patient_id"] == otto]
        assert own["patient_case_id"] == case
        assert any("counts towards the case Care plan, for 5 sessions" in note for note in answer["notes"])
        closed = await clinic.assistant.call("book_appointment", **arguments, patient_case="Old claim")
        assert closed["code"] == "not_found"


@pytest.mark.long
@pytest.mark.parametrize(("expiry", "told"), [(None, True), ("2026-11-26", True), ("2026-11-25", False)])
async def test_an_open_case_that_fits_is_named_and_one_that_runs_out_before_is_not(
    expiry: str | None, told: bool
) -> None:
    async with reception() as clinic:
        otto, _, _ = prepared(clinic)
        case = clinic.put("patient_cases", patient_id=otto, name="Care plan", expiry_date=expiry)
        clinic.put("patient_cases", patient_id=clinic.patient("Ben", "Ash"), name="Of another")
        for arguments in (CLASS, {**CLASS, "type": "Standard consult", "practitioner": "Ng", "when": "Thursday at 11"}):
            answer = await clinic.assistant.call("book_appointment", **arguments)
            assert answer.get("done") == "Booked.", answer
            assert any(f"Care plan (id {case})" in note for note in answer["notes"]) is told
            assert not any("Of another" in note for note in answer["notes"])


@pytest.mark.long
async def test_an_appointment_of_the_type_of_a_class_is_no_session_of_it() -> None:
    async with reception() as clinic:
        otto, first, _ = prepared(clinic)
        other = clinic.patient("Ada", "Alone")
        for local in ("2026-11-26 12:00", "2026-11-28 09:00"):
            clinic.book(other, NORTHSIDE, "Priya Nair", local, kind=CLASS["type"])
        none = await clinic.assistant.call("book_appointment", **{**CLASS, "when": "Saturday at 9"})
        assert none["code"] == "not_found"
        answer = await clinic.assistant.call("book_appointment", **{**CLASS, "when": "Thursday"})
        assert answer["done"] == "Booked." and held(clinic, first)[-1] == otto
