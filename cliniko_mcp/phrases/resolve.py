"""From a phrase taken apart to one interval: what was said is laid together, contradictions are refused."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.assemble import (
    EVERY,
    MOST_DAYS,
    Part,
    complement,
    finished,
    merged,
    of_days,
    overlap,
    whole_days,
)
from cliniko_mcp.phrases.clock import Times
from cliniko_mcp.phrases.dates import (
    FIRST_YEAR,
    LAST_YEAR,
    Dated,
    Days,
    Exact,
    Now,
    contradiction,
    day_words,
    days_from,
)
from cliniko_mcp.phrases.days import DatedSpan, Dates, resolve_date
from cliniko_mcp.phrases.interval import Minutes, When, day_windows, windows
from cliniko_mcp.phrases.limits import Bound, End, first_moment, last_moment
from cliniko_mcp.phrases.phrase import Phrase, Segment, Term, read_phrase
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.weekdays import Weekdays, days_of_weekdays
from cliniko_mcp.phrases.zones import DAY_MINUTES, in_zone, instant, month_first, on_day

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7


def read(phrase: str, now: datetime, zone: ZoneInfo, country: str | None) -> When:
    """The interval of a phrase said at `now` in a zone; the year of `now` has to be one a diary knows."""
    if not FIRST_YEAR < now.year < LAST_YEAR:
        raise not_understood(f"Now lies outside the years {FIRST_YEAR} to {LAST_YEAR}.")
    moment = in_zone(now.replace(second=0, microsecond=0), zone)
    spoken = Now(moment, moment.date(), zone, month_first(country, zone))
    return settle(read_phrase(phrase, spoken), spoken)


def settle(phrase: Phrase, now: Now) -> When:
    """The interval of a phrase. Raises NotUnderstood for contradictions, open ends and what no interval can hold."""
    shared = _shared(phrase.segments)
    parts = [_segment(segment, shared, now) for segment in phrase.segments]
    part = parts[0] if len(parts) == 1 else _together(parts, now)
    for left_out in phrase.without_days:
        part = _without(part, left_out, now)
    if phrase.without_times:
        closed = merged(times.minutes() for times in phrase.without_times)
        part = part._replace(times=overlap(part.times or ((0, DAY_MINUTES),), complement(closed)))
        if not part.times:
            raise not_understood("The exceptions leave nothing of the day.")
    return finished(part, now)


def _shared(segments: list[Segment]) -> list[Term] | None:
    """The span said once for several alternatives: "Monday morning or Wednesday morning next week"."""
    if len(segments) < 2:
        return None
    spans = [segment.days for segment in segments if segment.days and segment.weekdays]
    return spans[0][0] if len(spans) == 1 and len(spans[0]) == 1 else None


def _segment(segment: Segment, shared: list[Term] | None, now: Now) -> Part:
    times = _times(segment)
    if any(_yearlike(said) for group in segment.times for said in group):
        raise not_understood('That could be a year or a time: say "20:30" or "in 2030".')
    if not segment.says_day:
        return _next_to_come(segment, times, now)
    if shared and segment.weekdays and not segment.days:
        segment.days.append(shared)
    base = _base(segment, now)
    if base is None and not segment.bounds:
        if all(weekdays.single and weekdays.plain for weekdays in segment.weekdays) and _plural(segment):
            raise _endless()
        # of several the one that says its week decides: "Saturday this weekend"
        said = sorted(segment.weekdays, key=lambda weekdays: weekdays.plain)
        part = of_days(days_of_weekdays(said[0], now), times, now)
        for weekdays in said[1:]:
            part = _on_weekdays(part, weekdays, now)
        return part
    limited = [_limits(bound, base, now) for bound in segment.bounds]
    if base is None:
        starts = [low for low, _ in limited if low is not None]
        ends = [high for _, high in limited if high is not None]
        if not ends:
            raise not_understood("That has a beginning and no end: say until when.")
        low = max(starts, key=instant) if starts else now.moment
        part = Part(low, min(ends, key=instant), frozenset(), times)
    elif isinstance(base, Exact):
        part = _clipped(Part(base.start, base.end, frozenset(), times), limited)
    else:
        part = _clipped(of_days(base, times, now), limited)
    for weekdays in segment.weekdays:
        part = _on_weekdays(part, weekdays, now)
    if instant(part.end) <= instant(part.start):
        raise not_understood("Those limits leave no time between them.")
    return part


def _yearlike(times: Times) -> bool:
    moment = times.final if times.kind == "before" else times.first
    return times.kind != "range" and moment is not None and moment.yearlike


def _base(segment: Segment, now: Now) -> list[Days] | Exact | None:
    """The days of a segment: what all its entries have in common."""
    found: list[Days] | Exact | None = None
    # a day of the month is one of the span beside it ("the 24th of next month"), so spans come first
    for terms in sorted(segment.days, key=_is_day_of_month):
        here = _any_of(terms, found, now)
        if found is None:
            found = here
        elif isinstance(found, list) and isinstance(here, list):
            common = [
                Days(max(one.first, two.first), min(one.last, two.last))
                for one in found
                for two in here
                if max(one.first, two.first) <= min(one.last, two.last)
            ]
            if not common:
                raise not_understood(f"{day_words(here[0].first)} does not lie within the rest of what was said.")
            found = common
        else:
            one, two = _exact(found, now), _exact(here, now)
            found = Exact(max(one.start, two.start, key=instant), min(one.end, two.end, key=instant))
            if instant(found.end) <= instant(found.start):
                raise not_understood("Those spans have nothing in common.")
    return found


def _any_of(terms: list[Term], beside: list[Days] | Exact | None, now: Now) -> list[Days] | Exact:
    found: list[Days] = []
    for term in terms:
        if isinstance(term, Weekdays):
            found += days_of_weekdays(term, now)
            continue
        if isinstance(beside, list) and _is_day_of_month([term]):
            found += _within(term, beside[0])
            continue
        days = resolve_date(term, now)
        if isinstance(days, Exact):
            if len(terms) > 1:
                raise not_understood("I cannot join that stretch of time with another one.")
            return days
        found += days
    return found


def _is_day_of_month(terms: list[Term]) -> bool:
    first = terms[0]
    date_said = first.dates[0] if isinstance(first, Dates) else first.first if isinstance(first, DatedSpan) else first
    return isinstance(date_said, Dated) and bool(date_said.day) and not date_said.month


def _within(term: Term, span: Days) -> list[Days]:
    if isinstance(term, DatedSpan):
        first, last = (days_from(dated, span.first).first for dated in term)
        if last < first:
            raise not_understood(f"The {term.first.day} to the {term.last.day} runs backwards.")
        return [Days(first, last)]
    dates = term.dates if isinstance(term, Dates) else (term,)
    return [days_from(dated, span.first) for dated in dates if isinstance(dated, Dated)]


def _exact(span: list[Days] | Exact, now: Now) -> Exact:
    if isinstance(span, Exact):
        return span
    if len(span) > 1:
        raise not_understood("I cannot lay several separate days over that stretch of time.")
    return Exact(on_day(span[0].first, 0, now.zone), on_day(span[0].last + _DAY, 0, now.zone))


def _times(segment: Segment) -> tuple[Minutes, ...]:
    parts = [group[0] for group in segment.times if len(group) == 1 and group[0].kind == "part"]
    found: tuple[Minutes, ...] = ()
    for group in segment.times:
        within = parts[0].minutes() if parts and group[0] is not parts[0] else None
        here = merged(times.minutes(within) for times in group)
        found = overlap(found, here) if found else here
        if not found:
            raise not_understood("Those times of day have nothing in common.")
    return found


def _next_to_come(segment: Segment, times: tuple[Minutes, ...], now: Now) -> Part:
    """Times without a day: today, or tomorrow when they are over today."""
    if not times:
        raise not_understood("That leaves something out, but does not say of what.")
    if _plural(segment):
        raise _endless()
    day = now.today
    today = day_windows(day, *whole_days(Days(day, day), now), frozenset(), times)
    if all(instant(end) <= instant(now.moment) for _, end in today):
        day += _DAY
    return Part(*whole_days(Days(day, day), now), frozenset(), times)


def _plural(segment: Segment) -> bool:
    return any(said.plural for group in segment.times for said in group)


def _endless() -> Exception:
    return not_understood('That goes on for ever: say over which span, such as "Tuesday mornings next month".')


Limits = tuple[datetime | None, datetime | None]


def _limits(bound: Bound, base: list[Days] | Exact | None, now: Now) -> Limits:
    """The moments before which and after which nothing counts."""
    end = _inside(bound.end, base)
    if bound.kind == "since":
        start = first_moment(end, now, past=True)
        if instant(start) >= instant(now.moment):
            raise not_understood('"Since" looks back, and that has not come yet.')
        return start, now.moment
    if bound.kind == "before":
        high = first_moment(end, now)
    elif bound.kind in {"by", "until"}:
        high = last_moment(end, now)
    elif bound.kind == "from":
        return first_moment(end, now), None
    else:
        return last_moment(end, now), None
    if base is None and instant(high) <= instant(now.moment):
        raise not_understood("That is over already.")
    return (None if base is not None else now.moment), high


def _inside(end: End, base: list[Days] | Exact | None) -> End:
    """A weekday or day of the month said within a span is the one of that span: "next week until Thursday"."""
    if not isinstance(base, list):
        return end
    first = base[0].first
    if isinstance(end.days, Weekdays) and end.days.plain:
        number = min(end.days.numbers())
        day = first + ((number - first.isoweekday()) % _WEEK) * _DAY
        return end._replace(days=Days(day, day + (len(end.days.numbers()) - 1) * _DAY))
    if isinstance(end.days, Dated) and not end.days.month and end.days.day:
        return end._replace(days=days_from(end.days, first))
    return end


def _clipped(part: Part, limited: list[Limits]) -> Part:
    for low, high in limited:
        if low is not None:
            part = part._replace(start=max(part.start, low, key=instant))
        if high is not None:
            part = part._replace(end=min(part.end, high, key=instant))
    return part


def _on_weekdays(part: Part, weekdays: Weekdays, now: Now) -> Part:
    last = (part.end - timedelta(seconds=1)).date()
    days = Days(part.start.date(), last)
    if not weekdays.plain:
        found = days_of_weekdays(weekdays, now)
        if len(found) == 1 and days.first <= found[0].first and found[0].last <= days.last:
            low, high = whole_days(found[0], now)
            return _clipped(part, [(low, high)])
        raise not_understood("The weekday said does not lie within the rest of what was said.")
    numbers = weekdays.numbers(wrap=days.size > _WEEK)
    if days.size == 1 and days.first.isoweekday() not in numbers:
        raise contradiction(days.first, numbers)
    kept = numbers & part.weekdays if part.weekdays else numbers
    if not kept:
        raise not_understood("Those weekdays have nothing in common.")
    return part._replace(weekdays=kept)


def _together(parts: list[Part], now: Now) -> Part:
    """Alternatives as one: with the same times of day their days join, else only when they follow without a gap."""
    first = parts[0]
    if all(part.times == first.times for part in parts):
        return of_days([days for part in parts for days in _picked(part)], first.times, now)
    spans = sorted(
        (window for part in parts for window in windows(part.start, part.end, part.weekdays, part.times)),
        key=lambda window: instant(window[0]),
    )
    for before, after in pairwise(spans):
        if instant(before[1]) != instant(after[0]):
            raise not_understood(
                "I cannot hold different hours for different days: say the same hours for all, or ask one by one."
            )
    return Part(spans[0][0], spans[-1][1], frozenset(), ())


def _picked(part: Part) -> list[Days]:
    last = (part.end - timedelta(seconds=1)).date()
    span = Days(part.start.date(), last)
    if not part.weekdays:
        return [span]
    if span.size > MOST_DAYS:
        raise not_understood("That reaches too far to be joined with other days.")
    days = (span.first + step * _DAY for step in range(span.size))
    return [Days(day, day) for day in days if day.isoweekday() in part.weekdays]


def _without(part: Part, term: Term, now: Now) -> Part:
    kept = part.weekdays or EVERY
    if isinstance(term, Weekdays) and term.plain:
        kept -= term.numbers()
        if not kept:
            raise not_understood("The exceptions leave no day.")
        return part._replace(weekdays=kept)
    whole = Days(part.start.date(), (part.end - timedelta(seconds=1)).date())
    if isinstance(term, Weekdays):
        out: list[Days] | Exact = days_of_weekdays(term, now)
    else:
        out = _any_of([term], [whole] if _is_day_of_month([term]) else None, now)
    if isinstance(out, Exact):
        raise not_understood("I can leave out whole days only.")
    for days in out:
        part = _without_days(part, days, now)
    return part


def _without_days(part: Part, days: Days, now: Now) -> Part:
    first, last = part.start.date(), (part.end - timedelta(seconds=1)).date()
    low, high = max(days.first, first), min(days.last, last)
    if high < low:
        raise not_understood(f"{day_words(days.first)} is no part of the rest of what was said.")
    if low == first and high == last:
        raise not_understood("The exceptions leave no day.")
    if low == first:
        return part._replace(start=on_day(high + _DAY, 0, now.zone))
    if high == last:
        return part._replace(end=on_day(low, 0, now.zone))
    gone = {(low + step * _DAY).isoweekday() for step in range(min((high - low).days + 1, _WEEK))}
    if (last - first).days >= _WEEK and any(
        _between(first + step * _DAY, low, high, gone) for step in range((last - first).days + 1)
    ):
        raise not_understood("I can leave single dates out of one week only: say the spans before and after instead.")
    return part._replace(weekdays=(part.weekdays or EVERY) - gone)


def _between(day: date, low: date, high: date, gone: set[int]) -> bool:
    return day.isoweekday() in gone and not low <= day <= high
