"""A person as a token names them, and what a token is refused for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

Clock = Callable[[], datetime]
"""The time now, in UTC."""
Reason = Literal[
    "unknown",
    "expired",
    "early",
    "malformed",
    "algorithm",
    "kind",
    "signature",
    "issuer",
    "audience",
    "claims",
    "ended",
]
"""Why a token is refused, for metrics and the log: never anything of the token itself."""
REASONS: Final[dict[Reason, str]] = {
    "unknown": "it is not known here",
    "expired": "it has expired",
    "early": "it is not valid yet",
    "malformed": "it cannot be read",
    "algorithm": "its algorithm is not accepted",
    "kind": "it is not an access token",
    "signature": "its signature is wrong",
    "issuer": "another issuer made it",
    "audience": "it was made for another server or clinic",
    "claims": "it does not say whose it is and until when",
    "ended": "it was revoked",
}
"""The same for people, after "The token was refused: "."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who a token stands for."""

    issuer: str
    """Who vouches for them: an issuer's address, or a word for a source of our own, without a vertical bar."""
    subject: str
    """Who they are to that issuer, the same in each of their tokens."""
    name: str = ""
    """What colleagues call them, to show; never what anything is bound to."""
    scopes: frozenset[str] = frozenset()
    """What the token grants, as it says it (`cliniko_mcp.identity.scopes`)."""
    clinic: str | None = None
    """The one clinic that the token is for; None where it does not say."""
    expires: datetime | None = None
    """When the token ends, in UTC; None for one that ends by being revoked."""

    @property
    def principal(self) -> str:
        """What answers, questions and sessions are bound to. No two persons share one: an issuer has no bar."""
        return f"{self.issuer}|{self.subject}"

    @property
    def logged(self) -> str:
        """The principal as the audit log shows it: as it is where we vouch for them ourselves, else by its digest."""
        return f"person:{self.digest}" if "://" in self.issuer else f"{self.issuer}:{self.subject}"

    @property
    def digest(self) -> str:
        """The principal for logs, 16 hexadecimal digits: the same person each time, and nobody's name."""
        return hashlib.sha256(self.principal.encode()).hexdigest()[:16]


class TokenRefused(Exception):
    """A token that stands for nobody here; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason: Reason = reason


class IssuerUnavailable(Exception):
    """Whether the token is good cannot be said just now, because who made it does not answer."""


class Verifier(Protocol):
    """One kind of token: people's own, an issuer's, the built-in login's."""

    async def person_of(self, token: str) -> Person:
        """Whose token this is.

        Raises TokenRefused ("unknown" where another verifier may know it), and IssuerUnavailable where that cannot be
        said at present.
        """
        ...
