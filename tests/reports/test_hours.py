"""Open, booked, delivered and free hours are the minutes of the rows, looked at one by one."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .minutes import Minute, Minutes, hours, minute
from .over_port import Port, Row
from .recount import DAY, Recount, share

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.mark.parametrize("now", CLOCKS)
async def test_utilisation(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    monday = recount.today - recount.today.weekday() * DAY
    async with reports(sandbox, recount.now) as tool:
        for phrase, first in (("last week", monday - 7 * DAY), ("this week", monday)):
            answer = await tool.call("utilisation", when=phrase, by=["site", "weekday", "hour"])
            found = Minutes(recount, first, first + 6 * DAY)
            open_ = found.work.keys() - found.blocked
            inside = open_ & found.booked
            assert answer["summary"] == {
                "booked_hours_within_open_hours": share(hours(len(inside)), hours(len(open_))),
                "open_hours": {"count": hours(len(open_))},
                "blocked_hours": {"count": hours(len(found.work) - len(open_))},
                "booked_hours": {"count": hours(len(found.booked))},
                "delivered_hours": {"count": hours(len(found.delivered))},
                "free_hours": {"count": hours(len(open_) - len(inside))},
            }, phrase
            for row in answer["items"]:
                who = next(one["id"] for one in port.rows("practitioners") if one.get("label") == row["practitioner"])
                wanted = {"open_hours": open_, "booked_hours": found.booked, "delivered_hours": found.delivered}
                assert {name: row[name] for name in wanted} == {
                    name: hours(found.mine(set(some), who)) for name, some in wanted.items()
                }, row
                assert row["free_hours"] == hours(found.mine(open_ - inside, who))
                assert row["bookings"] == found.entries[who]
                free = {key[1]: found.work[key] for key in open_ - found.booked if key[0] == who}
                check_longest(row, free, minute(recount.now) if first == monday else 0)
            for by in ("site", "weekday", "hour"):
                whole = Counter(name_of(recount, by, key, found.work[key]) for key in open_)
                part = Counter(name_of(recount, by, key, found.work[key]) for key in inside)
                assert {row.pop("name"): row for row in answer["by"][by]["rows"]} == {
                    name: share(hours(part[name]), hours(number)) for name, number in whole.items()
                }, by
            order = [row["free_hours"] if first == monday else row["utilisation"]["count"] for row in answer["items"]]
            if first == monday and recount.today < monday + 6 * DAY:
                assert order == sorted(order, reverse=True) and "Most free hours first" in answer["definition"]


@pytest.mark.parametrize("now", [CLOCKS[0], CLOCKS[2], CLOCKS[3]])
async def test_ahead(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    last = recount.today + 13 * DAY
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("ahead", when=f"{recount.today} to {last}")
        found = Minutes(recount, recount.today, last)
        open_ = {key for key in found.work.keys() - found.blocked if key[1] >= minute(recount.now)}
        inside = open_ & found.booked
        end = datetime.combine(last + DAY, datetime.min.time(), recount.home)
        # where the day ends last, at Riverside, is the end of the time
        ends = max(end.replace(tzinfo=zone).timestamp() for zone in recount.zones.values())
        weeks = (ends - recount.now.timestamp()) / timedelta(days=7).total_seconds()
        assert answer["summary"]["booked_hours_within_open_hours"] == share(hours(len(inside)), hours(len(open_)))
        assert answer["items"]
        for row in answer["items"]:
            who = next(one["id"] for one in port.rows("practitioners") if one.get("label") == row["practitioner"])
            mine, taken = found.mine(open_, who), found.mine(inside, who)
            assert row["booked_hours"] == hours(taken)
            assert row["open_hours_a_week"] == pytest.approx(mine / 60 / weeks, abs=0.01)
            assert row["weeks_booked"] == pytest.approx(taken / (mine / weeks), abs=0.06)
            free = {step for person, step in open_ - found.booked if person == who}
            first = minute(datetime.fromisoformat(row["next_first_consult"].split(" ")[0]))
            assert all(step in free for step in range(first, first + 45)), row
            runs = sorted(step for step in free if step < first)
            assert not any(all(step + more in free for more in range(45)) for step in runs if step % 5 == 0), row
        assert (await tool.error("ahead", when="last week"))["code"] == "not_understood"


def name_of(recount: Recount, by: str, key: Minute, site: str) -> str:
    local = datetime.fromtimestamp(key[1] * 60, UTC).astimezone(recount.zones[site])
    names = {"site": recount.name("businesses", site), "weekday": f"{local:%A}", "hour": f"{local.hour:02d}:00"}
    return names[by]


def check_longest(row: Row, free: dict[int, str], since: int) -> None:
    """The three stretches that are shown are free, at one site, and the longest that there are from a minute on."""
    for stretch in row["longest_free"]:
        starts = minute(datetime.fromisoformat(stretch["starts_at"].split(" ")[0]))
        length = round(stretch["hours"] * 60)
        assert all(step in free for step in range(starts, starts + length)), (row["practitioner"], stretch)
    runs: list[int] = []
    last, site = -1, ""
    for step in sorted(step for step in free if step >= since):
        if step == last + 1 and free[step] == site:
            runs[-1] += 1
        else:
            runs.append(1)
        last, site = step, free[step]
    assert [stretch["hours"] for stretch in row["longest_free"]] == [
        hours(length) for length in sorted(runs, reverse=True)[:3]
    ], row["practitioner"]
