"""No-shows and cancellations are those of the rows, at several clocks and spans."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from . import expected
from .demo import CLOCKS, reports
from .over_port import Port, Row
from .recount import Recount, Visit, share, spans

pytestmark = [pytest.mark.anyio, pytest.mark.long]
LATE = expected.LATE


def grouped(recount: Recount, by: str, visits: Iterable[Visit]) -> Counter[str]:
    """How many of these visits fall to each practitioner, weekday, ..., by the names that reports use."""
    names = {
        "practitioner": lambda visit: recount.name("practitioners", visit.who),
        "site": lambda visit: recount.name("businesses", visit.site),
        "type": lambda visit: recount.name("appointment_types", visit.kind),
        "weekday": lambda visit: f"{visit.day:%A}",
        "hour": lambda visit: f"{visit.hour:02d}:00",
        "week": lambda visit: str(visit.day - timedelta(days=visit.day.weekday())),
        "month": lambda visit: f"{visit.day:%Y-%m}",
    }
    return Counter(map(names[by], visits))


def check_groups(recount: Recount, answer: Row, part: list[Visit], whole: list[Visit]) -> None:
    """Each breakdown is that of the rows, sorted as it says."""
    for by, found in answer["by"].items():
        if by in ("notice", "reason"):
            continue
        counts, wholes = grouped(recount, by, part), grouped(recount, by, whole)
        rows = {row.pop("name"): row for row in found["rows"]}
        assert rows == {name: share(counts[name], number) for name, number in wholes.items()}, by
        if found["sorted"] == "highest rate first":
            rates = [row["count"] / row["of"] for row in rows.values()]
            assert rates == sorted(rates, reverse=True)
        elif by in ("week", "month", "hour"):
            assert [*rows] == sorted(rows)


@pytest.mark.parametrize("now", CLOCKS)
async def test_no_shows(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        for phrase, (first, last) in spans(recount.today).items():
            answer = await tool.call("no_shows", when=phrase, by=["practitioner", "site", "weekday", "hour", "week"])
            span = recount.within(first, last)
            begun = recount.begun(span)
            missed = [visit for visit in begun if visit.arrived is False]
            assert answer["summary"] == expected.no_shows(recount, first, last), (phrase, answer["when"])
            check_groups(recount, answer, missed, begun)
            times = Counter(visit.patient for visit in missed)
            assert {row["patient_id"]: row["no_shows"] for row in answer["items"]} == times
            assert [row["no_shows"] for row in answer["items"]] == sorted(times.values(), reverse=True)


@pytest.mark.parametrize("now", CLOCKS)
async def test_cancellations(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        for phrase, (first, last) in spans(recount.today).items():
            answer = await tool.call("cancellations", when=phrase, by=["type", "month"])
            span = recount.within(first, last)
            gone = [visit for visit in span if visit.cancelled]
            assert answer["summary"] == expected.cancellations(recount, first, last), phrase
            check_groups(recount, answer, gone, span)
            reasons = Counter(visit.reason for visit in gone)
            assert {row["name"]: row["count"] for row in answer["by"]["reason"]["rows"]} == reasons
            notices = Counter(
                "after the start" if visit.left < timedelta() else "under 24 h" if visit.left < LATE
                else "24 to 48 h" if visit.left < 2 * LATE else "48 h or more"
                for visit in gone
            )  # fmt: skip
            told_notices = {row["name"]: row["count"] for row in answer["by"]["notice"]["rows"] if row["count"]}
            assert told_notices == notices
            assert Counter(row["appointment_id"] for row in answer["items"]) == Counter(v.booking for v in gone)
            people = Counter(visit.patient for visit in gone)
            assert [row.get("times", 1) for row in answer["items"]] == [
                people[row["patient_id"]] for row in answer["items"]
            ]
            often = [people[row["patient_id"]] for row in answer["items"]]
            assert often == sorted(often, reverse=True)


async def test_the_span_before_and_a_year_ago_are_the_reports_of_those_spans(clinic: tuple[Sandbox, Port]) -> None:
    now = datetime.fromisoformat(CLOCKS[0])
    async with reports(clinic[0], now) as tool:
        for when, earlier, then in (
            ("last month", "previous", "2026-09-01 to 2026-09-30"),
            ("last month", "last_year", "2025-10-01 to 2025-10-31"),
            ("this month", "previous", "2026-10-01 to 2026-10-24"),
            ("last week", "previous", "2026-11-09 to 2026-11-15"),
            ("2026-10-10 to 2026-10-12", "previous", "2026-10-07 to 2026-10-09"),
            ("2026-02-01 to 2026-02-28", "previous", "2026-01-01 to 2026-01-31"),
        ):
            answer = await tool.call("no_shows", when=when, compare=earlier)
            before = await tool.call("no_shows", when=then)
            compared = answer["compared"]
            assert compared["when"] == before["when"] and compared["summary"] == before["summary"]
            for name, change in compared["change"].items():
                one, other = answer["summary"][name], before["summary"][name]
                assert change["count"] == one["count"] - other["count"]
                if "rate" in one and "rate" in other:
                    points = float(one["rate"][:-1]) - float(other["rate"][:-1])
                    assert change["points"] == pytest.approx(points)
