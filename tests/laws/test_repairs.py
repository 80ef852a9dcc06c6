"""One repair is enough: an error about arguments names each, shows what it should be, and costs under 300 tokens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue
from cliniko_mcp.results.budget import size
from cliniko_mcp.results.envelope import error_body
from cliniko_mcp.tools.boundary import explained
from cliniko_mcp.tools.schema import Schema, display_arguments, properties_of, required_of
from cliniko_mcp.tools.tool import operation_schema
from tests.laws.every import OPERATIONS
from tests.laws.samples import needed

MAX_ERROR_TOKENS = 300
OF_ANOTHER_TYPE: dict[str, object] = {
    "string": {"a": 1},
    "integer": "many",
    "number": "many",
    "boolean": "perhaps",
    "array": 7,
    "object": "some text",
}


def told(operation: Operation, arguments: dict[str, object]) -> dict[str, Any]:
    """The error as a model reads it."""
    with pytest.raises(InvalidArguments) as refused:
        operation.parse(arguments)
    body = error_body(explained(refused.value, operation.name, operation_schema(operation)))
    assert size(body) <= MAX_ERROR_TOKENS, operation.name
    assert "…" not in str(body), operation.name
    return body


def arguments_of(operation: Operation) -> dict[str, Schema]:
    return properties_of(operation_schema(operation))


def test_an_argument_of_no_such_name_is_answered_with_all_names_there_are():
    others: list[str] = []
    for operation in OPERATIONS:
        fix = told(operation, {**needed(operation), "surname_of_the_king": "x"})["fix"]
        if fix != f"{operation.name} takes {', '.join(arguments_of(operation))}.":
            others.append(fix)

    assert others == []


@pytest.mark.long
def test_an_argument_of_another_type_is_named_with_its_piece_of_schema():
    unexplained: list[str] = []
    for operation in OPERATIONS:
        for name, schema in arguments_of(operation).items():
            if name in display_arguments(operation):
                continue
            body = told(operation, {**needed(operation), name: OF_ANOTHER_TYPE[str(schema["type"])]})
            place = next(iter(body["schema"])).partition(".")[0].removesuffix("[]")
            if name not in body["message"] or place != name:
                unexplained.append(f"{operation.name}: {name}")

    assert unexplained == []


def test_what_is_left_out_is_named_all_at_once_with_its_schema():
    unnamed: list[str] = []
    for operation in OPERATIONS:
        if not needed(operation):
            continue
        body = told(operation, {})
        for name in needed(operation).keys() & {*required_of(operation_schema(operation))}:
            shown = body["schema"].get(name)
            if f"{name} is needed" not in body["message"] or shown != arguments_of(operation)[name]:
                unnamed.append(f"{operation.name}: {name}")

    assert unnamed == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("create_treatment_note", "Much better"),
        ("create_treatment_note", {"sections": [{"name": "A", "questions": [{"name": "B", "type": "text box"}]}]}),
        ("update_patient_form", {"sections": "all"}),
        ("create_patient_form", {"sections": [{"questions": [{"name": "B", "type": "signature", "options": 3}]}]}),
    ],
)
def test_a_mistake_deep_inside_is_shown_with_what_belongs_there(name: str, content: object):
    operation = next(operation for operation in OPERATIONS if operation.name == name)

    body = told(operation, {**needed(operation), "content": content})

    assert "content" in body["message"]
    assert any(place.startswith("content") for place in body["schema"])


def test_a_piece_that_is_too_large_is_cut_down_to_the_place_and_not_left_out():
    big: dict[str, JsonValue] = {
        f"field_{number}": {"type": "string", "description": "Words that take room. " * 3} for number in range(40)
    }
    schema: Any = {"properties": {"content": {"type": "object", "properties": {"inner": big["field_1"], **big}}}}
    problem = InvalidArguments("It is wrong.", "Mend it.", fields={"content.inner": "is wrong"})

    assert explained(problem, "some_tool", schema).details["schema"] == {"content.inner": big["field_1"]}


def test_an_error_that_was_explained_by_the_operation_is_left_alone_by_the_executor():
    inner: Any = {"properties": {"name": {"type": "string"}}}
    outer: Any = {"properties": {"operation": {"type": "string"}}}
    problem = explained(InvalidArguments("Wrong.", "Mend it.", fields={"nickname": "?"}), "create_tax", inner)

    assert explained(problem, "cliniko_write", outer) is problem
    assert problem.fix == "create_tax takes name."
    assert "schema" not in error_body(problem)


def test_a_long_message_and_advice_are_cut_between_words_and_stay_within_the_limit():
    body = error_body(InvalidArguments("“Zoë” " * 300, "Try “again” " * 300, fields={"a": "b" * 2_000}))

    assert size(body) <= MAX_ERROR_TOKENS
    assert str(body["message"]).endswith(" …")
    assert str(body["fix"]).endswith(" …")
    assert "fields" not in body


@given(st.integers(1, 5), st.integers(1, 60), st.sampled_from(("candidates", "sessions")))
def test_of_what_there_is_to_choose_from_as_many_are_shown_as_fit_and_how_many_are_not(
    number: int, words: int, name: str
) -> None:
    ids = [f"110400000{place:010}" for place in range(number)]
    rows: list[JsonValue] = [{"id": row_id, "name": "Zoë Adair " * words} for row_id in ids]
    details: dict[str, JsonValue] = {name: rows}
    body = error_body(Ambiguous("Several fit.", "Ask which one.", **details))

    assert size(body) <= MAX_ERROR_TOKENS
    shown: Any = body.get(name, [])
    assert [row["id"] for row in shown] == ids[: len(shown)]
    assert body.get("left_out_for_room", 0) == (number - len(shown) if shown else 0)
    assert shown or words > 30
