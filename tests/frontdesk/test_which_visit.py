"""Which visit is meant: the words of a desk lead to one raw row, or to an error with the visits to choose from."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tools.curated.reception import BOTH, NORTHSIDE, RIVERSIDE, Reception

from cliniko_mcp.errors import Ambiguous, ClinikoMcpError, InvalidArguments, NotFound, NotUnderstood
from cliniko_mcp.frontdesk.find_booking import Looking, WhichVisit, which_visit
from cliniko_mcp.frontdesk.patients import patient
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

from .clinics import front_desk, load

pytestmark = pytest.mark.anyio
TUESDAY = ("2026-11-24T08:30:00+11:00", "2026-11-24T16:30:00+11:00")


@asynccontextmanager
async def prepared(now: str) -> AsyncGenerator[tuple[Reception, GuardedClinic, dict[str, str]]]:
    """A clinic with a few visits, by a short name each."""
    async with front_desk("move_appointment", sandbox_now=now) as (desk, clinic):
        desk.empty_diary()
        desk.empty("patients")
        faye, jane = desk.patient("Faye", "Rowe", date_of_birth="1984-03-12"), desk.patient("Jane", "Limerick")
        april, ben = desk.patient("April", "Jones"), desk.patient("Ben", "Stone")
        ids = {
            "faye monday": desk.book(faye, NORTHSIDE, "Dr Mei Ng", "2026-11-30 09:15"),
            "faye past": desk.book(faye, NORTHSIDE, "Dr Mei Ng", "2026-11-23 09:15"),
            "faye later": desk.book(faye, NORTHSIDE, "Tom Okafor", "2026-12-03 11:00"),
            "jane": desk.book(jane, RIVERSIDE, "Jack Whitfield", "2026-11-25 15:00"),
            "jane past": desk.book(jane, RIVERSIDE, "Jack Whitfield", "2026-11-18 15:00"),
            "april": desk.book(april, NORTHSIDE, "Dr Mei Ng", "2026-11-27 12:00"),
            "class": desk.group([ben, jane], NORTHSIDE, "Priya Nair", "2026-11-27 10:00"),
            "ben today": desk.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-24 12:30"),
        }
        yield desk, clinic, ids


async def found(clinic: GuardedClinic, text: str, looking: Looking, beside: str = "") -> WhichVisit:
    roster, _ = await load(clinic)
    who = await patient(clinic, beside) if beside else None
    return await which_visit(clinic, roster, text, looking, who)


@pytest.mark.long
@pytest.mark.parametrize("now", TUESDAY)
async def test_a_visit_to_move_or_cancel_is_found_among_the_coming(now: str) -> None:
    async with prepared(now) as (_, clinic, ids):
        for text, name in {
            "Faye's 9:15 on Monday": "faye monday",
            "Faye Rowe, Monday 9:15": "faye monday",
            "the 9.15 on Monday with Mei Ng": "faye monday",
            "Faye's next one": "faye monday",
            "Faye's visit on Thursday week": "faye later",
            "the 11am for Faye Rowe on 3 December": "faye later",
            "Rowe, Faye (born 1984) 2026-12-03T11:00+11:00 Thu": "faye later",
            "Faye's final appointment": "faye later",
            "Faye Rowe's visit with Tom on 3 December": "faye later",
            "Jane Limerick tomorrow": "jane",
            "Jane's one tomorrow": "jane",
            "Jane's 3 o'clock tomorrow": "jane",
            "Jane Limerick tomorrow 3": "jane",
            "April Jones, Friday 12": "april",
            "Jane at Riverside tomorrow at 3": "jane",
            "tomorrow Jane Limerick at 3 pm": "jane",
            "Jane Limerick 2026-11-25T15:00+10:30 Wed": "jane",
            "Mr Whitfield's 3 pm tomorrow": "jane",
            "April's 12 on Friday": "april",
            "April Jones": "april",
            "April Jones on Friday at noon": "april",
            "the Pilates class on Friday at 10": "class",
            "Priya's 10am on Friday": "class",
            "Ben Stone's Pilates on Friday": "class",
            "Ben at Pilates on Friday": "class",
            "Ben Stone, Pilates, Friday": "class",
            "Ben in the Pilates class Friday at 10": "class",
            "the next one with Jack Whitfield": "jane",
            "Jack's next patient": "jane",
            "my next patient": "ben today" if "08:30" in now else "april",
            "my next one": "ben today" if "08:30" in now else "april",
            "Faye's previous visit": "faye past",
            "yesterday's 9:15 with Mei Ng": "faye past",
            "Faye Rowe yesterday": "faye past",
            f"appointment {ids['faye later']}": "faye later",
            f"#{ids['jane']}": "jane",
        }.items():
            which = await found(clinic, text, Looking.COMING)
            assert which.entry.id == ids[name], text
        assert (await found(clinic, "his next one", Looking.COMING, "April Jones")).entry.id == ids["april"]
        assert (await found(clinic, "Monday 9:15", Looking.COMING, "Faye Rowe")).entry.id == ids["faye monday"]


@pytest.mark.long
@pytest.mark.parametrize("now", TUESDAY)
async def test_a_visit_to_mark_or_write_up_is_found_among_the_past_and_today_s(now: str) -> None:
    async with prepared(now) as (desk, clinic, ids):
        mine = next(row["id"] for row in desk.rows("attendees") if row["booking_id"] == ids["faye past"])
        for text, name in {
            "Faye's 9:15 on Monday": "faye past",
            "Faye Rowe on Monday": "faye past",
            "Faye's last one": "faye past",
            "yesterday's 9:15": "faye past",
            "Faye 2026-11-23T09:15+11:00 Mon": "faye past",
            "Jane's last visit": "jane past",
            "Jane Limerick last Wednesday": "jane past",
            "Ben Stone": "ben today",
            "Ben's 12:30": "ben today",
            "Ben at half past twelve": "ben today",
            "today's 12:30 with Mei": "ben today",
            "April's one on Friday": "april",
            mine: "faye past",
            "my last patient": "faye past" if "08:30" in now else "ben today",
            "the latest one with Jack": "jane past",
        }.items():
            assert (await found(clinic, text, Looking.PAST)).entry.id == ids[name], text
        assert (await found(clinic, "his last one", Looking.PAST, "Faye Rowe")).entry.id == ids["faye past"]


@pytest.mark.long
@pytest.mark.parametrize("now", TUESDAY)
async def test_what_fits_several_or_none_names_visits_to_choose_from(now: str) -> None:
    async with prepared(now) as (_, clinic, ids):
        for text, error, names in (
            ("Faye Rowe", Ambiguous, ["faye monday", "faye later"]),
            ("Faye's last one", Ambiguous, ["faye past", "faye later"]),
            ("Faye's 9:20 on Monday", NotFound, ["faye past", "faye monday"]),
            ("Faye at 2 on Monday", NotFound, ["faye past", "faye monday"]),
            ("Jane's 3:15 tomorrow", NotFound, ["jane"]),
            ("the 9:00 with Mei Ng on Friday", NotFound, ["april"]),
        ):
            with pytest.raises(ClinikoMcpError) as caught:
                await found(clinic, text, Looking.COMING)
            assert isinstance(caught.value, error), text
            rows = caught.value.details["candidates"]
            assert [row["id"] for row in rows] == [ids[name] for name in names], text  # type: ignore[index, union-attr]
        for text, error in (
            ("his last one", InvalidArguments),
            ("Faye Monday 24 November at 9", NotUnderstood),
            ("Faye at 3 with Nobody", NotFound),
            ("Fay Rowan tomorrow", NotFound),
            ("the visit with Mei Ng", InvalidArguments),
        ):
            with pytest.raises(error):
                await found(clinic, text, Looking.COMING)


@pytest.mark.parametrize("words", ["Ben's Pilates on Friday", "Ben at Pilates Friday", "Ben Stone Friday at 10"])
async def test_a_place_that_was_cancelled_is_said_to_be(words: str) -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, ids):
        place = next(row for row in desk.rows("attendees") if row["booking_id"] == ids["class"])
        desk.store.put("attendees", {**place, "cancelled_at": "2026-11-23T00:00:00Z"})
        row = next(row for row in desk.rows("group_appointments") if row["id"] == ids["class"])
        left = [who for who in row["patient_ids"] if who != place["patient_id"]]
        desk.store.put("group_appointments", {**row, "patient_ids": left})
        with pytest.raises(NotFound) as refused:
            await found(clinic, words, Looking.COMING)
        assert "Pilates class on 2026-11-27T10:00+11:00 Fri is cancelled already" in refused.value.message


async def test_what_is_found_in_two_directions_is_shown_once() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, _):
        who = desk.patient("Kim", "Tran")
        desk.patient("Kim", "Doyle")
        desk.book(who, NORTHSIDE, "Dr Mei Ng", "2026-11-24 09:00", cancelled_at="2026-11-23T00:00:00Z")
        for looking in Looking.COMING, Looking.PAST:
            with pytest.raises(NotFound) as refused:
                await found(clinic, "Kim's 9am", looking)
            rows = [row["id"] for row in refused.value.details["candidates"]]  # type: ignore[index, call-overload, union-attr]
            assert len(rows) == len(set(rows)) == 1


@pytest.mark.long
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_of_namesakes_the_time_tells_and_otherwise_a_person_has_to(site: str, practitioner: str) -> None:
    async with front_desk("move_appointment", sandbox_now=TUESDAY[0]) as (desk, clinic):
        desk.empty_diary()
        desk.empty("patients")
        one, other = desk.patient("Zoë", "Adair"), desk.patient("Zoe", "Adair", date_of_birth="1990-01-01")
        mine = desk.book(one, site, practitioner, "2026-11-27 09:15")
        which = await found(clinic, "Zoe Adair, Friday 9:15", Looking.COMING)
        assert which.entry.id == mine and "2 patients fit" in which.note
        with pytest.raises(Ambiguous):
            await found(clinic, "Zoe Adair", Looking.COMING)
        desk.book(other, site, "Tom Okafor", "2026-11-27 09:15")
        with pytest.raises(Ambiguous):
            await found(clinic, "Zoe's Friday 9:15", Looking.COMING)
        assert (await found(clinic, "Zoe Adair Friday 9:15", Looking.COMING, one)).entry.id == mine
        cancelled = desk.book(
            one, site, practitioner, "2026-11-28 09:15", cancelled_at="2026-11-20T00:00:00Z", cancellation_reason=30
        )
        with pytest.raises(NotFound) as caught:
            await found(clinic, "Zoe Adair on Saturday", Looking.COMING)
        assert caught.value.details["candidates"][0]["id"] == cancelled  # type: ignore[index, call-overload]


async def test_at_most_five_are_shown_and_how_many_more_there_are() -> None:
    async with front_desk("move_appointment", sandbox_now=TUESDAY[0]) as (desk, clinic):
        desk.empty_diary()
        desk.empty("patients")
        for number in range(7):
            desk.book(desk.patient("Pat", f"Number{number}"), NORTHSIDE, "Dr Mei Ng", "2026-11-27 09:15")
        with pytest.raises(Ambiguous) as caught:
            await found(clinic, "the 9:15 on Friday with Mei Ng", Looking.COMING)
        assert len(caught.value.details["candidates"]) == 5 and "2 more" in caught.value.message  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["Kim's half one on Friday", "Kim at half past one, Friday", "Kim's one thirty on Friday", "the 1:30 Friday"],
)
async def test_one_is_an_hour_beside_half_or_minutes(text: str) -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, _):
        due = desk.book(desk.patient("Kim", "Tran"), NORTHSIDE, "Dr Mei Ng", "2026-11-27 13:30")
        assert (await found(clinic, text, Looking.COMING)).entry.id == due


async def test_what_several_people_of_one_name_do_not_have_is_said_in_one_sentence() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, _):
        first = desk.patient("Kim", "Tran")
        desk.patient("Kim", "Doyle")
        for text in ("Kim's 9:15 tomorrow", "Kim on Friday"):
            with pytest.raises(NotFound) as refused:
                await found(clinic, text, Looking.COMING)
            assert refused.value.message.startswith("The 2 patients of that name have no appointment: ")
        desk.book(first, NORTHSIDE, "Dr Mei Ng", "2026-11-27 13:30", cancelled_at="2026-11-23T00:00:00Z")
        with pytest.raises(NotFound) as refused:
            await found(clinic, "Kim on Friday", Looking.COMING)
        assert refused.value.message.startswith("The 2 patients of that name have only cancelled appointments: ")


async def test_who_is_named_beside_the_time_is_told_apart_by_it_and_is_never_a_practitioner() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, ids):
        roster, _ = await load(clinic)
        one = desk.patient("Mei", "Adair")
        desk.patient("Mei", "Bell")
        for looking in Looking.COMING, Looking.PAST:
            with pytest.raises(NotFound):  # Mei Ng has a visit then, and neither patient has
                await which_visit(clinic, roster, "today at 12:30", looking, "Mei")
        due = desk.book(one, NORTHSIDE, "Tom Okafor", "2026-11-24 12:30")
        which = await which_visit(clinic, roster, "today at 12:30", Looking.COMING, "Mei")
        assert which.entry.id == due != ids["ben today"] and "2 patients fit" in which.note
        for text in ("her next one", due):
            with pytest.raises(Ambiguous):
                await which_visit(clinic, roster, text, Looking.COMING, "Mei")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("today Faye tomorrow", "today"),
        ("Tuesday Faye at 9:15 Jane at 10:00", "9:15"),
    ],
)
async def test_of_two_times_that_do_not_go_together_the_first_is_told_as_too_much(text: str, wrong: str) -> None:
    async with front_desk("move_appointment", sandbox_now=TUESDAY[0]) as (_, clinic):
        with pytest.raises(NotUnderstood) as refused:
            await found(clinic, text, Looking.COMING)
        assert refused.value.message == (
            f"The time in “{text}” could not be read: “{wrong}” does not go with the rest."
        )


async def test_a_patient_s_name_is_not_taken_for_the_practitioner_of_that_name_without_a_question() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, ids):
        desk.patient("Mei", "Adair", date_of_birth="1984-03-12")
        with pytest.raises(Ambiguous) as refused:
            await found(clinic, "Mei's 12:30 today", Looking.COMING)
        assert refused.value.message == ("Mei Adair (born 1984) has no appointment then; this one is with Dr Mei Ng.")
        assert [row["id"] for row in refused.value.details["candidates"]] == [ids["ben today"]]  # type: ignore[index, call-overload]


@pytest.mark.long
async def test_a_time_a_little_off_is_refused_for_the_day_of_the_visit_that_is_offered() -> None:
    async with prepared("2026-11-24T16:30:00+11:00") as (_, clinic, ids):
        with pytest.raises(NotFound) as refused:
            await found(clinic, "Ben's 12:45", Looking.PAST)
        assert "Tuesday 24 November 2026 at 12:45" in refused.value.message
        assert [row["id"] for row in refused.value.details["candidates"]] == [ids["ben today"]]  # type: ignore[index, call-overload]


@pytest.mark.long
async def test_visits_of_today_and_of_a_week_on_are_told_with_both_days() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, ids):
        ben = desk.store.table("individual_appointments").rows[ids["ben today"]]["patient_id"]
        later = desk.book(str(ben), NORTHSIDE, "Dr Mei Ng", "2026-12-01 12:30")
        with pytest.raises(Ambiguous) as refused:
            await found(clinic, "Ben Stone on Tuesday", Looking.COMING)
        assert "Tuesday 24 November 2026" in str(refused.value) and "Tuesday 1 December 2026" in str(refused.value)
        assert [row["id"] for row in refused.value.details["candidates"]] == [ids["ben today"], later]  # type: ignore[index, call-overload]


async def test_a_long_time_is_enough_for_one_patient_and_too_long_for_everyone() -> None:
    async with prepared(TUESDAY[0]) as (_, clinic, ids):
        weeks = "1 November 2026 to 31 December 2026"
        for looking in Looking.COMING, Looking.PAST:
            assert (await found(clinic, f"April Jones, {weeks}", looking)).entry.id == ids["april"]
            for text in (f"the Pilates class, {weeks}", "Mei Ng's in the next 3 months"):
                with pytest.raises(NotUnderstood, match="too long a time"):
                    await found(clinic, text, looking)


async def test_of_two_that_begin_together_the_class_has_the_number_of_its_patients() -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, ids):
        ben = desk.attendee(ids["class"])["patient_id"]
        single = desk.book(ben, NORTHSIDE, "Dr Mei Ng", "2026-11-27 10:00")
        with pytest.raises(Ambiguous) as refused:
            await found(clinic, "Friday at 10", Looking.COMING)
        at = "2026-11-27T10:00+11:00 Fri"
        assert refused.value.details["candidates"] == [
            {"id": ids["class"], "starts_at": at, "type": "Pilates class", "practitioner": "Priya Nair", "patients": 2},
            {"id": single, "starts_at": at, "type": "Standard consult", "practitioner": "Dr Mei Ng",
             "patient": "Ben Stone", "patient_id": ben},
        ]  # fmt: skip


@pytest.mark.parametrize("text", ["James' 9:15 on Friday", "James’ 9.15 Friday", "the 9:15 on Friday, James'"])
async def test_a_name_that_ends_in_s_owns_a_visit_with_an_apostrophe_alone(text: str) -> None:
    async with prepared(TUESDAY[0]) as (desk, clinic, _):
        due = desk.book(desk.patient("James", "Hart"), NORTHSIDE, "Dr Mei Ng", "2026-11-27 09:15")
        desk.book(desk.patient("Jamie", "Hart"), NORTHSIDE, "Tom Okafor", "2026-11-27 09:15")
        assert (await found(clinic, text, Looking.COMING)).entry.id == due


async def test_a_time_at_which_a_practitioner_has_nothing_is_told_of_by_the_practitioner_s_name() -> None:
    async with prepared(TUESDAY[0]) as (_, clinic, ids):
        with pytest.raises(NotFound) as refused:
            await found(clinic, "Mei's 9:20 on Friday", Looking.COMING)
        assert refused.value.message.startswith("Dr Mei Ng has no appointment: Friday 27 November 2026 at 09:20 (")
        assert [row["id"] for row in refused.value.details["candidates"]] == [ids["april"]]  # type: ignore[index, call-overload, union-attr]
