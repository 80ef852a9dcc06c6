"""An issuer's public keys (RFC 7517), found by its metadata, fetched when one is missing, and used while it is away."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx2
import jwt

from cliniko_mcp.client.credentials import is_loopback
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.identity.person import IssuerUnavailable, TokenRefused

MAX_BYTES: Final = 100_000
TIMEOUT_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 10.0
"""Between two fetches, however many tokens name a key that is not known."""
FRESH_SECONDS: Final = 3600.0
"""After so long the keys are fetched again before the next use: one that the issuer took back ends then."""
KEPT_SECONDS: Final = 86_400.0
"""The longest that keys are used while the issuer does not answer."""
_WELL_KNOWN: Final = ("openid-configuration", "oauth-authorization-server")
_LOG = logging.getLogger(__name__)


def checked_address(text: str) -> str:
    """This address of an issuer. Raises ConfigurationError where it is not https, or http on this computer."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ConfigurationError(f"{text} is no address of an issuer: it begins with https://")
    return text


class KeySet:
    """The keys of one issuer, by their ids."""

    def __init__(
        self,
        issuer: str,
        client: httpx2.AsyncClient,
        monotonic: Callable[[], float],
        address: str | None = None,
    ) -> None:
        """`address` is where the keys are; without it the issuer's metadata says so."""
        self._issuer = issuer
        self._client = client
        self._monotonic = monotonic
        self._address = address
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching = anyio.Lock()

    @property
    def ready(self) -> bool:
        """Whether keys are held that may be used."""
        return bool(self._keys) and self._monotonic() - self._fetched_at < KEPT_SECONDS

    async def key(self, id: str) -> jwt.PyJWK:
        """The key of this id.

        Raises TokenRefused where the issuer has none, and IssuerUnavailable where that cannot be said just now.
        """
        stale = self._monotonic() - self._fetched_at >= FRESH_SECONDS
        # While one caller asks an issuer that may be away, the others go on with the keys that are known.
        if id not in self._keys or (stale and not self._fetching.locked()):
            await self._refresh(self._fetched_at)
        if not self.ready:
            raise IssuerUnavailable
        if id not in self._keys:
            raise TokenRefused("signature")
        return self._keys[id]

    async def fetch(self) -> None:
        """Fetch the keys now, if possible; for the start, so that the first person does not wait."""
        await self._refresh(self._fetched_at)

    async def _refresh(self, seen: float) -> None:
        """Fetch the keys, one caller for all that wait, and not again within ten seconds."""
        async with self._fetching:
            now = self._monotonic()
            if self._fetched_at != seen or now - self._tried_at < PAUSE_SECONDS:
                return
            self._tried_at = now
            try:
                self._keys = _usable(await self._document(await self._found()))
                self._fetched_at = self._monotonic()
            except (httpx2.HTTPError, TimeoutError, ValueError) as problem:
                _LOG.warning("the keys of %s could not be fetched (%s)", self._issuer, _why(problem))

    async def _found(self) -> str:
        """Where the keys are, by the issuer's metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)."""
        if self._address is not None:
            return self._address
        parts = urlsplit(self._issuer)
        path = parts.path.rstrip("/")
        origin = f"{parts.scheme}://{parts.netloc}"
        below = f"{self._issuer.rstrip('/')}/.well-known/{_WELL_KNOWN[0]}"
        addresses = dict.fromkeys([below, *(f"{origin}/.well-known/{name}{path}" for name in reversed(_WELL_KNOWN))])
        problem: Exception = ValueError("no metadata")
        for address in addresses:
            try:
                document = await self._document(address)
            except (httpx2.HTTPStatusError, ValueError) as found:
                problem = found
                continue
            keys = document.get("jwks_uri")
            if document.get("issuer") != self._issuer:
                raise ValueError("its metadata names another issuer")
            if not isinstance(keys, str):
                raise ValueError("its metadata names no keys")
            self._address = checked_address(keys)
            return self._address
        raise problem

    async def _document(self, address: str) -> dict[str, JsonValue]:
        """The JSON object at an address, bounded in time and size."""
        body = b""
        with anyio.fail_after(TIMEOUT_SECONDS):
            async with self._client.stream("GET", address, headers={"Accept": "application/json"}) as answer:
                answer.raise_for_status()
                if answer.is_redirect:
                    raise ValueError("it sends elsewhere")
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES:
                        raise ValueError("it is too long")
        document: JsonValue = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError("it is no object")
        return document


def _usable(document: dict[str, JsonValue]) -> dict[str, jwt.PyJWK]:
    """The keys that verify signatures, by id; those that this program cannot use are passed over."""
    found: dict[str, jwt.PyJWK] = {}
    rows = document.get("keys")
    for row in rows if isinstance(rows, list) else []:
        id = row.get("kid") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(id, str) or row.get("use", "sig") != "sig":
            continue
        if row.get("kty") == "oct":  # a secret is nobody's public key
            continue
        try:
            found[id] = jwt.PyJWK(row)
        except jwt.PyJWTError:
            continue
    if not found:
        raise ValueError("it has no keys that can be used")
    return found


def _why(problem: Exception) -> str:
    if isinstance(problem, httpx2.HTTPStatusError):
        return f"status {problem.response.status_code}"
    return str(problem) if type(problem) is ValueError else type(problem).__name__
