"""The approvals page of an issuer's people looked at: whether it can be logged in at, and by whom."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from urllib.parse import urlsplit

from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.hosted_file import HostedFile, IssuerSection
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.pages.login_at_issuer import CALLBACK
from cliniko_mcp.settings import secret_at


def examine_page(file: HostedFile, issuer: IssuerSection, metadata: Mapping[str, JsonValue]) -> Generator[Check]:
    """Yield what there is to say of the login of this issuer's people, by what its metadata says."""
    host, page = urlsplit(issuer.url).netloc, issuer.page
    try:
        callback = f"{Resource.parse(file.public_url or '').origin}{CALLBACK}"
    except ConfigurationError:  # which is told of the address
        return
    if page is None:
        fix = f"Register a confidential client there, with the callback {callback}, and name it under [issuer.page]."
        yield warning("approvals page", f"the people of {host} have none, and are asked by forms alone", fix)
        return
    missing = [
        name
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if not isinstance(metadata.get(name), str)
    ]
    if missing:
        yield failed("approvals page", f"the metadata of {host} has no {' and no '.join(missing)}", _OIDC)
        return
    signed = metadata.get("id_token_signing_alg_values_supported")
    if not isinstance(signed, list) or not set(issuer.algorithms) & {str(one) for one in signed}:
        yield failed("approvals page", f"{host} signs no id tokens by {', '.join(issuer.algorithms)}", _OIDC)
        return
    try:
        secret_at(page.client_secret)
    except ConfigurationError as problem:
        yield failed("approvals page", problem.message, "Name the secret of the client under [issuer.page].")
        return
    known = metadata.get("acr_values_supported")
    if page.acr_values and isinstance(known, list) and not set(page.acr_values) & {str(one) for one in known}:
        fix = f"It knows {', '.join(str(one) for one in known) or 'none'}: write those under acr_values."
        yield failed("approvals page", f"{host} knows no login {', '.join(page.acr_values)}", fix)
        return
    yield ok("approvals page", f"{page.client_id} logs the people of {host} in, back at {callback}")
    if metadata.get("authorization_response_iss_parameter_supported") is not True and len(file.issuer) > 1:
        advice = "Switch that on there (RFC 9207), so that no issuer can pass its answers off as those of another."
        yield warning("approvals page", f"{host} does not name itself in its answers", advice)


_OIDC = "The page needs OpenID Connect: see that its discovery document is the one of the right realm or tenant."
