"""Read from a visit that moves, what is unsaid stays; recomputed by plain arithmetic over generated visits."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, When, parse_when
from cliniko_mcp.phrases.vocabulary import WEEKDAY_NAMES

from .formatting import SYDNEY, TUESDAY, formatted
from .test_reading_laws import known_phrases, mixtures, vocabulary, zones

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31)).map(lambda at: at.replace(second=0, microsecond=0))
distances = st.integers(-3, 40)
clocks = st.tuples(st.integers(7, 18), st.sampled_from([0, 15, 30, 45])).map(lambda pair: time(*pair))


def visit_on(day: date, clock: time, zone: str) -> Anchor:
    start = datetime.combine(day, clock, ZoneInfo(zone))
    return Anchor(start, (start.astimezone(UTC) + timedelta(minutes=40)).astimezone(ZoneInfo(zone)))


def moved(phrase: str, visit: Anchor, now: datetime, zone: str) -> When | None:
    """The interval, or None where the phrase is refused."""
    try:
        return parse_when(phrase, now=now, zone=zone, anchor=visit)
    except NotUnderstood:
        return None


def holds(phrase: str, visit: Anchor, now: datetime, zone: str, start: datetime, end: datetime | None = None) -> None:
    """Check that a phrase is this start by the wall clock, one minute long, or that it is refused as past."""
    opens = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    closes = end.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if end else opens + MINUTE
    found = moved(phrase, visit, now, zone)
    if closes <= now.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC):
        assert found is None, (phrase, found)
        return
    assert found is not None, phrase
    assert (found.start.astimezone(UTC), found.end.astimezone(UTC)) == (opens, closes), (phrase, found)
    assert (found.weekdays, found.times) == (frozenset(), ())


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(moments, distances, clocks, clocks, zones)
def test_a_clock_time_or_a_part_of_the_day_alone_is_of_the_visits_day(
    now: datetime, ahead: int, clock: time, other: time, zone: str
) -> None:
    day = now.date() + ahead * DAY
    visit = visit_on(day, clock, zone)
    for phrase in (f"{other:%H:%M}", f"at {other:%H:%M}", f"same day at {other:%H:%M}"):
        holds(phrase, visit, now, zone, datetime.combine(day, other))
    at = datetime.combine(day, time())
    for phrase, first, last in (
        ("afternoon", 12, 17),
        ("in the evening", 17, 24),
        ("after 4", 16, 24),
        ("2-4pm", 14, 16),
    ):
        holds(phrase, visit, now, zone, at + timedelta(hours=first), at + timedelta(hours=last))


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(moments, distances, clocks, zones, st.integers(1, 300))
@example(datetime(2026, 4, 4, 12), 1, time(7, 0), SYDNEY, 300)
def test_so_much_later_or_earlier_is_counted_from_the_visit(
    now: datetime, ahead: int, clock: time, zone: str, minutes: int
) -> None:
    visit = visit_on(now.date() + ahead * DAY, clock, zone)
    present = now.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for word, sign in (("later", 1), ("earlier", -1)):
        expected = visit.start.astimezone(UTC) + sign * timedelta(minutes=minutes)
        found = moved(f"{minutes} minutes {word}", visit, now, zone)
        if expected < present:
            assert found is None
        else:
            assert found is not None and found.start.astimezone(UTC) == expected
            assert found.end.astimezone(UTC) == expected + MINUTE
        for count, unit, days in ((2, "days", 2), (1, "week", 7), (1, "fortnight", 14)):
            start = datetime.combine(visit.start.date() + sign * days * DAY, clock)
            holds(f"{count} {unit} {word}", visit, now, zone, start)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(moments, distances, clocks, clocks, zones)
def test_another_day_keeps_the_time_and_another_time_replaces_it(
    now: datetime, ahead: int, clock: time, other: time, zone: str
) -> None:
    day = now.date() + ahead * DAY
    visit = visit_on(day, clock, zone)
    days = {
        "the day before": day - DAY,
        "the day after": day + DAY,
        "the next day": day + DAY,
        "the following week": day + 7 * DAY,
        "today": now.date(),
        "tomorrow": now.date() + DAY,
        "in 10 days": now.date() + 10 * DAY,
        f"{day + 20 * DAY:%Y-%m-%d}": day + 20 * DAY,
    }
    for phrase, expected in days.items():
        holds(phrase, visit, now, zone, datetime.combine(expected, clock))
        holds(f"{phrase} at {other:%H:%M}", visit, now, zone, datetime.combine(expected, other))
    for phrase in ("the same time tomorrow", "same time in 10 days"):
        holds(phrase, visit, now, zone, datetime.combine(days[phrase.split("time ")[1]], clock))


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(moments, distances, clocks, zones, st.integers(1, 7))
def test_a_weekday_is_that_of_the_visits_week_while_ahead_else_the_next(
    now: datetime, ahead: int, clock: time, zone: str, number: int
) -> None:
    day = now.date() + ahead * DAY
    visit = visit_on(day, clock, zone)
    own = day - timedelta(days=day.isoweekday() - number)
    following = now.date() + DAY
    while following.isoweekday() != number:
        following += DAY
    today_again = own == day == now.date() and datetime.combine(day, clock) >= now
    expected = own if own > now.date() or today_again else following
    name = WEEKDAY_NAMES[number - 1]
    for phrase in (name, f"on {name}", f"same time on {name}"):
        holds(phrase, visit, now, zone, datetime.combine(expected, clock))
    if expected > now.date():
        holds(f"{name} afternoon", visit, now, zone, *(datetime.combine(expected, time(hour)) for hour in (12, 17)))


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(moments, distances, clocks, clocks, zones)
def test_next_week_is_the_week_after_the_current_one_and_keeps_weekday_and_time(
    now: datetime, ahead: int, clock: time, other: time, zone: str
) -> None:
    day = now.date() + ahead * DAY
    visit = visit_on(day, clock, zone)
    monday = now.date() - timedelta(days=now.weekday()) + 7 * DAY
    expected = monday + timedelta(days=day.weekday())
    for phrase in ("next week", "same time next week", "same day next week"):
        holds(phrase, visit, now, zone, datetime.combine(expected, clock))
    holds(f"next week at {other:%H:%M}", visit, now, zone, datetime.combine(expected, other))
    holds("Friday next week", visit, now, zone, datetime.combine(monday + 4 * DAY, clock))
    holds("the week after next", visit, now, zone, datetime.combine(expected + 7 * DAY, clock))
    holds("this week", visit, now, zone, datetime.combine(expected - 7 * DAY, clock))


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(
    st.one_of(known_phrases, mixtures, st.lists(vocabulary, min_size=1, max_size=7).map(" ".join)),
    moments,
    distances,
    clocks,
    zones,
)
def test_a_visit_is_never_moved_to_the_past(phrase: str, now: datetime, ahead: int, clock: time, zone: str) -> None:
    found = moved(phrase, visit_on(now.date() + ahead * DAY, clock, zone), now, zone)
    if found is not None:
        assert found.start.astimezone(UTC) < found.end.astimezone(UTC)
        assert found.end.astimezone(UTC) > now.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


VISIT = Anchor(datetime(2026, 12, 9, 14, 15), datetime(2026, 12, 9, 15, 0))


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("half an hour earlier", "2026-12-09T13:45 2026-12-09T13:46"),
        ("an hour and a half later", "2026-12-09T15:45 2026-12-09T15:46"),
        ("later by 30 minutes", "2026-12-09T14:45 2026-12-09T14:46"),
        ("the day after in the morning", "2026-12-10T00:00 2026-12-10T12:00"),
        ("next week in the morning", "2026-12-02T00:00 2026-12-02T12:00"),
        ("Thursday after 4", "2026-12-10T16:00 2026-12-11T00:00"),
        ("Monday, same time", "2026-12-07T14:15 2026-12-07T14:16"),
        ("a week earlier, same time", "2026-12-02T14:15 2026-12-02T14:16"),
        ("Friday the following week", "2026-12-18T14:15 2026-12-18T14:16"),
        ("three quarters of an hour later", "2026-12-09T15:00 2026-12-09T15:01"),
        ("a half hour earlier", "2026-12-09T13:45 2026-12-09T13:46"),
        ("to Thursday", "2026-12-10T14:15 2026-12-10T14:16"),
        ("Tuesday at 9", "2026-12-08T09:00 2026-12-08T09:01"),
        ("a month later", "2027-01-09T14:15 2027-01-09T14:16"),
        ("in an hour", "2026-11-24T11:37 2026-11-24T11:38"),
        ("3 December", "2026-12-03T14:15 2026-12-03T14:16"),
        ("Monday at 3, no, Friday", "2026-12-11T15:00 2026-12-11T15:01"),
        ("Thursday or Friday", "2026-12-10T00:00 2026-12-12T00:00"),
    ],
)
def test_further_phrases_move_a_visit(phrase: str, expected: str) -> None:
    found = moved(phrase, VISIT, TUESDAY, SYDNEY)
    assert found is not None and formatted(found) == expected


@pytest.mark.parametrize(
    "phrase", ["later", "earlier", "a bit later", "same time at 4", "same", "an hour later tomorrow"]
)
def test_what_does_not_say_how_much_is_refused(phrase: str) -> None:
    assert moved(phrase, VISIT, TUESDAY, SYDNEY) is None


@pytest.mark.parametrize("phrase", ["an hour later", "the day before", "same day at 4", "same time tomorrow"])
def test_without_a_visit_nothing_is_counted_from_one(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        parse_when(phrase, now=TUESDAY, zone=SYDNEY)


def test_a_time_that_the_clock_skips_on_the_new_day_is_refused() -> None:
    visit = Anchor(datetime(2026, 10, 3, 2, 30), datetime(2026, 10, 3, 3, 0))
    with pytest.raises(NotUnderstood, match="clock skips 02:30"):
        parse_when("the day after", now=datetime(2026, 10, 1, 9), zone=SYDNEY, anchor=visit)
