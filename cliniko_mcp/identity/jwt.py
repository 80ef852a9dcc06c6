"""Tokens that an issuer signed: which algorithms, kinds and keys are accepted, and whose the token then is (RFC 9068).

Nothing that the token says of itself chooses how it is checked: the algorithm has to be one of a short list and that of
the issuer's own key, and the issuer one of those that were set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import jwt

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.claims import ClaimRules, Claims
from cliniko_mcp.identity.key_set import KeySet
from cliniko_mcp.identity.person import Clock, Person, TokenRefused

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""All that may be accepted: each with a public key."""
_KEY_TYPES: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
_ACCESS_TOKEN: Final = frozenset({"at+jwt", "application/at+jwt"})
_OF_ID_TOKENS: Final = frozenset({"nonce", "at_hash", "c_hash"})
_SIGNATURES: Final = jwt.PyJWS(algorithms=ALGORITHMS)


@dataclass(frozen=True, slots=True)
class SignedBy:
    """One issuer that signs its tokens."""

    rules: ClaimRules
    keys: KeySet
    algorithms: tuple[str, ...] = ALGORITHMS
    plain_type: bool = False
    """Whether tokens of the type JWT count as well: some issuers do not mark what is an access token."""


class SignedTokens:
    """Knows the tokens of these issuers."""

    def __init__(self, issuers: Mapping[str, SignedBy], clock: Clock) -> None:
        """`issuers` is by their addresses."""
        self._issuers = dict(issuers)
        self._clock = clock

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises as `Verifier` does; what is no JWT at all is unknown here."""
        if token.count(".") != 2:
            raise TokenRefused("unknown")
        try:
            header = jwt.get_unverified_header(token)
            claims = _json_object(_SIGNATURES.decode_complete(token, options={"verify_signature": False})["payload"])
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenRefused("malformed") from None
        issuer = claims.get("iss")
        signed_by = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if signed_by is None:
            raise TokenRefused("issuer")
        _check_kind(header.get("typ"), claims, signed_by)
        claims = await signed_claims(token, header, signed_by.keys, signed_by.algorithms)
        return signed_by.rules.person(claims, self._clock())


def unverified(token: str) -> dict[str, JsonValue]:
    """What a token says of itself, which nobody has vouched for; empty for what is no JWT."""
    try:
        return _json_object(_SIGNATURES.decode_complete(token, options={"verify_signature": False})["payload"])
    except (jwt.PyJWTError, ValueError, RecursionError, TokenRefused):
        return {}


async def signed_claims(
    token: str, header: Mapping[str, object], keys: KeySet, algorithms: Sequence[str]
) -> dict[str, JsonValue]:
    """The claims of a token that one of these keys signed by one of these algorithms. Raises as `Verifier` does."""
    algorithm, id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS or "crit" in header:
        raise TokenRefused("algorithm")
    if not isinstance(id, str):
        raise TokenRefused("signature")
    key = await keys.key(id)
    named = key.algorithm_name if key.key_type != "RSA" else algorithm
    if key.key_type != _KEY_TYPES[algorithm] or named != algorithm:
        raise TokenRefused("algorithm")
    try:
        payload = _SIGNATURES.decode_complete(token, key.key, algorithms=[algorithm])["payload"]
    except jwt.PyJWTError:
        raise TokenRefused("signature") from None
    return _json_object(payload)


def _check_kind(typ: object, claims: Claims, signed_by: SignedBy) -> None:
    """Raise TokenRefused for what is not an access token: an id token says who somebody is, to another program."""
    kind = typ.lower() if isinstance(typ, str) else "jwt"
    if kind in _ACCESS_TOKEN:
        return
    # Keycloak marks its id tokens in the claims, the others carry what only an id token does.
    if kind != "jwt" or not signed_by.plain_type or claims.get("typ") == "ID" or not _OF_ID_TOKENS.isdisjoint(claims):
        raise TokenRefused("kind")


def _json_object(payload: bytes) -> dict[str, JsonValue]:
    found: JsonValue = json.loads(payload)
    if not isinstance(found, dict):
        raise TokenRefused("malformed")
    return found
