"""Random answers of the API: every field of a record with a right value, null, missing, or a value nobody expected."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from cliniko_mcp.cliniko.models import Record

Schema = Mapping[str, Any]

IDS = st.integers(1, 10**19).map(str)
TEXTS = st.sampled_from(
    [
        "",
        "Ana",
        "2026-11-24T04:30:00Z",
        "2026-11-24",
        "85.0",
        "null",
        "\u202eevil",
        "Zoë",
        "x" * 300,
        "<p>a</p>",
        "09:00",
    ]
) | st.text(max_size=12)
LINKS = st.sampled_from(["patients", "practitioners", "settings", "attendees/7/", "..", "%zz", "[::1"]).flatmap(
    lambda noun: IDS.map(lambda number: {"links": {"self": f"https://api.au1.cliniko.com/v1/{noun}/{number}"}})
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    TEXTS,
    LINKS,
    st.lists(st.integers() | TEXTS | LINKS, max_size=2),
    st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2),
)
UNKNOWN = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=8).map("new_{}".format),
    ODD | LINKS,
    max_size=3,
)


@cache
def answers(record: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects as the API might send them for this record, today or after a change."""
    whole = record.model_json_schema(mode="validation", by_alias=True)
    fields = _fields(whole, whole.get("$defs", {}), 0)
    linked = st.dictionaries(st.sampled_from(["patient", "practitioner", "business", "self"]), LINKS, max_size=2)
    return st.builds(lambda *parts: {k: v for part in parts for k, v in part.items()}, linked, UNKNOWN, fields)


def _fields(schema: Schema, definitions: Schema, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    properties = {
        name: _maybe(_value(field, definitions, depth + 1)) for name, field in schema.get("properties", {}).items()
    }
    return st.fixed_dictionaries({}, optional=properties)


def _maybe(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # Mostly right: an answer of nothing but oddities would never show that right values are read well.
    return st.one_of(right, right, right, st.none(), ODD)


def _value(schema: Schema, definitions: Schema, depth: int) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    if branches := schema.get("anyOf"):
        return st.one_of([_value(branch, definitions, depth) for branch in branches])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            return TEXTS | IDS
        case "integer":
            return st.integers(-5, 5000)
        case "number":
            return st.floats(-1e6, 1e6, allow_nan=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array" if depth < 6:
            return st.lists(_value(schema.get("items", {}), definitions, depth + 1), max_size=2)
        case "object" if depth < 6:
            return _fields(schema, definitions, depth)
        case _:
            return ODD
