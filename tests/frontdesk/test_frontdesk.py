"""The shared nouns of the curated tools: stretches of time, names, and reads at once."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk.availability import next_start, starts_in
from cliniko_mcp.frontdesk.clock_text import end_of, times
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import Tier, fits, fold, likeness, words
from cliniko_mcp.frontdesk.working_hours import Stretch, joined, within, without

DAY = datetime(2026, 11, 24, tzinfo=UTC)
SYDNEY = ZoneInfo("Australia/Sydney")


def at(minute: int) -> datetime:
    return DAY + timedelta(minutes=minute)


def stretch(pair: tuple[int, int]) -> Stretch:
    return Stretch(at(pair[0]), at(pair[0] + pair[1]))


def minutes(stretches: list[Stretch]) -> set[int]:
    minute = timedelta(minutes=1)
    return {step for one in stretches for step in range((one.starts - DAY) // minute, (one.ends - DAY) // minute)}


PAIRS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)).map(stretch), max_size=8)


@given(PAIRS)
def test_joined_stretches_hold_the_same_minutes_apart_and_in_order(stretches: list[Stretch]) -> None:
    found = joined(stretches)
    assert minutes(found) == minutes(stretches)
    assert all(one.ends < other.starts for one, other in pairwise(found))


@given(PAIRS, PAIRS)
def test_what_is_left_is_every_minute_that_nothing_takes(open_: list[Stretch], taken: list[Stretch]) -> None:
    left = without(joined(open_), taken)
    assert minutes(left) == minutes(open_) - minutes(taken)
    assert all(stretch.starts < stretch.ends for stretch in left)


@pytest.mark.long
@given(PAIRS, PAIRS)
def test_what_lies_within_is_every_minute_of_both(some: list[Stretch], windows: list[Stretch]) -> None:
    assert minutes(within(joined(some), joined(windows))) == minutes(some) & minutes(windows)


@given(PAIRS, PAIRS, st.integers(5, 60), st.integers(0, 200))
def test_every_start_fits_and_a_stretch_with_room_has_one(
    free: list[Stretch], windows: list[Stretch], length: int, now: int
) -> None:
    free, windows = joined(free), joined(windows)
    long = timedelta(minutes=length)
    starts = list(starts_in(free, windows, long, at(now)))
    spare, inside = minutes(free), minutes(windows)
    for start in starts:
        begins = (start - DAY) // timedelta(minutes=1)
        assert start >= at(now)
        assert begins in inside
        assert set(range(begins, begins + length)) <= spare
    for open_ in within(within(free, windows), [(next_start(at(now)), at(10_000))]):
        if open_.length >= long:
            assert any(open_.starts <= start < open_.ends for start in starts)


@pytest.mark.parametrize(("now", "first"), [
    ("09:00:00", "09:00"), ("09:00:01", "09:05"), ("09:01:00", "09:05"), ("09:04:00", "09:05"), ("09:04:59", "09:05"),
    ("09:05:00", "09:05"), ("09:04:00.000001", "09:05"), ("09:05:00.000001", "09:10"), ("09:55:30", "10:00"),
])  # fmt: skip
def test_the_first_start_is_the_five_minutes_that_are_now_or_come_next(now: str, first: str) -> None:
    start = next_start(datetime.fromisoformat(f"2026-11-24T{now}+11:00"))
    assert start == datetime.fromisoformat(f"2026-11-24T{first}+11:00")


@pytest.mark.parametrize(("starts", "minutes", "end", "span"), [
    ("2026-11-24T23:15", 30, "23:45", "23:15-23:45"),
    ("2026-11-24T23:30", 30, "24:00", "23:30-24:00"),
    ("2026-11-24T23:30", 50, "2026-11-25T00:20+11:00 Wed", "2026-11-24 23:30 to 2026-11-25 00:20"),
    ("2026-11-24T00:00", 1440, "24:00", "00:00-24:00"),
    ("2026-11-24T00:00", 2880, "2026-11-26T00:00+11:00 Thu", "2026-11-24 00:00 to 2026-11-25 24:00"),
    ("2027-04-04T01:30", 30, "02:00", "01:30-02:00"),
    ("2027-04-04T01:30", 90, "2027-04-04T02:00+10:00 Sun", "01:30-02:00"),
])  # fmt: skip
def test_an_end_says_all_that_its_beginning_leaves_open(starts: str, minutes: int, end: str, span: str) -> None:
    first = datetime.fromisoformat(starts).replace(tzinfo=SYDNEY).astimezone(UTC)
    last = first + timedelta(minutes=minutes)
    assert (end_of(first, last, SYDNEY), times(first, last, SYDNEY)) == (end, span)


@pytest.mark.parametrize(("query", "name", "tier"), [
    ("zoe muller", "Zoë Müller", "exact"), ("Dr Ng", "Mei Ng", "words"), ("Ng Mei", "Dr Mei Ng", "exact"),
    ("fairw", "Chloe Fairweather", "prefixes"), ("obrien siobhan", "Siobhán O'Brien", "exact"),
])  # fmt: skip
def test_names_fit_without_accents_titles_and_order(query: str, name: str, tier: Tier) -> None:
    assert fits(words(query), [name], tier)
    assert not fits(words("somebody else"), [name], tier)


def test_one_word_does_not_count_twice() -> None:
    assert not fits(words("ana ana"), ["Ana Lima"], "prefixes")


@example("🄐", "")
@given(st.text(max_size=40), st.text(max_size=40))
def test_folding_settles_and_likeness_stays_within_its_bounds(one: str, other: str) -> None:
    assert fold(fold(one)) == fold(one)
    assert 0 <= likeness(words(one), other) <= 100


def test_reads_at_once_come_back_in_order_and_the_first_error_comes_out_as_it_is() -> None:
    async def after(beats: int, value: int) -> int:
        for _ in range(beats):
            await anyio.lowlevel.checkpoint()
        return value

    async def fails() -> int:
        await anyio.lowlevel.checkpoint()
        raise NotFound("no such thing")

    async def story() -> None:
        assert await run_concurrently(*(partial(after, 5 - value, value) for value in range(5))) == (0, 1, 2, 3, 4)
        assert await run_concurrently(lambda: after(2, 1), lambda: after(1, 2)) == (1, 2)
        with pytest.raises(NotFound, match="no such thing"):
            await run_concurrently(lambda: after(50, 1), lambda: run_concurrently(fails, fails))

    anyio.run(story)
