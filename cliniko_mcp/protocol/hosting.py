"""What a server for many is run with: its file, its key ring, and what its replicas share."""

from __future__ import annotations

import hashlib
import secrets  # noqa: TID251 - seals need chance
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cliniko_mcp.directory.keys import read_ring
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.hosted_file import HostedFile, hosted_by
from cliniko_mcp.settings import Settings, secret_at
from cliniko_mcp.shared_state.connection import SharedState, open_state

if TYPE_CHECKING:
    from cliniko_mcp.guards.parts import Parts
    from cliniko_mcp.shared_state.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Hosting:
    """A run of `serve --hosted`."""

    file: HostedFile
    ring: KeyRing | None = None
    state: SharedState | None = None
    """What the replicas share; None where there is one."""
    parts: Parts | None = None
    """Those of the account that the settings name; None where it shares nothing."""

    @property
    def sealed_sessions(self) -> bool:
        """Whether any replica reads what a client of the older era said to another."""
        return self.file.redis is not None and self.file.redis.sessions == "sealed"


@asynccontextmanager
async def open_hosting(settings: Settings) -> AsyncGenerator[Hosting]:
    """What the file of these settings asks for, for the length of a run.

    Raises ConfigurationError for a file that cannot be used, and Unavailable where Redis does not answer.
    """
    file = hosted_by(settings)
    async with AsyncExitStack() as stack:
        ring = read_ring(file.keys, _secret, secrets.token_bytes) if file.keys else None
        state = None
        if file.redis is not None:
            state = await stack.enter_async_context(open_state(_address(file.redis.url)))
        parts = None
        if ring is not None and state is not None:
            if settings.sandbox:
                raise ConfigurationError(
                    "--sandbox makes a clinic in each process, and [redis] is for replicas that share one.",
                    "Serve it apart with `cliniko-mcp sandbox` and name it by --base-url.",
                )
            parts = shared_parts(state, ring, account_of(settings), per_minute=settings.pace)
        yield Hosting(file, ring, state, parts)


def account_of(settings: Settings) -> str:
    """A name for the account of these settings, the same in every replica, that tells nothing of its key."""
    key, _ = settings.require_account()
    return hashlib.sha256(f"cliniko-mcp account\0{settings.base_url or ''}\0{key}".encode()).hexdigest()[:32]


def _secret(reference: str) -> str:
    return secret_at(reference).get_secret_value()


def _address(url: str) -> str:
    return _secret(url) if url.startswith(("env:", "file:")) else url
