"""What an issuer's claims say of a person: for whom the token is, until when, and what it grants.

The same for a signed token (RFC 9068) and for the answer of an introspection (RFC 7662).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import Person, TokenRefused

Claims = Mapping[str, JsonValue]
LEEWAY: Final = timedelta(seconds=30)
"""How far the issuer's clock may be from ours."""
_MAX_SUBJECT_LENGTH: Final = 255
_FARTHEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How the claims of one issuer are read."""

    issuer: str
    """Exactly as the issuer writes it."""
    resource: Resource
    audiences: frozenset[str] = frozenset()
    """What a token must be for; empty where that is this server's own address, or one clinic's below it."""
    subject: tuple[str, ...] = ("sub",)
    """The claims that together say who it is, the same in each of a person's tokens."""
    scope: str = "scope"
    name: str = "name"
    clinic: str = "clinic"
    scope_names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Our scopes by what the issuer calls them, where that is something else."""

    def person(self, claims: Claims, now: datetime) -> Person:
        """Who the claims are about. Raises TokenRefused where they are for another server or time, or incomplete."""
        if claims.get("iss") != self.issuer:
            raise TokenRefused("issuer")
        expires = _moment(claims, "exp")
        if expires is None:
            raise TokenRefused("claims")
        if now >= expires + LEEWAY:
            raise TokenRefused("expired")
        for name in ("nbf", "iat"):
            if (begins := _moment(claims, name)) is not None and now < begins - LEEWAY:
                raise TokenRefused("early")
        clinic = self._clinic(claims, self._audience(claims))
        name = claims.get(self.name)
        named = name if isinstance(name, str) else ""
        return Person(self.issuer, self._subject(claims), named[:100], self._scopes(claims), clinic, expires + LEEWAY)

    def _audience(self, claims: Claims) -> frozenset[str]:
        """The audiences by which the token is for this server. Raises TokenRefused where there is none."""
        value = claims.get("aud")
        listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        accepts = self.audiences.__contains__ if self.audiences else self.resource.accepts
        found = frozenset(audience for audience in listed if isinstance(audience, str) and accepts(audience))
        if not found:
            raise TokenRefused("audience")
        return found

    def _subject(self, claims: Claims) -> str:
        parts = [claims.get(name) for name in self.subject]
        texts = [part for part in parts if isinstance(part, str) and part]
        # The parts are joined by what none of them may hold, so that no two people come out as one.
        if len(texts) < len(parts) or (len(texts) > 1 and any(" " in text for text in texts)):
            raise TokenRefused("claims")
        subject = " ".join(texts)
        if len(subject) > _MAX_SUBJECT_LENGTH:
            raise TokenRefused("claims")
        return subject

    def _scopes(self, claims: Claims) -> frozenset[str]:
        value = claims.get(self.scope)
        listed = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        return frozenset(self.scope_names.get(scope, scope) for scope in listed if isinstance(scope, str))

    def _clinic(self, claims: Claims, audiences: frozenset[str]) -> str | None:
        """The one clinic that the token is for, by its claim or by its audience; None for any that the person has."""
        below = {self.resource.clinic_of(audience) for audience in audiences}
        bound = None if None in below else next(iter(below)) if len(below) == 1 else ""
        value = claims.get(self.clinic)
        claimed = value if isinstance(value, str) and value else None
        if bound == "" or (bound is not None and claimed is not None and bound != claimed):
            raise TokenRefused("audience")
        return claimed or bound


def _moment(claims: Claims, name: str) -> datetime | None:
    """The claim as a time; None where there is none. Raises TokenRefused where it is no time."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused("claims")
    try:
        return min(datetime.fromtimestamp(value, UTC), _FARTHEST)
    except (ValueError, OverflowError, OSError):
        raise TokenRefused("claims") from None
