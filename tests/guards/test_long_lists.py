"""A list that is larger than a minute's allowance ends by calling again, and never starts over."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.client.kept_pages import FEW_PAGES, KeptPages
from cliniko_mcp.client.rate_limit import one_call
from cliniko_mcp.cliniko.calls import Risk
from cliniko_mcp.cliniko.filters import MAX_IDS, Before, From, OneOf
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.errors import RateLimited
from cliniko_mcp.guards.audit import Audit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.memory import RECORD_SECONDS_KEPT, Course, Memory
from cliniko_mcp.guards.pipeline import Caller, Guard
from tests.client.account import NOON, Account, listed, person
from tests.client.virtual import run

from .office import Doorkeeper

PAGES = 10
ROWS = [person(number) for number in range(PAGES * 100)]
Read = Callable[[GuardedClinic], Awaitable[Any]]


async def patients(clinic: GuardedClinic) -> list[str]:
    return [row.id for row in await clinic.collect(Patients.list_patients)]


class Calls:
    """Tool calls of one clinic, one after another; each is answered or told how far it came."""

    _client: Clinic
    _memory: Memory

    def __init__(self, per_minute: int = 1_000) -> None:
        self.account = Account(
            {
                "GET /patients": listed("patients", ROWS),
                "GET /bookings": listed("bookings", ROWS),
                "POST /attendees": lambda _: httpx2.Response(201, json=person(7)),
            }
        )
        self.per_minute = per_minute
        self.doorkeeper = Doorkeeper()
        self.guards: list[Guard] = [self.doorkeeper]
        self.told: list[tuple[float, float | None, str]] = []

    async def _tell(self, done: float, total: float | None, message: str) -> None:
        self.told.append((done, total, message))

    def play(self, story: Callable[["Calls"], Awaitable[None]]) -> None:
        async def inner() -> None:
            async with self.account.clinic(self.per_minute) as client:
                self._client, self._memory = client, Memory(anyio.current_time, client.now)
                await story(self)

        run(inner)

    async def call(
        self, read: Read, *, risk: Risk = Risk.READ, principal: str = "one", call: str = "call"
    ) -> tuple[Any, Course]:
        course = Course(risk)
        caller = Caller(principal=principal, progress=self._tell, call=call)
        clinic = GuardedClinic(self._client, self.guards, caller, "report", self._memory, course=course)
        with one_call():
            try:
                return await read(clinic), course
            finally:
                clinic.answered()

    @property
    def sent(self) -> int:
        return len(self.account.requests)


async def until_answered(calls: Calls, read: Read = patients, **how: Any) -> list[RateLimited]:
    """Call again each time that is told; what was said each time."""
    refusals: list[RateLimited] = []
    while True:
        try:
            rows, _ = await calls.call(read, **how)
        except RateLimited as full:
            refusals.append(full)
            assert len(refusals) < 20
            wait = full.details["retry_after"]
            assert isinstance(wait, int)
            await anyio.sleep(wait + 1)
        else:
            assert rows == [row["id"] for row in ROWS]
            return refusals


def test_it_ends_by_calling_again_with_each_page_read_once_and_each_refusal_further_on() -> None:
    calls = Calls(per_minute=4)

    async def story(calls: Calls) -> None:
        refusals = await until_answered(calls)
        assert calls.sent == PAGES
        read = [int(str(refusal.details["pages_read"])) for refusal in refusals]
        assert read == sorted(set(read))
        assert all(refusal.details["pages"] == PAGES for refusal in refusals)
        assert all("pages of patients have been read" in refusal.message for refusal in refusals)
        assert all("same arguments" in refusal.fix for refusal in refusals)

    calls.play(story)


def test_records_read_by_their_ids_are_read_on_where_they_were_cut_off() -> None:
    calls = Calls(per_minute=4)

    async def names(clinic: GuardedClinic) -> list[str]:
        return [*await clinic.by_id(Patients.list_patients, [row["id"] for row in ROWS])]

    async def story(calls: Calls) -> None:
        refusals = await until_answered(calls, names)
        batches = ceil(len(ROWS) / MAX_IDS)
        assert calls.sent == batches
        read = [int(str(refusal.details["pages_read"])) for refusal in refusals]
        assert read == sorted(set(read)) and len(read) >= 2
        assert all("same arguments" in refusal.fix for refusal in refusals)
        await anyio.sleep(RECORD_SECONDS_KEPT + 1)
        await calls.call(lambda clinic: clinic.by_id(Patients.list_patients, [ROWS[0]["id"]]))
        assert calls.sent == batches + 1  # names are not kept longer than they were

    calls.play(story)


@pytest.mark.long
def test_many_short_lists_are_read_on_where_they_were_cut_off() -> None:
    calls = Calls(per_minute=4)
    lists = 15
    calls.account.answers["GET /attendees"] = listed("attendees", ROWS[:100])

    async def places(clinic: GuardedClinic) -> list[str]:
        for number in range(lists):
            await clinic.collect(Attendees.list_attendees, booking_id=str(number + 1))
        return [row["id"] for row in ROWS]

    async def story(calls: Calls) -> None:
        await until_answered(calls, places)
        assert calls.sent == lists
        with pytest.raises(RateLimited):  # the next call reads them anew
            await calls.call(places)

    calls.play(story)


def test_what_was_read_is_another_principal_s_and_lasts_ten_minutes() -> None:
    calls = Calls(per_minute=4)

    async def story(calls: Calls) -> None:
        with pytest.raises(RateLimited):
            await calls.call(patients)
        sent = calls.sent
        await anyio.sleep(61)
        with pytest.raises(RateLimited):
            await calls.call(patients, principal="two")
        pages = [request.url.params["page"] for request in calls.account.requests[sent:]]
        assert pages[0] == "1"
        await anyio.sleep(700)
        sent = calls.sent
        with pytest.raises(RateLimited):
            await calls.call(patients)
        assert calls.account.requests[sent].url.params["page"] == "1"

    calls.play(story)


def test_a_repeated_call_is_answered_from_memory_for_two_minutes_and_the_audit_is_told_when_it_was_read() -> None:
    calls = Calls()

    async def story(calls: Calls) -> None:
        await calls.call(patients)
        assert calls.sent == PAGES
        await anyio.sleep(100)
        rows, course = await calls.call(patients)
        assert (len(rows), calls.sent) == (len(ROWS), PAGES)
        at = calls.doorkeeper.seen[-1].outcome.read_at
        assert at is not None
        assert NOON <= at < NOON + timedelta(seconds=5)
        assert course.swept_at == at
        await anyio.sleep(30)
        _, course = await calls.call(patients)
        assert calls.sent == 2 * PAGES
        assert course.swept_at is None

    calls.play(story)


def test_each_repeat_leaves_a_line_that_says_when_what_it_was_answered_with_was_read(tmp_path: Path) -> None:
    calls, chain = Calls(), HashChain(tmp_path / "audit.jsonl")

    async def story(calls: Calls) -> None:
        calls.guards = [Audit(LocalLog(chain), lambda: NOON + timedelta(seconds=anyio.current_time()))]
        for _ in range(2):
            await calls.call(patients)
            await anyio.sleep(100)

    calls.play(story)
    lines = list(chain.entries())
    assert [line["requests"] for line in lines] == [PAGES, 0]
    assert ["as_at" in line for line in lines] == [False, True]
    assert str(lines[1]["as_at"]).startswith(f"{NOON:%Y-%m-%dT%H:%M:0}")
    assert str(lines[1]["time"]) > f"{NOON + timedelta(seconds=99):%Y-%m-%dT%H:%M:%S}"


def test_what_a_list_takes_is_told_with_its_first_page_where_that_is_more_than_a_minute() -> None:
    calls = Calls(per_minute=4)
    calls.account.answers["GET /patients"] = listed("patients", [person(number) for number in range(20_000)])

    async def story(calls: Calls) -> None:
        with pytest.raises(RateLimited) as full:
            await calls.call(patients)
        assert full.value.details["pages"] == 200

    calls.play(story)
    messages = [message for _, _, message in calls.told]
    assert messages[0] == "patients: 1 of 200 pages, 100 of 20,000 rows; about 2 minutes within Cliniko's limit"
    assert not any("minutes" in message for message in messages[1:])


def test_another_question_reads_the_list_of_patients_afresh() -> None:
    calls = Calls()

    async def story(calls: Calls) -> None:
        await calls.call(patients)
        _, course = await calls.call(patients, call="another")
        assert (calls.sent, course.swept_at) == (2 * PAGES, None)

    calls.play(story)


def test_a_change_drops_it_and_a_call_that_may_change_something_reads_afresh() -> None:
    calls = Calls()

    async def story(calls: Calls) -> None:
        await calls.call(patients)
        await calls.call(patients, risk=Risk.WRITE)
        assert calls.sent == 2 * PAGES
        await calls.call(
            lambda clinic: clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2")),
            risk=Risk.WRITE,
        )
        await calls.call(patients)
        assert calls.sent == 3 * PAGES + 1

    calls.play(story)


def test_the_diary_to_come_is_read_each_time_and_one_that_is_over_is_not() -> None:
    calls = Calls()

    async def coming(clinic: GuardedClinic) -> None:
        await clinic.collect(Bookings.list_bookings, starts_at=From(clinic.now))

    async def over(clinic: GuardedClinic) -> None:
        await clinic.collect(Bookings.list_bookings, starts_at=Before(NOON - timedelta(days=1)))

    async def story(calls: Calls) -> None:
        for read, sent in ((coming, PAGES), (coming, 2 * PAGES), (over, 3 * PAGES), (over, 3 * PAGES)):
            await calls.call(read)
            assert calls.sent == sent

    calls.play(story)


def diary(over: bool, *, by_id: bool = False, then: str = "places") -> Read:
    """Reads a part of the diary, maybe a booking by its id too, then the places of one of its classes or patients."""

    async def read(clinic: GuardedClinic) -> None:
        yesterday = NOON - timedelta(days=1)
        await clinic.collect(Bookings.list_bookings, starts_at=Before(yesterday) if over else From(yesterday))
        if by_id:
            await clinic.collect(Bookings.list_bookings, id=OneOf([ROWS[0]["id"]]))
        if then == "places":
            await clinic.collect(Attendees.list_attendees, booking_id="1")
        else:
            await clinic.collect(Patients.list_patients)

    return read


@pytest.mark.parametrize(
    ("read", "again"),
    [
        (diary(True), 0),
        (diary(False), PAGES + 1),
        (diary(True, by_id=True), 1),
        (diary(True, then="patients"), PAGES),
        (diary(False, by_id=True), PAGES + 2),
    ],
)
def test_the_places_of_classes_that_are_over_are_read_once_for_all_calls(read: Read, again: int) -> None:
    calls = Calls()
    calls.account.answers["GET /attendees"] = listed("attendees", ROWS[:5])

    async def story(calls: Calls) -> None:
        await calls.call(read)
        first = calls.sent
        await calls.call(read, call="another")
        assert calls.sent - first == again

    calls.play(story)


def test_a_list_of_a_few_pages_is_read_each_time() -> None:
    calls = Calls()
    calls.account.answers["GET /patients"] = listed("patients", ROWS[: FEW_PAGES * 100])

    async def story(calls: Calls) -> None:
        for _ in range(2):
            await calls.call(patients)
        assert calls.sent == 2 * FEW_PAGES

    calls.play(story)


@pytest.mark.parametrize(("limit", "start", "sent"), [(1_000, 0, 20), (1_001, 0, 10), (1_001, 100, 18)])
def test_a_reading_of_so_many_rows_from_the_first_on_is_kept_where_they_may_be_more_than_a_thousand(
    limit: int, start: int, sent: int
) -> None:
    calls = Calls()

    async def story(calls: Calls) -> None:
        for _ in range(2):
            await calls.call(lambda clinic: clinic.rows(Patients.list_patients.call(), limit=limit, start=start))
        assert calls.sent == sent

    calls.play(story)


def test_progress_goes_up_with_each_page_of_all_lists_in_the_clinics_words() -> None:
    calls = Calls()

    async def both(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(patients, clinic)
            group.start_soon(lambda: clinic.collect(Bookings.list_bookings))

    async def story(calls: Calls) -> None:
        await calls.call(both)

    calls.play(story)
    done = [step[0] for step in calls.told]
    assert done == sorted(set(done))
    assert calls.told[-1][:2] == (2 * PAGES, 2 * PAGES)
    messages = [step[2] for step in calls.told]
    assert "patients: 3 of 10 pages, 300 of 1,000 rows" in messages
    assert "the diary: 3 of 10 pages, 300 of 1,000 rows" in messages


def kept(max_bytes: int = 1_000) -> KeptPages:
    return KeptPages(lambda: 0.0, lambda: NOON, max_bytes)


def test_so_much_is_kept_at_most_and_what_was_read_last_stays() -> None:
    pages = kept()
    for key in "abc":
        reading = pages.reading(key, "call", again=True)
        for number in range(1, 6):
            reading.keep(number, bytes(range(100)))  # which cannot be compressed
        reading.end()
    assert [pages.reading(key, "call", again=True).recall(1) is not None for key in "abc"] == [False, False, True]


def test_a_page_that_is_asked_for_again_in_one_reading_is_read_anew() -> None:
    pages = kept()
    first = pages.reading("a", "call", again=True)
    for number in range(1, 6):
        first.keep(number, b"old")
    first.end()
    second = pages.reading("a", "call", again=True)
    assert second.recall(5) == b"old"
    assert second.recall(5) is None
    second.keep(5, b"new")
    assert pages.reading("a", "call", again=True).recall(5) is None  # the list has not come to its end again
    second.end()
