"""What a person is shown of a field that is lost: structured contents as questions and answers."""

from cliniko_mcp.approvals.losses import amount, as_json, value_words, written
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
