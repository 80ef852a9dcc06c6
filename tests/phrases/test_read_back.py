"""What an answer prints for a time or span is read back as the same interval, in every direction and zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, Facing, OpenWhen, When, parse_when
from cliniko_mcp.phrases.format import describe

from .formatting import SYDNEY, TUESDAY, parse
from .test_reading_laws import known_phrases, mixtures, moments, zones

facings = st.sampled_from(list(Facing))
BACKWARD = [
    *("before March", "until yesterday", "more than 6 months ago", "until now", "Fridays before 20 November"),
    *("last 4 weeks", "last 2 full weeks", "3 to 6 months ago", "this quarter", "since Monday", "mornings last week"),
    *("before 2 hours ago", "last month except Fridays", "past 3 hours"),
    *("at 9 before March", "mornings until yesterday"),
]
# hours that come twice, or not at all
CHANGES = [
    *((SYDNEY, datetime(2026, 4, 5, 2, 30)), (SYDNEY, datetime(2026, 10, 4, 1, 30))),
    *(("Europe/London", datetime(2026, 10, 25, 1, 30)), ("Europe/London", datetime(2026, 3, 29, 0, 30))),
    *(("America/Havana", datetime(2026, 11, 1, 0, 30)), ("America/Havana", datetime(2026, 3, 8, 1, 30))),
    *(("Australia/Lord_Howe", datetime(2026, 4, 5, 1, 45)), ("Pacific/Auckland", datetime(2026, 4, 5, 2, 59))),
]


def same(left: When | OpenWhen, right: When | OpenWhen) -> bool:
    starts = [when.start and when.start.astimezone(UTC) for when in (left, right)]
    ends = [when.end.astimezone(UTC) for when in (left, right)]
    return (
        starts[0] == starts[1]
        and ends[0] == ends[1]
        and (left.weekdays, left.times, left.description) == (right.weekdays, right.times, right.description)
    )


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.one_of(known_phrases, mixtures, st.sampled_from(BACKWARD)), moments, zones, facings)
def test_the_description_of_an_interval_is_read_as_that_interval(
    phrase: str, now: datetime, zone: str, facing: Facing
) -> None:
    try:
        when = parse_when(phrase, now=now, zone=zone, facing=facing)
    except NotUnderstood:
        return
    if when.start is not None and not when.start.year > 1900:
        return
    again = parse_when(when.description, now=now, zone=zone, facing=facing)
    assert same(when, again), (when, again)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    st.integers(1, 60 * 24 * 60),
    zones,
    moments,
)
def test_any_interval_is_read_back_at_any_moment(start: datetime, minutes: int, zone: str, now: datetime) -> None:
    opens = start.replace(second=0, microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(zone))
    closes = (opens.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(opens.tzinfo)
    text = describe(opens, closes, frozenset(), (), ZoneInfo(zone))
    again = parse_when(text, now=now, zone=zone)
    assert (again.start.astimezone(UTC), again.end.astimezone(UTC)) == (opens.astimezone(UTC), closes.astimezone(UTC))
    assert again.description == text


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CHANGES), st.integers(-180, 180), st.integers(1, 400), st.integers(0, 1))
def test_intervals_around_a_change_of_the_clock_are_read_back(
    change: tuple[str, datetime], shift: int, minutes: int, fold: int
) -> None:
    zone = ZoneInfo(change[0])
    opens = (change[1].replace(tzinfo=zone, fold=fold).astimezone(UTC) + timedelta(minutes=shift)).astimezone(zone)
    closes = (opens.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(zone)
    text = describe(opens, closes, frozenset(), (), zone)
    again = parse_when(text, now=TUESDAY, zone=zone)
    assert (again.start.astimezone(UTC), again.end.astimezone(UTC)) == (opens.astimezone(UTC), closes.astimezone(UTC))


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        ["4pm", "an hour later", "the day before", "Friday", "next week", "afternoon", "after 4", "tomorrow"]
    ),
    moments,
    zones,
    st.integers(60, 60 * 24 * 40),
)
def test_what_is_answered_for_a_visit_is_read_back_for_it(phrase: str, now: datetime, zone: str, ahead: int) -> None:
    start = (now.replace(tzinfo=UTC) + timedelta(minutes=ahead)).astimezone(ZoneInfo(zone))
    visit = Anchor(start, start + timedelta(minutes=30))
    try:
        when = parse_when(phrase, now=now, zone=zone, anchor=visit)
    except NotUnderstood:
        return
    assert same(when, parse_when(when.description, now=now, zone=zone, anchor=visit))


@given(moments, zones)
@example(datetime(2026, 4, 4, 15, 30), SYDNEY)
@example(datetime(2026, 4, 4, 16, 30), SYDNEY)
@settings(deadline=None)
def test_a_time_of_a_row_is_read_back(moment: datetime, zone: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    when = parse_when(f"{local.isoformat(timespec='minutes')} {local:%a}", now=TUESDAY, zone=zone)
    assert when.start.astimezone(UTC) == local.astimezone(UTC)
    day = parse_when(f"{local.date().isoformat()} {local:%a}", now=TUESDAY, zone=zone)
    assert day.start.date() == local.date()


def test_a_weekday_that_does_not_fit_its_time_is_refused() -> None:
    for phrase in ("2026-11-24T16:10+11:00 Wed", "2026-11-24 Wed"):
        with pytest.raises(NotUnderstood, match="is a Tuesday"):
            parse(phrase)


def test_a_span_printed_in_another_zone_is_the_same_instants() -> None:
    perth = parse("tomorrow at 3", zone="Australia/Perth")
    assert parse(perth.description).start.astimezone(UTC) == perth.start.astimezone(UTC)
    with pytest.raises(NotUnderstood):
        parse(parse("Mon and Wed mornings next week", zone="Australia/Perth").description)
