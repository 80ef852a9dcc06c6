"""The built-in login as the SDK's handlers ask it: programs, codes, tokens, their rotation and their end.

It keeps digests alone (`Logins`) and never sees a key of Cliniko's. Grants are made by the pages, `granted`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
    construct_redirect_uri,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl, BaseModel

from cliniko_mcp.errors import Unavailable
from cliniko_mcp.identity.cimd import Documents
from cliniko_mcp.identity.clients import Program, checked, fingerprint, known_scopes, secret_of, shown_name, shown_place
from cliniko_mcp.identity.lives import Lives
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import IssuerUnavailable, Person, TokenRefused
from cliniko_mcp.identity.scopes import SCOPES
from cliniko_mcp.shared_state.logins import (
    ClientRow,
    CodeRow,
    GrantRow,
    Logins,
    NewTokens,
    Outcome,
    PersonRow,
    RequestRow,
)

ISSUER: Final = "builtin"
ACCESS_PREFIX: Final = "cma_"
REFRESH_PREFIX: Final = "cmr_"
SAME_SECONDS: Final = 600.0
"""How long the same registration from the same address is the same program."""
UNUSED_SECONDS: Final = 3600.0
MAX_UNUSED: Final = 200
MAX_REQUESTS: Final = 2_000
"""How many logins may be under way."""
_CHALLENGE: Final = 43

StillGood = Callable[[str], Awaitable[PersonRow | None]]
"""The person with this id, where they may still use the server."""


class Details(BaseModel):
    """What a program asks for, as a request and a code keep it."""

    client: str
    program: str
    place: str
    redirect: str
    explicit: bool
    state: str | None
    challenge: str
    scopes: list[str]
    resource: str | None


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class BuiltinLogin(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """The provider. Everything that it gives was given by a person on the page."""

    def __init__(
        self,
        logins: Logins,
        documents: Documents,
        resource: Resource,
        *,
        secret_key: bytes,
        client_hosts: Sequence[str],
        token: Callable[[], str],
        now: Callable[[], float],
        lives: Lives | None = None,
    ) -> None:
        """`secret_key` derives programs' secrets; `token` gives 256 random bits as text."""
        self._logins = logins
        self._documents = documents
        self._resource = resource
        self._secret_key = secret_key
        self._client_hosts = tuple(client_hosts)
        self._token = token
        self._now = now
        self.lives = lives or Lives()

    # Programs

    async def get_client(self, client_id: str) -> Program | None:
        """The program of this id: registered, or by its document."""
        if client_id.startswith("https://"):
            return await self._documents.program(client_id)
        row = await self._logins.client(client_id)
        if row is None:
            return None
        program = Program.model_validate_json(row.metadata)
        if program.token_endpoint_auth_method != "none":
            program.client_secret = secret_of(self._secret_key, row.id)
            program.client_secret_expires_at = 0
        return program

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Keep a program, and put its id and secret into what the SDK answers. Raises RegistrationError."""
        await self.register(client_info, "")

    async def register(self, client_info: OAuthClientInformationFull, address: str) -> None:
        """The same for a request from this address of the network."""
        program, now = checked(client_info, self._client_hosts), self._now()
        row = ClientRow(program.client_id, program.model_dump_json(), fingerprint(program, address), now)
        kept = await self._logins.add_client(
            row, recent=now - SAME_SECONDS, unused=now - UNUSED_SECONDS, most=MAX_UNUSED
        )
        if kept is None:
            raise RegistrationError("invalid_client_metadata", "too many programs are registered and unused; try later")
        client_info.client_id = kept.id
        client_info.client_id_issued_at = int(kept.created)
        client_info.scope = " ".join(SCOPES)
        client_info.client_secret, client_info.client_secret_expires_at = None, None
        if program.token_endpoint_auth_method != "none":
            client_info.client_secret = secret_of(self._secret_key, kept.id)
            client_info.client_secret_expires_at = 0

    # The page

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """Where the browser goes on: our page. Raises AuthorizeError for what the SDK does not look at."""
        if len(params.code_challenge) != _CHALLENGE or not _base64url(params.code_challenge):
            raise AuthorizeError("invalid_request", "code_challenge is a SHA-256 in base64url")
        if params.resource is not None and params.resource.rstrip("/") != self._resource.url:
            raise AuthorizeError("invalid_target", "this server is another resource")
        if "authorization_code" not in client.grant_types:
            raise AuthorizeError("unauthorized_client", "the program did not register for codes")
        id, redirect = self._token(), str(params.redirect_uri)
        details = Details(
            client=client.client_id,
            program=shown_name(client, redirect),
            place=shown_place(redirect),
            redirect=redirect,
            explicit=params.redirect_uri_provided_explicitly,
            state=params.state,
            challenge=params.code_challenge,
            scopes=params.scopes or list(SCOPES),
            resource=params.resource,
        )
        expires = self._now() + self.lives.request
        row = RequestRow(digest_of(id), details.model_dump_json(), expires)
        if not await self._logins.begin_request(row, self._now(), MAX_REQUESTS):
            raise AuthorizeError("temporarily_unavailable", "too many logins are under way; try again in ten minutes")
        return f"{self._resource.origin}/login/{id}"

    def grant_for(self, details: Details, person: str, scopes: Sequence[str]) -> tuple[str, CodeRow, GrantRow]:
        """A code for this request with its rows, which the page keeps as it answers: code, its row, the grant's."""
        now, code, id = self._now(), self._token(), self._token()
        grant = GrantRow(
            digest_of(id)[:32],
            person,
            details.client,
            details.program,
            " ".join(scopes),
            now,
            now + self.lives.whole,
        )
        kept = details.model_copy(update={"scopes": list(scopes)})
        return code, CodeRow(self._digest(code), grant.id, kept.model_dump_json(), now + self.lives.code), grant

    def answer(self, details: Details, **told: str) -> str:
        """The callback with what the program is told: a code or an error, its state, and who says so (RFC 9207)."""
        return construct_redirect_uri(details.redirect, **told, state=details.state, iss=self._resource.origin)

    # Codes and tokens

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        """The code, until it is used. One that was used ends what came of it: somebody else has it as well."""
        row = await self._logins.code(self._digest(authorization_code))
        if row is None:
            return None
        details = Details.model_validate_json(row.details)
        if details.client != client.client_id:
            return None
        if row.used:
            await self._logins.end(self._now(), "its code was used twice", grant=row.grant)
            return None
        return AuthorizationCode(
            code=authorization_code,
            scopes=details.scopes,
            expires_at=row.expires,
            client_id=details.client,
            code_challenge=details.challenge,
            redirect_uri=AnyUrl(details.redirect),
            redirect_uri_provided_explicitly=details.explicit,
            resource=details.resource,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        """Tokens for a code, once. Raises TokenError."""
        access, refresh, kept = self._new(client, " ".join(authorization_code.scopes))
        outcome = await self._logins.take_code(self._digest(authorization_code.code), kept, self._now())
        return self._tokens(outcome, access, refresh, kept)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        """The refresh token with all that the person gave, whether it is still good or not: `exchange` decides."""
        row = await self._logins.refresh_token(self._digest(refresh_token))
        if row is None or row.grant.client != client.client_id:
            return None
        return RefreshToken(token=refresh_token, client_id=row.grant.client, scopes=row.grant.scopes.split())

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        """New tokens for a refresh token, which is good no longer. Raises TokenError."""
        access, refresh, kept = self._new(client, " ".join(known_scopes(" ".join(scopes))))
        outcome = await self._logins.rotate(self._digest(refresh_token.token), kept, self._now())
        return self._tokens(outcome, access, refresh, kept)

    def _digest(self, secret: str) -> str:
        return _digest_at(self._resource, secret)

    def _new(self, client: OAuthClientInformationFull, scopes: str) -> tuple[str, str | None, NewTokens]:
        now = self._now()
        access = ACCESS_PREFIX + self._token()
        refresh = REFRESH_PREFIX + self._token() if "refresh_token" in client.grant_types else None
        kept = NewTokens(
            self._digest(access),
            now + self.lives.access,
            self._digest(refresh) if refresh else "",
            now + self.lives.idle,
            scopes,
        )
        return access, refresh, kept

    def _tokens(self, outcome: GrantRow | Outcome, access: str, refresh: str | None, kept: NewTokens) -> OAuthToken:
        if not isinstance(outcome, GrantRow):
            raise TokenError("invalid_grant", "the code or token is not good any more")
        life = int(min(self.lives.access, max(1.0, outcome.expires - self._now())))
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=life, scope=kept.scopes)

    async def load_access_token(self, token: str) -> AccessToken | None:
        """The access token while it is good."""
        row = await self._logins.token(self._digest(token), self._now())
        if row is None:
            return None
        return AccessToken(token=token, client_id=row.grant.client, scopes=row.scopes.split(), subject=row.grant.person)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        """End the grant of a token."""
        await self.revoke(token.token, token.client_id)

    async def revoke(self, token: str, client_id: str) -> None:
        """End the grant of this access or refresh token, where it is this program's."""
        now, digest = self._now(), self._digest(token)
        row = await self._logins.token(digest, now) or await self._logins.refresh_token(digest)
        if row is not None and row.grant.client == client_id:
            await self._logins.end(now, "the program gave it back", grant=row.grant.id)


class BuiltinTokens:
    """The verifier of the built-in login's tokens: looked up at each call, so that an end is at once."""

    def __init__(self, logins: Logins, resource: Resource, now: Callable[[], float], still_good: StillGood) -> None:
        self._logins = logins
        self._resource = resource
        self._now = now
        self._still_good = still_good

    async def person_of(self, token: str) -> Person:
        """Whose token this is. Raises TokenRefused, and IssuerUnavailable where the store is away."""
        if not token.startswith(ACCESS_PREFIX):
            raise TokenRefused("unknown")
        try:
            row = await self._logins.token(_digest_at(self._resource, token), self._now())
            person = await self._still_good(row.grant.person) if row is not None else None
        except Unavailable:
            raise IssuerUnavailable from None
        if row is None or person is None:
            raise TokenRefused("ended")
        expires = datetime.fromtimestamp(row.expires, UTC)
        return Person(ISSUER, person.id, person.name, frozenset(row.scopes.split()), None, expires)


def _digest_at(resource: Resource, secret: str) -> str:
    """What is kept of a code or token for this address: at another that shares the store it is unknown."""
    return digest_of(f"{resource.url}\0{secret}")


def _base64url(text: str) -> bool:
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()
