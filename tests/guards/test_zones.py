"""The zone in which a clinic's times are meant."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import anyio
import httpx2
import pytest

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Archive
from cliniko_mcp.cliniko.registry import operations, reader_of
from cliniko_mcp.cliniko.resources.attendees import AttendeeBody, Attendees
from cliniko_mcp.cliniko.resources.businesses import BusinessBody, Businesses
from cliniko_mcp.cliniko.shapes.bookings import BookingStamps
from cliniko_mcp.errors import InvalidArguments, KeyRefused, NotAllowed, NotFound
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller, Guard
from cliniko_mcp.guards.zones import site_of_target
from tests.client.account import BASE, Account, call, listed, person
from tests.client.virtual import run

SYDNEY, PERTH, UTC = ZoneInfo("Australia/Sydney"), ZoneInfo("Australia/Perth"), ZoneInfo("UTC")
USER = {"GET /user": person(1, time_zone="Sydney", time_zone_identifier="Australia/Sydney")}
SITE = "77"
ID = "1897453889804840137"
APPOINTMENT = f"/individual_appointments/{ID}"
MOVED = call("update_individual_appointment", id=ID, starts_at="2026-11-24T08:30")
SINCE = {"starts_at": ">=2026-11-24T08:30"}
SWITCHED_OFF = "Reading the key's user is switched off here, so times are in UTC."


def told(account: Account, story: Callable[[GuardedClinic], Awaitable[Any]], *guards: Guard) -> Any:
    async def inner() -> Any:
        async with account.clinic() as client:
            memory = Memory(anyio.current_time, client.now)
            return await story(GuardedClinic(client, guards, Caller(), "some_tool", memory))

    return run(inner)


def zone(account: Account, site: str | None = None, *guards: Guard) -> tuple[ZoneInfo, str | None]:
    async def story(clinic: GuardedClinic) -> tuple[ZoneInfo, str | None]:
        return await clinic.zone(site), await clinic.zone_note(site)

    return told(account, story, *guards)


def site(**fields: object) -> dict[str, Any]:
    return {f"GET /businesses/{SITE}": person(77, **fields)}


def test_the_keys_user_is_read_once_with_their_zone() -> None:
    account = Account(USER)

    async def story(clinic: GuardedClinic) -> None:
        with anyio.fail_after(5):
            assert await clinic.zone() == SYDNEY
            assert await clinic.user() is not None and await clinic.user() is not None

    told(account, story)
    assert account.asked == ["GET /user"]


def test_a_change_that_takes_a_local_time_is_one_of_an_entry_of_the_diary_whose_site_is_known() -> None:
    takers = [
        operation
        for operation in operations().values()
        if operation.shape == "update" and operation.body is not None and takes_a_time(operation.body)
    ]

    assert len(takers) >= 3
    for operation in takers:
        read = reader_of(operation)
        assert read is not None and read.record is not None, operation
        assert issubclass(read.record, BookingStamps), operation


def takes_a_time(body: type[Body]) -> bool:
    return any(
        datetime in (kind, *get_args(kind)) for kind in (found.annotation for found in body.model_fields.values())
    )


def excluding(*names: str) -> Exclusion:
    return Exclusion(lambda _: frozenset(names), frozenset(names))


def test_without_a_site_it_is_that_of_the_keys_user() -> None:
    assert zone(Account(USER)) == (SYDNEY, None)


def test_a_sites_own_zone_counts_archived_or_not() -> None:
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    assert zone(account, SITE) == (PERTH, None)
    assert account.asked == [f"GET /businesses/{SITE}"]
    assert "q[]=archived_at:*" in account.query()


@pytest.mark.parametrize("answers", [site(), site(time_zone_identifier=None), site(time_zone_identifier=""), {}])
def test_a_site_without_a_zone_takes_that_of_the_user_and_says_so(answers: dict[str, Any]) -> None:
    found, note = zone(Account(USER | answers), SITE)
    assert found == SYDNEY
    assert note


def test_a_site_that_may_not_be_seen_takes_that_of_the_user() -> None:
    account = Account(USER | {f"GET /businesses/{SITE}": httpx2.Response(403)})
    assert zone(account, SITE)[0] == SYDNEY


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "America", "\x00"])
def test_a_zone_that_is_not_known_becomes_utc_and_the_note_names_it(name: str) -> None:
    found, note = zone(Account({"GET /user": person(1, time_zone_identifier=name)}))
    assert found == UTC
    assert note
    assert "UTC" in note
    assert name.strip("\x00") in note


def test_a_zone_named_by_clinikos_own_label_is_known() -> None:
    assert zone(Account({"GET /user": person(1, time_zone_identifier="Sydney")})) == (SYDNEY, None)


@pytest.mark.parametrize("odd", [5, ["Australia/Sydney"], {"name": "x"}])
def test_a_zone_that_is_no_text_is_none(odd: object) -> None:
    found, note = zone(Account({"GET /user": person(1, time_zone_identifier=odd)}))
    assert (found, bool(note)) == (UTC, True)


def test_a_user_with_a_label_alone_is_in_the_zone_of_the_label() -> None:
    assert zone(Account({"GET /user": person(1, time_zone="Sydney")})) == (SYDNEY, None)
    unknown = Account({"GET /user": person(1, time_zone="Atlantis")})
    assert zone(unknown) == (
        UTC,
        'The zone of the key\'s user is "Atlantis", which is not known here, so times are in UTC.',
    )


def test_a_user_without_a_zone_becomes_utc_with_a_note() -> None:
    found, note = zone(Account({"GET /user": person(1)}))
    assert (found, bool(note)) == (UTC, True)


def test_a_refused_key_is_not_taken_for_a_missing_zone() -> None:
    with pytest.raises(KeyRefused):
        zone(Account({"GET /user": httpx2.Response(401, text="HTTP Basic: Access denied.")}))


def test_a_zone_is_asked_for_once_in_two_minutes_by_however_many_callers() -> None:
    account = Account(USER)

    async def story(clinic: GuardedClinic) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(clinic.zone)
        assert len(account.requests) == 1
        await anyio.sleep(119)
        await clinic.zone()
        assert len(account.requests) == 1
        await anyio.sleep(1.5)
        await clinic.zone()
        assert len(account.requests) == 2

    told(account, story)


def test_a_changed_site_is_read_anew_and_any_other_write_is_not() -> None:
    path = f"/businesses/{SITE}"
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    account.answers |= {f"PATCH {path}": person(77), "POST /attendees": person(5)}

    async def story(clinic: GuardedClinic) -> list[str]:
        await clinic.zone(SITE)
        await clinic.perform(Attendees.create_attendee, AttendeeBody(booking_id="1", patient_id="2"))
        await clinic.zone(SITE)
        await clinic.perform(Businesses.update_business, BusinessBody.partial(business_name="East"), id=SITE)
        await clinic.zone(SITE)
        return account.asked

    assert told(account, story) == [f"GET {path}", "POST /attendees", f"PATCH {path}", f"GET {path}"]


def test_a_failed_reading_is_not_remembered() -> None:
    account = Account({"GET /user": httpx2.Response(401)})

    async def story(clinic: GuardedClinic) -> ZoneInfo:
        with pytest.raises(KeyRefused):
            await clinic.zone()
        account.answers |= USER
        return await clinic.zone()

    assert told(account, story) == SYDNEY


# What may not be read.


def test_where_the_keys_user_is_switched_off_by_name_times_are_in_utc_with_a_note() -> None:
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    assert zone(account, None, excluding("get_authenticated_user")) == (UTC, SWITCHED_OFF)
    assert account.asked == []
    assert zone(account, SITE, excluding("get_authenticated_user")) == (PERTH, None)


def test_where_a_site_is_switched_off_by_name_times_are_those_of_the_user_with_a_note() -> None:
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    found, note = zone(account, SITE, excluding("get_business"))
    assert (found, account.asked) == (SYDNEY, ["GET /user"])
    assert note == "The site's own time zone is not known; times are in that of the key's user."
    assert zone(account, SITE, excluding("get_business", "get_authenticated_user")) == (UTC, SWITCHED_OFF)


def test_an_allow_list_that_names_neither_does_not_hide_the_zone() -> None:
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    guard = Exclusion(lambda _: frozenset({"get_authenticated_user", "get_business"}), frozenset())
    assert zone(account, None, guard) == (SYDNEY, None)
    assert zone(account, SITE, guard) == (PERTH, None)


# Local times in calls.


def test_local_times_are_sent_in_the_zone_of_the_site_that_the_call_names() -> None:
    account = Account(
        USER
        | site(time_zone_identifier="Australia/Perth")
        | {"GET /individual_appointments": listed("individual_appointments", [])}
    )

    async def story(clinic: GuardedClinic) -> None:
        await clinic.page(call("list_individual_appointments", **SINCE), 1, 50)
        assert account.query()[0] == "q[]=starts_at:>=2026-11-23T21:30:00Z"
        named = call("list_individual_appointments", business_id=SITE, **SINCE)
        await clinic.page(named, 1, 50)
        assert "q[]=starts_at:>=2026-11-24T00:30:00Z" in account.query()
        await clinic.rows(named, limit=50)
        assert "q[]=starts_at:>=2026-11-24T00:30:00Z" in account.query()
        assert [row async for row in clinic.all_of(named)] == []
        assert "q[]=starts_at:>=2026-11-24T00:30:00Z" in account.query()

    told(account, story)
    listing = "GET /individual_appointments"
    assert account.asked == ["GET /user", listing, f"GET /businesses/{SITE}", listing, listing, listing]


def archiving(resource: str, path: str) -> Archive:
    operation = Archive(path, "Hide something.")
    operation.resource = resource
    return operation


@pytest.mark.parametrize(
    "called",
    [
        call("list_individual_appointments", **SINCE),
        call("get_attachment_presigned_post", patient_id=ID),
        call("create_tax", name="Levy", rate="5"),
        Call(archiving("houses", "/houses/{id}/archive"), {"id": ID}),
        Call(archiving("patients", "/patients/{patient_id}/archive"), {"patient_id": ID}),
    ],
)
def test_a_call_that_names_no_record_of_its_own_has_no_site_to_look_for(called: Call) -> None:
    account = Account(USER)
    assert told(account, lambda clinic: site_of_target(clinic, called)) is None
    assert account.asked == []


def test_a_call_without_local_times_asks_for_no_zone() -> None:
    account = Account({"GET /attendees": listed("attendees", [])})
    told(account, lambda clinic: clinic.page(call("list_attendees", created_at=">=2026-11-24T08:30:00Z"), 1, 50))
    assert account.asked == ["GET /attendees"]


def appointment_at(business: str | None = SITE) -> dict[str, Any]:
    link = {"links": {"self": f"{BASE}/businesses/{business}"}} if business else None
    return {f"GET {APPOINTMENT}": person(137, business=link), f"PATCH {APPOINTMENT}": person(137, business=link)}


def sent(account: Account) -> Any:
    assert account.requests[-1].method == "PATCH"
    return json.loads(account.requests[-1].content)["starts_at"]


def test_a_change_of_an_appointment_is_meant_in_the_time_of_its_own_site() -> None:
    account = Account(USER | site(time_zone_identifier="Australia/Perth") | appointment_at())
    told(account, lambda clinic: clinic.perform(MOVED))
    assert sent(account) == "2026-11-24T00:30:00Z"
    assert "q[]=archived_at:*" in account.query(0)


def test_a_change_of_an_appointment_without_a_site_is_meant_in_the_time_of_the_keys_user() -> None:
    account = Account(USER | appointment_at(None))
    told(account, lambda clinic: clinic.perform(MOVED))
    assert sent(account) == "2026-11-23T21:30:00Z"


def test_a_change_of_an_appointment_that_cannot_be_seen_is_meant_in_the_time_of_the_keys_user() -> None:
    account = Account(USER)
    with pytest.raises(NotFound):
        told(account, lambda clinic: clinic.perform(MOVED))
    assert sent(account) == "2026-11-23T21:30:00Z"


def test_a_time_for_a_site_that_is_not_there_goes_out_for_cliniko_to_refuse() -> None:
    account = Account(USER)
    span = {"starts_at": "2026-11-24T08:30", "ends_at": "2026-11-24T09:30"}
    made = call("create_unavailable_block", business_id=SITE, practitioner_id="7", **span)
    with pytest.raises(NotFound):
        told(account, lambda clinic: clinic.perform(made))
    assert account.asked == [f"GET /businesses/{SITE}", "GET /user", "POST /unavailable_blocks"]
    with pytest.raises(InvalidArguments, match="needs a time zone"):
        told(Account({"GET /user": person(1)}), lambda clinic: clinic.perform(made))


@pytest.mark.parametrize(
    ("answers", "guards"),
    [
        (USER | {f"GET /businesses/{SITE}": httpx2.Response(403)} | appointment_at(), []),
        (USER | site(time_zone_identifier="Mars/Olympus") | appointment_at(), []),
        (USER | site() | appointment_at(), []),
        ({"GET /user": person(1)} | appointment_at(None), []),
        (USER | appointment_at(None), [excluding("get_authenticated_user")]),
        (USER | site(time_zone_identifier="Australia/Perth") | appointment_at(), [excluding("get_business")]),
        (
            USER | site(time_zone_identifier="Australia/Perth") | appointment_at(),
            [excluding("get_individual_appointment")],
        ),
    ],
)
def test_a_local_time_is_never_written_in_a_zone_that_is_a_guess(answers: dict[str, Any], guards: list[Guard]) -> None:
    account = Account(answers)
    with pytest.raises(InvalidArguments, match="needs a time zone") as refused:
        told(account, lambda clinic: clinic.perform(MOVED), *guards)
    assert "Give the time in UTC" in refused.value.fix
    assert [asked for asked in account.asked if asked.startswith("PATCH")] == []
    exact = call("update_individual_appointment", id=ID, starts_at="2026-11-24T00:30:00Z")
    told(account, lambda clinic: clinic.perform(exact), *guards)
    assert sent(account) == "2026-11-24T00:30:00Z"


def test_a_list_is_read_in_a_zone_that_is_a_guess() -> None:
    account = Account(USER | {"GET /individual_appointments": listed("individual_appointments", [])})
    asked = call("list_individual_appointments", **SINCE)
    told(account, lambda clinic: clinic.page(asked, 1, 50), excluding("get_authenticated_user"))
    assert account.query()[0] == "q[]=starts_at:>=2026-11-24T08:30:00Z"


def test_an_operation_that_is_switched_off_asks_for_no_zone() -> None:
    account = Account(USER | appointment_at())
    with pytest.raises(NotAllowed):
        told(account, lambda clinic: clinic.perform(MOVED), excluding("update_individual_appointment"))
    assert account.requests == []
