"""The first and last day that a manager means by a phrase, by another way than the package's: from today alone."""

from collections.abc import Callable
from datetime import date

from .recount import DAY

Days = tuple[date, date]


def _quarter(today: date) -> date:
    return date(today.year, (today.month - 1) // 3 * 3 + 1, 1)


def _month(today: date) -> date:
    return today.replace(day=1)


def _months_ago(today: date, months: int) -> date:
    """The same day so many months earlier, or the last of its month where that is shorter."""
    month = date(today.year - (months - today.month + 12) // 12, (today.month - 1 - months) % 12 + 1, 1)
    last = (month.replace(day=28) + 4 * DAY).replace(day=1) - DAY
    return min(month.replace(day=min(today.day, 28)) + (max(today.day, 28) - 28) * DAY, last)


def _monday(today: date) -> date:
    return today - today.weekday() * DAY


def _latest(today: date, month: int) -> Days:
    """The latest month of this number that has begun, until today."""
    first = date(today.year - (month > today.month), month, 1)
    return first, min((first.replace(day=28) + 4 * DAY).replace(day=1) - DAY, today)


DAYS: dict[str, Callable[[date], Days]] = {
    "today": lambda today: (today, today),
    "yesterday": lambda today: (today - DAY, today - DAY),
    "this week": lambda today: (_monday(today), today),
    "last week": lambda today: (_monday(today) - 7 * DAY, _monday(today) - DAY),
    "the past week": lambda today: (today - 7 * DAY, today - DAY),
    "last 2 full weeks": lambda today: (_monday(today) - 14 * DAY, _monday(today) - DAY),
    "last 30 days": lambda today: (today - 30 * DAY, today - DAY),
    "last 90 days": lambda today: (today - 90 * DAY, today - DAY),
    "last 12 weeks": lambda today: (today - 84 * DAY, today - DAY),
    "this month": lambda today: (_month(today), today),
    "last month": lambda today: (_month(_month(today) - DAY), _month(today) - DAY),
    "October": lambda today: _latest(today, 10),
    "this quarter": lambda today: (_quarter(today), today),
    "last quarter": lambda today: (_quarter(_quarter(today) - DAY), _quarter(today) - DAY),
    "this year": lambda today: (date(today.year, 1, 1), today),
    "last year": lambda today: (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    "more than 3 months ago": lambda today: (date.min, _months_ago(today, 3)),
    "more than 6 months ago": lambda today: (date.min, _months_ago(today, 6)),
    "more than 12 months ago": lambda today: (date.min, _months_ago(today, 12)),
    "the next 7 days": lambda today: (today, today + 6 * DAY),
    "all time": lambda _: (date.min, date.max),
}
"""By the phrase; "all time" stands for a report without one."""
