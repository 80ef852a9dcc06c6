"""The bearer token: where it comes from, who is named by it, and what only a terminal is shown."""

import json
import os
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.gate import Gate
from cliniko_mcp.identity.one_token import OneToken
from cliniko_mcp.protocol.bearer import Health, Token, bearer_token
from cliniko_mcp.redaction import SECRETS, STRUCK_OUT
from cliniko_mcp.settings import Settings
from tests.identity.requests import Behind, ask

HTTP = Settings(transport="http", sandbox=True)
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
posix = pytest.mark.skipif(os.name != "posix", reason="modes and links are a Unix matter")


def test_a_token_is_made_once_and_kept_for_the_next_start(tmp_path: Path) -> None:
    made = bearer_token(HTTP, tmp_path / "state")
    assert made.made_in == tmp_path / "state" / "http-token"
    assert bearer_token(HTTP, tmp_path / "state") == made
    assert bearer_token(HTTP, tmp_path / "other").text != made.text


@posix
@pytest.mark.parametrize("trouble", ["wide", "link", "short", "folder"])
def test_a_kept_token_that_others_could_know_is_not_used(tmp_path: Path, trouble: str) -> None:
    made = bearer_token(HTTP, tmp_path).made_in
    assert made is not None
    match trouble:
        case "wide":
            made.chmod(0o640)
        case "link":
            made.rename(tmp_path / "elsewhere")
            made.symlink_to(tmp_path / "elsewhere")
        case "short":
            made.write_text("short")
        case _:
            made.unlink()
            made.mkdir()
    with pytest.raises(ConfigurationError, match="http-token"):
        bearer_token(HTTP, tmp_path)


@posix
def test_where_no_token_can_be_kept_the_server_does_not_start_and_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match=r"is a link\): set --http-token-file or CLINIKO_MCP_HTTP_TOKEN"):
        bearer_token(HTTP, tmp_path / "state")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file of the operator's that holds a token, its owner's alone."""
    file = tmp_path / "token"
    file.write_text("sixteen-letters!\n")
    file.chmod(0o600)
    return file


def from_file(file: Path) -> Token:
    return bearer_token(Settings(transport="http", sandbox=True, http_token_file=str(file)), file.parent / "state")


def test_the_operators_own_token_is_taken_from_their_file_and_none_is_made(token_file: Path) -> None:
    assert from_file(token_file) == Token("sixteen-letters!")
    assert not (token_file.parent / "state").exists()


def test_a_token_of_fewer_than_sixteen_characters_is_too_short(token_file: Path) -> None:
    token_file.write_text("fifteen-letters\n")
    with pytest.raises(ConfigurationError, match=r"^the bearer token is shorter than 16 characters$"):
        from_file(token_file)


@pytest.mark.parametrize("trouble", ["missing", "folder", "not text", pytest.param("wide", marks=posix)])
def test_with_a_token_file_of_no_use_the_server_does_not_start_and_names_it(token_file: Path, trouble: str) -> None:
    match trouble:
        case "not text":
            token_file.write_bytes(b"\xff" * 20)
        case "wide":
            token_file.chmod(0o640)
        case _:
            token_file.unlink()
            if trouble == "folder":
                token_file.mkdir()
    why = "can be read by others: chmod 600 it" if trouble == "wide" else "cannot be read"
    with pytest.raises(ConfigurationError, match=f"^--http-token-file .*token {why}$"):
        from_file(token_file)


def test_the_token_is_struck_out_of_whatever_repeats_it(tmp_path: Path) -> None:
    token = bearer_token(HTTP, tmp_path).text
    assert SECRETS.text(f"not allowed: Bearer {token}") == f"not allowed: Bearer {STRUCK_OUT}"


def test_the_configuration_is_indented_by_two_spaces() -> None:
    lines = Token("a token of some length").configuration("http://127.0.0.1:8000/mcp", "http").splitlines()
    assert lines[:3] == ["{", '  "mcpServers": {', '    "cliniko": {']


def test_the_configuration_holds_what_a_client_sends() -> None:
    configuration = json.loads(Token("a token of some length").configuration("http://127.0.0.1:8000/mcp", "http"))
    assert configuration["mcpServers"]["cliniko"] == {
        "type": "http",
        "url": "http://127.0.0.1:8000/mcp",
        "headers": {"Authorization": "Bearer a token of some length"},
    }


def headers_of(token: str) -> dict[str, str]:
    """What a client with this token sends."""
    return {
        "authorization": f"Bearer {token}",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "host": "localhost",
    }


async def _statuses() -> list[int]:
    server: Server[Any] = Server("sessions")
    manager = StreamableHTTPSessionManager(server, json_response=True)
    found: list[int] = []
    message, session = INITIALIZE, dict[str, str]()
    async with manager.run():
        for token in ("one token of some length", "another token of some length", "one token of some length"):
            transport = httpx2.ASGITransport(Gate(manager.handle_request, OneToken(token), max_body_bytes=4096))
            async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
                answer = await client.post("/mcp", json=message, headers=headers_of(token) | session)
            found.append(answer.status_code)
            if message is INITIALIZE:
                session = {"mcp-session-id": answer.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
                message = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    return found


def test_a_session_answers_only_the_token_that_opened_it() -> None:
    assert anyio.run(_statuses) == [200, 404, 200]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_watches_the_server_is_told_that_it_is_up_and_nothing_else(method: str) -> None:
    behind = Behind()
    answer = ask(Health(behind), "/healthz", method=method)
    assert (answer.status, answer.body) == (200, b"")
    assert behind.scopes == []


@pytest.mark.parametrize(("path", "method"), [("/healthz", "POST"), ("/mcp", "GET"), ("/healthz/", "GET")])
def test_every_other_request_is_for_what_is_behind(path: str, method: str) -> None:
    assert ask(Health(Behind()), path, method=method).body == b"through"


@pytest.mark.parametrize("scope", [{"type": "lifespan"}, {"type": "websocket", "path": "/healthz"}])
def test_what_is_no_request_is_for_what_is_behind(scope: dict[str, str]) -> None:
    passed: list[Any] = []

    async def behind(*message: Any) -> None:
        passed.append(message)

    async def nothing(*_: Any) -> Any:
        raise AssertionError("neither asked nor told anything")

    anyio.run(Health(behind), scope, nothing, nothing)
    assert passed == [(scope, nothing, nothing)]
