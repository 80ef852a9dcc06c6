"""Reports of generated clinics against their raw rows: other zones, classes, series, archived and merged files."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from clinics import expected
from clinics.rows import Clinic, Row
from clinics.strategies import clinics
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.reports.facts import GROUPINGS
from tests.reports.recount import Recount, share

LATE = timedelta(hours=24)


def recounted(clinic: Clinic) -> Recount:
    zones = {site["id"]: expected.zone_of(site, clinic) for site in clinic.sites}
    return Recount(clinic.rows, clinic.now, str(clinic.home), zones)


async def report(tools: Tools, kind: str, **arguments: Any) -> Row:
    """The answer, whose breakdowns add up to its first figure."""
    answer = await tools.call("report", kind=kind, limit=200, **arguments)
    assert "summary" in answer, answer
    first = next(iter(answer["summary"].values()))
    for name, found in answer.get("by", {}).items():
        assert sum(row["count"] for row in found["rows"]) == first["count"], (name, answer)
        if name in GROUPINGS and "of" in first:
            assert sum(row["of"] for row in found["rows"]) == first["of"], (name, answer)
    return answer


@pytest.mark.long
@given(clinics(), st.integers(0, 4))
@settings(max_examples=25)
def test_attendance_and_paperwork(clinic: Clinic, days: int) -> None:
    recount = recounted(clinic)
    first, last = recount.today - timedelta(days=days), recount.today
    span = recount.within(first, last)
    begun, kept = recount.begun(span), recount.kept(span)
    missed = [visit for visit in begun if visit.arrived is False]
    gone = [visit for visit in span if visit.cancelled]
    people = Counter(visit.patient for visit in kept)
    new = {patient for patient in people if recount.first_kept[patient].day >= first}

    async def act(tools: Tools) -> None:
        when = f"{first} to {last}"
        by = ["practitioner", "site", "type", "weekday", "hour", "week", "month", "new_or_returning", "source"]
        told = (await report(tools, "no_shows", when=when, by=by))["summary"]
        assert told["no_shows"] == share(len(missed), len(begun))
        assert told["no_shows_with_a_later_visit"] == share(sum(map(recount.returns, missed)), len(missed))
        told = (await report(tools, "cancellations", when=when, by=by))["summary"]
        assert told["cancelled"] == share(len(gone), len(span))
        assert told["cancelled_late"] == share(sum(visit.left < LATE for visit in gone), len(span))
        assert told["lost"] == share(sum(not recount.returns(visit) for visit in gone), len(gone))
        told = (await report(tools, "activity", when=when, by=by))["summary"]
        assert told["visits_kept"] == {"count": len(kept)}
        assert told["new_people_seen"] == share(len(new), len(people))
        assert told["returning_people_seen"] == share(len(people) - len(new), len(people))
        told = (await report(tools, "unbilled", when=when, by=by))["summary"]
        assert told["unbilled_visits"] == share(sum(not visit.billed for visit in kept), len(kept))
        told = (await report(tools, "missing_notes", when=when, by=by))["summary"]
        assert told["visits_without_final_note"] == share(sum(visit.note != 90 for visit in kept), len(kept))

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=25)
def test_who_comes_back(clinic: Clinic, start: int, length: int) -> None:
    recount = recounted(clinic)
    first = recount.today - timedelta(days=start)
    last = min(first + timedelta(days=length), recount.today)
    new = {patient for patient, visit in recount.first_kept.items() if first <= visit.day <= last}
    kept = recount.kept(recount.visits)
    back = {one for one in new if len({visit.day for visit in kept if visit.patient == one}) > 1}
    again = back | {one for one in new if recount.ahead(one)}
    gone = {
        patient: visit
        for patient, visit in recount.last_kept.items()
        if patient in recount.in_use and not recount.ahead(patient)
    }
    lapsed = {patient for patient, visit in gone.items() if first <= visit.day <= last}

    async def act(tools: Tools) -> None:
        when = f"{first} to {last}"
        told = (await report(tools, "retention", when=when, by=["practitioner", "week"]))["summary"]
        assert told["new_patients"] == {"count": len(new)}
        assert told["new_patients_who_came_back"] == share(len(back), len(new))
        assert told["new_patients_who_booked_again"] == share(len(again), len(new))
        answer = await report(tools, "lapsed", when=when)
        assert {row["patient_id"] for row in answer["items"]} == lapsed
        answer = await report(tools, "not_rebooked", when=when)
        seen = {visit.patient for visit in recount.kept(recount.within(first, last))}
        assert {row["patient_id"] for row in answer["items"]} == {
            one for one in seen & gone.keys() if gone[one].day <= last
        }

    play(clinic, act)
