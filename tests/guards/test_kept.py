"""The set-up of a clinic is read once in two minutes, past the guards each time, and never for what a change needs."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.filters import Condition, From, Hidden, OneOf
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.cliniko.resources.appointment_type_billable_items import AppointmentTypeBillableItems
from cliniko_mcp.cliniko.resources.appointment_type_products import AppointmentTypeProducts
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentTypeBody, AppointmentTypes
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.availability_blocks import AvailabilityBlocks
from cliniko_mcp.cliniko.resources.businesses import BusinessBody, Businesses
from cliniko_mcp.cliniko.resources.daily_availabilities import DailyAvailabilities as Hours
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.cliniko.resources.public_settings import PublicSettingsOfAccount
from cliniko_mcp.errors import NotAllowed, OutcomeUnknown, Unavailable
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import KEPT
from tests.client.account import NOON, listed, person

from .office import Office

HOURS = [
    {**person(500 + number), "practitioner_id": str(1 + number % 3), "day_of_week": 1 + number // 3}
    for number in range(15)
]
ANSWERS: dict[str, Any] = {
    "GET /practitioners": listed("practitioners", [person(1), person(2)]),
    "GET /practitioners/inactive": listed("practitioners", [person(3)]),
    "GET /businesses": listed("businesses", [person(77)]),
    "GET /appointment_types": listed("appointment_types", [person(9)]),
    "GET /appointment_types/9/practitioners": listed("practitioners", [person(1)]),
    "GET /daily_availabilities": listed("daily_availabilities", HOURS),
    "GET /unavailable_block_types": listed("unavailable_block_types", [person(6)]),
    "GET /settings/public": {"online_bookings": {"enabled": True}},
    "GET /patients": listed("patients", [person(4)]),
    "GET /bookings": listed("bookings", [person(5)]),
    "GET /unavailable_blocks": listed("unavailable_blocks", [person(8)]),
    "GET /availability_blocks": listed("availability_blocks", [person(8)]),
    "GET /appointment_type_billable_items": listed("appointment_type_billable_items", [person(11)]),
    "GET /appointment_type_products": listed("appointment_type_products", [person(12)]),
    "PATCH /businesses/77": person(77),
    "PATCH /appointment_types/9": person(9),
    "POST /attendees": lambda _: httpx2.Response(201, json=person(10)),
}
Read = Callable[[GuardedClinic], Coroutine[Any, Any, object]]
READS: dict[str, Read] = {
    "/practitioners": lambda clinic: clinic.collect(Practitioners.list_practitioners),
    "/practitioners/inactive": lambda clinic: clinic.collect(Practitioners.list_inactive_practitioners),
    "/businesses": lambda clinic: clinic.collect(Businesses.list_businesses, archived_at=Hidden.INCLUDED),
    "/appointment_types": lambda clinic: clinic.collect(AppointmentTypes.list_appointment_types),
    "/appointment_types/{appointment_type_id}/practitioners": lambda clinic: clinic.collect(
        Practitioners.list_appointment_type_practitioners, appointment_type_id="9"
    ),
    "/daily_availabilities": lambda clinic: clinic.collect(Hours.list_daily_availabilities),
    "/settings/public": lambda clinic: clinic.perform(PublicSettingsOfAccount.get_public_settings),
    "/availability_blocks": lambda clinic: clinic.collect(AvailabilityBlocks.list_availability_blocks),
    "/appointment_type_billable_items": lambda clinic: clinic.collect(
        AppointmentTypeBillableItems.list_appointment_type_billable_items
    ),
    "/appointment_type_products": lambda clinic: clinic.collect(AppointmentTypeProducts.list_appointment_type_products),
}
DEPENDED_ON = {kind for kind, kept in KEPT.items() if not kept.serves_changes}


def sent(office: Office) -> list[int]:
    return [seen.outcome.requests.sent for seen in office.doorkeeper.seen]


@pytest.mark.parametrize("kind", READS)
def test_it_is_read_once_in_two_minutes_and_passes_the_guards_each_time(kind: str) -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        rows = [await READS[kind](clinic)]
        for seconds in (0, 119, 1.5):
            await anyio.sleep(seconds)
            rows.append(await READS[kind](clinic))
        assert all(found == rows[0] for found in rows)
        office.doorkeeper.shut = True
        with pytest.raises(NotAllowed):
            await READS[kind](clinic)

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0, 0, 1, 0]
    from_memory = [seen.outcome.read_at for seen in office.doorkeeper.seen]
    assert from_memory == [None, NOON, NOON, None, None]


@pytest.mark.parametrize("kind", READS)
def test_what_a_change_depends_on_is_read_afresh_by_a_call_that_may_change_something(kind: str) -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            await READS[kind](clinic)

    office.works(story, Risk.WRITE)
    assert sent(office) == [1, 1 if kind in DEPENDED_ON else 0]
    assert {
        "/daily_availabilities", "/availability_blocks", "/appointment_types/{appointment_type_id}/practitioners",
        "/appointment_type_billable_items", "/appointment_type_products",
    } == DEPENDED_ON  # fmt: skip


def test_nothing_of_patients_and_of_the_diary_is_kept() -> None:
    """Whatever lists are added to the table, these are none of them."""
    resources = {operation.resource for operation in operations().values() if operation.path in KEPT}
    assert resources == {
        "practitioners", "businesses", "appointment_types", "daily_availabilities", "availability_blocks",
        "unavailable_block_types", "public_settings", "appointment_type_billable_items", "appointment_type_products",
    }  # fmt: skip
    paths = {operation.path: operation for operation in operations().values() if operation.method == "GET"}
    assert KEPT.keys() <= paths.keys()


@pytest.mark.parametrize("name", ["list_patients", "list_bookings", "list_unavailable_blocks"])
def test_other_lists_are_read_each_time(name: str) -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert [row async for row in clinic.all_of(operations()[name].parse({}))]  # pyright: ignore

    office.works(story, Risk.READ)
    assert sent(office) == [1, 1]


@pytest.mark.parametrize("problem", [None, httpx2.ReadTimeout("x")])
def test_our_own_change_drops_its_kind_and_no_other_even_if_it_failed(problem: Exception | None) -> None:
    office = Office(answers=ANSWERS | ({"PATCH /appointment_types/9": problem} if problem else {}))
    kinds = ("/practitioners", "/appointment_types", "/appointment_types/{appointment_type_id}/practitioners")

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            for kind in kinds:
                await READS[kind](clinic)
        await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        for kind in kinds:
            await READS[kind](clinic)
        try:
            await clinic.perform(
                AppointmentTypes.update_appointment_type, AppointmentTypeBody.partial(name="Longer"), id="9"
            )
        except (OutcomeUnknown, Unavailable):
            assert problem is not None
        for kind in kinds:
            await READS[kind](clinic)

    office.works(story, Risk.READ)
    read = [seen.outcome.requests.sent for seen in office.doorkeeper.seen if seen.call.operation.method == "GET"]
    assert read == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_what_was_read_before_a_change_ended_is_not_kept_after_it() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(READS["/businesses"], clinic)
            await clinic.perform(Businesses.update_business, BusinessBody.partial(business_name="East"), id="77")
        await READS["/businesses"](clinic)

    office.works(story, Risk.READ)
    assert office.account.asked.count("GET /businesses") == 2


def test_who_asks_while_another_reads_waits_for_it_and_reads_where_that_one_was_cancelled() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:

            async def leaves() -> None:
                with anyio.move_on_after(0.005):
                    await READS["/practitioners"](clinic)

            group.start_soon(leaves)
            await anyio.sleep(0.001)
            for _ in range(3):
                group.start_soon(READS["/practitioners"], clinic)

    office.works(story, Risk.READ)
    assert office.account.asked == ["GET /practitioners"] * 2
    assert sorted(sent(office)) == [0, 0, 1, 1]


def test_what_is_asked_for_by_its_own_name_is_read_afresh() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        await READS["/practitioners"](clinic.of("list_practitioners"))

    office.works(story, Risk.READ)
    assert sent(office) == [1, 1]


@pytest.mark.parametrize(("kind", "rows"), [("practitioners", 100), ("practitioners", 2_000), ("hours", 150)])
def test_a_list_of_any_length_up_to_the_most_is_read_once(kind: str, rows: int) -> None:
    hours = [{**person(number), "practitioner_id": str(1 + number % 3)} for number in range(rows)]
    office = Office(answers={"GET /practitioners": listed("practitioners", [person(n) for n in range(rows)]),
                             "GET /daily_availabilities": listed("daily_availabilities", hours)})  # fmt: skip

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            if kind == "hours":
                picked = OneOf(["1"])
                assert len(await clinic.collect(Hours.list_daily_availabilities, practitioner_id=picked)) == rows // 3
            else:
                assert len(await clinic.collect(Practitioners.list_practitioners)) == rows

    office.works(story, Risk.READ)
    assert [requests > 0 for requests in sent(office)] == [True, False]


def test_only_hours_picked_by_ids_alone_are_read_whole() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await clinic.collect(Practitioners.list_practitioners, id=OneOf([person(1)["id"]]))
        await clinic.collect(Hours.list_daily_availabilities, updated_at=From(NOON))
        await clinic.collect(Hours.list_daily_availabilities, updated_at=NOON)
        await clinic.collect(Hours.list_daily_availabilities, updated_at=From(NOON), practitioner_id=OneOf(["1"]))
        above = Call(Hours.list_daily_availabilities, conditions=(Condition("practitioner_id", ">", "1"),))
        assert [row async for row in clinic.all_of(above)]

    office.works(story, Risk.READ)
    assert [len(request.url.params.get_list("q[]")) for request in office.account.requests] == [1, 1, 1, 2, 1]


def test_a_record_that_stands_in_a_list_that_is_kept_is_named_from_there() -> None:
    office = Office(answers=ANSWERS | {f"GET /practitioners/{person(30)['id']}": person(30)})

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        for number in (1, 30):
            row = await clinic.named(Practitioners.get_practitioner.call(id=person(number)["id"]))
            assert row.id == person(number)["id"]

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0, 1]
    assert office.doorkeeper.seen[1].outcome.read_at == NOON


def test_a_name_from_memory_tells_its_age_and_a_record_of_which_memory_serves_no_change_is_read() -> None:
    more = {f"GET /availability_blocks/{person(8)['id']}": person(8), f"GET /patients/{person(4)['id']}": person(4)}
    office = Office(answers=ANSWERS | more)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        await clinic.named(Practitioners.get_practitioner.call(id=person(1)["id"]))
        assert clinic.course.as_at == NOON
        await READS["/availability_blocks"](clinic)
        await clinic.named(AvailabilityBlocks.get_availability_block.call(id=person(8)["id"]))
        await clinic.named(Patients.get_patient.call(id=person(4)["id"]))

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0, 1, 1, 1]


def test_who_is_known_to_be_in_the_other_list_of_their_kind_is_not_asked_for() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        await READS["/practitioners/inactive"](clinic)
        assert await clinic.by_id(Practitioners.list_practitioners, [person(3)["id"]]) == {}

    office.works(story, Risk.READ)
    assert sent(office) == [1, 1, 0]


def test_names_beside_what_is_asked_for_by_its_own_name_come_from_memory() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        names = await clinic.of("list_practitioners").by_id(Practitioners.list_practitioners, [person(1)["id"]])
        assert list(names) == [person(1)["id"]]

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0]


def test_where_everything_is_forgotten_everything_is_read_anew() -> None:
    many = [person(number) for number in range(500)]
    office = Office(answers=ANSWERS | {"GET /patients": listed("patients", many), "GET /user": person(1)})
    office.caller = replace(office.caller, call="call")

    async def reads(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        await clinic.by_id(Patients.list_patients, [many[0]["id"]])
        await clinic.zone()
        await clinic.collect(Patients.list_patients)

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            await reads(clinic)
        once = len(office.account.requests)
        clinic._memory.forget_all()
        await reads(clinic)
        assert (once, len(office.account.requests)) == (8, 16)

    office.works(story, Risk.READ)


def test_hours_are_read_whole_once_and_those_of_one_practitioner_picked_out_of_them() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        for ids in (["1"], ["1", "2"], ["404"]):
            rows = await clinic.collect(Hours.list_daily_availabilities, practitioner_id=OneOf(ids))
            assert [row.id for row in rows] == [row["id"] for row in HOURS if row["practitioner_id"] in ids]

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0, 0]


def test_names_by_id_come_from_the_list_that_is_kept_and_a_new_one_is_asked_for() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        assert list(await clinic.by_id(Practitioners.list_practitioners, [person(2)["id"]])) == [person(2)["id"]]
        office.account.answers["GET /practitioners"] = listed("practitioners", [person(1), person(2), person(30)])
        new = person(30)["id"]
        assert list(await clinic.by_id(Practitioners.list_practitioners, [new])) == [new]

    office.works(story, Risk.READ)
    assert sent(office) == [1, 0, 1]


def test_a_list_above_two_thousand_rows_is_read_each_time_and_a_hundred_lists_are_kept_at_most() -> None:
    office = Office(
        answers=ANSWERS | {"GET /practitioners": listed("practitioners", [person(n) for n in range(2_001)])}
    )
    office.account.answers |= {
        f"GET /appointment_types/{number}/practitioners": listed("practitioners", [person(1)]) for number in range(101)
    }

    async def story(clinic: GuardedClinic) -> None:
        for _ in range(2):
            assert len(await clinic.collect(Practitioners.list_practitioners)) == 2_001
        for number in (*range(101), 0, 100):
            await clinic.collect(Practitioners.list_appointment_type_practitioners, appointment_type_id=str(number))

    office.works(story, Risk.READ)
    assert sent(office) == [21, 21, *(1 for _ in range(101)), 1, 0]


def test_a_call_that_took_from_memory_may_look_again_unless_it_changed_something() -> None:
    office = Office(answers=ANSWERS)

    async def story(clinic: GuardedClinic) -> None:
        await READS["/practitioners"](clinic)
        assert not clinic.look_again()
        await anyio.sleep(30)
        await READS["/practitioners"](clinic)
        assert clinic.course.as_at == NOON
        assert clinic.look_again()
        assert clinic.course.as_at is None
        await READS["/practitioners"](clinic)
        await anyio.sleep(1)
        await READS["/practitioners"](clinic)
        assert clinic.course.as_at is not None
        assert clinic.course.as_at > NOON + timedelta(seconds=29)
        await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        assert not clinic.look_again()

    office.works(story, Risk.READ)
    assert office.account.asked.count("GET /practitioners") == 2
