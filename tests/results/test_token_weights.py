"""What single characters and pieces of text cost, exactly."""

import pytest

from cliniko_mcp.results.budget import size, tokens


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        (" abcdefgh", 1),
        (" abcdefghi", 2),
        ("ABC", 3),
        ("Ana Lima", 4),
        ("123", 1),
        ("1234", 2),
        ("1104000000095609243", 7),
        ("...", 2),
        (" ..", 1),
        ("a  b", 3),
        ("\n\n\n", 1),
    ],
)
def test_plain_text_costs_a_token_for_each_of_its_pieces(text: str, cost: int) -> None:
    assert tokens(text) == cost


@pytest.mark.parametrize(
    ("character", "cost"),
    [
        ("一", 1),
        ("三", 1),
        ("\u4e02", 2),
        ("\u9fff", 2),
        ("\u3400", 3),
        ("\ua000", 3),
        ("の", 1),
        ("\u3001", 1),
        ("\u3000", 2),
        ("\u30ff", 1),
        ("\u3100", 3),
        ("가", 1),
        ("\ud7a3", 1),
        ("\ud7a4", 3),
        ("é", 1),
        ("\u024f", 1),
        ("—", 1),
        ("…", 1),
        ("⁞", 1),
        ("\u2e2e", 3),
        ("\u0250", 0),
        ("ж", 0),
        ("ا", 0),
        ("\u0301", 1),
        ("\u10ff", 0),
        ("\u1100", 3),
        ("٣", 3),
        ("€", 3),
        ("👍", 3),
        ("🏽", 4),
        ("𠀀", 4),
    ],
)
def test_a_character_of_another_script_costs_what_its_script_does(character: str, cost: int) -> None:
    assert tokens(character) == cost


def test_fractions_of_tokens_are_added_up_and_rounded_at_the_end() -> None:
    assert [tokens("ж" * count) for count in range(1, 7)] == [0, 1, 1, 2, 2, 2]
    assert tokens("丂" * 5) == 11
    assert tokens("abcd" + "ж" * 3) == 2


@pytest.mark.parametrize(("value", "cost"), [(None, 1), (True, 1), ([], 1), ({}, 1), ("", 1), (12, 1), (["a", 1], 5)])
def test_a_value_costs_its_brackets_and_quotes_too(value: object, cost: int) -> None:
    assert size(value) == cost
