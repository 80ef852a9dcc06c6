"""The schema subset that Claude, OpenAI function calling and Gemini all accept, as a lint.

OpenAI (function calling, not its strict mode) and Gemini document: an object at the root, one plain type for each
value, enums without null, items on every array, no references and no combinators. Gemini knows neither `const`,
`patternProperties`, `$schema` nor exclusive bounds, and refuses the whole request for an enum of anything but text;
`additionalProperties` is ignored there and harmless. A property's name is at most 64 of [A-Za-z0-9_]. A pattern has to
mean the same to Python and to JavaScript.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
KEYWORDS = {
    "type", "description", "enum", "properties", "required", "items", "additionalProperties", "pattern", "minimum",
    "maximum", "minItems", "maxItems", "minLength", "maxLength",
}  # fmt: skip
BELONGS = {
    "enum": ("string",),
    "pattern": ("string",),
    "minLength": ("string",),
    "maxLength": ("string",),
    "minimum": ("integer", "number"),
    "maximum": ("integer", "number"),
    "items": ("array",),
    "minItems": ("array",),
    "maxItems": ("array",),
    "properties": ("object",),
    "required": ("object",),
}
PROPERTY = re.compile(r"[A-Za-z0-9_]{1,64}")
PYTHON_ONLY = re.compile(r"\\[AZz]|\(\?P|\(\?[aiLmsux]|\(\?#|[*+?}]\+|\\-")
DEEPEST = 8


def faults(schema: Mapping[str, Any], at: str = "input", depth: int = 0) -> Iterator[str]:
    """Yield what some host would refuse, each with the place where it stands."""
    if depth == 0:
        yield from _root_faults(schema)
    kind = schema.get("type")
    for keyword in sorted(schema.keys() - KEYWORDS):
        yield f"{at}: {keyword} is not known everywhere"
    if not isinstance(kind, str) or kind not in TYPES:
        yield f"{at}: type is {kind!r}, which is not one plain type"
        return
    for keyword, kinds in BELONGS.items():
        if keyword in schema and kind not in kinds:
            yield f"{at}: {keyword} says nothing about a value of type {kind}"
    if "description" in schema and not str(schema["description"]).strip():
        yield f"{at}: an empty description"
    yield from _enum_faults(schema, at, kind)
    if "pattern" in schema:
        yield from _pattern_faults(schema["pattern"], at)
    if depth > DEEPEST:
        yield f"{at}: nested more than {DEEPEST} deep"
    if kind == "array":
        if not isinstance(schema.get("items"), Mapping):
            yield f"{at}: an array without items"
        else:
            yield from faults(schema["items"], f"{at}[]", depth + 1)
    if kind == "object":
        yield from _object_faults(schema, at, depth)


def _root_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object" or "properties" not in schema:
        yield "input: the root has to be an object with properties"
    if schema.get("additionalProperties") is not False:
        yield "input: the root has to be closed"


def _enum_faults(schema: Mapping[str, Any], at: str, kind: str) -> Iterator[str]:
    values = schema.get("enum")
    if values is None:
        return
    if not values or len(set(values)) != len(values):
        yield f"{at}: an enum that is empty or repeats itself"
    for value in values:
        if value is None or isinstance(value, bool) or not isinstance(value, TYPES[kind]):
            yield f"{at}: {value!r} in the enum is not of type {kind}"
        if value == "":
            yield f"{at}: an empty text in the enum, which Gemini refuses"


def _pattern_faults(pattern: str, at: str) -> Iterator[str]:
    if PYTHON_ONLY.search(pattern):
        yield f"{at}: the pattern {pattern} means something else in JavaScript"
    re.compile(pattern)


def _object_faults(schema: Mapping[str, Any], at: str, depth: int) -> Iterator[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in properties:
            yield f"{at}: {name} is required and not a property"
    for name, below in properties.items():
        if not PROPERTY.fullmatch(name):
            yield f"{at}: {name!r} is not a name that every host takes"
        yield from faults(below, f"{at}.{name}", depth + 1)
