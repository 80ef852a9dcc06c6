"""What else a phrase of time could mean, told beside what was written: the other Friday, the day after midnight."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import read_span
from cliniko_mcp.phrases import day_bounds, local_day
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

_NIGHT_ENDS: Final = 4
"""The hour until which "tomorrow" may mean the day that has begun."""
_FAR: Final = timedelta(days=180)
_FROM_TODAY: Final = re.compile(
    r"\b(today|tonight|tomorrow|tmrw|yesterday|this (?:morning|afternoon|arvo|evening))\b", re.I
)
_DAY_NAMES: Final = r"(mon|tue|wed|thu|fri|sat|sun)(?:s|nes|r|rs|ur)?(?:day)?"
_NEXT: Final = re.compile(rf"\bnext {_DAY_NAMES}\b|\b{_DAY_NAMES} next\b(?! week)", re.I)
_LENGTH: Final = re.compile(r"\b(?:hours?|hrs?|minutes?|mins?)\b", re.I)
_YEAR: Final = re.compile(r"\d{4}|'\d\d|\b(?:year|months?|weeks?|days)\b", re.I)


def second_readings(
    phrase: str, start: datetime, now: datetime, roster: Roster, site: Known[Business], *, of_visit: bool = False
) -> list[str]:
    """Sentences on how a phrase was read where people mean two things by it; `start` is what it was read as.

    `of_visit` says that it was read from a visit that moves, whose day and year stand where none is said.
    """
    zone = roster.zone(site.id)
    today, day = local_day(now, zone), local_day(start, zone)
    found: list[str] = []
    if (word := _FROM_TODAY.search(phrase)) and _may_differ(now, zone, roster.home):
        here = now.astimezone(zone)
        found.append(f"“{word[1]}” counts from {here:%A %-d %B}: it is {here:%H:%M} at {site.name}.")
    ahead = (day - today).days
    if (match := _NEXT.search(phrase)) and ahead >= 7 and day.weekday() == _weekday(match.groups()):
        near = day - timedelta(days=7)
        if near > today and near.isocalendar()[:2] == today.isocalendar()[:2]:
            found.append(f"“{match[0]}” was read as {day:%-d %B}, of next week; this {near:%A} is {near:%-d %B}.")
    if of_visit:
        return found
    if ahead == 7 and _day_as_of(now - timedelta(days=1), phrase, roster, site) == today:
        found.append(f"Today is a {today:%A} too; it was read as the next one, {day:%-d %B}.")
    midnight = day_bounds(today, zone)[0]
    if ahead == 1 and not _LENGTH.search(phrase) and _day_as_of(midnight, phrase, roster, site) == today:
        found.append(f"No day was said, and that time of today is past: it was read as {day:%A %-d %B}.")
    if start - now > _FAR and not _YEAR.search(phrase):
        found.append(f"No year was said: {day:%-d %B %Y} is {ahead} days ahead. Check that it is meant.")
    return found


def _day_as_of(moment: datetime, phrase: str, roster: Roster, site: Known[Business]) -> date | None:
    """The day that a phrase would have meant at another moment; None where it cannot be read alone."""
    with suppress(NotUnderstood):
        return local_day(read_span(phrase, moment, roster, [site]).at(site.id).start, roster.zone(site.id))
    return None


def _may_differ(now: datetime, zone: ZoneInfo, home: ZoneInfo) -> bool:
    """Whether "today" at a site is another day than where the key's user is, or has just begun."""
    return local_day(now, zone) != local_day(now, home) or now.astimezone(zone).hour < _NIGHT_ENDS


def _weekday(names: Sequence[str | None]) -> int:
    short = next(name for name in names if name).casefold()
    return next(place for place, name in enumerate(WEEKDAY_NAMES) if name.casefold().startswith(short))
