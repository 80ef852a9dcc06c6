"""Where a host's arguments become ours: JSON given as text is unwrapped, once, where the schema says so."""

import json
from collections.abc import Mapping
from typing import cast

from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.tools.schema import Schema

MAX_BYTES = 1_000_000
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


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
        parsed: object = json.loads(value, parse_constant=_refused)
    except (ValueError, RecursionError):
        plain_names = kind == "array" and cast("Schema", schema.get("items", {})).get("type") == "string"
        return [part.strip() for part in value.split(",") if part.strip()] if plain_names else value
    fits = isinstance(parsed, _TYPES[kind]) and (kind == "boolean" or not isinstance(parsed, bool))
    return parsed if fits else value


def _refused(constant: str) -> object:
    raise ValueError(constant)


def too_large(arguments: Mapping[str, object] | None, limit: int = MAX_BYTES) -> None:
    """Raise InvalidArguments for arguments of more than a megabyte, which no operation has a use for."""
    if len(json.dumps(arguments or {}, default=str)) > limit:
        raise InvalidArguments(
            f"The arguments are larger than {limit // 1_000_000} MB.", "Send less at once; files go by an upload tool."
        )


def schema_piece(schema: Mapping[str, JsonValue], names: list[str]) -> dict[str, JsonValue]:
    """The part of a schema that is about these top-level arguments, short enough for an error."""
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    piece: dict[str, JsonValue] = {name: properties[name] for name in names if name in properties}
    return piece if len(json.dumps(piece)) <= 700 else {}
