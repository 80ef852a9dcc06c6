"""Where a host's arguments become ours: the one module that decides what their spellings mean, driven by the schema.

And where wrong ones are explained: with the piece of the schema that they should have followed.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from pydantic import ValidationError
from pydantic_core import from_json

from cliniko_mcp.cliniko.arguments import sort_columns, top_of, wire_names
from cliniko_mcp.cliniko.codes import choice_of
from cliniko_mcp.cliniko.filters import Family
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.results.budget import MAX_ERROR_TOKENS, size, tokens
from cliniko_mcp.tools.schema import Schema, items_of, properties_of, required_of

MAX_ARGUMENT_BYTES: Final = 1_000_000
_FEW: Final = 40
_SHORT_NAME: Final = 100
_SHORT_TEXT: Final = 1_000
"""So few arguments with names and texts so short are far below any limit: JSON has 12 bytes a character at most."""
NOTHING: Final = frozenset({"null", "none", "undefined"})
"""Words that programs write for nothing."""
_EXACT: Final = 2**53
"""From here on a number may have lost digits in a program that keeps numbers as floats."""
_PHRASES: Final = frozenset({"when", "repeat", "visit", "appointment", "allow_clash", "born", "cursor"})
"""Texts of curated tools that are neither names nor free text."""
_PROSE: Final = frozenset(
    {
        *("when", "repeat", "allow_clash", "cursor", "notes", "description", "content", "filename", "path"),
        *("born", "mobile", "home_phone", "work_phone", "email", "case"),
        *("first_name", "last_name", "preferred_first_name"),
    }
)
"""Texts of curated tools in whose place no id may stand."""
_IDS: Final = frozenset({"note"})
"""Words that one tool means as an id and another as text."""
_STEP: Final = re.compile(r"[^.\[\]]+")
"""A step of a path such as `content.sections[0].name`: a name or a number."""
_ENVELOPE_TOKENS: Final = 30
"""Tokens of an error around its message, its advice and its piece of schema."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What of a tool's arguments decides how their spellings are read: the schema, and what it does not tell."""

    schema: Schema
    takes_text: Callable[[str], bool]
    """Whether an argument is a name or free text, in which "null" is a word like any other."""
    filters: Mapping[str, Family] = field(default_factory=dict[str, Family])
    references: frozenset[str] = frozenset()
    """Arguments that are ids, or names in whose place an id may stand: a whole number is such an id."""
    sortable: bool = False
    """Whether `sort` is the order of a list."""
    kept: frozenset[str] = frozenset()
    """Fields of an update: left out they stay as they are, so that what is empty is not the same as what is absent."""


def spelling_of_operation(operation: Operation, schema: Schema) -> Spelling:
    """How the spellings of this operation's arguments are read."""
    models = [model for model in (operation.given_body, operation.query) if model is not None]
    fields = {name: model for model in models for name in wire_names(model)}
    references = {*operation.path_ids, *(name for name in fields if name.endswith(("_id", "_ids")))}
    references |= {name for name, family in operation.filters.items() if family is not Family.FLAG}

    @cache
    def takes_text(name: str) -> bool:
        if name in operation.filters:
            return operation.filters[name] is Family.TEXT
        return name in fields and _accepts_any_word(fields[name], name)

    kept = frozenset(wire_names(operation.given_body)) if operation.shape == "update" else frozenset[str]()
    return Spelling(schema, takes_text, operation.filters, frozenset(references), operation.sortable, kept)


def spelling_of_model(tool: str, schema: Schema) -> Spelling:
    """How the spellings of a curated tool's arguments are read."""
    properties = properties_of(schema)
    phrases = _PHRASES | (_IDS if tool == "write_treatment_note" else frozenset[str]())
    names = frozenset(name for name, about in properties.items() if _is_text(about) or _is_text(items_of(about)))
    return Spelling(schema, (names - phrases).__contains__, references=names - _PROSE)


def plain(arguments: Mapping[str, JsonValue], spelling: Spelling) -> dict[str, JsonValue]:
    """The arguments in their plain spelling; this is the one place that decides what hosts' spellings mean.

    JSON given as text is unwrapped once, 5.0 is 5, one value is a list of one where a list is due, and a whole number
    is text where an id or a name is due. What is optional and empty (null, "", [], and "null", "none" or "undefined"
    where they mean nothing else) is left out; in a field of an update it is null, which the operation refuses, and []
    stays. A choice is read however it is spelt ("No shows" is no_shows), and so is the order of a list ("-starts_at").
    What does not fit is left for validation to refuse.
    """
    properties, required = properties_of(spelling.schema), required_of(spelling.schema)
    found: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        about = properties.get(name)
        if about is None:
            found[name] = value
            continue
        value = _chosen(_read(name, value, about, spelling), about)
        if name == "sort" and spelling.sortable and isinstance(value, str | list):
            value = sort_columns(value) or value
        if name in spelling.kept:
            found[name] = None if _is_blank(value) else value
        elif value is not None and (name in required or not (_is_blank(value) or value == [])):
            found[name] = value
    return found


def _read(name: str, value: JsonValue, about: Schema, spelling: Spelling) -> JsonValue:
    """The value in its plain spelling; null for a word such as "null" that means nothing here."""
    kind = about.get("type")
    value = _unwrapped(value, about, takes_list=spelling.filters.get(name) is Family.NUMBER)
    if isinstance(value, str) and _says_nothing(name, value, about, spelling):
        return value if name in required_of(spelling.schema) else None
    if kind == "array":
        items = items_of(about)
        if value is None or _is_blank(value):
            return value
        values = value if isinstance(value, list) else _one_or_more(name, value, about)
        return [_scalar(name, item, items.get("type"), is_reference="enum" not in items) for item in values]
    is_reference = name in spelling.references
    if isinstance(value, list) and is_reference:  # a filter takes several ids
        return [_scalar(name, item, kind, is_reference=True) for item in value]
    return _scalar(name, value, kind, is_reference=is_reference)


def _unwrapped(value: JsonValue, about: Schema, *, takes_list: bool) -> JsonValue:
    kind = about.get("type")
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    if kind not in ("array", "object") and not takes_list:
        return value
    try:
        parsed: JsonValue = from_json(value, allow_inf_nan=False)
    except ValueError:
        return value
    # An object where a list of objects is due is a list of one, as any value is.
    due = "object" if kind == "object" or items_of(about).get("type") == "object" else ""
    fits = (isinstance(parsed, dict) and due == "object") or (isinstance(parsed, list) and kind != "object")
    return parsed if fits else value


def _one_or_more(name: str, value: JsonValue, about: Schema) -> list[JsonValue]:
    """One value as a list of one; ids, fields and operations, which hold no comma, may be listed with commas."""
    items = items_of(about)
    listed = name.endswith("_ids") or name == "names" or "enum" in items
    if isinstance(value, str) and _is_text(items, or_choice=True):
        return [part.strip() for part in value.split(",") if part.strip()] if listed else [value.strip()]
    return [value]


def _scalar(name: str, value: JsonValue, kind: JsonValue, *, is_reference: bool) -> JsonValue:
    if isinstance(value, str):
        return _from_text(value.strip(), kind, value)
    if isinstance(value, bool) or not isinstance(value, int | float) or kind not in ("integer", "string"):
        return value
    if isinstance(value, float) and not value.is_integer():
        return value
    if kind == "integer":
        return int(value)
    return str(int(value)) if is_reference and abs(value) < _EXACT else value


def _from_text(text: str, kind: JsonValue, otherwise: str) -> JsonValue:
    """The number or truth value that a text stands for where one is due; `otherwise` for any other text."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.casefold(), otherwise)
    if kind not in ("integer", "number"):
        return otherwise
    try:
        number: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError:
        return otherwise
    if isinstance(number, bool) or not isinstance(number, int | float):
        return otherwise
    if kind == "integer" and isinstance(number, float):
        return int(number) if number.is_integer() else otherwise
    return number


def _says_nothing(name: str, text: str, about: Schema, spelling: Spelling) -> bool:
    """Whether this is a word for nothing in a place where neither the schema nor the filters give it a meaning."""
    word = text.strip().casefold()
    if word not in NOTHING or spelling.takes_text(name) or (word == "none" and name in spelling.filters):
        return False
    choices = about.get("enum") or items_of(about).get("enum")
    return not isinstance(choices, list) or word not in [str(choice).casefold() for choice in choices]


def _chosen(value: JsonValue, about: Schema) -> JsonValue:
    """The value with each choice in it, also deep inside, as the schema spells it."""
    match value:
        case str():
            choices = about.get("enum")
            listed = [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, list) else []
            return choice_of(value, listed) or value if listed else value
        case list():
            items = items_of(about)
            return [_chosen(item, items) for item in value] if items else value
        case dict():
            inside = properties_of(about)
            return {name: _chosen(part, inside.get(name, {})) for name, part in value.items()} if inside else value
        case _:
            return value


def _is_blank(value: JsonValue) -> bool:
    return value is None or value == ""


def _is_text(about: Schema, *, or_choice: bool = False) -> bool:
    return about.get("type") == "string" and (or_choice or "enum" not in about)


def _accepts_any_word(model: type[Body], name: str) -> bool:
    """Whether a field takes text of any wording, which only its type tells: an instant is text too."""
    try:
        model.changes().model_validate({name: "null"})
    except ValidationError:
        return False
    return True


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
    room = MAX_ERROR_TOKENS - tokens(problem.message) - tokens(fix) - _ENVELOPE_TOKENS
    about = description if any(f"{top_of(path)} " in description for path in paths) else None
    piece = schema_piece(properties, paths, room)
    details = dict(problem.details)
    if isinstance(field, str) and not isinstance(fields, dict):  # every wrong argument stands in one place
        details["fields"] = {field: problem.message.removesuffix(".").removeprefix(f"{field} ")}
    return InvalidArguments(problem.message, fix, schema=piece, description=about, **details)


def schema_piece(properties: Mapping[str, Schema], paths: Iterable[str], room: int) -> dict[str, JsonValue]:
    """What the schema says of these places in the arguments, in at most `room` tokens.

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
