"""Lists of many pages, read in order, each row once, however the list moves meanwhile."""

from collections.abc import Callable, Sequence
from contextlib import aclosing

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.client.pagination import Page, Sweep, drain, in_order, page_size, sweep
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import ClinikoRefused, RateLimited, Unavailable

from .virtual import run


class Row(Record):
    id: str


class Shelf:
    """A list upstream, served in pages. `moves` changes it after the page with that count has been served."""

    def __init__(
        self,
        rows: Sequence[int],
        *,
        latency: Callable[[int], float] = lambda _: 0.05,
        moves: dict[int, Callable[[list[int]], None]] | None = None,
        fails: dict[int, list[ClinikoRefused]] | None = None,
        totals: bool = True,
    ) -> None:
        self.rows = list(rows)
        self.latency = latency
        self.moves = moves or {}
        self.fails = fails or {}
        self.totals = totals
        self.fetched: list[tuple[int, int]] = []
        self.under_way = 0
        self.most_under_way = 0

    async def page(self, number: int, per_page: int) -> Page:
        self.fetched.append((number, per_page))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await anyio.sleep(self.latency(number))
        finally:
            self.under_way -= 1
        if waiting := self.fails.get(number):
            raise waiting.pop(0)
        begin, total = (number - 1) * per_page, len(self.rows)
        items = tuple(Row(id=str(number)) for number in self.rows[begin : begin + per_page])
        self.moves.pop(len(self.fetched), lambda _: None)(self.rows)
        return Page(items, total if self.totals else None, number, bool(items) and number * per_page < total)


def ids(rows: Sequence[Record]) -> list[int]:
    return [int(getattr(row, "id")) for row in rows]  # noqa: B009


def swept(shelf: Shelf, **options: object) -> Sweep:
    return run(lambda: sweep(shelf.page, **options))  # type: ignore[arg-type]


async def drained(shelf: Shelf, per_page: int = 100) -> list[int]:
    async with aclosing(drain(shelf.page, per_page=per_page)) as rows:
        return ids([row async for row in rows])


@settings(deadline=None)
@given(
    count=st.integers(0, 60),
    start=st.integers(0, 70),
    limit=st.integers(1, 80),
    per_page=st.integers(1, 12),
    totals=st.booleans(),
)
def test_a_sweep_is_the_slice_of_the_list_and_says_where_to_go_on(
    count: int, start: int, limit: int, per_page: int, totals: bool
) -> None:
    shelf = Shelf(range(count), totals=totals)
    found = swept(shelf, limit=limit, start=start, per_page=per_page)
    expected = list(range(count))[start : start + limit]
    assert ids(found.rows) == expected
    assert found.complete is (start + limit >= count)
    assert found.next_position == (None if found.complete else start + limit)
    assert [found.position_after(n) for n in range(1, len(expected) + 1)] == [position + 1 for position in expected]
    assert not found.moved
    assert shelf.most_under_way <= 4
    size = page_size(start, limit, per_page)
    needed = range(start // size + 1, max(start // size + 1, -(-min(start + limit, count) // size)) + 1)
    assert sorted(shelf.fetched) == [(number, size) for number in needed]


@pytest.mark.long
@settings(deadline=None)
@given(count=st.integers(0, 60), limits=st.lists(st.integers(1, 30), min_size=1), per_page=st.integers(1, 12))
def test_going_on_from_the_next_position_reads_the_whole_list_once(
    count: int, limits: list[int], per_page: int
) -> None:
    shelf, rows, start, turn = Shelf(range(count)), list[int](), 0, 0
    while True:
        found = swept(shelf, limit=limits[turn % len(limits)], start=start, per_page=per_page)
        rows += ids(found.rows)
        if found.next_position is None:
            break
        start, turn = found.next_position, turn + 1
    assert rows == list(range(count))


Move = st.tuples(st.integers(1, 12), st.sampled_from(["insert", "remove"]), st.integers(0, 40), st.integers(1, 6))


def moved(moves: list[tuple[int, str, int, int]]) -> tuple[dict[int, Callable[[list[int]], None]], set[int]]:
    """The moves as functions, and the numbers that they insert."""
    new = iter(range(1000, 2000))
    inserted: set[int] = set()

    def act(kind: str, place: int, count: int) -> Callable[[list[int]], None]:
        def insert(rows: list[int]) -> None:
            fresh = [next(new) for _ in range(count)]
            inserted.update(fresh)
            rows[place:place] = fresh

        def remove(rows: list[int]) -> None:
            del rows[place : place + count]

        return insert if kind == "insert" else remove

    return {when: act(kind, place, count) for when, kind, place, count in moves}, inserted


@pytest.mark.long
@settings(deadline=None)
@given(
    count=st.integers(0, 50),
    limit=st.integers(1, 60),
    per_page=st.integers(1, 12),
    moves=st.lists(Move, max_size=4),
    slow=st.lists(st.sampled_from([0.01, 0.05, 0.4]), min_size=12, max_size=12),
)
def test_whatever_is_inserted_or_removed_meanwhile_no_row_comes_twice(
    count: int, limit: int, per_page: int, moves: list[tuple[int, str, int, int]], slow: list[float]
) -> None:
    for drains in (True, False):
        changes, _ = moved(moves)
        shelf = Shelf(range(count), moves=changes, latency=lambda number: slow[number % 12])
        try:
            rows = (
                run(lambda shelf=shelf: drained(shelf, per_page))
                if drains
                else ids(swept(shelf, limit=limit, per_page=per_page).rows)
            )
        except Unavailable:
            continue  # the drain took a list that moved a whole page along for one that does not move on
        assert len(rows) == len(set(rows))
        kept = [row for row in rows if row < 1000]
        assert len(rows) <= limit or drains
        assert set(kept) <= set(range(count))


@pytest.mark.long
@settings(deadline=None)
@given(count=st.integers(1, 50), per_page=st.integers(2, 12), when=st.integers(1, 6), gone=st.integers(0, 49))
def test_a_row_archived_meanwhile_hides_no_other_row(count: int, per_page: int, when: int, gone: int) -> None:
    def archive(rows: list[int]) -> None:
        if gone in rows:
            rows.remove(gone)

    def shelf() -> Shelf:
        return Shelf(range(count), moves={when: archive})

    others = set(range(count)) - {gone}
    assert others <= set(run(lambda: drained(shelf(), per_page)))
    found = swept(shelf(), limit=100, per_page=per_page)
    assert others <= set(ids(found.rows))
    assert found.complete


def test_a_list_that_moved_while_it_was_read_is_said_to_have_moved() -> None:
    shelf = Shelf(range(30), moves={1: lambda rows: rows.insert(0, 99)})
    found = swept(shelf, limit=30, per_page=10)
    assert found.moved
    assert ids(found.rows) == list(range(30))


def test_small_limits_fetch_one_page_of_just_that_size() -> None:
    shelf = Shelf(range(500))
    assert len(swept(shelf, limit=20).rows) == 20
    assert shelf.fetched == [(1, 20)]
    shelf = Shelf(range(500))
    assert ids(swept(shelf, limit=50, start=30).rows) == list(range(30, 80))
    assert len(shelf.fetched) == 1


def test_pages_are_fetched_four_at_a_time() -> None:
    async def story() -> float:
        assert len(await drained(shelf)) == 5000
        return anyio.current_time()

    shelf = Shelf(range(5000))
    assert run(story) <= 1.3 * 0.05 * 50 / 4
    assert shelf.most_under_way == 4


def test_a_slow_reader_keeps_only_a_few_pages_waiting() -> None:
    shelf = Shelf(range(5000))

    async def story() -> None:
        async with aclosing(drain(shelf.page)) as rows:
            read = 0
            async for _ in rows:
                read += 1
                await anyio.sleep(0.01)
                assert len(shelf.fetched) * 100 <= read + 600
            assert read == 5000

    run(story)


def test_progress_is_told_page_by_page() -> None:
    told: list[tuple[int, int, int, int | None]] = []

    async def on_page(*progress: int | None) -> None:
        told.append(progress)  # type: ignore[arg-type]

    swept(Shelf(range(25)), limit=100, per_page=10, on_page=on_page)
    assert told == [(1, 3, 10, 25), (2, 3, 20, 25), (3, 3, 25, 25)]
    told.clear()
    swept(Shelf(range(25), totals=False), limit=15, per_page=10, on_page=on_page)
    assert told == [(1, 2, 10, None), (2, 2, 15, None)]


def test_at_the_soft_limit_the_rows_so_far_are_returned_with_the_place_to_go_on() -> None:
    shelf = Shelf(range(1000), latency=lambda _: 10)
    found = swept(shelf, limit=1000)
    assert ids(found.rows) == list(range(900))  # one page at 10 s, four at 20 s, and those begun then
    assert (found.complete, found.next_position, found.stopped) == (False, 900, None)
    assert shelf.under_way == 0


def test_at_the_hard_limit_the_page_under_way_is_abandoned() -> None:
    shelf = Shelf(range(1000), latency=lambda number: 1 if number < 3 else 1000)
    found = swept(shelf, limit=1000)
    assert ids(found.rows) == list(range(200))
    assert (found.complete, found.next_position) == (False, 200)
    assert shelf.under_way == 0


def test_if_not_even_the_first_page_comes_in_time_that_is_an_error() -> None:
    with pytest.raises(Unavailable):
        swept(Shelf(range(10), latency=lambda _: 1000), limit=10)


def test_an_error_on_the_first_page_is_raised_and_on_a_later_one_ends_the_sweep_early() -> None:
    full = RateLimited("full", retry_after=30)
    with pytest.raises(RateLimited):
        swept(Shelf(range(50), fails={1: [full]}), limit=50, per_page=10)
    found = swept(Shelf(range(50), fails={3: [full]}), limit=50, per_page=10)
    assert ids(found.rows) == list(range(20))
    assert (found.complete, found.next_position, found.stopped) == (False, 20, full)


def test_an_error_on_a_page_that_the_limit_has_no_use_for_does_not_happen() -> None:
    found = swept(Shelf(range(50), fails={3: [RateLimited("full")]}), limit=20, per_page=10)
    assert (len(found.rows), found.stopped) == (20, None)


def test_a_drain_waits_out_the_limit_of_requests() -> None:
    shelf = Shelf(range(50), fails={3: [RateLimited("full", retry_after=30), RateLimited("full", retry_after=5)]})

    async def story() -> float:
        assert await drained(shelf, 10) == list(range(50))
        return anyio.current_time()

    assert run(story) == pytest.approx(35, abs=1)


def test_a_drain_passes_on_any_other_error_after_the_rows_before_it() -> None:
    rows: list[Record] = []

    async def story() -> None:
        async with aclosing(drain(Shelf(range(50), fails={3: [Unavailable("down")]}).page, per_page=10)) as source:
            async for row in source:
                rows.append(row)  # noqa: PERF401

    with pytest.raises(Unavailable):
        run(story)
    assert ids(rows) == list(range(20))


def test_an_upstream_that_repeats_a_page_for_ever_is_found_out() -> None:
    async def same(number: int, per_page: int) -> Page:
        return Page(tuple(Row(id=str(row)) for row in range(per_page)), None, number, True)

    found = run(lambda: sweep(same, limit=500, per_page=10))
    assert (len(found.rows), found.complete) == (10, False)

    async def story() -> None:
        async with aclosing(drain(same, per_page=10)) as rows:
            async for _ in rows:
                pass

    with pytest.raises(Unavailable):
        run(story)


def test_rows_without_an_id_are_all_kept() -> None:
    async def page(number: int, per_page: int) -> Page:
        return Page((Record(), Record()), 2, number, False)

    assert len(run(lambda: sweep(page, limit=10)).rows) == 2


def test_a_drain_remembers_only_the_latest_ids() -> None:
    shelf = Shelf([*range(30), 0, 29])

    async def story() -> list[int]:
        async with aclosing(drain(shelf.page, per_page=10, remembered=10)) as rows:
            return ids([row async for row in rows])

    assert run(story) == [*range(30), 0]


def test_leaving_early_cancels_what_is_under_way() -> None:
    shelf = Shelf(range(5000), latency=lambda number: 1 if number < 3 else 1000)

    async def story() -> None:
        async with aclosing(drain(shelf.page)) as rows:
            async for row in rows:
                if ids([row]) == [150]:
                    break
        assert shelf.under_way == 0
        assert anyio.current_time() < 5

    run(story)
    assert len(shelf.fetched) < 8


def test_a_cancelled_reader_leaves_nothing_under_way() -> None:
    shelf = Shelf(range(5000), latency=lambda number: 1 if number < 4 else 1000)

    async def story() -> bool:
        with anyio.move_on_after(30) as scope:
            await drained(shelf)
        await anyio.sleep(1)
        assert shelf.under_way == 0
        return scope.cancelled_caught

    assert run(story)


def test_results_come_in_order_whatever_finishes_first() -> None:
    async def slow(number: int) -> int:
        await anyio.sleep(10 - number)
        return number

    async def story() -> list[int]:
        async with aclosing(in_order(slow, range(10), 4)) as found:
            return [number async for number in found]

    assert run(story) == list(range(10))


@given(start=st.integers(0, 10_000), limit=st.integers(1, 100))
def test_a_page_size_covers_the_rows_with_one_page_where_it_can(start: int, limit: int) -> None:
    size = page_size(start, limit)
    assert limit <= size <= 100
    if any(start // size == (start + limit - 1) // size for size in range(limit, 101)):
        assert start // size == (start + limit - 1) // size


def test_a_sweep_of_nothing_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="limit"):
        swept(Shelf([]), limit=0)
    with pytest.raises(ValueError, match="limit"):
        swept(Shelf([]), limit=1, start=-1)
