"""Channels: the ways in which a person is asked, the first one that works, and what became of the question there.

First the form in the client, or the terminal, that called. Then the page; a client that can open an address for its
person is sent to the one of the question. That the address was opened says nothing: what counts is answered there.
"""

import math
from collections.abc import Callable
from typing import Literal

import anyio

from cliniko_mcp.approvals.account import whose
from cliniko_mcp.approvals.host_waits import UNKNOWN_SECONDS, seconds_to_wait
from cliniko_mcp.approvals.ledger import Ledger
from cliniko_mcp.approvals.question_table import MAX_SILENT
from cliniko_mcp.approvals.questions import Asker, AskFirst, Matter, Opened, Opener, PendingQuestion, Verdict
from cliniko_mcp.approvals.shown import Account, Preview
from cliniko_mcp.errors import ApprovalNeeded, ClinikoMcpError
from cliniko_mcp.guards import confirm_words as words
from cliniko_mcp.guards.acts import Acts, Page, decided
from cliniko_mcp.guards.pipeline import GuardedCall

Policy = Literal["auto", "strict", "block"]
PageFor = Literal["stdio", "http"]


class Channels:
    """The form of the client or terminal that called, then the page."""

    def __init__(
        self,
        questions: Ledger,
        acts: Acts,
        *,
        policy: Policy,
        page: Page | None,
        page_for: PageFor,
        wait: float,
        demo: Callable[[], bool],
    ) -> None:
        """`page` is for callers by the route `page_for`; `wait` is for an answer there, in seconds."""
        self._questions = questions
        self._acts = acts
        self._policy = policy
        self.page, self._page_for = page, page_for
        self.wait = wait
        self._demo = demo
        self._account: Account | None = None

    async def approved(
        self,
        guarded: GuardedCall,
        matter: Matter,
        described: Preview,
        known: PendingQuestion | None,
        begun: float,
        deadline: float,
        form: bool,
    ) -> PendingQuestion:
        """The question that a person said yes to. Raises in every other case; notes the channel of either answer.

        `known` was the newest question about it to have ended before all this was read. `begun` and `deadline` are on
        the clock of the event loop; not `form` where this client has no way to show one.
        """
        caller, account = guarded.caller, await self.whose(guarded)
        # From here to the question nothing is waited for: two calls at once are one question.
        if await self._questions.denied(matter):
            raise words.declined(guarded, None)
        if await self._questions.elsewhere(matter):
            raise words.asked_elsewhere(guarded)
        page = self.page if caller.route == self._page_for else None
        asker = caller.asker if self._policy != "strict" or caller.route == "terminal" else None
        opener = caller.opener
        waiting = await self.on_page(guarded, matter)
        if await self._questions.unheard(matter):
            form, opener = False, None
            if page is None:
                await self._questions.heard(matter.principal)
                raise words.never_shown(guarded)
        # A question that is on the page already got there because the form did not work: a yes there counts at once.
        if asker is not None and form and waiting is None:
            pending = await self._questions.create(matter, described, caller.program, account, caller.call, caller.name)
            if await self._approved_in_client(guarded, asker, pending, deadline):
                return pending
            waiting = await self.on_page(guarded, matter)
        if page is None:
            raise words.nobody_to_ask(guarded)
        where = page.again()
        if waiting is None:
            waiting, where = await self.put_on_page(page, guarded, matter, described, account, known)
        elif opener is not None and opener.answered != waiting.question.challenge:
            opener = None  # its address has gone out
        opened, address = None, page.address_of(waiting.question)
        if opener is not None and address:
            opened = await self._opened(guarded, opener, waiting, address, deadline)
        # Who opens an address for a person knows that the answer takes a person's time.
        wait = self.wait if opened == "accept" else seconds_to_wait(caller.program, self.wait)
        until = min(anyio.current_time() + wait, begun + wait if wait <= UNKNOWN_SECONDS else math.inf, deadline)
        if not await decided(self._questions, waiting, caller, until):
            raise words.waiting(guarded, where)
        guarded.outcome.channel = waiting.place
        if opener is not None and waiting.place == "page":
            await opener.close(waiting.question)
        if waiting.verdict is Verdict.YES:
            return waiting
        if waiting.verdict is Verdict.NONE:
            await self._acts.taken_by_another(guarded, waiting)
        await self._questions.tell(waiting)
        raise words.declined(guarded, waiting)

    async def _approved_in_client(
        self, guarded: GuardedCall, asker: Asker, pending: PendingQuestion, deadline: float
    ) -> bool:
        """Whether a person said yes in the client or terminal that called; False where nobody answered."""
        caller = guarded.caller
        pending.place = "terminal" if caller.route == "terminal" else "form"
        verdict = Verdict.NONE
        try:
            with anyio.CancelScope(deadline=deadline) as patience:
                verdict = await asker.ask(pending.question)
        except AskFirst:
            await self._questions.sent(pending)
            self._acts.see_to(guarded, pending)
            raise
        except ApprovalNeeded:  # the server is being stopped
            await self._questions.take(pending)
            raise
        self.note(guarded, verdict)
        if patience.cancelled_caught:
            await self._questions.sent(pending, MAX_SILENT)
        else:
            await self._questions.heard(caller.principal)
        if verdict is Verdict.YES:
            return True
        if verdict is Verdict.NO:
            await self._questions.deny(pending, pending.place)
            raise words.declined(guarded, pending)
        await self._questions.take(pending)
        return False

    async def _opened(
        self, guarded: GuardedCall, opener: Opener, pending: PendingQuestion, address: str, deadline: float
    ) -> Opened | None:
        """What the client said of the address; None where the question was answered, or the time was over, before.

        That its person does not want to open it is a no. Raises the opener's AskFirst.
        """
        challenge = pending.question.challenge
        if opener.answered == challenge:
            opened = await opener.open(pending.question, address)
        else:
            opened = await self._while_it_is_open(guarded, opener, pending, address, deadline)
        if opened is not None:
            await self._questions.heard(guarded.caller.principal)
        elif pending.verdict is Verdict.NONE and pending.ending is None:
            await self._questions.sent(pending, MAX_SILENT)
        if opened == "decline" and not await self._questions.decide(challenge, False, "form"):
            await self._questions.take_back(challenge)  # a yes on the page that nobody has used
        return opened

    async def _while_it_is_open(
        self, guarded: GuardedCall, opener: Opener, pending: PendingQuestion, address: str, deadline: float
    ) -> Opened | None:
        opened: Opened | None = None
        ended: AskFirst | ClinikoMcpError | None = None  # which a task group would wrap
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                nonlocal ended
                try:
                    await decided(self._questions, pending, guarded.caller, deadline)
                except ClinikoMcpError as problem:
                    ended = problem
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            try:
                opened = await opener.open(pending.question, address)
            except AskFirst as first:
                ended = first
            tasks.cancel_scope.cancel()
        if ended is not None:
            raise ended
        return opened

    async def put_on_page(
        self,
        page: Page,
        guarded: GuardedCall,
        matter: Matter,
        described: Preview,
        account: Account,
        known: PendingQuestion | None,
    ) -> tuple[PendingQuestion, str]:
        """A new question about this matter, on the page, and a sentence that says where to answer it.

        Raises ApprovalNeeded where as many wait there as may, or the same is being carried out, and AlreadyDone where
        it was since `known` was the newest question about it to have ended.
        """
        who = guarded.caller
        pending = await self._questions.create(matter, described, who.program, account, who.call, who.name)
        await self._acts.give_way(guarded, pending, known)
        if not await self._questions.show(pending):
            await self._questions.take(pending)
            raise words.too_many()
        self._acts.see_to(guarded, pending)
        return pending, page.invite()

    async def on_page(self, guarded: GuardedCall, matter: Matter) -> PendingQuestion | None:
        """The question about this matter that is on the page, for those who have one."""
        return await self._questions.shown(matter) if guarded.caller.route == self._page_for else None

    def note(self, guarded: GuardedCall, verdict: Verdict) -> None:
        """Note the channel of an answer that came from the client or the terminal."""
        if verdict is not Verdict.NONE:
            guarded.outcome.channel = "terminal" if guarded.caller.route == "terminal" else "form"

    async def whose(self, guarded: GuardedCall) -> Account:
        """Whose clinic the questions are about; read once."""
        if self._account is None:
            self._account = await whose(guarded.reader, demo=self._demo)
        return self._account
