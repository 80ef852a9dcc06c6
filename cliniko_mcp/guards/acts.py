"""Acts: what a person approved is carried out, by the call that waits for it or else by this process itself."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import anyio

from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Asker, PageYes, PendingQuestion, Verdict
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller, Channel, GuardedCall

Again = Callable[[Asker], Awaitable[object]]
"""Makes the same call once more, through every guard, with this asker."""

Start = Callable[[Callable[[], Coroutine[object, object, None]]], object]
"""Begins work that goes on apart from every call."""
Note = Callable[[GuardedCall, str, Channel], None]
"""Writes down how a question about this call ended that no call hears of, and by which channel."""


def unnoted(guarded: GuardedCall, outcome: str, channel: Channel) -> None:
    """Note nothing: where no audit log is kept."""


_POLL_SECONDS: Final = 0.1
_FORM_POLL_SECONDS: Final = 5.0
"""How often a question is looked at whose answer comes with a call."""
_PROGRESS_SECONDS: Final = 2.0
_GRACE_SECONDS: Final = 0.5
"""How long a yes is left to the call that waits for it, before it is carried out without one."""
_ACT_SECONDS: Final = 55.0
"""How long an act that has begun may go on when this process is told to stop."""
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Acts:
    """How what was approved is carried out, and how it ended is written down."""

    questions: Questions
    now: Callable[[], datetime]
    under_way: Callable[[], AbstractContextManager[None]]
    """What is done within is waited for at the end."""
    start: Start | None
    note: Note = unnoted

    @contextmanager
    def carrying_out(self, pending: PendingQuestion, *, told: bool = True) -> Generator[None]:
        """Within it the act goes on; how it ended is written down for whoever asks later, unless they are `told`."""
        pending.told = told
        try:
            yield
        except ClinikoMcpError as problem:
            self.questions.finish(pending, "failed", problem)
            raise
        except BaseException:
            self.questions.finish(pending, "failed")
            raise
        self.questions.finish(pending, "done")

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
                if pending.acting:
                    return  # a call carries it out
                if pending.verdict is Verdict.YES and pending.ending is None:
                    await anyio.sleep(_GRACE_SECONDS)
                    if not pending.acting and pending.ending is None:
                        noted = True  # as the call that carries it out
                        await self.carry_out(pending, again)
                        return
                elif pending.ending is not None and not noted:
                    await anyio.sleep(_GRACE_SECONDS)
                    noted = self._noted(guarded, pending)
                elif pending.ending is None:
                    if self.questions.find(pending.question.challenge) is None:
                        return  # the client could not ask, and the call went on
                    noted = False  # a no that was lifted can be followed by another
                # The answer comes from another thread; looking now and then is simpler than being woken from there.
                await anyio.sleep(_POLL_SECONDS if pending.shown else min(_FORM_POLL_SECONDS, left))
        finally:
            if not noted:
                self._noted(guarded, pending)

    def _noted(self, guarded: GuardedCall, pending: PendingQuestion) -> bool:
        """True, with the end of this question noted, unless a call tells it."""
        if pending.told:  # as it is from the moment that a call carries it out
            return True
        if pending.ending in ("denied", "other", "withdrawn"):
            self.note(guarded, "declined", pending.place)
        else:
            self.note(guarded, pending.ending or "lapsed", "none")
        return True

    async def carry_out(self, pending: PendingQuestion, again: Again) -> None:
        """Carry out a yes without a call; how it ended is written down."""
        with anyio.move_on_after(_ACT_SECONDS, shield=True), self.under_way():
            try:
                await again(PageYes(pending))
            except ClinikoMcpError as problem:
                self.questions.finish(pending, "failed", problem)
            except Exception:
                logger.exception("%s failed after a yes", pending.matter.operation)
                self.questions.finish(pending, "failed")


async def decided(pending: PendingQuestion, caller: Caller, until: float) -> bool:
    """Whether the question is answered or closed before `until`, on the clock of the event loop."""
    begun = told = anyio.current_time()
    while pending.verdict is Verdict.NONE and pending.ending is None:
        now = anyio.current_time()
        if now >= until:
            return False
        if now - told >= _PROGRESS_SECONDS:
            told = now
            await caller.progress(now - begun, until - begun, "Waiting for a person to approve or deny.")
        # The answer comes from another thread; looking ten times a second is simpler than being woken from there.
        await anyio.sleep(min(_POLL_SECONDS, until - now))
    return True
