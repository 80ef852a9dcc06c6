"""register_patient: one file and one case for one person, told exactly, however often it is called."""

from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp.sandbox.faults import Fault

from .raw import Raw

pytestmark = pytest.mark.anyio

JO: dict[str, Any] = {
    "first_name": "Jo", "last_name": "Park", "born": "3 May 1984", "mobile": "0491 570 156",
    "home_phone": "02 9011 2233",
    "email": "jo@mail.example", "case": "Knee", "max_sessions": 6,
}  # fmt: skip


def new(raw: Raw, table: str, before: set[str]) -> list[dict[str, Any]]:
    return [row for row in raw.rows(table) if row["id"] not in before]


def ids(raw: Raw, table: str) -> set[str]:
    return {row["id"] for row in raw.rows(table)}


async def test_a_file_and_its_first_case_are_made_just_as_they_were_named() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        files, cases = ids(raw, "patients"), ids(raw, "patient_cases")
        doctor = next(row for row in raw.live("contacts") if row.get("type_code") == 1)
        name = f"{doctor['first_name']} {doctor['last_name']}"
        answer = await assistant.call("register_patient", **JO, referrer=name)
        (file,), (case,) = new(raw, "patients", files), new(raw, "patient_cases", cases)
        assert answer["item"]["id"] == file["id"] and answer["case"]["id"] == case["id"]
        assert (file["first_name"], file["last_name"], file["date_of_birth"]) == ("Jo", "Park", "1984-05-03")
        assert [(row["phone_type"], row["number"]) for row in file["patient_phone_numbers"]] == [
            ("Mobile", "0491 570 156"),
            ("Home", "02 9011 2233"),
        ]
        assert file["email"] == "jo@mail.example" and file["referring_doctor_id"] == doctor["id"]
        assert (case["patient_id"], case["name"], case["max_sessions"]) == (file["id"], "Knee", 6)
        assert case["contact_id"] == doctor["id"]
        assert any("sends nothing" in note for note in answer["notes"])


async def test_a_referrer_is_told_where_the_file_or_the_case_keeps_it_and_nowhere_else() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        doctor = next(row for row in raw.live("contacts") if row.get("type_code") == 1)
        name = f"{doctor['first_name']} {doctor['last_name']}"
        jo = {"first_name": "Jo", "last_name": "Park", "case": "Knee"}
        assert "referrer" not in (await assistant.call("register_patient", **jo))["item"]
        again = await assistant.call("register_patient", **jo, referrer=name)
        assert again["done"].startswith("Already there") and "referrer" not in again["item"]
        other = await assistant.call("register_patient", **jo | {"case": "Hip"}, referrer=name)
        assert other["item"]["referrer"].endswith(str(doctor["last_name"]))


@pytest.mark.long_but_one
@pytest.mark.parametrize("left_out", [(), ("case", "max_sessions"), ("born",), ("mobile", "home_phone", "email")])
@pytest.mark.parametrize("again", [{}, {"first_name": "JO"}, {"born": "1984-05-03"}, {"mobile": "+61 491 570 156"}])
async def test_the_same_call_again_makes_no_second_file(left_out: tuple[str, ...], again: dict[str, Any]) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        arguments = {name: value for name, value in JO.items() if name not in left_out}
        more = {name: value for name, value in again.items() if name in arguments}
        made = await assistant.call("register_patient", **arguments)
        files, cases = ids(raw, "patients"), ids(raw, "patient_cases")
        answer = await assistant.call("register_patient", **arguments | more)
        assert answer["done"].startswith(f"Already there, id {made['item']['id']}")
        assert (ids(raw, "patients"), ids(raw, "patient_cases")) == (files, cases)


async def test_a_case_that_failed_is_told_and_the_next_call_opens_only_the_case() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        raw.sandbox.faults.set(Fault("forbidden", path="/patient_cases", method="POST"))
        answer = await assistant.call("register_patient", **JO)
        own = answer["item"]["id"]
        assert answer["done"].startswith("Registered. The case was not opened: ") and "case" not in answer
        assert any("nothing is made twice" in note for note in answer["notes"])
        raw.sandbox.faults.set()
        files = ids(raw, "patients")
        again = await assistant.call("register_patient", **JO)
        assert "The case was opened." in again["done"] and ids(raw, "patients") == files
        assert raw.get("patient_cases", again["case"]["id"])["patient_id"] == own


@pytest.mark.long_but_one
@pytest.mark.parametrize("other", [
    {"first_name": "Joanna"}, {"first_name": "Park", "last_name": "Jo"}, {"born": "5/3/1984"},
    {"email": "x@mail.example"},
    {"born": "", "email": ""}, {"last_name": "Parke", "mobile": "0491 570 157"},
])  # fmt: skip
async def test_who_may_have_a_file_already_is_shown_and_a_new_one_needs_the_text(other: dict[str, Any]) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        made = await assistant.call("register_patient", **JO)
        files = ids(raw, "patients")
        answer = await assistant.call("register_patient", **JO | other)
        assert answer["code"] == "clash" and ids(raw, "patients") == files
        assert made["item"]["id"] in answer["clashes"][0] and answer["candidates"][0]["id"] == made["item"]["id"]
        wrong = await assistant.call("register_patient", **JO | other, allow_clash="yes")
        assert wrong["code"] == "clash" and ids(raw, "patients") == files
        done = await assistant.call("register_patient", **JO | other, allow_clash=answer["clash"])
        assert len(new(raw, "patients", files)) == 1 and done["item"]["id"] not in files


@pytest.mark.parametrize("relative", [
    {"first_name": "Min", "born": "9 June 1986"}, {"first_name": "Min", "born": ""},
    {"first_name": "Haru", "born": "1 Feb 2015", "email": ""}, {"born": "12 January 1955", "email": ""},
])  # fmt: skip
async def test_a_relative_who_shares_phone_or_email_is_no_double(relative: dict[str, Any]) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        await assistant.call("register_patient", **JO)
        files = ids(raw, "patients")
        await assistant.call("register_patient", **JO | relative)
        assert len(new(raw, "patients", files)) == 1


@pytest.mark.parametrize("wrong", [
    {"born": "31/02/1984"}, {"born": "5/3/24"}, {"born": "Monday 3 May 1984"}, {"born": "3 May 2030"},
    {"mobile": "ring her mum"}, {"mobile": "0491 570 156 or 0491 570 157"}, {"email": "nope"}, {"first_name": " "},
    {"referrer": "Nobody Known"},
])  # fmt: skip
async def test_what_is_not_clear_makes_no_file(wrong: dict[str, Any]) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("register_patient", **JO | wrong)
        assert answer["code"] in ("invalid_arguments", "not_found") and assistant.changes() == []


async def test_a_name_that_nobody_has_takes_few_requests() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        raw.forget()
        await assistant.call("register_patient", first_name="Xanthe", last_name="Quorn", born="1.2.1990")
        assert len(raw.log()) <= 10 and raw.log()[-1] == "POST patients"
