"""Who is one person is judged by one score: when booking, finding, registering and in the report alike."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from .reception import Reception, reception

pytestmark = pytest.mark.anyio
BOOKING = {"practitioner": "Mei Ng", "type": "Standard consult", "business": "Northside", "when": "next Wednesday 11am"}
SPELT = [
    (("Mary", "McDonald"), ("Mary", "Macdonald")), (("Kit", "O'Brien"), ("Kit", "O Brien")),
    (("Zoë", "Quill"), ("Zoe", "Quill")), (("Bramble", "Otis"), ("Otis", "Bramble")),
    (("Mary Ann", "Voss"), ("Maryann", "Voss")), (("Jean-Luc", "Marsh"), ("Jean Luc", "Marsh")),
]  # fmt: skip
Name = tuple[str, str]


@pytest.fixture
async def desk() -> AsyncGenerator[Reception]:
    async with reception() as found:
        found.empty("patients")
        yield found


async def book(desk: Reception, patient: str, **more: Any) -> dict[str, Any]:
    return await desk.assistant.call("book_appointment", patient=patient, **BOOKING, **more)


@pytest.mark.parametrize(("one", "other"), SPELT, ids=str)
async def test_names_that_are_equal_however_spelt_are_one_person_s_by_every_tool(
    desk: Reception, one: Name, other: Name
) -> None:
    ids = {desk.patient(*name, date_of_birth="1984-03-17") for name in (one, other)}
    refused = await book(desk, " ".join(one))
    assert refused["code"] == "ambiguous" and {row["id"] for row in refused["candidates"]} == ids
    assert "likely one person's files" in refused["fix"] and all(patient in refused["fix"] for patient in ids)
    found = await desk.assistant.call("find_patients", query=" ".join(one))
    report = await desk.assistant.call("report", kind="duplicates")
    why = "same name and date of birth"
    assert [pair["why"] for pair in found["duplicates"]] == [pair["why"] for pair in report["items"]] == [why]
    newcomer = {"first_name": one[1], "last_name": one[0], "born": "17 March 1984", "email": "desk@mail.example"}
    again = await desk.assistant.call("register_patient", **newcomer)
    assert again["code"] == "clash" and all(f"likely, {why}" in clash for clash in again["clashes"])
    assert not [call for call in desk.assistant.changes() if call.startswith("POST")]


async def test_a_birth_date_tells_two_of_one_name_apart(desk: Reception) -> None:
    mother = desk.patient("Ana", "Quill", date_of_birth="1961-05-03")
    daughter = desk.patient("Ana", "Quill", date_of_birth="1990-01-02")
    refused = await book(desk, "Ana Quill")
    assert refused["code"] == "ambiguous" and "one person" not in refused["fix"]
    made = await book(desk, "Ana Quill, born 2 Jan 1990")
    row = next(row for row in desk.rows("individual_appointments") if row["id"] == made["item"]["id"])
    assert row["patient_ids"] == [daughter] != [mother]


@pytest.mark.parametrize(("born", "slip"), [
    ("5 March 1961", "day and month of birth swapped"), ("3 May 1962", "dates of birth one digit apart"),
    ("3 May 1990", ""), ("03/05/1971", ""),
])  # fmt: skip
async def test_a_birth_date_that_is_not_the_file_s_books_nobody_and_a_slip_is_named(
    desk: Reception, born: str, slip: str
) -> None:
    known = desk.patient("Ana", "Quill", date_of_birth="1961-05-03")
    blank = desk.patient("Ana", "Quill")
    refused = await book(desk, f"Ana Quill dob {born}")
    assert refused["code"] == "not_found"
    order = [row["id"] for row in refused["candidates"]]
    assert order == ([known, blank] if slip else [blank, known]), "whom the date contradicts comes last"
    assert (f"({slip})" in refused["fix"]) is bool(slip)
    assert not desk.assistant.changes()


async def test_a_second_file_under_another_form_of_the_name_is_told_to_whoever_books(desk: Reception) -> None:
    short = desk.patient("Kate", "Nguyen", date_of_birth="1984-03-17")
    whole = desk.patient("Katherine", "Nguyen", date_of_birth="1984-03-17")
    desk.patient("Kathleen", "Nguyen", date_of_birth="1999-03-17")
    made = await book(desk, "Kate Nguyen")
    assert made["done"] == "Booked."
    (told,) = [note for note in made["notes"] if "one person" in note]
    assert f"{short} and {whole} (same date of birth, a short or preferred first name)" in told
