"""What a person is shown of a field that is lost: structured contents as questions and answers."""

import pytest

from cliniko_mcp.approvals.losses import amount, as_json, empties, value_words, written
from cliniko_mcp.cliniko.models import JsonObject
from cliniko_mcp.cliniko.shapes.content import RecordedContent
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFieldsRecord

FIELDS: JsonObject = {
    "sections": [
        {
            "token": "a1",
            "name": "Life",
            "fields": [
                {
                    "token": "b2",
                    "name": "Sport",
                    "type": "radiobuttons",
                    "options": [{"token": "c3", "name": "Never"}, {"token": "d4", "name": "Weekly", "selected": True}],
                    "other": {"enabled": True},
                }
            ],
        }
    ]
}
FORM: JsonObject = {
    "sections": [
        {
            "questions": [
                {"name": "History", "type": "paragraph", "answer": "<p>Fell</p>"},
                {"name": "Signature", "type": "signature"},
                {"name": "Home", "type": "address", "answer": {"city": "Carlton"}},
            ]
        }
    ]
}


def test_custom_fields_are_shown_as_questions_and_answers_without_tokens() -> None:
    assert value_words(CustomFieldsRecord.read(FIELDS)) == "“Sport: Weekly”"


def test_only_what_somebody_wrote_counts_as_written() -> None:
    content = as_json(RecordedContent.read(FORM))
    assert list(written(content)) == ["Fell", "Carlton"]
    assert amount(written(content)) == 11


@pytest.mark.parametrize("text", ["", " ", ".", "-", "...", "<p>—</p>", "&nbsp;", "\u2800", "_/?"])
def test_text_without_a_letter_or_a_digit_says_nothing(text: str) -> None:
    assert empties(text)


@pytest.mark.parametrize("text", ["0", "x", "无", "<b>7</b>"])
def test_one_letter_or_digit_says_something(text: str) -> None:
    assert not empties(text)
