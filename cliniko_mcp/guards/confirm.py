"""Confirm: nothing is archived, deleted, cancelled or otherwise lost until a person has seen it and said yes.

The target is read fresh and described; a person is asked through the first approval channel that works; after a yes
everything is read and described again, and the operation goes on, once, only where all is still exactly as shown. The
channels: the form in the client (or the terminal that called), then on stdio the local page or `cliniko-mcp approve`,
then refusal.

An asker that can only be answered by a repeated call raises AskFirst with the question. On the repeated call its
`answered` is the challenge that came back: if this process asked that question about exactly this call and nobody has
used it yet, the target is read once, and where everything shown is still the same the asker gives the answer that came
with the call. In every other case it gets a new question.
"""

import math
from collections.abc import AsyncGenerator, Callable, Set
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal, Protocol

import anyio

from cliniko_mcp.approvals.preview import Preview
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Questions, Verdict
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import ApprovalNeeded, Declined, NotAllowed
from cliniko_mcp.guards.effects import BURST, Effect, Effects
from cliniko_mcp.guards.pipeline import Act, Caller, GuardedCall, Prepared

MAX_CALL_WAIT: Final = 50.0
"""Seconds that one call may wait for people altogether: hosts give up on a call after 60."""

_ROUNDS: Final = 3
_POLL_SECONDS: Final = 0.1
_PROGRESS_SECONDS: Final = 2.0
_TIME_TO_ANSWER: Final = 5.0
"""Seconds that must be left of a call for a person to be asked once more."""


class Page(Protocol):
    """The approval page, as far as it is used here."""

    def invite(self) -> str:
        """Make sure that the page is up and call a person to it; a sentence that says where to approve."""
        ...


class Confirm:
    """The guard that asks a person before every call that destroys or loses something."""

    def __init__(
        self,
        questions: Questions,
        *,
        now: Callable[[], datetime],
        policy: Literal["auto", "strict", "block"] = "auto",
        allowed: Set[str] = frozenset(),
        page: Page | None = None,
        wait: float,
        effects: Effects | None = None,
    ) -> None:
        """`allowed` names operations that the operator lets pass unasked; `wait` is for the page, in seconds."""
        self._questions = questions
        self._now = now
        self._policy = policy
        self._allowed = frozenset(allowed)
        self._page = page
        self._wait = wait
        self._effects = effects or Effects(now)
        # Of two approvals of the same thing the second has to see what the first one did.
        self._acting = anyio.Lock()

    @asynccontextmanager
    async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
        """Lets the operation go on once a person has said yes, and everything else that is approved only after it.

        Raises NotAllowed where the operator blocked it, Declined after a no, ApprovalNeeded while there is no yes, and
        lets the asker's AskFirst pass.
        """
        deadline = anyio.current_time() + (MAX_CALL_WAIT if guarded.caller.route != "terminal" else math.inf)
        while True:
            async with self._effects.alone(guarded):
                effect = await self._effects.of(guarded)
                if effect is None or self._allows(guarded, effect):
                    yield
                    return
            if effect.burst is None:
                async with self._approved_act(guarded, effect, deadline):
                    yield
                    return
            # A yes to the lot says nothing of what this record holds by then: it is looked at again.
            async with effect.turn:
                if not self._effects.lifted(effect):
                    async with self._approved_act(guarded, effect, deadline):
                        guarded.outcome.act = None

    def _allows(self, guarded: GuardedCall, effect: Effect) -> bool:
        """Whether the operator lets this operation pass unasked. Raises NotAllowed where all that is asked about is
        switched off."""
        operation = guarded.call.operation
        guarded.outcome.effect = " ".join(effect.names)
        if self._policy == "block":
            raise NotAllowed(
                f"{operation.title}: {_blocked(effect)} switched off here.",
                "Tell the person that this has to be done in Cliniko itself.",
                operation=operation.name,
            )
        if operation.name not in self._allowed:
            return False
        guarded.outcome.channel = "allowed"
        return True

    @asynccontextmanager
    async def _approved_act(self, guarded: GuardedCall, effect: Effect, deadline: float) -> AsyncGenerator[None]:
        """Lets the operation go on once a person has said yes, in the place that was taken for it in the limit."""
        async with self._answered(guarded, effect) as verdict:
            if verdict is Verdict.YES:
                yield
                return
        # A question that came back without an answer is one that this client cannot put to a person.
        form = verdict is not Verdict.NONE
        for _ in range(_ROUNDS):
            if deadline - anyio.current_time() < _TIME_TO_ANSWER:
                break
            matter, described = await self._read_target(guarded, effect)
            pending = await self._approved(guarded, matter, described, deadline, form=form)
            # The place is taken first: after the second reading nothing has to be waited for.
            async with self._acting, self._effects.alone(guarded), guarded.prepare() as prepared:
                if not self._questions.take(pending):
                    continue
                matter, _ = await self._read_target(guarded, effect)
                if matter != pending.matter:
                    continue
                self._go(guarded, effect, matter, prepared)
                yield
                return
        raise _changed_since(guarded)

    def _go(self, guarded: GuardedCall, effect: Effect, matter: Matter, prepared: Prepared) -> None:
        """Note that a person approved this matter, and how the call is carried out."""

        async def look_again() -> None:
            if (await self._read_target(guarded, effect))[0] != matter:
                raise _changed_since(guarded)

        self._effects.approved(effect)
        guarded.outcome.act = Act(prepared, look_again)

    @asynccontextmanager
    async def _answered(self, guarded: GuardedCall, effect: Effect) -> AsyncGenerator[Verdict | None]:
        """The answer that this call brings back to a question that still holds, its target read once more; else None.

        After a yes nothing else that is approved goes on meanwhile. Raises Declined after a no.
        """
        asker = guarded.caller.asker
        matter = effect.matter
        if asker is None or self._policy == "strict" or not self._questions.knows(asker.answered, matter):
            yield None
            return
        async with self._acting, self._effects.alone(guarded), guarded.prepare() as prepared:
            matter, _ = await self._read_target(guarded, effect)
            pending = self._questions.recognise(asker.answered, matter)
            if pending is None or self._questions.denied(matter.call) or self._on_page(guarded, matter) is not None:
                verdict = None
            else:
                verdict = await asker.ask(pending.question)
                self._note_channel(guarded, verdict)
                if verdict is Verdict.NO:
                    self._questions.deny(pending)
                    raise _declined(guarded)
                if not self._questions.take(pending):
                    verdict = None
            if verdict is Verdict.YES:
                self._go(guarded, effect, matter, prepared)
                yield verdict
                return
        yield verdict

    def _on_page(self, guarded: GuardedCall, matter: Matter) -> PendingQuestion | None:
        """The question about this matter that is on the approval page, for the person at this computer alone."""
        return self._questions.shown(matter) if guarded.caller.route == "stdio" else None

    def _note_channel(self, guarded: GuardedCall, verdict: Verdict) -> None:
        if verdict is not Verdict.NONE:
            guarded.outcome.channel = "terminal" if guarded.caller.route == "terminal" else "form"

    async def _read_target(self, guarded: GuardedCall, effect: Effect) -> tuple[Matter, Preview]:
        described = await effect.described(self._now())
        guarded.outcome.before = described.record
        return replace(effect.matter, facts=described.facts), described

    async def _approved(
        self, guarded: GuardedCall, matter: Matter, described: Preview, deadline: float, *, form: bool
    ) -> PendingQuestion:
        """The question that a person said yes to. Raises in every other case; notes the channel of either answer."""
        caller = guarded.caller
        if self._questions.denied(matter.call):
            raise _declined(guarded)
        waiting = self._on_page(guarded, matter)
        # A question that is on the page already got there because the form did not work: a yes there counts at once.
        if (
            form
            and waiting is None
            and (pending := await self._approved_in_client(guarded, matter, described, deadline))
        ):
            return pending
        page = self._page if caller.route == "stdio" else None
        if page is None:
            raise _nobody_to_ask(guarded)
        where = "The question is on the approval page already."
        if waiting is None:
            waiting, where = self._put_on(page, guarded, matter, described)
        if not await self._decided(waiting, caller, min(anyio.current_time() + self._wait, deadline)):
            raise ApprovalNeeded(
                f"Not done yet: a person has to approve it first. {where}",
                "Ask the person to approve, then call again with the same arguments. A yes holds for ten minutes.",
                operation=guarded.call.operation.name,
            )
        guarded.outcome.channel = waiting.place
        if waiting.verdict is Verdict.YES:
            return waiting
        raise _declined(guarded)

    async def _approved_in_client(
        self, guarded: GuardedCall, matter: Matter, described: Preview, deadline: float
    ) -> PendingQuestion | None:
        """The question that a person said yes to in the client or terminal that called; None where nobody answered."""
        caller = guarded.caller
        if caller.asker is None or (self._policy == "strict" and caller.route != "terminal"):
            return None
        pending = self._questions.create(matter, described.title, described.text, caller.program)
        verdict = Verdict.NONE
        with anyio.CancelScope(deadline=deadline):
            verdict = await caller.asker.ask(pending.question)
        self._note_channel(guarded, verdict)
        if verdict is Verdict.YES:
            return pending
        if verdict is Verdict.NO:
            self._questions.deny(pending)
            raise _declined(guarded)
        self._questions.take(pending)
        return None

    def _put_on(
        self, page: Page, guarded: GuardedCall, matter: Matter, described: Preview
    ) -> tuple[PendingQuestion, str]:
        pending = self._questions.create(matter, described.title, described.text, guarded.caller.program)
        if not self._questions.show(pending):
            self._questions.take(pending)
            raise ApprovalNeeded(
                "Not done: too many questions are waiting for a person already.",
                "Ask the person to answer those first, then call again with the same arguments.",
            )
        return pending, page.invite()

    async def _decided(self, pending: PendingQuestion, caller: Caller, until: float) -> bool:
        begun = told = anyio.current_time()
        while pending.verdict is Verdict.NONE:
            now = anyio.current_time()
            if now >= until:
                return False
            if now - told >= _PROGRESS_SECONDS:
                told = now
                await caller.progress(now - begun, until - begun, "Waiting for a person to approve or deny.")
            # The answer comes from another thread; looking ten times a second is simpler than being woken from there.
            await anyio.sleep(min(_POLL_SECONDS, until - now))
        return True


def _blocked(effect: Effect) -> str:
    if effect.guarded.call.operation.risk is Risk.DESTRUCTIVE:
        return "archiving, deleting and cancelling are"
    if effect.burst is not None:
        return f"changing more than {BURST} records of one kind within a minute is"
    return "a change that takes this much away is"


def _changed_since(guarded: GuardedCall) -> ApprovalNeeded:
    operation = guarded.call.operation
    return ApprovalNeeded(
        f"{operation.title}: not done, because what the person was shown has changed since.",
        "Call again with the same arguments, so that the person is asked about it as it is now.",
        operation=operation.name,
    )


def _declined(guarded: GuardedCall) -> Declined:
    operation = guarded.call.operation
    return Declined(
        f"{operation.title}: a person was asked and said no. Nothing was changed.",
        "Leave it. The same call is refused for 15 minutes; a person can always do it in Cliniko itself.",
        operation=operation.name,
    )


_WAYS: Final = {
    "stdio": "an assistant that can show questions (form elicitation), or the approval page on this computer",
    "http": "an assistant that can show questions (form elicitation, --confirm auto), or a connection over stdio",
    "terminal": "a terminal on which the question can be shown",
}


def _nobody_to_ask(guarded: GuardedCall) -> ApprovalNeeded:
    operation = guarded.call.operation
    return ApprovalNeeded(
        f"{operation.title}: not done. It needs a person's yes, and over this connection nobody can be asked.",
        f"Calling again does not help. A person can do it in Cliniko, or have set up: {_WAYS[guarded.caller.route]}.",
        operation=operation.name,
    )
