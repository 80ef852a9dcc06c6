"""What tells whose a token is, put together by the settings: one token for all, people's own, issuers' tokens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosted_file import HostedFile, IssuerSection
from cliniko_mcp.identity.claims import ClaimRules
from cliniko_mcp.identity.gate import FirstOf, Remembered
from cliniko_mcp.identity.introspection import KEPT_SECONDS, Introspection
from cliniko_mcp.identity.issuer_metadata import checked_address
from cliniko_mcp.identity.jwt import SignedBy, SignedTokens
from cliniko_mcp.identity.key_set import KeySet
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.people_file import People
from cliniko_mcp.identity.person import Clock, Verifier
from cliniko_mcp.settings import secret_at


@asynccontextmanager
async def verifier_of(hosted: HostedFile, clock: Clock, monotonic: Callable[[], float]) -> AsyncGenerator[Verifier]:
    """The verifier of these settings, with its connections to the issuers, which end with it.

    Raises ConfigurationError for a people's file or an issuer that cannot be used.
    """
    async with AsyncExitStack() as stack:
        verifiers: list[Verifier] = []
        if hosted.people:
            verifiers.append(People(Path(hosted.people), clock, monotonic))
        if hosted.issuer:
            client = await stack.enter_async_context(httpx2.AsyncClient(timeout=5.0, follow_redirects=False))
            resource = Resource.parse(hosted.public_url or "")
            verifiers += await _issuers(hosted.issuer, resource, client, clock, monotonic)
        if not verifiers:
            raise ConfigurationError("nobody can get in: name an [[issuer]] or a file of people")
        yield verifiers[0] if len(verifiers) == 1 else FirstOf(verifiers)


async def _issuers(
    sections: Sequence[IssuerSection],
    resource: Resource,
    client: httpx2.AsyncClient,
    clock: Clock,
    monotonic: Callable[[], float],
) -> list[Verifier]:
    signed: dict[str, SignedBy] = {}
    asking: list[Verifier] = []
    for section in sections:
        rules = ClaimRules(
            issuer=checked_address(section.url),
            resource=resource,
            audiences=frozenset(section.audiences),
            subject=section.subject_claims,
            scope=section.scope_claim,
            name=section.name_claim,
            clinic=section.clinic_claim,
            scope_names=section.scope_names,
        )
        if section.introspection is not None:
            where = section.introspection
            secret = secret_at(where.client_secret).get_secret_value()
            introspection = Introspection(rules, client, clock, checked_address(where.url), where.client_id, secret)
            asking.append(Remembered(introspection, clock, KEPT_SECONDS))
        else:
            keys = KeySet(section.url, client, monotonic, section.jwks_url)
            await keys.fetch()
            signed[section.url] = SignedBy(rules, keys, section.algorithms, section.plain_type)
    return ([Remembered(SignedTokens(signed, clock), clock)] if signed else []) + asking
