"""Phrases of time in the filters of lists, as spans in the grammar of filters: "last month", "since Monday".

The phrases are those of the curated tools. Which way a filter faces is decided by what its field holds: what has been
made, changed, cancelled or issued lies back, a start or an expiry on either side of now.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.arguments import refused_arguments
from cliniko_mcp.cliniko.filters import Family, WrongFilter, conditions, operator_and_value
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import JsonValue, NotUnderstood
from cliniko_mcp.frontdesk.patient_phrase import read_phrase
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Facing, OpenWhen, When, parse_when
from cliniko_mcp.sanitize import clean

_EITHER_WAY: Final = frozenset(("starts_at", "ends_at", "expiry_date"))
_BIRTH: Final = "date_of_birth"
_LONGEST: Final = 200
_SIDES: Final = {"": "", "=": "", ">": "after ", ">=": "from ", "<": "before ", "<=": "up to "}
"""What the operators of a filter by time mean, in words before a span."""
_ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T.*)?")
_MOMENT: Final = timedelta(microseconds=1)


def is_time_phrase(operation: Operation, field: str, value: JsonValue) -> bool:
    """Whether this argument is a filter by time whose value the grammar of filters does not read, but may be words."""
    family = operation.filters.get(field)
    if family not in (Family.INSTANT, Family.DATE) or not isinstance(value, str) or not value.strip():
        return False
    operator, text = operator_and_value(value.strip())
    if operator not in _SIDES or len(text) > _LONGEST or text.casefold() in ("any", "none", "all"):
        return False
    try:
        conditions(field, family, value)
    except WrongFilter:
        return any(part and not _ISO.fullmatch(part) for part in (part.strip() for part in text.split("..")))
    return False


async def span_of_phrase(
    clinic: GuardedClinic, operation: Operation, field: str, value: str, site: str | None
) -> tuple[str, str]:
    """The value of a filter in its grammar for a phrase in it, and a sentence of what the phrase was read as.

    Read by the clock of the site, of the key's user where none is named. Raises InvalidArguments, which names the
    field, for what cannot be read or is no single stretch of time.
    """
    family = operation.filters[field]
    operator, text = operator_and_value(value.strip())
    try:
        if field == _BIRTH:
            low, high, meaning = await _birth(clinic, text)
        else:
            low, high, meaning = _read(field, text, clinic.now, await clinic.zone(site))
        return _in_grammar(family, operator, low, high), f"{field}: {_SIDES[operator]}{meaning}."
    except _NoSpan as problem:
        raise _refused(operation, field, value, str(problem)) from None
    except NotUnderstood as problem:
        raise _refused(operation, field, value, problem.message) from None


class _NoSpan(ValueError):
    """A phrase that was read and is no single stretch of time."""


def _in_grammar(family: Family, operator: str, low: datetime | None, high: datetime | None) -> str:
    """A filter's value for what lies in these bounds, or on the side of them that the operator names."""
    if operator in ("<", ">=") and low is None:
        raise _NoSpan("That has no beginning")
    days = family is Family.DATE
    first, last = _day_bounds(low, high) if days else (low and low.isoformat(), high and high.isoformat())
    match operator:
        case "<" | ">=":
            return f"{operator}{first}"
        case ">":
            return f"{'>' if days else '>='}{last}"
        case "<=":
            return f"{'<=' if days else '<'}{last}"
        case _ if first is None:
            return f"{'<=' if days else '<'}{last}"
        case _:
            return f"{first}..{last}" if last else f">={first}"


def _read(field: str, text: str, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None, str]:
    """The bounds of a phrase, or of two with `..` between them, and what they mean in words."""

    def when(phrase: str) -> When | OpenWhen:
        facing = Facing.EITHER if field in _EITHER_WAY else Facing.BACK
        return parse_when(phrase, now=now, zone=zone, facing=facing)

    try:
        whole = when(text)
    except NotUnderstood:
        if ".." not in text:
            raise
    else:
        low, high = _bounds(whole)
        return low, high, whole.description
    first, last = (part.strip() for part in text.split("..", 1))
    start, end = when(first) if first else None, when(last) if last else None
    low = _bounds(start)[0] if start else None
    high = _bounds(end)[1] if end else None
    if low and high and high <= low:
        raise _NoSpan("That ends before it begins")
    meaning = " ".join(
        part
        for part in (
            f"from {start.description}" if start else "",
            f"to the end of {end.description}" if end else "",
        )
        if part
    )
    return low, high, meaning


def _bounds(when: When | OpenWhen) -> tuple[datetime | None, datetime]:
    """Where a phrase begins, None where that is open, and where it ends.

    Raises _NoSpan where only some days or hours in between count.
    """
    if not (when.weekdays or when.times):
        return when.start, when.end
    windows = list(when.windows()) if isinstance(when, When) else []
    if len(windows) != 1:
        raise _NoSpan("That is several stretches of time, and a filter takes one: ask one by one")
    return windows[0]


def _day_bounds(low: datetime | None, high: datetime | None) -> tuple[str | None, str | None]:
    """The first and the last day. Raises _NoSpan where a bound is within a day."""
    if any(bound is not None and (bound.hour or bound.minute) for bound in (low, high)):
        raise _NoSpan("Only whole days count here")
    return low and low.date().isoformat(), high and (high - _MOMENT).date().isoformat()


async def _birth(clinic: GuardedClinic, text: str) -> tuple[datetime | None, datetime | None, str]:
    """The day or the year of a date of birth, as one is said beside a patient's name."""
    phrase = await read_phrase(clinic, clean(f"born {text}", _LONGEST))
    if phrase.name not in ("", "born") or len(phrase.parts) != 1:
        raise NotUnderstood("That is no date of birth.")
    if phrase.day is not None:
        return *_midnights(phrase.day, phrase.day), phrase.day.isoformat()
    if phrase.year is not None:
        return *_midnights(date(phrase.year, 1, 1), date(phrase.year, 12, 31)), f"in {phrase.year}"
    raise NotUnderstood("That is no date of birth.")


def _midnights(first: date, last: date) -> tuple[datetime, datetime]:
    utc = ZoneInfo("UTC")
    start, end = (datetime(day.year, day.month, day.day, tzinfo=utc) for day in (first, last))
    return start, end + timedelta(days=1)


def _refused(operation: Operation, field: str, value: str, problem: str) -> Exception:
    _, text = operator_and_value(value.strip())
    words = "3 March 1984, 1984" if field == _BIRTH else "last month, since Monday"
    wrong = f"“{clean(text, 60)}”: {problem.rstrip('.')}; it takes a day (2026-11-24), a range a..b, or words ({words})"
    return refused_arguments(operation.name, {field: wrong}, operation.argument_names)


def site_of(arguments: Mapping[str, JsonValue]) -> str | None:
    """The one site that a list is asked for, by id; None where it is asked for several or all."""
    site = arguments.get("business_id")
    if isinstance(site, list) and len(site) == 1:
        site = site[0]
    return site.removeprefix("=") if isinstance(site, str) and site.removeprefix("=").isdigit() else None
