"""The body of a write: unknown fields are dropped, the rest is validated, errors are in Cliniko's words.

The body models also read what only a person would write (words for codes, local times). The API does not, so such
values are refused here first (cliniko-api.md#values, #writes, #errors).
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
from cliniko_mcp.sandbox.field_types import FieldType, allows_null, field_type, is_code, wire_name
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
"""The field that is needed unless a template supplies it, and the field that names the template.

Source: cliniko-api.md#clinical-records.
"""

_UTC: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_NUMERAL: Final = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*")


def validate(operation: Operation, body: Mapping[str, JsonValue]) -> tuple[Json, dict[str, str]]:
    """The fields of a body that the operation knows, in wire form, and one sentence by field for each that is wrong.

    Where there are sentences, the fields are as they were sent. Raises the 400 Refusal for an instant that is not UTC.
    """
    model = operation.given_body
    if model is None:
        return {}, {}
    names = _wire_names(model)
    known = {name: _without_empty_rule(name, value) for name, value in body.items() if name in names}
    errors = dict(_wire_errors(model, known, _required(operation.body or model)))
    valid = _validated(model, {name: value for name, value in known.items() if name not in errors}, errors)
    for name in operation.needed:
        if known.get(name) in (None, ""):
            errors.setdefault(name, BLANK)
    name, template = _TEMPLATED.get(operation.name, ("", ""))
    if errors and name and not known.get(name) and not known.get(template):
        errors.setdefault(name, BLANK)  # rules say so too, but do not run where something is wrong already
    if valid is None or errors:
        return known, errors
    return _normalised(model, valid.wire()), {}


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


def _without_empty_rule(name: str, value: JsonValue) -> JsonValue:
    # A rule that was read as {} means no rule (cliniko-api.md#values), so it may be written back as it was.
    return None if name == "repeat_rule" and value == {} else value


def _wire_errors(
    model: type[Body], body: Mapping[str, JsonValue], required: frozenset[str]
) -> Iterator[tuple[str, str]]:
    for name, python_name in _wire_names(model).items():
        field = model.model_fields[python_name]
        if name not in body:
            if field.is_required():
                yield name, _absent(field)
            continue
        value = body[name]
        if value is None:
            if name in required or not allows_null(field):
                yield name, _absent(field)
        elif name in required and isinstance(value, str) and not value.strip():
            yield name, BLANK
        elif (problem := _wire_problem(field_type(field), value)) is not None:
            yield name, NOT_LISTED if problem == NOT_NUMBER and is_code(field) else problem


def _absent(field: FieldInfo) -> str:
    # A flag is one of a list of two, and null is not among them (cliniko-api.md#clinical-records, draft).
    return NOT_LISTED if field_type(field) is FieldType.FLAG else BLANK


def _wire_problem(expected: FieldType, value: JsonValue) -> str | None:
    match expected:
        case FieldType.INSTANT:
            if not isinstance(value, str):
                return INVALID
            if not _UTC.fullmatch(value):
                raise bad_request("Timestamp needs to be in UTC format.")
            if not "1000" <= value[:4] < "9999":
                return INVALID  # Python writes earlier years without their zeros, and its calendar ends with the last
        case FieldType.FLAG if not isinstance(value, bool):
            return NOT_LISTED
        case FieldType.WHOLE | FieldType.NUMBER | FieldType.AMOUNT if not _is_numeral(value):
            return NOT_NUMBER
        case FieldType.OBJECT if not isinstance(value, dict):
            return NOT_OBJECT
        case FieldType.TEXT | FieldType.DAY if not isinstance(value, str | int | float) or isinstance(value, bool):
            return INVALID
        case _:
            return None
    return None


def _is_numeral(value: JsonValue) -> bool:
    # What is no text and no flag is left to the model.
    return not isinstance(value, bool) and (not isinstance(value, str) or _NUMERAL.fullmatch(value) is not None)


def _validated(model: type[Body], body: Mapping[str, JsonValue], errors: dict[str, str]) -> Body | None:
    names = _wire_names(model)
    values = {name: _as_text(field_type(model.model_fields[names[name]]), value) for name, value in body.items()}
    for _ in range(20):
        try:
            return model.model_validate(values)
        except ValidationError as refused:
            problems = refused.errors(include_url=False, include_input=False)
            unknown = [problem["loc"] for problem in problems if problem["type"] == "extra_forbidden"]
            values = deepcopy(values)
            if unknown and sum(_drop(values, location) for location in unknown) == len(unknown):
                continue
            for problem in problems:
                name = str(problem["loc"][0]) if problem["loc"] else "base"
                if name not in errors:
                    plain = _sentence(problem)
                    nested = name in content_errors.STRUCTURED
                    errors[name] = content_errors.sentence(problem, plain) if nested else plain
            return None
    raise AssertionError(f"{model.__name__} keeps finding unknown fields")


def _as_text(expected: FieldType, value: JsonValue) -> JsonValue:
    return str(value) if expected is FieldType.TEXT and isinstance(value, int | float) else value


def _drop(values: Mapping[str, Any], location: Sequence[int | str]) -> bool:
    """Whether the value at this location was found and removed; steps that name a member of a union are skipped."""
    holder: Any = values
    for step in location[:-1]:
        if isinstance(holder, list) and isinstance(step, int) and step < len(cast("list[Any]", holder)):
            holder = cast("list[Any]", holder)[step]
        elif isinstance(holder, dict) and step in holder:
            holder = cast("dict[Any, Any]", holder)[step]
    if isinstance(holder, dict) and location[-1] in holder:
        del cast("dict[Any, Any]", holder)[location[-1]]
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
            message = str(context.get("error", ""))
            if message.startswith("is needed"):
                return BLANK
            return NOT_LISTED if message.startswith("must be one of") else INVALID
        case _:
            return INVALID


def _normalised(model: type[Body], wire: Mapping[str, JsonValue]) -> Json:
    names = _wire_names(model)
    amounts = {name for name in wire if field_type(model.model_fields[names[name]]) is FieldType.AMOUNT}
    return {
        name: decimal_text(Decimal(value)) if name in amounts and isinstance(value, str) else value
        for name, value in wire.items()
    }
