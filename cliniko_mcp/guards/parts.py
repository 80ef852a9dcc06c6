"""What a run shares with others of the same account, or has for itself: the one seam between one process and many."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cliniko_mcp.guards.elsewhere import Elsewhere, Nowhere
from cliniko_mcp.guards.turns import Locks, Turns

if TYPE_CHECKING:  # imported when the first call needs them
    import httpx2

    from cliniko_mcp.approvals.ledger import Ledger
    from cliniko_mcp.client.tokens import Tokens
    from cliniko_mcp.guards.acts import Page
    from cliniko_mcp.guards.log import Log
    from cliniko_mcp.guards.watch import Watch


class Keys(Protocol):
    """Secrets by purpose, all derived from those of the operator, or of this run."""

    def derived(self, purpose: str, account: str = "") -> Sequence[bytes]:
        """The keys for this purpose and account, 32 bytes each: the first seals, and all of them open."""
        ...


class LocalKeys:
    """Keys of one secret, which ends with this process."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is 32 random bytes."""
        self._secret = secret

    def derived(self, purpose: str, account: str = "") -> Sequence[bytes]:
        """See `Keys.derived`."""
        return (hmac.digest(self._secret, f"{purpose}\0{account}".encode(), hashlib.sha256),)


async def for_good(principal: str) -> None:
    """Nobody is taken out, and nothing that a run works with."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an app that several processes may share. What is None an app makes for itself alone."""

    keys: Keys
    account: str = ""
    """By what shared parts tell accounts apart; empty where there is one."""
    tokens: Tokens | None = None
    """What may still be sent in this minute; by default this process counts alone."""
    ledger: Callable[[Callable[[], datetime]], Ledger] | None = None
    """Makes the ledger of questions from the clinic's clock; by default it is this process's own."""
    log: Log | None = None
    """The audit log; by default the file that the settings name."""
    locks: Locks = field(default_factory=Turns)
    """What lets one approved act after the other at a record."""
    page: Page | None = None
    """Where people over HTTP answer questions, besides forms; by default nowhere."""
    elsewhere: Elsewhere = field(default_factory=Nowhere)
    """What other processes of the account know."""
    network: httpx2.AsyncBaseTransport | None = None
    """The connections of the process, which stay open when the app closes; by default the app has its own."""
    watch: Watch | None = None
    """Whoever watches this process; by default nobody."""
    still: Callable[[str], Awaitable[None]] = for_good
    """Raises ClinikoMcpError once this app is not to be used any more for this principal: asked before a yes is carried
    out that no call waits for, as nobody else asks then."""

    @property
    def hosted(self) -> bool:
        """Whether this is one of several accounts."""
        return bool(self.account)


def local_parts(secret: bytes) -> Parts:
    """The parts of a run that shares nothing; `secret` is 32 random bytes."""
    return Parts(LocalKeys(secret))
