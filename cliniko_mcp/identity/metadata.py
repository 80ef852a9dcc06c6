"""Where clients learn who gives tokens for this server: RFC 9728, at the root and for each clinic's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, urlsplit

from cliniko_mcp.client.credentials import is_loopback
from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.identity.scopes import SCOPES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
MCP_PATH: Final = "/mcp"
"""Where the protocol is served, by this process; what the public address has instead is the proxy's matter."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The address that clients are given, such as https://mcp.example.org/mcp, without a slash at its end."""

    url: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The resource of a public address, whose path is /mcp where it has none.

        Raises ConfigurationError where it is no https address, or http of another computer.
        """
        parts = urlsplit(text.strip())
        host = parts.hostname or ""
        plain = parts.scheme == "http" and is_loopback(host)
        if not host or parts.query or parts.fragment or "@" in parts.netloc or not (plain or parts.scheme == "https"):
            raise ConfigurationError(
                f"--public-url {text}: give the address as assistants get it, such as https://mcp.example.org/mcp "
                "(http only on this computer)"
            )
        return cls(f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/') or MCP_PATH}")

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser sends them."""
        scheme, host, *_ = urlsplit(self.url)
        return f"{scheme}://{host}"

    @property
    def hosts(self) -> list[str]:
        """The Host headers of requests that were sent there."""
        netloc = urlsplit(self.url).netloc
        named_port = urlsplit(self.url).port is not None
        return [netloc] if named_port else [netloc, f"{netloc}:{443 if self.url.startswith('https') else 80}"]

    @property
    def path(self) -> str:
        """What comes after the origin; empty where nothing does."""
        return urlsplit(self.url).path.rstrip("/")

    def of(self, path: str) -> str:
        """The resource that a request to this path of the server is for: everything's, or one clinic's."""
        clinic = clinic_in(path)
        return f"{self.url}/{clinic}" if clinic else self.url

    def metadata_of(self, path: str) -> str:
        """Where the metadata of that resource is."""
        # Whoever asks has written the path, and it goes into a header.
        clinic = quote(clinic_in(path) or "", safe="")
        return f"{self.origin}{WELL_KNOWN}{self.path}{f'/{clinic}' if clinic else ''}"

    def accepts(self, audience: str) -> bool:
        """Whether a token for this audience is for this server or one of its clinics; a slash at the end is nothing."""
        named = audience.rstrip("/")
        return named == self.url or self.clinic_of(named) is not None

    def clinic_of(self, audience: str) -> str | None:
        """The clinic whose address this is; None where it is that of all, or none of ours."""
        named = audience.rstrip("/")
        clinic = named[len(self.url) + 1 :] if named.startswith(f"{self.url}/") else ""
        return clinic if clinic and "/" not in clinic else None


def clinic_in(path: str) -> str | None:
    """The clinic that a path of the server names, as in /mcp/north; None for the address of all."""
    clinic = path.removeprefix(f"{MCP_PATH}/").strip("/") if path.startswith(f"{MCP_PATH}/") else ""
    return clinic if clinic and "/" not in clinic else None


class Metadata:
    """Answers requests for the metadata to everyone, and passes everything else on."""

    def __init__(
        self, app: ASGIApp, resource: Resource, issuers: Sequence[str], scopes: Sequence[str] = SCOPES
    ) -> None:
        """`issuers` are the authorization servers' addresses, exactly as they write them; at least one."""
        self._app = app
        self._resource = resource
        self._issuers = list(issuers)
        self._scopes = list(scopes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the metadata here."""
        if scope["type"] == "http" and (resource := self._named(scope["path"])) is not None:
            from starlette.responses import JSONResponse, Response

            # Also pages in a browser may read it (MCP Inspector does): it is public, and no cookie is read here.
            headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
            if scope["method"] == "OPTIONS":
                preflight = {"Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": "*"}
                await Response(status_code=204, headers=headers | preflight)(scope, receive, send)
            elif scope["method"] in ("GET", "HEAD"):
                await JSONResponse(self.document(resource), headers=headers)(scope, receive, send)
            else:
                await Response(status_code=405, headers={"Allow": "GET, HEAD, OPTIONS"})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def document(self, resource: str) -> dict[str, JsonValue]:
        """The metadata of this resource."""
        return {
            "resource": resource,
            "authorization_servers": [*self._issuers],
            "scopes_supported": [*self._scopes],
            "bearer_methods_supported": ["header"],
            "resource_name": "Cliniko",
        }

    def _named(self, path: str) -> str | None:
        """The resource whose metadata is at this path, spelt as whoever asks typed it; None where it is none."""
        if path != WELL_KNOWN and not path.startswith(f"{WELL_KNOWN}/"):
            return None
        rest = path.removeprefix(WELL_KNOWN)
        if rest in ("", "/"):
            return self._resource.url
        below = rest.removeprefix(self._resource.path)
        clinic = below.strip("/")
        if not rest.startswith(self._resource.path) or "/" in clinic:
            return None
        typed = ("", "/") if not clinic else (f"/{clinic}", f"/{clinic}/")
        return f"{self._resource.url}{below}" if below in typed else None
