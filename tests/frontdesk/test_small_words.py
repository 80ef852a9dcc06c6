"""Things by name as a desk says them: small words and plurals change nothing, names of people are left as they are."""

import anyio
import pytest

from cliniko_mcp.errors import Ambiguous, ClinikoMcpError, NoSuchName
from cliniko_mcp.frontdesk.set_up_words import means_everyone, means_everywhere
from cliniko_mcp.frontdesk.staff_named import staff_named, with_profession

from .clinics import front_desk, load


def found(*queries: str) -> list[str]:
    names: list[str] = []

    async def read() -> None:
        async with front_desk() as (_, clinic):
            roster, _ = await load(clinic)
            for query in queries:
                try:
                    names.append(roster.type(query).name)
                except ClinikoMcpError as problem:
                    names.append(type(problem).__name__)

    anyio.run(read)
    return names


def test_a_type_is_found_behind_small_words_and_in_the_plural() -> None:
    words = ("the pilates class", "pilates classes", "a Pilates class", "her remedial massage", "the balance one",
             "dry needlings", "a massg appt", "the std appts")  # fmt: skip
    due = [*["Pilates class"] * 3, "Remedial massage", "Balance class", "Dry needling", "Remedial massage"]
    assert found(*words) == [*due, "Standard consult"]
    assert found("the one", "consults", "yogas") == [NoSuchName.__name__, Ambiguous.__name__, NoSuchName.__name__]


@pytest.mark.anyio
async def test_several_practitioners_are_read_out_of_one_text() -> None:
    async with front_desk() as (_, clinic):
        roster, _ = await load(clinic)
        for text in ("Mei Ng and Tom Okafor", "Mei, Tom", "Mei & Tom", "Okafor, Tom; Ng, Mei", "Mei + Okafor"):
            names = {person.name for person in staff_named(roster, [text])}
            assert names == {"Dr Mei Ng", "Tom Okafor"} or text.startswith("Okafor")
        assert [person.name for person in staff_named(roster, ["Okafor, Tom"])] == ["Tom Okafor"]
        for text in ("Mei and Nobody", "Nobody", "and"):
            with pytest.raises(NoSuchName):
                staff_named(roster, [text])


@pytest.mark.anyio
async def test_all_of_a_profession_are_those_whose_designation_has_it_beside_names_too() -> None:
    async with front_desk() as (_, clinic):
        roster, _ = await load(clinic)
        here = [known for known in roster.practitioners.values() if not known.gone]
        physios = {known.name for known in here if "physiotherapist" in (known.record.designation or "").casefold()}
        other = next(known.name for known in here if known.name not in physios)
        assert len(physios) > 1
        for text in ("all the physios", "Physiotherapists", "every physio", "all physios", "the physios"):
            assert {person.name for person in staff_named(roster, [text])} == physios
            assert {person.name for person in staff_named(roster, [f"{text} and {other}"])} == {*physios, other}
            assert with_profession(roster, [f"{other} & {text}"])
        for text in ("physio", "a physio", "any of the physios", "all the dentists", "all"):
            assert not with_profession(roster, [text])
            with pytest.raises(NoSuchName):
                staff_named(roster, [text])


EVERY = ("all", "all the", "the whole", "every")
PEOPLE = ("staff", "team", "practitioners", "practitioner", "clinic")
SITES = (
    "both sites",
    "both clinics",
    "all sites",
    "all the sites",
    "every site",
    "both",
    "everywhere",
    "all locations",
)


def test_everyone_and_everywhere_are_known_in_all_the_usual_words() -> None:
    assert all(means_everyone([f"{every} {people}"]) for every in EVERY for people in PEOPLE)
    assert all(means_everyone([word]) for word in ("everyone", "Everybody", "ALL"))
    assert all(means_everywhere(word) for word in SITES)
    assert not any(means_everyone([word]) for word in ("staff", "the clinic", "all physios", "any", "Allan", "both"))
    assert not any(means_everywhere(word) for word in ("the site", "Northside", "either", "site"))


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["EPs", "the EPs", "all EPs", "all the exercise physiologists"])
async def test_a_profession_in_capitals_is_all_who_have_it(text: str) -> None:
    async with front_desk() as (_, clinic):
        roster, _ = await load(clinic)
        assert [person.name for person in staff_named(roster, [text])] == ["Priya Nair"]
        with pytest.raises(ClinikoMcpError):
            staff_named(roster, ["an EP"])
