"""Stretches that come back, in the words of a desk: every wording means the same days."""

from datetime import UTC, datetime

import anyio
import pytest

from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.frontdesk.repeated_spans import RepeatedSpan, read_repeated

from .clinics import front_desk, load

SIX_MONDAYS = (
    "every Monday 12 to 1 for 6 weeks", "each Monday 12-1 for six weeks", "Mondays 12 to 1 for 6 weeks",
    "weekly on Monday 12 to 1, 6 times", "Monday 12 to 1 weekly x6", "every Monday from 12 until 1 until 4 January",
    "every week on Monday 12 to 1 for the next 6 weeks", "Monday 30 November 2026, 12:00 to 13:00, weekly x6",
    "every Monday 12 to 1 starting 30 November, 6 times",
)  # fmt: skip
ONCE = ("Friday 12 to 1", "next week except Wednesday", "every day next week 12 to 1", "20 December until 6 January")


def read_all(*phrases: str) -> list[RepeatedSpan | ClinikoMcpError]:
    found: list[RepeatedSpan | ClinikoMcpError] = []

    async def read() -> None:
        async with front_desk() as (_, clinic):
            roster, now = await load(clinic)
            for phrase in phrases:
                try:
                    found.append(read_repeated(phrase, now, roster, [roster.business("Northside")]))
                except ClinikoMcpError as problem:
                    found.append(problem)

    anyio.run(read)
    return found


def test_every_wording_of_six_mondays_means_the_same_six_hours() -> None:
    due = [(datetime(2026, 11, 30, 1, tzinfo=UTC).timestamp() + 7 * 86400 * week) for week in range(6)]
    for phrase, span in zip(SIX_MONDAYS, read_all(*SIX_MONDAYS), strict=True):
        assert isinstance(span, RepeatedSpan), (phrase, span)
        (site,) = span.span.places
        windows = span.windows(site)
        assert [start.timestamp() for start, _ in windows] == due, phrase
        assert {(end - start).total_seconds() for start, end in windows} == {3600}


def test_what_does_not_come_back_is_read_as_any_other_phrase() -> None:
    assert all(isinstance(span, RepeatedSpan) and not span.step for span in read_all(*ONCE))


def test_what_has_no_end_or_no_whole_number_of_times_is_refused() -> None:
    phrases = ("every Monday from 12 until 1", "every second Monday 9 to 10 for 3 weeks", "every Monday lunch")
    assert all(isinstance(problem, ClinikoMcpError) for problem in read_all(*phrases))


@pytest.mark.parametrize("phrase", ["1 to 14 March 2027, weekly x3"])
def test_what_is_longer_than_the_time_between_is_refused(phrase: str) -> None:
    (span,) = read_all(phrase)
    assert isinstance(span, RepeatedSpan)
    with pytest.raises(ClinikoMcpError):
        span.windows(next(iter(span.span.places)))
