"""The programs that people connect from: what they may register, how they are held to it, what they are called."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from mcp.server.auth.provider import RegistrationError
from mcp.shared.auth import InvalidRedirectUriError, OAuthClientInformationFull
from pydantic import AnyUrl

from cliniko_mcp.identity.callbacks import (
    callback_matches,
    host_of_callback,
    host_of_document,
    is_loopback_callback,
    may_be_callback,
)
from cliniko_mcp.identity.scopes import SCOPES
from cliniko_mcp.sanitize import clean

MAX_ADDRESSES: Final = 10
MAX_NAME: Final = 80
_QUOTES: Final = str.maketrans(dict.fromkeys('“”„‟«»‹›〝〞＂"', "'"))


class Program(OAuthClientInformationFull):
    """A registered program as the SDK's handlers ask it."""

    def validate_scope(self, requested_scope: str | None) -> list[str] | None:
        """The scopes of ours that are asked for, in their order; all where none is.

        What a program registered with is not looked at: clients register with the first challenge, and would be held
        to it for ever. Scopes of others, such as offline_access, are dropped.
        """
        wanted = known_scopes(requested_scope or "")
        return wanted or list(SCOPES)

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """Where the answer goes. Raises InvalidRedirectUriError for an address that was not registered."""
        registered = [str(address) for address in self.redirect_uris or ()]
        if redirect_uri is None:
            if len(registered) == 1 and not is_loopback_callback(registered[0]):
                return AnyUrl(registered[0])
            raise InvalidRedirectUriError("redirect_uri is missing")
        if not any(callback_matches(known, str(redirect_uri)) for known in registered):
            raise InvalidRedirectUriError("redirect_uri was not registered")
        return redirect_uri


def known_scopes(text: str) -> list[str]:
    """The scopes of ours in a text of scopes, the least first."""
    named = set(text.split())
    return [scope for scope in SCOPES if scope in named]


def checked(client: OAuthClientInformationFull, client_hosts: Sequence[str]) -> Program:
    """What is kept of a registration. Raises RegistrationError for one that is not taken, without saying which address
    was at fault: that is in the log."""
    addresses = [str(address) for address in client.redirect_uris or ()]
    if not addresses or len(addresses) > MAX_ADDRESSES:
        raise RegistrationError("invalid_redirect_uri", f"between 1 and {MAX_ADDRESSES} addresses are needed")
    if not all(may_be_callback(address, client_hosts) for address in addresses):
        raise RegistrationError(
            "invalid_redirect_uri", "answers go to this computer (http on a loopback address) or to a known host"
        )
    name = client.client_name or ""
    if len(name) > MAX_NAME or clean(name) != name.strip():
        raise RegistrationError("invalid_client_metadata", f"client_name is text of at most {MAX_NAME} characters")
    method = client.token_endpoint_auth_method
    if method not in ("none", "client_secret_post", "client_secret_basic"):
        raise RegistrationError("invalid_client_metadata", f"token_endpoint_auth_method {method} is not supported")
    return Program(
        client_id=client.client_id,
        client_name=name or None,
        redirect_uris=client.redirect_uris,
        grant_types=[kind for kind in client.grant_types if kind in ("authorization_code", "refresh_token")],
        response_types=["code"],
        scope=" ".join(known_scopes(client.scope or "")) or None,
        token_endpoint_auth_method=method,
        client_id_issued_at=client.client_id_issued_at,
    )


def fingerprint(program: Program, address: str) -> str:
    """The same for the same registration from the same address of the network."""
    told = program.model_dump(mode="json", exclude={"client_id", "client_id_issued_at", "client_secret"})
    return hashlib.sha256(json.dumps([address, told], sort_keys=True).encode()).hexdigest()


def secret_of(key: bytes, client_id: str) -> str:
    """The secret of a program, derived so that none is kept."""
    return hmac.digest(key, client_id.encode(), hashlib.sha256).hex()


def shown_name(program: OAuthClientInformationFull, redirect: str) -> str:
    """What a person is told of who asks: a name that we vouch for, or what it calls itself with where it is from."""
    known = host_of_document(program.client_id) or host_of_callback(redirect)
    if known is not None:
        return known.name
    if program.client_id.startswith("https://"):
        return urlsplit(program.client_id).netloc
    name = clean(program.client_name or "", MAX_NAME).translate(_QUOTES)
    if is_loopback_callback(redirect):
        return f"A program on this computer that calls itself “{name}”" if name else "A program on this computer"
    return urlsplit(redirect).netloc


def shown_place(redirect: str) -> str:
    """Where the answer goes, for people."""
    known = host_of_callback(redirect)
    if known is not None:
        return known.site
    return "this computer" if is_loopback_callback(redirect) else urlsplit(redirect).netloc
