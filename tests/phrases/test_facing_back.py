"""Facing back, as reports do: each rule recomputed by plain arithmetic of dates over generated moments and zones."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Facing, OpenWhen, When, parse_when
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES

from .formatting import SYDNEY, TUESDAY, formatted
from .test_read_back import BACKWARD
from .test_reading_laws import known_phrases, mixtures, moments, vocabulary, zones

DAY = timedelta(days=1)
numbers = st.integers(1, 60)
units = st.sampled_from(["day", "week", "fortnight", "month", "quarter", "year"])


def back(phrase: str, now: datetime = TUESDAY, zone: str = SYDNEY, country: str | None = None) -> When | OpenWhen:
    return parse_when(phrase, now=now, zone=zone, country=country, facing=Facing.BACK)


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC, also where the clock skips or repeats midnight."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += timedelta(minutes=30)
    return instant


def holds(when: When | OpenWhen, first: date | None, last: date, zone: str) -> None:
    """Check that an interval is these whole local days and nothing else; `first` None is an open start."""
    assert (when.weekdays, when.times) == (frozenset(), ())
    assert (when.start and when.start.astimezone(UTC)) == (first and midnight(first, zone))
    assert when.end.astimezone(UTC) == midnight(last + DAY, zone)


def months_before(day: date, count: int) -> date:
    month = day.year * 12 + day.month - 1 - count
    year, index = divmod(month, 12)
    return date(year, index + 1, min(day.day, monthrange(year, index + 1)[1]))


def before(day: date, count: int, unit: str) -> date:
    if unit in {"month", "quarter", "year"}:
        return months_before(day, count * {"month": 1, "quarter": 3, "year": 12}[unit])
    return day - timedelta(days=count * {"day": 1, "week": 7, "fortnight": 14}[unit])


def first_of(unit: str, day: date) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[unit]
    return date(day.year, month, 1)


def refused(phrase: str, now: datetime, zone: str, country: str | None = None) -> None:
    with pytest.raises(NotUnderstood):
        back(phrase, now, zone, country)


@pytest.mark.long
@settings(deadline=None)
@given(st.sampled_from(["week", "month", "quarter", "year"]), moments, zones)
def test_the_present_period_runs_from_its_first_day_through_today(unit: str, now: datetime, zone: str) -> None:
    first = first_of(unit, now.date())
    for phrase in (f"this {unit}", f"this {unit} so far", f"{unit} to date"):
        holds(back(phrase, now, zone), first, now.date(), zone)
    last = first - DAY
    holds(back(f"last {unit}", now, zone), first_of(unit, last), last, zone)
    refused(f"next {unit}", now, zone)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.integers(1, 10), units, moments, zones)
@example(1, "month", datetime(2026, 3, 31, 9), SYDNEY)
@example(12, "month", datetime(2028, 2, 29, 9), "Europe/London")
def test_the_last_so_many_end_yesterday_and_full_ones_with_their_period(
    count: int, unit: str, now: datetime, zone: str
) -> None:
    today = now.date()
    first = before(today, count, unit)
    for words in (f"last {count} {unit}s", f"in the past {count} {unit}s", f"the previous {count} {unit}s"):
        holds(back(words, now, zone), first, today - DAY, zone)
    if unit in {"day", "fortnight"}:
        return
    end = first_of(unit, today)
    begin = before(end, count, unit)
    for words in (f"last {count} full {unit}s", f"the past {count} whole {unit}s"):
        holds(back(words, now, zone), begin, end - DAY, zone)


@pytest.mark.long
@settings(deadline=None)
@given(units, moments, zones)
def test_the_past_week_is_the_seven_days_before_today(unit: str, now: datetime, zone: str) -> None:
    holds(back(f"the past {unit}", now, zone), before(now.date(), 1, unit), now.date() - DAY, zone)


@pytest.mark.long
@settings(deadline=None)
@given(st.integers(1, 12), moments, zones)
@example(11, datetime(2026, 11, 1, 0, 0), SYDNEY)
@example(11, datetime(2026, 10, 31, 23, 59), SYDNEY)
def test_a_month_is_the_latest_that_has_begun(month: int, now: datetime, zone: str) -> None:
    today = now.date()
    year = today.year if month <= today.month else today.year - 1
    last = date(year, month, monthrange(year, month)[1])
    name = MONTH_NAMES[month - 1]
    holds(back(name, now, zone), date(year, month, 1), min(last, today), zone)
    holds(back(f"before {name}", now, zone), None, date(year, month, 1) - DAY, zone)
    holds(back(f"until {name}", now, zone), None, min(last, today), zone)
    holds(back(f"since {name}", now, zone), date(year, month, 1), today, zone)
    for written in (f"{name} {today.year - 1}", f"{name} '{(today.year - 1) % 100:02d}"):
        last = date(today.year - 1, month, monthrange(today.year - 1, month)[1])
        holds(back(written, now, zone), date(today.year - 1, month, 1), last, zone)


@pytest.mark.long
@settings(deadline=None)
@given(st.integers(1, 7), moments, zones)
def test_a_weekday_is_the_latest_that_has_begun(number: int, now: datetime, zone: str) -> None:
    day = now.date()
    while day.isoweekday() != number:
        day -= DAY
    name = WEEKDAY_NAMES[number - 1]
    holds(back(name, now, zone), day, day, zone)
    holds(back(f"before {name}", now, zone), None, day - DAY, zone)
    holds(back(f"until {name}", now, zone), None, day, zone)
    monday = now.date() - timedelta(days=now.weekday())
    holds(back(f"last {name}", now, zone), monday - 8 * DAY + number * DAY, monday - 8 * DAY + number * DAY, zone)


@pytest.mark.long
@settings(deadline=None)
@given(st.integers(1, 4), moments, zones)
def test_a_quarter_is_the_latest_that_has_begun(number: int, now: datetime, zone: str) -> None:
    today = now.date()
    year = today.year if date(today.year, 3 * number - 2, 1) <= today else today.year - 1
    last = date(year, 3 * number, monthrange(year, 3 * number)[1])
    ordinal = ("first", "second", "third", "fourth")[number - 1]
    for phrase in (f"Q{number}", f"quarter {number}", f"the {ordinal} quarter"):
        holds(back(phrase, now, zone), date(year, 3 * number - 2, 1), min(last, today), zone)
    last = date(today.year - 2, 3 * number, monthrange(today.year - 2, 3 * number)[1])
    holds(back(f"Q{number} {today.year - 2}", now, zone), date(today.year - 2, 3 * number - 2, 1), last, zone)


@pytest.mark.long
@settings(deadline=None)
@given(moments, zones, st.integers(1, 8))
def test_a_year_is_read_in_digits(now: datetime, zone: str, ago: int) -> None:
    year = now.year - ago
    for phrase in (f"{year}", f"in {year}", f"'{year % 100:02d}"):
        holds(back(phrase, now, zone), date(year, 1, 1), date(year, 12, 31), zone)
    holds(back(f"before {year}", now, zone), None, date(year - 1, 12, 31), zone)
    refused(f"{now.year + 1}", now, zone)


FINANCIAL = {"AU": (7, 1), "NZ": (4, 1), "GB": (4, 6)}
PLACES = {"AU": ("Australia/Perth", SYDNEY), "NZ": ("Pacific/Auckland",), "GB": ("Europe/London",)}


@pytest.mark.long
@settings(deadline=None)
@given(st.sampled_from([(country, zone) for country in PLACES for zone in PLACES[country]]), moments, st.booleans())
@example(("AU", SYDNEY), datetime(2026, 6, 30, 23, 59), True)
@example(("AU", SYDNEY), datetime(2026, 7, 1, 0, 0), False)
@example(("NZ", "Pacific/Auckland"), datetime(2026, 4, 1, 0, 0), False)
@example(("GB", "Europe/London"), datetime(2026, 4, 5, 12, 0), True)
@example(("GB", "Europe/London"), datetime(2026, 4, 6, 0, 0), True)
def test_a_financial_year_is_that_of_the_country_and_named_by_its_end(
    place: tuple[str, str], now: datetime, told: bool
) -> None:
    country, zone = place
    today = now.date()
    month, day = FINANCIAL[country]
    first = date(today.year - ((today.month, today.day) < (month, day)), month, day)
    ends = first.year + 1
    known = country if told else None
    for phrase in ("this financial year", f"FY{ends}", f"FY{ends % 100:02d}", "financial year to date", "this FY"):
        holds(back(phrase, now, zone, known), first, today, zone)
    last = first - DAY
    before_that = date(first.year - 1, month, day)
    span = f"{ends - 2}-{(ends - 1) % 100:02d}"
    for phrase in ("last financial year", f"FY{(ends - 1) % 100:02d}", f"FY {span}", f"{span} financial year"):
        holds(back(phrase, now, zone, known), before_that, last, zone)
    refused(f"FY{ends + 1}", now, zone, known)


def test_elsewhere_a_financial_year_is_an_error() -> None:
    for zone, country in (("America/New_York", None), ("Europe/Dublin", None), (SYDNEY, "US"), (SYDNEY, "IE")):
        for phrase in ("this financial year", "FY26"):
            refused(phrase, TUESDAY, zone, country)
    with pytest.raises(NotUnderstood):
        back("FY24-26")


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), units, moments, zones)
@example(3, 6, "month", datetime(2026, 8, 31, 9), SYDNEY)
def test_distances_ago_are_days_by_the_calendar(one: int, other: int, unit: str, now: datetime, zone: str) -> None:
    near, far = sorted((before(now.date(), count, unit) for count in (one, other)), reverse=True)
    for phrase in (f"{one} to {other} {unit}s ago", f"between {one} and {other} {unit}s ago"):
        holds(back(phrase, now, zone), far, near, zone)
    day = before(now.date(), one, unit)
    holds(back(f"{one} {unit}s ago", now, zone), day, day, zone)
    for words in ("more than", "over", "longer than"):
        holds(back(f"{words} {one} {unit}s ago", now, zone), None, day - DAY, zone)
    holds(back(f"at least {one} {unit}s ago", now, zone), None, day, zone)
    if day + DAY <= now.date():
        holds(back(f"less than {one} {unit}s ago", now, zone), day + DAY, now.date(), zone)


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(moments, st.integers(-400, 400), st.integers(1, 100), zones)
def test_a_date_or_range_without_a_year_is_the_latest_that_has_begun(
    now: datetime, shift: int, length: int, zone: str
) -> None:
    start = now.date() + timedelta(days=shift)
    end = start + timedelta(days=length)
    if (2, 29) in {(start.month, start.day), (end.month, end.day)}:
        return
    first = max(
        date(year, start.month, start.day)
        for year in (now.year, now.year - 1)
        if date(year, start.month, start.day) <= now.date()
    )
    last = date(first.year + (end.year - start.year), end.month, end.day)
    holds(back(f"{start.day} {start:%B}", now, zone), first, first, zone)
    holds(back(f"before {start.day}/{start.month}", now, zone, "AU"), None, first - DAY, zone)
    holds(back(f"until {start.day}/{start.month}", now, zone, "AU"), None, first, zone)
    phrase = f"{start.day} {start:%B} to {end.day} {end:%B}"
    holds(back(phrase, now, zone), first, min(last, now.date()), zone)


@pytest.mark.long
@settings(deadline=None)
@given(moments, zones)
def test_what_is_wholly_ahead_is_refused_and_never_empty(now: datetime, zone: str) -> None:
    for phrase in (
        "tomorrow",
        "next week",
        "next month",
        "in 2 weeks",
        "the next 4 weeks",
        "next Tuesday",
        "in an hour",
    ):
        refused(phrase, now, zone)
    refused(f"{now.date() + DAY:%Y-%m-%d} to {now.date() + 3 * DAY:%Y-%m-%d}", now, zone)
    first = now.date() - 3 * DAY
    holds(back(f"{first:%Y-%m-%d} to {now.date() + 3 * DAY:%Y-%m-%d}", now, zone), first, now.date(), zone)


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        known_phrases, mixtures, st.sampled_from(BACKWARD), st.lists(vocabulary, min_size=1, max_size=7).map(" ".join)
    ),
    moments,
    zones,
)
def test_facing_back_never_ends_after_today_and_starts_before_it_ends(phrase: str, now: datetime, zone: str) -> None:
    try:
        when = back(phrase, now, zone)
    except NotUnderstood:
        return
    assert when.end.astimezone(UTC) <= midnight(now.date() + DAY, zone)
    present = now.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if when.start is not None:
        assert when.start.astimezone(UTC) < when.end.astimezone(UTC)
        assert when.start.astimezone(UTC) <= present + timedelta(hours=1)  # the clock may skip this hour


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.one_of(known_phrases, mixtures), moments, zones)
def test_the_other_directions_end_after_they_start(phrase: str, now: datetime, zone: str) -> None:
    for facing in (Facing.WHOLE, Facing.EITHER):
        try:
            when = parse_when(phrase, now=now, zone=zone, facing=facing)
        except NotUnderstood:
            continue
        assert when.start is None or when.start.astimezone(UTC) < when.end.astimezone(UTC)


LOCAL = [
    ("weekdays", "2026-11-18T00:00 2026-11-25T00:00 mon,tue,wed,thu,fri"),
    ("Mon-Fri", "2026-11-23T00:00 2026-11-25T00:00"),
    ("the weekend", "2026-11-21T00:00 2026-11-23T00:00"),
    ("Tuesday evening", "2026-11-17T17:00 2026-11-18T00:00"),
    ("mornings last week", "2026-11-16T00:00 2026-11-23T00:00 00:00-12:00"),
    ("last month bar Mondays", "2026-10-01T00:00 2026-11-01T00:00 tue,wed,thu,fri,sat,sun"),
    ("after 3", "2026-11-23T15:00 2026-11-24T00:00"),
    ("at 9", "2026-11-24T09:00 2026-11-24T09:01"),
    ("the first half of October", "2026-10-01T00:00 2026-10-16T00:00"),
    ("second half of last week", "2026-11-19T00:00 2026-11-23T00:00"),
    ("H1", "2026-01-01T00:00 2026-07-01T00:00"),
    ("Q1 FY26", "2025-07-01T00:00 2025-10-01T00:00"),
    ("the first quarter of this financial year", "2026-07-01T00:00 2026-10-01T00:00"),
    ("FY26 Q2", "2025-10-01T00:00 2026-01-01T00:00"),
    ("Q1-Q2 2026", "2026-01-01T00:00 2026-07-01T00:00"),
    ("since the start of the year", "2026-01-01T00:00 2026-11-25T00:00"),
    ("no more than 6 months ago", "2026-05-24T00:00 2026-11-25T00:00"),
    ("last full week", "2026-11-16T00:00 2026-11-23T00:00"),
    ("past 3 hours", "2026-11-24T07:37 2026-11-24T10:37"),
    ("29 February", "2024-02-29T00:00 2024-03-01T00:00"),
    ("the 31st", "2026-10-31T00:00 2026-11-01T00:00"),
    ("first Monday in December", "2025-12-01T00:00 2025-12-02T00:00"),
]


@pytest.mark.parametrize(("phrase", "expected"), LOCAL)
def test_further_phrases_face_back(phrase: str, expected: str) -> None:
    when = back(phrase)
    assert isinstance(when, When)
    assert formatted(when) == expected


def test_an_open_start_keeps_its_weekdays_and_hours() -> None:
    when = back("Friday mornings before 20 November")
    assert isinstance(when, OpenWhen) and when.start is None
    zone = ZoneInfo(SYDNEY)
    assert when.contains(datetime(2020, 1, 3, 9, tzinfo=zone))
    assert not when.contains(datetime(2020, 1, 3, 13, tzinfo=zone))
    assert not when.contains(datetime(2020, 1, 2, 9, tzinfo=zone))
    assert not when.contains(datetime(2026, 11, 20, 9, tzinfo=zone))
    closed = when.since(datetime(2026, 11, 10, tzinfo=zone))
    assert [start.day for start, _ in closed.windows()] == [13]


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("this week", "2026-11-23T00:00 2026-11-30T00:00"),
        ("this month", "2026-11-01T00:00 2026-12-01T00:00"),
        ("this quarter", "2026-10-01T00:00 2027-01-01T00:00"),
        ("this year", "2026-01-01T00:00 2027-01-01T00:00"),
        ("November", "2026-11-01T00:00 2026-12-01T00:00"),
        ("next week", "2026-11-30T00:00 2026-12-07T00:00"),
        ("last week", "2026-11-16T00:00 2026-11-23T00:00"),
        ("last 2 weeks", "2026-11-10T00:00 2026-11-24T00:00"),
        ("next 2 weeks", "2026-11-24T00:00 2026-12-08T00:00"),
        ("this financial year", "2026-07-01T00:00 2027-07-01T00:00"),
    ],
)
def test_utilisation_reads_bare_spans_whole(phrase: str, expected: str) -> None:
    assert formatted(parse_when(phrase, now=TUESDAY, zone=SYDNEY, facing=Facing.WHOLE)) == expected


@pytest.mark.long
@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 7), moments, zones)
def test_utilisation_reads_a_bare_name_as_the_nearest(month: int, number: int, now: datetime, zone: str) -> None:
    today = now.date()
    months = [
        (date(year, month, 1), date(year, month, monthrange(year, month)[1]))
        for year in (today.year - 1, today.year, today.year + 1)
    ]
    first, last = min(reversed(months), key=lambda days: max(days[0] - today, today - days[1], DAY * 0))
    holds(parse_when(MONTH_NAMES[month - 1], now=now, zone=zone, facing=Facing.WHOLE), first, last, zone)
    day = min(
        (today + shift * DAY for shift in range(-6, 8)), key=lambda at: (at.isoweekday() != number, abs(at - today))
    )
    holds(parse_when(WEEKDAY_NAMES[number - 1], now=now, zone=zone, facing=Facing.WHOLE), day, day, zone)
