"""find_patients: by everything that people say of a patient."""

from typing import Any

import pytest
from conftest import Assistant, in_process

from .raw import Raw

pytestmark = pytest.mark.anyio


async def names(assistant: Assistant, query: str) -> list[str]:
    return [row["name"] for row in (await assistant.call("find_patients", query=query))["items"]]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("query", "name"), [
    ("Ana Lima", "Ana Lima"), ("lima, ana", "Ana Lima"), ("Fairwea", "Chloe Fairweather"),
    ("Mrs Fairweather", "Chloe Fairweather"),
    ("Zoe Muller", "Zoë Müller"), ("ZOE", "Zoë Müller"), ("lukasz", "Łukasz Nowak"), ("obrien", "Siobhán O'Brien"),
    ("Siobhan O’Brien", "Siobhán O'Brien"), ("Jean Luc Dubois", "Jean-Luc Dubois-Martin"),
    ("小红", "小红 王"), ("王小红", "小红 王"),
    ("McKenzie Isla", "Isla Mackenzie"), ("Mai Thị Nguyễn", "Thị Mai Nguyễn"), ("حداد", "ليلى حداد"),
])  # fmt: skip
async def test_a_name_is_found_in_any_order_part_script_and_without_its_accents(query: str, name: str) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("find_patients", query=query)
        assert answer["items"][0]["name"] == name
        assert not any("Nobody fits exactly" in note for note in answer.get("notes", []))


@pytest.mark.parametrize(("query", "name"), [
    ("Farewether", "Chloe Fairweather"), ("Cloe Fairwether", "Chloe Fairweather"), ("Almieda", "Victor Almeida"),
    ("Lindquist", "Stefan Lindqvist"),
])  # fmt: skip
async def test_a_misspelt_name_comes_near_and_says_so(query: str, name: str) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("find_patients", query=query)
        assert answer["items"][0]["name"] == name
        assert any("Nobody fits exactly" in note for note in answer["notes"])


async def test_a_preferred_name_finds_its_owner() -> None:
    async with in_process() as assistant:
        row = {"first_name": "Robert", "preferred_first_name": "Bobby", "last_name": "Tables"}
        await assistant.call("create_patient", **row)
        for query in ("bobby", "Tables Bobby", "Robert Tables"):
            assert len(await names(assistant, query)) == 1


@pytest.mark.parametrize(
    "query",
    ["1984-03-17", "17/3/1984", "17.03.1984", "17 March 1984", "March 17, 1984", "17 mar 1984", "17/3/84", "17.03.84"],
)
async def test_a_date_of_birth_finds_everyone_born_that_day_archived_ones_last(query: str) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("find_patients", query=query)
        assert answer["by"] == "date of birth 1984-03-17"
        assert [(row["name"], "is" in row) for row in answer["items"]] == [("Ana Lima", False), ("Anna Lima", True)]


@pytest.mark.long
async def test_a_year_of_two_digits_is_the_latest_that_is_not_to_come_and_six_digits_may_be_a_phone_number() -> None:
    async with in_process() as assistant:
        for query, by in (
            ("24/11/26", "date of birth 2026-11-24"),
            ("25/11/26", "date of birth 1926-11-25"),
            ("29-2-04", "date of birth 2004-02-29"),
            ("11 04 91", "phone"),
            ("11.14.91", "phone"),
        ):
            assert (await assistant.call("find_patients", query=query))["by"] == by


async def test_email_id_and_archived_files_are_found() -> None:
    async with in_process() as assistant:
        assert await names(assistant, "ben.adeyemi@mail.example") == ["Ben Adeyemi"]
        assert await names(assistant, "4211") == ["Ben Adeyemi"]
        own = Raw(assistant).id("patients", "Ana Lima")
        assert await names(assistant, own) == ["Ana Lima"]
        (row,) = (await assistant.call("find_patients", query="Edith Former"))["items"]
        assert row["is"] == "archived"
        (row,) = (await assistant.call("find_patients", query="Anna Lima"))["items"]
        assert row["is"] == f"merged into patient {own}"


@pytest.mark.long
@pytest.mark.parametrize("query", ["0491 570 037", "+61 491 570 037", "(0491) 570-037", "0491570037"])
async def test_a_phone_number_is_looked_for_in_every_file_and_it_says_what_it_covered(query: str) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("find_patients", query=query)
        assert [row["name"] for row in answer["items"]] == ["Ben Adeyemi"]
        every = len(Raw(assistant).rows("patients"))
        assert f"all {every:,} patients were looked through" in answer["notes"][0]


@pytest.mark.long
@pytest.mark.parametrize("entry", [
    "02 5550 9999 x 12", "02 5550 9999 ext. 12", "(02) 5550-9999 #12", "work 02 5550 9999, 9 to 5 only",
    "0491 570 999 / 02 5550 9999", "+61 2 5550 9999 (mum)",
])  # fmt: skip
async def test_a_number_is_found_in_an_entry_with_an_extension_or_a_remark(entry: str) -> None:
    async with in_process() as assistant:
        numbers = [{"phone_type": "Work", "number": entry}]
        await assistant.call("create_patient", first_name="Tia", last_name="Doe", patient_phone_numbers=numbers)
        for query in ("02 5550 9999", "+61 2 5550 9999", "0255509999"):
            assert await names(assistant, query) == ["Tia Doe"]


@pytest.mark.long
async def test_a_phone_sweep_goes_past_the_first_page() -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        model = raw.get("patients", "4211")
        for number in range(250):
            raw.store.put("patients", {**model, "id": f"55{number:05d}", "patient_phone_numbers": []})
        raw.store.put("patients", {**model, "updated_at": "2001-01-01T00:00:00Z"})
        raw.forget()
        answer = await assistant.call("find_patients", query="0491 570 037")
        assert [row["id"] for row in answer["items"]] == ["4211"]
        # Pages of a hundred, among which are all others with the same birthday.
        assert raw.log().count("GET patients") == -(-len(raw.rows("patients")) // 100)


async def test_likely_duplicates_are_pointed_out_and_families_are_not() -> None:
    async with in_process() as assistant:
        phones = [{"phone_type": "Mobile", "number": "0491 570 156"}]
        one: dict[str, Any] = {"first_name": "Catherine", "last_name": "Brook", "date_of_birth": "1980-05-05"}
        await assistant.call("create_patient", **one)
        twin = (await assistant.call("create_patient", **{**one, "first_name": "Catharine"}))["item"]["id"]
        for first in ("Mia", "Theodore"):
            await assistant.call("create_patient", first_name=first, last_name="Sibling", patient_phone_numbers=phones)
        answer = await assistant.call("find_patients", query="Catherine Brook")
        assert [pair["why"] for pair in answer["duplicates"]] == ["same date of birth, like names"]
        assert twin in [file["id"] for file in answer["duplicates"][0]["patients"]]
        assert "duplicates" not in await assistant.call("find_patients", query="Sibling")


async def test_many_of_one_name_are_counted_and_a_number_too_short_is_refused() -> None:
    async with in_process() as assistant:
        for number in range(14):
            await assistant.call("create_patient", first_name=f"P{number}", last_name="Smithson")
        answer = await assistant.call("find_patients", query="smithson")
        assert answer["page"] == {"returned": 10, "total": 14, "complete": False}
        assert "4 more fit" in answer["notes"][0]
        assert (await assistant.call("find_patients", query="12"))["code"] == "invalid_arguments"
        assert (await assistant.call("find_patients", query="qqqq zzzz"))["items"] == []


@pytest.mark.long_but_one
@pytest.mark.parametrize("query", ["~", "%", "''", "*", "a,b;c", "😀", "any", "none", "all", "::=", "x" * 200])
async def test_odd_queries_end_in_an_answer(query: str) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("find_patients", query=query)
        assert "items" in answer, answer
