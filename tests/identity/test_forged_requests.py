"""Requests over a real socket whose headers or paths say more than whoever sent them may say."""

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from cliniko_mcp.identity.gate import FirstOf, Gate
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.protocol.web_server import serve_asgi

pytestmark = pytest.mark.anyio
Ask = Callable[[str], Awaitable[bytes]]


async def _who(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"{scope['client'][0]} {scope['scheme']}")(scope, receive, send)


@pytest.fixture
async def ask() -> AsyncGenerator[Ask]:
    """Asks a server on this computer for a path, as somebody who says to come from elsewhere."""
    resource = Resource.parse("https://mcp.example.org/mcp")
    gate = Gate(_who, FirstOf([]), max_body_bytes=100, resource=resource, passes=lambda path: path == "/who")
    listens = anyio.Event()

    async def asked(path: str) -> bytes:
        forged = "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https"
        stream = await anyio.connect_tcp("127.0.0.1", bound.getsockname()[1])
        async with stream:
            await stream.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n{forged}\r\nConnection: close\r\n\r\n".encode())
            return b"".join([piece async for piece in stream])

    with socket.create_server(("127.0.0.1", 0)) as bound:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: serve_asgi(gate, bound, started=listens.set, lifespan="off"))
            await listens.wait()
            yield asked
            group.cancel_scope.cancel()


async def test_whom_to_believe_about_an_address_is_the_operator_s_to_say(ask: Ask) -> None:
    assert (await ask("/who")).endswith(b"127.0.0.1 http")


@pytest.mark.parametrize(
    "named", ["a%0d%0aSet-Cookie:%20x=1", "a%22,%20error=%22x", "%E2%82%AC", "%ff", "a%5c", "a%00"]
)
async def test_a_path_says_nothing_in_the_header_that_names_the_metadata(ask: Ask, named: str) -> None:
    answer = await ask(f"/mcp/{named}")
    assert answer.startswith(b"HTTP/1.1 401"), answer
    head = answer.partition(b"\r\n\r\n")[0]
    (challenge,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"www-authenticate:")]
    assert challenge.count(b'"') == 4
    assert b"set-cookie" not in [line.partition(b":")[0].lower() for line in head.split(b"\r\n")]
