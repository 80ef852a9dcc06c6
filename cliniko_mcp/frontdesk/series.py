"""Repeats in words, such as "weekly x5": the rule that Cliniko takes and the times that it makes.

Source: cliniko-api.md#appointments.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.shapes.repeats import RepeatRule
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.sanitize import clean

MAX_REPEATS: Final = 51
Unit = Literal["Daily", "Weekly", "Monthly"]
_UNITS: Final[Mapping[str, Unit]] = {"day": "Daily", "week": "Weekly", "month": "Monthly"}
_NAMED: Final[Mapping[str, tuple[Unit, int]]] = {
    "daily": ("Daily", 1),
    "weekly": ("Weekly", 1),
    "fortnightly": ("Weekly", 2),
    "monthly": ("Monthly", 1),
    "every second week": ("Weekly", 2),
    "every other week": ("Weekly", 2),
}
_NUMBERS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10, "twelve": 12}
_PHRASE: Final = re.compile(
    r"(?P<named>daily|weekly|fortnightly|monthly|every (?:second|other) week)"
    r"|every (?:(?P<interval>\d{1,3}|\w+) )?(?P<unit>day|week|month)s?"
)
_COUNT: Final = re.compile(r"[ ,]*(?:for |x ?|× ?)?(?P<count>\d{1,3}|\w+)?(?: ?(?:more|times|x|repeats|more times))?")


class Repeat(NamedTuple):
    """How a booking comes back: every `interval` days, weeks or months, `more` times after the first."""

    kind: Unit
    interval: int
    more: int

    @property
    def rule(self) -> RepeatRule:
        """The rule as Cliniko takes it."""
        return RepeatRule(repeat_type=self.kind, repeating_interval=self.interval, number_of_repeats=self.more)

    def starts(self, first: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The later starts in UTC: the same local time on the later days, the last day of a month that is too short."""
        local = first.astimezone(zone).replace(tzinfo=None)
        for step in range(1, self.more + 1):
            yield _later(local, self.kind, step * self.interval).replace(tzinfo=zone).astimezone(UTC)


def _later(local: datetime, kind: Unit, steps: int) -> datetime:
    if kind != "Monthly":
        return local + timedelta(days=steps * (7 if kind == "Weekly" else 1))
    year, month = divmod(local.year * 12 + local.month - 1 + steps, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def read_repeat(phrase: str) -> Repeat:
    """The repeat that words such as "weekly x5", "every 2 weeks, 3 times" or "fortnightly 4 more" mean.

    Raises InvalidArguments for anything else, and for more repeats than Cliniko makes.
    """
    text = " ".join(clean(phrase, 80).casefold().split())
    head = _PHRASE.match(text)
    tail = _COUNT.fullmatch(text[head.end() :]) if head else None
    count = _number(tail["count"]) if tail else None
    interval = _number(head["interval"] or "1") if head else None
    if head is None or count is None or interval is None:
        raise _refused("was not understood")
    kind, step = _NAMED[head["named"]] if head["named"] else (_UNITS[head["unit"]], interval)
    if not (1 <= count <= MAX_REPEATS and 1 <= step <= 100):
        raise _refused(f"can make 1 to {MAX_REPEATS} more")
    return Repeat(kind, step, count)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else _NUMBERS.get(text or "")


def _refused(problem: str) -> InvalidArguments:
    return InvalidArguments(
        f"repeat {problem}.", 'Say how often and how many more: "weekly x5", "every 2 weeks x3".', field="repeat"
    )
