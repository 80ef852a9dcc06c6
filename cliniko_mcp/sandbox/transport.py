"""The demo clinic as a transport of the HTTP client: no socket, the same responses."""

import anyio
import httpx2

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.wire import SANDBOX_HEADER, SandboxRequest


class SandboxTransport(httpx2.AsyncBaseTransport):
    """Answers the client's requests from a Sandbox. A slow response counts towards the read timeout."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The sandbox's response. Raises httpx2.ReadError for a dropped connection, ReadTimeout for a slow one."""
        body = await request.aread()
        raw_path, _, _ = request.url.raw_path.partition(b"?")
        response = self._sandbox.respond(
            SandboxRequest(
                method=request.method,
                path=raw_path.decode("ascii"),
                query=tuple(request.url.params.multi_items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
                origin="server",
            )
        )
        if response.delay:
            await self._wait(request, response.delay)
        if response.dropped:
            raise httpx2.ReadError("the connection was closed", request=request)
        headers = {**response.headers, **SANDBOX_HEADER}
        return httpx2.Response(response.status, headers=headers, content=response.body, request=request)

    async def _wait(self, request: httpx2.Request, seconds: float) -> None:
        timeout = request.extensions.get("timeout", {}).get("read")
        if timeout is not None and timeout < seconds:
            await anyio.sleep(timeout)
            raise httpx2.ReadTimeout("the answer took too long", request=request)
        await anyio.sleep(seconds)
