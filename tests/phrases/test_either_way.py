"""Filters on when visits start look both ways: a bare name is refused with both readings, and the advice is read."""

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Facing, parse_when
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES

from .formatting import SYDNEY, TUESDAY


@pytest.mark.parametrize(
    ("phrase", "readings"),
    [
        ("Thursday", ("Thursday 19 November 2026", "Thursday 26 November 2026")),
        ("Tuesday", ("Tuesday 24 November 2026", "Tuesday 1 December 2026")),
        ("March", ("Sunday 1 March 2026", "Monday 1 March 2027")),
        ("before Friday", ("Friday 20 November 2026", "Friday 27 November 2026")),
        ("October to December", ("Thursday 1 October 2026", "Friday 1 October 2027")),
        ("the weekend", ("Saturday 21 November 2026", "Saturday 28 November 2026")),
        ("Q1", ("Thursday 1 January 2026", "Friday 1 January 2027")),
    ],
)
def test_a_bare_name_that_could_be_past_or_to_come_names_both(phrase: str, readings: tuple[str, str]) -> None:
    with pytest.raises(NotUnderstood) as refusal:
        parse_when(phrase, now=TUESDAY, zone=SYDNEY, facing=Facing.EITHER)
    assert all(reading in refusal.value.message for reading in readings)
    of_days = phrase in ("Thursday", "Tuesday", "before Friday", "the weekend")
    assert ('"last", "this" or "next"' if of_days else "say the year") in refusal.value.message


@pytest.mark.parametrize("name", [*WEEKDAY_NAMES, *MONTH_NAMES, "Q1", "Q2", "Q3", "Q4", "weekend"])
def test_what_the_refusal_of_a_bare_name_advises_is_read(name: str) -> None:
    try:
        parse_when(name, now=TUESDAY, zone=SYDNEY, facing=Facing.EITHER)
    except NotUnderstood as problem:
        ways = [f"{name} 2026", f"{name} 2027"] if "say the year" in problem.message else ["last", "this", "next"]
        for way in ways:
            phrase = way if name in way else f"{way} {name}"
            assert parse_when(phrase, now=TUESDAY, zone=SYDNEY, facing=Facing.EITHER), phrase


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("last Thursday", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("this Thursday", "2026-11-26T00:00", "2026-11-27T00:00"),
        ("next Thursday", "2026-12-03T00:00", "2026-12-04T00:00"),
        ("last week", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("this month", "2026-11-01T00:00", "2026-12-01T00:00"),
        ("March 2026", "2026-03-01T00:00", "2026-04-01T00:00"),
        ("Mondays last month", "2026-10-01T00:00", "2026-11-01T00:00"),
        ("before 3 December 2026", None, "2026-12-03T00:00"),
        ("tomorrow at 3", "2026-11-25T15:00", "2026-11-25T15:01"),
    ],
)
def test_a_filter_on_start_times_reads_what_says_its_direction(phrase: str, start: str | None, end: str) -> None:
    when = parse_when(phrase, now=TUESDAY, zone=SYDNEY, facing=Facing.EITHER)
    assert (when.start and f"{when.start:%Y-%m-%dT%H:%M}") == start
    assert f"{when.end:%Y-%m-%dT%H:%M}" == end
