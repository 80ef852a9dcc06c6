"""A field read from a place on: what comes before it is left out, and the end says where the next reading begins."""

from typing import Any

import pytest

from cliniko_mcp.results.budget import size
from cliniko_mcp.results.cutting import Cut
from cliniko_mcp.results.paths import START, Place, place_in, resumed
from tests.results.test_cut_exactly import LONG, RECORD, SECTIONS, questions, words

MEMO: dict[str, Any] = {"id": "1", "free_text": {"memo": LONG}}


def read(at: str, value: Any, room: int) -> tuple[Any, list[Cut]]:
    """The field that `at` names from there on, as part of a small record."""
    field, place = place_in(at)
    row, cuts = resumed({"id": "1", "patient": "Ana Lima", field: value}, {field: place}, room)
    assert [*row] == ["id", "patient", field]
    return row[field], cuts


@pytest.mark.parametrize(
    ("text", "field", "place"),
    [
        ("notes", "notes", START),
        (" notes:4000 ", "notes", Place((), 4000)),
        ("notes:0", "notes", START),
        ("notes:x", "notes", START),
        ("notes:-3", "notes", START),
        ("notes: 7 ", "notes", Place((), 7)),
        ("notes:7:8", "notes", START),
        ("content.sections.0", "content", Place(("sections", "0"))),
        ("content.sections.0:12", "content", Place(("sections", "0"), 12)),
    ],
)
def test_a_place_is_a_field_the_steps_into_it_and_the_characters_before_it(text: str, field: str, place: Place) -> None:
    assert place_in(text) == (field, place)


def test_a_place_is_written_as_it_is_read() -> None:
    assert str(Place(("sections", "0"), 12)) == ".sections.0:12"
    assert str(Place(("sections", "0"))) == ".sections.0"
    assert str(Place((), 12)) == ":12"
    assert str(START) == ""
    assert Place(("0",), 5).under("sections") == Place(("sections", "0"), 5)


def test_the_rest_of_a_text_is_shown_from_the_character_on() -> None:
    assert read("notes:101", LONG, 900) == (LONG[101:], [])
    assert read("notes:228", LONG, 900) == ("9", [])
    assert read("notes:229", LONG, 900) == ("", [])
    assert read("notes", LONG, 900) == (LONG, [])


def test_a_text_that_is_still_too_long_ends_with_a_mark_and_the_next_place() -> None:
    text, cuts = read("notes:101", words(400), 200)

    shown = text.removesuffix(" …")
    assert shown == words(400)[101 : 101 + len(shown)]
    end = 101 + len(shown)
    assert cuts == [Cut("notes", len(words(400)) - end, len(words(400)), "characters", f"notes:{end}")]
    again, _ = read(f"notes:{end}", words(400), 10_000)
    assert f"{shown}{again}" == words(400)[101:]


def test_a_list_is_shown_from_the_item_on() -> None:
    assert read("tags.5", RECORD["tags"], 900) == ([words(4)] * 7, [])
    assert read("tags.11", RECORD["tags"], 900) == ([words(4)], [])
    assert read("tags.12", RECORD["tags"], 900) == ([], [])
    assert read("tags.nothing", RECORD["tags"], 900) == (RECORD["tags"], [])
    assert read("tags.1:6", RECORD["tags"], 900) == (["w2 w3", *[words(4)] * 10], [])


def test_a_list_that_does_not_fit_ends_before_an_item() -> None:
    shown, cuts = read("tags.2", [words(20)] * 12, 230)

    assert shown == [words(20)] * 3
    assert cuts == [Cut("", 7, 12, "tags", "tags.5")]


def test_a_place_deep_in_content_keeps_what_stands_beside_it() -> None:
    assert read("content.sections.0.questions.4", SECTIONS, 900) == (
        {"sections": [{"name": "S", "questions": questions("Q", 9)[4:]}, SECTIONS["sections"][1]]},
        [],
    )
    shown, _ = read("content.sections.0.questions.4.answer:6", SECTIONS, 900)
    assert shown["sections"][0]["questions"][:2] == [
        {"name": "Q4", "answer": "w2 w3 w4 w5 w6 w7 w8"},
        questions("Q", 6)[5],
    ]
    assert read("content.sections.1", SECTIONS, 900) == ({"sections": SECTIONS["sections"][1:]}, [])
    assert read("content.nothing", SECTIONS, 900) == (SECTIONS, [])


def test_what_is_left_of_content_is_counted_in_its_own_items() -> None:
    shown, cuts = read("content", SECTIONS, 230)
    assert shown == {"sections": [{"name": "S", "questions": questions("Q", 5)}]}
    assert cuts == [Cut("content", 7, 12, "questions", "content.sections.0.questions.5")]

    shown, cuts = read("content.sections.0.questions.5", SECTIONS, 230)
    assert shown == {"sections": [{"name": "S", "questions": questions("Q", 9)[5:]}]}
    assert cuts == [Cut("content", 1, 2, "sections", "content.sections.1")]


def test_a_long_neighbour_of_a_place_is_not_shown_again() -> None:
    value: Any = {"title": "short", "intro": LONG, "list": [1], "object": {"a": 1}, "text": LONG}
    assert read("memo.text:226", value, 900) == ({"title": "short", "text": "w59"[-3:]}, [])


def test_a_member_whose_name_is_no_word_is_reached_by_its_number() -> None:
    assert read("memo.1:226", {"a b": "x", "2 c": LONG}, 900) == ({"a b": "x", "2 c": LONG[226:]}, [])


def test_an_answer_of_one_question_is_cut_inside_where_it_alone_is_too_long() -> None:
    value: Any = [{"name": "Q", "answer": words(300)}]
    shown, cuts = read("content", value, 230)

    (question,) = shown
    kept = question["answer"].removesuffix(" …")
    assert words(300).startswith(kept)
    assert cuts == [
        Cut("", 1, 1, "content", f"content.0.answer:{len(kept)}"),
        Cut(
            "content.answer",
            len(words(300)) - len(kept),
            len(words(300)),
            "characters",
            f"content.0.answer:{len(kept)}",
        ),
    ]


def test_what_fits_is_shown_whole_in_the_order_of_the_record() -> None:
    assert resumed(RECORD, {}, size(RECORD) + 80) == (RECORD, [])
    both: Any = resumed(RECORD, {"memo": Place((), 3)}, 2000)[0]["free_text"]
    assert [*both] == ["comment", "memo"]
    assert resumed(MEMO, {"memo": Place((), 3)}, 900) == (
        {"id": "1", "free_text": {"memo": LONG[3:]}},
        [],
    )


@pytest.mark.parametrize(
    ("room", "shown", "left"),
    [
        (700, ["id", "notes", "tags", "content"], "comment, memo"),
        (300, ["id", "notes", "tags"], "content, comment, memo"),
        (200, ["id", "notes"], "tags, content, comment, memo"),
        (100, ["id"], "notes, tags, content, comment, memo"),
    ],
)
def test_long_fields_for_which_no_room_is_left_are_left_out_and_counted(room: int, shown: list[str], left: str) -> None:
    row, cuts = resumed(RECORD, {}, room)

    assert row == {name: RECORD[name] for name in shown}
    assert cuts == [Cut("", len(left.split(", ")), 6, "fields", left)]


def test_a_field_that_is_left_out_is_read_on_from_the_place_that_was_asked_for() -> None:
    _, cuts = resumed(RECORD, {"memo": Place((), 3), "content": Place(("sections", "1"))}, 200)
    assert cuts == [Cut("", 4, 6, "fields", "tags, content.sections.1, comment, memo:3")]
