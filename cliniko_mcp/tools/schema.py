"""Argument schemas in the one portable dialect that every host understands.

Root object, closed and flat; no references, unions, type lists or null; arrays always with items; what is optional is
left out of `required`. One bad schema makes some hosts drop the whole server, so a law holds every schema to this.
"""

from collections.abc import Mapping
from typing import Final, cast

from pydantic import BaseModel

from cliniko_mcp.cliniko.filters import Family
from cliniko_mcp.cliniko.operations import Get, Operation
from cliniko_mcp.errors import JsonValue

Schema = dict[str, JsonValue]

_TEXT: Final[Schema] = {"type": "string"}
_KEPT: Final = ("type", "description", "enum", "pattern", "items", "properties", "required", "maxLength", "minLength")
_LIMITS: Final = ("maxLength", "minimum", "maximum")
_BOUNDS: Final = ("minimum", "maximum", "minItems", "maxItems")
LIST_CONTROLS: Final[Mapping[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1},
    "cursor": {"type": "string"},
}
DETAIL: Final[Mapping[str, Schema]] = {"detail": {"type": "string"}}
FIELDS: Final[Mapping[str, Schema]] = {"fields": {"type": "string"}}


def input_schema(operation: Operation) -> Schema:
    """The schema of an operation's arguments: path ids, filters or body fields side by side, under the API's names."""
    properties: Schema = {name: dict(_TEXT) for name in operation.path_ids}
    required = list(operation.path_ids)
    for name, family in operation.filters.items():
        properties[name] = {"type": "boolean"} if family is Family.FLAG else dict(_TEXT)
    if operation.query is not None:
        asked = model_schema(operation.query)
        properties.update(cast("Schema", asked["properties"]))
        required += cast("list[str]", asked.get("required", []))
    if operation.sortable:
        properties["sort"] = dict(_TEXT)
    if operation.hidden_filters:
        properties["include_archived"] = {"type": "boolean"}
    if operation.body is not None:
        given = model_schema(operation.body)
        properties.update(cast("Schema", given["properties"]))
        if operation.shape == "update":
            required += operation.needed
        else:
            required += cast("list[str]", given.get("required", []))
    if operation.clearable:
        names: list[JsonValue] = list(operation.clearable)
        properties["clear"] = {"type": "array", "items": {"type": "string", "enum": names}}
    properties |= {name: dict(schema) for name, schema in controls(operation).items()}
    return closed(properties, required)


def controls(operation: Operation) -> Mapping[str, Schema]:
    """The arguments that are ours and not the API's: how much of a list, and how its rows are shown.

    `detail` stands only where short rows differ from full ones; on one record `fields` only where it holds secrets.
    """
    record = operation.record
    if operation.listing and record:
        return {**LIST_CONTROLS, **(DETAIL if record.concise else {}), **FIELDS}
    if isinstance(operation, Get) and record and record.secret & record.model_fields.keys():
        return FIELDS
    return {}


def closed(properties: Schema, required: list[str]) -> Schema:
    """An object schema that takes these properties and no others."""
    needed: Schema = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed, "additionalProperties": False}


def model_schema(model: type[BaseModel]) -> Schema:
    """A model's schema in the portable dialect: references written out, unions merged, null and titles dropped."""
    whole = cast("Schema", model.model_json_schema(mode="validation", by_alias=True))
    return _portable(whole, cast("Schema", whole.get("$defs", {})))


def _portable(node: Schema, definitions: Schema, depth: int = 0) -> Schema:
    node = _resolved(node, definitions)
    plain: Schema = {name: node[name] for name in (*_KEPT, *_BOUNDS) if name in node}
    # Inside nested content limits, and deeper what is needed, are left to the error that names the place.
    left_out = (*(_LIMITS if depth > 1 else ()), *(("required",) if depth > 3 else ()))
    plain = {name: value for name, value in plain.items() if name not in left_out}
    if "const" in node:
        plain["enum"] = [node["const"]]
    if "enum" in plain:
        values: list[JsonValue] = [value for value in cast("list[JsonValue]", plain["enum"]) if value is not None]
        # Gemini refuses a whole request for one enum of numbers, so those are chosen as text (fields.Numeral).
        plain |= {"type": "string", "enum": [str(value) for value in values]}
    if "properties" in plain:
        inside = cast("Mapping[str, Schema]", plain["properties"])
        plain["properties"] = {name: _portable(below, definitions, depth + 1) for name, below in inside.items()}
    if plain.get("type") == "array":
        items = cast("Schema", plain.get("items") or dict(_TEXT))
        plain["items"] = _portable(items, definitions, depth + 1) or dict(_TEXT)
    return plain


def _resolved(node: Schema, definitions: Schema) -> Schema:
    if isinstance(reference := node.get("$ref"), str):
        target = cast("Schema", definitions[reference.rsplit("/", 1)[-1]])
        # A model's own docstring speaks to readers of the code; only a field's description speaks to callers.
        inner = {name: value for name, value in _resolved(target, definitions).items() if name != "description"}
        node = {**inner, **_described(node)}
    branches = cast("list[Schema]", node.get("anyOf") or node.get("oneOf") or node.get("allOf") or [])
    real = [_resolved(branch, definitions) for branch in branches if branch.get("type") != "null"]
    if real:
        outer = {name: value for name, value in node.items() if name not in ("anyOf", "oneOf", "allOf")}
        merged = real[0]
        for branch in real[1:]:
            merged = _merged(merged, branch)
        node = {**merged, **outer}
    return node


def _merged(one: Schema, other: Schema) -> Schema:
    """Two branches of a union as one object: the fields of both, and of an enum on both the values of both."""
    properties = dict(cast("Schema", one.get("properties", {})))
    for name, schema in cast("Mapping[str, Schema]", other.get("properties", {})).items():
        mine = cast("Schema", properties.get(name, schema))
        values = [*_choices(mine), *(value for value in _choices(schema) if value not in _choices(mine))]
        properties[name] = {**mine, "enum": values} if values else mine
    theirs = cast("list[str]", other.get("required", []))
    required: list[JsonValue] = [name for name in cast("list[str]", one.get("required", [])) if name in theirs]
    merged: Schema = {**one, "properties": properties, "required": required}
    merged.pop("const", None)
    return {name: value for name, value in merged.items() if value or name == "properties"}


def _choices(schema: Schema) -> list[JsonValue]:
    return [schema["const"]] if "const" in schema else cast("list[JsonValue]", schema.get("enum", []))


def output_schema(operation: Operation) -> Schema:
    """The schema of an operation's answer: the envelope, with every field of the record and none of them promised."""
    envelope: Schema = {"notes": {"type": "array", "items": {"type": "string"}}, "now": dict(_TEXT)}
    envelope["time_zone"] = dict(_TEXT)
    definitions: Schema = {}
    if operation.record is None:
        envelope["done"] = dict(_TEXT)
    else:
        whole = cast("Schema", operation.record.model_json_schema(mode="serialization", by_alias=True))
        definitions = cast("Schema", whole.pop("$defs", {}))
        row = _readable(whole)
        if operation.listing:
            page: Schema = {"returned": {"type": "integer"}, "total": {"type": "integer"}}
            page |= {"complete": {"type": "boolean"}, "next_cursor": dict(_TEXT)}
            envelope["items"] = {"type": "array", "items": row}
            envelope["page"] = {"type": "object", "properties": page}
        else:
            envelope["item"] = row
    found: Schema = {"type": "object", "properties": envelope}
    if definitions:
        found["$defs"] = {name: _readable(cast("Schema", each)) for name, each in definitions.items()}
    return found


def _readable(schema: Schema) -> Schema:
    """A record's schema as results carry it: nothing is required, because nulls are dropped and odd values are kept."""
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    shown: Schema = {name: _loose(each) for name, each in properties.items()}
    return {"type": "object", "properties": shown} if properties else {"type": "object"}


def _loose(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    branches = [each for each in cast("list[Schema]", schema.get("anyOf", [])) if each.get("type") != "null"]
    if len(branches) == 1:
        return {**_loose(branches[0]), **_described(schema)}
    kept: Schema = {}
    if isinstance(schema.get("items"), dict):
        kept["items"] = _loose(cast("Schema", schema["items"]))
    if isinstance(kind := schema.get("type"), str):
        # A value that was not expected is shown as it came, so a type is a hint for readers and never a promise.
        kept["type"] = [kind, "null"] if kind in ("object", "array") else [kind, "string", "null"]
        if kind == "string":
            kept["type"] = ["string", "null"]
    return {**kept, **_described(schema)}


def _described(schema: Schema) -> Schema:
    return {"description": schema["description"]} if "description" in schema else {}
