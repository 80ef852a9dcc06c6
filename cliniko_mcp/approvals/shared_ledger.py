"""The ledger of questions that the replicas of one account share: each looks, decides and keeps, or looks again.

What may be done is decided by the same table as in one process; where another replica was quicker, on what is true by
then. So of all who take a question one has it, whichever replica they reach.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol
from weakref import WeakValueDictionary

import anyio

from cliniko_mcp.approvals.kept_questions import table_of, text_of
from cliniko_mcp.approvals.ledger import Ledger, T
from cliniko_mcp.approvals.question_table import MAX_SHOWN_APART, Questions, Tables
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, PendingQuestion
from cliniko_mcp.errors import ClinikoMcpError, Unavailable
from cliniko_mcp.shared_state.keys import KeyRing, Unsealable

KEPT_SECONDS: Final = 1_500.0
"""How long the table is kept after its last change: a question lives ten minutes, a no a quarter of an hour."""
_LOOK_SECONDS: Final = 0.25


class Kept(Protocol):
    """Where the table lies. Every method raises Unavailable where it cannot be reached."""

    async def version(self) -> int:
        """The number of its version; 0 where there is none."""
        ...

    async def read(self) -> tuple[int, bytes]:
        """The number of its version, and the table as it was sealed; 0 and nothing where there is none."""
        ...

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        """Keep this in place of that version; False, having done nothing, where that is not the last any more."""
        ...


class SharedLedger(Ledger):
    """The ledger of one account. A question is one object in this process, brought up to date."""

    def __init__(
        self,
        kept: Kept,
        ring: KeyRing,
        account: str,
        now: Callable[[], datetime],
        token: Callable[[], bytes],
    ) -> None:
        """`token` gives 16 random bytes."""
        self._kept = kept
        self._ring = ring
        self._account = account
        self._now = now
        self._token = token
        self._known: WeakValueDictionary[str, PendingQuestion] = WeakValueDictionary()
        # Within this process one after the other: the questions are the same objects for all.
        self._turn = anyio.Lock()
        self._seen: int | None = None
        """The version that the questions stand by; None while they may hold what is not kept."""
        self._looked_at = -_LOOK_SECONDS

    async def _do(self, act: Callable[[Questions], T]) -> T:
        async with self._turn:
            while True:
                version, sealed = await self._kept.read()
                tables, self._seen = self._tables(sealed), None
                before = text_of(tables)
                found = act(Questions(self._now, lambda: self._token().hex(), tables, MAX_SHOWN_APART))
                after = text_of(tables)
                if after == before:
                    self._seen = version
                    return found
                text = self._ring.seal(after, "ledger", self._account)
                if await self._kept.swap(version, text, self._token()):
                    self._seen = version + 1
                    return found

    async def _about(self, pending: PendingQuestion, act: Callable[[Questions, PendingQuestion], T]) -> T:
        """What is done about this question, of which this caller knows whether it has heard how it ended."""
        told = pending.told

        def with_what_was_told(table: Questions) -> T:
            pending.told = told
            return act(table, pending)

        return await self._do(with_what_was_told)

    def _tables(self, sealed: bytes) -> Tables:
        try:
            text = self._ring.unseal(sealed, "ledger", self._account) if sealed else b""
        except Unsealable:
            # To go on without it would be to forget a no.
            raise Unavailable(
                "The questions that wait for a person cannot be read with this server's keys, so nothing was done.",
                "Tell the person who looks after this server: its key ring lacks the key that they were sealed with.",
            ) from None
        return table_of(text, self._known)

    def _hold(self, pending: PendingQuestion) -> None:
        self._known[pending.question.challenge] = pending

    async def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """See `Ledger.finish`."""
        with anyio.CancelScope(shield=True):
            await super().finish(pending, ending, problem)

    async def deny(self, pending: PendingQuestion, place: ApprovalPlace = "form") -> None:
        """See `Questions.deny`."""
        with anyio.CancelScope(shield=True):
            await super().deny(pending, place)

    async def changed(self, pending: PendingQuestion, seen: int, seconds: float) -> None:
        """See `Ledger.changed`: another replica's answer is seen within a quarter of a second."""
        give_up_at = anyio.current_time() + seconds
        while pending.changes == seen and (left := give_up_at - anyio.current_time()) > 0:
            await anyio.sleep(min(_LOOK_SECONDS, left))
            await self._look()

    async def _look(self) -> None:
        """Bring the questions up to date where somebody changed the table, once for all calls that wait.

        The whole table is read for it, which many may have filled: not before its version has changed.
        """
        now = anyio.current_time()
        if now - self._looked_at < _LOOK_SECONDS / 2:
            return
        self._looked_at = now
        if await self._kept.version() != self._seen:
            await self.waiting()
