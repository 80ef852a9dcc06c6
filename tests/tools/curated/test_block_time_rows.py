"""The rows that block_time makes, against stretches worked out from the raw working hours: just those, or none."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import anyio
import pytest
from conftest import DECLINE, YES, in_process
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.sandbox.faults import Fault

from .raw import BOOKED, Raw, stamp
from .reception import ZONES

SITES = ("Northside", "Riverside")
STEP = timedelta(minutes=15)
Row = tuple[str, str, datetime, datetime]
Local = tuple[datetime, datetime]
NAMES = {"Ng": "Dr Mei Ng", "Jack": "Jack Whitfield", "Sam": "Sam Iyer", "Tom": "Tom Okafor"}


def local(day: date, hours: tuple[int, int] | None) -> Local:
    first, last = hours or (0, 24)
    start = datetime.combine(day, time())
    return start + timedelta(hours=first), start + timedelta(hours=last)


def days(first: str, number: int, every: int = 1) -> list[date]:
    return [date.fromisoformat(first) + timedelta(days=every * place) for place in range(number)]


def due(raw: Raw, who: str, stretches: list[Local], sites: tuple[str, ...] = SITES) -> set[Row]:
    """The stretches in which somebody is at work at a site, by the clock of the site, minute hand by minute hand."""
    person = raw.id("practitioners", NAMES[who])
    found: set[Row] = set()
    for name in sites:
        site, zone = raw.id("businesses", name), ZONES[name]
        for begins, ends in stretches:
            low, high = begins.replace(tzinfo=zone).astimezone(UTC), ends.replace(tzinfo=zone).astimezone(UTC)
            if (
                begins.time() != ends.time()
                and ends.replace(tzinfo=zone, fold=1).utcoffset() != ends.replace(tzinfo=zone, fold=0).utcoffset()
            ):
                high = ends.replace(tzinfo=zone, fold=1).astimezone(UTC)
            if any(raw.working(person, site, low + STEP * step) for step in range(int((high - low) / STEP))):
                found.add((person, site, low, high))
    return found


def rows(raw: Raw) -> dict[str, Row]:
    return {
        row["id"]: (row["practitioner_id"], row["business_id"], stamp(row["starts_at"]), stamp(row["ends_at"]))
        for row in raw.live("unavailable_blocks")
    }


def lying(raw: Raw, stretches: set[Row]) -> set[str]:
    return {
        row["id"]
        for table in BOOKED
        for row in raw.live(table)
        for who, _, low, high in stretches
        if row["practitioner_id"] == who and stamp(row["starts_at"]) < high and low < stamp(row["ends_at"])
    }


async def check(arguments: dict[str, Any], people: list[str], stretches: list[Local]) -> None:
    """Play a dry run, the call and the call again, and compare the rows after each."""
    async with in_process() as assistant:
        raw = Raw(assistant)
        before = rows(raw)
        sites = (arguments["business"],) if "business" in arguments else SITES
        wanted = {row for who in people for row in due(raw, who, stretches, sites)} - {*before.values()}
        assert wanted
        dry = await assistant.call("block_time", **arguments, dry_run=True)
        assert "code" not in dry, dry
        assert rows(raw) == before
        assert len(dry.get("clashes", [])) == len(lying(raw, wanted))
        booked = lying(raw, wanted)
        if booked:
            assert (await assistant.call("block_time", **arguments))["code"] == "clash" and rows(raw) == before
        allowed = {"allow_clash": dry["clash"]} if booked else {}
        answer = await assistant.call("block_time", **arguments, **allowed)
        made = {own: row for own, row in rows(raw).items() if own not in before}
        assert {*made.values()} == wanted and len(made) == len(wanted), answer
        assert {*made} <= {row["id"] for row in answer["items"]}
        again = await assistant.call("block_time", **arguments)
        assert again["done"].startswith("Nothing was changed") and {*rows(raw)} == {*before, *made}
        repeated = await assistant.call("block_time", **arguments | {"when": answer["when"]})
        assert repeated["done"].startswith("Nothing was changed"), (answer["when"], repeated)


WORDINGS: list[tuple[str, list[Local]]] = [
    ("Friday 12 to 1", [local(date(2026, 11, 27), (12, 13))]),
    ("12 till 1 on Friday please", [local(date(2026, 11, 27), (12, 13))]),
    ("all day Thursday", [local(date(2026, 11, 26), None)]),
    ("Thursday, the whole day", [local(date(2026, 11, 26), None)]),
    ("next week except Wednesday", [local(day, None) for day in days("2026-11-30", 7) if day.isoweekday() != 3]),
    ("every Monday lunch for 6 weeks", [local(day, (12, 14)) for day in days("2026-11-30", 6, 7)]),
    ("Mondays 12 to 1 for 6 weeks", [local(day, (12, 13)) for day in days("2026-11-30", 6, 7)]),
    ("weekly on Monday 12 to 1, 6 times", [local(day, (12, 13)) for day in days("2026-11-30", 6, 7)]),
    ("every Monday from 12 to 1 until the end of January", [local(day, (12, 13)) for day in days("2026-11-30", 9, 7)]),
    ("every second Tuesday 9 to 10 until 31 January", [local(day, (9, 10)) for day in days("2026-12-01", 5, 14)]),
    ("fortnightly on Thursday 9 to 11 x3", [local(day, (9, 11)) for day in days("2026-11-26", 3, 14)]),
    ("every Monday 12 to 1 from 7 December, 4 times", [local(day, (12, 13)) for day in days("2026-12-07", 4, 7)]),
    ("Friday afternoon", [local(date(2026, 11, 27), (12, 17))]),
    ("every Thursday morning for 3 weeks from 25 March 2027", [
        local(day, (0, 12)) for day in days("2027-03-25", 3, 7)]),
    ("2 to 9 April 2027", [(datetime(2027, 4, 2), datetime(2027, 4, 10))]),
    ("27 September until 8 October 2027", [(datetime(2027, 9, 27), datetime(2027, 10, 9))]),
]  # fmt: skip


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.parametrize(("when", "stretches"), WORDINGS, ids=[when for when, _ in WORDINGS])
async def test_just_the_time_that_was_named_is_blocked_out_at_each_site_by_its_own_clock(
    when: str, stretches: list[Local]
) -> None:
    people = ["Ng", "Sam"] if "Tuesday" in when or "Monday" in when else ["Jack", "Sam"]
    await check({"practitioner": people, "when": when}, people, stretches)


@pytest.mark.long
@settings(max_examples=6, deadline=None)
@given(
    people=st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=3, unique=True),
    first=st.dates(date(2027, 3, 1), date(2027, 10, 30)).filter(lambda day: day.isoweekday() in (1, 2, 4, 5)),
    hours=st.sampled_from([(9, 10), (8, 12), (12, 13), (13, 17), None]),
    every=st.sampled_from([1, 2, 3]),
    number=st.integers(2, 5),
)
def test_repeats_from_any_day_over_both_clock_changes_make_the_rows_that_were_named(
    people: list[str], first: date, hours: tuple[int, int] | None, every: int, number: int
) -> None:
    stretches = [local(first + timedelta(weeks=every * place), hours) for place in range(number)]
    clock = f"{hours[0]}:00 to {hours[1]}:00" if hours else "all day"
    when = f"{first:%A} {first.day} {first:%B %Y} {clock}, every {every} weeks x{number}"

    async def works(who: str) -> bool:
        async with in_process() as assistant:
            return bool(due(Raw(assistant), who, stretches))

    at_work = [who for who in people if anyio.run(works, who)]
    if at_work:
        anyio.run(check, {"practitioner": at_work, "when": when}, at_work, stretches)


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.parametrize("whole", [{"business": "Northside"}, {"business": "Northside", "practitioner": ["everyone"]}])
async def test_a_whole_site_is_closed_for_all_who_work_there_that_day_and_for_nobody_else(
    whole: dict[str, Any],
) -> None:
    async with in_process() as assistant:
        raw = Raw(assistant)
        before = rows(raw)
        site, zone = raw.id("businesses", "Northside"), ZONES["Northside"]
        low = datetime(2026, 12, 24, tzinfo=zone).astimezone(UTC)
        high = datetime(2026, 12, 25, tzinfo=zone).astimezone(UTC)
        wanted = {
            (row["id"], site, low, high)
            for row in raw.live("practitioners")
            if any(raw.working(row["id"], site, low + STEP * step) for step in range(96))
        }
        dry = await assistant.call("block_time", **whole, when="24 December", dry_run=True)
        await assistant.call("block_time", **whole, when="24 December", allow_clash=dry.get("clash", ""))
        assert {row for own, row in rows(raw).items() if own not in before} == wanted - {*before.values()}


@pytest.mark.anyio
async def test_a_wrong_kind_is_answered_with_the_kinds_there_are() -> None:
    async with in_process() as assistant:
        kinds = {row["name"] for row in Raw(assistant).live("unavailable_block_types")}
        answer = await assistant.call("block_time", practitioner=["Ng"], when="1 March 2027 12 to 1", type="siesta")
        assert {row["name"] for row in answer["candidates"]} == kinds and assistant.changes() == []
        assert all(kind in answer["fix"] for kind in kinds)


async def _block(assistant: Any, when: str) -> str:
    answer = await assistant.call("block_time", practitioner=["Ng"], when=when, type="Leave")
    return answer["items"][0]["id"]


@pytest.mark.long
@pytest.mark.anyio
async def test_a_block_is_lifted_after_a_yes_and_stays_after_a_no() -> None:
    async with in_process(answer=DECLINE) as assistant:
        own = await _block(assistant, "1 March 2027 15:00 to 16:00")
        refused = await assistant.call("block_time", practitioner=["Ng"], when="1 March 2027 15:00 to 16:00", lift=True)
        assert refused["code"] == "declined" and own in rows(Raw(assistant))
    async with in_process(answer=YES) as assistant:
        own = await _block(assistant, "1 March 2027 15:00 to 16:00")
        before = rows(Raw(assistant))
        lifting = {"practitioner": ["Ng"], "when": "1 March 2027 15:00 to 16:00", "lift": True}
        dry = await assistant.call("block_time", **lifting, dry_run=True)
        assert [row["id"] for row in dry["items"]] == [own] and assistant.asked == []
        done = await assistant.call("block_time", **lifting)
        assert done["done"] == "1 lifted." and {*before} - {*rows(Raw(assistant))} == {own}
        assert len(assistant.asked) == 1 and own in assistant.asked[0]
        again = await assistant.call("block_time", **lifting)
        assert again["done"] == f"Nothing was changed: already lifted: id {own}." and len(assistant.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(("when", "left"), [
    ("1 March 2027 15:00 to 15:30", ("2027-03-01T04:30:00Z", "2027-03-01T05:00:00Z")),
    ("1 March 2027 after 15:45", ("2027-03-01T04:00:00Z", "2027-03-01T04:45:00Z")),
])  # fmt: skip
async def test_a_block_that_reaches_beyond_the_time_is_shortened_without_a_question(
    when: str, left: tuple[str, str]
) -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        own = await _block(assistant, "1 March 2027 15:00 to 16:00")
        answer = await assistant.call("block_time", practitioner=["Ng"], when=when, type="Leave", lift=True)
        row = raw.get("unavailable_blocks", own)
        assert (row["starts_at"], row["ends_at"]) == left and assistant.asked == []
        assert answer["items"][0]["was"] == "2027-03-01T15:00+11:00 Mon to 16:00"
        middle = await assistant.call(
            "block_time", practitioner=["Ng"], when="1 March 2027 15:35 to 15:40", type="Leave", lift=True
        )
        assert middle["code"] == "invalid_arguments" or "shortened" not in middle.get("done", "")


@pytest.mark.long
@pytest.mark.anyio
async def test_what_was_lifted_before_a_refusal_is_told_from_what_was_not() -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        own = [await _block(assistant, f"{day} March 2027 15:00 to 16:00") for day in (1, 2, 3)]
        raw.sandbox.faults.set(Fault("forbidden", path=f"/unavailable_blocks/{own[1]}"))
        lifting = {"practitioner": ["Ng"], "when": "1 to 3 March 2027 15:00 to 16:00", "type": "Leave", "lift": True}
        answer = await assistant.call("block_time", **lifting)
        told = [[row["id"] for row in answer[field]] for field in ("items", "failed")]
        assert (answer["done"], told) == ("1 lifted.", [own[:1], own[1:]])
        assert answer["notes"][0].startswith("Only 1 of 3 were changed, then: ")
        raw.sandbox.faults.set()
        again = await assistant.call("block_time", **lifting)
        assert [row["id"] for row in again["items"]] == own and "failed" not in again
        assert not {*own} & {*rows(raw)}


@pytest.mark.anyio
async def test_nothing_to_lift_is_said_with_the_blocks_near_it() -> None:
    async with in_process(answer=YES) as assistant:
        own = await _block(assistant, "1 March 2027 15:00 to 16:00")
        answer = await assistant.call("block_time", practitioner=["Ng"], when="1 March 2027 16:00 to 17:00", lift=True)
        near = [f"2027-03-01T15:00+11:00 Mon to 16:00, Dr Mei Ng (block {own})"]
        assert answer["code"] == "not_found" and answer["candidates"] == near
        assert assistant.asked == []


@pytest.mark.anyio
async def test_of_the_blocks_near_the_first_five_are_named() -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        row = raw.get("unavailable_blocks", await _block(assistant, "1 March 2027 15:00 to 16:00"))
        for number in range(1, 6):
            raw.store.put("unavailable_blocks", {**row, "id": f"{row['id']}{number}"})
        answer = await assistant.call("block_time", practitioner=["Ng"], when="1 March 2027 16:00 to 17:00", lift=True)
        ids = [row["id"], *(f"{row['id']}{number}" for number in range(1, 5))]
        assert answer["candidates"] == [f"2027-03-01T15:00+11:00 Mon to 16:00, Dr Mei Ng (block {own})" for own in ids]
        assert "left_out_for_room" not in answer
