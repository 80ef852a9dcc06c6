"""The ledger of questions as guards use it: in this process alone, or wherever several processes share one.

A `PendingQuestion` is what was known of a question when it was looked at last; `changed` brings it up to date.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import anyio

from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, Matter, PendingQuestion
from cliniko_mcp.approvals.shown import NOWHERE, Account, Preview
from cliniko_mcp.errors import ClinikoMcpError

T = TypeVar("T")
Became = Literal["asked", "yes", "no", "expired"]
"""What becomes of a question: it was put to a person, who said yes or no, or nobody answered in time."""


def nobody_told(became: Became) -> None:
    """Nobody watches."""


class Ledger(ABC):
    """The questions of one account. Each method does what `Questions` does by the same name.

    Every one raises Unavailable where the ledger cannot be reached; nothing is asked, answered or done then.
    """

    became: Callable[[Became], None] = staticmethod(nobody_told)
    """Hears what becomes of each question, in the process where it happens."""

    @abstractmethod
    async def _do(self, act: Callable[[Questions], T]) -> T:
        """What is done with the table as it is now."""

    @abstractmethod
    async def _about(self, pending: PendingQuestion, act: Callable[[Questions, PendingQuestion], T]) -> T:
        """What is done about this question with the table as it is now."""

    @abstractmethod
    async def changed(self, pending: PendingQuestion, seen: int, seconds: float) -> None:
        """Wait until more became of this question than `seen`, its `changes`, at most so many seconds.

        Then `pending` says how it stands.
        """

    async def create(
        self,
        matter: Matter,
        preview: Preview,
        program: str = "",
        account: Account = NOWHERE,
        made_by: str = "",
        asked_by: str = "",
    ) -> PendingQuestion:
        """See `Questions.create`."""

        def act(table: Questions) -> PendingQuestion:
            pending = table.create(matter, preview, program, account, made_by, asked_by)
            self._hold(pending)
            return pending

        pending = await self._do(act)
        self.became("asked")
        return pending

    @abstractmethod
    def _hold(self, pending: PendingQuestion) -> None:
        """Hold on to this question once it was made, within the same look at the table."""

    async def knows(self, challenge: str | None, matter: Matter) -> bool:
        """See `Questions.knows`."""
        return challenge is not None and await self._do(lambda table: table.knows(challenge, matter))

    async def recognise(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        """See `Questions.recognise`."""
        return await self._do(lambda table: table.recognise(challenge, matter))

    async def take(self, pending: PendingQuestion) -> bool:
        """See `Questions.take`: of all who try, in whichever process, one hears True."""
        return await self._about(pending, lambda table, found: table.take(found))

    async def start(self, pending: PendingQuestion, place: ApprovalPlace, *, told: bool = True) -> bool:
        """See `Questions.start`: of all who try, in whichever process, one hears True."""
        if begun := await self._about(pending, lambda table, found: table.start(found, place, told=told)):
            self.became("yes")
        return begun

    async def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """See `Questions.finish`; `pending.told` is kept with it."""
        await self._about(pending, lambda table, found: table.finish(found, ending, problem))

    async def tell(self, pending: PendingQuestion) -> None:
        """Note that a caller has heard how the question ended."""
        pending.told = True
        await self._about(pending, lambda table, found: None)

    async def show(self, pending: PendingQuestion) -> bool:
        """See `Questions.show`."""
        return await self._about(pending, lambda table, found: table.show(found))

    async def shown(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.shown`."""
        return await self._do(lambda table: table.shown(matter))

    async def waiting(self) -> Sequence[PendingQuestion]:
        """See `Questions.waiting`."""
        return await self._do(lambda table: table.waiting())

    async def listed(self) -> Sequence[Sequence[PendingQuestion]]:
        """See `Questions.listed`."""
        return await self._do(lambda table: table.listed())

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

    async def decide(
        self, challenge: str, approved: bool, place: ApprovalPlace, *, other: bool = False, by: str = ""
    ) -> bool:
        """See `Questions.decide`; whoever waits for the answer, in whichever process, is woken."""
        decided = await self._do(lambda table: table.decide(challenge, approved, place, other=other, by=by))
        if decided and not approved:
            self.became("no")
        return decided

    async def take_back(self, challenge: str) -> bool:
        """See `Questions.take_back`."""
        return await self._do(lambda table: table.take_back(challenge))

    async def reopen(self, challenge: str) -> bool:
        """See `Questions.reopen`."""
        return await self._do(lambda table: table.reopen(challenge))

    async def deny(self, pending: PendingQuestion, place: ApprovalPlace = "form") -> None:
        """See `Questions.deny`."""
        await self._about(pending, lambda table, found: table.deny(found, place))
        self.became("no")

    async def denied(self, matter: Matter) -> bool:
        """See `Questions.denied`."""
        return await self._do(lambda table: table.denied(matter))

    async def elsewhere(self, matter: Matter) -> bool:
        """See `Questions.elsewhere`."""
        return await self._do(lambda table: table.elsewhere(matter))

    async def sent(self, pending: PendingQuestion, rounds: int = 1) -> None:
        """See `Questions.sent`."""
        await self._about(pending, lambda table, found: table.sent(found, rounds))

    async def heard(self, principal: str) -> None:
        """See `Questions.heard`."""
        await self._do(lambda table: table.heard(principal))

    async def unheard(self, matter: Matter) -> bool:
        """See `Questions.unheard`."""
        return await self._do(lambda table: table.unheard(matter))


class LocalLedger(Ledger):
    """The ledger of this process alone: a table of questions, to which the local page answers from its own threads.

    No method but `changed` waits for anything, so that nothing comes between two of them.
    """

    def __init__(self, table: Questions) -> None:
        self.table = table
        self._waits: dict[str, list[tuple[asyncio.AbstractEventLoop, anyio.Event]]] = {}
        table.on_change = self._wake

    def _wake(self, challenge: str) -> None:
        # The answer may come from another thread, in which an event of the loop must not be set.
        for loop, event in self._waits.get(challenge, ()):
            loop.call_soon_threadsafe(event.set)

    async def changed(self, pending: PendingQuestion, seen: int, seconds: float) -> None:
        """See `Ledger.changed`."""
        challenge, wait = pending.question.challenge, (asyncio.get_running_loop(), anyio.Event())
        waits = self._waits.setdefault(challenge, [])
        waits.append(wait)
        try:
            if pending.changes == seen:
                with anyio.move_on_after(seconds):
                    await wait[1].wait()
        finally:
            waits.remove(wait)
            if not waits:
                self._waits.pop(challenge, None)

    def _hold(self, pending: PendingQuestion) -> None:
        """See `Ledger._hold`: here the table itself holds on to it."""

    async def _do(self, act: Callable[[Questions], T]) -> T:
        return act(self.table)

    async def _about(self, pending: PendingQuestion, act: Callable[[Questions, PendingQuestion], T]) -> T:
        return act(self.table, pending)
