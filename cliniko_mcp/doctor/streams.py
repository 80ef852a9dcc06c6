"""Whether what the server sends bit by bit arrives so, or something on the way holds it back until it is whole."""

from typing import Final

import anyio
import httpx2

from cliniko_mcp import __version__
from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.sanitize import clean

MAX_SECONDS: Final = 20.0
"""On a stream with nothing to say the server sends a comment every 15 seconds."""
_REVISION: Final = "2025-11-25"
_UNBUFFERED: Final = (
    "Switch buffering off on the way for this address: forms and progress come late or never through it. The server "
    "sends X-Accel-Buffering: no, which nginx follows unless proxy_ignore_headers names it; elsewhere: proxy_buffering "
    "off (nginx), flush_interval -1 (Caddy), no compression of text/event-stream."
)


async def examine_stream(address: str, token: str, transport: httpx2.AsyncBaseTransport | None = None) -> Check:
    """Open a stream at this address as the person of the token, and wait for the first that comes on it.

    Nothing is sent to Cliniko. The protocol: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
    """
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": _REVISION,
    }
    about = {"name": "cliniko-mcp doctor", "version": __version__}
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": _REVISION, "capabilities": {}, "clientInfo": about},
    }
    timeout = httpx2.Timeout(10.0, read=MAX_SECONDS + 1)
    try:
        async with httpx2.AsyncClient(headers=headers, timeout=timeout, transport=transport, trust_env=True) as http:
            answer = await http.post(address, json=hello)
            answer.raise_for_status()
            session = {name: value for name, value in answer.headers.items() if name == "mcp-session-id"}
            with anyio.move_on_after(MAX_SECONDS):
                async with http.stream("GET", address, headers=session) as stream:
                    stream.raise_for_status()
                    async for _ in stream.aiter_raw():
                        return ok("streams", "what the server sends bit by bit arrives as it is sent")
    except httpx2.HTTPError as problem:
        told = f"could not be tried with this token: {clean(str(problem), 200)}"
        return warning("streams", told, "Mend what is said of the token and the address first.")
    told = f"what the server sends bit by bit was still kept on the way after {MAX_SECONDS:.0f} seconds"
    return failed("streams", told, _UNBUFFERED)
