"""Clients of both SDKs at a server whose people are those of a real issuer, in both eras: each logs in, steps up, is
refreshed and revoked, and its person approves at an address and on the page.

One server; forms are not trusted here (`--confirm strict`), so a yes wants a fresh login at the issuer. The Python SDK
asks for a new token before the old one has ended, the TypeScript SDK once it is refused; its person's way to the page
is the one of clients that open no addresses, as those of both SDKs do where their host gives them no callback.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.faults.process import PATIENT
from tests.hosted.issuer_stage import PAGE, SECRET, Somebody
from tests.hosted.replicas import ACCOUNT, RING, ClinicApart, clinic_apart, command, line_with
from tests.hosted.sdk_clients import PYTHON, TYPESCRIPT, Refused, SdkClient, connected
from tests.identity.real_issuer import provider
from tests.journeys.test_http import INITIALIZE, PLAIN
from tests.journeys.test_issuer import free_port

pytestmark = [pytest.mark.long, pytest.mark.anyio]
SDKS, ERAS = (PYTHON, TYPESCRIPT), ("2026-07-28", "legacy")
EACH = [(sdk, era) for sdk in SDKS for era in ERAS]
patients = count()


@dataclass
class Stage:
    """A server, its issuer, and the clinic behind it."""

    origin: str
    issuer: str
    clinic: ClinicApart
    leaves: str
    """How those are called who leave: a token that nobody is asked about has to be short to end."""

    @property
    def address(self) -> str:
        return f"{self.origin}/mcp"

    def archived(self, patient: str) -> int:
        return self.clinic.requests("POST").count(f"/v1/patients/{patient}/archive")

    def status(self, token: str) -> int:
        """What a request with this token is answered."""
        told = PLAIN | {"authorization": f"Bearer {token}"}
        return httpx2.post(self.address, json=INITIALIZE, headers=told, timeout=PATIENT, trust_env=False).status_code


@pytest.fixture(scope="module", params=["jwt"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder, port = tmp_path_factory.mktemp("clients"), free_port()
    origin = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        issuer = stack.enter_context(provider(folder, free_port(), {f"{origin}/mcp": request.param}))
        clinic = stack.enter_context(clinic_apart("--rate-limit", "0"))
        asked = f'[issuer.introspection]\nurl = "{issuer}/token/introspection"\nclient_id = "the-server"\n'
        asked += 'client_secret = "env:PAGE_SECRET"\n'
        (folder / "hosted.toml").write_text(
            f'public_url = "{origin}/mcp"\nkeys = ["env:RING"]\n[[issuer]]\nurl = "{issuer}"\n{PAGE}'
            + (asked if request.param == "opaque" else "")
        )
        told = ("--hosted", str(folder / "hosted.toml"), "--port", str(port), "--base-url", clinic.url)
        told += ("--confirm", "strict", "--approval-wait", "0", "--audit-file", str(folder / "audit.jsonl"))
        process = stack.enter_context(command("serve", *told, RING=RING, **ACCOUNT, **SECRET))
        line_with(process.stderr, r"listening on (\S+)")
        yield Stage(origin, issuer, clinic, "leaves" if request.param == "opaque" else "brief")


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return request.param


async def somebody(client: SdkClient) -> str:
    """A patient whom no other test archives."""
    number = next(patients)
    return (await client.call("list_patients", limit=number + 1))["items"][number]["id"]


def approved(browser: Somebody, path: str) -> None:
    """A person opens this page of ours, logs in where that is asked for, and says yes to the one question there."""
    page = browser.get(path)
    page = browser.log_in(path, page) if "Log in with" in page.text else page
    (question,) = browser.questions()
    assert question in page.text
    answered = browser.answer(question, "approve")
    if "Log in once more" in answered.text:
        browser.log_in(page=answered)
        answered = browser.answer(question, "approve")
    assert any(word in answered.text for word in ("Approved", "Archived", "Being done")), answered.text


async def test_whoever_knows_the_address_alone_is_logged_in_and_works(
    stage: Stage, sdk: str, era: str, tmp_path: Path
) -> None:
    async with connected(sdk, stage.address, "ana", era, tmp_path / "client") as client:
        assert "cancel_appointment" in await client.call()
        made = await client.call("create_patient", first_name="Demo", last_name=f"Of the {sdk}")
        assert made["item"]["last_name"] == f"Of the {sdk}"
        assert (client.person.logins, len(client.given)) == (1, 1)


async def test_a_call_that_needs_more_asks_for_one_more_login_and_goes_on(
    stage: Stage, sdk: str, era: str, tmp_path: Path
) -> None:
    async with connected(sdk, stage.address, f"later-{sdk[:2]}-{era}", era, tmp_path / "client") as client:
        listed = await client.call()
        assert "find_patients" in listed and "book_appointment" not in listed
        changed = await client.call("update_patient", id=await somebody(client), occupation="Potter")
        assert changed["item"]["occupation"] == "Potter"
        assert client.person.logins == 2
        assert "book_appointment" in await client.call()


async def refreshed(stage: Stage, sdk: str, era: str, folder: Path) -> tuple[bool, int]:
    """Whether a token that has ended was replaced by another one, and how often its person logged in."""
    async with connected(sdk, stage.address, f"brief-{folder.name}", era, folder) as client:
        while len(client.given) < 2:
            assert (await client.call("count_records", operation="list_patients"))["count"]
            await anyio.sleep(1)
        first, *_, last = client.given
        return first["access_token"] != last["access_token"], client.person.logins


async def revoked(stage: Stage, sdk: str, era: str, folder: Path) -> tuple[int, int, int]:
    """One if it worked before it was revoked; what its token is answered after; and how often it sent its person to
    log in, who does not once they have left."""
    worked, client = 0, None
    with pytest.raises(Refused):
        async with connected(sdk, stage.address, f"{stage.leaves}-{folder.name}", era, folder) as client:
            while True:
                assert (await client.call("count_records", operation="list_patients"))["count"]
                if not worked:
                    client.person.left = True
                    told = {"token": client.given[-1]["refresh_token"], "client_id": client.client_id}
                    async with httpx2.AsyncClient(trust_env=False) as http:
                        assert (await http.post(f"{stage.issuer}/token/revocation", data=told)).is_success
                worked = 1
                await anyio.sleep(1)
    assert client is not None
    while True:
        if (status := stage.status(client.given[-1]["access_token"])) != 200:
            return worked, status, client.person.logins
        await anyio.sleep(1)


@pytest.mark.parametrize("stage", ["jwt", "opaque"], indirect=True)
async def test_a_token_that_ended_is_refreshed_silently_and_whoever_is_revoked_is_let_in_no_longer(
    stage: Stage, tmp_path: Path
) -> None:
    """All at once, as a token is honoured for half a minute after its end, and the issuer's word for as long."""
    found: dict[tuple[str, str, str], Any] = {}

    async def play(part: Any, sdk: str, era: str) -> None:
        found[part.__name__, sdk, era] = await part(stage, sdk, era, tmp_path / f"{part.__name__}-{sdk[:2]}-{era}")

    with anyio.fail_after(120):
        async with anyio.create_task_group() as group:
            for one in EACH:
                group.start_soon(play, refreshed, *one)
                group.start_soon(play, revoked, *one)
    assert found == {("refreshed", *one): (True, 1) for one in EACH} | {("revoked", *one): (1, 401, 2) for one in EACH}


async def test_a_person_who_is_led_to_an_address_approves_there_and_it_is_done_once(
    stage: Stage, sdk: str, era: str, tmp_path: Path
) -> None:
    name = f"led-{sdk[:2]}-{era}"
    led: list[str] = []

    def opens(address: str) -> str:
        led.append(address)
        approved(Somebody(stage.origin, name), address.removeprefix(stage.origin))
        return "accept"

    async with connected(sdk, stage.address, name, era, tmp_path / "client", opens) as client:
        patient = await somebody(client)
        assert "Archived" in (await client.call("archive_patient", id=patient))["done"]
    (address,) = led
    assert address.startswith(f"{stage.origin}/approvals/")
    assert stage.archived(patient) == 1


async def test_a_person_who_finds_their_page_approves_there_and_the_same_call_tells_that_it_is_done(
    stage: Stage, sdk: str, era: str, tmp_path: Path
) -> None:
    name = f"page-{sdk[:2]}-{era}"
    async with connected(sdk, stage.address, name, era, tmp_path / "client") as client:
        patient = await somebody(client)
        told = await client.call("archive_patient", id=patient)
        assert (told["code"], f"{stage.origin}/approvals" in told["message"]) == ("approval_needed", True)
        await anyio.to_thread.run_sync(approved, Somebody(stage.origin, name), "/approvals")
        while told.get("code") == "approval_needed":  # until the page has carried it out
            told = await client.call("archive_patient", id=patient)
        assert "Archived" in told["done"]
    assert stage.archived(patient) == 1
