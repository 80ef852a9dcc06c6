"""Clashes in an error: as many whole sentences as there is room for, and how many more there are."""

import pytest

from cliniko_mcp.frontdesk.clashes import shown

A, B, C = ("é" * 50, "b" * 100, "c" * 100)
"""A hundred bytes each, and three for the quotes and the comma."""


@pytest.mark.parametrize(("room", "kept"), [(309, [A, B, C]), (308, [A, B]), (206, [A, B]), (205, [A]), (103, [A])])
def test_sentences_are_shown_while_they_fit_with_what_parts_them(room: int, kept: list[str]) -> None:
    more = 3 - len(kept)
    assert shown([A, B, C], room) == [*kept, *([f"... and {more} more; dry_run shows all."] if more else [])]


def test_the_first_sentence_is_shown_however_long_it_is() -> None:
    assert shown(["a" * 1000]) == ["a" * 1000]
    assert shown(["a" * 1000, "b"]) == ["a" * 1000, "... and 1 more; dry_run shows all."]


def test_of_nothing_nothing_is_shown() -> None:
    assert shown([]) == []
