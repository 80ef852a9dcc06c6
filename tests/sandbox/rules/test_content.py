"""Structured content of all four documents: points 56 and 69 of the checklist."""

from typing import Any

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.sandbox.rules.content import ALLOWED_TAGS, sanitised
from sandbox.client import Client, errors

DOCUMENTS = ("treatment_notes", "treatment_note_templates", "patient_forms", "patient_form_templates")
ANSWERED = ("treatment_notes", "patient_forms")
Question = dict[str, Any]


def send(client: Client, document: str, content: object, status: int = 201) -> Any:
    needed: dict[str, dict[str, object]] = {
        "treatment_notes": {"title": "Visit", "draft": True, "patient_id": client.id("patients", "Ana Lima")},
        "patient_forms": {"name": "Intake", "patient_id": client.id("patients", "Ana Lima")},
    }
    body = {**needed.get(document, {"name": "Blank"}), "content": content}
    return client.post(f"/{document}", body, status)


def request(client: Client, document: str, question: Question, status: int = 201) -> Any:
    return send(client, document, {"sections": [{"questions": [question]}]}, status)


def complaint(client: Client, document: str, question: Question) -> str:
    found = errors(request(client, document, question, 422))
    assert set(found) == {"content"}
    return found["content"]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"sections":[]}', "must be an object"),
        ([], "must be an object"),
        ({}, "'sections' must not be empty"),
        ({"sections": []}, "'sections' must not be empty"),
        ({"sections": [{"questions": []}]}, "'questions' must not be empty in sections[0]"),
        ({"sections": [{"name": "A"}, {}]}, "sections[1] must not be empty"),
        ({"sections": "A"}, "'sections' must be an array"),
        ({"sections": [{"name": "n" * 256}]}, "'name' is too long (maximum is 255 characters) in sections[0]"),
        (
            {"sections": [{"description": "d" * 10_001}]},
            "'description' is too long (maximum is 10000 characters) in sections[0]",
        ),
    ],
)
def test_56_the_frame_of_all_four_documents(client: Client, document: str, content: object, sentence: str) -> None:
    assert errors(send(client, document, content, 422)) == {"content": sentence}


HERE = " in sections[0].questions[0]"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"type": "text"}, "'name' can’t be blank" + HERE),
        ({"name": "A"}, "'type' can’t be blank" + HERE),
        ({"name": "A", "type": "essay"}, "'type' is not included in the list" + HERE),
        ({"name": "A", "type": "checkboxes", "answers": []}, "'answers' must not be empty" + HERE),
        ({"name": "A", "type": "paragraph", "answer": ""}, "'answer' must not be empty" + HERE),
        ({"name": "A", "type": "date", "answers": [{"value": "B"}]}, "'answers' is only for questions of type"),
    ],
)
def test_56_every_question_has_a_name_a_type_and_no_empty_answers(
    client: Client, document: str, question: Question, sentence: str
) -> None:
    assert complaint(client, document, question).startswith(sentence)


CHOICES = [{"value": "A", "selected": True}, {"value": "B"}]


@pytest.mark.parametrize("document", ANSWERED)
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"answers": [{"value": "A", "selected": False}]}, "'selected' can only be true" + HERE + ".answers[0]"),
        (
            {"answers": [{"value": "A", "selected": True}] * 2},
            "'answers' can have at most one selected in radiobuttons",
        ),
        (
            {"answers": CHOICES, "other": {"enabled": True, "selected": True, "value": "C"}},
            "'answers' must have none selected where other.selected is true",
        ),
        ({"other": {"selected": True}}, "'selected' can be true only where enabled is true"),
        ({"other": {"enabled": True, "value": "C"}}, "'value' can be given only where selected is true"),
        (
            {"other": {"enabled": True, "selected": True, "value": "v" * 256}},
            "'value' is too long (maximum is 255 characters)",
        ),
    ],
)
def test_56_radiobuttons_and_other_agree_with_themselves(
    client: Client, document: str, more: Question, sentence: str
) -> None:
    assert complaint(client, document, {"name": "Q", "type": "radiobuttons", **more}).startswith(sentence)
    request(client, document, {"name": "Q", "type": "radiobuttons", "answers": CHOICES})
    request(client, document, {"name": "Q", "type": "checkboxes", "answers": [{"value": "A", "selected": True}] * 2})


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("treatment_notes", {"type": "signature"}),
        ("treatment_note_templates", {"type": "signature"}),
        ("patient_forms", {"type": "bodycharts"}),
        ("patient_form_templates", {"type": "bodycharts"}),
        ("patient_forms", {"type": "full_name"}),
        ("treatment_notes", {"type": "date", "answer": "24/11/2026"}),
        ("patient_forms", {"type": "date", "answer": "2026-02-30"}),
        ("patient_forms", {"type": "text", "answer": "a" * 10_001}),
        ("treatment_note_templates", {"type": "text", "answer": "Begin"}),
    ],
)
def test_56_each_document_has_its_own_questions(client: Client, document: str, question: Question) -> None:
    assert complaint(client, document, {"name": "Q", **question}).endswith(HERE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_56_content_that_is_right_comes_back_as_it_was_and_is_replaced_whole(client: Client, document: str) -> None:
    content = {"sections": [{"name": "S", "questions": [{"name": "Q", "type": "paragraph", "answer": "<p>A</p>"}]}]}
    made = send(client, document, content)
    assert made["content"] == content
    other = {"sections": [{"name": "T"}]}
    assert client.patch(f"/{document}/{made['id']}", {"content": other})["content"] == other


def test_56_fields_that_a_question_does_not_know_vanish(client: Client) -> None:
    question = {"name": "Q", "type": "checkboxes", "answers": [{"value": "A", "selected": True}], "colour": "red"}
    made = request(client, "treatment_note_templates", question)
    assert made["content"]["sections"][0]["questions"] == [
        {"name": "Q", "type": "checkboxes", "answers": [{"value": "A"}]}
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_69_paragraphs_keep_the_allowed_tags_and_drop_the_rest(client: Client, document: str) -> None:
    dirty = (
        '<h1 style="x">A</h1><h3>B</h3>\n<script>alert(1)</script><ul><li>C</li></ul>\t<b onclick="x">D</b>'
        '<a href="https://e.example" target="_blank">E</a><a href="javascript:x">F</a><img src="x">1 < 2<!-- G -->'
    )
    clean = '<h1>A</h1>B<ul><li>C</li></ul><b>D</b><a href="https://e.example">E</a><a>F</a>1 &lt; 2'
    made = request(client, document, {"name": "Q", "type": "paragraph", "answer": dirty})
    assert made["content"]["sections"][0]["questions"][0]["answer"] == clean


@pytest.mark.parametrize("tag", sorted(ALLOWED_TAGS - {"br"}))
def test_69_every_allowed_tag_stays(tag: str) -> None:
    assert sanitised(f"<{tag}>x</{tag}>") == f"<{tag}>x</{tag}>"


def test_69_an_answer_of_which_nothing_is_left_is_refused(client: Client) -> None:
    message = complaint(client, "treatment_notes", {"name": "Q", "type": "paragraph", "answer": "<script>x</script>"})
    assert message == "'answer' must not be empty" + HERE


def test_69_a_text_answer_is_one_plain_line(client: Client) -> None:
    made = request(client, "treatment_notes", {"name": "Q", "type": "text", "answer": "a <b>\n  c\td"})
    assert made["content"]["sections"][0]["questions"][0]["answer"] == "a <b> c d"
    wide = f"a{' ' * 200_000}b"  # quick, however wide
    made = request(client, "treatment_notes", {"name": "Q", "type": "text", "answer": f" \n{wide}\r\n \n c "})
    assert made["content"]["sections"][0]["questions"][0]["answer"] == f"{wide} c"


@pytest.mark.long
@given(st.text(alphabet="ab<>/&\"'= hrefscipt!-\n", max_size=80))
def test_69_what_was_cleaned_stays_as_it_is(html: str) -> None:
    once = sanitised(html)
    assert sanitised(once) == once
    assert nh3.clean(once, tags=set(ALLOWED_TAGS), attributes={"a": {"href"}}, link_rel=None) == once
