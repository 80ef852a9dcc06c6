"""Argument schemas in the one portable dialect that every host understands.

Root object, flat, no further properties; no references, unions, type lists or null; arrays always with items; what is
optional is left out of `required`. One bad schema makes some hosts drop the whole server, so a law holds every schema
to this.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from pydantic import BaseModel

from cliniko_mcp.cliniko.filters import Family
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Operation
from cliniko_mcp.cliniko.registry import is_list, listed_by_name, own_lists
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.results.models import AnswerModel, Surroundings

Schema = dict[str, JsonValue]

_TEXT: Final[Schema] = {"type": "string"}
_KEYWORDS: Final = (
    "type", "description", "enum", "pattern", "items", "properties", "required", "maxLength", "minLength",
)  # fmt: skip
_LIMITS: Final = ("maxLength", "minimum", "maximum")
_MAX_WORDS: Final = 6
"""So many words for codes are listed with an argument; of more its operation's description says some."""
_BOUNDS: Final = ("minimum", "maximum", "minItems", "maxItems")
PAGING: Final[Mapping[str, Schema]] = {
    "limit": {"type": "integer", "minimum": 1},
    "cursor": {"type": "string"},
}
DETAIL: Final[Mapping[str, Schema]] = {"detail": {"type": "string"}}
FIELDS: Final[Mapping[str, Schema]] = {"fields": {"type": "string"}}


def properties_of(schema: Mapping[str, JsonValue]) -> dict[str, Schema]:
    """The schemas of an object's properties, by name; empty where it has none."""
    return _by_name(schema.get("properties"))


def required_of(schema: Mapping[str, JsonValue]) -> list[str]:
    """The names of the properties that an object cannot do without; empty where it can do without all."""
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def items_of(schema: Mapping[str, JsonValue]) -> Schema:
    """The schema of an array's items; empty where it says nothing of them."""
    items = schema.get("items")
    return items if isinstance(items, dict) else {}


def _by_name(value: JsonValue) -> dict[str, Schema]:
    if not isinstance(value, dict):
        return {}
    return {name: schema for name, schema in value.items() if isinstance(schema, dict)}


def _branches(schema: Schema) -> list[Schema]:
    """The alternatives of a union; empty for any other schema."""
    found = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    return [branch for branch in found if isinstance(branch, dict)] if isinstance(found, list) else []


def input_schema(operation: Operation) -> Schema:
    """The schema of an operation's arguments: path ids, filters or body fields side by side, under the API's names."""
    properties: dict[str, Schema] = {name: dict(_TEXT) for name in operation.path_ids}
    required = list(operation.path_ids)
    for name, family in operation.filters.items():
        properties[name] = {"type": "boolean"} if family is Family.FLAG else dict(_TEXT)
    if is_list(operation):
        properties |= {name: {**properties[name], "description": words} for name, words in _words(operation)}
    if operation.query is not None:
        query = model_schema(operation.query)
        properties |= properties_of(query)
        required += required_of(query)
    if operation.sortable:
        properties["sort"] = dict(_TEXT)
    if operation.hidden_filters:
        properties["include_archived"] = {"type": "boolean"}
    if operation.body is not None:
        body = model_schema(operation.body)
        properties |= properties_of(body)
        required += operation.needed if operation.shape == "update" else required_of(body)
    if operation.clearable:
        properties["clear"] = {"type": "array", "items": {"type": "string", "enum": [*operation.clearable]}}
    properties |= {name: dict(schema) for name, schema in display_arguments(operation).items()}
    return object_schema(properties, required)


def _words(operation: List[Record]) -> Iterator[tuple[str, str]]:
    """Yield the words that a filter by code takes, by its name."""
    for name in operation.filters:
        words = operation.row.codes.get(name, {})
        if 0 < len(words) <= _MAX_WORDS:
            yield name, ", ".join(words.values())


def takes_names(operation: Operation, name: str) -> List[Record] | None:
    """The list of the records whose names this argument takes, a filter by id or an id in the path of a list."""
    by_id = name in operation.path_ids or operation.filters.get(name) in (Family.NUMBER, Family.ARRAY)
    return listed_by_name(name) if by_id and is_list(operation) else None


def description_of(operation: Operation) -> str:
    """What hosts are told of an operation: its own words, and for a list whether it takes names for ids."""
    named = any(takes_names(operation, name) for name in (*operation.path_ids, *operation.filters))
    return f"{operation.description} Names too." if named else operation.description


def display_arguments(operation: Operation) -> Mapping[str, Schema]:
    """The arguments that are ours and not the API's, by name: how much of a list, and how its rows are shown.

    `detail` stands only where short rows differ from full ones; on one record `fields` only where it holds secrets or
    no list shows it, by which the rest of what was cut could be read.
    """
    record = operation.record
    if operation.listing and record:
        return {**PAGING, **(DETAIL if record.concise else {}), **FIELDS}
    if isinstance(operation, Get) and record:
        alone = not operation.path_ids and not own_lists(operation.resource)
        return FIELDS if alone or record.secret & record.model_fields.keys() else {}
    return {}


def object_schema(properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    """The schema of an object that takes these properties and no others."""
    schema: Schema = {"type": "object", "properties": {**properties}}
    if names := [*required]:
        schema["required"] = [*names]
    schema["additionalProperties"] = False
    return schema


def model_schema(model: type[BaseModel]) -> Schema:
    """A model's schema in the portable dialect: references written out, unions merged, null and titles dropped."""
    return _portable_of(model, "validation")


def _portable_of(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> Schema:
    whole: Schema = model.model_json_schema(mode=mode, by_alias=True)
    return _portable(whole, _by_name(whole.get("$defs")))


def answer_schema(model: type[AnswerModel]) -> Schema:
    """The schema of a curated tool's answer in the portable dialect: its own fields and those that every answer has.

    Objects are closed; one without properties holds values under names that are data, such as a practitioner's.
    """
    schemas = [_portable_of(part, "serialization") for part in (model, Surroundings)]
    properties = {name: field for schema in schemas for name, field in properties_of(schema).items()}
    return _closed(object_schema(properties, [name for schema in schemas for name in required_of(schema)]))


def _closed(schema: Schema) -> Schema:
    """The same with every object closed that has properties."""
    shown = dict(schema)
    if items := items_of(schema):
        shown["items"] = _closed(items)
    if properties := properties_of(schema):
        shown["properties"] = {name: _closed(field) for name, field in properties.items()}
        shown["additionalProperties"] = False
    return shown


def _portable(node: Schema, definitions: Mapping[str, Schema], depth: int = 0) -> Schema:
    node = _resolved(node, definitions)
    plain: Schema = {name: node[name] for name in (*_KEYWORDS, *_BOUNDS) if name in node}
    # Inside nested content limits, and deeper what is needed, are left to the error that names the place.
    left_out = (*(_LIMITS if depth > 1 else ()), *(("required",) if depth > 3 else ()))
    plain = {name: value for name, value in plain.items() if name not in left_out}
    if choices := _choices(node):
        # Gemini refuses a whole request for one enum of numbers, so those are chosen as text (fields.Numeral).
        plain |= {"type": "string", "enum": [str(value) for value in choices if value is not None]}
    if "properties" in plain:
        plain["properties"] = {
            name: _portable(below, definitions, depth + 1) for name, below in properties_of(plain).items()
        }
    if plain.get("type") == "array":
        plain["items"] = _portable(items_of(plain) or dict(_TEXT), definitions, depth + 1) or dict(_TEXT)
    return plain


def _resolved(node: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if isinstance(reference := node.get("$ref"), str):
        target = definitions[reference.rsplit("/", 1)[-1]]
        # A model's own docstring speaks to readers of the code; only a field's description speaks to callers.
        inner = {name: value for name, value in _resolved(target, definitions).items() if name != "description"}
        node = {**inner, **_described(node)}
    real = [_resolved(branch, definitions) for branch in _branches(node) if branch.get("type") != "null"]
    if real:
        outer = {name: value for name, value in node.items() if name not in ("anyOf", "oneOf", "allOf")}
        merged = real[0]
        for branch in real[1:]:
            merged = _merged(merged, branch)
        node = {**merged, **outer}
    return node


def _merged(one: Schema, other: Schema) -> Schema:
    """Two branches of a union as one object: the fields of both, and of an enum on both the values of both."""
    properties = properties_of(one)
    for name, schema in properties_of(other).items():
        known = properties.get(name, schema)
        values = [*_choices(known), *(value for value in _choices(schema) if value not in _choices(known))]
        properties[name] = {**known, "enum": values} if values else known
    required = [name for name in required_of(one) if name in required_of(other)]
    merged: Schema = {**one, "properties": {**properties}, "required": [*required]}
    merged.pop("const", None)
    return {name: value for name, value in merged.items() if value or name == "properties"}


def _choices(schema: Schema) -> list[JsonValue]:
    """The only values that a schema allows; empty where it allows any."""
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else []


def output_schema(operation: Operation) -> Schema:
    """The schema of an operation's answer: the envelope, with every field of the record and none of them promised."""
    envelope: dict[str, Schema] = {"notes": {"type": "array", "items": {"type": "string"}}, "now": dict(_TEXT)}
    envelope["time_zone"] = dict(_TEXT)
    definitions: dict[str, Schema] = {}
    if operation.record is None:
        envelope["done"] = dict(_TEXT)
    else:
        whole: Schema = operation.record.model_json_schema(mode="serialization", by_alias=True)
        definitions = _by_name(whole.pop("$defs", None))
        row = _readable(whole)
        if operation.listing:
            page: dict[str, Schema] = {"returned": {"type": "integer"}, "total": {"type": "integer"}}
            page |= {"complete": {"type": "boolean"}, "next_cursor": dict(_TEXT)}
            envelope["items"] = {"type": "array", "items": row}
            envelope["page"] = {"type": "object", "properties": {**page}}
        else:
            envelope["item"] = row
    found: Schema = {"type": "object", "properties": {**envelope}}
    if definitions:
        found["$defs"] = {name: _readable(schema) for name, schema in definitions.items()}
    return found


def _readable(schema: Schema) -> Schema:
    """A record's schema as results carry it: nothing is required, because nulls are dropped and odd values are kept."""
    shown = {name: _loose(field) for name, field in properties_of(schema).items()}
    return {"type": "object", "properties": {**shown}} if shown else {"type": "object"}


def _loose(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    branches = [branch for branch in _branches(schema) if branch.get("type") != "null"]
    if len(branches) == 1:
        return {**_loose(branches[0]), **_described(schema)}
    kept: Schema = {}
    if isinstance(items := schema.get("items"), dict):
        kept["items"] = _loose(items)
    if isinstance(kind := schema.get("type"), str):
        # A value that was not expected is shown as it came, so a type is a hint for readers and never a promise.
        kept["type"] = [kind, "null"] if kind in ("object", "array") else [kind, "string", "null"]
        if kind == "string":
            kept["type"] = ["string", "null"]
    return {**kept, **_described(schema)}


def _described(schema: Schema) -> Schema:
    return {"description": schema["description"]} if "description" in schema else {}
