"""The very text of cursors: one that was given before an update of the server goes on with its list afterwards."""

import base64
import json
import zlib

import pytest

from cliniko_mcp.errors import InvalidCursor
from cliniko_mcp.results.cursor import MAX_ANCHORS, Cursors, Position, Query

CURSORS = Cursors(b"new", b"old", b"older")
QUERY = Query.of("list_taxes", {"sort": "name", "limit": 2})


def test_a_query_is_carried_as_the_shortest_json_of_its_tool_and_arguments() -> None:
    assert zlib.decompress(QUERY.packed) == b'["list_taxes",{"sort":"name","limit":2}]'
    assert Query.unpacked(QUERY.packed) == QUERY


def test_a_cursor_holds_twelve_bytes_of_signature_then_place_marks_and_query() -> None:
    cursor = CURSORS.seal(Position(QUERY, 258, (7, 9)), "local")
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    assert MAX_ANCHORS == 5
    assert sealed[12:21] == b"\0\0\0\0\0\0\1\2\2"
    assert sealed[21:41] == b"\0\0\0\7\0\0\0\x09" + b"\0" * 12
    assert json.loads(zlib.decompress(sealed[41:])) == ["list_taxes", {"sort": "name", "limit": 2}]
    assert "=" not in cursor
    assert len(cursor) == QUERY.cursor_length


@pytest.mark.parametrize("key", [b"new", b"old", b"older"])
def test_a_cursor_of_an_older_key_is_opened_too(key: bytes) -> None:
    position = Position(QUERY, 3, (1, 2, 3, 4, 5))
    assert CURSORS.open(Cursors(key).seal(position, "local"), "list_taxes", "local") == position


def test_new_cursors_are_sealed_with_the_newest_key() -> None:
    cursor = CURSORS.seal(Position(QUERY), "local")

    assert Cursors(b"new").open(cursor, "list_taxes", "local") == Position(QUERY, 0, ())
    with pytest.raises(InvalidCursor):
        Cursors(b"old").open(cursor, "list_taxes", "local")


@pytest.mark.parametrize("cursor", ["", "a", "ab", "äö", "a b", "AAAA", "A" * 54, "A" * 56, "+/+/"])
def test_what_is_no_cursor_is_refused_with_what_to_do(cursor: str) -> None:
    with pytest.raises(InvalidCursor) as refused:
        CURSORS.open(cursor, "list_taxes", "local")

    assert refused.value.message == "This cursor is not one that this server gave, or the server has restarted since."
    assert refused.value.fix == "Call again without a cursor to start the list from the beginning."


def test_a_cursor_of_another_list_names_the_list_to_call() -> None:
    with pytest.raises(InvalidCursor) as refused:
        CURSORS.open(CURSORS.seal(Position(QUERY), "local"), "list_patients", "local")

    assert refused.value.message == "This cursor continues list_taxes, not list_patients."
    assert refused.value.fix == "Call list_taxes with it instead."
