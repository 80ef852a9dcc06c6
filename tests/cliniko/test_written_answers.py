"""The writer of contents against the reader: what is written reads back as the same questions and answers."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.shapes.answers import questions_and_answers
from cliniko_mcp.cliniko.shapes.content import RecordedContent, TreatmentNoteContent
from cliniko_mcp.cliniko.shapes.written_answers import Document, document_of
from cliniko_mcp.frontdesk.notes import called, fill
from cliniko_mcp.sanitize import clean

from .test_answers import words
from .test_content import ALL, SVG, contents, days, ids, loose_questions, one

Json = dict[str, Any]
NOTE_KINDS = {"text", "paragraph", "date", "bodycharts", "checkboxes", "radiobuttons"}
ODD: list[Json] = [
    {"name": "Home", "type": "address", "answer": {"city": "Carlton"}},
    {"name": "Whole name", "type": "full_name", "answer": {"first_name": "Ana"}},
    {"name": "Call", "type": "phone", "answer": [{"number": "1", "phone_type": "Home"}]},
    {"name": "They", "type": "pronouns", "answer": {"value": ["she", "her"]}},
    {"name": "Sex", "type": "select", "answer": "F", "patient_field_connection": "sex"},
    {"name": "Sign", "type": "signature", "signature": SVG},
    {"name": "Grid", "type": "grid", "rows": [{"pain": 3}]},
    {"name": "How many", "type": "text", "answer": 5},
    {"name": "Which", "type": "checkboxes", "answers": ["A", "B"]},
    {"name": "Where", "type": "checkboxes", "answers": [{"selected": True}]},
    {"name": "Own", "type": "radiobuttons", "other": {"selected": True, "value": "Latex"}},
    {"name": "Mixed", "type": "text", "answer": "x", "answers": [{"value": "A", "selected": True}]},
    {"type": "text", "answer": "nameless"},
    {"name": " ", "type": "text", "answer": "blank name"},
]
"""Questions that no note can hold as they are, though some are of a kind that notes have."""


def read(content: object) -> Counter[Any]:
    return Counter(questions_and_answers(content))


def told(document: Document, content: object) -> None:
    """Every question of the source is written with its answer, or named as left out; nothing else is written."""
    source, written = read(content), read(document.content)
    assert not written - source
    missing = [clean(pair.question or pair.section or "a question", 80) for pair in (source - written).elements()]
    assert Counter(document.left_out) == Counter(missing)


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data())
def test_what_is_taken_over_reads_back_alike_and_only_kinds_that_notes_lack_are_left_out(
    document: str, data: st.DataObject
) -> None:
    content = data.draw(contents(document))
    written = document_of(RecordedContent.read(content))
    told(written, content)
    asked = [question for section in content["sections"] for question in section.get("questions", ())]
    lacking = [question["name"] for question in asked if question["type"] not in NOTE_KINDS]
    assert len(written.left_out) == len(lacking)
    if any(section.content for section in written.sections):
        assert TreatmentNoteContent.model_validate(written.content).wire() == written.content


@pytest.mark.long
@given(
    st.lists(loose_questions | st.sampled_from(ODD), max_size=3),
    st.sampled_from([None, "", " ", "History"]),
    st.lists(st.sampled_from(["x", 7, {"questions": "x"}, {"questions": ["x", None]}, None]), max_size=1),
)
def test_nothing_of_an_odd_document_is_lost_in_silence(questions: list[Json], name: str | None, odd: list[Any]) -> None:
    content: Json = {"sections": [{"name": name, "questions": questions}, *odd]}
    told(document_of(RecordedContent.read(content)), content)


@pytest.mark.parametrize("question", ODD, ids=[f"{row.get('name')} {row['type']}" for row in ODD])
def test_a_question_that_cannot_be_written_is_left_out_by_name(question: Json) -> None:
    plain = {"name": "Pain", "type": "text", "answer": "knee"}
    content: Json = {"sections": [{"questions": [question]}, {"questions": [plain]}]}
    written = document_of(RecordedContent.read(content))
    told(written, content)
    assert written.left_out[0] == (str(question.get("name") or "").strip() or "a question")
    assert written.content == one(plain) or "Pain" in written.left_out


texts = st.text(st.characters(exclude_categories=["C"]) | st.sampled_from("<>&;\n \"'"), min_size=1, max_size=30)
filled_texts = texts.filter(lambda text: bool(words(clean(text))))
"""Texts that hold more than signs which are stripped from everything."""
CHOICES = ("Ice", "ice", "Ice, cold", "Rest", "Rest; then walk", "Straße", "Other side", "<5 kg", "休息")
"""Choices of which some look alike, and some hold what parts several answers."""


def answered(kind: str, answer: object, values: Sequence[str] | None = None, other: bool = False) -> str:
    """What a note says of a single question of this kind after it was answered so."""
    question: Json = {"name": "Q", "type": kind}
    if values is not None:
        question["answers"] = [{"value": value} for value in values]
    if other:
        question["other"] = {"enabled": True}
    document = document_of(RecordedContent.read(one(question)))
    done, wrong = fill(document, {"q": answer}, lambda phrase: phrase)
    assert (done, wrong) == (["Q"], {})
    TreatmentNoteContent.model_validate(document.content)
    (pair,) = questions_and_answers(document.content)
    assert (pair.question, called(document, next(document.questions())[1])) == ("Q", "Q")
    return pair.answer


@given(filled_texts)
def test_a_text_reads_back_on_one_line(text: str) -> None:
    assert words(answered("text", text)) == words(clean(text))


@given(filled_texts.filter(lambda text: "<" not in text))
def test_a_paragraph_without_markup_reads_back_word_for_word(text: str) -> None:
    assert words(answered("paragraph", text)) == words(clean(text, lines=True))


@given(days)
def test_a_day_reads_back(day: str) -> None:
    assert answered("date", day) == day


@pytest.mark.long
@given(st.lists(ids, min_size=1, max_size=3))
def test_body_charts_read_back(charts: list[str]) -> None:
    assert answered("bodycharts", charts) == f"body chart {', '.join(charts)}"


@pytest.mark.long
@given(st.data(), st.sampled_from([None, "Other", "Own thing"]))
def test_ticked_and_other_answers_read_back(data: st.DataObject, own: str | None) -> None:
    values = data.draw(st.lists(st.sampled_from(CHOICES), min_size=1, unique=True))
    picked = data.draw(st.lists(st.sampled_from(values), min_size=0 if own else 1, unique=True))
    expected = [value for value in values if value in picked]
    expected += [own if own == "Other" else f"Other: {own}"] if own else []
    given_answers = [*picked, *([own] if own else [])]
    assert answered("checkboxes", given_answers, values, other=bool(own)) == "; ".join(expected)
    assert answered("radiobuttons", given_answers[-1], values, other=bool(own)) == (expected[-1] if own else picked[-1])


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("Ice; Rest", "Ice; Rest"),
        ("ice, rest", "Ice; Rest"),
        (["Rest", "Ice"], "Ice; Rest"),
        ("Other: Latex", "Other: Latex"),
        (["Ice", "Other: Latex"], "Ice; Other: Latex"),
        ("Other", "Other"),
        ("Latex", "Other: Latex"),
        ("Ice, and a walk", "Other: Ice, and a walk"),
    ],
)
def test_answers_are_taken_back_as_the_reader_prints_them(answer: object, shown: str) -> None:
    assert answered("checkboxes", answer, ["Ice", "Rest"], other=True) == shown


def test_of_choices_that_look_alike_the_very_same_is_taken_once() -> None:
    assert answered("radiobuttons", "left", ["Left", "left", "Left"]) == "left"
    assert answered("radiobuttons", "LEFT", ["Left", "left", "Left"]) == "Left"
