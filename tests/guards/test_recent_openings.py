"""One-off openings that fit a page are read once for every span and practitioner; where there are more, as asked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.filters import Before, Between, Condition, FilterValue, From, OneOf
from cliniko_mcp.cliniko.resources.availability_blocks import AvailabilityBlock, AvailabilityBlocks
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from tests.client.account import NOON, listed, person

from .office import Office

DAY = timedelta(days=1)


def opening(number: int, starts: datetime, practitioner: int) -> dict[str, Any]:
    hours = {"starts_at": starts.isoformat(), "ends_at": (starts + DAY / 8).isoformat()}
    return {**person(number), **hours, "practitioner_id": str(practitioner), "business_id": "77"}


def office_with(rows: Sequence[dict[str, Any]]) -> tuple[Office, list[str]]:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url.params.get_list("q[]")))
        return listed("availability_blocks", [*rows])(request)

    user = person(9, time_zone_identifier="Australia/Sydney")
    return Office(answers={"GET /availability_blocks": answer, "GET /user": user}), asked


async def openings(clinic: GuardedClinic, starts: datetime, ends: datetime, *who: str) -> list[str]:
    more: dict[str, FilterValue] = {"practitioner_id": OneOf(who)} if who else {}
    listing = AvailabilityBlocks.list_availability_blocks
    found: list[AvailabilityBlock] = await clinic.collect(listing, starts_at=Between(starts, ends), **more)
    return [str(int(row.id) - 1897453889804840000) for row in found]


ROWS = [opening(1, NOON - 20 * DAY, 5), opening(2, NOON, 5), opening(3, NOON + DAY, 6), opening(4, NOON + 2 * DAY, 5)]


def test_one_page_serves_every_span_and_practitioner_of_the_next_two_minutes() -> None:
    office, asked = office_with(ROWS)

    async def story(clinic: GuardedClinic) -> None:
        assert await openings(clinic, NOON - 30 * DAY, NOON) == ["1"]  # the end is no part of it
        assert await openings(clinic, NOON, NOON + 2 * DAY) == ["2", "3"]
        assert await openings(clinic, NOON, NOON + 9 * DAY, "5") == ["2", "4"]
        assert await openings(clinic, NOON, NOON + 9 * DAY, "5", "6") == ["2", "3", "4"]
        assert await openings(clinic, NOON, NOON + 9 * DAY, "7") == []
        assert len(asked) == 1
        await anyio.sleep(121)
        assert await openings(clinic, NOON, NOON + DAY) == ["2"]
        assert len(asked) == 2

    office.works(story, Risk.READ)


def test_where_a_page_does_not_hold_them_each_is_asked_for_what_it_needs() -> None:
    office, asked = office_with([opening(number, NOON, 5) for number in range(1, 102)])

    async def story(clinic: GuardedClinic) -> None:
        await openings(clinic, NOON, NOON + DAY, "5")
        first = [*asked]
        await openings(clinic, NOON, NOON + 2 * DAY, "6")
        assert "practitioner_id" not in first[0]  # the page that does not hold them
        assert all("practitioner_id" in params for params in first[1:])
        assert all("practitioner_id" in params for params in asked[len(first) :])
        assert len(asked) > len(first)

    office.works(story, Risk.READ)


def test_where_a_page_does_not_hold_them_the_answer_to_each_question_is_kept_and_after_two_minutes_a_page_tried() -> (
    None
):
    office, asked = office_with([opening(number, NOON, 5) for number in range(1, 102)])

    async def story(clinic: GuardedClinic) -> None:
        await openings(clinic, NOON, NOON + DAY, "5")
        await openings(clinic, NOON, NOON + DAY, "6")
        so_far = len(asked)
        await openings(clinic, NOON, NOON + DAY, "6")
        assert len(asked) == so_far
        await anyio.sleep(121)
        await openings(clinic, NOON, NOON + DAY, "6")
        assert "practitioner_id" not in asked[so_far]

    office.works(story, Risk.READ)


def test_where_everything_is_forgotten_so_is_that_a_page_did_not_hold_them() -> None:
    rows = [opening(number, NOON, 5) for number in range(1, 102)]
    office, asked = office_with(rows)

    async def story(clinic: GuardedClinic) -> None:
        await openings(clinic, NOON, NOON + DAY, "5")
        del rows[50:]
        clinic._memory.forget_all()
        asked.clear()
        for practitioner in ("5", "6"):
            await openings(clinic, NOON, NOON + DAY, practitioner)
        assert len(asked) == 1

    office.works(story, Risk.READ)


def test_an_opening_without_a_start_is_in_no_span() -> None:
    office, asked = office_with([{**opening(1, NOON, 5), "starts_at": None}, opening(2, NOON, 5)])

    async def story(clinic: GuardedClinic) -> None:
        assert await openings(clinic, NOON, NOON + DAY) == ["2"]
        assert await openings(clinic, NOON - DAY, NOON + 2 * DAY, "5") == ["2"]
        assert len(asked) == 1

    office.works(story, Risk.READ)


def test_what_is_further_back_is_asked_for_as_it_is() -> None:
    office, asked = office_with(ROWS)

    async def story(clinic: GuardedClinic) -> None:
        await openings(clinic, NOON - 120 * DAY, NOON - 110 * DAY)
        assert "starts_at:<" in asked[0]

    office.works(story, Risk.READ)


def test_what_is_read_for_all_begins_with_the_day_a_hundred_days_ago() -> None:
    office, asked = office_with(ROWS)
    day = datetime(2026, 8, 16, tzinfo=UTC)

    async def story(clinic: GuardedClinic) -> None:
        await openings(clinic, day, day + DAY)
        await openings(clinic, day - timedelta(seconds=1), day + DAY)

    office.works(story, Risk.READ)
    assert "starts_at:>=2026-08-16T00:00:00Z" in asked[0] and "starts_at:<" not in asked[0]
    assert "starts_at:<" in asked[1]


@pytest.mark.parametrize(
    "starts", [[datetime(2026, 11, 24)], [NOON - 120 * DAY, NOON]], ids=["in the clinic's own time", "from two moments"]
)
def test_what_is_asked_for_otherwise_than_by_one_moment_is_asked_for_as_it_is(starts: list[datetime]) -> None:
    office, asked = office_with(ROWS)
    bounds = tuple(Condition("starts_at", ">=", start) for start in starts)
    called = Call(AvailabilityBlocks.list_availability_blocks, conditions=bounds)

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert [row async for row in clinic.all_of(called)]

    office.works(story, Risk.READ)
    assert asked[0].count("starts_at:>=") == len(bounds) and "T00:00:00Z" not in asked[0]


def test_what_is_asked_for_by_more_than_its_start_and_ids_is_asked_for_as_it_is() -> None:
    office, asked = office_with(ROWS)
    listing = AvailabilityBlocks.list_availability_blocks
    office.works(
        lambda clinic: clinic.collect(listing, starts_at=Between(NOON, NOON + DAY), updated_at=From(NOON)), Risk.READ
    )
    assert "updated_at:>=" in asked[0]


def test_what_is_asked_for_without_a_beginning_is_asked_for_as_it_is_and_all_of_them_once() -> None:
    office, asked = office_with([opening(number, NOON, 5) for number in range(1, 151)])
    listing = AvailabilityBlocks.list_availability_blocks

    async def story(clinic: GuardedClinic) -> None:
        await clinic.collect(listing, starts_at=Before(NOON))
        assert "starts_at:<" in asked[0] and "starts_at:>=" not in asked[0]
        before = len(asked)
        for _ in range(2):
            assert len(await clinic.collect(listing)) == 150
        assert len(asked) == before + 2

    office.works(story, Risk.READ)


def test_a_call_that_may_change_something_asks_for_what_it_needs_each_time() -> None:
    office, asked = office_with(ROWS)

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            await openings(clinic, NOON, NOON + DAY, "5")
        assert len(asked) == 2
        assert all("practitioner_id" in params for params in asked)

    office.works(story, Risk.WRITE)
