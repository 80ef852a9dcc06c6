"""One token for everybody, set by the operator or made at the first start: whoever sends it is one and the same."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cliniko_mcp.identity.person import Person, TokenRefused
from cliniko_mcp.identity.scopes import SCOPES

ISSUER: Final = "token"


class OneToken:
    """Knows one token, which grants everything."""

    def __init__(self, token: str) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()
        self._person = Person(ISSUER, self._digest.hex()[:16], scopes=frozenset(SCOPES))

    async def person_of(self, token: str) -> Person:
        """Everybody, by 16 hexadecimal digits of the token's digest. Raises TokenRefused for another token."""
        if not hmac.compare_digest(hashlib.sha256(token.encode()).digest(), self._digest):
            raise TokenRefused("unknown")
        return self._person
