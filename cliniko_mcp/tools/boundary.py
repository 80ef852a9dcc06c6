"""Where a host's arguments become ours: JSON given as text is unwrapped, once, where the schema says so.

And where wrong ones are explained: with the piece of the schema that they should have followed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic_core import from_json

from cliniko_mcp.cliniko.arguments import top_of
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.results.budget import MAX_ERROR_BYTES, size
from cliniko_mcp.tools.schema import Schema, items_of, properties_of

MAX_ARGUMENT_BYTES: Final = 1_000_000
_FEW: Final = 40
_SHORT_NAME: Final = 100
_SHORT_TEXT: Final = 1_000
"""So few arguments with names and texts so short are far below any limit: JSON has 12 bytes a character at most."""
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_STEP: Final = re.compile(r"[^.\[\]]+")
"""A step of a path such as `content.sections[0].name`: a name or a number."""
_ENVELOPE_BYTES: Final = 120
"""Bytes of an error around its message, its advice and its piece of schema."""


def unwrapped(arguments: Mapping[str, JsonValue], schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The arguments with text parsed where an object, array, number or boolean is due, and single values listed.

    Hosts send `"[1, 2]"` for `[1, 2]` and `"true"` for `true`. What does not parse is left for validation to refuse.
    """
    properties = properties_of(schema)
    return {name: _unwrapped(value, properties.get(name, {})) for name, value in arguments.items()}


def _unwrapped(value: JsonValue, schema: Schema) -> JsonValue:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or not isinstance(value, str):
        return value
    try:
        parsed: JsonValue = from_json(value, allow_inf_nan=False)
    except ValueError:
        plain_names = kind == "array" and items_of(schema).get("type") == "string"
        return [part.strip() for part in value.split(",") if part.strip()] if plain_names else value
    fits = isinstance(parsed, _TYPES[kind]) and (kind == "boolean" or not isinstance(parsed, bool))
    return parsed if fits else value


def check_size(arguments: Mapping[str, JsonValue], limit: int = MAX_ARGUMENT_BYTES) -> None:
    """Raise InvalidArguments for arguments of more than `limit` bytes as JSON, at least a megabyte."""
    if len(arguments) <= _FEW and all(_is_short(name, value) for name, value in arguments.items()):
        return
    if len(json.dumps(arguments, default=str)) > limit:
        raise InvalidArguments(
            f"The arguments are larger than {limit // 1_000_000} MB.", "Send less at once; files go by an upload tool."
        )


def _is_short(name: str, value: JsonValue) -> bool:
    if isinstance(value, str):
        return len(name) <= _SHORT_NAME and len(value) <= _SHORT_TEXT
    return len(name) <= _SHORT_NAME and (value is None or isinstance(value, bool | float))


def explained(
    problem: InvalidArguments, name: str, schema: Mapping[str, JsonValue], description: str = ""
) -> InvalidArguments:
    """The error with the piece of schema that the wrong arguments should have followed, so that one repair is enough.

    Where an argument of no such name was given, the advice lists those that `name` takes; and the description comes
    along where it speaks of a wrong one, as of a filter's codes. An error that was explained before, by the operation
    that an executor ran, stays as it is.
    """
    if "schema" in problem.details:
        return problem
    fields, field = problem.details.get("fields"), problem.details.get("field")
    paths = list(fields) if isinstance(fields, dict) else [field] if isinstance(field, str) else []
    properties = properties_of(schema)
    unknown = isinstance(fields, dict) and any(top_of(path) not in properties for path in fields)
    fix = f"{name} takes {', '.join(properties)}." if unknown else problem.fix
    room = MAX_ERROR_BYTES - len(problem.message.encode()) - len(fix.encode()) - _ENVELOPE_BYTES
    about = description if any(f"{top_of(path)} " in description for path in paths) else None
    piece = schema_piece(properties, paths, room)
    return InvalidArguments(problem.message, fix, schema=piece, description=about, **problem.details)


def schema_piece(properties: Mapping[str, Schema], paths: Iterable[str], room: int) -> dict[str, JsonValue]:
    """What the schema says of these places in the arguments, in at most `room` bytes of JSON.

    Whole arguments where they fit; else what stands at each place, its inner parts by type only.
    """
    places = dict(_at(properties, path) for path in paths)
    places.pop("", None)
    whole: dict[str, JsonValue] = {top: properties[top] for top in map(top_of, places)}
    if size(whole) <= room:
        return whole
    piece: dict[str, JsonValue] = {}
    for place, node in places.items():
        short = _outline(node)
        if size({**piece, place: short}) <= room:
            piece[place] = short
    return piece


def _at(properties: Mapping[str, Schema], path: str) -> tuple[str, Schema]:
    """The deepest part of the schema on the way to this place, with its own place: `content.sections[].name`."""
    place = ""
    node: Schema = {"properties": {**properties}}
    for step in _STEP.findall(path):
        inside = properties_of(node)
        if step in inside:
            place, node = f"{place}.{step}" if place else step, inside[step]
        elif step.isdigit() and "items" in node:
            place, node = f"{place}[]", items_of(node)
        else:
            break
    return place, node


def _outline(node: Schema, depth: int = 2) -> Schema:
    if depth == 0:
        return {"type": node.get("type")}
    plain = dict(node)
    if isinstance(items := node.get("items"), dict):
        plain["items"] = _outline(items, depth)
    if "properties" in node:
        plain["properties"] = {name: _outline(inner, depth - 1) for name, inner in properties_of(node).items()}
    return plain
