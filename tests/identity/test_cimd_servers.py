"""The documents of programs from real servers, some of which want to do harm."""

import asyncio
import gzip
import json
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.identity import cimd
from cliniko_mcp.identity.cimd import Documents, NotUsable, fetched
from tests.identity.certificate import certified

pytestmark = pytest.mark.anyio
HOST = "claude.ai"
ID = f"https://{HOST}/oauth/mcp-oauth-client-metadata"
DOCUMENT = json.dumps({"client_id": ID, "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"]}).encode()
OUTSIDE = "93.184.215.14"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def head(status: str = "200 OK", *more: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", "content-type: application/json", *more]
    lines += [f"content-length: {length}"] if length is not None else ["connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


async def good(writer: asyncio.StreamWriter) -> None:
    writer.write(head(length=len(DOCUMENT)) + DOCUMENT)


async def moved(writer: asyncio.StreamWriter) -> None:
    writer.write(head("302 Found", "location: https://127.0.0.1/secrets", length=len(DOCUMENT)) + DOCUMENT)


async def large(writer: asyncio.StreamWriter) -> None:
    writer.write(head(length=6 * 1024) + b" " * 6 * 1024)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(head())
    while not writer.is_closing():
        writer.write(b" " * 1024)
        await writer.drain()


async def bomb(writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(b" " * 4_000_000)
    assert len(body) < 5_000
    writer.write(head("200 OK", "content-encoding: gzip", length=len(body)) + body)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(head(length=4_000))
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def silent(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


@asynccontextmanager
async def serving(answer: Answer, context: ssl.SSLContext | None) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A server on this computer: its port, and what it was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()


async def outside(host: str) -> Sequence[str]:
    return [OUTSIDE]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cimd, "SECONDS", 0.5)


async def fetched_from(folder: Path, answer: Answer, name: str = HOST) -> tuple[bool, list[bytes]]:
    """Whether the document of a server is used, which stands in for the one at a public address; what it was asked."""
    context, trust = certified(folder, name)
    async with serving(answer, context) as (port, asked):

        async def here(url: str, address: str) -> tuple[bytes, str, str]:
            assert address == OUTSIDE
            return await fetched(url, "127.0.0.1", port=port, trust=trust)

        program = await Documents((), lambda: 0.0, outside, here).program(ID)
    return program is not None, asked


async def test_a_document_is_asked_for_by_its_name_at_the_address_that_was_looked_at(tmp_path: Path) -> None:
    used, asked = await fetched_from(tmp_path, good)
    assert used
    (request,) = asked
    assert request.startswith(b"GET /oauth/mcp-oauth-client-metadata HTTP/1.1\r\n")
    assert b"host: claude.ai\r\n" in request.lower()
    assert b"cookie" not in request.lower()


@pytest.mark.long_but_one
@pytest.mark.parametrize("answer", [moved, large, endless, bomb, dripping, silent])
async def test_a_server_that_leads_elsewhere_or_gives_too_much_or_too_slowly_is_not_used(
    tmp_path: Path, answer: Answer, short: None
) -> None:
    used, asked = await fetched_from(tmp_path, answer)
    assert not used
    assert len(asked) == 1, "and is not asked again, nor is another"


async def test_a_server_without_the_name_s_certificate_is_not_used(tmp_path: Path) -> None:
    used, asked = await fetched_from(tmp_path, good, "evil.example")
    assert (used, asked) == (False, [])


class Names:
    """The network's names, which say something else each time."""

    def __init__(self, patch: pytest.MonkeyPatch, *answers: str) -> None:
        self.asked, self._answers, self._real = 0, iter(answers), socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: str | bytes | None, port: Any, *arguments: Any, **more: Any) -> Any:
        if host not in (HOST, HOST.encode()):
            return self._real(host, port, *arguments, **more)
        self.asked += 1
        address = next(self._answers)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]


async def test_a_name_that_leads_home_the_second_time_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch, short: None
) -> None:
    names = Names(monkeypatch, OUTSIDE, *["127.0.0.1"] * 5)
    async with serving(good, None) as (port, asked):
        # The public address is asked for, where nothing of ours is; this computer is not.
        assert await Documents((), lambda: 0.0, fetch=partial(fetched, port=port)).program(ID) is None
    assert (names.asked, asked) == (1, [])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "fe80::1",
    ],
)
async def test_a_name_that_leads_into_a_network_of_one_s_own_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    names = Names(monkeypatch, address)
    async with serving(good, None) as (port, asked):
        assert await Documents((), lambda: 0.0, fetch=partial(fetched, port=port)).program(ID) is None
    assert (names.asked, asked) == (1, [])


async def test_what_cannot_be_reached_is_not_usable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotUsable, match="cannot be fetched"):
            await fetched(ID, "127.0.0.1", port=taken.getsockname()[1])
