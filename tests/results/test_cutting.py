"""What does not fit is cut by whole units, and every cut says how much is left and how to get it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.results.budget import size
from cliniko_mcp.results.cutting import cut_notes, fitted, left_out, shortened, text_within

PARAGRAPHS = "\n\n".join(f"Paragraph {number} tells of a visit. It was short." for number in range(200))
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=60)
LONG_TEXTS = st.builds(lambda text, times: text * times, TEXTS, st.integers(1, 200))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers() | st.booleans() | LONG_TEXTS,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


def test_a_text_that_fits_stays_as_it_is():
    assert text_within("Ana Lima", 20) == "Ana Lima"
    assert fitted({"id": "1", "notes": "short"}, 50) == ({"id": "1", "notes": "short"}, [])


@pytest.mark.parametrize("room", [40, 100, 333, 1000])
def test_a_text_is_cut_after_a_whole_sentence_or_paragraph(room: int):
    kept = text_within(PARAGRAPHS, room)

    assert size(kept) <= room
    assert kept
    assert kept.endswith(".")
    assert PARAGRAPHS.startswith(kept)


def test_japanese_is_cut_after_a_whole_sentence():
    assert text_within("患者は腰痛を訴える。" * 100, 200).endswith("。")


@pytest.mark.long
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=6), st.integers(300, 2000))
@settings(max_examples=60)
def test_a_record_fits_whatever_it_holds_and_says_what_was_cut(record: dict[str, Any], room: int):
    kept, cuts = fitted(record, room)

    assert size(kept) <= room or len(kept) == 1
    assert (kept == record) == (not cuts)


def test_what_is_short_is_never_cut():
    record = {"id": "1104000000095609243", "patient": "Bartholomew Cunningham", "notes": PARAGRAPHS}
    kept, cuts = fitted({**record}, 300)

    assert (kept["id"], kept["patient"]) == (record["id"], record["patient"])
    assert [cut.place for cut in cuts] == ["notes"]
    assert str(kept["notes"]).endswith(" …")


def test_lists_are_cut_by_whole_items_and_counted():
    questions: list[Any] = [{"name": f"Q{number}", "answer": "word " * 30} for number in range(80)]
    kept, cuts = fitted({"id": "1", "content": {"sections": [{"questions": questions}]}}, 1000)
    content: Any = kept["content"]
    shown = content["sections"][0]["questions"]

    assert shown == questions[: len(shown)]
    due = f"{80 - len(shown)} of 80 questions of content are not shown: content.sections.0.questions.{len(shown)}."
    assert cut_notes(cuts, lambda at: at) == [due]


def test_all_cuts_are_told_in_one_form():
    assert left_out(150, 200, "patients", "call again") == "150 of 200 patients are not shown: call again."
    assert left_out(1, 4, "fields", "call again") == "1 of 4 fields is not shown: call again."
    assert left_out(0, None, "patients", "call again") == "More patients are not shown: call again."


def test_a_cut_text_is_marked():
    assert shortened("word " * 100, 20).endswith(" …")
