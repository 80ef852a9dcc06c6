"""What each direction makes of what a phrase leaves open; the only place that looks at `Now.facing` and `Now.visit`.

The grammar asks here for the present period, for lengths before and after now, for a bare weekday and for the side of
a limit that its words leave open.
"""

from datetime import date, datetime, timedelta
from typing import Final

from cliniko_mcp.phrases.dates import DaySpan, ExactSpan, Now, either_reading, nearer, weekday_after
from cliniko_mcp.phrases.facing import Anchor, Facing
from cliniko_mcp.phrases.lengths import Length, days_of_period, shift_day, shift_moment
from cliniko_mcp.phrases.refusals import not_understood
from cliniko_mcp.phrases.zones import instant, on_day

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
# the start of an interval that has none, while it is put together
FLOOR_DAY: Final = date(1900, 1, 1)


def present_period(days: DaySpan, now: Now) -> DaySpan:
    """What the present week, month or the like means: from today ahead, through today back, else the whole of it."""
    if now.back:
        return DaySpan(days.first, min(days.last, now.today))
    # a week in which a visit is moved is kept whole, because the visit's weekday is looked for in it
    if now.facing is Facing.AHEAD and (now.visit is None or days.size != _WEEK):
        return DaySpan(max(days.first, now.today), days.last)
    return days


def length_from_now(length: Length, sign: int, now: Now, *, full: bool = False) -> DaySpan | ExactSpan:
    """The last so many units before now with `sign` -1, or the next: to the minute ahead, else whole days.

    `full` counts whole calendar units: Monday to Sunday, the first of a month to its last.
    """
    if sign > 0:
        refuse_ahead(now)
    if length.unit in {"minute", "hour"}:
        if full:
            raise not_understood(f"Full {length.unit}s are no span of a diary.")
        return _exact(length, sign, now)
    if full and length.unit != "day":
        unit, count = ("week", 2 * length.number) if length.unit == "fortnight" else (length.unit, length.number)
        near, far = (days_of_period(unit, offset * sign, now) for offset in (1, count))
        return DaySpan(min(near.first, far.first), max(near.last, far.last))
    if sign < 0 and (full or now.facing is not Facing.AHEAD):
        return DaySpan(shift_day(now.today, length, -1), now.today - _DAY)
    if sign > 0 and full:
        return DaySpan(now.today + _DAY, shift_day(now.today, length, 1))
    if sign > 0 and now.facing in {Facing.WHOLE, Facing.EITHER}:
        return DaySpan(now.today, shift_day(now.today, length, 1) - _DAY)
    return _exact(length, sign, now)


def refuse_ahead(now: Now) -> None:
    """Raise NotUnderstood where a phrase that begins now is read facing back."""
    if now.back:
        raise _still_to_come()


def _still_to_come() -> Exception:
    return not_understood("That is still to come, and this looks back: name a span that has begun.")


def _exact(length: Length, sign: int, now: Now) -> ExactSpan:
    there = shift_moment(now, length, sign)
    return ExactSpan(now.moment, there) if sign > 0 else ExactSpan(there, now.moment)


def until_now(now: Now) -> datetime:
    """The end of what runs up to the present: now itself ahead, else the end of today."""
    return now.moment if now.facing is Facing.AHEAD else end_of_today(now)


def end_of_today(now: Now) -> datetime:
    """The midnight that ends today, aware."""
    return on_day(now.today + _DAY, 0, now.zone)


def day_of_weekday(number: int, now: Now, *, this: bool = False) -> date:
    """The day of a weekday that stands alone, or after "this"."""
    latest = now.today - timedelta(days=(now.today.isoweekday() - number) % _WEEK)
    if now.back:
        return now.monday + (number - 1) * _DAY if this else latest
    if this:
        return now.today if latest == now.today else weekday_after(now.today, number)
    coming = weekday_after(now.today, number)
    if now.visit is not None:
        own = _visit_monday(now.visit) + (number - 1) * _DAY
        # the visit's own day may be today
        return own if own > now.today or own == now.today == now.visit.start.date() else coming
    if now.facing is Facing.EITHER:
        raise either_reading(DaySpan(latest, latest), DaySpan(coming, coming))
    if now.facing is Facing.WHOLE:
        return nearer(DaySpan(latest, latest), DaySpan(coming, coming), now.today).first
    return coming


def _visit_monday(visit: Anchor) -> date:
    day = visit.start.date()
    return day - (day.isoweekday() - 1) * _DAY


def other_week(start: datetime, now: Now) -> Now | None:
    """The present as a weekday that stands alone is read again, where its first reading, which begins then, misses.

    Facing back that is one still to come ("Tuesday evening" on a Tuesday morning), for a visit one of today's that is
    past. None where the first reading stands.
    """
    today = start.date() == now.today
    if now.back and today and instant(start) > instant(now.moment):
        return now._replace(today=now.today - _DAY)
    if now.visit is not None and today and instant(start) < instant(now.moment):
        return now._replace(visit=None)
    return None


def weekend(now: Now, *, this: bool) -> DaySpan:
    """The days of "the weekend": the present one counts from today ahead, through today back."""
    saturday = now.monday + 5 * _DAY
    present = now.today >= saturday
    if now.back and not this and not present:
        saturday -= _WEEK * _DAY
    elif now.visit is not None:
        own = _visit_monday(now.visit) + 5 * _DAY
        saturday = own if own > now.today else saturday
    elif now.facing in {Facing.EITHER, Facing.WHOLE} and not this and not present:
        before, after = (DaySpan(day, day + _DAY) for day in (saturday - _WEEK * _DAY, saturday))
        if now.facing is Facing.EITHER:
            raise either_reading(before, after)
        return nearer(before, after, now.today)
    days = DaySpan(saturday, saturday + _DAY)
    return present_period(days, now) if days.first <= now.today else days


def open_start(now: Now) -> datetime:
    """Where "before", "by" and "until" begin: now, or facing back and for filters nowhere (the floor)."""
    return floor(now) if now.facing in {Facing.BACK, Facing.EITHER} else now.moment


def floor(now: Now) -> datetime:
    """The start that stands for none, as an aware datetime."""
    return on_day(FLOOR_DAY, 0, now.zone)


def open_end(now: Now) -> datetime | None:
    """Where "from" and "after" end: with today facing back, else nowhere."""
    return end_of_today(now) if now.back else None


def day_of_times(windows: list[tuple[datetime, datetime]], now: Now) -> date:
    """The day of hours that stand alone; `windows` are today's: the next that are not over, or the latest begun."""
    if now.visit is not None:
        return now.visit.start.date()
    if now.back:
        begun = any(instant(start) <= instant(now.moment) for start, _ in windows)
        return now.today if begun else now.today - _DAY
    over = all(instant(end) <= instant(now.moment) for _, end in windows)
    return now.today + _DAY if over else now.today


def kept_within(start: datetime, end: datetime, now: Now) -> tuple[datetime, datetime]:
    """The bounds of an interval: facing back it ends with today at the latest, for a visit it begins with today.

    Raises NotUnderstood where, facing back, all of it is still to come (a report would count nothing), and where a
    visit would be moved to the past.
    """
    if now.visit is not None:
        if instant(end) <= instant(now.moment):
            raise not_understood("That is past already: a visit can only be moved to a time to come.")
        return max(start, on_day(now.today, 0, now.zone), key=instant), end
    if not now.back:
        return start, end
    here = instant(now.moment)
    from_now = instant(start) == here and start != on_day(now.today, 0, now.zone)
    if instant(start) > here or (from_now and instant(end) - here > timedelta(minutes=1)):
        raise _still_to_come()
    return start, min(end, end_of_today(now), key=instant)
