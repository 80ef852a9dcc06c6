"""Spans of days and sites: what is known as dates is not written as a phrase to be read again."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, read_span

ZONES = ("Australia/Sydney", "Australia/Perth", "Europe/London", "America/St_Johns", "Pacific/Auckland")
NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)


def site(number: int, zone: str) -> Known[Business]:
    record = Business.read({"id": str(number), "business_name": f"Site {number}", "time_zone_identifier": zone})
    return Known(str(number), f"Site {number}", record)


def roster(zones: list[str], home: str) -> Roster:
    return Roster((), [site(number, zone) for number, zone in enumerate(zones, 1)], (), ZoneInfo(home))


places = st.lists(st.sampled_from(ZONES), max_size=3)
days = st.dates(date(2026, 1, 1), date(2028, 12, 31))


@pytest.mark.long
@settings(max_examples=60)
@given(places, st.sampled_from(ZONES), days, st.integers(0, 90))
def test_a_span_of_days_is_what_their_phrase_would_be_read_as(zones: list[str], home: str, first: date, more: int):
    last = first + timedelta(days=more)
    clinic = roster(zones, home)

    made, read = Span.of_days(first, last, clinic), read_span(f"{first} to {last}", NOW, clinic)

    assert made == read
    assert (made.description, made.zone, made.bounds) == (read.description, read.zone, read.bounds)


@pytest.mark.long
@settings(max_examples=60)
@given(st.lists(st.sampled_from(ZONES), min_size=1, max_size=4), st.sampled_from(ZONES), st.data())
def test_a_span_narrowed_to_some_sites_is_as_if_read_for_them_alone(zones: list[str], home: str, data: st.DataObject):
    clinic = roster(zones, home)
    phrase = data.draw(st.sampled_from(["tomorrow afternoon", "next 14 days", "Thursday at 9", "weekday mornings"]))
    some = data.draw(st.lists(st.sampled_from(clinic.sites), min_size=1, unique_by=lambda known: known.id))

    assert read_span(phrase, NOW, clinic).narrowed(some) == read_span(phrase, NOW, clinic, some)
