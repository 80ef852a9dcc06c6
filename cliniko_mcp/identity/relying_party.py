"""Our pages as a client of an issuer: a person is sent there, and comes back with a code that says who they are.

OpenID Connect Core 1.0 section 3.1, with PKCE (RFC 7636), the issuer in the answer (RFC 9207) and our own address as
the resource (RFC 8707). Who it is is read from the access token by the verifier that reads those of calls, so that a
person is the same on a page and in an assistant; of the id token only when and how they logged in counts. No token is
kept.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import anyio
import httpx2
import jwt

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosted_file import PageSection
from cliniko_mcp.identity.claims import LEEWAY, Claims
from cliniko_mcp.identity.issuer_metadata import (
    MAX_BYTES,
    TIMEOUT_SECONDS,
    checked_address,
    json_object,
    metadata_of,
)
from cliniko_mcp.identity.jwt import ALGORITHMS, signed_claims
from cliniko_mcp.identity.key_set import KeySet
from cliniko_mcp.identity.person import Clock, IssuerUnavailable, Person, TokenRefused, Verifier

FRESH_SECONDS: Final = 300
"""How old a login may be where it has to be fresh."""
_KNOWN_SECONDS: Final = 60.0
"""How long the issuer's metadata is good: whoever opens the page again and again asks it no oftener."""


class LoginRefused(Exception):
    """A login that leads to nobody; its text says why, for whoever looks after the server, and names nobody."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login under way; each text but the first is of 256 random bits."""

    issuer: str
    state: str
    nonce: str
    code_verifier: str
    fresh: bool = False
    """Whether the person has to log in anew, whatever the issuer knows of them already."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Who came back, and when they last proved to the issuer that it is them."""

    person: Person
    at: float = 0.0
    """In Unix seconds; 0 where the issuer does not say, or they did not log in as strongly as is asked."""


class RelyingParty:
    """This server's pages at one issuer."""

    def __init__(
        self,
        issuer: str,
        page: PageSection,
        secret: str,
        client: httpx2.AsyncClient,
        keys: KeySet,
        verifier: Verifier,
        *,
        resource: str,
        redirect_uri: str,
        scopes: Sequence[str],
        clock: Clock,
        algorithms: Sequence[str] = ALGORITHMS,
    ) -> None:
        """`verifier` is that of calls, `resource` what its tokens are for."""
        self.issuer = issuer
        self.page = page
        self._auth = httpx2.BasicAuth(quote(page.client_id, safe=""), quote(secret, safe=""))
        self._secret = secret
        self._client = client
        self._keys = keys
        self._verifier = verifier
        self._resource = resource
        self._redirect_uri = redirect_uri
        self._scopes = tuple(scopes)
        self._clock = clock
        self._algorithms = tuple(algorithms)
        self._metadata: tuple[float, Mapping[str, JsonValue]] | None = None

    async def address(self, attempt: Attempt, more_scopes: Sequence[str] = ()) -> str:
        """Where a person is sent to log in. Raises IssuerUnavailable."""
        digest = hashlib.sha256(attempt.code_verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": self.page.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(dict.fromkeys(["openid", *self._scopes, *more_scopes])),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "resource": self._resource,
            **self.page.parameters,
        }
        if attempt.fresh:
            parameters |= {"prompt": "login", "max_age": str(FRESH_SECONDS)}
            parameters |= {"acr_values": " ".join(self.page.acr_values)} if self.page.acr_values else {}
        endpoint = await self._endpoint("authorization_endpoint")
        query = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote)
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def proven(self, attempt: Attempt, answer: Mapping[str, str]) -> Proven:
        """Who came back with this answer of the issuer's.

        Raises LoginRefused for an answer that is not to this attempt, and for a person who is not let in;
        IssuerUnavailable where that cannot be said just now.
        """
        metadata = await self._known()
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise LoginRefused("the answer is to another login")
        told = answer.get("iss")
        required = metadata.get("authorization_response_iss_parameter_supported") is True
        if attempt.issuer != self.issuer or (told != self.issuer and (told is not None or required)):
            raise LoginRefused("the answer is not of the issuer that was asked")
        if "error" in answer or not answer.get("code"):
            raise LoginRefused("the issuer let nobody in")
        tokens = await self._tokens(answer["code"], attempt.code_verifier)
        access, id_token = tokens.get("access_token"), tokens.get("id_token")
        if not isinstance(access, str) or not isinstance(id_token, str):
            raise LoginRefused("the issuer gave no access token and id token")
        try:
            claims = await signed_claims(id_token, jwt.get_unverified_header(id_token), self._keys, self._algorithms)
        except (jwt.PyJWTError, TokenRefused, ValueError, RecursionError):
            raise LoginRefused("the id token is not signed by the issuer") from None
        at = self._proved_at(claims, attempt)
        try:
            person = await self._verifier.person_of(access)
        except TokenRefused as refused:
            raise LoginRefused(f"the access token is refused: {refused}") from None
        if person.issuer != self.issuer:
            raise LoginRefused("the access token is of another issuer")
        return Proven(person, at)

    def _proved_at(self, claims: Claims, attempt: Attempt) -> float:
        """When the person logged in, by the id token. Raises LoginRefused where it is not the answer to this attempt.

        OpenID Connect Core 1.0 section 3.1.3.7.
        """
        now, leeway = self._clock().timestamp(), LEEWAY.total_seconds()
        audience, own = claims.get("aud"), self.page.client_id
        audiences = audience if isinstance(audience, list) else [audience]
        party = claims.get("azp")
        expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
        nonce = claims.get("nonce")
        if (
            claims.get("iss") != self.issuer
            or own not in audiences
            or (party != own if party is not None else len(audiences) > 1)
            or not isinstance(claims.get("sub"), str)
            or expires <= now - leeway
            or not 0 < issued <= now + leeway
            or not isinstance(nonce, str)
            or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode())
        ):
            raise LoginRefused("the id token is not the answer to this login")
        at, ways = _seconds(claims, "auth_time"), self.page.acr_values
        if at > now + leeway or (ways and claims.get("acr") not in ways):
            at = 0.0
        if attempt.fresh and at < now - FRESH_SECONDS - leeway:
            raise LoginRefused("the issuer does not say that the person has just logged in, as strongly as is asked")
        return min(at, now)

    async def _tokens(self, code: str, code_verifier: str) -> Mapping[str, JsonValue]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": code_verifier,
        }
        resource = self.page.parameters.get("resource", self._resource)
        form |= {"resource": resource} if resource else {}
        ways = (await self._known()).get("token_endpoint_auth_methods_supported")
        by_post = isinstance(ways, list) and "client_secret_basic" not in ways and "client_secret_post" in ways
        if by_post:
            form |= {"client_id": self.page.client_id, "client_secret": self._secret}
        endpoint = await self._endpoint("token_endpoint")
        try:
            with anyio.fail_after(TIMEOUT_SECONDS):
                answer = await self._client.post(
                    endpoint, data=form, auth=httpx2.USE_CLIENT_DEFAULT if by_post else self._auth
                )
            if answer.status_code >= 500 or len(answer.content) > MAX_BYTES:
                raise IssuerUnavailable
            found = json_object(answer.content)
        except (httpx2.HTTPError, TimeoutError, ValueError):
            raise IssuerUnavailable from None
        if not answer.is_success:
            # Of the error's own words only those of RFC 6749 are ours to write down.
            named = found.get("error")
            raise LoginRefused(f"the code is refused ({named if named in _ERRORS else 'no reason is given'})")
        return found

    async def _known(self) -> Mapping[str, JsonValue]:
        now = self._clock().timestamp()
        if self._metadata is None or now - self._metadata[0] >= _KNOWN_SECONDS:
            try:
                self._metadata = now, await metadata_of(self.issuer, self._client)
            except (httpx2.HTTPError, TimeoutError, ValueError):
                raise IssuerUnavailable from None
        return self._metadata[1]

    async def _endpoint(self, name: str) -> str:
        found = (await self._known()).get(name)
        try:
            return checked_address(found if isinstance(found, str) else "")
        except ConfigurationError:
            raise IssuerUnavailable from None


_ERRORS: Final = frozenset(
    {"invalid_client", "invalid_grant", "invalid_request", "invalid_target", "unauthorized_client"}
)


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
