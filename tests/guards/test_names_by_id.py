"""Names by id: read in batches, remembered for a minute, and past the guards each time."""

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.patients import PatientBody, Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.errors import NotAllowed, OutcomeUnknown
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from tests.client.account import listed, person
from tests.guards.office import ANSWERS, IDS, ONE, PEOPLE, Office


def test_names_come_in_batches_with_hidden_records_and_without_unknown_ones() -> None:
    office = Office()
    wanted = [*IDS, "404"]
    found = office.works(lambda clinic: clinic.by_id(Patients.list_patients, wanted))
    assert list(found) == IDS
    assert len(office.account.requests) == office.doorkeeper.requests == 3
    assert all("q[]=archived_at:*" in office.account.query(number) for number in range(3))


def test_of_nobody_nothing_is_asked() -> None:
    office = Office()
    assert office.works(lambda clinic: clinic.by_id(Patients.list_patients, [])) == {}
    assert (office.account.requests, office.doorkeeper.seen) == ([], [])


def test_what_memory_knows_passes_the_guards_and_costs_no_request() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert list(await clinic.by_id(Patients.list_patients, [ONE])) == [ONE]
        office.doorkeeper.shut = True
        with pytest.raises(NotAllowed):
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 0, 0]


def test_a_name_is_remembered_for_a_minute() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for seconds in (0, 59.5, 1):
            await anyio.sleep(seconds)
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 0, 1]


def test_a_lookup_is_told_from_another_by_its_ids_in_whatever_order() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        for ids in ([ONE, IDS[8]], {IDS[8]: 1, ONE: 2}, [ONE]):
            await clinic.by_id(Patients.list_patients, ids)

    office.works(story)
    first, second, third = (seen.call for seen in office.doorkeeper.seen)
    assert first == second != third


def test_a_list_that_is_switched_off_names_nobody_though_another_tool_has_read_it() -> None:
    may_not = {"some_tool": frozenset({"list_patients"}), "another": frozenset[str]()}
    office = Office(Exclusion(may_not.__getitem__, frozenset()))

    async def story(clinic: GuardedClinic) -> None:
        assert list(await clinic.of("another").by_id(Patients.list_patients, [ONE])) == [ONE]
        with pytest.raises(NotAllowed):
            await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)


def test_those_who_look_up_the_same_at_the_same_moment_share_one_request_and_leave_a_line_each() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(clinic.by_id, Patients.list_patients, [ONE])

    office.works(story)
    assert sorted(seen.outcome.requests.sent for seen in office.doorkeeper.seen) == [0, 0, 1]


def test_where_the_one_who_reads_is_cancelled_another_who_waits_reads() -> None:
    office = Office()

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:

            async def leaves() -> None:
                with anyio.move_on_after(0.005):
                    await clinic.by_id(Patients.list_patients, [ONE])

            group.start_soon(leaves)
            await anyio.sleep(0.001)
            assert list(await clinic.by_id(Patients.list_patients, [ONE])) == [ONE]

    office.works(story)
    assert [seen.outcome.requests.sent for seen in office.doorkeeper.seen] == [1, 1]


@pytest.mark.parametrize("problem", [None, httpx2.ReadTimeout("x")])
def test_a_write_drops_the_names_that_it_may_have_changed_even_if_it_failed(problem: Exception | None) -> None:
    office = Office(answers=ANSWERS | ({f"PATCH /patients/{ONE}": problem} if problem else {}))

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            await clinic.by_id(Patients.list_patients, [ONE])
        assert len(office.account.requests) == 1
        try:
            await clinic.perform(Patients.update_patient, PatientBody.partial(first_name="Anna"), id=ONE)
        except OutcomeUnknown:
            assert problem is not None
        await clinic.by_id(Patients.list_patients, [ONE])
        assert len(office.account.requests) == 3

    office.works(story)


def test_a_write_that_a_guard_stopped_leaves_memory_as_it_was() -> None:
    office = Office(Exclusion(lambda _: {"create_attendee"}, frozenset()))

    async def story(clinic: GuardedClinic) -> None:
        await clinic.by_id(Patients.list_patients, [ONE])
        with pytest.raises(NotAllowed):
            await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        await clinic.by_id(Patients.list_patients, [ONE])

    office.works(story)
    assert len(office.account.requests) == 1


def test_an_id_that_is_not_in_a_list_that_was_just_read_whole_is_not_asked_for_again() -> None:
    office = Office(answers={"GET /practitioners": listed("practitioners", PEOPLE[:3])})
    wanted = [IDS[0], "404"]
    assert list(office.works(lambda clinic: clinic.by_id(Practitioners.list_practitioners, wanted))) == IDS[:1]
    assert office.account.asked == ["GET /practitioners"]


def test_two_lists_of_one_kind_are_remembered_apart() -> None:
    """Practitioners who left are in a list of their own."""
    left = [person(900, first_name="Left")]
    office = Office(
        answers={
            "GET /practitioners": listed("practitioners", PEOPLE[:3]),
            "GET /practitioners/inactive": listed("practitioners", left),
        }
    )

    async def story(clinic: GuardedClinic) -> None:
        ids = [IDS[0], str(left[0]["id"])]
        assert list(await clinic.by_id(Practitioners.list_practitioners, ids)) == ids[:1]
        assert list(await clinic.by_id(Practitioners.list_inactive_practitioners, ids)) == ids[1:]

    office.works(story)
