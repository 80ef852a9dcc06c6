"""What kind of value a field of a Record or Body holds, read from its annotation: how to check, store and sort it."""

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


class Kind(Enum):
    """The kinds of values in wire form (api.md 1.6)."""

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
        return self not in (Kind.IDS, Kind.LIST, Kind.OBJECT)


_ID_MARK = get_args(Id)[1]
_AMOUNT_MARK = get_args(Money)[1]
_BASES: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.FLAG),
    (int, Kind.WHOLE),
    (float, Kind.NUMBER),
    (Decimal, Kind.NUMBER),
    (datetime, Kind.INSTANT),
    (date, Kind.DAY),
    (str, Kind.TEXT),
    (list, Kind.LIST),
    (tuple, Kind.LIST),
)


def wire_name(name: str, field: FieldInfo) -> str:
    """The name under which a field travels: its alias, else its own."""
    return field.alias or name


@cache
def kinds(model: type[BaseModel]) -> Mapping[str, Kind]:
    """The kind of every field, by wire name."""
    return {wire_name(name, field): kind_of(field) for name, field in model.model_fields.items()}


def kind_of(field: FieldInfo) -> Kind:
    """The kind of one field."""
    return _kind(field.annotation, tuple(field.metadata))


def nullable(field: FieldInfo) -> bool:
    """Whether null is among the values of a field."""
    return _holds_none(field.annotation)


def listed(field: FieldInfo) -> bool:
    """Whether a field holds one of a list of whole numbers: a code. A bound on an amount is no list."""
    coded = _is_listed(field.annotation) or any(isinstance(mark, AfterValidator) for mark in field.metadata)
    return coded and kind_of(field) is Kind.WHOLE


def _is_listed(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Literal:
        return True
    if origin is Annotated:
        return any(isinstance(mark, AfterValidator) for mark in get_args(annotation)[1:])
    if origin is Union or origin is UnionType:
        return any(_is_listed(member) for member in get_args(annotation))
    return False


def _holds_none(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _holds_none(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return NoneType in get_args(annotation)
    return annotation is NoneType


def _kind(annotation: Any, marks: tuple[Any, ...]) -> Kind:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *more = get_args(annotation)
        return _kind(base, (*marks, *more))
    if origin is Union or origin is UnionType:
        members = [each for each in get_args(annotation) if each is not NoneType]
        return _kind(members[0], marks) if len(members) == 1 else Kind.OBJECT
    if origin is Literal:
        return _kind(type(get_args(annotation)[0]), marks)
    if _ID_MARK in marks:
        return Kind.ID
    if _AMOUNT_MARK in marks:
        return Kind.AMOUNT
    base = origin or annotation
    if base in (list, tuple):
        items = get_args(annotation)
        return Kind.IDS if items and _kind(items[0], ()) is Kind.ID else Kind.LIST
    if isinstance(base, type):
        return next((kind for each, kind in _BASES if issubclass(base, each)), Kind.OBJECT)
    return Kind.OBJECT
