"""A stop over HTTP: whoever keeps a connection open goes to another replica with the next call."""

import anyio
import httpx2
import pytest
from starlette.responses import PlainTextResponse

from cliniko_mcp.approvals.waits import Waits
from cliniko_mcp.protocol.draining import Draining


class Idle:
    """Nothing is under way."""

    waits = Waits()
    busy = False

    def interrupt(self) -> None:
        """Nothing to end."""


@pytest.mark.anyio
async def test_from_a_stop_on_every_answer_ends_its_connection() -> None:
    draining = Draining(PlainTextResponse("fine"), Idle(), 4_096, notice=60.0)
    hurried: list[bool] = []
    transport = httpx2.ASGITransport(app=draining)
    async with (
        httpx2.AsyncClient(transport=transport, base_url="http://here") as http,
        anyio.create_task_group() as stop,
    ):
        assert "connection" not in (await http.post("/mcp", content=b"{}")).headers
        stop.start_soon(draining.drain, lambda: bool(hurried))
        while draining.ready:  # noqa: ASYNC110 - of a task of its own
            await anyio.sleep(0.01)
        noticing = await http.post("/mcp", content=b'{"id":1,"method":"ping"}')
        assert (noticing.status_code, noticing.headers["connection"]) == (200, "close")
        hurried.append(True)
        while (refused := await http.post("/mcp", content=b'{"id":1,"method":"ping"}')).status_code == 200:  # noqa: ASYNC110
            await anyio.sleep(0.01)
        assert (refused.status_code, refused.headers["connection"]) == (503, "close")
