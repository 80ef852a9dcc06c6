"""Stretches that come back, in the words of a desk: every wording means the same days."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import anyio
import pytest

from cliniko_mcp.errors import ClinikoMcpError, InvalidArguments
from cliniko_mcp.frontdesk.repeated_spans import RepeatedSpan, read_repeated
from cliniko_mcp.frontdesk.series import read_repeat

from .clinics import front_desk, load

SIX_MONDAYS = (
    "every Monday 12 to 1 for 6 weeks", "each Monday 12-1 for six weeks", "Mondays 12 to 1 for 6 weeks",
    "weekly on Monday 12 to 1, 6 times", "Monday 12 to 1 weekly x6", "every Monday from 12 until 1 until 4 January",
    "every week on Monday 12 to 1 for the next 6 weeks", "Monday 30 November 2026, 12:00 to 13:00, weekly x6",
    "every Monday 12 to 1 starting 30 November, 6 times", "once a week on Monday 12 to 1, 6 times",
    "Mondays 12 to 1, 6 times", "Monday 12 to 1, a week apart x6", "each week on Monday 12 to 1 for six weeks",
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


def test_what_has_no_end_or_two_that_contradict_each_other_is_refused() -> None:
    phrases = (
        "every Monday from 12 until 1",
        "every Monday 12 to 1 for 6 weeks, 4 times",
        "every Monday 12 to 1 until 4 January x5",
        "every Monday lunch",
        "first Monday of every month 12 to 1, 6 times",
        "Monday 12 to 1 monthly x6",
    )
    assert all(isinstance(problem, ClinikoMcpError) for problem in read_all(*phrases))


STEPS = {
    "weekly": (0, 7, 14), "every other week": (0, 14, 28), "every second week": (0, 14, 28), "fortnightly": (0, 14, 28),
    "every 3 weeks": (0, 21, 42), "every three weeks": (0, 21, 42), "3 weeks apart": (0, 21, 42), "daily": (0, 1, 2),
    "every 2 days": (0, 2, 4), "monthly": (), "once a month": (), "every 2 months": (),
}  # fmt: skip


def test_visits_and_blocked_out_time_come_back_alike() -> None:
    first = datetime(2026, 12, 31, 1, tzinfo=UTC)
    zone = ZoneInfo("Australia/Sydney")
    spans = read_all(*(f"31 December 2026 12:00 to 13:00, {step} x3" for step in STEPS))
    for (step, days), span in zip(STEPS.items(), spans, strict=True):
        assert isinstance(span, RepeatedSpan), (step, span)
        (site,) = span.span.places
        starts = [start for start, _ in span.windows(site)]
        repeat = read_repeat(f"{step} x3", first, first - timedelta(days=30), zone)
        assert starts == [first, *repeat.starts(first, zone)], step
        if "month" not in step:
            assert [(start - first).days for start in starts] == [*days], step


@pytest.mark.long_but_one
@pytest.mark.parametrize("step", ["weekly", "every other week", "every 3 weeks", "every day", "monthly"])
@pytest.mark.parametrize("end", [
    "for 3 weeks", "for a month", "over the next 2 months", "for a year", "until 9 March 2027", "up to 10 February",
    "for the rest of the month", "before 1 March 2027", "x4", "six more", "7 times in all", "for 4 sessions", "5x",
])  # fmt: skip
def test_visits_and_blocked_out_time_end_alike(step: str, end: str) -> None:
    first = datetime(2027, 1, 5, 1, tzinfo=UTC)
    zone = ZoneInfo("Australia/Sydney")
    (span,) = read_all(f"5 January 2027 12:00 to 13:00, {step}, {end}")
    try:
        due = [first, *read_repeat(f"{step}, {end}", first, first - timedelta(days=3), zone).starts(first, zone)]
    except InvalidArguments:  # one visit, or more than Cliniko makes
        return
    assert isinstance(span, RepeatedSpan), span
    assert [start for start, _ in span.windows(next(iter(span.span.places)))] == due


def test_what_is_printed_of_a_repeat_is_read_back() -> None:
    printed: list[str] = []
    spans = read_all(*(f"31 December 2026 12:00 to 13:00, {step} x3" for step in STEPS))
    for span in spans:
        assert isinstance(span, RepeatedSpan)
        printed.append(span.description_at([]).replace(" (Australia/Sydney)", ""))
    for before, after in zip(spans, read_all(*printed), strict=True):
        assert isinstance(before, RepeatedSpan) and isinstance(after, RepeatedSpan), (printed, after)
        (site,) = before.span.places
        assert before.windows(site) == after.windows(site), printed


@pytest.mark.parametrize("phrase", ["1 to 14 March 2027, weekly x3"])
def test_what_is_longer_than_the_time_between_is_refused(phrase: str) -> None:
    (span,) = read_all(phrase)
    assert isinstance(span, RepeatedSpan)
    with pytest.raises(ClinikoMcpError):
        span.windows(next(iter(span.span.places)))


@pytest.mark.parametrize(
    ("phrase", "days"),
    [
        ("every day 12 to 1 from 2 March 2027 for 2 days", (2, 3)),
        ("daily 12 to 1 starting 2 March 2027 x2", (2, 3)),
        ("every 2 days 12 to 1 from 2 March 2027 x2", (2, 4)),
        ("every weekday 12 to 1 from 3 March 2027 x2", (3, 4)),
        ("every Monday 12 to 1 from 1 March 2027 x2", (1, 8)),
        ("every Monday 12 to 1 from 2 March 2027 x2", (8, 15)),
    ],
)
def test_what_comes_back_from_a_day_does_not_begin_before_it(phrase: str, days: tuple[int, int]) -> None:
    (span,) = read_all(phrase)
    assert isinstance(span, RepeatedSpan)
    (site,) = span.span.places
    sydney = ZoneInfo("Australia/Sydney")
    assert [str(start.astimezone(sydney).date()) for start, _ in span.windows(site)] == [
        f"2027-03-{day:02}" for day in days
    ]
