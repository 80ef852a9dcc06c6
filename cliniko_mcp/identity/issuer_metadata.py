"""What an issuer says of itself (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3), found and bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx2

from cliniko_mcp.client.credentials import is_loopback
from cliniko_mcp.errors import ConfigurationError, JsonValue

MAX_BYTES: Final = 100_000
TIMEOUT_SECONDS: Final = 5.0
_WELL_KNOWN: Final = ("openid-configuration", "oauth-authorization-server")


def checked_address(text: str) -> str:
    """This address of an issuer. Raises ConfigurationError where it is not https, or http on this computer."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise ConfigurationError(f"{text} is no address of an issuer: it begins with https://")
    return text


def places_of(issuer: str) -> list[str]:
    """Where this issuer's metadata may be, the likeliest first."""
    parts = urlsplit(issuer)
    path, origin = parts.path.rstrip("/"), f"{parts.scheme}://{parts.netloc}"
    below = f"{issuer.rstrip('/')}/.well-known/{_WELL_KNOWN[0]}"
    return [*dict.fromkeys([below, *(f"{origin}/.well-known/{name}{path}" for name in reversed(_WELL_KNOWN))])]


async def metadata_of(issuer: str, client: httpx2.AsyncClient) -> Mapping[str, JsonValue]:
    """This issuer's metadata.

    Raises ValueError where it is none of this issuer, and HTTPError or TimeoutError where it cannot be had.
    """
    problem: Exception = ValueError("no metadata")
    for address in places_of(issuer):
        try:
            document = await document_at(address, client)
        except (httpx2.HTTPStatusError, ValueError) as found:
            problem = found
            continue
        if document.get("issuer") != issuer:
            raise ValueError("its metadata names another issuer")
        return document
    raise problem


async def document_at(address: str, client: httpx2.AsyncClient) -> dict[str, JsonValue]:
    """The JSON object at an address, bounded in time and size. Raises as `metadata_of`."""
    body = b""
    with anyio.fail_after(TIMEOUT_SECONDS):
        async with client.stream("GET", address, headers={"Accept": "application/json"}) as answer:
            answer.raise_for_status()
            if answer.is_redirect:
                raise ValueError("it sends elsewhere")
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError("it is too long")
    return json_object(body)


def json_object(body: bytes) -> dict[str, JsonValue]:
    """The JSON object that this is. Raises ValueError for anything else."""
    document: JsonValue = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    return document
