"""Values of configuration files as JSON, with what JSON has no form for, such as a date, as text; and their lines."""

from typing import TypeGuard

from cliniko_mcp.errors import JsonValue


def json_of(value: object) -> JsonValue:
    """The value as JSON."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if is_mapping(value):
        return {str(name): json_of(part) for name, part in value.items()}
    if _is_list(value):
        return [json_of(part) for part in value]
    return str(value)


def is_mapping(value: object) -> TypeGuard[dict[object, object]]:
    """Whether it holds names with values."""
    return isinstance(value, dict)


def newline_of(text: str) -> str:
    """How the lines of a text end."""
    return "\r\n" if "\r\n" in text else "\n"


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
