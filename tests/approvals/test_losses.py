"""What a person is shown of a field that is lost: structured contents as questions and answers."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cliniko_mcp.approvals.losses import (
    NOTHING_EARLIER,
    Earlier,
    amount,
    as_json,
    changed,
    empties,
    field_words,
    text_to_be,
    text_words,
    value_words,
    written,
)
from cliniko_mcp.cliniko.models import JsonObject
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.shapes.content import RecordedContent
from cliniko_mcp.cliniko.shapes.custom_fields import CustomFieldsRecord
from cliniko_mcp.cliniko.shapes.phones import PhoneNumberRecord
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.sanitize import MAX_CHARACTERS
from tests.guards.gate import call

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


@pytest.mark.parametrize("value", [None, [], "", " ", "<p> </p>"])
def test_a_field_that_is_sent_without_anything_in_it_is_emptied(value: object) -> None:
    assert empties(value)


@pytest.mark.parametrize("value", ["x", " x ", "<p>x</p>", [1], 0, False, {}])
def test_a_field_that_is_sent_with_something_in_it_is_not(value: object) -> None:
    assert not empties(value)


def test_own_fields_without_an_answer_are_empty_also_beside_a_section_that_has_none() -> None:
    unanswered: JsonObject = {"sections": [{"name": "Heading"}, {"token": "s", "fields": [{"token": "f"}]}]}
    assert empties(CustomFieldsRecord.read(unanswered))
    assert not empties(CustomFieldsRecord.read({"sections": [{"name": "Heading"}]}))


def test_a_text_that_fills_a_form_is_shown_whole_and_one_character_more_is_too_long() -> None:
    assert text_to_be(["x" * MAX_CHARACTERS]) == f"“{'x' * MAX_CHARACTERS}”"
    with pytest.raises(InvalidArguments, match="is shown 100,000 at most"):
        text_to_be(["x" * MAX_CHARACTERS, ""])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("referring_doctor_id", "Referring doctor"),
        ("practitioner_ids", "Practitioners"),
        ("patient_ids", "Patients"),
        ("date_of_birth", "Date of birth"),
        ("post_code", "Post code"),
        ("to", "To"),
        ("arrived", "Arrival"),
    ],
)
def test_a_field_is_named_in_plain_words(name: str, words: str) -> None:
    assert field_words(name) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        ("", ""),
        (" ", ""),
        ("Fell", "“Fell”"),
        ("a “b”  c", "“a 'b' c”"),
        (True, "True"),
        (0, "0"),
        (2.5, "2.5"),
        (date(2026, 11, 23), "2026-11-23"),
        (Decimal("12.50"), "12.50"),
        ([], ""),
        (["a", "", "b"], "“a”, “b”"),
        (object(), ""),
    ],
)
def test_what_a_field_holds_is_fit_for_a_sentence(value: object, words: str) -> None:
    assert value_words(value) == words


def test_of_a_long_list_five_are_shown_and_the_others_counted() -> None:
    assert "more" not in value_words([1, 2, 3, 4, 5])
    assert value_words([1, 2, 3, 4, 5, 6, 7]) == value_words([1, 2, 3, 4, 5]) + " and 2 more"


def test_a_telephone_number_is_shown_with_its_kind() -> None:
    numbers: list[Any] = [
        PhoneNumberRecord.read(raw)
        for raw in ({"phone_type": "Mobile", "number": "0491"}, {"number": "08"}, {"phone_type": "Home"})
    ]
    assert value_words(numbers) == "Mobile 0491, 08, Home"
    for length, shown in ((53, 53), (54, 52)):
        phone: list[Any] = [PhoneNumberRecord.read({"phone_type": "Mobile", "number": "1" * length})]
        assert value_words(phone) == f"Mobile {'1' * shown}" + "…" * (shown < length)


def test_a_record_that_is_no_form_is_shown_by_all_that_it_holds() -> None:
    phone = PhoneNumberRecord.read({"phone_type": "Mobile", "number": "0491"})
    assert sorted(value_words(phone).strip("“”").split(" / ")) == ["0491", "Mobile"]
    patient = Patient.read({"first_name": "Ida", "patient_phone_numbers": [{"number": "0491"}, {"number": "08"}]})
    assert sorted(value_words(patient).strip("“”").split(" / ")) == ["0491", "08", "Ida"]


@pytest.mark.parametrize(("length", "counted"), [(200, False), (201, True), (1_500, True)])
def test_a_long_text_is_cut_short_with_its_length_beside_it(length: int, counted: bool) -> None:
    words = text_words("x" * length)
    assert words.endswith(f" ({length:,} characters in all)") is counted
    assert len(words.partition("”")[0]) == 1 + min(length, 200)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("x", "x"),
        (1, 1),
        (False, False),
        (date(2026, 11, 23), "2026-11-23"),
        (Decimal("1.0"), "1.0"),
        ([Decimal(1), None], ["1", None]),
        ({1: Decimal(1)}, {"1": "1"}),
        (None, None),
    ],
)
def test_any_value_is_told_as_json(value: object, found: object) -> None:
    assert as_json(value) == found


def test_what_an_update_sends_is_told_as_json_too() -> None:
    body = call("update_patient", id="3", city="Perth").body
    assert as_json(body) == {"city": "Perth"}
    assert changed(call("update_patient", id="3", city="Perth", clear=["notes"])) == {"city": "Perth", "notes": None}
    assert changed(call("archive_patient", id="3")) == {}


def test_a_plain_text_is_written_as_it_is_and_nothing_is_written_in_nothing() -> None:
    assert list(written("Fell")) == ["Fell"]
    assert list(written(None)) == []


def test_markup_and_white_space_do_not_count() -> None:
    assert amount(["<p>a b</p>", " ", "c"]) == 3
    assert Earlier() == NOTHING_EARLIER == Earlier(frozenset(), 0)
