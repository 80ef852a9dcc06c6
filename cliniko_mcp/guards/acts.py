"""Acts: what a person approved is carried out, by the call that waits for it or else by this process itself."""

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import anyio

from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Asker, PageYes, PendingQuestion, Verdict
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller

Again = Callable[[Asker], Awaitable[object]]
"""Makes the same call once more, through every guard, with this asker."""

_POLL_SECONDS: Final = 0.1
_PROGRESS_SECONDS: Final = 2.0
_GRACE_SECONDS: Final = 0.5
"""How long a yes is left to the call that waits for it, before it is carried out without one."""
_ACT_SECONDS: Final = 55.0
"""How long an act that has begun may go on when this process is told to stop."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acts:
    """How what was approved is carried out, and how it ended is written down."""

    questions: Questions
    now: Callable[[], datetime]
    under_way: Callable[[], AbstractContextManager[None]]
    """What is done within is waited for at the end."""

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

    async def follow(self, pending: PendingQuestion, again: Again) -> None:
        """Wait as long as the question may be answered, and carry out a yes that no call waits for."""
        while pending.question.expires > self.now().timestamp():
            if pending.acting or pending.ending in ("done", "failed", "changed", "replaced"):
                return
            if pending.verdict is Verdict.YES and pending.ending is None:
                await anyio.sleep(_GRACE_SECONDS)
                if not pending.acting and pending.ending is None:
                    await self.carry_out(pending, again)
                    return
            # The answer comes from another thread; looking now and then is simpler than being woken from there.
            await anyio.sleep(_POLL_SECONDS)

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
