"""The zone in which a clinic's times are meant."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx2
import pytest

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.errors import KeyRefused

from .account import Account, call, person
from .virtual import run

SYDNEY, PERTH, UTC = ZoneInfo("Australia/Sydney"), ZoneInfo("Australia/Perth"), ZoneInfo("UTC")
USER = {"GET /user": person(1, time_zone="Sydney", time_zone_identifier="Australia/Sydney")}
SITE = "77"


def told(account: Account, story: Callable[[Clinic], Awaitable[Any]]) -> Any:
    async def inner() -> Any:
        async with account.clinic() as clinic:
            return await story(clinic)

    return run(inner)


def zone(account: Account, site: str | None = None) -> tuple[ZoneInfo, str | None]:
    async def story(clinic: Clinic) -> tuple[ZoneInfo, str | None]:
        return await clinic.zone(site), await clinic.zone_note(site)

    return told(account, story)


def site(**fields: object) -> dict[str, Any]:
    return {f"GET /businesses/{SITE}": person(77, **fields)}


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


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "America", "\x00", "Sydney"])
def test_a_zone_that_is_not_known_becomes_utc_and_the_note_names_it(name: str) -> None:
    found, note = zone(Account({"GET /user": person(1, time_zone_identifier=name)}))
    assert found == UTC
    assert note
    assert "UTC" in note


def test_a_user_without_a_zone_becomes_utc_with_a_note() -> None:
    found, note = zone(Account({"GET /user": person(1, time_zone="Sydney")}))
    assert (found, bool(note)) == (UTC, True)


def test_a_refused_key_is_not_taken_for_a_missing_zone() -> None:
    with pytest.raises(KeyRefused):
        zone(Account({"GET /user": httpx2.Response(401, text="HTTP Basic: Access denied.")}))


def test_a_zone_is_asked_for_once_in_ten_minutes_by_however_many_callers() -> None:
    account = Account(USER)

    async def story(clinic: Clinic) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(clinic.zone)
        assert len(account.requests) == 1
        await anyio.sleep(599)
        await clinic.zone()
        assert len(account.requests) == 1
        await anyio.sleep(2)
        await clinic.zone()
        assert len(account.requests) == 2

    told(account, story)


def test_a_changed_site_is_read_anew_and_any_other_write_is_not() -> None:
    path = f"/businesses/{SITE}"
    account = Account(USER | site(time_zone_identifier="Australia/Perth"))
    account.answers |= {f"PATCH {path}": person(77), "POST /attendees": person(5)}

    async def story(clinic: Clinic) -> list[str]:
        await clinic.zone(SITE)
        await clinic.perform(call("create_attendee", booking_id="1", patient_id="2"))
        await clinic.zone(SITE)
        await clinic.perform(call("update_business", id=SITE, business_name="East"))
        await clinic.zone(SITE)
        return account.asked

    assert told(account, story) == [f"GET {path}", "POST /attendees", f"PATCH {path}", f"GET {path}"]


def test_a_failed_reading_is_not_remembered() -> None:
    account = Account({"GET /user": httpx2.Response(401)})

    async def story(clinic: Clinic) -> ZoneInfo:
        with pytest.raises(KeyRefused):
            await clinic.zone()
        account.answers |= USER
        return await clinic.zone()

    assert told(account, story) == SYDNEY
