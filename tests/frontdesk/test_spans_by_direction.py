"""A phrase at several sites: each by its own clock, in each direction, and what was printed of it read back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import OpenSpan, Span, read_span
from cliniko_mcp.phrases import Anchor, Facing

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SITES = {"Northside": "Australia/Sydney", "West and Wharf": "Australia/Perth", "City": "Australia/Sydney"}
PHRASES = [
    *("tomorrow afternoon", "this week", "Thursday after 3", "next 2 weeks", "weekday mornings next week", "at 4"),
    *("last 4 weeks", "before March", "until yesterday", "this month", "past 3 hours", "Fridays before 20 November"),
]


def clinic(names: tuple[str, ...]) -> Roster:
    sites = [
        Known(
            str(number),
            name,
            Business.model_validate(
                {"id": str(number), "business_name": name, "time_zone_identifier": SITES[name], "country_code": "AU"}
            ),
            names=(name,),
        )
        for number, name in enumerate(names, 1)
    ]
    return Roster([], sites, [], ZoneInfo("Australia/Sydney"))


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PHRASES),
    st.sampled_from(list(Facing)),
    st.lists(st.sampled_from(list(SITES)), min_size=1, unique=True).map(tuple),
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 12, 31)).map(lambda now: now.replace(tzinfo=UTC)),
)
def test_what_is_printed_of_a_span_is_read_back_at_every_site(
    phrase: str, facing: Facing, names: tuple[str, ...], now: datetime
) -> None:
    roster = clinic(names)
    try:
        span = read_span(phrase, now, roster, facing=facing)
    except NotUnderstood:
        return
    again = read_span(span.description, now, roster, facing=facing)
    assert span.places == again.places, (span.description, again.description)
    assert span.description == again.description


def test_facing_back_a_span_may_have_no_start_at_any_site() -> None:
    span = read_span("before March", NOW, clinic(("Northside", "West and Wharf")), facing=Facing.BACK)
    assert isinstance(span, OpenSpan)
    assert [span.at(site).start for site in ("1", "2", "9")] == [None, None, None]
    assert span.end == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert span.description == "up to and including Saturday 28 February 2026 (Australia/Sydney at Northside, " + (
        "Australia/Perth at West and Wharf)"
    )
    closed = span.since(datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(closed, Span)
    assert closed.bounds == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC))


def test_a_visit_is_moved_by_the_clock_of_its_site() -> None:
    perth = ZoneInfo("Australia/Perth")
    visit = Anchor(datetime(2026, 12, 2, 9, tzinfo=perth), datetime(2026, 12, 2, 10, tzinfo=perth))
    span = read_span("the day after", NOW, clinic(("West and Wharf",)), anchor=visit)
    assert span.at("1").start == datetime(2026, 12, 3, 9, tzinfo=perth)


def test_without_a_direction_a_phrase_faces_ahead() -> None:
    with pytest.raises(NotUnderstood):
        read_span("before March 2026", NOW, clinic(("Northside",)))
    assert read_span("this week", NOW, clinic(("Northside",))).home.start.day == 24
