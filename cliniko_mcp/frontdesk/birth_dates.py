"""Dates of birth as people write them, read in one way only: what has two readings is asked about."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.sanitize import clean

OLDEST: Final = 125
"""Years that a person may have lived."""
_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_WEEKDAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_LEAST: Final = 3
_ISO: Final = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})")
_NUMBERS: Final = re.compile(r"(?P<one>\d{1,2})(?P<sign>[-/. ])(?P<two>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})")
_DAY_FIRST: Final = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -](?P<month>[a-z]+)[ -](?P<year>\d{4}|\d{2})"
)
_MONTH_FIRST: Final = re.compile(r"(?P<month>[a-z]+) (?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th)? (?P<year>\d{4}|\d{2})")
_APOSTROPHE: Final = re.compile(r"['’‘](\d\d)(?!\d)")
_FILLERS: Final = re.compile(r"^(?:(?:date of birth|d\.?o\.?b\.?|born|b\.)(?: (?:on|is))?[: ]+)?(?:the )?")


def read_birth_date(phrase: str, today: date, *, month_first: bool, field: str = "born") -> date:
    """The day that `1984-05-03`, `3/5/1984` or `3 May 1984` means; numbers are day first unless `month_first`.

    Raises InvalidArguments for anything else, days that do not exist, lie ahead or too far back, a weekday that the day
    is not, and two digits of a year that can mean two years.
    """
    text = " ".join(_APOSTROPHE.sub(r"\1", clean(phrase, 60).casefold().replace(",", " ")).split())
    text = _FILLERS.sub("", text, count=1)
    weekday, text = _weekday(text)
    parts = _parts(text, month_first=month_first)
    if parts is None:
        raise _refused("is not a date of birth that can be read", field)
    year, month, day = parts
    if not 1 <= month <= len(_MONTHS):
        order = f": the {'month' if month_first else 'day'} stands first here"
        raise _refused(f"has no month {month}{'' if _ISO.fullmatch(text) else order}", field)
    days = [
        found for whole in _years(year, today) if (found := _date(whole, month, day)) is not None and found <= today
    ]
    if not days:
        raise _refused("is a day that does not exist, lies ahead or is too long ago", field)
    if len(days) > 1:
        readings = " or ".join(found.isoformat() for found in days)
        raise _refused(f"can be {readings}", field)
    (found,) = days
    if weekday is not None and found.weekday() != weekday:
        raise _refused(
            f"contradicts itself: {found.isoformat()} was a {_WEEKDAYS[found.weekday()].capitalize()}", field
        )
    return found


def _weekday(text: str) -> tuple[int | None, str]:
    word, _, rest = text.partition(" ")
    named = [place for place, name in enumerate(_WEEKDAYS) if len(word) >= _LEAST and name.startswith(word)]
    return (named[0], rest) if named and rest else (None, text)


def _parts(text: str, *, month_first: bool) -> tuple[str, int, int] | None:
    """The year as written, the month and the day; None for what has another form."""
    if match := _ISO.fullmatch(text):
        return match["year"], int(match["month"]), int(match["day"])
    if match := _NUMBERS.fullmatch(text):
        one, two = int(match["one"]), int(match["two"])
        return (match["year"], one, two) if month_first else (match["year"], two, one)
    for pattern in (_DAY_FIRST, _MONTH_FIRST):
        if match := pattern.fullmatch(text):
            word = "sep" if match["month"] == "sept" else match["month"]
            months = [place for place, name in enumerate(_MONTHS, 1) if len(word) >= _LEAST and name.startswith(word)]
            return (match["year"], months[0], int(match["day"])) if months else None
    return None


def _years(written: str, today: date) -> Iterator[int]:
    """Yield the years that this can mean, of which none lies ahead."""
    if len(written) == 4:
        yield from (year for year in (int(written),) if today.year - OLDEST <= year <= today.year)
        return
    century = today.year // 100 * 100
    for start in (century - 100, century):
        if (year := start + int(written)) <= today.year:
            yield year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _refused(problem: str, field: str) -> InvalidArguments:
    return InvalidArguments(
        f"The date of birth {problem}.", "Ask, then give it as 1984-05-03 (year, month, day).", field=field
    )
