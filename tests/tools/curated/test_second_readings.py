"""Where a person may mean two things by what was written, the answer says which was taken, or nothing is written."""

import pytest

from .reception import BOTH, NORTHSIDE, RIVERSIDE, reception

pytestmark = pytest.mark.anyio
LONG_AGO = dict.fromkeys(("created_at", "updated_at"), "2026-11-20T00:00:00Z")
TABLES = ("individual_appointments", "unavailable_blocks", "attendees")
OWNERLESS = ("Mei's next one", "Dr Mei Ng's next appointment", "Mei next")


@pytest.mark.long
async def test_a_name_that_only_a_practitioner_has_moves_and_cancels_nothing_before_it_was_asked() -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        own = clinic.book(clinic.patient("Ida", "Quill"), NORTHSIDE, "Dr Mei Ng", "2026-11-24 12:00")
        clinic.book(clinic.patient("Otto", "Nell"), NORTHSIDE, "Dr Mei Ng", "2026-11-23 12:00")
        before = [clinic.rows(table) for table in TABLES]
        for text in OWNERLESS:
            for tool, more in (
                ("move_appointment", {"when": "an hour later"}),
                ("cancel_appointment", {"reason": "sick"}),
            ):
                answer = await clinic.assistant.call(tool, appointment=text, **more)
                assert answer["code"] == "ambiguous", answer
                assert [row["id"] for row in answer["candidates"]] == [own]
                assert "Ida Quill" in answer["candidates"][0]["patient"] and "Dr Mei Ng" in answer["message"]
            last = text.replace("next", "last")
            answer = await clinic.assistant.call("set_attendance", appointment=last, state="did_not_arrive")
            assert answer["code"] == "ambiguous" and "Otto Nell" in answer["candidates"][0]["patient"]
        assert [clinic.rows(table) for table in TABLES] == before


@pytest.mark.long
async def test_a_practitioner_s_hour_is_told_as_such_and_asked_about_where_a_patient_has_the_name() -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        own = clinic.book(clinic.patient("Ida", "Quill"), NORTHSIDE, "Dr Mei Ng", "2026-11-25 12:00")
        move, text = "move_appointment", "Mei's 12 o'clock tomorrow"
        answer = await clinic.assistant.call(move, appointment=text, when="at 2", dry_run=True)
        assert any("“Mei” was read as Dr Mei Ng" in note for note in answer["notes"]), answer
        clinic.patient("Mei", "Sorrel")
        answer = await clinic.assistant.call(move, appointment=text, when="at 2")
        assert answer["code"] == "ambiguous" and [row["id"] for row in answer["candidates"]] == [own]


@pytest.mark.long
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_words_that_would_move_a_visit_on_are_not_done_twice(site: str, practitioner: str) -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        ida = clinic.patient("Ida", "Quill")
        for when in ("an hour later", "half an hour earlier", "a week later", "the day before", "later by 30 minutes"):
            own = clinic.book(ida, site, practitioner, "2026-12-03 11:00", **LONG_AGO)
            call = {"appointment": own, "when": when}
            first = await clinic.assistant.call("move_appointment", **call)
            if first.get("code") == "clash":
                first = await clinic.assistant.call("move_appointment", **call, allow_clash=first["clash"])
            assert first.get("done") == "Moved.", first
            before = clinic.rows("individual_appointments")
            again = await clinic.assistant.call("move_appointment", **call)
            assert again["code"] == "invalid_arguments" and again["again"]["appointment"] == own, again
            assert clinic.rows("individual_appointments") == before
            on = await clinic.assistant.call("move_appointment", **again["again"])
            assert on.get("done") == "Moved." or on["code"] == "clash", on
        same = await clinic.assistant.call("move_appointment", appointment=own, when=first["item"]["starts_at"])
        assert "code" not in same or same["code"] == "clash", same


async def test_time_that_is_past_is_blocked_out_only_once_it_was_told() -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        for when in ("today 7 to 8", "yesterday 3 to 4", "this morning 7 to 7:30", "last Friday arvo"):
            answer = await clinic.assistant.call("block_time", practitioner=["Tom"], when=when)
            assert answer["code"] == "clash" and "past" in answer["message"], answer
            assert clinic.rows("unavailable_blocks") == []
        call = {"practitioner": ["Tom"], "when": "today 7 to 8"}
        clash = (await clinic.assistant.call("block_time", **call))["clash"]
        assert (await clinic.assistant.call("block_time", **call, allow_clash=clash))["done"] == "Blocked out 1 of 1."


WHAT_ELSE = {
    "next Friday at 10": "this Friday is 27 November",
    "Friday next at 10": "this Friday is 27 November",
    "next Thursday at 10": "this Thursday is 26 November",
    "3 Nov at 10": "No year was said",
    "1 October at 10": "No year was said",
    "Tuesday at 10": "Today is a Tuesday too",
    "tues 2pm": "Today is a Tuesday too",
    "at 8": "No day was said",
    "7:30am": "No day was said",
}
CLEAR = (
    "Friday at 10",
    "next Monday at 10",
    "Friday week at 10",
    "4 December at 10",
    "3 November 2027 at 10",
    "tomorrow at 10",
    "today at 4",
    "at 4",
    "Tuesday week at 10",
    "in a week at 10",
    "next Tuesday at 10",
    "25 November at 8",
)


@pytest.mark.long
async def test_the_other_reading_of_a_day_is_told_and_only_where_there_is_one() -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        clinic.patient("Ida", "Quill")
        call = {"patient": "Ida Quill", "type": "Standard consult", "practitioner": "Dr Mei Ng", "dry_run": True}
        for when, said in WHAT_ELSE.items():
            answer = await clinic.assistant.call("book_appointment", **call, when=when)
            assert any(said in note for note in answer["notes"]), (when, answer)
        for when in CLEAR:
            answer = await clinic.assistant.call("book_appointment", **call, when=when)
            assert not any(
                word in str(answer["notes"]) for word in ("was read as", "No year", "No day", "counts from", "too;")
            ), answer


@pytest.mark.long
async def test_just_after_midnight_the_day_that_today_and_tomorrow_count_from_is_told() -> None:
    async with reception(sandbox_now="2026-11-26T00:01:00+11:00") as clinic:
        clinic.empty_diary()
        for who, day in (("Tom", "Thursday 26 November: it is 00:01 at Northside"), ("Jack", "Wednesday 25 November")):
            for when in ("tomorrow 5pm to 6", "today 11pm to 11:30"):
                call = {"practitioner": [who], "when": when, "dry_run": True}
                answer = await clinic.assistant.call("block_time", **call)
                assert any(day in note for note in answer["notes"]), answer
        answer = await clinic.assistant.call("block_time", practitioner=["Jack"], when="today 4:30 to 5")
        assert answer["code"] == "clash" and "past" in answer["message"]
        site = {"business": RIVERSIDE, "practitioner": ["Jack"], "when": "Friday 5pm to 6", "dry_run": True}
        assert "counts from" not in str((await clinic.assistant.call("block_time", **site)).get("notes"))


async def test_a_booking_that_is_there_already_is_shown_with_the_end_that_it_has() -> None:
    async with reception(sandbox_now="2026-11-24T08:30:00+11:00") as clinic:
        clinic.empty_diary()
        clinic.book(clinic.patient("Ida", "Quill"), NORTHSIDE, "Dr Mei Ng", "2026-11-30 10:00", minutes=20)
        call = {"patient": "Ida Quill", "type": "Standard consult", "practitioner": "Dr Mei Ng", "minutes": 45}
        answer = await clinic.assistant.call("book_appointment", **call, when="Monday at 10")
        assert "Already there" in answer["done"] and answer["item"]["ends_at"] == "10:20", answer
