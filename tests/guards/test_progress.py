"""What whoever waits is told: each step above the one before, in the clinic's words, never more done than there is."""

from collections.abc import Awaitable, Callable

import anyio

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patient_forms import PatientForms
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.guards.progress import PagesTold, increasing, noun_of, waiting
from tests.client.virtual import run

Told = tuple[float, float | None, str]


def told(story: Callable[[Callable[[float, float | None, str], Awaitable[None]]], Awaitable[None]]) -> list[Told]:
    """What the person was told, who takes a second to hear the first of it."""
    heard, busy = list[Told](), [1.0]

    async def tell(done: float, total: float | None, message: str) -> None:
        await anyio.sleep(busy.pop() if busy else 0)
        heard.append((done, total, message))

    run(lambda: story(tell))
    return heard


def test_each_step_is_above_the_one_before_and_no_total_is_below_it() -> None:
    async def story(tell: Callable[[float, float | None, str], Awaitable[None]]) -> None:
        step = increasing(tell)
        for done, total in ((1, 5), (1, 2), (5, None), (2, 5), (8, 8)):
            await step(done, total, "")

    assert told(story) == [(1, 5, ""), (2, 2, ""), (5, None, ""), (6, None, ""), (8, 8, "")]


def test_a_step_above_none_is_the_first() -> None:
    async def story(tell: Callable[[float, float | None, str], Awaitable[None]]) -> None:
        await increasing(tell)(0, None, "")
        await increasing(tell)(0.5, None, "")

    assert told(story) == [(1, None, ""), (0.5, None, "")]


def test_steps_that_come_at_once_are_told_one_after_the_other() -> None:
    async def story(tell: Callable[[float, float | None, str], Awaitable[None]]) -> None:
        step = increasing(tell)
        async with anyio.create_task_group() as group:

            async def one(message: str) -> None:
                await step(1, None, message)

            for message in ("first", "second", "third"):
                group.start_soon(one, message)

    assert told(story) == [(1, None, "first"), (2, None, "second"), (3, None, "third")]


def test_a_wait_for_the_limit_is_told_in_whole_seconds_and_is_never_none() -> None:
    async def story(tell: Callable[[float, float | None, str], Awaitable[None]]) -> None:
        for seconds in (0.2, 1.6, 7.4):
            await waiting(tell, seconds)

    assert told(story) == [(0, None, f"waiting for Cliniko's limit, {seconds} s") for seconds in (1, 2, 7)]


def test_the_pages_of_several_lists_are_one_count_and_never_more_than_all_of_them() -> None:
    patients, bookings = Patients.list_patients.call(), Bookings.list_bookings.call()

    async def story(tell: Callable[[float, float | None, str], Awaitable[None]]) -> None:
        pages = PagesTold()
        await pages.page(tell, 1, patients, 1, 2, "100 of 150 rows")
        await pages.page(tell, 2, bookings, 1, 1, "3 of 3 rows")
        await pages.page(tell, 1, patients, 2, 2, "150 of 150 rows")
        await pages.page(tell, 1, patients, 3, 2, "160 rows")  # patients were added meanwhile
        await pages.page(tell, 1, patients, 3, 2, "160 rows")

    assert told(story) == [
        (1, 2, "patients: 1 of 2 pages, 100 of 150 rows"),
        (2, 3, "the diary: read"),
        (3, 3, "patients: 2 of 2 pages, 150 of 150 rows"),
        (4, 4, "patients: 3 of 2 pages, 160 rows"),
        (5, 5, "patients: 3 of 2 pages, 160 rows"),
    ]


def test_a_kind_of_record_without_words_of_the_clinic_goes_by_its_name() -> None:
    assert noun_of(Call(PatientForms.list_patient_forms)) == "patient forms"
    assert noun_of(Call(Bookings.list_bookings)) == "the diary"
