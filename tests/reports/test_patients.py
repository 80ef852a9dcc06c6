"""Who came, who came back and who did not are those of the rows, at several clocks."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port
from .recount import Recount, Visit, share, spans

pytestmark = pytest.mark.anyio


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
            days = (min(last, recount.today) - first).days + 1
            assert answer["summary"] == {
                "visits_kept": {"count": len(held)},
                "people_seen": {"count": len(people)},
                "new_people_seen": share(len(new), len(people)),
                "returning_people_seen": share(len(people) - len(new), len(people)),
                "visits_kept_a_week_on_average": {"count": pytest.approx(len(held) * 7 / days, abs=0.01)},
                "classes_held": {"count": len({visit.booking for visit in held if visit.in_class})},
            }, phrase
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
        answer = await tool.call("retention", when="last 90 days")
        first, last = recount.today - timedelta(days=90), recount.today - timedelta(days=1)
        new = {patient for patient, visit in recount.first_kept.items() if first <= visit.day <= last}
        kept = recount.kept(recount.visits)
        days = {patient: {visit.day for visit in kept if visit.patient == patient} for patient in new}
        back = {patient for patient in new if len(days[patient]) > 1}
        again = back | {patient for patient in new if recount.ahead(patient)}
        held = [visit for visit in recount.kept(recount.within(first, last)) if not visit.in_class]
        own = sum(visit.patient in new for visit in kept)
        made = [
            datetime.fromisoformat(row["created_at"]).astimezone(recount.home).date()
            for row in clinic[1].rows("patients")
        ]
        assert answer["summary"] == {
            "new_patients_who_came_back": share(len(back), len(new)),
            "new_patients_who_booked_again": share(len(again), len(new)),
            "new_patients": {"count": len(new)},
            "visits_kept_per_new_patient": {"count": round(own / len(new), 2) if new else 0},
            "patient_visit_average_pva": {"count": round(len(held) / len(new), 2) if new else 0},
            "rebook_rate": share(sum(map(recount.returns, held)), len(held)),
            "patient_files_made": {"count": sum(first <= day <= last for day in made)},
        }
        assert {row["patient_id"] for row in answer["items"]} == new
        assert {row["patient_id"]: row["visits_kept"] for row in answer["items"]} == {
            patient: sum(visit.patient == patient for visit in kept) for patient in new
        }


@pytest.mark.parametrize("now", CLOCKS)
async def test_lapsed_left_without_a_booking_and_never_seen(clinic: tuple[Sandbox, Port], now: str) -> None:
    recount = Recount(clinic[1].rows, datetime.fromisoformat(now))
    async with reports(clinic[0], recount.now) as tool:
        waiting = {patient for patient in recount.in_use if recount.ahead(patient)}
        gone = {
            patient: visit
            for patient, visit in recount.last_kept.items()
            if patient in recount.in_use and patient not in waiting
        }
        lapsed = await tool.call("lapsed", when="more than 60 days ago", by=["practitioner"])
        latest = recount.today - timedelta(days=60)
        old = {patient for patient, visit in gone.items() if visit.day <= latest}
        assert {row["patient_id"] for row in lapsed["items"]} == old
        assert lapsed["summary"] == {"lapsed_patients": {"count": len(old)}}
        who = Counter(recount.name("practitioners", gone[patient].who) for patient in old)
        assert {row["name"]: row["count"] for row in lapsed["by"]["practitioner"]["rows"]} == who

        first, last = spans(recount.today)["last month"]
        left = await tool.call("not_rebooked", when="last month")
        seen = {visit.patient for visit in recount.kept(recount.within(first, last))}
        without = {patient for patient in seen & gone.keys() if gone[patient].day <= last}
        archived = {patient for patient in seen - recount.in_use if not recount.ahead(patient)}
        archived = {patient for patient in archived if recount.last_kept[patient].day <= last}
        assert {row["patient_id"] for row in left["items"]} == without
        expected = share(len(without), len(seen - archived))
        assert left["summary"] == {"patients_without_next_booking": expected}

        never = await tool.call("never_seen")
        unseen = recount.in_use - recount.first_kept.keys()
        assert {row["patient_id"] for row in never["items"]} == unseen
        assert never["summary"]["patients_never_seen"] == share(len(unseen), len(recount.in_use))
        assert never["summary"]["of_them_with_a_visit_booked"] == share(len(unseen & waiting), len(unseen))
