"""The real HTTP client over a real socket on this computer."""

import logging
from datetime import UTC, datetime

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketAttribute, SocketStream

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.errors import Unavailable

from .account import call

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"id":"1"}'


def test_a_connection_is_used_again_and_no_log_holds_what_was_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connections: list[list[bytes]] = []

    async def serve(stream: SocketStream) -> None:
        connections.append([])
        async with stream:
            async for part in stream:
                connections[-1].append(part)
                await stream.send(ANSWER)

    async def story() -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        port = listener.extra(SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, serve)
            async with Clinic.open(
                base_url=f"http://127.0.0.1:{port}/v1",
                key="demo-au1",
                user_agent="cliniko-mcp/0 (desk@clinic.example)",
                now=lambda: datetime.now(UTC),
            ) as clinic:
                for _ in range(3):
                    assert await clinic.perform(call("get_attendee", id="1234567"))
            group.cancel_scope.cancel()

    anyio.run(story)
    assert [len(requests) for requests in connections] == [3]
    assert connections[0][0].startswith(b"GET /v1/attendees/1234567 HTTP/1.1\r\n")
    assert "1234567" not in caplog.text
    assert "demo" not in caplog.text


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    async def story() -> None:
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            port = listener.extra(SocketAttribute.local_port)
        async with Clinic.open(
            base_url=f"http://127.0.0.1:{port}/v1",
            key="demo-au1",
            user_agent="cliniko-mcp/0 (desk@clinic.example)",
            now=lambda: datetime.now(UTC),
            sleep=lambda _: anyio.lowlevel.checkpoint(),
        ) as clinic:
            with pytest.raises(Unavailable, match="no connection"):
                await clinic.perform(call("get_attendee", id="1"))

    anyio.run(story)
