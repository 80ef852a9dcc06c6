"""A real token looked at: what it says, what would refuse it, and the setting that mends that. It is never printed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import anyio
import httpx2

from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.doctor.streams import examine_stream
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosted_file import HostedFile, IssuerSection
from cliniko_mcp.identity.jwt import unverified
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import IssuerUnavailable, Reason, TokenRefused
from cliniko_mcp.identity.scopes import APPROVE, SCOPES, allowed
from cliniko_mcp.identity.verifiers import verifier_of
from cliniko_mcp.sanitize import clean
from cliniko_mcp.settings import secret_at

_FIXES: Final[dict[Reason, str]] = {
    "unknown": "Give a token of an issuer under [[issuer]], or of somebody in the file of people; where only the "
    "issuer can read its tokens, name [issuer.introspection].",
    "expired": "Get a new one: they are good for minutes only.",
    "early": "Keep the clocks of this computer and the issuer right by NTP.",
    "algorithm": "Let the issuer sign with RS256, PS256, ES256 or EdDSA; algorithms under [[issuer]] may narrow that.",
    "kind": "Give an access token, not an id token; where the issuer does not mark access tokens as such, write "
    "plain_type = true under [[issuer]].",
    "signature": "The issuer publishes no key that signed it: see that it is whole, and jwks_url under [[issuer]].",
    "ended": "`cliniko-mcp people add ID --replace` gives a new one.",
}


async def examine_token(
    file: HostedFile, reference: str, transport: httpx2.AsyncBaseTransport | None = None
) -> AsyncGenerator[Check]:
    """Yield what there is to say of the token at this reference, `env:NAME` or `file:/path`.

    With a good one a stream is opened at the server's own address, through `transport` where one is given.
    """
    try:
        token = secret_at(reference).get_secret_value().strip()
    except ConfigurationError as problem:
        yield failed("token", problem.message, "Name it as env:NAME or file:/path.")
        return
    claims = unverified(token)
    section = next((one for one in file.issuer if claims.get("iss") == one.url), None)
    if section is not None and file.public_url:
        for check in _claims(section, Resource.parse(file.public_url), claims):
            yield check
    elif claims.get("iss") is not None:
        named = clean(str(claims["iss"]), 200)
        yield failed("token", f"it is of {named}, which is no issuer here", f'Write url = "{named}" under [[issuer]].')
        return
    verdict = await _verdict(file, token)
    yield verdict
    if verdict.status == "ok" and file.public_url:
        yield await examine_stream(Resource.parse(file.public_url).url, token, transport)


def _claims(section: IssuerSection, resource: Resource, claims: Mapping[str, JsonValue]) -> Generator[Check]:
    audiences = _texts(claims.get("aud"))
    told = ", ".join(audiences) or "nobody"
    if any(one in section.audiences if section.audiences else resource.accepts(one) for one in audiences):
        yield ok("token audience", told)
    else:
        wanted = " or ".join(section.audiences) or resource.url
        fix = f"Have the issuer put {wanted} into aud (Keycloak: an audience mapper; Auth0: the API's identifier)"
        if audiences:
            fix += f'; or, where it is meant for this server alone, write audiences = ["{audiences[0]}"]'
        yield failed("token audience", f"it is for {told}, and has to be for {wanted}", f"{fix}.")
    missing = [name for name in section.subject_claims if not isinstance(claims.get(name), str)]
    if missing:
        there = ", ".join(name for name in ("sub", "oid", "tid", "email", "upn") if isinstance(claims.get(name), str))
        fix = f"Name claims that each person's tokens have under subject_claims{f': it has {there}' if there else ''}."
        yield failed("token subject", f"it has no {' and no '.join(missing)}", fix)
    else:
        values = " ".join(clean(str(claims[name]), 255) for name in section.subject_claims)
        told = f"{values} (by {' and '.join(section.subject_claims)}); in clinics.toml: {section.url}|{values}"
        yield ok("token subject", told)
    yield _scopes(section, claims)


def _scopes(section: IssuerSection, claims: Mapping[str, JsonValue]) -> Check:
    granted = _texts(claims.get(section.scope_claim))
    scopes = {section.scope_names.get(one, one) for one in granted}
    ours = [one for one in (*SCOPES, APPROVE) if one in scopes]
    if allowed(scopes) is not None:
        return ok("token scopes", ", ".join(ours))
    elsewhere = [name for name in ("scope", "scp", "permissions", "roles") if _texts(claims.get(name))]
    fix = f"Let the issuer grant {SCOPES[0]} and more"
    if elsewhere and section.scope_claim not in elsewhere:
        fix += f', or write scope_claim = "{elsewhere[0]}" under [[issuer]]'
    elif granted:
        fix += f', or say which of its own are meant: [issuer.scope_names] "{granted[0]}" = "{SCOPES[0]}"'
    told = f"{section.scope_claim} grants nothing here: {clean(', '.join(granted), 200) or 'it is empty'}"
    return failed("token scopes", told, f"{fix}.")


async def _verdict(file: HostedFile, token: str) -> Check:
    clock = partial(datetime.now, UTC)  # noqa: TID251 - a command begins now
    try:
        async with verifier_of(file, clock, anyio.current_time) as verifier:
            person = await verifier.person_of(token)
    except TokenRefused as refused:
        fix = _FIXES.get(refused.reason, "What is said of it above mends that.")
        return failed("token", f"it would be refused: {refused}", fix)
    except IssuerUnavailable:
        return warning("token", "the issuer does not answer, so that nobody knows", "Try again when it does.")
    except ConfigurationError as problem:
        return failed("token", problem.message, problem.fix or "Correct hosted.toml.")
    where = f", in the clinic {person.clinic}" if person.clinic else ""
    return ok("token", f"it is good{where}; the audit log shows its person as {person.logged}")


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
