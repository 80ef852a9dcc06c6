"""Resolves a parsed phrase to one interval: combines its parts and refuses those that contradict each other."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.phrases.assemble import (
    ALL_WEEKDAYS,
    MAX_DAYS,
    DraftInterval,
    complement,
    draft_of_days,
    finish,
    merged,
    overlap,
    whole_days,
)
from cliniko_mcp.phrases.clock import TimeOfDay
from cliniko_mcp.phrases.corrections import parse_corrected
from cliniko_mcp.phrases.dates import (
    FIRST_YEAR,
    LAST_YEAR,
    DaySpan,
    ExactSpan,
    Now,
    PartialDate,
    contradiction,
    day_words,
    days_from,
)
from cliniko_mcp.phrases.days import DateList, DateSpan, resolve_date
from cliniko_mcp.phrases.direction import day_of_times, open_end, open_start, other_week, until_now
from cliniko_mcp.phrases.facing import Anchor, Facing
from cliniko_mcp.phrases.interval import Minutes, OpenWhen, When, day_windows, windows
from cliniko_mcp.phrases.limits import Endpoint, Limit, endpoint_end, endpoint_start
from cliniko_mcp.phrases.moving import without_moving
from cliniko_mcp.phrases.phrase import ParsedPhrase, Segment, Term
from cliniko_mcp.phrases.read_back import by_other_clock, printed
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.visit import keep_unsaid
from cliniko_mcp.phrases.weekdays import Weekdays, days_of_weekdays
from cliniko_mcp.phrases.zones import DAY_MINUTES, in_zone, instant, month_first, on_day

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7


def resolve_phrase(
    phrase: str, now: datetime, zone: ZoneInfo, country: str | None, facing: Facing, anchor: Anchor | None
) -> When | OpenWhen:
    """The interval of a phrase at the moment `now` in a zone; the year of `now` lies between 1900 and 2199.

    Raises NotUnderstood.
    """
    if not all(FIRST_YEAR < moment.year < LAST_YEAR for moment in (now, *(anchor or ()))):
        raise not_understood(f"Now lies outside the years {FIRST_YEAR} to {LAST_YEAR}.")
    words, printed_zone = printed(phrase, zone)
    if printed_zone.key != zone.key:
        return by_other_clock(resolve_phrase(words, in_zone(now, zone), printed_zone, country, facing, anchor), zone)
    moment = in_zone(now.replace(second=0, microsecond=0), zone)
    visit = anchor and Anchor(in_zone(anchor.start, zone), in_zone(anchor.end, zone))
    reference = Now(moment, moment.date(), zone, month_first(country, zone), facing, visit, country or "")
    return resolve(parse_corrected(without_moving(words) if visit else words, reference), reference)


def resolve(phrase: ParsedPhrase, now: Now) -> When | OpenWhen:
    """The interval of a parsed phrase.

    Raises NotUnderstood for contradictions, open ends, and times that no single interval can represent.
    """
    shared = _shared_days(phrase.segments)
    drafts = [_resolve_segment(segment, shared, now) for segment in phrase.segments]
    draft = drafts[0] if len(drafts) == 1 else _join_alternatives(drafts, now)
    if now.visit is not None:
        draft = _from_visit(phrase, draft, now)
    for term in phrase.excluded_days:
        draft = _exclude(draft, term, now)
    if phrase.excluded_times:
        closed = merged(times.minutes() for times in phrase.excluded_times)
        draft = draft._replace(times=overlap(draft.times or ((0, DAY_MINUTES),), complement(closed)))
        if not draft.times:
            raise not_understood("The exceptions leave nothing of the day.")
    found = finish(draft, now)
    if now.visit is None or found.start is None:
        return found
    # what is left may be one whole day, of which the visit keeps its time
    whole = DraftInterval(found.start, found.end, found.weekdays, found.times)
    kept = keep_unsaid(whole, False, now)
    return found if kept == whole else finish(kept, now)


def _from_visit(phrase: ParsedPhrase, draft: DraftInterval, now: Now) -> DraftInterval:
    if phrase.same_time and any(segment.times for segment in phrase.segments):
        raise not_understood('"The same time" and another time contradict each other.')
    if phrase.excluded_days or phrase.excluded_times:
        return draft
    return keep_unsaid(draft, all(not segment.weekdays for segment in phrase.segments), now)


def _shared_days(segments: list[Segment]) -> list[Term] | None:
    """The span that one alternative has and all share: "Monday morning or Wednesday morning next week"; or None."""
    if len(segments) < 2:
        return None
    spans = [segment.days for segment in segments if segment.days and segment.weekdays]
    return spans[0][0] if len(spans) == 1 and len(spans[0]) == 1 else None


def _resolve_segment(segment: Segment, shared: list[Term] | None, now: Now) -> DraftInterval:
    times = _minutes_of_day(segment)
    if any(_may_be_year(time) for group in segment.times for time in group):
        raise not_understood('That could be a year or a time: say "20:30" or "in 2030".')
    if not segment.names_day:
        return _next_occurrence(segment, times, now)
    if shared and segment.weekdays and not segment.days:
        segment.days.append(shared)
    base = _common_days(segment, now)
    if base is None and not segment.limits:
        if all(weekdays.single and weekdays.plain for weekdays in segment.weekdays) and _plural(segment):
            raise _endless()
        # of several the one that names its week decides: "Saturday this weekend"
        first, *others = sorted(segment.weekdays, key=lambda weekdays: weekdays.plain)
        draft = draft_of_days(days_of_weekdays(first, now), times, now)
        again = other_week(_first_moment(draft, now), now) if first.plain else None
        if again is not None:
            draft = draft_of_days(days_of_weekdays(first, again), times, now)
        for weekdays in others:
            draft = _on_weekdays(draft, weekdays, now)
        return draft
    cutoffs = [_cutoffs(limit, base, now) for limit in segment.limits]
    if base is None:
        starts = [low for low, _ in cutoffs if low is not None]
        ends = [high for _, high in cutoffs if high is not None]
        if not ends:
            raise not_understood("That has a beginning and no end: say until when.")
        low = max(starts, key=instant) if starts else open_start(now)
        draft = DraftInterval(low, min(ends, key=instant), frozenset(), times)
    elif isinstance(base, ExactSpan):
        draft = _clip(DraftInterval(base.start, base.end, frozenset(), times), cutoffs)
    else:
        draft = _clip(draft_of_days(base, times, now), cutoffs)
    written = base.written if isinstance(base, ExactSpan) else None
    for weekdays in segment.weekdays:
        # The weekday of a time that carries its offset is that of the place it was written for.
        if written is None or not weekdays.plain or written.isoweekday() not in weekdays.numbers():
            draft = _on_weekdays(draft, weekdays, now)
    if instant(draft.end) <= instant(draft.start):
        raise not_understood("Those limits leave no time between them.")
    return draft


def _first_moment(draft: DraftInterval, now: Now) -> datetime:
    """When a draft of days begins to count; for a visit that is moved to a day without a time, at the visit's time."""
    if now.visit is not None and not draft.times:
        minute = now.visit.start.hour * 60 + now.visit.start.minute
        return on_day(draft.start.date(), minute, now.zone)
    return next(windows(*draft), (draft.start, draft.end))[0]


def _may_be_year(time: TimeOfDay) -> bool:
    clock_time = time.final if time.kind == "before" else time.first
    return time.kind != "range" and clock_time is not None and clock_time.may_be_year


def _common_days(segment: Segment, now: Now) -> list[DaySpan] | ExactSpan | None:
    """The days that all entries of a segment have in common; None where it has no days."""
    found: list[DaySpan] | ExactSpan | None = None
    # a day of the month belongs to the span beside it ("the 24th of next month"), so spans come first
    for terms in sorted(segment.days, key=_is_day_of_month):
        here = _days_of_terms(terms, found, now)
        if found is None:
            found = here
        elif isinstance(found, list) and isinstance(here, list):
            common = [
                DaySpan(max(left.first, right.first), min(left.last, right.last))
                for left in found
                for right in here
                if max(left.first, right.first) <= min(left.last, right.last)
            ]
            if not common:
                raise not_understood(f"{day_words(here[0].first)} does not lie within the rest of the phrase.")
            found = common
        else:
            left, right = _as_exact_span(found, now), _as_exact_span(here, now)
            found = ExactSpan(max(left.start, right.start, key=instant), min(left.end, right.end, key=instant))
            if instant(found.end) <= instant(found.start):
                raise not_understood("Those spans have nothing in common.")
    return found


def _days_of_terms(terms: list[Term], beside: list[DaySpan] | ExactSpan | None, now: Now) -> list[DaySpan] | ExactSpan:
    found: list[DaySpan] = []
    for term in terms:
        if isinstance(term, Weekdays):
            found += days_of_weekdays(term, now)
            continue
        if isinstance(beside, list) and _is_day_of_month([term]):
            found += _within(term, beside[0])
            continue
        days = resolve_date(term, now)
        if isinstance(days, ExactSpan):
            if len(terms) > 1:
                raise not_understood("I cannot join that stretch of time with another one.")
            return days
        found += days
    return found


def _is_day_of_month(terms: list[Term]) -> bool:
    first = terms[0]
    date = first.dates[0] if isinstance(first, DateList) else first.first if isinstance(first, DateSpan) else first
    return isinstance(date, PartialDate) and bool(date.day) and not date.month


def _within(term: Term, span: DaySpan) -> list[DaySpan]:
    if isinstance(term, DateSpan):
        first, last = (days_from(dated, span.first).first for dated in term)
        if last < first:
            raise not_understood(f"The {term.first.day} to the {term.last.day} runs backwards.")
        return [DaySpan(first, last)]
    dates = term.dates if isinstance(term, DateList) else (term,)
    return [days_from(dated, span.first) for dated in dates if isinstance(dated, PartialDate)]


def _as_exact_span(span: list[DaySpan] | ExactSpan, now: Now) -> ExactSpan:
    if isinstance(span, ExactSpan):
        return span
    if len(span) > 1:
        raise not_understood("I cannot combine several separate days with that stretch of time.")
    return ExactSpan(on_day(span[0].first, 0, now.zone), on_day(span[0].last + _DAY, 0, now.zone))


def _minutes_of_day(segment: Segment) -> tuple[Minutes, ...]:
    parts = [group[0] for group in segment.times if len(group) == 1 and group[0].kind == "part"]
    found: tuple[Minutes, ...] = ()
    for group in segment.times:
        within = parts[0].minutes() if parts and group[0] is not parts[0] else None
        here = merged(time.minutes(within) for time in group)
        found = overlap(found, here) if found else here
        if not found:
            raise not_understood("Those times of day have nothing in common.")
    return found


def _next_occurrence(segment: Segment, times: tuple[Minutes, ...], now: Now) -> DraftInterval:
    """The interval of times without a day: today, or tomorrow when they have passed today."""
    if not times:
        raise not_understood("That leaves something out, but does not say of what.")
    if _plural(segment):
        raise _endless()
    today = day_windows(now.today, *whole_days(DaySpan(now.today, now.today), now), frozenset(), times)
    day = day_of_times(list(today), now)
    return DraftInterval(*whole_days(DaySpan(day, day), now), frozenset(), times)


def _plural(segment: Segment) -> bool:
    return any(time.plural for group in segment.times for time in group)


def _endless() -> Exception:
    return not_understood('That never ends: say over which span, such as "Tuesday mornings next month".')


Cutoffs = tuple[datetime | None, datetime | None]


def _cutoffs(limit: Limit, base: list[DaySpan] | ExactSpan | None, now: Now) -> Cutoffs:
    """The start and the end that a limit sets, as aware datetimes; None for a side that it leaves open."""
    end = _endpoint_within(limit.end, base)
    if limit.kind == "since":
        start = endpoint_start(end, now, past=True)
        if instant(start) >= instant(until_now(now)):
            raise not_understood('"Since" looks back, and that has not come yet.')
        return start, until_now(now)
    if limit.kind == "before":
        high = endpoint_start(end, now)
    elif limit.kind in {"by", "until"}:
        high = endpoint_end(end, now)
    elif limit.kind == "from":
        return endpoint_start(end, now), open_end(now)
    else:
        return endpoint_end(end, now), open_end(now)
    low = None if base is not None else open_start(now)
    if low is not None and instant(high) <= instant(low):
        raise not_understood("That is over already.")
    return low, high


def _endpoint_within(end: Endpoint, base: list[DaySpan] | ExactSpan | None) -> Endpoint:
    """The endpoint with a weekday or day of the month resolved within its span: "next week until Thursday"."""
    if not isinstance(base, list):
        return end
    first = base[0].first
    if isinstance(end.days, Weekdays) and end.days.plain:
        number = min(end.days.numbers())
        day = first + ((number - first.isoweekday()) % _WEEK) * _DAY
        return end._replace(days=DaySpan(day, day + (len(end.days.numbers()) - 1) * _DAY))
    if isinstance(end.days, PartialDate) and not end.days.month and end.days.day:
        return end._replace(days=days_from(end.days, first))
    return end


def _clip(draft: DraftInterval, cutoffs: list[Cutoffs]) -> DraftInterval:
    for low, high in cutoffs:
        if low is not None:
            draft = draft._replace(start=max(draft.start, low, key=instant))
        if high is not None:
            draft = draft._replace(end=min(draft.end, high, key=instant))
    return draft


def _on_weekdays(draft: DraftInterval, weekdays: Weekdays, now: Now) -> DraftInterval:
    last = (draft.end - timedelta(seconds=1)).date()
    days = DaySpan(draft.start.date(), last)
    if not weekdays.plain:
        found = days_of_weekdays(weekdays, now)
        if len(found) == 1 and days.first <= found[0].first and found[0].last <= days.last:
            low, high = whole_days(found[0], now)
            return _clip(draft, [(low, high)])
        raise not_understood("That weekday does not lie within the rest of the phrase.")
    numbers = weekdays.numbers(wrap=days.size > _WEEK)
    if days.size == 1 and days.first.isoweekday() not in numbers:
        raise contradiction(days.first, numbers)
    kept = numbers & draft.weekdays if draft.weekdays else numbers
    if not kept:
        raise not_understood("Those weekdays have nothing in common.")
    return draft._replace(weekdays=kept)


def _join_alternatives(drafts: list[DraftInterval], now: Now) -> DraftInterval:
    """The alternatives as one interval: their days where all have the same times, else one span without gaps."""
    first = drafts[0]
    if all(draft.times == first.times for draft in drafts):
        return draft_of_days([days for draft in drafts for days in _selected_days(draft)], first.times, now)
    spans = sorted(
        (window for draft in drafts for window in windows(draft.start, draft.end, draft.weekdays, draft.times)),
        key=lambda window: instant(window[0]),
    )
    for before, after in pairwise(spans):
        if instant(before[1]) != instant(after[0]):
            raise not_understood(
                "I cannot hold different hours for different days: say the same hours for all, or ask one by one."
            )
    return DraftInterval(spans[0][0], spans[-1][1], frozenset(), ())


def _selected_days(draft: DraftInterval) -> list[DaySpan]:
    last = (draft.end - timedelta(seconds=1)).date()
    span = DaySpan(draft.start.date(), last)
    if not draft.weekdays:
        return [span]
    if span.size > MAX_DAYS:
        raise not_understood("That reaches too far to be joined with other days.")
    days = (span.first + step * _DAY for step in range(span.size))
    return [DaySpan(day, day) for day in days if day.isoweekday() in draft.weekdays]


def _exclude(draft: DraftInterval, term: Term, now: Now) -> DraftInterval:
    kept = draft.weekdays or ALL_WEEKDAYS
    if isinstance(term, Weekdays) and term.plain:
        first, last = draft.start.date(), (draft.end - timedelta(seconds=1)).date()
        if first == last and first.isoweekday() not in term.numbers():
            raise not_understood(f"{day_words(first)} is the only day of the phrase: there is nothing to leave out.")
        kept -= term.numbers()
        if not kept:
            raise not_understood("The exceptions leave no day.")
        return draft._replace(weekdays=kept)
    whole = DaySpan(draft.start.date(), (draft.end - timedelta(seconds=1)).date())
    if isinstance(term, Weekdays):
        out: list[DaySpan] | ExactSpan = days_of_weekdays(term, now)
    else:
        out = _days_of_terms([term], [whole] if _is_day_of_month([term]) else None, now)
    if isinstance(out, ExactSpan):
        raise not_understood("I can leave out whole days only.")
    for days in out:
        draft = _exclude_days(draft, days, now)
    return draft


def _exclude_days(draft: DraftInterval, days: DaySpan, now: Now) -> DraftInterval:
    first, last = draft.start.date(), (draft.end - timedelta(seconds=1)).date()
    low, high = max(days.first, first), min(days.last, last)
    if high < low:
        raise not_understood(f"{day_words(days.first)} is not part of the rest of the phrase.")
    if low == first and high == last:
        raise not_understood("The exceptions leave no day.")
    if low == first:
        return draft._replace(start=on_day(high + _DAY, 0, now.zone))
    if high == last:
        return draft._replace(end=on_day(low, 0, now.zone))
    gone = {(low + step * _DAY).isoweekday() for step in range(min((high - low).days + 1, _WEEK))}
    every = (first + step * _DAY for step in range((last - first).days + 1))
    if (last - first).days >= _WEEK and any(day.isoweekday() in gone and not low <= day <= high for day in every):
        raise not_understood("I can leave single dates out of one week only: say the spans before and after instead.")
    return draft._replace(weekdays=(draft.weekdays or ALL_WEEKDAYS) - gone)
