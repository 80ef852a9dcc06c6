"""The ledger of questions that the replicas of one account share: each looks, decides and keeps, or looks again.

What may be done is decided by the same table as in one process; where another replica was quicker, on what is true by
then. So of all who take a question one has it, whichever replica they reach.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar
from weakref import WeakValueDictionary

import anyio

from cliniko_mcp.approvals.kept_questions import table_of, text_of
from cliniko_mcp.approvals.question_table import Questions, Tables
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, Matter, PendingQuestion
from cliniko_mcp.approvals.shown import NOWHERE, Account, Preview
from cliniko_mcp.errors import ClinikoMcpError, Unavailable

KEPT_SECONDS: Final = 1_500.0
"""How long the table is kept after its last change: a question lives ten minutes, a no a quarter of an hour."""
_LOOK_SECONDS: Final = 0.25
T = TypeVar("T")


class Kept(Protocol):
    """Where the table lies. Both methods raise Unavailable where it cannot be reached."""

    async def read(self) -> tuple[int, bytes]:
        """The number of its version, and the table as it was sealed; 0 and nothing where there is none."""
        ...

    async def swap(self, version: int, record: bytes, attempt: bytes) -> bool:
        """Keep this in place of that version; False, having done nothing, where that is not the last any more."""
        ...


class Seal(Protocol):
    """What makes the table unreadable where it lies."""

    def seal(self, text: bytes, purpose: str, account: str = "", *, bound: bytes = b"") -> bytes:
        """The text as only the same purpose and account open it."""
        ...

    def unseal(self, sealed: bytes, purpose: str, account: str = "", *, bound: bytes = b"") -> bytes:
        """The text that was sealed."""
        ...


class SharedLedger:
    """The ledger of one account, see `Ledger`. A question is one object in this process, brought up to date."""

    def __init__(
        self,
        kept: Kept,
        seal: Seal,
        account: str,
        now: Callable[[], datetime],
        token: Callable[[], bytes],
        unreadable: type[Exception],
    ) -> None:
        """`token` gives 16 random bytes; `unreadable` is what `seal` raises for what it did not seal."""
        self._kept = kept
        self._seal = seal
        self._account = account
        self._now = now
        self._token = token
        self._unreadable = unreadable
        self._known: WeakValueDictionary[str, PendingQuestion] = WeakValueDictionary()
        # Within this process one after the other: the questions are the same objects for all.
        self._turn = anyio.Lock()

    async def _do(self, act: Callable[[Questions], T]) -> T:
        async with self._turn:
            while True:
                version, sealed = await self._kept.read()
                tables = self._tables(sealed)
                before = text_of(tables)
                found = act(Questions(self._now, lambda: self._token().hex(), tables))
                after = text_of(tables)
                if after == before:
                    return found
                text = self._seal.seal(after, "ledger", self._account)
                if await self._kept.swap(version, text, self._token()):
                    return found

    def _tables(self, sealed: bytes) -> Tables:
        try:
            text = self._seal.unseal(sealed, "ledger", self._account) if sealed else b""
        except self._unreadable:
            # To go on without it would be to forget a no.
            raise Unavailable(
                "The questions that wait for a person cannot be read with this server's keys, so nothing was done.",
                "Tell the person who looks after this server: its key ring lacks the key that they were sealed with.",
            ) from None
        return table_of(text, self._known)

    async def create(
        self, matter: Matter, preview: Preview, program: str = "", account: Account = NOWHERE, made_by: str = ""
    ) -> PendingQuestion:
        """See `Questions.create`."""

        def act(table: Questions) -> PendingQuestion:
            pending = table.create(matter, preview, program, account, made_by)
            self._known[pending.question.challenge] = pending
            return pending

        return await self._do(act)

    async def knows(self, challenge: str | None, matter: Matter) -> bool:
        """See `Questions.knows`."""
        return challenge is not None and await self._do(lambda table: table.knows(challenge, matter))

    async def recognise(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        """See `Questions.recognise`."""
        return await self._do(lambda table: table.recognise(challenge, matter))

    async def take(self, pending: PendingQuestion) -> bool:
        """See `Ledger.take`."""
        return await self._about(pending, lambda table, found: table.take(found))

    async def start(self, pending: PendingQuestion, place: ApprovalPlace, *, told: bool = True) -> bool:
        """See `Ledger.start`."""
        return await self._about(pending, lambda table, found: table.start(found, place, told=told))

    async def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """See `Ledger.finish`."""
        with anyio.CancelScope(shield=True):
            await self._about(pending, lambda table, found: table.finish(found, ending, problem))

    async def tell(self, pending: PendingQuestion) -> None:
        """See `Ledger.tell`."""
        pending.told = True
        await self._about(pending, lambda table, found: None)

    async def show(self, pending: PendingQuestion) -> bool:
        """See `Questions.show`."""
        return await self._about(pending, lambda table, found: table.show(found))

    async def deny(self, pending: PendingQuestion) -> None:
        """See `Questions.deny`."""
        with anyio.CancelScope(shield=True):
            await self._about(pending, lambda table, found: table.deny(found))

    async def sent(self, pending: PendingQuestion, rounds: int = 1) -> None:
        """See `Questions.sent`."""
        await self._about(pending, lambda table, found: table.sent(found, rounds))

    async def _about(self, pending: PendingQuestion, act: Callable[[Questions, PendingQuestion], T]) -> T:
        """What is done about this question, of which this caller knows whether it has heard how it ended."""
        told = pending.told

        def with_what_was_told(table: Questions) -> T:
            found = table.find(pending.question.challenge) or pending
            found.told = told
            return act(table, found)

        return await self._do(with_what_was_told)

    async def shown(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.shown`."""
        return await self._do(lambda table: table.shown(matter))

    async def waiting(self) -> Sequence[PendingQuestion]:
        """See `Questions.waiting`."""
        return await self._do(lambda table: table.waiting())

    async def unused(self) -> Sequence[PendingQuestion]:
        """See `Questions.unused`."""
        return await self._do(lambda table: table.unused())

    async def recent(self) -> Sequence[PendingQuestion]:
        """See `Questions.recent`."""
        return await self._do(lambda table: table.recent())

    async def denials(self) -> Sequence[PendingQuestion]:
        """See `Questions.denials`."""
        return await self._do(lambda table: table.denials())

    async def find(self, challenge: str) -> PendingQuestion | None:
        """See `Questions.find`."""
        return await self._do(lambda table: table.find(challenge))

    async def ended(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.ended`."""
        return await self._do(lambda table: table.ended(matter))

    async def removed(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.removed`."""
        return await self._do(lambda table: table.removed(matter))

    async def done_by(self, principal: str, call: str) -> PendingQuestion | None:
        """See `Questions.done_by`."""
        return await self._do(lambda table: table.done_by(principal, call))

    async def decide(self, challenge: str, approved: bool, place: ApprovalPlace, *, other: bool = False) -> bool:
        """See `Ledger.decide`."""
        return await self._do(lambda table: table.decide(challenge, approved, place, other=other))

    async def take_back(self, challenge: str) -> bool:
        """See `Questions.take_back`."""
        return await self._do(lambda table: table.take_back(challenge))

    async def reopen(self, challenge: str) -> bool:
        """See `Questions.reopen`."""
        return await self._do(lambda table: table.reopen(challenge))

    async def denied(self, matter: Matter) -> bool:
        """See `Questions.denied`."""
        return await self._do(lambda table: table.denied(matter))

    async def elsewhere(self, matter: Matter) -> bool:
        """See `Questions.elsewhere`."""
        return await self._do(lambda table: table.elsewhere(matter))

    async def heard(self, principal: str) -> None:
        """See `Questions.heard`."""
        await self._do(lambda table: table.heard(principal))

    async def unheard(self, matter: Matter) -> bool:
        """See `Questions.unheard`."""
        return await self._do(lambda table: table.unheard(matter))

    async def changed(self, pending: PendingQuestion, seen: int, seconds: float) -> None:
        """See `Ledger.changed`: another replica's answer is seen within a quarter of a second."""
        give_up_at = anyio.current_time() + seconds
        while pending.changes == seen and (left := give_up_at - anyio.current_time()) > 0:
            await anyio.sleep(min(_LOOK_SECONDS, left))
            await self.find(pending.question.challenge)
