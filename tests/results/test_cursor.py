"""Cursors: what was sealed comes back, its length is known before, and nothing else is taken for one."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.errors import InvalidCursor, JsonValue
from cliniko_mcp.results.cursor import MAX_ANCHORS, Cursors, Position, Query

CURSORS = Cursors(b"key")
QUERY = Query.of("list_patients", {"last_name": "Lima", "archived_at": "all"})
VALUES: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=3)
ARGUMENTS = st.dictionaries(st.text(max_size=10), VALUES)
ANCHORS = st.lists(st.integers(0, 2**32 - 1), max_size=MAX_ANCHORS).map(tuple)


@pytest.mark.long
@given(ARGUMENTS, st.integers(0, 10**9), ANCHORS)
def test_what_was_sealed_comes_back(arguments: dict[str, JsonValue], start: int, anchors: tuple[int, ...]):
    position = Position(Query.of("list_patients", arguments), start, anchors)
    cursor = CURSORS.seal(position, "local")

    assert CURSORS.open(cursor, "list_patients", "local") == position
    assert len(cursor) == position.query.cursor_length


@given(st.integers(0), st.integers(1, 255))
def test_a_cursor_that_was_changed_anywhere_is_refused(place: int, change: int):
    sealed = bytearray(base64.urlsafe_b64decode(CURSORS.seal(Position(QUERY, 50, (1, 2)), "local") + "=="))
    sealed[place % len(sealed)] ^= change

    with pytest.raises(InvalidCursor):
        CURSORS.open(base64.urlsafe_b64encode(sealed).decode().rstrip("="), "list_patients", "local")


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_any_other_text_is_refused(text: str):
    with pytest.raises(InvalidCursor):
        CURSORS.open(text, "list_patients", "local")


def test_a_cursor_of_another_key_or_another_list_is_refused():
    with pytest.raises(InvalidCursor, match="not one that this server gave"):
        Cursors(b"other").open(CURSORS.seal(Position(QUERY), "local"), "list_patients", "local")
    with pytest.raises(InvalidCursor, match="continues list_patients, not list_taxes"):
        CURSORS.open(CURSORS.seal(Position(QUERY), "local"), "list_taxes", "local")


@given(st.text(), st.text())
def test_a_cursor_works_only_for_the_caller_it_was_made_for(one: str, other: str):
    cursor = CURSORS.seal(Position(QUERY), one)
    if one == other:
        assert CURSORS.open(cursor, "list_patients", other) == Position(QUERY)
    else:
        with pytest.raises(InvalidCursor):
            CURSORS.open(cursor, "list_patients", other)
