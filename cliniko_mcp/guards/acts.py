"""Acts: what a person approved is carried out, by the call that waits for it or else by this process itself."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

import anyio

from cliniko_mcp.approvals.host_waits import UNKNOWN_SECONDS
from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.questions import Asker, PageYes, PendingQuestion, Question, Verdict
from cliniko_mcp.errors import ClinikoMcpError, Unavailable
from cliniko_mcp.guards import confirm_words as words
from cliniko_mcp.guards.pipeline import Caller, Channel, GuardedCall
from cliniko_mcp.guards.turns import Locks, Turns

Again = Callable[[Asker], Awaitable[object]]
"""Makes the same call once more, through every guard, with this asker."""

Start = Callable[[Callable[[], Coroutine[object, object, None]]], object]
"""Begins work that goes on apart from every call."""
Note = Callable[[GuardedCall, str, Channel], Awaitable[None]]
"""Writes down how a question about this call ended that no call hears of, and by which channel."""


async def unnoted(guarded: GuardedCall, outcome: str, channel: Channel) -> None:
    """Note nothing: where no audit log is kept."""


_LOOK_SECONDS: Final = 0.5
_FORM_LOOK_SECONDS: Final = 5.0
"""How often a question is looked at of which nothing is heard, where its answer comes with a call: it may be gone."""
_PROGRESS_SECONDS: Final = 2.0
_GRACE_SECONDS: Final = 0.5
"""How long a yes is left to the call that waits for it, before it is carried out without one."""
_ACT_SECONDS: Final = 55.0
"""How long an act that has begun may go on when this process is told to stop."""
logger = logging.getLogger(__name__)


class Page(Protocol):
    """The approval page, as far as it is used here."""

    def invite(self) -> str:
        """Make sure that the page is up and call a person to it; a sentence that says where to approve."""
        ...

    def again(self) -> str:
        """A sentence that says where a question is that has been on the page for a while."""
        ...

    def address_of(self, question: Question) -> str:
        """Where a client may lead its person to answer this question; empty where that is not for clients to know."""
        ...


@dataclass(slots=True)
class Acts:
    """How what was approved is carried out, and how it ended is written down."""

    questions: Ledger
    now: Callable[[], datetime]
    under_way: Callable[[], AbstractContextManager[None]]
    """What is done within is waited for at the end."""
    start: Start | None
    note: Note = unnoted
    locks: Locks = field(default_factory=Turns)
    """Of two approvals of the same thing the second has to see what the first one did."""

    async def answered(self, caller: Caller) -> PendingQuestion | None:
        """The question to which a call brings the answer; None where it brings none, or it is not kept any more."""
        return await self.questions.find(caller.answered) if caller.answered is not None else None

    @asynccontextmanager
    async def carrying_out(self, pending: PendingQuestion) -> AsyncGenerator[None]:
        """Within it the act goes on; how it ended is written down for whoever asks later."""
        try:
            yield
        except ClinikoMcpError as problem:
            await self.questions.finish(pending, "failed", problem)
            raise
        except BaseException:
            await self.questions.finish(pending, "failed")
            raise
        await self.questions.finish(pending, "done")

    async def taken_by_another(self, guarded: GuardedCall, pending: PendingQuestion) -> None:
        """Wait a little for the end of what somebody else carries out. Raises what is to be told of it."""
        with anyio.move_on_after(UNKNOWN_SECONDS):
            async with self.locks.at(pending.matter.target):  # whoever carries it out holds this until the end
                pass
        await self.questions.find(pending.question.challenge)  # `pending` says from now on how it stands
        if (told := words.ended(guarded, pending)) is not None:
            raise told

    async def give_way(self, guarded: GuardedCall, pending: PendingQuestion, known: PendingQuestion | None) -> None:
        """Take this new question back where a yes to an older one about the same is being carried out, or was since the
        call looked and found that `known` was the newest to have ended. Raises what is to be told of that one."""
        before = await self.questions.ended(pending.matter)
        if before is None or (known is not None and known.question.challenge == before.question.challenge):
            return
        if before.ending == "done":
            await self.questions.take(pending)
            await self.questions.tell(before)
            raise words.done(before)
        if before.ending is None:  # it is being carried out
            await self.questions.take(pending)
            await self.taken_by_another(guarded, before)
            raise words.under_way(guarded)

    def see_to(self, guarded: GuardedCall, pending: PendingQuestion) -> None:
        """Have this question carried out, or its end noted, where no call comes back for it."""
        if self.start is not None and guarded.again is not None:
            self.start(partial(self.follow, pending, guarded.again, guarded=guarded))

    async def follow(self, pending: PendingQuestion, again: Again, *, guarded: GuardedCall) -> None:
        """Wait as long as the question may be answered, and carry out a yes that no call waits for.

        A no, or an end without an answer, that no call hears of is noted, also when this process is told to stop.
        """
        noted = False
        try:
            while (left := pending.question.expires - self.now().timestamp()) > 0:
                seen = pending.changes
                if pending.acting:
                    return  # a call carries it out
                if pending.verdict is Verdict.YES and pending.ending is None:
                    await anyio.sleep(_GRACE_SECONDS)
                    with suppress(Unavailable):  # as it stands by now, wherever it was taken up
                        await self.questions.find(pending.question.challenge)
                    if not pending.acting and pending.ending is None:
                        noted = True  # as the call that carries it out
                        await self.carry_out(pending, again)
                        return
                elif pending.ending is not None and not noted:
                    await anyio.sleep(_GRACE_SECONDS)
                    noted = await self._noted(guarded, pending)
                seconds = min(left, _LOOK_SECONDS if pending.shown else _FORM_LOOK_SECONDS)
                try:
                    if pending.ending is None:
                        if await self.questions.find(pending.question.challenge) is None:
                            return  # the client could not ask, and the call went on
                        noted = False  # a no that was lifted can be followed by another
                    await self.questions.changed(pending, seen, seconds)
                except Unavailable:  # the answer may be there when the ledger is again
                    await anyio.sleep(seconds)
        finally:
            if not noted:
                await self._noted(guarded, pending)

    async def _noted(self, guarded: GuardedCall, pending: PendingQuestion) -> bool:
        """True, with the end of this question noted, unless a call tells it."""
        if pending.told:  # as it is from the moment that a call carries it out
            return True
        if pending.ending in ("denied", "other", "withdrawn"):
            await self.note(guarded, "declined", pending.place)
        else:
            if pending.ending is None:
                self.questions.became("expired")
            await self.note(guarded, pending.ending or "lapsed", "none")
        return True

    async def carry_out(self, pending: PendingQuestion, again: Again) -> None:
        """Carry out a yes without a call; how it ended is written down."""
        with anyio.move_on_after(_ACT_SECONDS, shield=True), self.under_way():
            try:
                await again(PageYes(pending))
            except ClinikoMcpError as problem:
                await self.questions.finish(pending, "failed", problem)
            except Exception:
                logger.exception("%s failed after a yes", pending.matter.operation)
                await self.questions.finish(pending, "failed")


async def decided(questions: Ledger, pending: PendingQuestion, caller: Caller, until: float) -> bool:
    """Whether the question is answered or closed before `until`, on the clock of the event loop."""
    begun = told = anyio.current_time()
    while pending.verdict is Verdict.NONE and pending.ending is None:
        now, seen = anyio.current_time(), pending.changes
        if now >= until:
            return False
        if now - told >= _PROGRESS_SECONDS:
            told = now
            await caller.progress(now - begun, until - begun, "Waiting for a person to approve or deny.")
        await questions.changed(pending, seen, min(until - now, told + _PROGRESS_SECONDS - now))
    return True
