"""Filters of lists: what a caller writes in an argument <-> Cliniko's `q[]=field:OPvalue` (cliniko-api.md#filters).

A plain value means equals. A prefix `> >= < <= != ~` compares, `a..b` is a range, `a,b,c` a list of numbers; `any`
means is set, `none` means is not set, and `all` on archived_at, deleted_at and cancelled_at shows hidden and live rows
together. Dates and local times are the clinic's: a bare day on an instant means that whole local day, ranges of days
include the last one, ranges of instants leave it out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import Enum
from typing import Final, TypeGuard

from cliniko_mcp.cliniko.codes import code_of
from cliniko_mcp.cliniko.fields import parse_day, parse_moment, utc_text
from cliniko_mcp.cliniko.time_zones import local_instant

HIDDEN: Final = ("archived_at", "deleted_at", "cancelled_at")
_PREFIXES: Final = ("!=", ">=", "<=", "~~", ">", "<", "~", "=")
_WORDS: Final = {"any": "?", "none": "!?", "all": "*"}
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_REVERSED: Final = "is a range that ends before it begins"
_LETTER = re.compile(r"[^\W\d_]")
_MASKED_DAY = re.compile(r"[0-9*]{4}-[0-9*]{2}-[0-9*]{2}")


class Family(Enum):
    """A kind of filter: the value's type and the operators that Cliniko allows on it."""

    NUMBER = ("a number or an id", ("=", "!=", ">", ">=", "<", "<=", "?", "!?"))
    TEXT = ("text", ("=", "!=", "~", "~~", "?", "!?"))
    FLAG = ("true or false", ("=", "!="))
    DATE = ("a date such as 2026-11-24", ("=", ">", ">=", "<", "<=", "?", "!?"))
    INSTANT = ("a day or a time such as 2026-11-24 or 2026-11-24T15:30", ("=", ">", ">=", "<", "<=", "?", "!?", "*"))
    ARRAY = ("an id that the list contains", ("~", "="))

    def __init__(self, meaning: str, operators: tuple[str, ...]) -> None:
        self.meaning = meaning
        self.operators = operators

    @property
    def further(self) -> str:
        """The forms it takes besides one value with an operator, to end a sentence with: `, a range a..b`."""
        spans = ", a range a..b" if ">=" in self.operators else ""
        return f"{spans}, a list a,b,c" if self is Family.NUMBER else spans


NUMBER, TEXT, FLAG, DATE, INSTANT, ARRAY = Family
COMMON: Final[dict[str, Family]] = {"id": NUMBER, "created_at": INSTANT, "updated_at": INSTANT}


class WrongFilter(ValueError):
    """A filter argument that cannot be sent: the text says what is wrong, `takes` what the filter takes."""

    def __init__(self, problem: str, takes: str) -> None:
        super().__init__(problem)
        self.takes = takes


@dataclass(frozen=True, slots=True)
class Condition:
    """One `q[]` value: a field, an operator, and a value that may still be in clinic-local time."""

    field: str
    operator: str
    value: str | datetime = ""

    @property
    def needs_zone(self) -> bool:
        """Whether the value is a local time, whose zone has to be known before it can be sent."""
        return isinstance(self.value, datetime) and self.value.tzinfo is None

    def text(self, zone: tzinfo | None = None) -> str:
        """The wire form `field:OPvalue`; local times are read in `zone`. Raises InvalidArguments without one."""
        if not isinstance(self.value, datetime):
            return f"{self.field}:{self.operator}{self.value}"
        moment = local_instant(self.value, zone) if zone is not None and self.needs_zone else self.value
        return f"{self.field}:{self.operator}{utc_text(moment, zone)}"


@dataclass(frozen=True, slots=True)
class Before:
    """Earlier than this moment or day."""

    bound: date


@dataclass(frozen=True, slots=True)
class After:
    """Later than this moment or day, or an id above this one."""

    bound: date | str


@dataclass(frozen=True, slots=True)
class From:
    """At this moment or day, or later."""

    bound: date


@dataclass(frozen=True, slots=True)
class Between:
    """From `low` on and before `high`: half open, as all intervals here."""

    low: date
    high: date


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these ids: at least one, and at most `MAX_IDS` of them, because longer addresses are refused."""

    ids: Iterable[str]


@dataclass(frozen=True, slots=True)
class Contains:
    """Text that contains this, upper and lower case alike."""

    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """Text of this pattern, in which `%` stands for any text; upper and lower case alike."""

    pattern: str


class Hidden(Enum):
    """On archived_at, deleted_at and cancelled_at: hidden records beside the live ones, or hidden ones alone."""

    INCLUDED = "*"
    ONLY = "?"


class Given(Enum):
    """A field that holds something, or nothing."""

    YES = "?"
    NO = "!?"


MAX_IDS: Final = 95
"""Ids in one filter: with 20 digits each they stay under the 2,000 characters that a filter may have."""
FilterValue = str | bool | int | date | Before | After | From | Between | OneOf | Contains | Like | Hidden | Given
"""What our own code asks of a field; a plain value means equals. A datetime has to be aware."""


def conditions_of(field: str, family: Family, value: FilterValue) -> tuple[Condition, ...]:
    """The conditions that one of our own filter values stands for.

    Raises TypeError for a value that this kind of filter does not take, ValueError for a text that is no id: our own
    mistakes, never a caller's.
    """
    found = tuple(Condition(field, *condition) for condition in _operators_of(field, family, value))
    for condition in found:
        if condition.operator not in family.operators or (condition.operator == "*" and field not in HIDDEN):
            raise TypeError(f"{field} takes {family.meaning}, not {value!r}")
    return found


def _operators_of(field: str, family: Family, value: FilterValue) -> Iterator[tuple[str, str | datetime]]:
    match value:
        case Before(bound):
            yield "<", _bound_of(field, family, bound)
        case After(bound):
            yield ">", _digits(bound) if isinstance(bound, str) else _bound_of(field, family, bound)
        case From(bound):
            yield ">=", _bound_of(field, family, bound)
        case Between(low, high):
            yield ">=", _bound_of(field, family, low)
            yield "<", _bound_of(field, family, high)
        case OneOf():
            yield "=", _list_of(field, family, value)
        case Contains(text):
            yield "~", text
        case Like(pattern):
            yield "~~", pattern
        case Hidden() | Given():
            yield value.value, ""
        case bool() if family is FLAG:
            yield "=", "true" if value else "false"
        case date():
            yield "=", _bound_of(field, family, value)
        case str() | int() if family in (NUMBER, ARRAY) and not isinstance(value, bool):
            yield "~" if family is ARRAY else "=", _digits(str(value))
        case str() if family is TEXT:
            yield "=", value
        case _:
            raise TypeError(f"{field} takes {family.meaning}, not {value!r}")


def _bound_of(field: str, family: Family, bound: date) -> str | datetime:
    if isinstance(bound, datetime):
        if family is not INSTANT or bound.tzinfo is None:
            raise TypeError(f"{field} takes {'a moment with its zone' if family is INSTANT else family.meaning}")
        return bound
    if family is not DATE:
        raise TypeError(f"{field} takes {'a moment with its zone' if family is INSTANT else family.meaning}")
    return bound.isoformat()


def _list_of(field: str, family: Family, value: OneOf) -> str:
    ids = sorted(set(value.ids))
    if family is not NUMBER or not 1 <= len(ids) <= MAX_IDS:
        raise TypeError(f"{field} takes {family.meaning}: 1 to {MAX_IDS} ids for OneOf, not {len(ids)}")
    return ",".join(map(_digits, ids))


def conditions(
    field: str, family: Family, argument: object, words: Mapping[int, str] | None = None
) -> tuple[Condition, ...]:
    """The conditions that one filter argument of a caller stands for. Raises WrongFilter.

    `words` are those for the codes that the field holds, where it holds codes: either is read.
    """
    if isinstance(argument, list):
        if family is not NUMBER:
            raise _refusal(field, family, "takes one value, not a list")
        values: list[object] = [*argument]
        argument = ",".join(map(_written, values))
    text = _written(argument)
    if not text:
        raise _refusal(field, family, "must be text")
    if len(text) > 2000:
        raise _refusal(field, family, "is longer than 2,000 characters")
    if _UNSENDABLE.search(text):
        raise _refusal(field, family, "holds characters that cannot be sent")
    operator = _WORDS.get(text.casefold(), "")
    if operator and (operator != "*" or field in HIDDEN):
        if operator not in family.operators:
            raise _refusal(field, family, f"cannot be {text}")
        return (Condition(field, operator),)
    operator, value = operator_and_value(text)
    if operator and operator not in family.operators:
        raise _refusal(field, family, f"does not know {operator}")
    if not value:
        raise _refusal(field, family, "needs a value")
    try:
        return _READERS[family](field, operator, _codes(value, words) if words else value)
    except ValueError as problem:
        raise _refusal(field, family, str(problem)) from None


def operator_and_value(text: str) -> tuple[str, str]:
    """The operator that a filter's text begins with, or "", and the value that follows."""
    operator = next((prefix for prefix in _PREFIXES if text.startswith(prefix)), "")
    return operator, text.removeprefix(operator).strip()


def is_name(argument: object) -> bool:
    """Whether the value of a filter by id, or one of its values, can only be a name: words, and no range of them."""
    if _is_list(argument):
        return any(map(is_name, argument))
    if not isinstance(argument, str) or _UNSENDABLE.search(argument) or ".." in argument:
        return False
    return argument.strip().casefold() not in _WORDS and _LETTER.search(argument) is not None


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _codes(value: str, words: Mapping[int, str]) -> str:
    """The value with the numbers for the words of codes in it."""
    return ",".join(_code(part.strip(), words) for part in value.split(","))


def _code(part: str, words: Mapping[int, str]) -> str:
    if not _LETTER.search(part):
        return part
    code = code_of(part, words)
    if code is None:
        raise ValueError(f"must be one of {', '.join(words.values())}, or a number")
    return str(code)


def _written(argument: object) -> str:
    # A whole number above 20 digits is no id, and one above 4,300 cannot even be written out.
    match argument:
        case bool():
            return "true" if argument else "false"
        case int() if abs(argument) < 10**20:
            return str(argument)
        case str():
            return argument.strip()
        case _:
            return ""


def _refusal(field: str, family: Family, problem: str) -> WrongFilter:
    operators = " ".join(sign for sign in family.operators if sign not in ("?", "!?", "*"))
    words = [word for word, sign in _WORDS.items() if sign in family.operators and (sign != "*" or field in HIDDEN)]
    also = f", or {' / '.join(words)}" if words else ""
    takes = f"{field} takes {family.meaning}, with one of {operators} before it where needed{family.further}{also}"
    return WrongFilter(problem, takes)


def _number(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    parts = [part.strip() for part in value.split(",")]
    if ".." in value and not operator:
        low, high = (part.strip() for part in value.split("..", 1))
        if low and high and int(_digits(high)) < int(_digits(low)):
            raise ValueError(_REVERSED)
        bounds = ((">=", low), ("<=", high))
        return tuple(Condition(field, sign, _digits(bound)) for sign, bound in bounds if bound) or _nothing()
    if len(parts) > 1 and operator not in ("", "="):
        raise ValueError(f"takes a list only for equals, not after {operator}")
    return (Condition(field, operator or "=", ",".join(map(_digits, parts))),)


def _nothing() -> tuple[Condition, ...]:
    raise ValueError("is a range without ends")


def _digits(part: str) -> str:
    if not _NUMBER.fullmatch(part):
        raise ValueError("must be a whole number")
    return part


def _text(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    return (Condition(field, operator or "=", value),)


def _flag(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    if value.casefold() not in ("true", "false"):
        raise ValueError("must be true or false")
    return (Condition(field, operator or "=", value.casefold()),)


def _date(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    if "*" in value and operator in ("", "=") and _MASKED_DAY.fullmatch(value):
        return (Condition(field, "=", value),)
    if ".." in value and not operator:
        low, high = (part.strip() for part in value.split("..", 1))
        if low and high and parse_day(high) < parse_day(low):
            raise ValueError(_REVERSED)
        bounds = ((">=", low), ("<=", high))
        found = tuple(Condition(field, sign, parse_day(day).isoformat()) for sign, day in bounds if day)
        return found or _nothing()
    return (Condition(field, operator or "=", parse_day(value).isoformat()),)


def _instant(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    if ".." in value and not operator:
        low, high = (part.strip() for part in value.split("..", 1))
        found = (*_bound(field, ">=", low), *_bound(field, "<" if _has_time(high) else "<=", high))
        if _is_empty(found):
            raise ValueError("is a range without time in it: it has to end after it begins")
        return found or _nothing()
    if operator in ("", "="):
        if _has_time(value):
            moment = parse_moment(value)
            return (Condition(field, ">=", moment), Condition(field, "<=", moment))
        return (*_bound(field, ">=", value), *_bound(field, "<=", value))
    return _bound(field, operator, value)


def _is_empty(found: tuple[Condition, ...]) -> bool:
    # A clinic's time and one with an offset can only be compared once the zone is known; Cliniko then finds nothing.
    match [condition.value for condition in found]:
        case [datetime() as low, datetime() as high] if (low.tzinfo is None) == (high.tzinfo is None):
            return high <= low
        case _:
            return False


def _has_time(value: str) -> bool:
    return len(value) > len("2026-11-24")


def _bound(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    if not value:
        return ()
    if _has_time(value):
        return (Condition(field, operator, parse_moment(value)),)
    day = parse_day(value)
    if operator in (">", "<="):  # past the whole day, or up to its end
        day, operator = _next(day), {">": ">=", "<=": "<"}[operator]
    return (Condition(field, operator, datetime.combine(day, time())),)


def _next(day: date) -> date:
    if day == date.max:
        raise ValueError("is the last day there is")
    return day + timedelta(days=1)


def _array(field: str, operator: str, value: str) -> tuple[Condition, ...]:
    return (Condition(field, "~", _digits(value)),)


_READERS: Final = {NUMBER: _number, TEXT: _text, FLAG: _flag, DATE: _date, INSTANT: _instant, ARRAY: _array}
