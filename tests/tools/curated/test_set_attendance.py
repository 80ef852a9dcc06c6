"""Arrived, did not arrive, cleared: on the right patient, day and site, or a question back."""

import pytest
from conftest import in_process, over_stdio

from .reception import BOTH, NORTHSIDE, RIVERSIDE, reception

pytestmark = pytest.mark.anyio


@pytest.mark.long
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_early_and_late_appointments_belong_to_their_local_day(site: str, practitioner: str) -> None:
    # In both zones the UTC date of one of these differs from the local one.
    async with reception(sandbox_now="2026-11-24T23:45:00+11:00") as clinic:
        clinic.empty_diary()
        ben = clinic.patient("Ben", "Early")
        for local in ("2026-11-23 23:30", "2026-11-24 08:30", "2026-11-25 08:30"):
            clinic.book(ben, site, practitioner, local)
        morning = await clinic.assistant.call("set_attendance", state="arrived", patient="Ben Early", when="today")
        assert morning["item"]["starts_at"].startswith("2026-11-24T08:30")
        late = await clinic.assistant.call(
            "set_attendance", state="did_not_arrive", patient="Ben Early", when="yesterday"
        )
        assert late["item"]["starts_at"].startswith("2026-11-23T23:30")
        assert late["item"]["business"] == site and "yesterday" not in late["when"]
        arrived = {row["booking_id"]: row.get("arrived") for row in clinic.rows("attendees")}
        assert arrived[morning["item"]["appointment_id"]] is True and arrived[late["item"]["appointment_id"]] is False
        assert sorted(map(str, arrived.values())) == ["False", "None", "True"]
        row = next(
            appointment
            for appointment in clinic.rows("individual_appointments")
            if appointment["id"] == late["item"]["appointment_id"]
        )
        assert row["did_not_arrive"] is True


@pytest.mark.long
@pytest.mark.parametrize("now", ["2026-10-04T23:50:00+11:00", "2027-04-04T23:50:00+10:00"])
async def test_days_on_which_the_clock_changes_are_whole_local_days(now: str) -> None:
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        day = now[:10]
        first, last = clinic.patient("First", "Light"), clinic.patient("Last", "Call")
        clinic.book(first, NORTHSIDE, "Dr Mei Ng", f"{day} 00:10")
        clinic.book(last, NORTHSIDE, "Dr Mei Ng", f"{day} 23:30")
        for name in ("First Light", "Last Call"):
            answer = await clinic.assistant.call("set_attendance", state="arrived", patient=name)
            assert answer["item"]["starts_at"].startswith(day), name


@pytest.mark.long
async def test_one_place_of_a_class_changes_and_the_others_do_not() -> None:
    async with reception() as clinic:
        people = [clinic.patient("Class", f"Member{number}") for number in range(5)]
        gone = {"cancelled_at": "2026-11-20T00:00:00Z", "cancellation_reason": 30}
        group = clinic.group(people, NORTHSIDE, "Priya Nair", "2026-11-24 08:00", states={people[4]: gone})
        answer = await clinic.assistant.call("set_attendance", state="arrived", patient=people[2])
        assert answer["item"]["type"] == "Pilates class" and answer["item"]["appointment_id"] == group
        assert [clinic.attendee(group, patient).get("arrived") for patient in people] == [None, None, True, None, None]
        who = await clinic.assistant.call("set_attendance", state="arrived", appointment=group)
        assert who["code"] == "ambiguous" and len(who["candidates"]) == 4
        mine = clinic.attendee(group, people[1])["id"]
        byid = await clinic.assistant.call("set_attendance", state="did_not_arrive", appointment=mine)
        assert byid["item"]["patient_id"] == people[1] and clinic.attendee(group, people[1])["arrived"] is False
        cancelled = await clinic.assistant.call("set_attendance", state="arrived", patient=people[4], appointment=group)
        assert cancelled["code"] == "not_found" and "cancelled" in cancelled["message"]


@pytest.mark.long
async def test_cleared_and_repeated_states_are_said() -> None:
    async with reception() as clinic:
        ben = clinic.patient("Ben", "Twice")
        booking = clinic.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30", arrived=True)
        again = await clinic.assistant.call("set_attendance", state="arrived", appointment=booking)
        assert any("already" in note for note in again["notes"]) and clinic.assistant.changes() == []
        cleared = await clinic.assistant.call("set_attendance", state="cleared", patient="Ben Twice")
        assert (cleared["item"]["was"], cleared["item"]["attendance"]) == ("arrived", "not marked")
        assert clinic.attendee(booking).get("arrived") is None
        row = next(row for row in clinic.rows("individual_appointments") if row["id"] == booking)
        assert row.get("patient_arrived") is None and row.get("did_not_arrive") is None


@pytest.mark.long
async def test_several_none_cancelled_and_later_ones_are_answers_that_change_nothing() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ben = clinic.patient("Ben", "Busy")
        one = clinic.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
        two = clinic.book(ben, NORTHSIDE, "Tom Okafor", "2026-11-24 08:30")
        later = clinic.book(ben, NORTHSIDE, "Tom Okafor", "2026-11-26 08:30")
        cancelled = clinic.book(
            ben, NORTHSIDE, "Dr Mei Ng", "2026-11-23 10:00", cancelled_at="2026-11-20T00:00:00Z", cancellation_reason=30
        )
        call = clinic.assistant.call
        several = await call("set_attendance", state="arrived", patient="Ben Busy")
        assert {candidate["id"] for candidate in several["candidates"]} == {one, two}
        none = await call("set_attendance", state="arrived", patient="Ben Busy", when="last week")
        assert none["code"] == "not_found" and "November" in none["message"]
        gone = await call("set_attendance", state="arrived", patient="Ben Busy", when="yesterday")
        assert gone["candidates"][0] == {**gone["candidates"][0], "id": cancelled, "is": "cancelled"}
        early = await call("set_attendance", state="arrived", appointment=later)
        assert early["code"] == "not_allowed" and "Thu" in early["message"]
        soon = await call("set_attendance", state="did_not_arrive", patient="Ben Busy", when="Thursday")
        assert soon["code"] == "not_allowed"
        nobody = await call("set_attendance", state="arrived")
        assert nobody["code"] == "invalid_arguments"
        vague = await call("set_attendance", state="arrived", patient="Ben Busy", when="soon")
        assert vague["code"] == "not_understood"
        assert clinic.assistant.changes() == []
        told = await call("set_attendance", state="arrived", patient="Ben Busy", practitioner="Tom")
        assert told["item"]["appointment_id"] == two


async def test_a_practitioner_and_a_time_name_the_patient() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ben, eva = clinic.patient("Ben", "One"), clinic.patient("Eva", "Two")
        first = clinic.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", "2026-11-24 09:00")
        answer = await clinic.assistant.call(
            "set_attendance", state="did_not_arrive", practitioner="Ng", when="today at 8:30"
        )
        assert (answer["item"]["patient"], answer["item"]["appointment_id"]) == ("Ben One", first)
        which = await clinic.assistant.call("set_attendance", state="arrived", practitioner="Ng", when="today")
        assert {candidate["patient"] for candidate in which["candidates"]} == {"Ben One", "Eva Two"}


@pytest.mark.long
async def test_a_far_site_reads_the_same_phrase_by_its_own_clock() -> None:
    async with reception(sandbox_now="2026-11-24T00:10:00+11:00") as clinic:  # still Monday at Riverside
        clinic.empty_diary()
        ben = clinic.patient("Ben", "West")
        monday = clinic.book(ben, RIVERSIDE, "Jack Whitfield", "2026-11-23 21:30")
        clinic.book(ben, RIVERSIDE, "Jack Whitfield", "2026-11-24 08:30")
        answer = await clinic.assistant.call("set_attendance", state="arrived", patient="Ben West", when="today")
        assert answer["item"]["appointment_id"] == monday and answer["time_zone"] == "Australia/Adelaide"


async def test_the_number_of_requests_stays_the_same_in_a_full_diary() -> None:
    counts: list[int] = []
    for others in (0, 60):
        async with reception() as clinic:
            clinic.empty_diary()
            ben = clinic.patient("Ben", "Busy")
            clinic.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
            for number in range(others):
                clinic.book(clinic.patient("P", f"N{number}"), NORTHSIDE, "Tom Okafor", "2026-11-24 08:30")
            answer, count = await clinic.counted("set_attendance", state="arrived", patient=ben)
            assert answer["item"]["attendance"] == "arrived"
            counts.append(count)
    assert counts[0] == counts[1] <= 5 + 1 + 1 + 1 + 1


@pytest.mark.long
@pytest.mark.parametrize("now", ["2026-11-24T08:30:00+11:00", "2026-11-24T16:30:00+11:00"])
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_a_visit_said_whole_is_marked_and_no_other(now: str, site: str, practitioner: str) -> None:
    surname = practitioner.split()[-1]
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        ida, ben = clinic.patient("Ida", "Quill"), clinic.patient("Ben", "Quill")
        monday = clinic.book(ida, site, practitioner, "2026-11-23 09:15")
        for patient, local in ((ida, "2026-11-16 09:15"), (ida, "2026-11-30 09:15"), (ben, "2026-11-23 10:00")):
            clinic.book(patient, site, practitioner, local)
        words = (
            "Ida Quill's 9:15 on Monday",
            "Ida Quill's last one",
            "Ida Quill yesterday",
            f"yesterday's 9:15 with {surname}",
            "Quill, Ida 2026-11-23 09:15",
            f"{surname}'s quarter past nine yesterday",
            monday,
        )
        for number, text in enumerate(words):
            state = ("arrived", "did_not_arrive")[number % 2]
            before = clinic.rows("attendees")
            answer = await clinic.assistant.call("set_attendance", state=state, appointment=text)
            assert answer["item"]["appointment_id"] == monday, text
            again = await clinic.assistant.call("set_attendance", state=state, appointment=text)
            assert "It was set so already; nothing was changed." in again["notes"]
            changed = [new for new in clinic.rows("attendees") if new not in before]
            assert [row["booking_id"] for row in changed] == [monday]
        off = await clinic.assistant.call("set_attendance", state="arrived", appointment="Ida Quill's 9:30 yesterday")
        assert off["code"] == "not_found" and [row["id"] for row in off["candidates"]] == [monday]


@pytest.mark.long
async def test_over_stdio_the_arrival_is_there_afterwards() -> None:
    async with over_stdio() as assistant:
        rows = await assistant.rows("list_individual_appointments", starts_at="2026-11-23", patient_id="any", limit=3)
        before = rows[0]
        answer = await assistant.call("set_attendance", state="cleared", appointment=before["id"])
        assert answer["item"]["attendance"] == "not marked" and answer["item"]["patient"] == before["patient"]
        after = await assistant.first("list_attendees", booking_id=before["id"])
        assert "arrived" not in after


async def test_read_only_refuses() -> None:
    async with in_process(read_only=True) as assistant:
        row = await assistant.first("list_individual_appointments", starts_at="2026-11-23", limit=1)
        answer = await assistant.call("set_attendance", state="cleared", appointment=row["id"])
        assert answer["code"] == "not_allowed" or any("already" in note for note in answer.get("notes", []))
        assert assistant.changes() == []


async def test_a_visit_named_by_its_id_tells_whose_it_is_by_name_or_else_by_id() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        ben, unknown = clinic.patient("Ben", "Early"), "1104000000099999999"
        names: list[str] = []
        for patient, local in ((ben, "2026-11-24 08:30"), (unknown, "2026-11-24 08:00")):
            visit = clinic.book(patient, NORTHSIDE, "Dr Mei Ng", local)
            answer = await clinic.assistant.call("set_attendance", state="arrived", appointment=visit)
            names.append(answer["item"]["patient"])
        assert names == ["Ben Early", f"patient {unknown}"]
