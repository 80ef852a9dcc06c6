"""The HTTP client behind a clinic: one host, one key, verified TLS, connections used again, no redirects followed."""

import logging
from base64 import b64encode
from collections.abc import Generator
from typing import Final

import httpx2

TIMEOUTS: Final = httpx2.Timeout(connect=10.0, read=30.0, write=30.0, pool=10.0)
# Idle connections are dropped well before servers usually do, or a write could meet one that is just being closed.
_LIMITS: Final = httpx2.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=30.0)
# Of hundreds of clinics some are slow; what waits for their answers is not to keep the others from asking.
OF_MANY: Final = httpx2.Limits(max_connections=500, max_keepalive_connections=50, keepalive_expiry=30.0)

# The client logs every address it asks for, and the filters in it hold patients' names.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class OwnHostAuth(httpx2.Auth):
    """Basic auth with the key, added only to requests that go to the base URL's own scheme, host and port."""

    def __init__(self, key: str, base_url: str) -> None:
        self._header = "Basic " + b64encode(f"{key}:".encode()).decode()
        self._home = _origin(httpx2.URL(base_url))

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Yield the request, with the key only where it goes to the base URL's own scheme, host and port."""
        if _origin(request.url) == self._home:
            request.headers["Authorization"] = self._header
        yield request


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Network(httpx2.AsyncBaseTransport):
    """The real network, made when the first request needs it: reading the certificates takes a while.

    One serves many accounts: the key is a header of each request.
    """

    def __init__(self, limits: httpx2.Limits = _LIMITS) -> None:
        self._limits = limits
        self._made: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer from the network, its body still to be read."""
        if self._made is None:
            self._made = httpx2.AsyncHTTPTransport(limits=self._limits)
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._made is not None:
            await self._made.aclose()


class Lent(httpx2.AsyncBaseTransport):
    """A transport that belongs to somebody else: what is sent through it goes there, and closing leaves it open."""

    def __init__(self, owned: httpx2.AsyncBaseTransport) -> None:
        self._owned = owned

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of the transport that was lent."""
        return await self._owned.handle_async_request(request)

    async def aclose(self) -> None:
        """Nothing: whoever lends it closes it."""


def client(key: str, base_url: str, user_agent: str, transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    """A client for this account alone; `transport` carries its requests, and closing the client closes it."""
    return httpx2.AsyncClient(
        base_url=base_url,
        auth=OwnHostAuth(key, base_url),
        headers={"Accept": "application/json", "User-Agent": user_agent},
        timeout=TIMEOUTS,
        follow_redirects=False,
        transport=transport,
        trust_env=False,
    )
