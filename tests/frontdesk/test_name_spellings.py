"""Names however they are spelt, against a comparison of our own: marks, apostrophes, hyphens, spaces, Mc and Mac."""

import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cliniko_mcp.errors import Ambiguous
from cliniko_mcp.frontdesk.matching import fits, words
from cliniko_mcp.frontdesk.name_patterns import patterns
from cliniko_mcp.frontdesk.patients import patient

from .clinics import front_desk

MARKS = {
    "a": "áàâäãåā", "c": "çčć", "d": "đď", "e": "éèêëę", "g": "ğ", "i": "íîï", "l": "ł", "n": "ñńň", "o": "óöøõ",
    "r": "ř", "s": "šśş", "t": "țť", "u": "úüů", "y": "ýÿ", "z": "žźż",
}  # fmt: skip
STROKES = str.maketrans("łøđ", "lod")
NAME = st.from_regex(r"(O'|Mc|Mac|D'|de |)[A-Z][a-z]{2,7}(-[A-Z][a-z]{2,6}| [A-Z][a-z]{2,6}|)", fullmatch=True)


def bare(name: str) -> str:
    """The comparison of our own: the letters and figures alone, Mac at the beginning of a name as Mc."""
    text = unicodedata.normalize("NFKD", name.lower().translate(STROKES))
    parts = re.split(r"[\s\-]+", "".join(letter for letter in text if letter.isalnum() or letter in " -"))
    return "".join(re.sub("^mac", "mc", part) for part in parts)


@st.composite
def respelt(draw: st.DrawFn, name: str) -> str:
    letters = [
        draw(st.sampled_from([letter, *MARKS.get(letter, "")])) if draw(st.booleans()) else letter for letter in name
    ]
    text = "".join(letters).replace("'", draw(st.sampled_from(["'", "’", "‘", "ʼ", ""])))
    if text.startswith(("Mc", "Mac")):
        text = draw(st.sampled_from(["Mc", "Mac", "mac"])) + re.sub("^(Mac|Mc)", "", text)
    text = re.sub("[- ]", draw(st.sampled_from(["-", " ", "\u2010"])), text)
    return draw(st.sampled_from([text, text.upper(), unicodedata.normalize("NFD", text)]))


def like(pattern: str, text: str) -> bool:
    """Cliniko's filter as it is documented: letters exactly, case aside."""
    return (
        re.fullmatch(".*".join(map(re.escape, pattern.casefold().split("%"))), text.casefold(), re.DOTALL) is not None
    )


@pytest.mark.long
@given(st.data(), NAME, NAME)
def test_each_spelling_of_a_name_is_asked_for_and_fits(data: st.DataObject, first: str, last: str) -> None:
    other_first, other_last = data.draw(respelt(first)), data.draw(respelt(last))
    spoken = words(f"{first} {last}")
    assert fits(spoken, [f"{other_first} {other_last}"], "exact")
    widest, filters = next(patterns([("first_name", first), ("last_name", last)]))
    assert widest
    for field, spelling in (("first_name", other_first), ("last_name", other_last)):
        assert field not in filters or like(filters[field], spelling)


@pytest.mark.long
@given(NAME, NAME, NAME)
def test_another_name_is_not_the_same(first: str, last: str, other: str) -> None:
    assume(bare(last) != bare(other))
    assert not fits(words(f"{first} {last}"), [f"{first} {other}"], "exact")


@pytest.mark.long
@given(NAME, st.integers(1, 2))
def test_one_or_two_letters_are_no_beginning_of_a_name(name: str, length: int) -> None:
    whole = [bare(part) for part in re.split("[ -]", name)]
    assume(name[:length].lower() not in whole)
    assume("'" not in name[:length] and not name.startswith(("de ", "O'", "D'")))
    assert not fits(words(name[:length]), [name], "prefixes")
    assert fits(words(name[: length + 2]), [name], "prefixes")


@pytest.mark.parametrize("spoken", ["Obrien, Sean", "O Brien, Sean", "O'Brien Sean"])
@pytest.mark.parametrize("name", ["Sean O Brien", "Sean O'Brien"])
def test_two_parts_of_a_name_are_written_as_one_wherever_they_stand(spoken: str, name: str) -> None:
    assert fits(words(spoken), [name], "exact")


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.parametrize(("one", "other"), [
    (("Kit", "O'Brien"), ("Kit", "O’Brien")), (("Kit", "O'Brien"), ("Kit", "O Brien")),
    (("Ana", "Munoz"), ("Ana", "Muñoz")),
    (("Jan", "Dvorak"), ("Ján", "Dvořák")), (("Una", "McKenzie"), ("Una", "Mackenzie")),
    (("Jean-Luc", "Petit"), ("Jean Luc", "Petit")), (("Mary", "Lloyd-Jones"), ("Mary", "Lloydjones")),
])  # fmt: skip
async def test_names_that_are_equal_but_for_their_spelling_are_ambiguous_for_a_write(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    async with front_desk() as (reception, clinic):
        ids = {reception.patient(*one), reception.patient(*other)}
        for first, last in (one, other):
            for query in (f"{first} {last}", f"{last}, {first}"):
                with pytest.raises(Ambiguous) as refused:
                    await patient(clinic, query)
                assert len(ids) == 2 and str(refused.value).startswith("2 fit the patient")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("known", "nobody"), [("Ana Lima", "Qwxa Zzvk"), ("Fairweather", "Xqwvbk"), ("Jean Luc Dubois", "Qx Vw Zk")]
)
async def test_a_name_that_nobody_has_takes_at_most_twice_the_requests(known: str, nobody: str) -> None:
    counts: list[int] = []
    for name in (known, nobody):
        async with front_desk("find_patients") as (reception, _):
            reception.sandbox.requests.clear()
            await reception.assistant.call("find_patients", query=name)
            counts.append(len(reception.sandbox.requests))
    assert counts[1] <= 2 * counts[0]


@pytest.mark.anyio
async def test_no_page_is_asked_for_twice_where_a_name_has_more_than_one() -> None:
    async with front_desk("find_patients") as (reception, _):
        for number in range(101):
            reception.patient(f"A{number}", "Mandmond")
        reception.sandbox.requests.clear()
        found = await reception.assistant.call("find_patients", query="Mandmond")
        assert found["page"]["total"] == 101
        asked = [(request.path, request.query) for request in reception.sandbox.requests]
        assert len(asked) == len(set(asked))


@pytest.mark.long_but_one
@pytest.mark.anyio
@pytest.mark.parametrize(("one", "other"), [
    (("Ana", "Munoz"), ("Ana", "Muñoz")), (("Ana", "Munoz"), ("Aňa", "Munoz")), (("Jan", "Mladic"), ("Jan", "Mladić")),
    (("Mia", "Strand"), ("Mia", "Stränd")), (("Mia", "Garmond"), ("Mía", "Ğarmond")),
])  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
async def test_among_very_many_a_namesake_with_one_sign_more_is_ambiguous_for_a_write(
    one: tuple[str, str], other: tuple[str, str], turned: bool
) -> None:
    async with front_desk() as (reception, clinic):
        for number in range(1_050):  # so many that not every spelling can be asked for
            reception.patient(f"A{number}", "Mandmond")
        reception.patient("Xavier", "Mondo")
        for first, last in (other, one) if turned else (one, other):
            reception.patient(first, last)
        with pytest.raises(Ambiguous):
            await patient(clinic, f"{one[0]} {one[1]}")
        assert (await patient(clinic, "Xavier Mondo")).name == "Xavier Mondo"
