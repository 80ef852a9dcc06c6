"""Confirm: nothing is archived, deleted, cancelled or otherwise lost until a person has seen it and said yes.

The target is read fresh and described; a person is asked through the first approval channel that works; after a yes
everything is read and described again, and the operation goes on, once, only where all is still exactly as shown. The
channels stand in `channels`; where none works the call is refused.

A question has a life of its own, and a call only looks at it: a yes on the page or in `approve` is carried out by the
call that waits for it, else at once by this process; whoever calls again is told how it ended.

An asker that can only be answered by a repeated call raises AskFirst with the question. On the repeated call its
`answered` is the challenge that came back: if this process asked that question about exactly this call and nobody has
used it yet, the target is read once, and where all is still as shown the asker gives the answer that came.
"""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Set
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Final

import anyio

from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.questions import Matter, PageYes, PendingQuestion, Verdict
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.errors import NotFound
from cliniko_mcp.guards import confirm_words as words
from cliniko_mcp.guards.acts import Acts, Note, Page, Start, unnoted
from cliniko_mcp.guards.channels import Channels, PageFor, Policy
from cliniko_mcp.guards.effects import Effect, Effects
from cliniko_mcp.guards.parts import for_good
from cliniko_mcp.guards.pipeline import Act, GuardedCall, Prepared
from cliniko_mcp.guards.turns import Locks, Turns

MAX_CALL_WAIT: Final = 50.0
"""Seconds that one call may wait for people altogether: hosts give up on a call after 60."""
_ROUNDS: Final = 3
_TIME_TO_ANSWER: Final = 5.0
"""Seconds that must be left of a call for a person to be asked once more."""


class Confirm:
    """The guard that asks a person before every call that destroys or loses something."""

    def __init__(
        self,
        questions: Ledger,
        *,
        now: Callable[[], datetime],
        policy: Policy = "auto",
        allowed: Set[str] = frozenset(),
        page: Page | None = None,
        wait: float,
        effects: Effects | None = None,
        demo: Callable[[], bool] = bool,
        start: Start | None = None,
        under_way: Callable[[], AbstractContextManager[None]] = nullcontext,
        note: Note = unnoted,
        locks: Locks | None = None,
        still: Callable[[str], Awaitable[None]] = for_good,
        page_for: PageFor = "stdio",
    ) -> None:
        """`allowed` names operations that the operator lets pass unasked; `wait` is for the page, in seconds.

        `page` is for `page_for`. `start` begins work that goes on apart from every call; what is done within
        `under_way` is waited for at the end. `note` writes down how a question ended unheard. `still` raises once
        nothing is to be done here any more for a principal.
        """
        self._still = still
        self._questions = questions
        self._now = now
        self._policy = policy
        self._allowed = frozenset(allowed)
        self._effects = effects or Effects(now)
        self.acts = Acts(questions, now, under_way, start, note, locks or Turns())
        """How what was approved is carried out."""
        self.channels = Channels(
            questions, self.acts, policy=policy, page=page, page_for=page_for, wait=wait, demo=demo
        )
        """How people are asked."""

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets the operation go on once a person has said yes, and everything else that is approved only after it.

        Raises NotAllowed where the operator blocked it, Declined after a no, ApprovalNeeded while there is no yes,
        AlreadyDone where this very call was carried out before, and lets the asker's AskFirst pass.
        """
        begun = anyio.current_time()
        asker = guarded.caller.asker
        if isinstance(asker, PageYes):
            await self._still(guarded.caller.principal)
        answered = await self.acts.answered(guarded.caller)
        await self._tell_what_was_done(guarded, answered)
        while True:
            async with self._effects.alone(guarded):
                effect = await self._effects.of(guarded, answered.matter if answered is not None else None)
                if effect is None:
                    await self._check_still_unasked(guarded, answered)
                if effect is None or self._allows(guarded, effect):
                    yield
                    return
            if effect.burst is None:
                async with self._approved_act(guarded, effect, begun):
                    yield
                    return
            # A yes to the lot says nothing of what this record holds by then: it is looked at again.
            async with effect.turn if not isinstance(asker, PageYes) else nullcontext():
                if not await self._lifted(guarded, effect):
                    async with self._approved_act(guarded, effect, begun):
                        guarded.outcome.act = None
            answered = None

    def _allows(self, guarded: GuardedCall, effect: Effect) -> bool:
        """Whether the operator lets it pass unasked. Raises NotAllowed where all that is asked about is off."""
        guarded.outcome.effect = " ".join(effect.names)
        if self._policy == "block":
            raise words.blocked(effect)
        if guarded.call.operation.name not in self._allowed:
            return False
        guarded.outcome.channel = "allowed"
        return True

    async def _lifted(self, guarded: GuardedCall, effect: Effect) -> bool:
        """Whether a yes to a burst covers this call, which brings no answer of its own."""
        asker, matter = guarded.caller.asker, effect.matter
        if isinstance(asker, PageYes) or not self._effects.lifted(effect):
            return False
        answers = await self._questions.knows(guarded.caller.answered, matter)
        return not answers and not await self._questions.denied(matter)

    @asynccontextmanager
    async def _approved_act(self, guarded: GuardedCall, effect: Effect, begun: float) -> AsyncGenerator[None]:
        """Lets the operation go on once a person has said yes, with the request that was reserved for it."""
        asker = guarded.caller.asker
        if isinstance(asker, PageYes):
            async with self._without_a_call(guarded, effect, asker.pending):
                yield
            return
        if guarded.caller.answered is not None:
            await self._questions.heard(guarded.caller.principal)
        async with self._answered(guarded, effect) as verdict:
            if verdict is Verdict.YES:
                yield
                return
        # A question that came back without an answer is one that this client cannot put to a person.
        form = verdict is not Verdict.NONE
        deadline = begun + (MAX_CALL_WAIT if guarded.caller.route != "terminal" else math.inf)
        known = await self._tell_how_it_ended(guarded, effect)
        unasked = words.no_time(guarded, effect)
        for _ in range(_ROUNDS):
            if deadline - anyio.current_time() < _TIME_TO_ANSWER:
                break
            try:
                matter, described = await self._read_target(guarded, effect)
            except NotFound:
                await self._tell_who_is_at_it(guarded, effect)
                raise
            pending = await self.channels.approved(guarded, matter, described, known, begun, deadline, form)
            # The request is reserved first: after the second reading nothing has to be waited for.
            async with self._alone(guarded, matter) as prepared:
                started = await self._questions.start(pending, pending.place)
                if started:
                    async with self.acts.carrying_out(pending):
                        matter, _ = await self._read_target(guarded, effect)
                        if matter == pending.matter:
                            await self._go(guarded, effect, pending, prepared)
                            yield
                            return
                        await self._questions.finish(pending, "changed")
            if not started:
                if await self._lifted(guarded, effect):
                    yield
                    return
                await self.acts.taken_by_another(guarded, pending)
            unasked = words.changed(guarded)
        raise unasked

    @asynccontextmanager
    async def _alone(self, guarded: GuardedCall, matter: Matter) -> AsyncGenerator[Prepared]:
        """The context of an act: nobody else is at its record, and its request is reserved."""
        async with (
            self.acts.locks.at(matter.target) as held,
            self._effects.alone(guarded),
            guarded.prepare() as prepared,
        ):
            yield replace(prepared, held=held)

    async def _go(self, guarded: GuardedCall, effect: Effect, pending: PendingQuestion, prepared: Prepared) -> None:
        """Note that a person approved this, and how the call is carried out."""

        async def look_again() -> None:
            if (await self._read_target(guarded, effect))[0] != pending.matter:
                await self._questions.finish(pending, "changed")
                raise words.changed(guarded)
            await prepared.held.renew()

        await prepared.held.renew()
        self._effects.approved(effect)
        guarded.outcome.approved_by, guarded.outcome.act = pending.answered_by, Act(prepared, look_again)

    @asynccontextmanager
    async def _answered(self, guarded: GuardedCall, effect: Effect) -> AsyncGenerator[Verdict | None]:
        """The answer that this call brings back to a question that still holds, its target read once more; else None.

        After a yes nothing else that is approved goes on meanwhile. A no holds from now on.
        """
        asker, matter, channels = guarded.caller.asker, effect.matter, self.channels
        if asker is None or self._policy == "strict" or not await self._questions.knows(asker.answered, matter):
            yield None
            return
        verdict = None
        async with self._alone(guarded, matter) as prepared:
            matter, _ = await self._read_target(guarded, effect)
            pending = await self._questions.recognise(asker.answered, matter)
            if pending and not await self._questions.denied(matter) and not await channels.on_page(guarded, matter):
                verdict = await asker.ask(pending.question)
                channels.note(guarded, verdict)
                pending.told = verdict is not Verdict.YES
                if verdict is Verdict.NO:
                    await self._questions.deny(pending)
                    self._effects.refused(effect)
                elif verdict is Verdict.NONE:
                    await self._questions.take(pending)
                elif await self._questions.start(pending, "form"):
                    async with self.acts.carrying_out(pending):
                        await self._go(guarded, effect, pending, prepared)
                        yield verdict
                    return
                else:
                    verdict = None
        yield verdict

    @asynccontextmanager
    async def _without_a_call(
        self, guarded: GuardedCall, effect: Effect, pending: PendingQuestion
    ) -> AsyncGenerator[None]:
        """The operation that a person said yes to on the page or in a terminal, when no call waits for it.

        Raises ApprovalNeeded where it is not to be done any more; what has changed is asked about anew on the page.
        """
        account = await self.channels.whose(guarded)
        async with self._alone(guarded, pending.matter) as prepared:
            matter, described = await self._read_target(guarded, effect)
            # Closes it where what was shown has changed: then it can be begun no more.
            await self._questions.recognise(pending.question.challenge, matter)
            # It begins only where the yes holds, and nobody has said no to the same since.
            unrefused = not await self._questions.denied(matter)
            if unrefused and await self._questions.start(pending, pending.place, told=False):
                guarded.outcome.channel = pending.place
                async with self.acts.carrying_out(pending):
                    await self._go(guarded, effect, pending, prepared)
                    yield
                return
        page = self.channels.page
        if pending.ending == "changed" and page is not None and await self.channels.on_page(guarded, matter) is None:
            await self.channels.put_on_page(page, guarded, matter, described, account, pending)
        raise words.changed(guarded)

    async def _read_target(self, guarded: GuardedCall, effect: Effect) -> tuple[Matter, Preview]:
        try:
            described = await effect.described(self._now())
        except NotFound:
            if not effect.names and (done := await self._questions.removed(effect.matter)) is not None:
                raise words.done(done) from None
            raise
        guarded.outcome.before = described.record
        guarded.outcome.told = described.text
        return replace(effect.matter, facts=described.digest), described

    async def _tell_what_was_done(self, guarded: GuardedCall, answered: PendingQuestion | None) -> None:
        """Raise AlreadyDone for an update that was approved, and done without a call or with this same answer.

        What is archived, deleted or cancelled is not there any more, which tells that by itself.
        """
        if guarded.call.operation.shape != "update":
            return
        before = await self._questions.ended(Matter.of(guarded.caller.principal, guarded.call))
        if before is None:
            return
        if before.ending is None:  # it is being carried out
            await self.acts.taken_by_another(guarded, before)
        if before.ending == "done" and (before is answered or not before.told):
            await self._questions.tell(before)
            raise words.done(before)

    async def _check_still_unasked(self, guarded: GuardedCall, answered: PendingQuestion | None) -> None:
        """Raise ApprovalNeeded where a person answered about this update, which by now takes nothing away any more."""
        if answered is None or guarded.call.operation.shape != "update":
            return
        if await self._questions.knows(answered.question.challenge, Matter.of(guarded.caller.principal, guarded.call)):
            await self._questions.finish(answered, "changed")
        elif not isinstance(guarded.caller.asker, PageYes):
            return
        raise words.changed(guarded)

    async def _tell_how_it_ended(self, guarded: GuardedCall, effect: Effect) -> PendingQuestion | None:
        """The newest question about this to have ended, where it has to be asked about.

        Raises what whoever calls again has to hear.
        """
        matter = effect.matter
        known = await self._tell_who_is_at_it(guarded, effect)
        # How one call of a burst ended says nothing of the others.
        before = known if effect.burst is None else None
        answered = await self.acts.answered(guarded.caller)
        if answered is not None and answered.ending == "replaced" and answered.matter.call == matter.call:
            raise words.replaced(guarded)
        if await self._questions.denied(matter):
            if before is not None:
                await self._questions.tell(before)
            raise words.declined(guarded, before)
        if before is not None and before.ending == "failed" and not before.told:
            await self._questions.tell(before)
            raise words.failed(guarded, before)
        return known

    async def _tell_who_is_at_it(self, guarded: GuardedCall, effect: Effect) -> PendingQuestion | None:
        """The newest question about this that has ended. Raises what is to be told of one that is being carried out."""
        before = await self._questions.ended(effect.matter)
        if before is not None and before.ending is None and effect.burst is None:
            await self.acts.taken_by_another(guarded, before)
        return before
