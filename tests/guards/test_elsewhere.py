"""Two processes of one account: what one changed the other reads anew, and a zone that one read the other knows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import anyio

from cliniko_mcp.cliniko.resources.businesses import BusinessBody, Businesses
from cliniko_mcp.cliniko.resources.patients import PatientBody, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.guards.elsewhere import Beside, Elsewhere, Nowhere
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Course, Memory
from tests.client.account import listed, person
from tests.client.virtual import run

from .office import ANSWERS, ONE, SITE, Office

MORE: Mapping[str, Any] = {
    **ANSWERS,
    "GET /practitioners": listed("practitioners", [person(1), person(2)]),
    f"PATCH /businesses/{SITE['id']}": SITE,
}


class Board:
    """What two processes share, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.counts: dict[str, int] = {}

    async def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        assert seconds == 120
        self.kept[name] = value

    async def generations(self) -> Mapping[str, int]:
        return dict(self.counts)

    async def changed(self, kinds: Sequence[str]) -> None:
        for kind in kinds:
            self.counts[kind] = self.counts.get(kind, 0) + 1


Story = Callable[[Callable[[], Awaitable[GuardedClinic]], Callable[[], Awaitable[GuardedClinic]]], Awaitable[None]]


def told(story: Story, between: Elsewhere | None = None) -> tuple[Office, Office]:
    """A story of two processes, each of which makes its calls by a clinic of its own, with this between them."""
    offices = Office(answers=MORE), Office(answers=MORE)

    async def inner() -> None:
        board = between or Board()
        async with AsyncExitStack() as stack:
            calls: list[Callable[[], Awaitable[GuardedClinic]]] = []
            for office in offices:
                client = await stack.enter_async_context(office.account.clinic())
                memory = Memory(anyio.current_time, client.now, board)

                async def call(office: Office = office, client: Any = client, memory: Memory = memory) -> GuardedClinic:
                    await memory.catch_up()
                    return GuardedClinic(client, office.guards, office.caller, "some_tool", memory, course=Course())

                calls.append(call)
            await story(*calls)

    run(inner)
    return offices


def requests(office: Office) -> list[str]:
    return [f"{request.method} {request.url.path.removeprefix('/v1')}" for request in office.account.requests]


def test_what_one_process_changed_another_reads_anew_and_keeps_what_was_not_touched() -> None:
    async def story(here: Any, there: Any) -> None:
        for _ in range(2):
            await (await there()).collect(Practitioners.list_practitioners)
            await (await there()).by_id(Patients.list_patients, [ONE])
        await (await here()).perform(Patients.update_patient, PatientBody(first_name="New", last_name="Name"), id=ONE)
        await (await there()).collect(Practitioners.list_practitioners)
        await (await there()).by_id(Patients.list_patients, [ONE])

    _, there = told(story)
    assert requests(there) == ["GET /practitioners", "GET /patients", "GET /patients"]


def test_of_two_who_work_in_one_process_with_keys_of_their_own_each_reads_anew_what_the_other_changed() -> None:
    async def story(here: Any, there: Any) -> None:
        for _ in range(2):
            for _ in range(2):
                assert (await (await there()).zone(SITE["id"])).key == "Australia/Perth"
                await (await there()).by_id(Patients.list_patients, [ONE])
            await (await here()).perform(Patients.update_patient, PatientBody.partial(notes="x"), id=ONE)
        await (await there()).by_id(Patients.list_patients, [ONE])

    here, there = told(story, Beside())
    assert requests(here) == [f"PATCH /patients/{ONE}"] * 2
    assert requests(there) == [f"GET /businesses/{SITE['id']}", *["GET /patients"] * 3]


def test_those_who_work_in_one_process_are_told_how_often_each_kind_was_changed() -> None:
    async def story() -> None:
        beside = Beside()
        assert await beside.generations() == {}
        await beside.changed(["records", "zones"])
        await beside.changed(["records"])
        assert await beside.generations() == {"records": 2, "zones": 1}

    run(story)


def test_what_one_process_changed_is_dropped_by_the_next_call_of_another_and_by_no_later_one() -> None:
    async def story(here: Any, there: Any) -> None:
        await (await there()).by_id(Patients.list_patients, [ONE])
        await (await here()).perform(Patients.update_patient, PatientBody.partial(notes="x"), id=ONE)
        for _ in range(3):
            await (await there()).by_id(Patients.list_patients, [ONE])

    _, there = told(story)
    assert requests(there) == ["GET /patients"] * 2


def test_a_zone_that_one_process_read_another_need_not_read_and_a_changed_site_is_read_by_both() -> None:
    async def story(here: Any, there: Any) -> None:
        assert (await (await here()).zone(SITE["id"])).key == "Australia/Perth"
        assert (await (await there()).zone(SITE["id"])).key == "Australia/Perth"
        assert (await (await there()).zone()).key == "Australia/Sydney"
        body = BusinessBody(business_name="New")
        await (await here()).perform(Businesses.update_business, body, id=SITE["id"])
        assert (await (await there()).zone(SITE["id"])).key == "Australia/Perth"

    here, there = told(story)
    assert requests(here) == [f"GET /businesses/{SITE['id']}", f"PATCH /businesses/{SITE['id']}"]
    assert requests(there) == ["GET /user"]


def test_a_zone_that_one_process_had_to_guess_is_no_zone_that_another_knows() -> None:
    """Of a site that is not there: its times are in the zone of the key's user, and every answer says so."""

    async def story(here: Any, there: Any) -> None:
        for process in (here, there):
            assert (await (await process()).zone("404")).key == "Australia/Sydney"
            assert await (await process()).zone_note("404") is not None

    here, there = told(story)
    assert requests(here) == ["GET /businesses/404", "GET /user"]
    assert requests(there) == ["GET /businesses/404"]


def test_nothing_of_the_user_is_shared_so_each_process_reads_the_user_when_it_needs_them() -> None:
    async def story(here: Any, there: Any) -> None:
        assert (await (await here()).user()) is not None
        assert (await (await there()).zone()).key == "Australia/Sydney"
        for _ in range(2):
            assert (await (await there()).user()) is not None
        assert (await (await there()).zone()).key == "Australia/Sydney"

    here, there = told(story)
    assert requests(here) == ["GET /user"]
    assert requests(there) == ["GET /user"]


def test_a_process_that_works_alone_is_told_nothing_and_tells_nobody() -> None:
    async def story() -> None:
        alone = Nowhere()
        await alone.put("zone:1", b"Australia/Perth", 120)
        await alone.changed(["records"])
        assert await alone.get("zone:1") is None
        assert await alone.generations() == {}

    run(story)
