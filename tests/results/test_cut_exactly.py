"""Where exactly a text, a list and a whole record are cut, and what exactly is said of it."""

from typing import Any

import pytest

from cliniko_mcp.results.budget import size
from cliniko_mcp.results.cutting import KEEP, Cut, cut_notes, fitted, left_out, shortened, step_to, text_within


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))


def questions(letter: str, count: int) -> list[Any]:
    return [{"name": f"{letter}{number}", "answer": words(9)} for number in range(count)]


LONG = words(60)
SECTIONS: dict[str, Any] = {
    "sections": [{"name": "S", "questions": questions("Q", 9)}, {"name": "T", "questions": questions("R", 3)}]
}
RECORD: dict[str, Any] = {
    "id": "1",
    "notes": LONG,
    "tags": [words(4)] * 12,
    "content": SECTIONS,
    "free_text": {"comment": LONG, "memo": LONG},
}
SENTENCES = "one two three four five six. seven eight"


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        (SENTENCES, 10, SENTENCES),
        (SENTENCES, 9, "one two three four five six."),
        (SENTENCES, 8, "one two three four five"),
        (SENTENCES, 4, "one two three"),
        (SENTENCES, 3, "one two"),
        (SENTENCES, 2, "one"),
        (SENTENCES, 1, ""),
        (SENTENCES, 0, ""),
        ("a b c\n\nd e f\ng h", 10, "a b c\n\nd e f\ng h"),
        ("a b c\n\nd e f\ng h", 9, "a b c\n\nd e f"),
        ("a b c\n\nd e f\ng h", 8, "a b c\n\nd e"),
        ("患者は腰痛。次回は来週。また", 16, "患者は腰痛。次回は来週。また"),
        ("患者は腰痛。次回は来週。また", 11, "患者は腰痛。次回は"),
        ("患者は腰痛。次回は来週。また", 9, "患者は腰痛。"),
        ("患者は腰痛。次回は来週。また", 4, "患者"),
    ],
)
def test_the_beginning_of_a_text_ends_at_its_best_end_in_the_room(text: str, room: int, kept: str) -> None:
    assert text_within(text, room) == kept


@pytest.mark.parametrize("end", ["\n\n", "\n", "。", ". ", "؟ "])
def test_a_better_end_is_taken_only_in_the_last_part_of_the_room(end: str) -> None:
    room = size(f"x {words(40)}") - 2
    late, early = f"{words(32)}{end}{words(20)}", f"{words(10)}{end}{words(50)}"

    assert text_within(late, room) == f"{words(32)}{end}".rstrip()
    assert text_within(early, room).startswith(f"{words(10)}{end}w0 w1")


def test_words_of_another_script_are_cut_in_the_middle_rather_than_at_an_early_space() -> None:
    assert text_within(f"患者 {'腰' * 40}", 20) == f"患者 {'腰' * 15}"
    assert text_within("word " + "x" * 400, 20) == "word"


def test_an_early_space_ends_a_text_of_plain_letters_unless_nothing_stands_before_it() -> None:
    assert text_within(f"a {'x' * 400}", 20) == "a"
    kept = text_within(f" {'x' * 400}", 20)
    assert kept == f" {'x' * (len(kept) - 1)}"
    assert size(kept) == 20


def test_numbers_and_yes_or_no_stay_beside_a_text_that_is_cut() -> None:
    record: dict[str, Any] = {"id": "1", "size": 5, "draft": False, "rate": 1.5, "none": None, "notes": LONG}
    row, cuts = fitted(record, 100)

    assert {**row, "notes": ""} == {**record, "notes": ""}
    assert [cut.place for cut in cuts] == ["notes"]


def test_sixty_dear_characters_are_kept_and_sixty_one_are_not() -> None:
    row, cuts = fitted({"id": "1", "one": "\u4e02" * 60, "two": "\u4e02" * 61}, 250)

    assert row["one"] == "\u4e02" * 60
    assert [cut.place for cut in cuts] == ["two"]


def test_a_text_of_one_endless_word_is_cut_inside_it() -> None:
    kept = text_within("x" * 400, 20)
    assert kept == "x" * len(kept)
    assert size(kept) == 20


@pytest.mark.parametrize(
    ("room", "shown"),
    [(10, SENTENCES), (9, "one two three four five …"), (6, "one two three …"), (4, "one …"), (1, " …"), (0, " …")],
)
def test_the_mark_of_a_cut_takes_two_of_its_tokens(room: int, shown: str) -> None:
    assert shortened(SENTENCES, room) == shown


def test_a_record_that_takes_exactly_its_room_is_whole() -> None:
    assert fitted(RECORD, size(RECORD)) == (RECORD, [])


def test_one_token_less_takes_the_longest_part_away_by_whole_items() -> None:
    row, cuts = fitted(RECORD, size(RECORD) - 1)

    assert row == {**RECORD, "content": {"sections": SECTIONS["sections"][:1]}}
    assert cuts == [Cut("content", 1, 2, "sections", "content.sections.1")]


def test_a_list_in_a_list_is_cut_before_a_text_that_is_shorter() -> None:
    row, cuts = fitted(RECORD, 700)

    assert row == {**RECORD, "content": {"sections": [{"name": "S", "questions": questions("Q", 7)}]}}
    assert cuts == [
        Cut("content", 2, 9, "questions", "content.sections.0.questions.7"),
        Cut("content", 1, 2, "sections", "content.sections.1"),
    ]


def test_where_everything_is_cut_short_the_last_fields_go() -> None:
    row, cuts = fitted(RECORD, 300)

    assert row == {
        "id": "1",
        "notes": f"{words(28)} …",
        "tags": [words(4)] * 6,
        "content": {"sections": [{"name": "S", "questions": questions("Q", 2)}]},
    }
    assert cuts == [
        Cut("notes", 128, 229, "characters", "notes:101"),
        Cut("", 6, 12, "tags", "tags.6"),
        Cut("content", 7, 9, "questions", "content.sections.0.questions.2"),
        Cut("content", 1, 2, "sections", "content.sections.1"),
        Cut("", 2, 6, "fields", "comment, memo"),
    ]


def test_texts_that_people_wrote_are_read_on_by_their_own_names() -> None:
    _, cuts = fitted({"id": "1", "free_text": RECORD["free_text"]}, 200)

    assert cuts == [
        Cut("comment", 68, 229, "characters", "comment:161"),
        Cut("memo", 68, 229, "characters", "memo:161"),
    ]


def test_one_field_is_kept_even_where_it_does_not_fit() -> None:
    row, cuts = fitted(RECORD, 5)

    assert row == {"id": "1"}
    assert cuts == [Cut("", 5, 6, "fields", "notes, tags, content, comment, memo")]


def test_texts_of_up_to_60_characters_are_never_cut() -> None:
    exactly, over = "x" * 60, "ab " * 30
    row, _ = fitted({"id": "1", "name": exactly, "title": "y" * 60, "notes": over * 9}, 130)

    assert (row["name"], row["title"]) == (exactly, "y" * 60)
    assert str(row["notes"]).endswith("ab …")


def test_what_is_cut_in_several_lists_of_one_name_is_counted_together() -> None:
    sections: Any = [{"name": name, "questions": questions(name, 9)} for name in "AB"]
    row, cuts = fitted({"id": "1", "content": {"first": sections[0], "second": sections[1]}}, 220)

    content: Any = row["content"]
    left = sum(9 - len(part["questions"]) for part in content.values())
    assert 0 < left < 18
    assert cuts == [Cut("content", left, 18, "questions", f"content.second.questions.{(18 - left) // 2}")] or cuts == [
        Cut("content", left, 18, "questions", f"content.first.questions.{(18 - left) // 2}")
    ]


@pytest.mark.parametrize(
    ("name", "step"),
    [("notes", "notes"), ("_x-1", "_x-1"), ("2nd", "2"), ("a b", "3"), ("a.b", "4"), ("Ä", "5"), ("", "6")],
)
def test_a_name_that_could_be_taken_for_a_place_is_replaced_by_its_number(name: str, step: str) -> None:
    assert step_to(dict.fromkeys(("notes", "_x-1", "2nd", "a b", "a.b", "Ä", "")), name) == step


@pytest.mark.parametrize(
    ("left", "total", "due"),
    [
        (1, None, "More patients are not shown: so."),
        (1, 1, "1 of 1 patients is not shown: so."),
        (2, 2, "2 of 2 patients are not shown: so."),
        (1200, 12000, "1,200 of 12,000 patients are not shown: so."),
    ],
)
def test_one_is_and_several_are_not_shown(left: int, total: int | None, due: str) -> None:
    assert left_out(left, total, "patients", "so") == due


def some_cuts(count: int, unit: str = "parts") -> list[Cut]:
    return [Cut(f"f{number}", number + 1, 9, unit, f"f{number}.{number}:7") for number in range(count)]


def test_four_cuts_have_a_note_each_and_the_others_one_together() -> None:
    def asked(at: str) -> str:
        return f"ask {at}"

    four = [
        "1 of 9 parts of f0 is not shown: ask f0.0:7.",
        "2 of 9 parts of f1 are not shown: ask f1.1:7.",
        "3 of 9 parts of f2 are not shown: ask f2.2:7.",
        "4 of 9 parts of f3 are not shown: ask f3.3:7.",
    ]
    assert cut_notes([], asked) == []
    assert cut_notes(some_cuts(4), asked) == four
    assert cut_notes(some_cuts(5), asked) == [*four, "1 of 5 parts is not shown: ask f4.4:7."]
    assert cut_notes(some_cuts(7), asked) == [*four, "3 of 7 parts are not shown: ask f4.4:7, f5.5:7, f6.6:7."]


def test_the_others_are_read_on_from_the_first_place_of_each_field() -> None:
    more = [Cut("x", 1, 2, "parts", "x.3"), Cut("x", 1, 2, "parts", "x.5:8"), Cut("y", 1, 2, "parts", "y:8")]
    assert cut_notes([*some_cuts(4), *more], str)[-1] == "3 of 7 parts are not shown: x.3, y:8."


def test_a_text_that_was_cut_inside_must_not_be_sent_back() -> None:
    assert cut_notes(some_cuts(1, "characters"), str)[1:] == [KEEP]
    assert cut_notes([*some_cuts(5), Cut("z", 3, 9, "characters", "z:6")], str)[-1] == KEEP
    assert KEEP == "Never send a text that ends in … back in an update: it is not whole."


def test_a_cut_of_the_record_itself_names_no_place() -> None:
    assert Cut("", 2, 7, "fields", "a, b").sentence("ask for a, b") == "2 of 7 fields are not shown: ask for a, b."
