"""What else a phrase of time could mean, told beside what was written: the other Friday, the day after midnight."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.phrases import local_day
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

_NIGHT_ENDS: Final = 4
"""The hour until which "tomorrow" may mean the day that has begun."""
_FAR: Final = timedelta(days=180)
_FROM_TODAY: Final = re.compile(
    r"\b(today|tonight|tomorrow|tmrw|yesterday|this (?:morning|afternoon|arvo|evening))\b", re.I
)
_DAY_NAMES: Final = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_NEXT: Final = re.compile(rf"\bnext {_DAY_NAMES}\b|\b{_DAY_NAMES} next\b(?! week)", re.I)
_YEAR: Final = re.compile(r"\d{4}|'\d\d|\b(?:year|months?|weeks?|days)\b", re.I)


def second_readings(phrase: str, start: datetime, now: datetime, roster: Roster, site: Known[Business]) -> list[str]:
    """Sentences on how a phrase was read where people mean two things by it; `start` is what it was read as."""
    zone = roster.zone(site.id)
    today, day = local_day(now, zone), local_day(start, zone)
    found: list[str] = []
    if (word := _FROM_TODAY.search(phrase)) and _may_differ(now, zone, roster.home):
        here = now.astimezone(zone)
        found.append(f"“{word[1]}” counts from {here:%A %-d %B}: it is {here:%H:%M} at {site.name}.")
    if (match := _NEXT.search(phrase)) and (day - today).days >= 7 and day.weekday() == _weekday(match.groups()):
        near = day - timedelta(days=7)
        if near > today and near.isocalendar()[:2] == today.isocalendar()[:2]:
            found.append(f"“{match[0]}” was read as {day:%-d %B}, of next week; this {near:%A} is {near:%-d %B}.")
    if start - now > _FAR and not _YEAR.search(phrase):
        found.append(f"No year was said: {day:%-d %B %Y} is {(day - today).days} days ahead. Check that it is meant.")
    return found


def _may_differ(now: datetime, zone: ZoneInfo, home: ZoneInfo) -> bool:
    """Whether "today" at a site is another day than where the key's user is, or has just begun."""
    return local_day(now, zone) != local_day(now, home) or now.astimezone(zone).hour < _NIGHT_ENDS


def _weekday(names: Sequence[str | None]) -> int:
    short = next(name for name in names if name).casefold()
    return next(place for place, name in enumerate(WEEKDAY_NAMES) if name.casefold().startswith(short))
