"""Confirm: nothing is archived, deleted or cancelled until a person has seen what it means and said yes.

The target is read fresh and described; a person is asked through the first approval channel that works; after a yes
everything is read and described again, and the operation goes on, once, only where all is still exactly as shown. The
channels: the form in the client (or the terminal that called), then on stdio the local page or `cliniko-mcp approve`,
then refusal.

A question has a life of its own, and a call only looks at it: a yes on the page or in `approve` is carried out by the
call that waits for it, else at once by this process; whoever calls again is told how it ended.

An asker that can only be answered by a repeated call raises AskFirst with the question. On the repeated call its
`answered` is the challenge that came back: if this process asked that question about exactly this call and nobody has
used it yet, the target is read once, and where everything shown is still the same the asker gives the answer that came
with the call. In every other case it gets a new question.
"""

import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Set
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, Literal, Protocol

import anyio

from cliniko_mcp.approvals.account import whose
from cliniko_mcp.approvals.host_waits import UNKNOWN_SECONDS, seconds_to_wait
from cliniko_mcp.approvals.preview import preview
from cliniko_mcp.approvals.question_table import MAX_SILENT, Questions
from cliniko_mcp.approvals.questions import Asker, AskFirst, Matter, PageYes, PendingQuestion, Verdict
from cliniko_mcp.approvals.shown import Account, Preview
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import ClinikoMcpError, NotAllowed, NotFound
from cliniko_mcp.guards import confirm_words as words
from cliniko_mcp.guards.pipeline import Caller, GuardedCall

MAX_CALL_WAIT: Final = 50.0
"""Seconds that one call may wait for people altogether: hosts give up on a call after 60."""

logger = logging.getLogger(__name__)
_ROUNDS: Final = 3
_POLL_SECONDS: Final = 0.1
_PROGRESS_SECONDS: Final = 2.0
_TIME_TO_ANSWER: Final = 5.0
"""Seconds that must be left of a call for a person to be asked once more."""
_GRACE_SECONDS: Final = 0.5
"""How long a yes is left to the call that waits for it, before it is carried out without one."""
_ACT_SECONDS: Final = 55.0
"""How long an act that has begun may go on when this process is told to stop."""


class Page(Protocol):
    """The approval page, as far as it is used here."""

    def invite(self) -> str:
        """Make sure that the page is up and call a person to it; a sentence that says where to approve."""
        ...


class Confirm:
    """The guard that asks a person before every destructive operation."""

    def __init__(
        self,
        questions: Questions,
        *,
        now: Callable[[], datetime],
        policy: Literal["auto", "strict", "block"] = "auto",
        allowed: Set[str] = frozenset(),
        page: Page | None = None,
        wait: float,
        demo: bool = False,
        start: Callable[[Callable[[], Coroutine[object, object, None]]], None] | None = None,
        under_way: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`allowed` names operations that the operator lets pass unasked; `wait` is for the page, in seconds.

        `start` begins work that goes on apart from every call; what is done within `under_way` is waited for at the
        end. `demo` says that the clinic is the demo clinic.
        """
        self._questions = questions
        self._now = now
        self._policy = policy
        self._allowed = frozenset(allowed)
        self._page = page
        self._wait = wait
        self._demo = demo
        self._start = start
        self._under_way = under_way
        self._account: Account | None = None
        # Of two approvals of the same thing the second has to see what the first one did.
        self._acting = anyio.Lock()

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets the operation go on once a person has said yes, and everything else that is approved only after it.

        Raises NotAllowed where the operator blocked it, Declined after a no, ApprovalNeeded while there is no yes,
        AlreadyDone where this very call was carried out before, and lets the asker's AskFirst pass.
        """
        operation = guarded.call.operation
        if operation.risk is not Risk.DESTRUCTIVE:
            yield
            return
        if self._policy == "block":
            raise NotAllowed(
                f"{operation.title}: archiving, deleting and cancelling are switched off here.",
                "Tell the person that this has to be done in Cliniko itself.",
                operation=operation.name,
            )
        if operation.name in self._allowed:
            guarded.outcome.channel = "allowed"
            yield
            return
        begun = anyio.current_time()
        asker = guarded.caller.asker
        if isinstance(asker, PageYes):
            async with self._without_a_call(guarded, asker.pending):
                yield
            return
        if asker is not None and asker.answered is not None:
            self._questions.heard(guarded.caller.principal)
        async with self._answered(guarded) as verdict:
            if verdict is Verdict.YES:
                yield
                return
        # A question that came back without an answer is one that this client cannot put to a person.
        form = verdict is not Verdict.NONE
        deadline = begun + (MAX_CALL_WAIT if guarded.caller.route != "terminal" else math.inf)
        await self._tell_how_it_ended(guarded, begun)
        for _ in range(_ROUNDS):
            if deadline - anyio.current_time() < _TIME_TO_ANSWER:
                break
            matter, described = await self._read_target(guarded)
            pending = await self._approved(guarded, matter, described, begun, deadline, form=form)
            async with self._acting:
                started = self._questions.start(pending, pending.place)
                if started:
                    async with self._carrying_out(pending):
                        matter, _ = await self._read_target(guarded)
                        if matter == pending.matter:
                            yield
                            return
                        self._questions.finish(pending, "changed")
            if not started:
                await self._taken_by_another(guarded, pending)
        raise words.changed(guarded)

    @asynccontextmanager
    async def _answered(self, guarded: GuardedCall) -> AsyncGenerator[Verdict | None]:
        """The answer that this call brings back to a question that still holds, its target read once more; else None.

        After a yes nothing else that is approved goes on meanwhile. Raises Declined after a no.
        """
        asker = guarded.caller.asker
        matter = Matter.of(guarded.caller.principal, guarded.call)
        if asker is None or self._policy == "strict" or not self._questions.knows(asker.answered, matter):
            yield None
            return
        async with self._acting:
            matter, _ = await self._read_target(guarded)
            pending = self._questions.recognise(asker.answered, matter)
            if pending is None or self._questions.denied(matter) or self._on_page(guarded, matter) is not None:
                verdict = None
            else:
                verdict = await asker.ask(pending.question)
                self._note_channel(guarded, verdict)
                if verdict is Verdict.NO:
                    self._questions.deny(pending)
                    raise words.declined(guarded, pending)
                if verdict is Verdict.NONE:
                    self._questions.take(pending)
                elif not self._questions.start(pending, "form"):
                    verdict = None
            if pending is not None and verdict is Verdict.YES:
                async with self._carrying_out(pending):
                    yield verdict
                return
        yield verdict

    @asynccontextmanager
    async def _without_a_call(self, guarded: GuardedCall, pending: PendingQuestion) -> AsyncGenerator[None]:
        """The operation that a person said yes to on the page or in a terminal, when no call waits for it.

        Raises ApprovalNeeded where it is not to be done any more; what has changed is asked about anew on the page.
        """
        async with self._acting:
            matter, described = await self._read_target(guarded)
            recognised = self._questions.recognise(pending.question.challenge, matter) is pending
            if recognised and pending.verdict is Verdict.YES and self._questions.start(pending, pending.place):
                guarded.outcome.channel = pending.place
                async with self._carrying_out(pending, told=False):
                    yield
                return
        if pending.ending == "changed" and self._page is not None and self._on_page(guarded, matter) is None:
            await self._put_on(self._page, guarded, matter, described)
        raise words.changed(guarded)

    @asynccontextmanager
    async def _carrying_out(self, pending: PendingQuestion, *, told: bool = True) -> AsyncGenerator[None]:
        """Within it the act goes on; how it ended is written down for whoever asks later, unless they are `told`."""
        pending.told = told
        try:
            yield
        except ClinikoMcpError as problem:
            self._questions.finish(pending, "failed", problem)
            raise
        except BaseException:
            self._questions.finish(pending, "failed")
            raise
        self._questions.finish(pending, "done")

    async def _follow(self, pending: PendingQuestion, again: Callable[[Asker], Awaitable[object]]) -> None:
        """Wait as long as the question may be answered, and carry out a yes that no call waits for."""
        while pending.question.expires > self._now().timestamp():
            if pending.acting or pending.ending in ("done", "failed", "changed", "replaced"):
                return
            if pending.verdict is Verdict.YES and pending.ending is None:
                await anyio.sleep(_GRACE_SECONDS)
                if not pending.acting and pending.ending is None:
                    await self._carry_out(pending, again)
                    return
            # The answer comes from another thread; looking now and then is simpler than being woken from there.
            await anyio.sleep(_POLL_SECONDS)

    async def _carry_out(self, pending: PendingQuestion, again: Callable[[Asker], Awaitable[object]]) -> None:
        with anyio.move_on_after(_ACT_SECONDS, shield=True), self._under_way():
            try:
                await again(PageYes(pending))
            except ClinikoMcpError as problem:
                self._questions.finish(pending, "failed", problem)
            except Exception:
                logger.exception("%s failed after a yes", pending.matter.operation)
                self._questions.finish(pending, "failed")

    def _on_page(self, guarded: GuardedCall, matter: Matter) -> PendingQuestion | None:
        """The question about this matter that is on the approval page, for the person at this computer alone."""
        return self._questions.shown(matter) if guarded.caller.route == "stdio" else None

    def _note_channel(self, guarded: GuardedCall, verdict: Verdict) -> None:
        if verdict is not Verdict.NONE:
            guarded.outcome.channel = "terminal" if guarded.caller.route == "terminal" else "form"

    async def _read_target(self, guarded: GuardedCall) -> tuple[Matter, Preview]:
        matter = Matter.of(guarded.caller.principal, guarded.call)
        try:
            described = await preview(guarded.reader, guarded.call, self._now())
        except NotFound:
            if (done := self._questions.removed(matter)) is not None:
                raise words.done(done) from None
            raise
        return replace(matter, facts=described.digest), described

    async def _tell_how_it_ended(self, guarded: GuardedCall, begun: float) -> None:
        """Nothing where this call has to be asked about. Raises what whoever calls again has to hear."""
        matter = Matter.of(guarded.caller.principal, guarded.call)
        before = self._questions.ended(matter)
        asker = guarded.caller.asker
        answered = self._questions.find(asker.answered) if asker is not None and asker.answered is not None else None
        if answered is not None and answered.ending == "replaced" and answered.matter.call == matter.call:
            raise words.replaced(guarded)
        if before is not None and before.acting and before.ending is None:
            await self._taken_by_another(guarded, before)
        if self._questions.denied(matter):
            raise words.declined(guarded, before)
        if before is None:
            return
        if before.ending == "done" and matter.effect != "removal":
            raise words.done(before)
        if before.ending == "failed" and not before.told and before.place != "form":
            before.told = True
            raise words.failed(guarded, before)

    async def _taken_by_another(self, guarded: GuardedCall, pending: PendingQuestion) -> None:
        """Wait a little for the end of what somebody else carries out. Raises what is to be told of it."""
        with anyio.move_on_after(UNKNOWN_SECONDS):
            async with self._acting:  # whoever carries it out holds this until the end
                pass
        match pending.ending:
            case "done":
                raise words.done(pending)
            case "replaced":
                raise words.replaced(guarded)
            case "denied" | "other" | "withdrawn":
                raise words.declined(guarded, pending)
            case None if pending.acting:
                raise words.under_way(guarded)
            case _:
                return

    async def _approved(
        self,
        guarded: GuardedCall,
        matter: Matter,
        described: Preview,
        begun: float,
        deadline: float,
        *,
        form: bool,
    ) -> PendingQuestion:
        """The question that a person said yes to. Raises in every other case; notes the channel of either answer."""
        caller = guarded.caller
        if self._questions.denied(matter):
            raise words.declined(guarded, None)
        if self._questions.elsewhere(matter):
            raise words.asked_elsewhere(guarded)
        page = self._page if caller.route == "stdio" else None
        waiting = self._on_page(guarded, matter)
        if form and self._questions.unheard(matter):
            form = False
            if page is None:
                self._questions.heard(matter.principal)
                raise words.never_shown(guarded)
        # A question that is on the page already got there because the form did not work: a yes there counts at once.
        if (
            form
            and waiting is None
            and (pending := await self._approved_in_client(guarded, matter, described, deadline))
        ):
            return pending
        if page is None:
            raise words.nobody_to_ask(guarded)
        where = "The question is on the approval page already."
        if waiting is None:
            waiting, where = await self._put_on(page, guarded, matter, described)
        wait = seconds_to_wait(caller.program, self._wait)
        until = min(anyio.current_time() + wait, begun + wait if wait <= UNKNOWN_SECONDS else math.inf, deadline)
        if not await self._decided(waiting, caller, until):
            raise words.waiting(guarded, where)
        guarded.outcome.channel = waiting.place
        if waiting.verdict is Verdict.YES:
            return waiting
        if waiting.verdict is Verdict.NONE:
            await self._taken_by_another(guarded, waiting)
        raise words.declined(guarded, waiting)

    async def _approved_in_client(
        self, guarded: GuardedCall, matter: Matter, described: Preview, deadline: float
    ) -> PendingQuestion | None:
        """The question that a person said yes to in the client or terminal that called; None where nobody answered."""
        caller = guarded.caller
        if caller.asker is None or (self._policy == "strict" and caller.route != "terminal"):
            return None
        pending = self._questions.create(matter, described, caller.program, await self._whose(guarded))
        pending.made_by = caller.call
        pending.place = "terminal" if caller.route == "terminal" else "form"
        verdict = Verdict.NONE
        try:
            with anyio.CancelScope(deadline=deadline) as patience:
                verdict = await caller.asker.ask(pending.question)
        except AskFirst:
            self._questions.sent(pending)
            raise
        self._note_channel(guarded, verdict)
        if patience.cancelled_caught:
            self._questions.sent(pending, MAX_SILENT)
        else:
            self._questions.heard(matter.principal)
        if verdict is Verdict.YES:
            return pending
        if verdict is Verdict.NO:
            self._questions.deny(pending)
            raise words.declined(guarded, pending)
        self._questions.take(pending)
        return None

    async def _put_on(
        self, page: Page, guarded: GuardedCall, matter: Matter, described: Preview
    ) -> tuple[PendingQuestion, str]:
        account = await self._whose(guarded)
        pending = self._questions.create(matter, described, guarded.caller.program, account)
        pending.made_by = guarded.caller.call
        if not self._questions.show(pending):
            self._questions.take(pending)
            raise words.too_many()
        if self._start is not None and guarded.again is not None:
            self._start(partial(self._follow, pending, guarded.again))
        return pending, page.invite()

    async def _whose(self, guarded: GuardedCall) -> Account:
        if self._account is None:
            self._account = await whose(guarded.reader, demo=self._demo)
        return self._account

    async def _decided(self, pending: PendingQuestion, caller: Caller, until: float) -> bool:
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
