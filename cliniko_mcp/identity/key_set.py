"""An issuer's public keys (RFC 7517), found by its metadata, fetched when one is missing, and used while it is away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import anyio
import httpx2
import jwt

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.issuer_metadata import checked_address, document_at, metadata_of
from cliniko_mcp.identity.person import IssuerUnavailable, TokenRefused

PAUSE_SECONDS: Final = 10.0
"""Between two fetches, however many tokens name a key that is not known."""
FRESH_SECONDS: Final = 3600.0
"""After so long the keys are fetched again before the next use: one that the issuer took back ends then."""
KEPT_SECONDS: Final = 86_400.0
"""The longest that keys are used while the issuer does not answer."""
_LOG = logging.getLogger(__name__)


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
                self._keys = _usable(await document_at(await self._found(), self._client))
                self._fetched_at = self._monotonic()
            except (httpx2.HTTPError, TimeoutError, ValueError) as problem:
                _LOG.warning("the keys of %s could not be fetched (%s)", self._issuer, _why(problem))

    async def _found(self) -> str:
        """Where the keys are, by the issuer's metadata."""
        if self._address is None:
            keys = (await metadata_of(self._issuer, self._client)).get("jwks_uri")
            if not isinstance(keys, str):
                raise ValueError("its metadata names no keys")
            self._address = checked_address(keys)
        return self._address


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
