"""Client ID metadata documents: a program says who it is by the address of a document, which is fetched with care.

https://datatracker.ietf.org/doc/draft-ietf-oauth-client-id-metadata-document/. The document is fetched from addresses
that anybody can reach and no other, from the very address that was looked at, and from hosts that are known or named.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import anyio
import httpx2
from pydantic import ValidationError

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.identity.callbacks import OWN_HOST_DOCUMENTS, host_of_document, is_known_document, may_be_callback
from cliniko_mcp.identity.clients import MAX_ADDRESSES, Program, known_scopes

MAX_BYTES: Final = 5_120
SECONDS: Final = 3.0
MIN_KEPT: Final = 300.0
MAX_KEPT: Final = 86_400.0
STALE: Final = 7 * 86_400.0
FAILED_KEPT: Final = 60.0
A_MINUTE: Final = 10
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_MAX_KEPT_DOCUMENTS: Final = 200
_LOG = logging.getLogger(__name__)

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host's name."""
Fetch = Callable[[str, str], Awaitable[tuple[bytes, str, str]]]
"""The body, content type and cache-control of an https address, from this IP address."""


class NotUsable(Exception):
    """A document that is none, or not one for us; the words are for the log."""


def is_document_address(client_id: str) -> bool:
    """Whether a client id is the address of a document: https, a name, a path, and nothing else."""
    if not client_id.startswith("https://") or len(client_id) > 500 or not client_id.isascii():
        return False
    try:
        parts = urlsplit(client_id)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    plain = re.fullmatch(r"[A-Za-z0-9._~/-]+", parts.path) is not None
    dots = any(segment in (".", "..") for segment in parts.path.split("/"))
    named = re.fullmatch(r"(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)+", host) is not None
    return (
        named
        and plain
        and not dots
        and parts.path != "/"
        and port is None
        and "?" not in client_id
        and "#" not in client_id
        and "@" not in parts.netloc
    )


def reachable_by_all(address: str) -> bool:
    """Whether an IP address is anybody's, also where it stands for an IPv4 address within."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        within: list[IPv4Address] = [v4 for v4 in (found.ipv4_mapped, found.sixtofour) if v4 is not None]
        if found.teredo is not None or any(found in network for network in _NAT64):
            return False
        if within:
            return all(v4.is_global and not v4.is_multicast for v4 in within)
    return found.is_global and not found.is_multicast


async def resolved(host: str) -> Sequence[str]:
    """The addresses of a host's name. Raises NotUsable where it has none."""
    try:
        found = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        raise NotUsable("its host has no address") from None
    return [str(entry[4][0]) for entry in found]


async def fetched(
    url: str, address: str, *, port: int = 443, trust: ssl.SSLContext | bool = True
) -> tuple[bytes, str, str]:
    """The document from this IP address, by the certificate of its name. Raises NotUsable.

    `port` and `trust` stand in for the usual ones where a server is tried out.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    there = f"[{address}]" if ":" in address else address
    headers = {"Host": host, "Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        async with (
            httpx2.AsyncClient(timeout=SECONDS, verify=trust, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "GET", f"https://{there}:{port}{parts.path}", headers=headers, extensions={"sni_hostname": host}
            ) as answer,
        ):
            if answer.status_code != 200:
                raise NotUsable(f"it is answered with {answer.status_code}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NotUsable("it is compressed")
            body = b""
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise NotUsable("it is too large")
            return body, answer.headers.get("content-type", ""), answer.headers.get("cache-control", "")
    except httpx2.HTTPError as problem:
        raise NotUsable(f"it cannot be fetched ({type(problem).__name__})") from None


@dataclass(slots=True)
class _Known:
    program: Program | None
    fetched_at: float
    until: float


class Documents:
    """The documents that were fetched, kept for as long as they say, within bounds; one fetch of each at a time."""

    def __init__(
        self,
        client_hosts: Sequence[str],
        monotonic: Callable[[], float],
        resolve: Resolve = resolved,
        fetch: Fetch = fetched,
    ) -> None:
        """`client_hosts` are trusted beside those of the table of callbacks."""
        self._client_hosts = tuple(client_hosts)
        self._monotonic = monotonic
        self._resolve = resolve
        self._fetch = fetch
        self._known: dict[str, _Known] = {}
        self._turns: dict[str, anyio.Lock] = {}
        self._fetches: list[float] = []

    async def program(self, client_id: str) -> Program | None:
        """The program of a document; None where it is none, or its host is not known."""
        if not is_document_address(client_id):
            return None
        host = urlsplit(client_id).netloc
        if host_of_document(client_id) is None and host not in self._client_hosts:
            return None
        async with self._turns.setdefault(client_id, anyio.Lock()):
            now = self._monotonic()
            known = self._known.get(client_id)
            if known is not None and now < known.until:
                return known.program
            try:
                program, seconds = await self._read(client_id, now)
            except NotUsable as problem:
                _LOG.warning("the document of %s: %s", host, problem)
                if known is not None and known.program is not None and now - known.fetched_at < STALE:
                    known.until = now + FAILED_KEPT
                    return known.program
                self._keep(client_id, _Known(None, now, now + FAILED_KEPT))
                return None
            self._keep(client_id, _Known(program, now, now + seconds))
            return program

    def _keep(self, client_id: str, known: _Known) -> None:
        if len(self._known) >= _MAX_KEPT_DOCUMENTS and client_id not in self._known:
            others = (name for name in self._known if not is_known_document(name))
            oldest = min(others, key=lambda name: self._known[name].fetched_at)
            del self._known[oldest]
            self._turns.pop(oldest, None)
        self._known[client_id] = known

    async def _read(self, client_id: str, now: float) -> tuple[Program, float]:
        # Those of the table are few. Of the others there are as many as somebody likes to make up.
        if not is_known_document(client_id):
            self._fetches = [at for at in self._fetches if now - at < 60]
            if len(self._fetches) >= A_MINUTE:
                raise NotUsable("too many documents were fetched within a minute")
            self._fetches.append(now)
        with anyio.move_on_after(SECONDS) as limit:
            addresses = await self._resolve(urlsplit(client_id).hostname or "")
            if not addresses or not all(reachable_by_all(address) for address in addresses):
                raise NotUsable("its host is on a private network")
            body, kind, cache = await self._fetch(client_id, addresses[0])
            return self._checked(client_id, body, kind), _kept_for(cache)
        assert limit.cancelled_caught
        raise NotUsable("it took too long")

    def _checked(self, client_id: str, body: bytes, kind: str) -> Program:
        media = kind.partition(";")[0].strip().lower()
        if media != "application/json" and not media.endswith("+json"):
            raise NotUsable("it is not JSON by its type")
        if len(body) > MAX_BYTES:
            raise NotUsable("it is too large")
        try:
            found: JsonValue = json.loads(body)
        except (ValueError, RecursionError):
            raise NotUsable("it is not JSON") from None
        if not isinstance(found, dict) or found.get("client_id") != client_id:
            raise NotUsable("it is the document of another")
        if "client_secret" in found or "client_secret_expires_at" in found:
            raise NotUsable("it holds a secret")
        # A document may prefer signed assertions and take none as well, as ChatGPT's does.
        methods = found.get("token_endpoint_auth_methods_supported")
        single = found.get("token_endpoint_auth_method", "none")
        if single != "none" and not (isinstance(methods, list) and "none" in methods):
            raise NotUsable("it cannot do without a secret")
        try:
            program = Program.model_validate(
                {name: found[name] for name in ("client_name", "redirect_uris", "scope") if name in found}
                | {"client_id": client_id, "token_endpoint_auth_method": "none"}
            )
        except ValidationError:
            raise NotUsable("it is not as documents are") from None
        addresses = [str(address) for address in program.redirect_uris or ()]
        if not addresses or len(addresses) > MAX_ADDRESSES:
            raise NotUsable("it names no callback, or too many")
        host = urlsplit(client_id).netloc
        own = [host] if host in self._client_hosts or host in OWN_HOST_DOCUMENTS else []
        if not all(may_be_callback(address, own) for address in addresses):
            raise NotUsable("it names a foreign callback")
        program.scope = " ".join(known_scopes(program.scope or "")) or None
        return program


def _kept_for(cache_control: str) -> float:
    found = re.search(r"\bmax-age=(\d{1,9})", cache_control)
    return min(max(float(found.group(1)) if found else MIN_KEPT, MIN_KEPT), MAX_KEPT)
