"""The time of a report: days of one calendar, how much of them is over, and the same span before."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports.beginnings import Beginning
from cliniko_mcp.frontdesk.roster import Known, Roster, name_text
from cliniko_mcp.frontdesk.spans import OpenSpan, Span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import Facing, OpenWhen, When, day_bounds, local_day, parse_when
from cliniko_mcp.phrases.format import describe
from cliniko_mcp.sanitize import counted

MAX_SPAN: Final = timedelta(days=800)
Earlier = Literal["previous", "last_year"]

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_MONTHS: Final = 12


def read_time(
    phrase: str, now: datetime, roster: Roster, site: Known[Business] | None, facing: Facing
) -> Span | OpenSpan:
    """The days that a phrase names, by the calendar of the site named, else of the home site: at every site these days.

    A visit belongs to the local day of its own site. Raises NotUnderstood for what cannot be read, and for a span that
    is still to come where the report looks back.
    """
    sites = [site] if site else roster.sites
    country = name_text(sites[0].record.country_code) if sites else ""
    zone = roster.zone(site.id) if site else roster.home
    when = parse_when(phrase, now=now, zone=zone, country=country or None, facing=facing)
    return _everywhere(when, roster, site)


def _everywhere(when: When | OpenWhen, roster: Roster, site: Known[Business] | None) -> Span | OpenSpan:
    sites = [site] if site else list(roster.businesses.values())
    names = {one.id: one.name for one in sites}
    if isinstance(when, OpenWhen):
        return OpenSpan({key: replace(when, end=_there(when.end, roster.zone(key))) for key in names}, when, names)
    return Span({key: _at(when, roster.zone(key)) for key in names}, when, names)


def _at(when: When, zone: ZoneInfo) -> When:
    return replace(when, start=_there(when.start, zone), end=_there(when.end, zone))


def _there(moment: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the same day in this zone; a moment within a day is the same moment everywhere."""
    begins = day_bounds(moment.date(), moment.tzinfo)[0] if isinstance(moment.tzinfo, ZoneInfo) else None
    return day_bounds(moment.date(), zone)[0] if moment == begins else moment.astimezone(zone)


async def closed(span: Span | OpenSpan, clinic: GuardedClinic, begins: Sequence[Beginning]) -> Span:
    """The span, where it has no start from the earliest of these beginnings on: one request each then.

    Raises NotUnderstood where it is longer than `MAX_SPAN`.
    """
    if isinstance(span, OpenSpan):
        firsts = await run_concurrently(*(partial(first, clinic) for first in begins))
        span = span.since(min([span.end, *(first for first in firsts if first is not None)]) - _DAY)
    starts, ends = span.bounds
    if ends - starts > MAX_SPAN:
        raise NotUnderstood(
            f"That is longer than this report covers ({MAX_SPAN.days} days): {span.description}.",
            "Ask about a shorter time, one after another.",
            examples=["last month", "past 12 months", "2026-01-01 to 2026-06-30"],
        )
    return span


def over(span: Span | OpenSpan, now: datetime) -> str:
    """How much of the span is over, in words."""
    last = (span.home.end - _MINUTE).date()
    today = local_day(now, span.home.zone)
    if isinstance(span, OpenSpan):
        return "all of it" if last < today else "all of it but the rest of today"
    days = days_of(span)
    whole = sum(day < today for day in days)
    begun = ", and today so far" if today in days else ""
    if whole == len(days):
        return "the whole day" if whole == 1 else f"all {whole} days"
    return f"{whole} of {counted(len(days), 'day')}{begun}"


def before(span: Span, earlier: Earlier, roster: Roster, site: Known[Business] | None) -> Span:
    """The span to compare with: the same days a year earlier, or the days just before.

    Days that begin with a month have before them as many months, up to the same day of the month; all others as many
    days.
    """
    first, last = span.home.start.date(), (span.home.end - _MINUTE).date()
    if earlier == "last_year":
        days = _months_before(first, _MONTHS), _month_end(last, _months_before(last, _MONTHS))
    elif first.day == 1:
        months = (last.year - first.year) * _MONTHS + last.month - first.month + 1
        days = _months_before(first, months), _month_end(last, _months_before(last, months))
    else:
        length = last - first + _DAY
        days = first - length, last - length
    zone = span.home.zone
    start, end = day_bounds(days[0], zone)[0], day_bounds(days[1], zone)[1]
    weekdays, times = span.home.weekdays, span.home.times
    found = _everywhere(When(start, end, weekdays, times, describe(start, end, weekdays, times, zone)), roster, site)
    assert isinstance(found, Span)
    return found


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * _MONTHS + day.month - 1 - months, _MONTHS)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _month_end(last: date, earlier: date) -> date:
    """The earlier day; the last of its month where the later one is the last of its own."""
    if last.day < monthrange(last.year, last.month)[1]:
        return earlier
    return earlier.replace(day=monthrange(earlier.year, earlier.month)[1])


def days_of(span: Span) -> Sequence[date]:
    """Every day of the span by its calendar, weekdays that do not count left out."""
    first, last = span.home.start.date(), (span.home.end - _MINUTE).date()
    days = (first + number * _DAY for number in range((last - first).days + 1))
    return [day for day in days if not span.home.weekdays or day.isoweekday() in span.home.weekdays]
