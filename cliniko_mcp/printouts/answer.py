"""The answer of the tool `report` with its parts typed, and its names and values as people read them."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from pydantic import BaseModel, Field

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.answer_rows import LOCAL_TIME, MONEY, Page
from cliniko_mcp.frontdesk.reports.cohorts import Cohort
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Change, Comparison, Figure
from cliniko_mcp.phrases.dates import day_words
from cliniko_mcp.sanitize import clean

Row = dict[str, JsonValue]

_SPELT: Final = {"pva": "(PVA)", "sms": "SMS", "id": "ID", "ids": "IDs"}
_NAMED: Final = {"made_on": "Channel"}
"""Fields whose name reads as something else."""
_PERIOD: Final = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
_LOCAL_TIME: Final = re.compile(LOCAL_TIME)
_MONEY: Final = re.compile(MONEY)
_ISO: Final = 22
"""Characters of a local time before its weekday: `2026-11-24T09:30+11:00`."""


class ReportAnswer(BaseModel):
    """What the tool answered; `items` holds the rows of every page that was read."""

    kind: str
    when: str
    over: str | None = None
    practitioner: str | None = None
    business: str | None = None
    patient: str | None = None
    definition: str = ""
    summary: dict[str, Figure] = Field(default_factory=dict[str, Figure])
    by: dict[str, Breakdown] = Field(default_factory=dict[str, Breakdown])
    cohorts: list[Cohort] = Field(default_factory=list[Cohort])
    compared: Comparison | None = None
    items: list[Row] = Field(default_factory=list[Row])
    page: Page | None = None
    notes: list[str] = Field(default_factory=list[str])
    now: str
    time_zone: str

    @property
    def title(self) -> str:
        """The name of the report: `No shows`."""
        return words_of(self.kind)

    @property
    def first(self) -> str:
        """The name of the first figure, which the breakdowns are of; that of the report where it has no figures."""
        return words_of(next(iter(self.summary), self.kind))

    @property
    def scope(self) -> list[str]:
        """Of whom, where, when, and how much of that time is over; a line each."""
        who = " at ".join(name for name in (self.practitioner, self.business) if name)
        over = f"Over so far: {self.over}" if self.over else ""
        return [clean(line) for line in (self.patient or "", who, self.when[:1].upper() + self.when[1:], over) if line]

    @property
    def shown(self) -> str:
        """How many of how many rows are shown: `10 of 80`."""
        total = self.page.total if self.page is not None else len(self.items)
        return f"all {total:,}" if total == len(self.items) else f"{len(self.items):,} of {total:,}"

    @property
    def made(self) -> str:
        """The clinic's time at which it was made, in words."""
        return f"{time_words(self.now)} ({self.time_zone})"


def words_of(name: str) -> str:
    """A name of a figure or field as a heading: `New people seen`."""
    if name in _NAMED:
        return _NAMED[name]
    words = " ".join(_SPELT.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def inline_words(name: str) -> str:
    """A name of a field inside a line: `new people seen`, `SMS reminders`."""
    words = words_of(name)
    return words if words[1:2].isupper() else f"{words[:1].lower()}{words[1:]}"


def group_words(name: str) -> str:
    """The name of a group on one line: a week or month as people write it, `23 Nov 2026`, any other name cleaned."""
    if (found := _PERIOD.fullmatch(name)) is None:
        return clean(name)
    year, month, day = found.groups()
    first = date(int(year), int(month), int(day or 1))
    return f"{first.day} {first:%b %Y}" if day else f"{first:%b %Y}"


def number_words(number: float) -> str:
    """A number with its thousands apart and without empty decimals."""
    return f"{number:,.2f}".rstrip("0").rstrip(".") if isinstance(number, float) else f"{number:,}"


def money_words(amount: str) -> str:
    """An amount with its thousands apart: `11,696.80`."""
    whole, _, cents = amount.partition(".")
    return f"{int(whole):,}.{cents}" if int(whole) else amount


def time_words(text: str) -> str:
    """A local time of an answer in words: `Tuesday 24 November 2026, 16:30`."""
    at = datetime.fromisoformat(text[:_ISO])
    return f"{day_words(at.date())}, {at:%H:%M}"


def figure_words(figure: Figure) -> str:
    """A figure on one line: `14 of 202, 6.9%`, or `102, 11,696.80 in all`."""
    count = number_words(figure.count) if figure.count is not None else ""
    if figure.of is not None:
        count += f" of {number_words(figure.of)}"
    if figure.total is not None:
        return f"{money_words(figure.total)} in {count}" if count else money_words(figure.total)
    return ", ".join(part for part in (count, figure.rate) if part)


def change_words(change: Change) -> str:
    """How far a figure is from what it was: `+12, +1.5 points`."""
    parts = [f"{'+' if change.count > 0 else ''}{number_words(change.count)}"] if change.count is not None else []
    if change.points is not None:
        parts.append(f"{change.points:+g} points")
    if change.total is not None:
        parts.append(f"{'' if change.total.startswith('-') else '+'}{money_words(change.total)} in money")
    return ", ".join(parts)


def value_words(value: JsonValue) -> str:
    """A value of a row as people read it, on one line; text that others wrote is cleaned."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number_words(value)
    if isinstance(value, str):
        if _LOCAL_TIME.match(value):
            at = datetime.fromisoformat(value[:_ISO])
            return f"{at:%a} {at.day} {at:%b %Y}, {at:%H:%M}"
        return money_words(value) if _MONEY.match(value) else clean(value)
    if isinstance(value, list):
        return "; ".join(value_words(part) for part in value)
    if value.keys() >= {"count", "of"}:
        return figure_words(Figure.model_validate(value))
    return ", ".join(
        value_words(part) if isinstance(part, str) else _measured(name, part)
        for name, part in value.items()
        if not of_ids(name)
    )


def _measured(name: str, value: JsonValue) -> str:
    """A number of an object with its name, or with its unit: `made 3`, `2.75 hours`."""
    told = value_words(value)
    return f"{told} {'hour' if value == 1 else name}" if name == "hours" else f"{words_of(name).lower()} {told}"


def of_ids(name: str) -> bool:
    """Whether a field holds ids, which are for programs."""
    return name == "id" or name.endswith(("_id", "_ids"))


def columns_of(rows: Iterable[Row]) -> list[str]:
    """The fields of all rows, each where the rows that have it put it; a row leaves out what it does not know."""
    columns: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in columns:
                place = columns.index(name) + 1
            else:
                columns.insert(place, name)
                place += 1
    return columns


def is_numeric(values: Sequence[JsonValue]) -> bool:
    """Whether a column holds numbers and money alone, which stand to the right."""
    known = [value for value in values if value is not None]
    return bool(known) and all(
        (isinstance(value, int | float) and not isinstance(value, bool))
        or (isinstance(value, str) and bool(_MONEY.match(value)))
        for value in known
    )
