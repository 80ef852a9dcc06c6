"""The type of a field of a Record or Body in wire form, read from its annotation: how to check, store and sort it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from cliniko_mcp.cliniko.fields import Id, Money


class FieldType(Enum):
    """The types of values in wire form (cliniko-api.md#values)."""

    TEXT = auto()
    FLAG = auto()
    WHOLE = auto()
    NUMBER = auto()
    AMOUNT = auto()
    INSTANT = auto()
    DAY = auto()
    ID = auto()
    IDS = auto()
    LIST = auto()
    OBJECT = auto()

    @property
    def sortable(self) -> bool:
        """Whether a list can be sorted by such a field."""
        return self not in (FieldType.IDS, FieldType.LIST, FieldType.OBJECT)


_ID_MARK = get_args(Id)[1]
_AMOUNT_MARK = get_args(Money)[1]
_BASES: tuple[tuple[type, FieldType], ...] = (
    (bool, FieldType.FLAG),
    (int, FieldType.WHOLE),
    (float, FieldType.NUMBER),
    (Decimal, FieldType.NUMBER),
    (datetime, FieldType.INSTANT),
    (date, FieldType.DAY),
    (str, FieldType.TEXT),
    (list, FieldType.LIST),
    (tuple, FieldType.LIST),
)


def wire_name(name: str, field: FieldInfo) -> str:
    """The name of a field on the wire: its alias, else its own."""
    return field.alias or name


@cache
def field_types(model: type[BaseModel]) -> Mapping[str, FieldType]:
    """The type of every field, by wire name."""
    return {wire_name(name, field): field_type(field) for name, field in model.model_fields.items()}


def field_type(field: FieldInfo) -> FieldType:
    """The type of one field."""
    return _type_of(field.annotation, tuple(field.metadata))


def allows_null(field: FieldInfo) -> bool:
    """Whether null is among the values of a field."""
    return _holds_none(field.annotation)


def is_code(field: FieldInfo) -> bool:
    """Whether a field holds a code, one of a list of whole numbers. A bound on an amount is no list."""
    coded = _is_enumerated(field.annotation) or any(isinstance(mark, AfterValidator) for mark in field.metadata)
    return coded and field_type(field) is FieldType.WHOLE


def _is_enumerated(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Literal:
        return True
    if origin is Annotated:
        return any(isinstance(mark, AfterValidator) for mark in get_args(annotation)[1:])
    if origin is Union or origin is UnionType:
        return any(_is_enumerated(member) for member in get_args(annotation))
    return False


def _holds_none(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _holds_none(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return NoneType in get_args(annotation)
    return annotation is NoneType


def _type_of(annotation: Any, marks: tuple[Any, ...]) -> FieldType:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *more = get_args(annotation)
        return _type_of(base, (*marks, *more))
    if origin is Union or origin is UnionType:
        members = [member for member in get_args(annotation) if member is not NoneType]
        return _type_of(members[0], marks) if len(members) == 1 else FieldType.OBJECT
    if origin is Literal:
        return _type_of(type(get_args(annotation)[0]), marks)
    if _ID_MARK in marks:
        return FieldType.ID
    if _AMOUNT_MARK in marks:
        return FieldType.AMOUNT
    base = origin or annotation
    if base in (list, tuple):
        items = get_args(annotation)
        return FieldType.IDS if items and _type_of(items[0], ()) is FieldType.ID else FieldType.LIST
    if isinstance(base, type):
        return next((found for python, found in _BASES if issubclass(base, python)), FieldType.OBJECT)
    return FieldType.OBJECT
