"""People log in at an authorization server of other makers: discovery, a login, more scopes, a refresh, the end."""

import json
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import YES, Assistant, callback_for
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from cliniko_mcp.identity.claims import ClaimRules
from cliniko_mcp.identity.introspection import Introspection
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import IssuerUnavailable, TokenRefused
from tests.faults.process import PATIENT
from tests.identity.real_issuer import Browser, Keeps, provider
from tests.journeys.test_http import INITIALIZE, PLAIN, listening

pytestmark = pytest.mark.anyio
MODES = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@dataclass(frozen=True)
class Place:
    """Where the server and its issuer are, and the server's audit log."""

    address: str
    issuer: str
    audit: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("hosted"), free_port()
    address = f"http://127.0.0.1:{port}/mcp"
    with provider(folder, free_port(), {address: "jwt"}) as issuer:
        hosted = folder / "hosted.toml"
        hosted.write_text(f'public_url = "{address}"\n[[issuer]]\nurl = "{issuer}"\n')
        flags = ("--hosted", str(hosted), "--port", str(port), "--audit-file", str(folder / "audit.jsonl"))
        with listening(*flags, CLINIKO_MCP_HTTP_TOKEN="") as found:
            assert found == address
            yield Place(address, issuer, folder / "audit.jsonl")


@asynccontextmanager
async def logged_in(place: Place, browser: Browser, keeps: Keeps, mode: str) -> AsyncGenerator[Assistant]:
    asked: list[str] = []
    async with (
        httpx2.AsyncClient(auth=browser.auth(place.address, keeps), timeout=PATIENT, trust_env=False) as http,
        Client(
            streamable_http_client(place.address, http_client=http),
            mode=mode,
            elicitation_callback=callback_for(YES, asked),
        ) as client,
    ):
        yield Assistant(client, asked)


@MODES
async def test_an_assistant_that_knows_the_address_alone_is_logged_in_and_works(place: Place, mode: str) -> None:
    browser, keeps = Browser("ana"), Keeps()
    async with logged_in(place, browser, keeps, mode) as assistant:
        row = await assistant.first("list_patients", limit=1)
        assert (await assistant.call("archive_patient", id=row["id"]))["done"]
    assert browser.logins == 1
    lines = [json.loads(line) for line in place.audit.read_text().splitlines()]
    (line,) = [line for line in lines if line["operation"] == "archive_patient" and line["ids"]["id"] == row["id"]][-1:]
    assert line["name"] == "ana of the front desk"
    assert line["principal"].startswith("person:")


@pytest.mark.long_but_one
@MODES
async def test_more_is_asked_for_where_a_call_needs_it_and_the_same_call_goes_on(place: Place, mode: str) -> None:
    browser, keeps = Browser(f"later-{mode}"), Keeps()
    async with logged_in(place, browser, keeps, mode) as assistant:
        listed = {tool.name for tool in (await assistant.client.list_tools()).tools}
        assert "find_patients" in listed and "book_appointment" not in listed
        row = await assistant.first("list_patients", limit=1)
        changed = await assistant.call("update_patient", id=row["id"], occupation="Potter")
        assert "code" not in changed
    assert browser.logins == 2


@pytest.mark.long_but_one
@MODES
async def test_who_may_only_read_is_told_so_and_asked_once_more_and_no_oftener(place: Place, mode: str) -> None:
    browser, keeps = Browser(f"read-{mode}"), Keeps()
    async with logged_in(place, browser, keeps, mode) as assistant:
        row = await assistant.first("list_patients", limit=1)
        with pytest.raises(Exception):  # noqa: B017 - the client's own, another in each era
            await assistant.call("archive_patient", id=row["id"])
        assert browser.logins <= 2
        assert (await assistant.call("get_patient", id=row["id"]))["item"]


@pytest.mark.long_but_one
@MODES
async def test_a_token_that_ends_is_refreshed_silently_and_whoever_left_is_not_let_in_again(
    place: Place, mode: str
) -> None:
    name = f"short-{mode}"
    browser, keeps = Browser(name), Keeps()
    async with logged_in(place, browser, keeps, mode) as assistant:
        while len(keeps.given) < 2:
            await assistant.call("cliniko_describe", query="archive a patient")  # which asks nothing of the clinic
        assert browser.logins == 1
        assert keeps.given[0].refresh_token != keeps.given[1].refresh_token
    httpx2.get(f"{place.issuer}/remove/{name}", trust_env=False)
    assert keeps.tokens is not None
    assert keeps.client is not None
    refresh = {
        "grant_type": "refresh_token",
        "refresh_token": keeps.tokens.refresh_token,
        "client_id": keeps.client.client_id,
    }
    refused = httpx2.post(f"{place.issuer}/token", data=refresh, trust_env=False)
    assert refused.status_code == 400


@pytest.mark.long
async def test_a_token_of_this_issuer_for_another_server_is_refused(place: Place) -> None:
    keeps = Keeps()
    async with logged_in(place, Browser("ana"), keeps, "2026-07-28") as assistant:
        await assistant.rows("list_practitioners", limit=1)
    assert keeps.tokens is not None
    good = keeps.tokens.access_token
    header, payload, signature = good.split(".")
    tokens = {"good": good, "cut": good[:-4], "edited": f"{header}.{payload[:-2]}AA.{signature}", "long": "x" * 20_000}
    statuses: dict[str, Any] = {}
    for what, token in tokens.items():
        headers = PLAIN | {"authorization": f"Bearer {token}"}
        answer = httpx2.post(place.address, json=INITIALIZE, headers=headers, timeout=PATIENT, trust_env=False)
        statuses[what] = answer.status_code
    in_query = httpx2.post(f"{place.address}?access_token={good}", json=INITIALIZE, headers=PLAIN, trust_env=False)
    assert statuses | {"query": in_query.status_code} == {
        "good": 200, "cut": 401, "edited": 401, "long": 401, "query": 401,
    }  # fmt: skip
    told = httpx2.post(place.address, json=INITIALIZE, headers=PLAIN, trust_env=False).headers["www-authenticate"]
    metadata = httpx2.get(told.split('resource_metadata="')[1].split('"')[0], trust_env=False).json()
    assert metadata["resource"] == place.address
    assert metadata["authorization_servers"] == [place.issuer]


@pytest.mark.long
async def test_tokens_that_only_the_issuer_can_read_are_asked_about_and_end_when_it_takes_them_back(
    tmp_path: Path,
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/mcp"
    secret = tmp_path / "secret"
    secret.write_text("a-secret-of-the-server")
    secret.chmod(0o600)
    with provider(tmp_path, free_port(), {address: "opaque"}) as issuer:
        hosted = tmp_path / "hosted.toml"
        asked_at = f"{issuer}/token/introspection"
        hosted.write_text(
            f'public_url = "{address}"\n[[issuer]]\nurl = "{issuer}"\n'
            f'[issuer.introspection]\nurl = "{asked_at}"\nclient_id = "the-server"\nclient_secret = "file:{secret}"\n'
        )
        keeps = Keeps()
        with listening("--hosted", str(hosted), "--port", str(port), CLINIKO_MCP_HTTP_TOKEN=""):
            place = Place(address, issuer, tmp_path)
            async with logged_in(place, Browser("ana"), keeps, "2026-07-28") as assistant:
                assert await assistant.rows("list_practitioners", limit=1)
        assert keeps.tokens is not None
        assert keeps.client is not None
        token, rules = keeps.tokens.access_token, ClaimRules(issuer, Resource(address))
        assert "." not in token
        async with httpx2.AsyncClient(trust_env=False) as http:
            clock = partial(datetime.now, UTC)
            verifier = Introspection(rules, http, clock, asked_at, "the-server", "a-secret-of-the-server")
            person = await verifier.person_of(token)
            assert (person.subject, "cliniko:destroy" in person.scopes) == ("ana", True)
            back = {"token": token, "client_id": keeps.client.client_id}
            assert (await http.post(f"{issuer}/token/revocation", data=back)).status_code == 200
            with pytest.raises(TokenRefused):
                await verifier.person_of(token)
            unknown = Introspection(rules, http, clock, asked_at, "the-server", "a-wrong-secret")
            with pytest.raises(IssuerUnavailable):
                await unknown.person_of(token)
