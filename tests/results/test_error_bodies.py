"""An error as the model reads it: in at most 300 tokens, with as many details and choices as fit."""

from typing import Any

import pytest

from cliniko_mcp.errors import Ambiguous, InvalidArguments
from cliniko_mcp.results.budget import MAX_ERROR_TOKENS, size
from cliniko_mcp.results.envelope import cleaned, compact, error_body


def candidates(count: int) -> list[Any]:
    return [{"id": f"11040000000956092{number:02}", "name": f"Ana Lima {number}"} for number in range(count)]


def test_an_error_is_its_code_message_and_fix() -> None:
    assert error_body(InvalidArguments("No.", "Do this.")) == {
        "code": "invalid_arguments",
        "message": "No.",
        "fix": "Do this.",
    }
    assert error_body(InvalidArguments("No.", "")) == {"code": "invalid_arguments", "message": "No."}


def test_details_that_say_nothing_are_left_out() -> None:
    body = error_body(InvalidArguments("No.", "", field="limit", empty=[], nothing={}, no=False, none=0))
    assert body == {"code": "invalid_arguments", "message": "No.", "field": "limit", "no": False, "none": 0}


def test_what_cannot_be_seen_is_taken_out_of_every_text() -> None:
    body = error_body(Ambiguous("Who\u200b is\n\n\n it?", "Say\u202e which.", candidates=[{"na\u200bme": "A\u2060na"}]))
    assert body == {
        "code": "ambiguous",
        "message": "Who is\n\nit?",
        "fix": "Say which.",
        "candidates": [{"name": "Ana"}],
    }
    assert cleaned([1, None, {"a\u200b": [True, "b\u200b\nc"]}]) == [1, None, {"a": [True, "b\nc"]}]


def test_a_long_message_is_cut_and_marked() -> None:
    body = error_body(InvalidArguments(f"{'very ' * 148}end", "Do this."))
    assert body["message"] == f"{'very ' * 148}end"
    body = error_body(InvalidArguments(f"{'very ' * 149}end", "Do this."))
    assert str(body["message"]).endswith("very …")
    assert size(body["message"]) <= 150


def test_a_long_fix_takes_the_room_that_the_message_leaves() -> None:
    for message in ("No.", "very " * 400):
        body = error_body(InvalidArguments(message, "again " * 400))
        assert str(body["fix"]).endswith("again …")
        assert MAX_ERROR_TOKENS - 5 <= size(body) <= MAX_ERROR_TOKENS


def test_a_detail_that_fits_exactly_is_shown_and_one_token_more_is_not() -> None:
    room = MAX_ERROR_TOKENS - size({"code": "invalid_arguments", "message": "No.", "fields": "x"}) + 1
    exactly, over = " x" * room, " x" * (room + 1)
    body = error_body(InvalidArguments("No.", "", fields=exactly[1:]))
    assert size(body) == MAX_ERROR_TOKENS
    assert body["fields"] == exactly[1:]
    assert "fields" not in error_body(InvalidArguments("No.", "", fields=over[1:]))
    assert error_body(InvalidArguments("No.", "", fields=over[1:], field="limit"))["field"] == "limit"


@pytest.mark.parametrize("name", ["candidates", "sessions"])
def test_of_too_many_choices_the_first_that_fit_are_shown_and_the_others_counted(name: str) -> None:
    details: dict[str, Any] = {name: candidates(40)}
    body = error_body(Ambiguous("Which?", "Say.", **details))

    shown: Any = body[name]
    assert shown == candidates(len(shown))
    assert body["left_out_for_room"] == 40 - len(shown)
    assert size(body) <= MAX_ERROR_TOKENS
    more = {**body, name: candidates(len(shown) + 1), "left_out_for_room": 39 - len(shown)}
    assert size(more) > MAX_ERROR_TOKENS


def test_other_long_lists_are_not_shown_in_part() -> None:
    details: dict[str, Any] = {"others": candidates(40)}
    assert [*error_body(Ambiguous("Which?", "Say.", **details))] == ["code", "message", "fix"]


def test_a_choice_that_alone_is_too_long_is_not_shown() -> None:
    details: dict[str, Any] = {"candidates": [{"name": "word " * 400}] * 2}
    assert [*error_body(Ambiguous("Which?", "Say.", **details))] == ["code", "message", "fix"]
    details = {"candidates": ["x", "word " * 400]}
    body = error_body(Ambiguous("Which?", "Say.", **details))
    assert (body["candidates"], body["left_out_for_room"]) == (["x"], 1)


def test_json_is_compact_and_in_plain_unicode() -> None:
    assert compact({"a": [1, "é 腰 👍"], "b": None}) == '{"a":[1,"é 腰 👍"],"b":null}'
