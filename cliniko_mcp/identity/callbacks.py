"""Where an answer to a login may go: to a program on this computer, or to a known host. Data, in this one place.

As known on 29 November 2026. A host that is missing here is added with `--client-host`, or in this table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Host:
    """A program that people connect from, with what its makers or users have published of it."""

    name: str
    site: str
    """What a person sees beside the name."""
    callbacks: tuple[str, ...] = ()
    """Exact addresses; `*` stands for one segment of a path."""
    documents: tuple[str, ...] = ()
    """The addresses of its client metadata documents; `*` as above."""
    source: str = ""


HOSTS: Final = (
    Host(
        "Claude",
        "claude.ai",
        ("https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"),
        ("https://claude.ai/oauth/mcp-oauth-client-metadata",),
        "https://claude.com/docs/connectors/building/authentication",
    ),
    Host(
        "Claude Code",
        "this computer",
        (),
        ("https://claude.ai/oauth/claude-code-client-metadata",),
        "https://github.com/anthropics/claude-code/issues/37747",
    ),
    Host(
        "ChatGPT",
        "chatgpt.com",
        ("https://chatgpt.com/connector_platform_oauth_redirect", "https://chatgpt.com/connector/oauth/*"),
        ("https://chatgpt.com/oauth/client.json", "https://chatgpt.com/oauth/*/client.json"),
        "https://developers.openai.com/apps-sdk/build/auth",
    ),
    Host(
        "Cursor",
        "cursor.com",
        ("cursor://anysphere.cursor-mcp/oauth/callback", "https://www.cursor.com/agents/mcp/oauth/callback"),
        (),
        "https://github.com/bytebase/bytebase/issues/20510",
    ),
    Host(
        "Visual Studio Code",
        "vscode.dev",
        ("https://vscode.dev/redirect", "https://insiders.vscode.dev/redirect"),
        (),
        "https://github.com/microsoft/vscode/issues/278512",
    ),
    Host(
        "Grok",
        "grok.com",
        (),
        ("https://grok.com/oauth/mcp-client.json",),
        "https://github.com/koala73/worldmonitor/issues/8305",
    ),
)
"""Grok's callback is not known for sure: its document may name addresses on its own host."""
OWN_HOST_DOCUMENTS: Final = frozenset({"grok.com"})
"""Known hosts whose documents may name any callback on their own host."""


def same_address(pattern: str, address: str) -> bool:
    """Whether the address is this one, in which `*` stands for one segment of letters, digits, - and _."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch("[A-Za-z0-9_-]{1,128}".join(parts), address) is not None


def host_of_callback(address: str) -> Host | None:
    """The known host whose callback this is, a slash at the end aside."""
    for host in HOSTS:
        if any(same_address(pattern, address.rstrip("/")) for pattern in host.callbacks):
            return host
    return None


def host_of_document(address: str) -> Host | None:
    """The known host whose client metadata document is at this address."""
    return next((host for host in HOSTS if any(same_address(known, address) for known in host.documents)), None)


def is_known_document(address: str) -> bool:
    """Whether this very address is in the table, letter by letter."""
    return any(address in host.documents for host in HOSTS)


def parsed(address: str) -> SplitResult | None:
    """The parts of a callback; None where it holds what none may: a fragment, a user, blanks, a backslash."""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address or len(address) > 2000:
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return None if "#" in address or "@" in parts.netloc or not parts.netloc else parts


def is_loopback_callback(address: str) -> bool:
    """Whether the answer goes to a program on the computer of the person, by plain http."""
    parts = parsed(address)
    return parts is not None and parts.scheme == "http" and parts.hostname in LOOPBACK


def may_be_callback(address: str, client_hosts: Iterable[str] = ()) -> bool:
    """Whether an answer may go there: to this computer, or to a known host or one that the operator named."""
    parts = parsed(address)
    if parts is None:
        return False
    if is_loopback_callback(address) or host_of_callback(address) is not None:
        return True
    return parts.scheme == "https" and parts.netloc in set(client_hosts)


def callback_matches(registered: str, address: str) -> bool:
    """Whether what is asked for was registered: the same, a slash at the end aside; on loopback with any port (RFC
    8252 section 7.3), where the names of loopback are not each other's."""
    one, other = parsed(registered), parsed(address)
    if one is None or other is None or one.scheme != other.scheme or one.query != other.query:
        return False
    if one.path.rstrip("/") != other.path.rstrip("/"):
        return False
    if is_loopback_callback(registered) and is_loopback_callback(address):
        return one.hostname == other.hostname
    return one.netloc == other.netloc
