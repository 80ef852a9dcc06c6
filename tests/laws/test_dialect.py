"""Every schema in the one dialect that every host accepts, in every view."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.views import view_of
from tests.laws.dialect import faults
from tests.laws.every import every_tool

VIEWS: dict[str, dict[str, Any]] = {
    "core": {},
    "all": {"view": "all"},
    "read-only": {"view": "all", "read_only": True},
    "two resources": {"resources": ("patients", "bookings")},
    "three tools": {"tools": ("get_patient", "update_patient", "delete_patient")},
}


@every_tool
def test_a_schema_is_in_the_dialect_that_every_host_accepts(entry: Entry):
    assert list(faults(entry.input_schema)) == []


@every_tool
def test_a_schema_is_valid_json_schema(entry: Entry):
    Draft202012Validator.check_schema(entry.input_schema)


@pytest.mark.parametrize("flags", VIEWS.values(), ids=VIEWS)
def test_a_view_shows_only_schemas_that_every_host_accepts(flags: dict[str, Any]):
    listed = view_of(Settings(**flags)).listed

    assert listed
    assert not [fault for name in listed for fault in faults(entries()[name].input_schema)]


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
    assert any(fault in each for each in faults(schema))
