"""Who came, who came back and who did not are those of the rows, at several clocks."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from . import expected
from .demo import CLOCKS, reports
from .over_port import Port
from .recount import Recount, Visit, share, spans

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.mark.parametrize("now", CLOCKS)
async def test_activity_with_who_is_new_and_where_they_come_from(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        for phrase in ("this month", "last month"):
            first, last = spans(recount.today)[phrase]
            answer = await tool.call("activity", when=phrase, by=["new_or_returning", "source", "week"])
            held = recount.kept(recount.within(first, last))
            people = Counter(visit.patient for visit in held)
            new = {patient for patient in people if first <= recount.first_kept[patient].day}
            assert answer["summary"] == expected.activity(recount, first, last), phrase
            assert {row["patient_id"]: row["visits_kept"] for row in answer["items"]} == people
            assert {row["patient_id"] for row in answer["items"] if row.get("new")} == new

            def status(visit: Visit) -> str:
                return "new" if visit.day == recount.first_kept[visit.patient].day else "returning"

            kinds = {row["id"]: row["name"] for row in clinic[1].rows("referral_source_types")}
            recorded = clinic[1].rows("referral_sources")
            source = {row["patient_id"]: kinds[row["referral_source_type_id"]] for row in recorded}
            wanted = {
                "new_or_returning": Counter(map(status, held)),
                "source": Counter(source.get(visit.patient, "no source") for visit in held),
                "week": Counter(str(visit.day - timedelta(days=visit.day.weekday())) for visit in held),
                "type": Counter(recount.name("appointment_types", visit.kind) for visit in held),
            }
            for by, counts in wanted.items():
                rows = {row["name"]: row["count"] for row in answer["by"][by]["rows"]}
                assert rows == counts, by
                if by != "week":
                    assert [*rows.values()] == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("now", CLOCKS)
async def test_retention(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        answer = await tool.call("retention", when="last 90 days", by=["month"])
        first, last = recount.today - timedelta(days=90), recount.today - timedelta(days=1)
        new, kept = expected.new_patients(recount, first, last), recount.kept(recount.visits)
        assert answer["summary"] == expected.retention(recount, first, last)
        assert {row["patient_id"] for row in answer["items"]} == new
        assert {row["patient_id"]: row["visits_kept"] for row in answer["items"]} == {
            patient: sum(visit.patient == patient for visit in kept) for patient in new
        }
        assert answer["cohorts"] == expected.cohorts(recount, new)
        assert {number for cohort in answer["cohorts"] for number in cohort["came_back"]} >= {"14", "30", "60"}
        assert "cohorts" not in await tool.call("retention", when="last 90 days")


@pytest.mark.parametrize("now", CLOCKS)
async def test_rebooking(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    first, last = spans(recount.today)["last month"]
    held = [visit for visit in recount.kept(recount.within(first, last)) if not visit.in_class]
    new = Counter(recount.first_kept[patient].who for patient in expected.new_patients(recount, first, last))
    kept, again = (Counter(visit.who for visit in some) for some in (held, filter(recount.returns, held)))
    async with reports(clinic[0], recount.now) as tool:
        answer = await tool.call("rebooking", when="last month", by=["practitioner"])
    assert answer["summary"] == expected.rebooking(recount, first, last)
    rates = {recount.name("practitioners", who): share(again[who], number) for who, number in kept.items()}
    assert {row.pop("name"): row for row in answer["by"]["practitioner"]["rows"]} == rates
    assert {row.pop("practitioner"): row for row in answer["items"]} == {
        recount.name("practitioners", who): {
            "appointments_kept": number,
            "rebook_rate": share(again[who], number),
            "new_patients": new[who],
            **({"patient_visit_average_pva": round(number / new[who], 2)} if new[who] else {}),
        }
        for who, number in kept.items()
    }


@pytest.mark.parametrize("now", CLOCKS)
async def test_lapsed_left_without_a_booking_and_never_seen(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        gone = expected.gone_quiet(recount)
        lapsed = await tool.call("lapsed", when="more than 60 days ago", by=["practitioner"])
        latest = recount.today - timedelta(days=60)
        old = {patient for patient, visit in gone.items() if visit.day <= latest}
        assert {row["patient_id"] for row in lapsed["items"]} == old
        assert lapsed["summary"] == expected.lapsed(recount, date.min, latest)
        who = Counter(recount.name("practitioners", gone[patient].who) for patient in old)
        assert {row["name"]: row["count"] for row in lapsed["by"]["practitioner"]["rows"]} == who

        first, last = spans(recount.today)["last month"]
        left = await tool.call("not_rebooked", when="last month")
        assert {row["patient_id"] for row in left["items"]} == expected.without_next(recount, first, last)[0]
        assert left["summary"] == expected.not_rebooked(recount, first, last)

        never = await tool.call("never_seen")
        unseen = recount.in_use - recount.first_kept.keys()
        assert {row["patient_id"] for row in never["items"]} == unseen
        assert never["summary"] == expected.never_seen(recount, date.min, date.max)
