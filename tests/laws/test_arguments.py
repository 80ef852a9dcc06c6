"""Arguments of every operation: ids that stay inside the path, filters, schemas that accept what parsing accepts.

Each law is one test over the whole registry, which names every operation that breaks it.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cliniko_mcp.cliniko.operations import Operation, Update
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.tools.schema import display_arguments, properties_of
from cliniko_mcp.tools.tool import operation_schema
from tests.laws.every import OPERATIONS
from tests.laws.samples import (
    ID,
    REFUSED,
    body_samples,
    complaints_about,
    filter_samples,
    needed,
    path_ids,
)

HOSTILE: tuple[object, ...] = (
    "", " ", "1/2", "../1", "1?x=1", "1#", "%2e%2e", "1%2f2", "1 ", "1\n", "1\x00", "-1", "1.0", "1e3", "٣", "１２",
    "²", "0x1", "1" * 21, "archive", "*", "{id}", None, True, 1.0, 10**20, [], ["1"], {}, {"id": "1"}, b"1",
)  # fmt: skip

WITH_IDS = [operation for operation in OPERATIONS if operation.path_ids]


def test_an_id_that_is_not_digits_never_reaches_the_path():
    passed = [
        f"{operation.name}: {name} {hostile!r}"
        for operation in WITH_IDS
        for name in operation.path_ids
        for hostile in HOSTILE
        if name not in complaints_about(operation, {**needed(operation), name: hostile})
    ]

    assert WITH_IDS
    assert passed == []


@pytest.mark.long
@given(st.data(), st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.binary(max_size=8), st.booleans()))
def test_no_id_at_all_changes_the_shape_of_a_path(data: st.DataObject, given_id: object):
    operation = data.draw(st.sampled_from(WITH_IDS))
    name = data.draw(st.sampled_from(operation.path_ids))

    try:
        call = operation.parse({**needed(operation), name: given_id})
    except InvalidArguments as refused:
        fields = refused.details["fields"]
        assert isinstance(fields, dict)
        assert name in fields
        return

    path = call.request().path
    assert path.count("/") == operation.path.count("/")
    assert call.ids[name].isascii()
    assert call.ids[name].isdigit()
    assert len(call.ids[name]) <= 20


def test_a_filter_takes_what_its_family_promises():
    refused = [
        f"{operation.name}: {name} {value!r}"
        for operation in OPERATIONS
        for name, family in operation.filters.items()
        for value in filter_samples(name, family)
        if name in complaints_about(operation, {**path_ids(operation), name: value})
    ]

    assert any(operation.filters for operation in OPERATIONS)
    assert refused == []


def test_a_filter_refuses_what_its_family_does_not_know_and_says_what_it_takes():
    unnamed = [
        f"{operation.name}: {name} {value!r}"
        for operation in OPERATIONS
        for name, family in operation.filters.items()
        for value in REFUSED[family]
        if name not in complaints_about(operation, {**path_ids(operation), name: value}).get(name, "")
    ]

    assert unnamed == []


def test_what_is_needed_alone_is_accepted():
    refused = {
        operation.name: wrong for operation in OPERATIONS if (wrong := complaints_about(operation, needed(operation)))
    }

    assert refused == {}


def test_an_argument_of_no_name_is_refused():
    unknown = "surname_of_the_king"
    accepted = [
        operation.name
        for operation in OPERATIONS
        if unknown not in complaints_about(operation, {**needed(operation), unknown: "x"})
    ]

    assert accepted == []


def test_every_argument_stands_in_the_schema_and_nothing_else_does():
    differing = {
        operation.name: difference
        for operation in OPERATIONS
        if (
            difference := properties_of(operation_schema(operation)).keys()
            ^ {*operation.argument_names, *display_arguments(operation)}
        )
    }

    assert differing == {}


def test_every_field_of_a_body_takes_some_value():
    without = [
        f"{operation.name}: {name}"
        for operation in OPERATIONS
        for name, values in body_samples(operation).items()
        if not values
    ]

    assert without == []


@pytest.mark.long
def test_the_schema_accepts_what_parsing_accepts():
    refused = [f"{operation.name}: {problem}" for operation in OPERATIONS for problem in too_narrow(operation)]

    assert refused == []


def too_narrow(operation: Operation) -> list[str]:
    """What the operation's schema refuses of arguments that parsing accepts, of six that are drawn."""
    validator = Draft202012Validator(operation_schema(operation))
    problems: list[str] = []

    @settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(arguments=arguments_of(operation))
    def look(arguments: dict[str, object]) -> None:
        if not complaints_about(operation, arguments):
            typed: Any = as_typed(operation, arguments)
            problems.extend(problem.message for problem in validator.iter_errors(typed))

    look()
    return problems


def arguments_of(operation: Operation) -> st.SearchStrategy[dict[str, object]]:
    filters = {name: st.sampled_from(filter_samples(name, family)) for name, family in operation.filters.items()}
    body = {name: st.sampled_from(values) for name, values in body_samples(operation).items() if values}
    extra: dict[str, st.SearchStrategy[object]] = {}
    if operation.sortable:
        extra["sort"] = st.sampled_from(["created_at", "id:desc", "created_at:desc,id"])
    if operation.hidden_filters:
        extra["include_archived"] = st.booleans()
    optional = {
        name: strategy for name, strategy in {**filters, **body, **extra}.items() if name not in needed(operation)
    }
    given_arguments = st.fixed_dictionaries(
        {name: st.just(value) for name, value in needed(operation).items()}, optional=optional
    )
    if not isinstance(operation, Update) or not operation.clearable:
        return given_arguments
    return st.tuples(given_arguments, st.lists(st.sampled_from(operation.clearable), unique=True, max_size=2)).map(
        lambda pair: {**pair[0], "clear": [name for name in pair[1] if name not in pair[0]]}
    )


def as_typed(operation: Operation, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments as a host that follows the schema sends them: parsing also takes ids as numbers and 1 for true."""
    properties = properties_of(operation_schema(operation))
    typed = dict(arguments)
    for name, value in arguments.items():
        schema = properties[name]
        if schema.get("type") == "string" and not isinstance(value, str):
            typed[name] = str(value)
        elif schema.get("type") in ("integer", "number") and isinstance(value, str | bool):
            typed[name] = float(value) if isinstance(value, str) and "." in value else int(value)
        elif schema.get("type") == "boolean":
            typed[name] = bool(value)
    return typed


def test_ids_may_also_come_as_whole_numbers():
    other = [
        operation.name
        for operation in WITH_IDS
        if operation.parse({**needed(operation), operation.path_ids[0]: int(ID)}).ids[operation.path_ids[0]] != ID
    ]

    assert other == []
