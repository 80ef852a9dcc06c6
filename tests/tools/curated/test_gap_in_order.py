"""fill_gap: the order, the reach and who is left out, over made-up diaries and however the time is said."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .raw import shown
from .reception import BOTH, NORTHSIDE, RIVERSIDE, Row, reception, utc

pytestmark = pytest.mark.anyio
GONE: Row = {"cancelled_at": "2026-11-20T00:00:00Z", "cancellation_reason": 50}
PHONE = [{"phone_type": "Mobile", "number": "0491 570 006"}]
MEI = (NORTHSIDE, "Dr Mei Ng")

OTHERS = st.lists(
    st.tuples(
        st.integers(-30, 45), st.sampled_from(["09:00", "10:00", "10:15", "14:30"]), st.booleans(), st.booleans()
    ),
    max_size=10,
)


@pytest.mark.long
@pytest.mark.parametrize(("site", "now"), [(0, "2026-11-24T09:00:00+11:00"), (1, "2027-04-01T16:30:00+11:00")])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=OTHERS, reach=st.sampled_from([None, 7, 40]))
async def test_who_can_be_phoned_comes_first_and_then_who_is_nearest(
    site: int, now: str, made: list[Any], reach: int | None
) -> None:
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        place = BOTH[site]
        today = datetime.fromisoformat(now).date()
        gap_day = today + timedelta(days=3)
        gap = utc(f"{gap_day} 10:00", place[0])
        due: dict[str, tuple[bool, datetime]] = {}
        for number, (days, clock, cancelled, phone) in enumerate(made):
            local = f"{gap_day + timedelta(days=days)} {clock}"
            starts = utc(local, place[0])
            if not cancelled and starts < datetime.fromisoformat(now):
                continue
            patient = clinic.patient("P", str(number), patient_phone_numbers=PHONE if phone else [])
            clinic.book(patient, *place, local, **(GONE if cancelled else {}))
            meets = starts < gap + timedelta(minutes=30) and gap < starts + timedelta(minutes=30)
            within = abs(starts - gap) <= timedelta(days=reach or 28)
            if not meets and within and (cancelled or starts > gap):
                due[patient] = (not phone, starts)
        said: Row = {"practitioner": place[1], "when": f"{gap_day} 10:00 to 10:30", "limit": 50}
        answer = await clinic.assistant.call("fill_gap", **said, **({"reach": reach} if reach else {}))
        told = [row["patient_id"] for row in answer["items"]]
        assert set(told) == due.keys()
        order = [(due[patient][0], abs(due[patient][1] - gap)) for patient in told]
        assert order == sorted(order)
        for row in answer["items"]:
            assert row.get("phones") == (None if due[row["patient_id"]][0] else ["0491 570 006"])
            assert shown(row["starts_at"]) == due[row["patient_id"]][1]
        assert clinic.assistant.changes() == []


SAID = ["Friday at 10", "27 November at 10:00", "Friday 10 to 10:30", "Friday 10am", "10 o'clock on Friday"]


@pytest.mark.parametrize("when", SAID)
async def test_a_visit_cancelled_at_the_time_is_the_gap_and_who_left_it_is_not_offered_it(when: str) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        was, also, eva = (clinic.patient("P", name) for name in ("was", "also", "eva"))
        for patient in (was, also):
            clinic.book(patient, *MEI, "2026-11-27 10:00", **GONE)
        clinic.book(was, *MEI, "2026-12-04 10:00")
        clinic.book(eva, *MEI, "2026-12-01 10:00")
        clinic.book(clinic.patient("P", "other kind"), *MEI, "2026-12-02 10:00", kind="Short review", minutes=15)
        answer = await clinic.assistant.call("fill_gap", practitioner="Ng", when=when)
        assert [row["patient_id"] for row in answer["items"]] == [eva]
        assert answer["gap"]["type"] == "Standard consult" and answer["gap"]["ends_at"] == "10:30"


async def test_who_is_booked_then_elsewhere_is_not_offered_it() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        eva, tom, free = (clinic.patient("P", name) for name in ("eva", "tom", "free"))
        for patient in (eva, tom, free):
            clinic.book(patient, *MEI, "2026-12-01 11:00")
        clinic.book(eva, RIVERSIDE, "Jack Whitfield", "2026-11-27 09:45")
        clinic.group([tom], NORTHSIDE, "Priya Nair", "2026-11-27 09:30")
        answer = await clinic.assistant.call("fill_gap", practitioner="Ng", when="Friday 10 to 10:30")
        assert [row["patient_id"] for row in answer["items"]] == [free]


async def test_numbers_may_be_left_out_and_reach_must_be_some_days() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        eva = clinic.patient("P", "eva", patient_phone_numbers=PHONE)
        clinic.book(eva, *MEI, "2027-01-15 10:00")
        call = clinic.assistant.call
        near = await call("fill_gap", practitioner="Ng", when="Friday 10 to 10:30")
        assert near["items"] == [] and near["notes"][0].startswith("Nobody fits")
        far = await call("fill_gap", practitioner="Ng", when="Friday 10 to 10:30", reach=90, phones=False)
        assert [row["patient_id"] for row in far["items"]] == [eva] and "0491" not in str(far)
        wrong = await call("fill_gap", practitioner="Ng", when="Friday 10 to 10:30", reach=0)
        assert wrong["code"] == "invalid_arguments"
