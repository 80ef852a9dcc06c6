"""Where a host's arguments become ours: JSON given as text is unwrapped, once, where the schema says so.

And where wrong ones are explained: with the piece of the schema that they should have followed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, cast

from pydantic_core import from_json

from cliniko_mcp.cliniko.arguments import top_of
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.results.envelope import ERROR_BYTES, size
from cliniko_mcp.tools.schema import Schema

MAX_BYTES: Final = 1_000_000
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_STEP: Final = re.compile(r"[^.\[\]]+")
"""A step of a path such as `content.sections[0].name`: a name or a number."""
_AROUND: Final = 120
"""Bytes of an error around its message, its advice and its piece of schema."""


def unwrapped(arguments: Mapping[str, object] | None, schema: Mapping[str, JsonValue]) -> dict[str, object]:
    """The arguments with text parsed where an object, array, number or boolean is due, and single values listed.

    Hosts send `"[1, 2]"` for `[1, 2]` and `"true"` for `true`. What does not parse is left for validation to refuse.
    """
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    return {name: _unwrapped(value, properties.get(name, {})) for name, value in (arguments or {}).items()}


def _unwrapped(value: object, schema: Schema) -> object:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES or not isinstance(value, str):
        return value
    try:
        parsed: object = from_json(value, allow_inf_nan=False)
    except ValueError:
        plain_names = kind == "array" and cast("Schema", schema.get("items", {})).get("type") == "string"
        return [part.strip() for part in value.split(",") if part.strip()] if plain_names else value
    fits = isinstance(parsed, _TYPES[kind]) and (kind == "boolean" or not isinstance(parsed, bool))
    return parsed if fits else value


def too_large(arguments: Mapping[str, object] | None, limit: int = MAX_BYTES) -> None:
    """Raise InvalidArguments for arguments of more than a megabyte, which no operation has a use for."""
    if len(json.dumps(arguments or {}, default=str)) > limit:
        raise InvalidArguments(
            f"The arguments are larger than {limit // 1_000_000} MB.", "Send less at once; files go by an upload tool."
        )


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
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    unknown = isinstance(fields, dict) and any(top_of(path) not in properties for path in fields)
    fix = f"{name} takes {', '.join(properties)}." if unknown else problem.fix
    room = ERROR_BYTES - len(problem.message.encode()) - len(fix.encode()) - _AROUND
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
    place, node = "", cast("Schema", {"properties": properties})
    for step in _STEP.findall(path):
        inside = cast("Mapping[str, Schema]", node.get("properties", {}))
        if step in inside:
            place, node = f"{place}.{step}" if place else step, inside[step]
        elif step.isdigit() and "items" in node:
            place, node = f"{place}[]", cast("Schema", node["items"])
        else:
            break
    return place, node


def _outline(node: Schema, depth: int = 2) -> Schema:
    if depth == 0:
        return {"type": node.get("type")}
    plain = dict(node)
    if isinstance(items := node.get("items"), dict):
        plain["items"] = _outline(items, depth)
    if isinstance(inside := node.get("properties"), dict):
        plain["properties"] = {name: _outline(cast("Schema", each), depth - 1) for name, each in inside.items()}
    return plain
