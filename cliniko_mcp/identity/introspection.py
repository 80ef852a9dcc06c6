"""Tokens that only their issuer can read: it is asked about each, and its word holds for half a minute (RFC 7662)."""

from __future__ import annotations

import json
from typing import Final

import anyio
import httpx2

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.claims import ClaimRules
from cliniko_mcp.identity.issuer_metadata import MAX_BYTES, TIMEOUT_SECONDS
from cliniko_mcp.identity.person import Clock, IssuerUnavailable, Person, TokenRefused

KEPT_SECONDS: Final = 30.0


class Introspection:
    """Asks one issuer whose a token is."""

    def __init__(
        self, rules: ClaimRules, client: httpx2.AsyncClient, clock: Clock, address: str, id: str, secret: str
    ) -> None:
        """`id` and `secret` are what this server is known by to the issuer."""
        self._rules = rules
        self._client = client
        self._clock = clock
        self._address = address
        self._auth = httpx2.BasicAuth(id, secret)

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises as `Verifier` does; what is not active is unknown, as another may know it."""
        claims = await self._claims_of(token)
        if claims.get("active") is not True:
            raise TokenRefused("unknown")
        # The issuer that answers vouches for it, whether or not it names itself.
        return self._rules.person({"iss": self._rules.issuer, **claims}, self._clock())

    async def _claims_of(self, token: str) -> dict[str, JsonValue]:
        try:
            with anyio.fail_after(TIMEOUT_SECONDS):
                answer = await self._client.post(
                    self._address, data={"token": token, "token_type_hint": "access_token"}, auth=self._auth
                )
            if not answer.is_success or len(answer.content) > MAX_BYTES:
                raise IssuerUnavailable
            found: JsonValue = json.loads(answer.content)
        except (httpx2.HTTPError, TimeoutError, ValueError):
            raise IssuerUnavailable from None
        if not isinstance(found, dict):
            raise IssuerUnavailable
        return found
