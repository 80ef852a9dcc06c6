"""What arrives in a write: unknown fields dropped, the rest held against the body model, refused in Cliniko's words.

The body models also read what only a person would write (words for codes, local times); the wire does not, so such
values are refused here first (api.md 1.6, 1.7, 1.9).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import content_errors
from cliniko_mcp.sandbox.field_types import Kind, kind_of, listed, nullable, wire_name
from cliniko_mcp.sandbox.wire import Json, bad_request

BLANK: Final = "can’t be blank"
INVALID: Final = "is invalid"
NOT_LISTED: Final = "is not included in the list"
NOT_NUMBER: Final = "is not a number"
NOT_OBJECT: Final = "must be an object"

_TEMPLATED: Final[Mapping[str, tuple[str, str]]] = {
    "create_patient_form": ("name", "patient_form_template_id"),
    "create_treatment_note": ("title", "treatment_note_template_id"),
}
"""What is needed unless a template gives it (api.md 2.5)."""

_UTC: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_NUMERAL: Final = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*")


def read(operation: Operation, given: Mapping[str, JsonValue]) -> tuple[Json, dict[str, str]]:
    """The fields that the operation knows, in wire form, and one sentence for each that is wrong.

    Where there are sentences, the fields are as they came. Raises the 400 Refusal for an instant that is not in UTC.
    """
    model = operation.given_body
    if model is None:
        return {}, {}
    known = {name: _meant(name, value) for name, value in given.items() if name in _wire_names(model)}
    errors = dict(_wire_errors(model, known, _required(operation.body or model)))
    body = _validated(model, {name: value for name, value in known.items() if name not in errors}, errors)
    for name in getattr(operation, "needed", ()):
        if known.get(name) in (None, ""):
            errors.setdefault(name, BLANK)
    named, template = _TEMPLATED.get(operation.name, ("", ""))
    if errors and named and not known.get(named) and not known.get(template):
        errors.setdefault(named, BLANK)  # a rule would say so, but rules are not asked where something is wrong already
    if body is None or errors:
        return known, errors
    return _normalised(model, body.wire()), {}


def decimal_text(number: Decimal) -> str:
    """A decimal as Cliniko writes it: no needless zeros, at least one place, never an exponent: `85.0`."""
    text = format(number.normalize(), "f")
    return text if "." in text else f"{text}.0"


@cache
def _wire_names(model: type[Body]) -> Mapping[str, str]:
    return {wire_name(name, field): name for name, field in model.model_fields.items()}


@cache
def _required(model: type[Body]) -> frozenset[str]:
    return frozenset(wire_name(name, field) for name, field in model.model_fields.items() if field.is_required())


def _meant(name: str, value: JsonValue) -> JsonValue:
    # A rule that was read as {} means no rule (api.md 1.6), so it may be written back as it was.
    return None if name == "repeat_rule" and value == {} else value


def _wire_errors(
    model: type[Body], given: Mapping[str, JsonValue], required: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for name, python_name in _wire_names(model).items():
        field = model.model_fields[python_name]
        if name not in given:
            if field.is_required():
                yield name, _absent(field)
            continue
        value = given[name]
        if value is None:
            if name in required or not nullable(field):
                yield name, _absent(field)
        elif name in required and isinstance(value, str) and not value.strip():
            yield name, BLANK
        elif (problem := _wire_problem(kind_of(field), value)) is not None:
            yield name, NOT_LISTED if problem == NOT_NUMBER and listed(field) else problem


def _absent(field: FieldInfo) -> str:
    # A flag is one of a list of two, and nothing is not among them (api.md 2.5, draft).
    return NOT_LISTED if kind_of(field) is Kind.FLAG else BLANK


def _wire_problem(kind: Kind, value: JsonValue) -> str | None:
    match kind:
        case Kind.INSTANT:
            if not isinstance(value, str):
                return INVALID
            if not _UTC.fullmatch(value):
                raise bad_request("Timestamp needs to be in UTC format.")
            if not "1000" <= value[:4] < "9999":
                return INVALID  # Python writes earlier years without their zeros, and its calendar ends with the last
        case Kind.FLAG if not isinstance(value, bool):
            return NOT_LISTED
        case Kind.WHOLE | Kind.NUMBER | Kind.AMOUNT if isinstance(value, bool):
            return NOT_NUMBER
        case Kind.WHOLE | Kind.NUMBER | Kind.AMOUNT if isinstance(value, str) and not _NUMERAL.fullmatch(value):
            return NOT_NUMBER
        case Kind.OBJECT if not isinstance(value, dict):
            return NOT_OBJECT
        case Kind.TEXT | Kind.DAY if not isinstance(value, str | int | float) or isinstance(value, bool):
            return INVALID
        case _:
            return None
    return None


def _validated(model: type[Body], given: Mapping[str, JsonValue], errors: dict[str, str]) -> Body | None:
    values = {
        name: _as_text(kind_of(model.model_fields[_wire_names(model)[name]]), each) for name, each in given.items()
    }
    for _ in range(20):
        try:
            return model.model_validate(values)
        except ValidationError as refused:
            found = refused.errors(include_url=False, include_input=False)
            unknown = [each["loc"] for each in found if each["type"] == "extra_forbidden"]
            values = deepcopy(values)
            if unknown and sum(_dropped(values, place) for place in unknown) == len(unknown):
                continue
            for each in found:
                name = str(each["loc"][0]) if each["loc"] else "base"
                if name not in errors:
                    plain = _sentence(each)
                    errors[name] = content_errors.sentence(each, plain) if name in content_errors.STRUCTURED else plain
            return None
    raise AssertionError(f"{model.__name__} goes on finding unknown fields")


def _as_text(kind: Kind, value: JsonValue) -> JsonValue:
    return str(value) if kind is Kind.TEXT and isinstance(value, int | float) else value


def _dropped(values: Mapping[str, Any], place: Sequence[int | str]) -> bool:
    """Take the value at this place away; steps that only name a member of a union are passed over."""
    holder: Any = values
    for step in place[:-1]:
        if isinstance(holder, list) and isinstance(step, int) and step < len(cast("list[Any]", holder)):
            holder = cast("list[Any]", holder)[step]
        elif isinstance(holder, dict) and step in holder:
            holder = cast("dict[Any, Any]", holder)[step]
    if isinstance(holder, dict) and place[-1] in holder:
        del cast("dict[Any, Any]", holder)[place[-1]]
        return True
    return False


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return BLANK if len(error["loc"]) == 1 else INVALID
        case "string_too_long":
            return f"is too long (maximum is {context['max_length']} characters)"
        case "string_too_short":
            return BLANK
        case "greater_than_equal":
            return f"must be greater than or equal to {context['ge']}"
        case "greater_than":
            return f"must be greater than {context['gt']}"
        case "less_than_equal":
            return f"must be less than or equal to {context['le']}"
        case "less_than":
            return f"must be less than {context['lt']}"
        case "literal_error" | "enum":
            return NOT_LISTED
        case "int_from_float":
            return "must be an integer"
        case "int_parsing" | "float_parsing" | "decimal_parsing" | "int_type" | "float_type":
            return NOT_NUMBER
        case "bool_parsing" | "bool_type":
            return NOT_LISTED
        case "model_type" | "dict_type" | "model_attributes_type":
            return NOT_OBJECT
        case "value_error":
            told = str(context.get("error", ""))
            if told.startswith("is needed"):
                return BLANK
            return NOT_LISTED if told.startswith("must be one of") else INVALID
        case _:
            return INVALID


def _normalised(model: type[Body], wire: Mapping[str, JsonValue]) -> Json:
    names = _wire_names(model)
    amounts = {name for name in wire if kind_of(model.model_fields[names[name]]) is Kind.AMOUNT}
    return {
        name: decimal_text(Decimal(value)) if name in amounts and isinstance(value, str) else value
        for name, value in wire.items()
    }
