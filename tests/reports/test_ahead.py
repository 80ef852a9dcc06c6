"""Weeks booked ahead and the next free first consult are those of the minutes of the rows."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port, Row
from .recount import DAY, Recount, share
from .test_hours import Minutes, hours

pytestmark = pytest.mark.anyio
FIRST_CONSULT = "Initial consult"


def next_free(recount: Recount, found: Minutes, who: str, since: int) -> tuple[int, str] | None:
    """The first minute from which this practitioner is free for the whole of a first consult at one site."""
    kind = next(row for row in recount.rows("appointment_types") if row["name"] == FIRST_CONSULT)
    offered = {
        service["business_id"]
        for service in recount.rows("services")
        if service["appointment_type_id"] == kind["id"]
        and any(one["links"]["self"].endswith(who) for one in service["practitioners"])
    }
    length, taken = kind["duration_in_minutes"], found.blocked | found.booked
    free = {
        step: site
        for (person, step), site in found.work.items()
        if person == who and site in offered and step >= since and (who, step) not in taken
    }
    for step in sorted(free):
        if all(free.get(later) == free[step] for later in range(step, step + length)):
            return step, free[step]
    return None


def week_of(recount: Recount, key: tuple[str, int], site: str, first: date) -> int:
    day = datetime.fromtimestamp(key[1] * 60, UTC).astimezone(recount.zones[site]).date()
    return max((day - first).days, 0) // 7


@pytest.mark.parametrize("now", (CLOCKS[0], CLOCKS[4]))
async def test_weeks_booked_and_the_next_first_consult(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    first, last = recount.today, recount.today + 20 * DAY
    found = Minutes(recount, first, last)
    since = -(-int(recount.now.timestamp()) // 300) * 5
    begins = datetime.fromtimestamp(since * 60, UTC).astimezone(recount.home).date()  # at 23:59 it is the day after
    open_ = {key for key in found.work.keys() - found.blocked if key[1] >= since}
    inside = open_ & found.booked
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("ahead", when=f"{first} to {last}", by=["practitioner", "site"])
        people = {who for who, _ in open_}
        assert answer["summary"]["open_hours_booked"] == share(hours(len(inside)), hours(len(open_)))
        assert answer["summary"]["practitioners"] == {"count": len(people)} == {"count": len(answer["items"])}
        rows: dict[str, Row] = {row["practitioner"]: row for row in answer["items"]}
        for who in people:
            row = rows[recount.name("practitioners", who)]
            whole = Counter(week_of(recount, key, found.work[key], begins) for key in open_ if key[0] == who)
            part = Counter(week_of(recount, key, found.work[key], begins) for key in inside if key[0] == who)
            shares = [part[week] / whole[week] if whole[week] else None for week in range(3)]
            assert row["weeks"] == ["away" if one is None else f"{100 * one:.1f}%" for one in shares]
            there = [one for one in shares if one is not None]
            booked = next((place for place, one in enumerate(there) if one < 0.9), len(there))
            assert row["weeks_booked"] == booked
            free = next_free(recount, found, who, since)
            if free is None:
                assert "next_first_consult" not in row
                continue
            starts = datetime.fromtimestamp(free[0] * 60, UTC).astimezone(recount.zones[free[1]])
            today = recount.now.astimezone(starts.tzinfo).date()
            assert row["next_first_consult"] == f"{starts.isoformat(timespec='minutes')} {starts:%a}"
            assert (row["type"], row["business"]) == (FIRST_CONSULT, recount.name("businesses", free[1]))
            assert row["days_away"] == (starts.date() - today).days
        offered = [row for row in answer["items"] if "next_first_consult" in row]
        assert offered and answer["summary"]["with_a_free_first_consult"]["count"] == len(offered)
        order = [row["weeks_booked"] for row in answer["items"]]
        assert order == sorted(order, reverse=True)
        for by in ("practitioner", "site"):
            assert round(sum(row["of"] for row in answer["by"][by]["rows"]), 1) == round(hours(len(open_)), 1)


async def test_a_time_that_is_over_is_refused_and_one_ahead_takes_few_requests(clinic: tuple[Sandbox, Port]) -> None:
    now = datetime.fromisoformat(CLOCKS[0])
    async with reports(clinic[0], now) as tool:
        for when in ("yesterday", "last month", "2026-11-01 to 2026-11-20"):
            with pytest.raises(Exception, match="over"):
                await tool.call("ahead", when=when)
        seen = len(clinic[0].requests)
        answer = await tool.call("ahead", when="next 2 weeks")
        entries = sum(
            1
            for table in ("individual_appointments", "group_appointments", "unavailable_blocks")
            for row in clinic[1].rows(table)
            if now <= datetime.fromisoformat(row["ends_at"]) and not row.get("archived_at")
            and datetime.fromisoformat(row["starts_at"]) < now + timedelta(days=15)
        )  # fmt: skip
        assert answer["items"] and len(clinic[0].requests) - seen <= 5 + 2 + 1 + entries // 100 + 1
