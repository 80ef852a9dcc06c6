"""Confirm: nothing is archived, deleted or cancelled until a person has seen what it means and said yes.

The target is read fresh and described; a person is asked on the first rung that works; after a yes everything is read
and described again, and only what is still exactly as shown is done, once. The rungs: the form in the client (or the
terminal that called), then on stdio the local page or `cliniko-mcp approve`, then refusal.

An asker that can only be answered by a repeated call raises AskFirst with the question. On the repeated call its
`answered` is the challenge that came back: if this process minted it for exactly this call and these facts and nobody
used it yet, the asker is asked the very same question, challenge and all, and returns the answer that came with the
call. In every other case it gets a new question.
"""

from collections.abc import Callable, Set
from datetime import datetime
from typing import Final, Literal, Protocol, TypeVar

import anyio

from cliniko_mcp.errors import ApprovalNeeded, Declined, NotAllowed
from cliniko_mcp.guardrails.call import Act, Caller, GuardedCall, Rung, Verdict
from cliniko_mcp.guardrails.digest import arguments
from cliniko_mcp.guardrails.preview import Preview, Reader, preview
from cliniko_mcp.guardrails.questions import Asked, Matter, Questions
from cliniko_mcp.operation import Call, Risk

T = TypeVar("T")

IN_ALL: Final = 50.0
"""Seconds that one call may wait for people in all: hosts give up on a call after 60."""

_ROUNDS: Final = 3
_BEAT: Final = 0.1
_TELL: Final = 2.0


class Page(Protocol):
    """The local page, as far as it matters here."""

    def invite(self) -> str:
        """Make sure that the page is up and a person is called to it; a sentence that says where to approve."""
        ...


class Confirm:
    """The layer that asks a person before every destructive operation."""

    def __init__(
        self,
        clinic: Reader,
        questions: Questions,
        *,
        now: Callable[[], datetime],
        policy: Literal["auto", "strict", "block"] = "auto",
        allowed: Set[str] = frozenset(),
        page: Page | None = None,
        wait: float = 40,
    ) -> None:
        """`allowed` names operations that the operator lets pass unasked; `wait` is how long a call waits at the page."""
        self._clinic = clinic
        self._questions = questions
        self._now = now
        self._policy = policy
        self._allowed = frozenset(allowed)
        self._page = page
        self._wait = wait
        # Of two approvals of the same thing the second has to see what the first one did.
        self._acting = anyio.Lock()

    async def __call__(self, guarded: GuardedCall, act: Act[T]) -> T:
        """What `act` returns, once a person said yes.

        Raises NotAllowed where the operator blocked it, Declined after a no, ApprovalNeeded while there is no yes, and
        lets the asker's AskFirst pass.
        """
        operation = guarded.call.operation
        if operation.risk is not Risk.DESTRUCTIVE:
            return await act()
        if self._policy == "block":
            raise NotAllowed(
                f"{operation.title}: archiving, deleting and cancelling are switched off here.",
                "Tell the person that this has to be done in Cliniko itself.",
                operation=operation.name,
            )
        if operation.name in self._allowed:
            guarded.trace.rung = "allowed"
            return await act()
        deadline = anyio.current_time() + IN_ALL
        for _ in range(_ROUNDS):
            matter, described = await self._read(guarded.call, guarded.caller)
            asked, rung = await self._approved(guarded.caller, matter, described, deadline)
            async with self._acting:
                if not self._questions.take(asked):
                    continue
                matter, described = await self._read(guarded.call, guarded.caller)
                if matter == asked.matter:
                    guarded.trace.rung = rung
                    return await act()
        raise ApprovalNeeded(
            f"{operation.title}: not done, because what the person was shown has changed since.",
            "Call again with the same arguments, so that the person is asked about it as it is now.",
            operation=operation.name,
        )

    async def _read(self, call: Call, caller: Caller) -> tuple[Matter, Preview]:
        described = await preview(self._clinic, call, self._now())
        target = f"{described.kind}/{call.target}"
        return Matter(caller.principal, call.operation.name, arguments(call), target, described.facts), described

    async def _approved(
        self, caller: Caller, matter: Matter, described: Preview, deadline: float
    ) -> tuple[Asked, Rung]:
        """The question that a person said yes to, and where. Raises in every other case."""
        if self._questions.denied(matter.call):
            raise _declined(described)
        asker = caller.asker
        if asker is not None and (self._policy != "strict" or caller.route == "terminal"):
            asked = self._questions.recognise(asker.answered, matter)
            if asked is None:
                asked = self._questions.mint(matter, described.title, described.text, caller.program)
            verdict = Verdict.NONE
            with anyio.move_on_at(deadline):
                verdict = await asker.ask(asked.question)
            if verdict is Verdict.YES:
                return asked, "terminal" if caller.route == "terminal" else "form"
            if verdict is Verdict.NO:
                self._questions.deny(asked)
                raise _declined(described)
            self._questions.take(asked)
        if caller.route == "stdio" and self._page is not None:
            asked = await self._answered_on(self._page, caller, matter, described, deadline)
            return asked, asked.place
        raise _nobody_to_ask(described, caller)

    async def _answered_on(
        self, page: Page, caller: Caller, matter: Matter, described: Preview, deadline: float
    ) -> Asked:
        asked = self._questions.shown(matter)
        where = "The question is on the approval page already."
        if asked is None:
            asked = self._questions.mint(matter, described.title, described.text, caller.program)
            if not self._questions.show(asked):
                self._questions.take(asked)
                raise ApprovalNeeded(
                    "Too many questions are waiting for a person already.",
                    "Ask the person to answer those first, then call again with the same arguments.",
                )
            where = page.invite()
        if await self._decided(asked, caller, min(anyio.current_time() + self._wait, deadline)):
            if asked.verdict is Verdict.YES:
                return asked
            raise _declined(described)
        raise ApprovalNeeded(
            f"Not done yet: a person has to approve it first. {where}",
            "Ask the person to approve, then call again with the same arguments. Approvals hold for ten minutes.",
        )

    async def _decided(self, asked: Asked, caller: Caller, until: float) -> bool:
        begun = told = anyio.current_time()
        while asked.verdict is Verdict.NONE:
            now = anyio.current_time()
            if now >= until:
                return False
            if now - told >= _TELL:
                told = now
                await caller.progress(now - begun, until - begun, "Waiting for a person to approve or deny.")
            # The answer comes from another thread; to look ten times a second costs less than to be woken by it.
            await anyio.sleep(min(_BEAT, until - now))
        return True


def _declined(described: Preview) -> Declined:
    return Declined(
        f"A person was asked and said no. Nothing was changed ({described.action}).",
        "Leave it. The same call is refused for 15 minutes; the person can do it in Cliniko itself.",
    )


def _nobody_to_ask(described: Preview, caller: Caller) -> ApprovalNeeded:
    ways = {
        "stdio": "an assistant that can show questions (form elicitation), or a desktop on which the approval page opens",
        "http": "an assistant that can show questions (form elicitation) and --confirm auto, or a local connection (stdio)",
        "terminal": "a terminal, on which the question can be shown",
    }
    return ApprovalNeeded(
        f"Not done: this needs a person's yes, and nobody can be asked over this connection ({described.action}).",
        f"Calling again does not help. The person can do it in Cliniko itself, or have set up: {ways[caller.route]}.",
    )
