"""Every cross that `doctor` can show for the account, brought about on purpose, and the tick beside it."""

import ssl
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp import stored_keys
from cliniko_mcp.doctor import DoctorContext, examine
from cliniko_mcp.doctor.account import examine_account
from cliniko_mcp.doctor.check import Check
from cliniko_mcp.hosts.table import Computer
from cliniko_mcp.settings import Settings

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GOOD = {"CLINIKO_API_KEY": "abc-uk1", "CLINIKO_CONTACT_EMAIL": "desk@clinic.example"}

Handler = (
    Callable[[httpx2.Request], httpx2.Response] | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
)


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kept" / "account.json"
    monkeypatch.setattr(stored_keys, "account_file", lambda: file)
    return file


def context(tmp_path: Path, settings: Settings, handler: Handler | None = None) -> DoctorContext:
    return DoctorContext(
        settings=settings,
        computer=Computer("linux", tmp_path),
        state=tmp_path / "state",
        now=lambda: NOW,
        browser=lambda: "firefox",
        python=(3, 12, 1),
        transport=httpx2.MockTransport(handler) if handler else None,
    )


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., dict[str, Check]]:
    """What the account's examination finds, by name."""

    def found(handler: Handler | None = None, environ: dict[str, str] = GOOD, **flags: Any) -> dict[str, Check]:
        async def collect() -> dict[str, Check]:
            here = context(tmp_path, Settings.load(flags, environ), handler)
            return {check.name: check async for check in examine_account(here)}

        return anyio.run(collect)

    return found


Look = Callable[..., dict[str, Check]]

ZONE = {"time_zone_identifier": "Australia/Sydney"}
USER = {"id": "1", "first_name": "Mei", "last_name": "Ng", "role": "receptionist", "active": True, **ZONE}
STAMPS = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}


def cliniko(
    *,
    user: httpx2.Response | None = None,
    settings: int = 200,
    notes: int = 200,
    users: int = 200,
    sites: list[dict[str, Any]] | None = None,
    sites_status: int = 200,
    clock: datetime | None = NOW,
    headers: dict[str, str] | None = None,
) -> Handler:
    """An account that answers as told."""
    shown = [{"business_name": "North", "time_zone_identifier": "Australia/Sydney"}] if sites is None else sites

    def plural(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {name: rows, "total_entries": len(rows), "links": {}}

    def answer(request: httpx2.Request) -> httpx2.Response:
        common = {"date": format_datetime(clock, usegmt=True)} if clock else {}
        common |= headers or {}
        path = request.url.path.removeprefix("/v1")
        statuses = {"/settings": settings, "/treatment_notes": notes, "/users": users, "/businesses": sites_status}
        status = statuses.get(path, 200)
        if path == "/user":
            found = user or httpx2.Response(200, json={**USER, **STAMPS})
            return httpx2.Response(found.status_code, content=found.content, headers={**found.headers, **common})
        if status != 200:
            return httpx2.Response(status, headers=common)
        if path == "/businesses":
            rows = [{"id": str(number), **STAMPS, **row} for number, row in enumerate(shown, 1)]
            return httpx2.Response(200, json=plural("businesses", rows), headers=common)
        name = path.strip("/")
        return httpx2.Response(200, json={} if name == "settings" else plural(name, []), headers=common)

    return answer


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ({"time_zone_identifier": None}, "The key's user has no time zone in Cliniko"),
        ({"time_zone_identifier": "Mars/Base"}, "which is not known here"),
    ],
)
def test_a_zone_that_had_to_be_guessed_is_said_to_be(look: Look, zone: dict[str, Any], words: str) -> None:
    check = look(cliniko(user=httpx2.Response(200, json={**USER, **STAMPS, **zone})))["zone"]
    assert check.status == "warning"
    assert check.detail.startswith("guessed: ") and words in check.detail


def test_a_working_account_is_all_ticks(look: Look) -> None:
    found = look(cliniko())
    assert {name: check.status for name, check in found.items()} == dict.fromkeys(found, "ok")
    assert list(found) == [
        "key",
        "email",
        "region",
        "reachability",
        "tls",
        "user",
        "zone",
        "role",
        "clock",
        "rate",
        "sites",
    ]
    assert found["region"].detail == "uk1, by the key's ending: https://api.uk1.cliniko.com/v1"
    assert "Mei Ng (receptionist)" in found["user"].detail
    assert found["role"].detail == "the role may read settings, treatment notes, users"
    assert found["sites"].detail == "1: North (Australia/Sydney)"
    assert "used 5" in found["rate"].detail
    assert look(cliniko(), requests_per_minute=500)["rate"].detail.startswith("200 requests a minute")


def test_the_key_is_shown_nowhere(look: Look) -> None:
    for handler in (cliniko(), cliniko(user=httpx2.Response(401, text="HTTP Basic: Access denied"))):
        assert "abc" not in str(look(handler))


def test_an_address_on_this_computer_needs_no_tls(look: Look) -> None:
    found = look(cliniko(), base_url="http://127.0.0.1:8123/v1")
    assert found["tls"].status == "ok" and "this computer" in found["tls"].detail


@pytest.mark.parametrize("answers", [{}, {"X-Cliniko-Sandbox": "demo"}])
def test_only_a_clinic_that_says_so_is_a_demo_clinic(look: Look, answers: dict[str, str]) -> None:
    real = cliniko()

    def handler(request: httpx2.Request) -> httpx2.Response:
        response = real(request)
        assert isinstance(response, httpx2.Response)
        response.headers.update(answers)
        return response

    found = look(handler, base_url="http://127.0.0.1:8123/v1")
    assert ("demo clinic" in found["reachability"].detail) == bool(answers)
    assert ("clock of its own" in found["clock"].detail) == bool(answers)


def test_a_limit_reached_on_the_way_is_a_warning_that_names_the_cause(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cliniko_mcp.doctor.account.TIMEOUT_SECONDS", 0.5)  # in place of the wait for the limit's reset
    found = look(cliniko(notes=429))
    assert found["user"].status == "ok"
    assert found["role"].status == found["sites"].status == "warning" and "used up" in found["sites"].detail
    assert "limit was reached" in found["rate"].detail and "a user of its own" in found["rate"].fix


def test_the_demo_clinic_is_well_without_a_key(look: Look) -> None:
    found = look(environ={}, sandbox=True)
    assert {check.status for check in found.values()} == {"ok"}
    assert "2:" in found["sites"].detail


@pytest.mark.parametrize(
    ("environ", "name", "words"),
    [
        ({}, "key", "there is no API key"),
        ({**GOOD, "CLINIKO_API_KEY": "abc-nowhere"}, "key", "does not end in a region"),
        ({**GOOD, "CLINIKO_API_KEY": "a key"}, "key", "characters that no Cliniko key has"),
        ({"CLINIKO_API_KEY": "abc"}, "email", "there is no contact email"),
        ({**GOOD, "CLINIKO_CONTACT_EMAIL": "nobody"}, "email", "contact email"),
    ],
)
def test_a_missing_or_malformed_key_or_email_is_a_cross_and_nothing_is_sent(
    environ: dict[str, str], name: str, words: str, look: Look
) -> None:
    def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(request.url)

    found = look(never, environ)
    assert found[name].status == "failed" and words in found[name].detail
    assert "login" in found[name].fix or "Copy the whole key" in found[name].fix
    assert found["user"].status == "warning" and "not tried" in found["user"].detail


def test_a_key_that_is_kept_is_found_and_its_place_is_named(look: Look) -> None:
    stored_keys.keep("kept-au3", "desk@clinic.example", "file")
    found = look(cliniko(), environ={})
    assert found["key"].detail == "a key is in a file that only you can read, and is well formed"
    assert found["region"].detail.startswith("au3")


def test_a_key_file_that_others_can_read_is_a_cross(look: Look, nothing_kept: Path) -> None:
    stored_keys.keep("kept-au3", "desk@clinic.example", "file")
    nothing_kept.chmod(0o644)
    found = look(cliniko(), environ={})
    assert found["key"].status == "failed" and "chmod 600" in found["key"].fix


def test_a_damaged_key_file_is_a_cross_for_key_and_email_that_login_mends(look: Look, nothing_kept: Path) -> None:
    stored_keys.keep("kept-au3", "desk@clinic.example", "file")
    nothing_kept.write_text("{", "utf-8")
    found = look(cliniko(), environ={})
    assert [found[name].status for name in ("key", "email")] == ["failed", "failed"]
    assert all("Run `cliniko-mcp login`" in found[name].fix for name in ("key", "email"))
    stored_keys.keep("kept-au3", "desk@clinic.example", "file")
    assert look(cliniko(), environ={})["key"].status == "ok"


def test_a_kept_key_is_not_tried_at_another_address(look: Look) -> None:
    stored_keys.keep("kept-au3", "desk@clinic.example", "file")
    found = look(cliniko(), environ={}, base_url="https://other.example/v1")
    assert found["key"].status == "failed" and "for Cliniko alone" in found["key"].detail
    assert "CLINIKO_API_KEY" in found["key"].fix and "login" not in found["key"].fix


def test_a_wrong_base_url_is_a_cross(look: Look) -> None:
    found = look(cliniko(), base_url="http://other.example/v1")
    assert found["region"].status == "failed" and "unprotected" in found["region"].detail


def test_without_a_way_there_reachability_is_a_cross(look: Look) -> None:
    def unreachable(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no such host", request=request)

    found = look(unreachable)
    assert found["reachability"].status == "failed" and "firewall" in found["reachability"].fix
    assert found["tls"].status == found["user"].status == "warning"


def test_a_certificate_that_does_not_hold_is_a_cross_for_tls(look: Look) -> None:
    def intercepted(request: httpx2.Request) -> httpx2.Response:
        cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
        cause.verify_message = "self-signed certificate in certificate chain"
        raise httpx2.ConnectError(str(cause), request=request) from cause

    found = look(intercepted)
    assert found["reachability"].status == "ok"
    assert found["tls"].status == "failed" and "self-signed" in found["tls"].detail


def test_a_refused_key_is_a_cross_beside_a_reachable_cliniko(look: Look) -> None:
    found = look(cliniko(user=httpx2.Response(401, text="HTTP Basic: Access denied")))
    assert found["reachability"].status == "ok" and found["tls"].status == "ok"
    assert found["user"].status == "failed" and "another region" in found["user"].detail


def test_trouble_at_cliniko_is_a_cross_that_says_so(look: Look) -> None:
    found = look(cliniko(user=httpx2.Response(500, html="<h1>Sorry</h1>")))
    assert found["user"].status == "failed" and "500" in found["user"].detail


def test_trouble_in_the_demo_clinic_says_nothing_of_a_connection_that_there_is_not(look: Look) -> None:
    found = look(environ={"CLINIKO_MCP_FAULTS": "401"}, sandbox=True)
    assert found["user"].status == "failed"
    assert "inside this program" in found["reachability"].detail == found["tls"].detail


def test_an_inactive_user_is_a_warning(look: Look) -> None:
    found = look(cliniko(user=httpx2.Response(200, json={**USER, **STAMPS, "active": False})))
    assert found["user"].status == "warning" and "not active" in found["user"].detail


def test_what_the_role_may_not_do_is_said_and_is_no_fault(look: Look) -> None:
    found = look(cliniko(settings=403, notes=403, users=404))
    assert found["role"].status == "ok"
    assert found["role"].detail == "the role may not read settings, treatment notes, users"
    found = look(cliniko(notes=403))
    assert found["role"].detail == "the role may read settings, users; may not read treatment notes"


def test_what_the_role_may_do_can_stay_unknown(look: Look) -> None:
    assert look(cliniko(users=500))["role"].status == "warning"


@pytest.mark.parametrize(
    ("minutes", "status", "which"),
    [(0, "ok", ""), (2, "warning", "behind"), (-2, "warning", "ahead"), (9, "failed", "behind")],
)
def test_a_clock_that_is_off_is_told(minutes: int, status: str, which: str, look: Look) -> None:
    found = look(cliniko(clock=NOW + timedelta(minutes=minutes)))
    assert found["clock"].status == status and which in found["clock"].detail


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_without_a_readable_time_the_clock_is_a_warning(headers: dict[str, str], look: Look) -> None:
    assert look(cliniko(clock=None, headers=headers))["clock"].status == "warning"


def test_a_used_up_limit_is_a_warning_and_no_fault_of_the_key(look: Look) -> None:
    reset = {"x-ratelimit-reset": str(int(NOW.timestamp()) + 55)}
    found = look(cliniko(user=httpx2.Response(429, headers=reset)))
    assert found["user"].status == "warning" and "limit" in found["user"].detail
    assert {check.status for check in found.values()} == {"ok", "warning"}


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ([], "no site"),
        ([{"business_name": "North", "time_zone_identifier": None}], "no time zone"),
        ([{"business_name": "North", "time_zone_identifier": "Mars/Olympus"}], "Mars"),
        ([{"business_name": "North", "time_zone_identifier": "../../etc/passwd"}], "passwd"),
    ],
)
def test_sites_without_a_time_zone_are_a_warning(sites: list[dict[str, Any]], words: str, look: Look) -> None:
    found = look(cliniko(sites=sites))
    assert found["sites"].status == "warning" and words in found["sites"].detail and found["sites"].fix


def test_sites_that_cannot_be_read_are_a_warning(look: Look) -> None:
    assert look(cliniko(sites_status=403))["sites"].status == "warning"


def test_an_answer_that_never_comes_ends_the_examination(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cliniko_mcp.doctor.account.TIMEOUT_SECONDS", 0.0)

    async def silent(request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        raise AssertionError(request.url)

    found = look(silent)
    assert "did not answer in time" in found["user"].detail


def test_the_whole_examination_names_every_part_once(tmp_path: Path) -> None:
    async def collect() -> list[Check]:
        return [check async for check in examine(context(tmp_path, Settings.load({}, GOOD), cliniko()))]

    names = [check.name for check in anyio.run(collect)]
    assert len(names) == len(set(names))
    assert {"python", "packages", "view", "host", "key", "tls", "clock", "sites", "pin", "browser", "audit"} <= {*names}
