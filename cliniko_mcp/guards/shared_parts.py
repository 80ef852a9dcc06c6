"""The parts of an app whose account several replicas work with: all of them shared but the connections to Cliniko."""

import secrets  # noqa: TID251 - names of attempts are not to meet
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from cliniko_mcp.approvals.shared_ledger import KEPT_SECONDS, SharedLedger
from cliniko_mcp.guards.acts import Page
from cliniko_mcp.guards.log import Log
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.turns import Turns
from cliniko_mcp.shared_state.cell import Cell
from cliniko_mcp.shared_state.connection import SharedState
from cliniko_mcp.shared_state.elsewhere import SharedElsewhere
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.shared_state.locks import SharedLocks
from cliniko_mcp.shared_state.tokens import SharedTokens

if TYPE_CHECKING:  # imported with the first call
    import httpx2


def shared_parts(
    state: SharedState,
    ring: KeyRing,
    account: str,
    *,
    per_minute: int,
    log: Log | None = None,
    page: Page | None = None,
    network: "httpx2.AsyncBaseTransport | None" = None,
    clinic: str = "",
) -> Parts:
    """The parts of this account; `account` is a name that tells it from every other and reveals nothing of it.

    `per_minute` is what Cliniko allows its key; `log`, `page` and `network` are those of the process. `clinic` is such
    a name of the clinic in which several accounts work: questions, locks and what was changed are one for all of them.
    """
    name, clinic = partial(secrets.token_bytes, 8), clinic or account
    return Parts(
        ring,
        account,
        tokens=SharedTokens(state, account, per_minute, name),
        ledger=partial(shared_ledger, state, ring, clinic),
        log=log,
        page=page,
        locks=SharedLocks(state, clinic, Turns(), name),
        elsewhere=SharedElsewhere(state, clinic, account),
        network=network,
    )


def shared_ledger(state: SharedState, ring: KeyRing, account: str, now: Callable[[], datetime]) -> SharedLedger:
    """The questions of this account, which every replica knows."""
    kept = Cell(state, account, "questions", KEPT_SECONDS)
    return SharedLedger(kept, ring, account, now, partial(secrets.token_bytes, 16))
