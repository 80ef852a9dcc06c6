"""The ledger of questions as guards use it: in this process alone, or wherever several processes share one.

A `PendingQuestion` is what was known of a question when it was looked at last; `changed` brings it up to date.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import anyio

from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, Matter, PendingQuestion
from cliniko_mcp.approvals.shown import NOWHERE, Account, Preview
from cliniko_mcp.errors import ClinikoMcpError


class Ledger(Protocol):
    """The questions of one account. Each method does what `Questions` does by the same name.

    Every one raises Unavailable where the ledger cannot be reached; nothing is asked, answered or done then.
    """

    async def create(
        self, matter: Matter, preview: Preview, program: str = "", account: Account = NOWHERE, made_by: str = ""
    ) -> PendingQuestion:
        """See `Questions.create`."""
        ...

    async def knows(self, challenge: str | None, matter: Matter) -> bool:
        """See `Questions.knows`."""
        ...

    async def recognise(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        """See `Questions.recognise`."""
        ...

    async def take(self, pending: PendingQuestion) -> bool:
        """See `Questions.take`: of all who try, in whichever process, one hears True."""
        ...

    async def start(self, pending: PendingQuestion, place: ApprovalPlace, *, told: bool = True) -> bool:
        """See `Questions.start`: of all who try, in whichever process, one hears True."""
        ...

    async def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """See `Questions.finish`; `pending.told` is kept with it."""
        ...

    async def tell(self, pending: PendingQuestion) -> None:
        """Note that a caller has heard how the question ended."""
        ...

    async def show(self, pending: PendingQuestion) -> bool:
        """See `Questions.show`."""
        ...

    async def shown(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.shown`."""
        ...

    async def waiting(self) -> Sequence[PendingQuestion]:
        """See `Questions.waiting`."""
        ...

    async def unused(self) -> Sequence[PendingQuestion]:
        """See `Questions.unused`."""
        ...

    async def recent(self) -> Sequence[PendingQuestion]:
        """See `Questions.recent`."""
        ...

    async def denials(self) -> Sequence[PendingQuestion]:
        """See `Questions.denials`."""
        ...

    async def find(self, challenge: str) -> PendingQuestion | None:
        """See `Questions.find`."""
        ...

    async def ended(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.ended`."""
        ...

    async def removed(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.removed`."""
        ...

    async def done_by(self, principal: str, call: str) -> PendingQuestion | None:
        """See `Questions.done_by`."""
        ...

    async def decide(self, challenge: str, approved: bool, place: ApprovalPlace, *, other: bool = False) -> bool:
        """See `Questions.decide`; whoever waits for the answer, in whichever process, is woken."""
        ...

    async def take_back(self, challenge: str) -> bool:
        """See `Questions.take_back`."""
        ...

    async def reopen(self, challenge: str) -> bool:
        """See `Questions.reopen`."""
        ...

    async def deny(self, pending: PendingQuestion) -> None:
        """See `Questions.deny`."""
        ...

    async def denied(self, matter: Matter) -> bool:
        """See `Questions.denied`."""
        ...

    async def elsewhere(self, matter: Matter) -> bool:
        """See `Questions.elsewhere`."""
        ...

    async def sent(self, pending: PendingQuestion, rounds: int = 1) -> None:
        """See `Questions.sent`."""
        ...

    async def heard(self, principal: str) -> None:
        """See `Questions.heard`."""
        ...

    async def unheard(self, matter: Matter) -> bool:
        """See `Questions.unheard`."""
        ...

    async def changed(self, pending: PendingQuestion, seen: int, seconds: float) -> None:
        """Wait until more became of this question than `seen`, its `changes`, at most so many seconds.

        Then `pending` says how it stands.
        """
        ...


class LocalLedger:
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

    async def create(
        self, matter: Matter, preview: Preview, program: str = "", account: Account = NOWHERE, made_by: str = ""
    ) -> PendingQuestion:
        """See `Questions.create`."""
        return self.table.create(matter, preview, program, account, made_by)

    async def knows(self, challenge: str | None, matter: Matter) -> bool:
        """See `Questions.knows`."""
        return self.table.knows(challenge, matter)

    async def recognise(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        """See `Questions.recognise`."""
        return self.table.recognise(challenge, matter)

    async def take(self, pending: PendingQuestion) -> bool:
        """See `Questions.take`."""
        return self.table.take(pending)

    async def start(self, pending: PendingQuestion, place: ApprovalPlace, *, told: bool = True) -> bool:
        """See `Questions.start`."""
        return self.table.start(pending, place, told=told)

    async def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """See `Questions.finish`."""
        self.table.finish(pending, ending, problem)

    async def tell(self, pending: PendingQuestion) -> None:
        """See `Ledger.tell`."""
        pending.told = True

    async def show(self, pending: PendingQuestion) -> bool:
        """See `Questions.show`."""
        return self.table.show(pending)

    async def shown(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.shown`."""
        return self.table.shown(matter)

    async def waiting(self) -> Sequence[PendingQuestion]:
        """See `Questions.waiting`."""
        return self.table.waiting()

    async def unused(self) -> Sequence[PendingQuestion]:
        """See `Questions.unused`."""
        return self.table.unused()

    async def recent(self) -> Sequence[PendingQuestion]:
        """See `Questions.recent`."""
        return self.table.recent()

    async def denials(self) -> Sequence[PendingQuestion]:
        """See `Questions.denials`."""
        return self.table.denials()

    async def find(self, challenge: str) -> PendingQuestion | None:
        """See `Questions.find`."""
        return self.table.find(challenge)

    async def ended(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.ended`."""
        return self.table.ended(matter)

    async def removed(self, matter: Matter) -> PendingQuestion | None:
        """See `Questions.removed`."""
        return self.table.removed(matter)

    async def done_by(self, principal: str, call: str) -> PendingQuestion | None:
        """See `Questions.done_by`."""
        return self.table.done_by(principal, call)

    async def decide(self, challenge: str, approved: bool, place: ApprovalPlace, *, other: bool = False) -> bool:
        """See `Questions.decide`."""
        return self.table.decide(challenge, approved, place, other=other)

    async def take_back(self, challenge: str) -> bool:
        """See `Questions.take_back`."""
        return self.table.take_back(challenge)

    async def reopen(self, challenge: str) -> bool:
        """See `Questions.reopen`."""
        return self.table.reopen(challenge)

    async def deny(self, pending: PendingQuestion) -> None:
        """See `Questions.deny`."""
        self.table.deny(pending)

    async def denied(self, matter: Matter) -> bool:
        """See `Questions.denied`."""
        return self.table.denied(matter)

    async def elsewhere(self, matter: Matter) -> bool:
        """See `Questions.elsewhere`."""
        return self.table.elsewhere(matter)

    async def sent(self, pending: PendingQuestion, rounds: int = 1) -> None:
        """See `Questions.sent`."""
        self.table.sent(pending, rounds)

    async def heard(self, principal: str) -> None:
        """See `Questions.heard`."""
        self.table.heard(principal)

    async def unheard(self, matter: Matter) -> bool:
        """See `Questions.unheard`."""
        return self.table.unheard(matter)
