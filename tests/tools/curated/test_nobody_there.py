"""A day or a month without entries says so, and who is away then is named with the leave."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from .reception import BOTH, Reception, reception, stamp, utc

pytestmark = pytest.mark.anyio
DAY = ("Monday", "next mon", "the 30th", "30 November", "2026-11-30", "in six days", "Monday all day")
MONTH = (
    "December",
    "next month",
    "all of December",
    "1 to 31 December",
    "in December 2026",
    "2026-12-01 to 2026-12-31",
)
LEAVE = (("Monday", "2026-11-30", 1), ("next week", "2026-11-30", 7), ("Tuesday week", "2026-12-08", 1),
         ("30 Nov to 1 Dec", "2026-11-30", 2), ("next month", "2026-12-01", 31))  # fmt: skip


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception() as found:
        found.empty_diary()
        yield found


@pytest.mark.long_but_one
@pytest.mark.parametrize("words", [*DAY, *MONTH])
@pytest.mark.parametrize("run_sheet", [False, True])
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_a_time_without_entries_says_so(
    desk: Reception, site: str, who: str, words: str, run_sheet: bool
) -> None:
    desk.empty_diary()
    answer = await desk.assistant.call("show_diary", when=words, business=site, practitioner=[who], run_sheet=run_sheet)
    assert not any(sheet["entries"] for sheet in answer["items"])
    assert any("othing is booked" in note for note in answer["notes"]), answer
    assert not answer["totals"].get("appointments")


@pytest.mark.parametrize(("words", "first", "days"), LEAVE)
@pytest.mark.parametrize("kind", ["Leave", "Public holiday"])
@pytest.mark.parametrize(("site", "who"), BOTH)
async def test_who_is_away_is_named_with_the_leave(
    desk: Reception, site: str, who: str, kind: str, words: str, first: str, days: int
) -> None:
    desk.empty_diary()
    starts = utc(f"{first}T00:00", site)
    desk.put(
        "unavailable_blocks", practitioner_id=desk.id("practitioners", who), business_id=desk.id("businesses", site),
        unavailable_block_type_id=desk.id("unavailable_block_types", kind), starts_at=stamp(starts),
        ends_at=stamp(starts + timedelta(days=days)),
    )  # fmt: skip
    desk.forget()
    answer = await desk.assistant.call("show_diary", when=words, business=site)
    away = [row["day"] for row in answer["off"] if row["practitioner"] == who and row["why"] == kind]
    assert away and first in away[0], answer["off"]
    assert not [row for row in answer["off"] if row["practitioner"] != who and row["why"] == kind]
