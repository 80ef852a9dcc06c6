"""Whether two files are one person's: one judgement, which lists of patients and the report share."""

from itertools import combinations
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.duplicates import duplicates, pairs, same_person
from cliniko_mcp.frontdesk.patient_names import known_patient
from cliniko_mcp.frontdesk.reports.question import ReportQuestion
from cliniko_mcp.frontdesk.reports.records import SamePersonRow
from cliniko_mcp.frontdesk.reports.records import duplicates as report_of_duplicates

from .clinics import front_desk, load

Row = dict[str, Any]


def patient(number: int = 1, first: str = "Otis", last: str = "Bramble", **fields: Any) -> Patient:
    return Patient.read({"id": str(number), "first_name": first, "last_name": last, **fields})


def phone(number: str) -> list[dict[str, str]]:
    return [{"phone_type": "Mobile", "number": number}]


NUMBERS = ("0491 570 156", "+61 491 570 156", "0491 570 157")
ROWS = st.fixed_dictionaries(
    {
        "first_name": st.sampled_from(["Otis", "Ottis", "Vera", "Ana", "Anna", "Bramble", ""]),
        "last_name": st.sampled_from(["Bramble", "Brámble", "Quill", "Marsh", "Otis", "Lima"]),
        "preferred_first_name": st.sampled_from([None, "Vee", "Ana"]),
        "date_of_birth": st.sampled_from([None, None, "1984-03-17", "1990-01-02"]),
        "email": st.sampled_from([None, "front@mail.example", "Front@mail.example ", "other@mail.example"]),
        "patient_phone_numbers": st.sampled_from([None, *map(phone, NUMBERS)]),
    },
    optional={"merged_at": st.just("2026-11-01T00:00:00Z")},
)  # fmt: skip


@pytest.mark.long
@settings(max_examples=60)
@given(st.lists(ROWS, min_size=2, max_size=5))
def test_the_list_of_patients_and_the_report_agree_on_who_is_one_person(rows: list[Row]) -> None:
    async def both() -> None:
        async with front_desk() as (reception, clinic):
            reception.empty("patients")
            for number, row in enumerate(rows, 1):
                reception.put("patients", **{**row, "id": str(number)})
            roster, now = await load(clinic)
            finding = await report_of_duplicates(ReportQuestion(clinic, roster, None, None, None, now))
            groups = [group for group in finding.rows if isinstance(group, SamePersonRow)]
            records = [Patient.read(row) for row in reception.rows("patients")]
            found = duplicates(map(known_patient, records))
            assert {frozenset(ids) for ids in joined([(one.id, other.id) for one, other, _ in found])} == {
                frozenset(file.id for file in group.patients) for group in groups
            }
            whys = {verdict.why for _, _, verdict in found}
            assert whys == {why for group in groups for why in group.why.split("; ")}

    anyio.run(both)


def joined(found: list[tuple[str, str]]) -> list[set[str]]:
    groups: list[set[str]] = []
    for pair in found:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return groups


@pytest.mark.long
@given(st.lists(ROWS, min_size=2, max_size=8))
def test_pairs_of_a_whole_clinic_are_those_that_two_files_alone_make(rows: list[Row]) -> None:
    files = [Patient.read({**row, "id": str(number)}) for number, row in enumerate(rows)]
    live = [file for file in files if file.merged_at is None]
    alone = [
        (one.id, other.id, verdict)
        for one, other in combinations(live, 2)
        if (verdict := same_person(one, other)) is not None
    ]
    assert [(pair.one.id, pair.other.id, pair.verdict) for pair in pairs(files)] == alone
    for one, other, verdict in alone:
        turned = same_person(files[int(other)], files[int(one)])
        assert turned == verdict


@pytest.mark.parametrize(("one", "other", "likely", "why"), [
    ({"date_of_birth": "1984-03-17"}, {"date_of_birth": "1984-03-17"}, True, "same name and date of birth"),
    ({}, {}, False, "same name, date of birth not known"),
    ({"date_of_birth": "1984-03-17"}, {}, False, "same name, date of birth not known"),
    ({"email": "a@mail.example"}, {"email": "A@mail.example", "first_name": "Ottis"}, True, "same email, like names"),
    ({"patient_phone_numbers": phone("0491570156")},
     {"patient_phone_numbers": phone("+61 491 570 156"), "last_name": "Marsh"}, False, "same phone and first name"),
    ({"date_of_birth": "1984-03-17"}, {"date_of_birth": "1984-03-17", "first_name": "Ottis"}, False,
     "same date of birth, like names"),
    ({"first_name": "Bramble", "last_name": "Otis", "date_of_birth": "1984-03-17"}, {"date_of_birth": "1984-03-17"},
     True, "same name and date of birth"),
])  # fmt: skip
def test_what_makes_two_files_one_person(one: Row, other: Row, likely: bool, why: str) -> None:
    plain = {"first_name": "Otis", "last_name": "Bramble"}
    verdict = same_person(Patient.read({"id": "1", **plain, **one}), Patient.read({"id": "2", **plain, **other}))
    assert verdict is not None and (verdict.likely, verdict.why) == (likely, why)


@pytest.mark.parametrize(("one", "other"), [
    ({"date_of_birth": "1984-03-17"}, {"date_of_birth": "1990-01-02"}),
    ({"first_name": "Mia", "patient_phone_numbers": phone("0491570156")},
     {"first_name": "Theodore", "patient_phone_numbers": phone("0491570156")}),
    ({"first_name": "Mia", "date_of_birth": "1984-03-17"}, {"first_name": "Theodore", "date_of_birth": "1984-03-17"}),
    ({"first_name": "Mia"}, {"first_name": "Theodore"}),
    ({"first_name": "", "last_name": ""}, {"first_name": "", "last_name": ""}),
])  # fmt: skip
def test_families_twins_and_contradicting_birthdays_are_not_one_person(one: Row, other: Row) -> None:
    plain = {"first_name": "Otis", "last_name": "Bramble"}
    assert same_person(Patient.read({"id": "1", **plain, **one}), Patient.read({"id": "2", **plain, **other})) is None


def test_what_too_many_share_is_a_placeholder() -> None:
    crowd = [
        patient(number, f"First{number}", "Same", email="desk@mail.example", date_of_birth="1900-01-01")
        for number in range(40)
    ]
    twice = [patient(90, date_of_birth="1900-01-01"), patient(91, date_of_birth="1900-01-01")]
    assert [pair.verdict.why for pair in pairs([*crowd, *twice])] == ["same name, date of birth not known"]


def test_a_short_first_name_and_a_slip_in_the_birthday_are_found_though_nothing_else_is_shared() -> None:
    files = [
        patient(1, "Kate", date_of_birth="1984-03-07"),
        patient(2, "Katherine", date_of_birth="1984-07-03"),
        patient(3, "Kate", "Marsh", date_of_birth="1984-07-03"),
        patient(4, "Kate", "", date_of_birth="1984-07-03"),
        patient(5, "Katherine", "", date_of_birth="1984-03-07"),
    ]
    found = [(pair.one.id, pair.other.id, pair.verdict.why) for pair in pairs(files)]
    assert found == [("1", "2", "a short or preferred first name, day and month of birth swapped")]


@pytest.mark.parametrize("last", ["", "Quill"])
def test_a_missing_last_name_is_like_no_other(last: str) -> None:
    same = {"date_of_birth": "1984-03-17"}
    assert same_person(patient(1, "Otis", "", **same), patient(2, "Ottis", last, **same)) is None


async def _whys(reception: Any, query: str) -> list[str]:
    answer = await reception.assistant.call("find_patients", query=query)
    return [pair["why"] for pair in answer.get("duplicates", [])]


@pytest.mark.long
@pytest.mark.anyio
async def test_find_patients_and_the_report_say_the_same_of_the_same_files() -> None:
    async with front_desk() as (reception, _):
        await reception.assistant.call("create_patient", first_name="Otis", last_name="Bramble")
        await reception.assistant.call("create_patient", first_name="Otis", last_name="Bramble")
        for last in ("Quill", "Marsh"):
            numbers = phone("0491 570 110")
            await reception.assistant.call(
                "create_patient", first_name="Vera", last_name=last, patient_phone_numbers=numbers
            )
        report = await reception.assistant.call("report", kind="duplicates", limit=200)
        told = {pair["patients"][0]["name"].split()[0]: pair["why"] for pair in report["items"]}
        assert [told["Otis"]] == await _whys(reception, "Otis Bramble")
        assert [told["Vera"]] == await _whys(reception, "Vera")
