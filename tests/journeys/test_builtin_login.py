"""The built-in login, from the address alone to a call: connected, narrowed, stepped up, refreshed, ended."""

import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.identity.real_issuer import Keeps
from tests.journeys.login_people import DESK, Person
from tests.journeys.test_http import PLAIN, listening

ERAS = ("legacy", "2026-07-28")
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        }
    },
}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@contextmanager
def served_login(folder: Path) -> Iterator[str]:
    """The origin of a server with the built-in login before the demo clinic, which keeps its state in this folder."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    (folder / "login.key").write_text("a secret of a good forty characters, for tests")
    (folder / "login.key").chmod(0o600)
    flags = ("--login", "builtin", "--public-url", f"{origin}/mcp", "--admit", "account:4711")
    flags += ("--login-file", str(folder / "logins.sqlite"), "--login-key", f"file:{folder / 'login.key'}")
    with listening("--port", str(port), "--transport", "http", *flags, CLINIKO_MCP_HTTP_TOKEN=""):
        yield origin


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_login(tmp_path_factory.mktemp("login")) as origin:
        yield origin


@asynccontextmanager
async def assistant(origin: str, person: Person, keeps: Keeps, era: str) -> AsyncGenerator[Client]:
    auth = person.auth(f"{origin}/mcp", keeps)
    async with (
        httpx2.AsyncClient(auth=auth, timeout=300, trust_env=False) as http,
        Client(streamable_http_client(f"{origin}/mcp", http_client=http), mode=era) as client,
    ):
        yield client


async def status(origin: str, token: str) -> int:
    headers = PLAIN | {"authorization": f"Bearer {token}", "mcp-protocol-version": "2026-07-28"}
    headers |= {"mcp-method": "tools/list"}
    async with httpx2.AsyncClient(timeout=300, trust_env=False) as http:
        return (await http.post(f"{origin}/mcp", json=CALL, headers=headers)).status_code


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_person_connects_by_the_address_alone_and_reads_in_their_own_key(origin: str, era: str) -> None:
    person, keeps = Person(DESK), Keeps()
    async with assistant(origin, person, keeps, era) as client:
        found = await client.call_tool("cliniko_read", {"operation": "get_authenticated_user", "arguments": {}})
        assert found.structured_content is not None
        assert found.structured_content["item"]["first_name"] == "Finn", found
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert "cliniko_read" in tools
        assert "cliniko_write" not in tools, "the person chose reading alone"
    assert keeps.tokens is not None
    assert keeps.tokens.scope == "cliniko:read"
    assert person.logins == 1


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_more_is_asked_for_when_a_call_needs_it(origin: str, era: str) -> None:
    person, keeps = Person(DESK), Keeps()
    async with assistant(origin, person, keeps, era) as client:
        await client.list_tools()
        person.may = "cliniko:write"
        made = await client.call_tool(
            "cliniko_write",
            {"operation": "create_patient", "arguments": {"first_name": "Step", "last_name": f"Up {era}"}},
        )
        assert not made.is_error, made
    assert person.logins == 2
