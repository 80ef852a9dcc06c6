"""The filter grammar of lists, `q[]=field:OPvalue`, with Cliniko's refusals word for word (api.md 1.5)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.filters import ARRAY, DATE, FLAG, INSTANT, NUMBER, TEXT, Family
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import bad_request

Predicate = Callable[[Row], bool]
_T = TypeVar("_T", int, str)

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
_INTEGER: Final = re.compile(r"-?[0-9]{1,20}")
_STAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MASK: Final = re.compile(r"[0-9*]{4}-[0-9*]{2}-[0-9*]{2}")

STAMP_GROUPS: Final = (("archived_at", "deleted_at"), ("cancelled_at",))
"""Stamps that hide a row: archiving sets the first two alike, so asking about either lifts both (choices 9)."""

ALIASES: Final[Mapping[tuple[str, str], str]] = {
    ("attendees", "appointment_id"): "booking_id",
    ("invoices", "invoice_id"): "original_invoice_id",
}
"""Filters that go under another name in the rows of their table (api.md 2.3, 2.4)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One understood condition. `value` is in wire form; for a list of numbers, the numbers without spaces."""

    field: str
    operator: str
    value: str
    family: Family

    @property
    def lifts(self) -> tuple[str, ...]:
        """The stamps whose rows this condition lets in again."""
        return next((group for group in STAMP_GROUPS if self.field in group and self.operator != "!?"), ())


def parse(texts: Iterable[str], allowed: Mapping[str, Family]) -> tuple[Wanted, ...]:
    """The conditions that these `q` values stand for. Raises the 400 that Cliniko gives for a wrong one."""
    return tuple(_condition(text, allowed) for text in texts)


def _condition(text: str, allowed: Mapping[str, Family]) -> Wanted:
    name, colon, rest = text.partition(":")
    if not colon:
        raise bad_request(f"{text} is not a valid filter")
    family = allowed.get(name)
    if family is None:
        raise bad_request(f"{name} is not filterable")
    operator = next((each for each in _OPERATORS if rest.startswith(each)), None)
    if operator is None or operator not in OPERATORS[family]:
        raise bad_request(f"{text} is not a valid filter")
    value = rest.removeprefix(operator)
    if operator in _BARE:
        if value:
            raise bad_request(f"{text} is not a valid filter")
        return Wanted(name, operator, "", family)
    return Wanted(name, operator, _checked(name, family, operator, value), family)


def _checked(name: str, family: Family, operator: str, value: str) -> str:
    if family is NUMBER or family is ARRAY:
        numbers = [part.strip() for part in value.split(",")] if operator == "=" else [value.strip()]
        if not all(_INTEGER.fullmatch(number) for number in numbers):
            raise bad_request(f"Filter value for {name} must be a number")
        return ",".join(str(int(number)) for number in numbers)
    if family is INSTANT:
        if not _STAMP.fullmatch(value) or not _exists(value):
            raise bad_request("Timestamp needs to be in UTC format.")
        return value
    if family is DATE and not (_DAY.fullmatch(value) and _exists(value)):
        if operator == "=" and _MASK.fullmatch(value):
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


def predicate(wanted: Wanted, column: str) -> Predicate:
    """A test of one row's `column` for this condition. Null compares with nothing, as in SQL (choices 6)."""
    if wanted.operator == "*":
        return lambda row: True
    if wanted.operator == "?":
        return lambda row: row.get(column) not in (None, "", [])
    if wanted.operator == "!?":
        return lambda row: row.get(column) in (None, "", [])
    test = _TESTS[wanted.family](wanted)
    return lambda row: (value := row.get(column)) is not None and test(value)


def _number_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    if wanted.operator == "=":
        numbers = {int(part) for part in wanted.value.split(",")}
        return lambda value: _whole(value) in numbers
    return _comparison(wanted.operator, int(wanted.value), _whole)


def _whole(value: JsonValue) -> int:
    return int(value) if isinstance(value, int | str) else 0


def _comparison(operator: str, bound: _T, read: Callable[[JsonValue], _T]) -> Callable[[JsonValue], bool]:
    match operator:
        case ">":
            return lambda value: read(value) > bound
        case ">=":
            return lambda value: read(value) >= bound
        case "<":
            return lambda value: read(value) < bound
        case "<=":
            return lambda value: read(value) <= bound
        case "!=":
            return lambda value: read(value) != bound
        case _:
            return lambda value: read(value) == bound


def _text_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    if wanted.operator in ("~", "~~"):
        pattern = wanted.value if wanted.operator == "~~" else f"%{wanted.value}%"
        like = re.compile(".*".join(re.escape(part) for part in pattern.split("%")), re.IGNORECASE | re.DOTALL)
        return lambda value: like.fullmatch(str(value)) is not None
    return _comparison(wanted.operator, wanted.value.casefold(), lambda value: str(value).casefold())


def _flag_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    expected = (wanted.value == "true") is (wanted.operator == "=")
    return lambda value: value is expected


def _date_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    if "*" in wanted.value:
        mask = re.compile(wanted.value.replace("*", "[0-9]"))
        return lambda value: mask.fullmatch(str(value)) is not None
    return _comparison(wanted.operator, wanted.value, str)


def _instant_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    if "." in wanted.value:  # stored instants are whole seconds: a fraction only decides at equality
        bound = datetime.fromisoformat(wanted.value).timestamp()
        return _comparison_of_instants(wanted.operator, bound)
    return _comparison(wanted.operator, wanted.value, str)


def _comparison_of_instants(operator: str, bound: float) -> Callable[[JsonValue], bool]:
    def test(value: JsonValue) -> bool:
        moment = datetime.fromisoformat(str(value)).timestamp()
        return moment > bound if ">" in operator else moment < bound

    return test


def _array_test(wanted: Wanted) -> Callable[[JsonValue], bool]:
    return lambda value: isinstance(value, list) and wanted.value in value


_TESTS: Final[Mapping[Family, Callable[[Wanted], Callable[[JsonValue], bool]]]] = {
    NUMBER: _number_test,
    TEXT: _text_test,
    FLAG: _flag_test,
    DATE: _date_test,
    INSTANT: _instant_test,
    ARRAY: _array_test,
}
