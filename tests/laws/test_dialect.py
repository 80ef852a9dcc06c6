"""Every schema in the one dialect that every host accepts, in every view."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.views import view_of
from tests.laws.dialect import faults
from tests.laws.every import ENTRIES
from tests.laws.violations import assert_none

VIEWS: dict[str, dict[str, Any]] = {
    "core": {},
    "all": {"view": "all"},
    "read-only": {"view": "all", "read_only": True},
    "two resources": {"resources": ("patients", "bookings")},
    "three tools": {"tools": ("get_patient", "update_patient", "delete_patient")},
}


def test_a_schema_is_in_the_dialect_that_every_host_accepts():
    assert_none(f"{entry.name}: {fault}" for entry in ENTRIES for fault in faults(entry.input_schema))


@pytest.mark.long
def test_a_schema_is_valid_json_schema():
    validator = Draft202012Validator(Draft202012Validator.META_SCHEMA)

    assert_none(
        f"{entry.name}: {problem.json_path} {problem.message}"
        for entry in ENTRIES
        for problem in validator.iter_errors(entry.input_schema)
    )


def test_a_view_shows_only_schemas_that_every_host_accepts():
    views = {view: view_of(Settings(**flags)).listed for view, flags in VIEWS.items()}

    assert all(views.values())
    assert_none(
        f"{view}: {name}: {fault}"
        for view, names in views.items()
        for name in names
        for fault in faults(entries()[name].input_schema)
    )


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"type": "object", "properties": {}}, "closed"),
        ({"type": "array"}, "root"),
        (closed(a={"anyOf": []}), "anyOf"),
        (closed(a={"type": ["string", "null"]}), "plain"),
        (closed(a={"type": "array"}), "without items"),
        (closed(**{"a b": {"type": "string"}}), "a b"),
        (closed(a={"type": "string", "enum": ["x", None]}), "None"),
        (closed(a={"type": "integer", "enum": [1, 2]}), "enum says nothing"),
        (closed(a={"type": "integer", "exclusiveMinimum": 0}), "exclusiveMinimum"),
        (closed(a={"type": "array", "items": {"type": "object", "properties": {"b": {"$ref": "#"}}}}), "$ref"),
        (closed(a={"type": "string", "pattern": r"\Ax"}), "JavaScript"),
        (closed() | {"required": ["b"]}, "b is required"),
    ],
)
def test_the_lint_itself_sees_what_hosts_refuse(schema: dict[str, Any], fault: str):
    assert any(fault in found for found in faults(schema))
