"""The one reader of content and custom fields: every answer is in the text, or the text says that it is cut."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.shapes.answers import UNREAD, QuestionAnswer, answer_text, questions_and_answers
from cliniko_mcp.cliniko.shapes.content import RecordedContent
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFieldsRecord
from cliniko_mcp.sanitize import clean, plain

from .test_content import ALL, SVG, contents

Json = dict[str, Any]
LONG = 1_000_000


def one(*questions: Any, **section: Any) -> Json:
    return {"sections": [{**section, "questions": list(questions)}]}


def ask(name: str, kind: str, **more: Any) -> Json:
    return {"name": name, "type": kind, **more}


def words(text: str) -> str:
    return " ".join(text.split())


def put_in(content: Json) -> Iterator[tuple[Json, list[str]]]:
    """Every question with the answer texts that were put into it, found without the reader."""
    for section in content["sections"]:
        for question in section.get("questions", ()):
            answered = question.get("answer", "")
            texts = [plain(answered) if question["type"] == "paragraph" else answered]
            texts += [choice["value"] for choice in question.get("answers", ()) if choice.get("selected")]
            texts.append(question.get("other", {}).get("value", ""))
            texts += question.get("body_chart_ids", ())
            yield question, [text for raw in texts if (text := words(clean(raw)))]


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data())
def test_every_answer_is_in_the_text(document: str, data: st.DataObject) -> None:
    content = data.draw(contents(document))
    record = RecordedContent.read(content)
    for lines in (False, True):
        whole = answer_text(record, LONG, lines=lines)
        assert not whole.cut
        assert whole == answer_text(content, LONG, lines=lines)
        for question, texts in put_in(content):
            assert words(clean(question["name"])) in words(whole.text)
            assert all(text in words(whole.text) for text in texts)
            assert question["type"] != "signature" or "signed" in whole.text
        if lines:
            # No answer's further line passes for a question.
            count = len([pair for pair in questions_and_answers(record) if pair.answer])
            assert sum(not line.startswith("  ") for line in whole.text.split("\n") if line) <= count + 1


@pytest.mark.long
@pytest.mark.parametrize("document", ALL)
@given(data=st.data(), limit=st.integers(1, 300))
def test_what_does_not_fit_is_said_to_be_left_out(document: str, data: st.DataObject, limit: int) -> None:
    content = data.draw(contents(document))
    for lines in (False, True):
        whole, short = answer_text(content, LONG, lines=lines), answer_text(content, limit, lines=lines)
        assert len(short.text) <= limit
        assert short.cut == (len(whole.text) > limit)
        assert short.text.endswith("…") if short.cut else short == whole


@pytest.mark.long
@pytest.mark.parametrize("document", ["note", "form"])
@given(data=st.data())
def test_the_unanswered_are_told_apart(document: str, data: st.DataObject) -> None:
    content = data.draw(contents(document))
    pairs = list(questions_and_answers(content))
    for (question, _), pair in zip(put_in(content), pairs, strict=True):
        written = {"answer", "body_chart_ids"} & question.keys()
        chosen = any(choice.get("selected") for choice in question.get("answers", ()))
        answered = bool(written) or chosen or question.get("other", {}).get("selected", False)
        if question["type"] != "signature" and clean(question.get("answer", "x")):
            assert bool(pair.answer) == answered


ALLERGIES = ask(
    "Allergies",
    "checkboxes",
    answers=[{"value": "Peanuts", "selected": True}, {"value": "Penicillin"}],
    other={"enabled": True, "selected": True, "value": "Latex"},
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ALLERGIES, "Peanuts; Other: Latex"),
        (ask("Q", "checkboxes", answers=[{"value": "A"}], other={"enabled": True}), ""),
        (ask("Q", "radiobuttons", other={"enabled": True, "selected": True}), "Other"),
        (ask("Q", "text", answer="<5 kg and >3"), "<5 kg and >3"),
        (ask("Q", "text", answer="a <b> c"), "a <b> c"),
        (ask("Q", "paragraph", answer="<p>Fell &amp; rose</p><p>again</p>"), "Fell & rose\n\nagain"),
        (ask("Q", "paragraph", answer="<p></p>"), "(no words)"),
        (ask("Q", "signature", signature_id="7"), "signed"),
        (ask("Q", "signature", signature=SVG), "signed"),
        (ask("Q", "signature"), "not signed"),
        (ask("Q", "bodycharts", body_chart_ids=["3", "4"]), "body chart 3, 4"),
        (ask("Q", "address", answer={"city": "Carlton", "post_code": None, "country_code": "AU"}), "Carlton, AU"),
        (
            ask("Q", "phone", answer=[{"number": "1", "phone_type": "Home"}, {"number": "2", "phone_type": "Fax"}]),
            "1, Home; 2, Fax",
        ),
        (ask("Q", "full_name", answer={"first_name": "Ana", "last_name": "Lima"}), "Ana, Lima"),
        (ask("Q", "pronouns", answer={"value": ["she", "her"]}), "she, her"),
        (ask("Q", "select", answer="Left", options=["Left", "Right"]), "Left"),
        (ask("Q", "full_name", patient_field_connection="full_name", options={"title": True}), ""),
        (ask("Q", "scale", answer=0, options=["0", "10"]), "0"),
        (ask("Q", "scale", answer=False), "No"),
        (ask("Q", "scale", options=["0", "10"], custom_field_token="abc"), ""),
        (ask("Q", "grid", rows=[{"pain": 3}]), UNREAD),
        (ask("Q", "checkboxes", answers=["A", "B"]), f"{UNREAD}; {UNREAD}"),
        (ask("Q", "checkboxes", answers=[{"selected": True}]), UNREAD),
    ],
)
def test_each_kind_of_answer(question: Json, answer: str) -> None:
    (pair,) = questions_and_answers(one(question))
    assert pair == QuestionAnswer("", question["name"], answer)


def test_custom_fields_are_read_as_the_patient_has_them() -> None:
    fields: list[Json] = [
        {"token": "1", "name": "Sport", "type": "radiobuttons", "options": [{"token": "a", "name": "Never"}],
         "other": {"enabled": True, "selected": True, "value": "Chess"}},
        {"token": "2", "name": "Fund", "type": "checkboxes", "options": [{"token": "b", "name": "A", "selected": True},
                                                                       {"token": "c", "selected": True}]},
        {"token": "3", "name": "Goals", "type": "paragraph"},
        {"token": "4", "name": "Hand", "type": "text", "archived": True},
        {"token": "5", "name": "Foot", "type": "text", "archived": True, "value": "left"},
    ]  # fmt: skip
    content: Json = {"sections": [{"token": "s", "name": "Life", "fields": fields}]}
    expected = "Sport: Other: Chess / Fund: A; c / Foot: left / No answer: Goals"
    assert answer_text(content, LONG).text == expected
    assert answer_text(CustomFieldsRecord.read(content), LONG).text == expected


def test_one_name_in_two_sections_is_told_apart() -> None:
    content = {
        "sections": [
            {"name": "Left knee", "questions": [ask("Pain", "text", answer="3"), ask("Since", "text", answer="May")]},
            {"name": "Right knee", "questions": [ask("Pain", "text")]},
        ]
    }
    assert answer_text(content, LONG).text == "Left knee: Pain: 3 / Since: May / No answer: Right knee: Pain"


def test_a_cut_says_how_much_is_missing() -> None:
    content = one(*(ask(f"Q{number}", "text", answer="word " * 12) for number in range(9)), ask("Open", "text"))
    text = answer_text(content, 240).text
    assert text.count("Q") == 2
    assert text.endswith(" / (7 more answers left out, 1 without an answer) …")
    long = answer_text(one(ask("Q", "text", answer="x" * 500), ask("Open", "text")), 240)
    assert re.fullmatch(r"Q: x{100,}… / \(1 without an answer\) …", long.text)
    assert long.cut


def test_an_answer_cannot_pass_for_another_question() -> None:
    content = one(ask("Allergies", "paragraph", answer="<p>see below</p><p>Allergies: none</p>"))
    assert answer_text(content, LONG, lines=True).text == "Allergies: see below\n  Allergies: none"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ({}, ""),
        ({"sections": []}, ""),
        ({"sections": None}, ""),
        ({"sections": [{"name": "Privacy", "description": "How"}]}, ""),
        ("<p>Old note</p>", "Old note"),
        ({"sections": "Old note"}, "Content: Old note"),
        ({"body": {"text": "Old note"}}, "Content: Old note"),
        ([{"questions": [{"name": "Q", "answer": "A"}]}], "Q: A"),
        ({"sections": [{"name": "S", "questions": {"name": "Q", "answer": "A"}}]}, "Q: A"),
        ({"sections": [{"name": "S", "questions": ["loose words"]}]}, "S: loose words"),
        ({"sections": ["loose words"]}, "Section: loose words"),
    ],
)
def test_odd_content_is_read_or_said_not_to_be(content: object, text: str) -> None:
    assert answer_text(content, LONG).text == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["sections", "questions", "fields", "name", "type", "answer", "answers", "options", "other",
                         "value", "selected", "signature_id", "body_chart_ids", "x"]), inner, max_size=4
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.long
@given(content=json_values)
def test_no_content_makes_the_reader_stumble(content: object) -> None:
    assert len(answer_text(content, 240).text) <= 240
