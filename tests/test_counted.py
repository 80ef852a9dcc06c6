"""How many there are is said in words that agree with the number."""

import pytest

from cliniko_mcp.sanitize import are, counted


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 clashes are"), (1, "1 clash is"), (2, "2 clashes are"), (1204, "1,204 clashes are")],
)
def test_the_noun_and_the_verb_agree_with_the_number(number: int, words: str) -> None:
    assert f"{counted(number, 'clash', 'clashes')} {are(number)}" == words


def test_most_nouns_need_no_second_form() -> None:
    assert [counted(number, "more row") for number in (1, 3)] == ["1 more row", "3 more rows"]
