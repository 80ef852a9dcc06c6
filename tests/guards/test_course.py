"""What an answer says of its age is the age of the oldest of what it was made of, and what is kept for which calls."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import anyio
import pytest

from cliniko_mcp.client.pagination import Sweep
from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.filters import Condition
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.availability_blocks import AvailabilityBlocks
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Course, Memory
from cliniko_mcp.guards.pipeline import Caller, Purpose
from tests.client.account import NOON, listed, person
from tests.guards.test_long_lists import PAGES, ROWS, Calls, patients

EARLIER, EARLIEST = NOON - timedelta(seconds=30), NOON - timedelta(seconds=60)


def test_an_answer_is_as_old_as_the_oldest_of_what_came_from_memory() -> None:
    course = Course()
    assert (course.as_at, course.swept_at) == (None, None)
    for kind, at in (("/businesses", EARLIEST), ("/patients", NOON), ("/bookings", EARLIER)):
        course.recall(kind, at)
    assert (course.as_at, course.swept_at) == (EARLIEST, EARLIER)


def test_of_what_came_from_memory_twice_the_older_counts() -> None:
    course = Course()
    for at in (EARLIER, EARLIEST, NOON):
        course.recall("/businesses", at)
    assert course.as_at == EARLIEST


@pytest.mark.parametrize(
    ("risk", "purpose", "tool", "called", "kept"),
    [
        (Risk.READ, "call", "report", "call", True),
        (Risk.WRITE, "call", "report", "call", False),
        (Risk.READ, "preview", "report", "call", False),
        (Risk.READ, "call", "list_patients", "call", False),
        (Risk.READ, "call", "report", "", False),
    ],
)
def test_pages_are_kept_for_a_call_that_reads_and_asks_for_more_than_the_list(
    risk: Risk, purpose: Purpose, tool: str, called: str, kept: bool
) -> None:
    memory = Memory(lambda: 0.0, lambda: NOON)
    reading = memory.reading(Patients.list_patients.call(), Caller(call=called), tool, purpose, Course(risk))
    assert (reading is not None) == kept


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("bounds", "over"),
    [
        ([("starts_at", "<", NOON)], True),
        ([("starts_at", "<=", NOON)], True),
        ([("starts_at", ">=", NOON - DAY), ("starts_at", "<", NOON)], True),
        ([("starts_at", "<", NOON + DAY)], False),
        ([("starts_at", ">=", NOON - DAY)], False),
        ([("created_at", "<", NOON)], False),
        ([("starts_at", "<", datetime(2020, 1, 1))], False),
        ([], False),
    ],
)
def test_a_part_of_the_diary_is_over_where_nothing_in_it_begins_later_than_now(
    bounds: list[tuple[str, str, datetime]], over: bool
) -> None:
    memory, course = Memory(lambda: 0.0, lambda: NOON), Course(Risk.READ, over=not over)
    called = Call(Bookings.list_bookings, conditions=tuple(Condition(*bound) for bound in bounds))
    memory.reading(called, Caller(call="call"), "report", "call", course)
    assert course.over is over


def test_a_call_that_looks_again_reads_anew_the_long_list_that_it_took_from_memory() -> None:
    async def twice(clinic: GuardedClinic) -> None:
        await patients(clinic)
        assert clinic.look_again()
        await patients(clinic)

    async def story(calls: Calls) -> None:
        await calls.call(patients)
        await calls.call(twice)
        assert calls.sent == 2 * PAGES

    Calls().play(story)


def test_a_call_that_changed_something_is_not_made_again_whatever_it_reads_after_that() -> None:
    async def changes(clinic: GuardedClinic) -> None:
        await patients(clinic)
        await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        await clinic.perform(Patients.get_patient, id=ROWS[0]["id"])
        assert clinic.course.as_at is not None
        assert not clinic.look_again()

    async def story(calls: Calls) -> None:
        calls.account.answers[f"GET /patients/{ROWS[0]['id']}"] = ROWS[0]
        await calls.call(patients)
        await calls.call(changes)

    Calls().play(story)


def so_many(limit: int) -> Callable[[GuardedClinic], Awaitable[Sweep[Record]]]:
    return lambda clinic: clinic.rows(Patients.list_patients.call(), limit=limit)


def test_a_repeated_reading_of_so_many_rows_tells_when_they_were_read() -> None:
    async def story(calls: Calls) -> None:
        await calls.call(so_many(1_001))
        await anyio.sleep(60)
        _, course = await calls.call(so_many(1_001))
        at = calls.doorkeeper.seen[-1].outcome.read_at
        assert at is not None and at < NOON + timedelta(seconds=5)
        assert course.swept_at == at

    Calls().play(story)


@pytest.mark.parametrize(("rows", "pages"), [(1_000, 10), (1_300, 11)])
def test_a_reading_that_came_to_its_end_or_to_so_many_rows_is_owed_nothing_more(rows: int, pages: int) -> None:
    async def story(calls: Calls) -> None:
        calls.account.answers["GET /patients"] = listed("patients", [person(number) for number in range(rows)])
        _, course = await calls.call(so_many(1_001))
        assert (course.cut_off, calls.sent) == (False, pages)
        await anyio.sleep(121)
        await calls.call(so_many(1_001))
        assert calls.sent == 2 * pages

    Calls().play(story)


def test_a_reading_that_ran_out_of_time_goes_on_where_it_stopped_minutes_later() -> None:
    async def story(calls: Calls) -> None:
        calls.account.latency = 13
        found, course = await calls.call(so_many(1_001))
        assert 0 < len(found.rows) < len(ROWS) and course.cut_off
        await anyio.sleep(300)
        found, course = await calls.call(so_many(1_001))
        assert ([row.id for row in found.rows], course.cut_off) == ([row["id"] for row in ROWS], False)
        assert calls.sent == PAGES

    Calls().play(story)


def test_of_a_list_of_a_few_pages_nothing_is_held_once_the_call_is_answered() -> None:
    async def story(calls: Calls) -> None:
        calls.account.answers["GET /patients"] = listed("patients", ROWS[:200])
        await calls.call(patients)
        assert calls._memory.pages.held == 0

    Calls().play(story)


def test_of_what_is_no_part_of_the_diary_nothing_is_over() -> None:
    memory = Memory(lambda: 0.0, lambda: NOON)
    called = Call(AvailabilityBlocks.list_availability_blocks, conditions=(Condition("starts_at", "<", NOON),))
    first = memory.reading(called, Caller(call="one"), "report", "call", Course(Risk.READ))
    assert first is not None
    for number in range(1, 6):
        first.keep(number, b"page")
    first.end()
    second = memory.reading(called, Caller(call="another"), "report", "call", Course(Risk.READ))
    assert second is not None and second.recall(1) is None
