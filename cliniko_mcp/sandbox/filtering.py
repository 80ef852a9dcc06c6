"""The filter grammar of lists, `q[]=field:OPvalue`, with Cliniko's refusals word for word (cliniko-api.md#filters)."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cliniko_mcp.cliniko.filters import ARRAY, DATE, FLAG, INSTANT, NUMBER, TEXT, Family
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import bad_request

Predicate = Callable[[Row], bool]

OPERATORS: Final[Mapping[Family, tuple[str, ...]]] = {
    NUMBER: ("=", "!=", ">", ">=", "<", "<=", "?", "!?"),
    TEXT: ("=", "!=", "~", "~~", "?", "!?"),
    FLAG: ("=", "!="),
    DATE: ("=", ">", ">=", "<", "<=", "?", "!?"),
    INSTANT: (">", ">=", "<", "<=", "?", "!?", "*"),
    ARRAY: ("~",),
}
_OPERATORS: Final = ("!?", "!=", ">=", "<=", "~~", "?", "*", "=", ">", "<", "~")
_BARE: Final = ("?", "!?", "*")
_UNSET: Final[tuple[object, ...]] = (None, "", [])
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")
_STAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MASK: Final = re.compile(r"[0-9*]{4}-[0-9*]{2}-[0-9*]{2}")

STAMP_GROUPS: Final = (("archived_at", "deleted_at"), ("cancelled_at",))
"""Stamps that hide a row: archiving sets the first two alike, so a filter on either reveals both (choices 9)."""

ALIASES: Final[Mapping[tuple[str, str], str]] = {
    ("attendees", "appointment_id"): "booking_id",
    ("invoices", "invoice_id"): "original_invoice_id",
}
"""Filters whose column has another name in the rows of their table (cliniko-api.md#calendar, #money-and-stock)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One parsed condition of a filter. `value` is in wire form; for a list of numbers, the numbers without spaces."""

    field: str
    operator: str
    value: str
    family: Family

    @property
    def reveals(self) -> tuple[str, ...]:
        """The stamps whose rows this condition shows although they are hidden."""
        return next((group for group in STAMP_GROUPS if self.field in group and self.operator != "!?"), ())


def parse(texts: Iterable[str], allowed: Mapping[str, Family]) -> tuple[Condition, ...]:
    """The conditions in these `q` values. Raises the 400 that Cliniko gives for a wrong one."""
    return tuple(_condition(text, allowed) for text in texts)


def _condition(text: str, allowed: Mapping[str, Family]) -> Condition:
    name, colon, rest = text.partition(":")
    if not colon:
        raise bad_request(f"{text} is not a valid filter")
    family = allowed.get(name)
    if family is None:
        raise bad_request(f"{name} is not filterable")
    sign = next((sign for sign in _OPERATORS if rest.startswith(sign)), None)
    if sign is None or sign not in OPERATORS[family]:
        raise bad_request(f"{text} is not a valid filter")
    value = rest.removeprefix(sign)
    if sign in _BARE:
        if value:
            raise bad_request(f"{text} is not a valid filter")
        return Condition(name, sign, "", family)
    return Condition(name, sign, _checked(name, family, sign, value), family)


def _checked(name: str, family: Family, sign: str, value: str) -> str:
    if family is NUMBER or family is ARRAY:
        numbers = [part.strip() for part in value.split(",")] if sign == "=" else [value.strip()]
        if not all(_INTEGER.fullmatch(number) for number in numbers):
            raise bad_request(f"Filter value for {name} must be a number")
        return ",".join(str(int(number)) for number in numbers)
    if family is INSTANT:
        if not _STAMP.fullmatch(value) or not _exists(value):
            raise bad_request("Timestamp needs to be in UTC format.")
        return value
    if family is DATE and not (_DAY.fullmatch(value) and _exists(value)):
        if sign == "=" and "*" in value and _MASK.fullmatch(value):
            return value
        raise bad_request(f"Filter value for {name} must be a date")
    if family is FLAG and value not in ("true", "false"):
        raise bad_request(f"Filter value for {name} must be true or false")
    return value


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def predicate(condition: Condition, column: str) -> Predicate:
    """A test of one row's `column` for this condition. Null compares with nothing, as in SQL (choices 6)."""
    match condition.operator:
        case "*":
            return lambda row: True
        case "?":
            return lambda row: row.get(column) not in _UNSET
        case "!?":
            return lambda row: row.get(column) in _UNSET
        case _:
            return _TESTS[condition.family](condition, column)


def _number_test(condition: Condition, column: str) -> Predicate:
    if condition.operator == "=":  # ids are stored as text, other numbers as numbers
        numbers = {number for part in condition.value.split(",") for number in (part, int(part))}
        return lambda row: row.get(column) in numbers
    return _comparison(condition.operator, int(condition.value), column, int)


def _comparison(sign: str, bound: object, column: str, read: Callable[[Any], object] | None = None) -> Predicate:
    compare: Callable[[Any, Any], bool] = _COMPARISONS[sign]
    if read is None:
        return lambda row: (value := row.get(column)) is not None and compare(value, bound)
    return lambda row: (value := row.get(column)) is not None and compare(read(value), bound)


def _text_test(condition: Condition, column: str) -> Predicate:
    if condition.operator in ("~", "~~"):
        fits = _like(condition.value if condition.operator == "~~" else f"%{condition.value}%")
        return lambda row: (value := row.get(column)) is not None and fits(_folded(value))
    return _comparison(condition.operator, condition.value.casefold(), column, _folded)


def _like(pattern: str) -> Callable[[str], bool]:
    """A test of folded text in which each `%` of the pattern stands for any text.

    Its parts are searched once, in order, so that no pattern takes long; a regular expression could take forever.
    """
    first, *between = _folded(pattern).split("%")
    last = between.pop() if between else None

    def fits(text: str) -> bool:
        if last is None:
            return text == first
        at, end = len(first), len(text) - len(last)
        if at > end or not (text.startswith(first) and text.endswith(last)):
            return False
        for part in between:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return fits


def _folded(value: object) -> str:
    return str(value).casefold()


def _flag_test(condition: Condition, column: str) -> Predicate:
    expected = (condition.value == "true") is (condition.operator == "=")
    return lambda row: row.get(column) is expected


def _date_test(condition: Condition, column: str) -> Predicate:
    if "*" in condition.value:
        mask = re.compile(condition.value.replace("*", "[0-9]"))
        return lambda row: mask.fullmatch(str(row.get(column))) is not None
    return _comparison(condition.operator, condition.value, column)


def _instant_test(condition: Condition, column: str) -> Predicate:
    if (
        "." in condition.value
    ):  # stored instants are whole seconds, so their text decides against a bound of whole seconds
        return _comparison(condition.operator, datetime.fromisoformat(condition.value), column, datetime.fromisoformat)
    return _comparison(condition.operator, condition.value, column)


def _array_test(condition: Condition, column: str) -> Predicate:
    return lambda row: isinstance(values := row.get(column), list) and condition.value in values


_TESTS: Final[Mapping[Family, Callable[[Condition, str], Predicate]]] = {
    NUMBER: _number_test,
    TEXT: _text_test,
    FLAG: _flag_test,
    DATE: _date_test,
    INSTANT: _instant_test,
    ARRAY: _array_test,
}
