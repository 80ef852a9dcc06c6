"""A patient in any mixture of name, birthday, year, phone, email and id."""

from typing import Any

import pytest

from cliniko_mcp.errors import Ambiguous, NotFound
from cliniko_mcp.frontdesk.patient_phrase import read_phrase
from cliniko_mcp.frontdesk.patients import patient
from cliniko_mcp.frontdesk.roster import with_birth_year

from .clinics import front_desk

pytestmark = pytest.mark.anyio
BEN = "4211"


async def found(assistant: Any, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = await assistant.call("find_patients", query=query)
    return answer


@pytest.mark.parametrize("query", [
    "Ana Lima 17/03/1984", "Ana Lima 17/3/84", "Lima, Ana, 1984-03-17", "Ana Lima (born 1984)", "Ana Lima 1984",
    "Ana Lima born 17 March 1984", "Ana Lima, DOB: 17.03.1984", "17 mar 1984 lima", "Lima, born on March 17, 1984",
    "1984 Ana Lima", "Ana Lima born in 1984", "Ana Lima d.o.b. 17-03-1984", "Ana 17th of March 1984",
    "Ana Lima b. 17 March 1984", "Ana Lima 17 March 84", "Ana Lima, 17th of March '84", "Ana Lima b. 17/3/84",
])  # fmt: skip
async def test_a_name_with_a_birthday_or_a_year_is_the_person(query: str) -> None:
    async with front_desk() as (reception, clinic):
        answer = await found(reception.assistant, query)
        assert answer["items"][0]["name"] == "Ana Lima"
        assert not any("fit" in note and "exactly" in note for note in answer.get("notes", []))
        assert (await patient(clinic, query)).name == "Ana Lima"


@pytest.mark.long_but_one
@pytest.mark.parametrize("query", [
    "Ben Adeyemi 0491 570 037", "Adeyemi, +61 491 570 037", "Ben Adeyemi ben.adeyemi@mail.example", "Ben Adeyemi 4211",
    "Ben Adeyemi (id 4211)", "Ben Adeyemi, mobile: 0491570037", "adeyemi <ben.adeyemi@mail.example>",
    "Ben Adeyemi 0491 570 037 ben.adeyemi@mail.example id 4211", "ben.adeyemi@mail.example", "0491 570 037", BEN,
    "Ben Adeyemi phone 0491 570 037 x 3",
])  # fmt: skip
async def test_a_name_with_a_phone_an_email_or_an_id_is_the_person(query: str) -> None:
    async with front_desk() as (reception, clinic):
        answer = await found(reception.assistant, query)
        assert [row["id"] for row in answer["items"]] == [BEN]
        assert not any("fit" in note for note in answer.get("notes", []))
        assert (await patient(clinic, query)).id == BEN


@pytest.mark.parametrize("day", ["30/2/1990", "30.02.1990", "1990-02-30", "30 February 1990", "3/25/1990"])
async def test_a_day_that_does_not_exist_is_said_to_be_none_and_no_phone_number(day: str) -> None:
    async with front_desk() as (reception, _):
        answer = await found(reception.assistant, f"Adeyemi {day}")
        assert (answer["code"], answer["message"]) == ("not_understood", f"There is no day {day}.")
        assert "1984-05-03" in answer["fix"]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("part", "noun"), [
    ("18/03/1971", "date of birth 1971-03-18"), ("1801", "year of birth 1801"), ("0491 999 999", "phone number"),
    ("nobody@mail.example", "email"), ("id 99", "id 99"),
])  # fmt: skip
async def test_what_does_not_fit_is_said_and_a_write_asks(part: str, noun: str) -> None:
    async with front_desk() as (reception, clinic):
        answer = await found(reception.assistant, f"Ben Adeyemi {part}")
        assert [row["id"] for row in answer["items"]] == [BEN]
        assert any("does not fit Ben Adeyemi" in note and noun in note for note in answer["notes"])
        with pytest.raises(NotFound) as refused:
            await patient(clinic, f"Ben Adeyemi {part}")
        assert noun in refused.value.fix
        assert "4211" in str(refused.value.details["candidates"])


@pytest.mark.long
async def test_what_identifies_tells_namesakes_apart() -> None:
    async with front_desk() as (reception, clinic):
        old = reception.patient("Kit", "O'Brien", date_of_birth="1950-01-01", email="old@mail.example")
        young = reception.patient("Kit", "O’Brien", date_of_birth="2015-01-01", email="young@mail.example")
        for phrase in ("Kit O'Brien", "obrien kit"):
            assert {row["id"] for row in (await found(reception.assistant, phrase))["items"]} == {old, young}
            with pytest.raises(Ambiguous):
                await patient(clinic, phrase)
            for which, parts in ((old, ("1950", "1/1/1950", "old@mail.example")), (young, ("2015", "1 Jan 2015"))):
                for part in parts:
                    assert (await patient(clinic, f"{phrase} {part}")).id == which
                    assert [row["id"] for row in (await found(reception.assistant, f"{part} {phrase}"))["items"]] == [
                        which
                    ]


@pytest.mark.long
async def test_a_misspelt_or_other_name_with_a_birthday_comes_near_and_says_so() -> None:
    async with front_desk() as (reception, clinic):
        for query in (
            "Anna Limmer 17/03/1984",
            "Qqqq Zzzz 17/03/1984",
            "Qqqq 0491 570 037",
            "™ 17/03/1984",
            "№ 0491 570 037",
        ):
            answer = await found(reception.assistant, query)
            assert {row["name"] for row in answer["items"]} & {"Ana Lima", "Ben Adeyemi"}
            assert any("Nobody fits exactly" in note for note in answer["notes"])
            with pytest.raises(NotFound):
                await patient(clinic, query)


PARTS: dict[str, tuple[str, str]] = {
    "day": ("day", "17/03/1984"), "written day": ("day", "17 March 1984"), "year": ("year", "born 1984"),
    "phone": ("phone", "02 5550 9999"), "email": ("email", "a.b@mail.example"), "id": ("id", "id 4211"),
}  # fmt: skip


async def test_the_order_of_the_parts_does_not_matter() -> None:
    async with front_desk() as (_, clinic):
        for kind, (field, text) in PARTS.items():
            for other, (other_field, other_text) in PARTS.items():
                if {field, other_field} in ({"day"}, {"day", "year"}) or kind == other:
                    continue
                for query in (
                    f"{text}, Kit Doe {other_text}",
                    f"Kit Doe, {text}, {other_text}",
                    f"{other_text} {text} Kit Doe",
                ):
                    phrase = await read_phrase(clinic, query)
                    assert phrase.name == "Kit Doe", query
                    assert getattr(phrase, field) and getattr(phrase, other_field), query


async def test_what_a_patient_without_a_name_is_called_finds_the_file() -> None:
    async with front_desk() as (reception, clinic):
        for more in ({}, {"date_of_birth": "1951-12-01"}):
            nameless = reception.put("patients", email="nobody@mail.example", **more)
            called = with_birth_year(await patient(clinic, nameless))
            assert (await patient(clinic, called)).id == nameless
            for other in ("Ana Lima", "(born 1950)"):
                with pytest.raises(NotFound):
                    await patient(clinic, f"patient {nameless} {other}")
        ana = next(row for row in reception.rows("patients") if row["label"] == "Ana Lima")
        assert (await patient(clinic, f"patient {ana['id']}")).id == ana["id"]
