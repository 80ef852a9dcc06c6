"""Whatever is called, in whatever order: only what a person was shown and said yes to is destroyed, and once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import anyio
import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cliniko_mcp.approvals.digest import arguments
from cliniko_mcp.approvals.losses import Earlier, changed
from cliniko_mcp.approvals.preview import preview
from cliniko_mcp.approvals.questions import AskFirst, Matter, Question, Verdict
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.errors import ApprovalNeeded, ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller
from tests.guards.every_kind import an_app
from tests.guards.gate import RoundTrip, call
from tests.guards.spellings import SPELLINGS, UPDATES, Spelling
from tests.guards.taken import Before, remember, takes_away

Answer = Literal["yes", "no", "silence"]
VERDICTS = {"yes": Verdict.YES, "no": Verdict.NO, "silence": Verdict.NONE}
PRINCIPALS = ("local", "somebody else")


@dataclass
class Yes:
    """A person's yes: to which call of whom, as it was shown, and when the question was put."""

    principal: str
    operation: str
    arguments: str
    shown: str
    asked_at: datetime
    used: bool = False


class Gate(RuleBasedStateMachine):
    """Calls by every route, people who answer as they like, a clinic that changes meanwhile, and forged answers."""

    spellings = SPELLINGS

    @initialize(policy=st.sampled_from(["auto", "auto", "strict", "block"]), paged=st.booleans())
    def open(self, policy: str, paged: bool) -> None:
        self.policy = policy
        self.app = an_app(policy=policy, paged=paged)
        self.yeses: list[Yes] = []
        self.questions: list[tuple[Question, Call, str, datetime]] = []
        self.accounted = self.settled = self.approved = 0
        self.overlapping = False
        self.unasked: dict[tuple[str, str], Before] = {}
        self.later: list[Any] = []
        self.calls: dict[str, Call] = {}
        self.denied: dict[tuple[str, str, str], datetime] = {}

    def told(self, story: Callable[[], Awaitable[Any]]) -> Any:
        async def inner() -> Any:
            with anyio.fail_after(300):
                return await story()

        return anyio.run(inner)

    def attempt(self, called: Call, caller: Caller) -> None:
        """One call, and the account of what it did."""
        before = self.shown(called, caller.principal)
        self.told(lambda: self.quietly(called, caller))
        self.account_for(called, caller.principal, lambda: before)
        event(f"{called.operation.shape} on {caller.route}")

    def account_for(self, called: Call, principal: str, shown: Callable[[], str | None]) -> None:
        """Account for what a call of this principal did to the clinic: one yes for all that a person is asked about."""
        new = self.app.clinic.destroyed[self.accounted :]
        self.accounted += len(new)
        assert len(new) <= 1
        if new:
            self.match(called, principal, shown())
        for update in self.app.clinic.updates[self.settled :]:
            self.settled += 1
            if self.takes_away(update.call, principal, update.before, update.after):
                event("done after a yes")
                self.match(update.call, principal, shown())
                self.approved += 1
                self.unasked.pop(record_of(update.call, principal), None)
            else:
                event("done unasked")
                before = self.unasked.setdefault(record_of(update.call, principal), Before())
                remember(update.call.operation.resource, update.before, update.after, before, changed(update.call))

    def takes_away(self, called: Call, principal: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
        before = self.unasked.get(record_of(called, principal), Before())
        return takes_away(called.operation.resource, old, new, self.app.clock(), before)

    def questioned(self, called: Call, principal: str) -> None:
        """A question about this call is put to a person: there has to be a reason for it."""
        if called.operation.shape == "update" and not self.overlapping:
            old = self.app.clinic.records[called.operation.resource][called.ids["id"]]
            assert self.takes_away(called, principal, old, self.app.clinic.after(called, old)), "asked for nothing"
            event("asked about an update")

    async def quietly(self, called: Call, caller: Caller) -> None:
        self.calls[Matter.of(caller.principal, called).call] = called
        try:
            await self.app.act(called, caller)
        except AskFirst as first:
            self.questioned(called, caller.principal)
            self.questions.append((first.question, called, caller.principal, self.app.clock()))
        except ApprovalNeeded as needed:
            if "a person has been asked to approve it" in str(needed):
                self.questioned(called, caller.principal)
        except ClinikoMcpError:
            pass

    def shown(self, called: Call, principal: str) -> str | None:
        unasked = self.unasked.get(record_of(called, principal), Before())
        earlier = Earlier(frozenset(unasked.fields), unasked.letters)

        async def read() -> str | None:
            try:
                return (await preview(self.app.clinic, called, self.app.clock(), earlier)).text
            except ClinikoMcpError:
                return None

        text: str | None = self.told(read)
        return text

    def match(self, called: Call, principal: str, shown: str | None) -> None:
        """Take one yes for what was just destroyed; there has to be one."""
        key = (principal, called.operation.name, arguments(called))
        assert self.policy != "block"
        assert not (key in self.denied and self.app.clock() < self.denied[key])
        for yes in self.yeses:
            same = (yes.principal, yes.operation, yes.arguments, yes.shown) == (*key, shown)
            if same and not yes.used and self.app.clock() < yes.asked_at + timedelta(minutes=10):
                yes.used = True
                return
        raise AssertionError(f"{called.operation.name} was done without a yes")

    def say(self, answer: Answer, question: Question, called: Call, principal: str, asked_at: datetime) -> Verdict:
        """A person who was shown this question answers it."""
        key = (principal, called.operation.name, arguments(called))
        if answer == "yes":
            self.yeses.append(Yes(*key, question.text, asked_at))
        return VERDICTS[answer]

    def remember(self, principal: str, operation: str, arguments: str) -> None:
        self.denied[principal, operation, arguments] = self.app.clock() + timedelta(minutes=15)

    spelt = st.runner().flatmap(lambda machine: st.sampled_from(machine.spellings).flatmap(st.sampled_from))
    principal = st.sampled_from(PRINCIPALS)
    answer = st.sampled_from(["yes", "yes", "no", "silence"])

    @rule(spelt=spelt, principal=principal, route=st.sampled_from(["stdio", "http", "terminal"]))
    def call_with_nobody_asked(self, spelt: Spelling, principal: str, route: Any) -> None:
        self.attempt(call(spelt[0], **spelt[1]), Caller(principal=principal, route=route))

    @rule(
        spelt=spelt,
        principal=principal,
        route=st.sampled_from(["stdio", "http", "terminal"]),
        answer=answer,
        meanwhile=st.sampled_from(["nothing", "rename", "grow", "late"]),
    )
    def call_with_a_form(self, spelt: Spelling, principal: str, route: Any, answer: Answer, meanwhile: str) -> None:
        called = call(spelt[0], **spelt[1])
        gate = self

        class Asker:
            answered = None

            async def ask(self, question: Question) -> Verdict:
                await anyio.lowlevel.checkpoint()
                gate.questioned(called, principal)
                verdict = gate.say(answer, question, called, principal, gate.app.clock())
                if answer == "no":
                    gate.remember(principal, called.operation.name, arguments(called))
                gate.change(meanwhile)
                return verdict

        before = self.app.clinic.before_read
        self.attempt_while_changing(called, Caller(principal=principal, route=route, asker=Asker()))
        self.app.clinic.before_read = before

    def attempt_while_changing(self, called: Call, caller: Caller) -> None:
        """As `attempt`, where the record may change while the person thinks: only the last state counts."""
        self.told(lambda: self.quietly(called, caller))
        self.account_for(called, caller.principal, lambda: self.as_it_was(called, caller.principal))

    def as_it_was(self, called: Call, principal: str) -> str | None:
        """What was shown just before the last thing that was done."""
        clinic, resource, identity = self.app.clinic, called.operation.resource, called.ids["id"]
        if called.operation.shape == "update":
            raw, update = clinic.records[resource][identity], clinic.updates[-1]
            now = dict(raw)
            raw.clear()
            raw.update(update.before)
            shown = self.shown(called, principal)
            raw.clear()
            raw.update(now)
            return shown
        clinic.gone.discard((resource, identity))
        shown = self.shown(called, principal)
        clinic.gone.add((resource, identity))
        return shown

    @rule(spelt=spelt, principal=principal)
    def call_in_the_newer_era(self, spelt: Spelling, principal: str) -> None:
        self.attempt(call(spelt[0], **spelt[1]), Caller(principal=principal, route="http", asker=RoundTrip(None)))

    @rule(pick=st.integers(0, 20), answer=answer)
    def repeat_with_an_answer(self, pick: int, answer: Answer) -> None:
        """Somebody answers a question, perhaps one answered before, and the same call is repeated."""
        if self.questions:
            question, called, principal, asked_at = self.questions[pick % len(self.questions)]
            verdict = self.say(answer, question, called, principal, asked_at)
            caller = Caller(principal=principal, route="http", asker=RoundTrip(question.challenge, verdict))
            self.attempt(called, caller)

    @rule(
        spelt=spelt,
        principal=principal,
        pick=st.integers(0, 20),
        route=st.sampled_from(["stdio", "http"]),
        forged=st.one_of(st.none(), st.text(max_size=5), st.text("0123456789abcdef", min_size=64, max_size=64)),
    )
    def forge_an_answer(self, spelt: Spelling, principal: str, pick: int, route: Any, forged: str | None) -> None:
        """An answer that no person gave to this call: made up, or the challenge of another one."""
        called = call(spelt[0], **spelt[1])
        challenge = forged
        if forged is None and self.questions:
            question, other, asker, _ = self.questions[pick % len(self.questions)]
            same = (asker, other.operation.name, arguments(other))
            if same == (principal, called.operation.name, arguments(called)):
                return
            challenge = question.challenge
        asker_ = RoundTrip(challenge, Verdict.YES)
        self.attempt(called, Caller(principal=principal, route=route, asker=asker_))

    @rule(pick=st.integers(0, 20), approved=st.booleans())
    def answer_on_the_page(self, pick: int, approved: bool) -> None:
        waiting = self.app.questions.waiting()
        if waiting:
            asked = waiting[pick % len(waiting)]
            matter = asked.matter
            if approved:
                asked_at = datetime.fromtimestamp(asked.question.expires, tz=self.app.clock().tzinfo)
                key = (matter.principal, matter.operation, matter.arguments)
                self.yeses.append(Yes(*key, asked.question.text, asked_at - timedelta(minutes=10)))
            else:
                self.remember(matter.principal, matter.operation, matter.arguments)
            assert self.app.questions.decide(asked.question.challenge, approved, "page")
            assert not self.app.questions.decide(asked.question.challenge, True, "page")

    @rule()
    def the_server_carries_out_what_no_call_waits_for(self) -> None:
        """A yes on the page is used without a call: it needs a yes of its own like everything else."""
        work, self.app.work = self.app.work, []
        for pending, again in work:
            matter = pending.matter
            # What is not due now, because nobody said yes yet, is looked at again later.
            if pending.verdict is not Verdict.YES and pending.ending is None:
                self.later.append((pending, again))
                continue
            called = self.calls[matter.call]
            before = self.shown(called, matter.principal)
            self.app.work = [(pending, again)]
            self.told(self.app.goes_on)
            self.later += self.app.work
            self.account_for(called, matter.principal, lambda shown=before: shown)
            event("carried out without a call")
        self.app.work, self.later = self.later, []

    @rule(spelt=spelt, many=st.integers(2, 4))
    def call_several_at_once(self, spelt: Spelling, many: int) -> None:
        called = call(spelt[0], **spelt[1])
        gate = self

        class Asker:
            answered = None

            async def ask(self, question: Question) -> Verdict:
                await anyio.lowlevel.checkpoint()
                return gate.say("yes", question, called, "local", gate.app.clock())

        async def story() -> None:
            async with anyio.create_task_group() as tasks:
                for _ in range(many):
                    tasks.start_soon(self.quietly, called, Caller(asker=Asker()))

        shown = self.shown(called, "local")
        self.told(story)
        self.account_for(called, "local", lambda: shown)

    @rule(spelt=st.lists(spelt, min_size=2, max_size=4), principal=principal)
    def call_different_ones_at_once(self, spelt: list[Spelling], principal: str) -> None:
        """Nobody says yes to any of them: what one takes away counts for the next, however they overlap."""

        async def story() -> None:
            async with anyio.create_task_group() as tasks:
                for name, given in spelt:
                    called = call(name, **given)
                    tasks.start_soon(self.quietly, called, Caller(principal, route="http", asker=RoundTrip(None)))

        self.overlapping = True
        self.told(story)
        self.overlapping = False
        self.account_for(call(spelt[0][0], **spelt[0][1]), principal, lambda: None)

    @rule(seconds=st.sampled_from([1, 240, 599, 600, 901]))
    def time_passes(self, seconds: int) -> None:
        self.app.clock.pass_(seconds=seconds)

    @rule(what=st.sampled_from(["rename", "grow", "restore"]))
    def the_clinic_changes(self, what: str) -> None:
        self.change(what)

    def change(self, what: str) -> None:
        records, number = self.app.clinic.records, len(self.app.clinic.records["individual_appointments"])
        if what == "rename":
            patient = records["patients"]["1"]
            patient["last_name"] = "Silva" if patient["last_name"] == "Lima" else "Lima"
        elif what == "grow" and number < 12:
            rows = records["individual_appointments"]
            rows[str(20 + number)] = rows["22"] | {"id": str(20 + number)}
        elif what == "late":
            self.app.clock.pass_(minutes=11)
        elif what == "restore":
            self.app.clinic.gone.clear()
            fresh = an_app().clinic.records
            for resource in {update.call.operation.resource for update in self.app.clinic.updates}:
                for identity, raw in fresh[resource].items():
                    self.app.clinic.records[resource][identity].update(raw)

    @invariant()
    def everything_destroyed_is_accounted_for(self) -> None:
        if hasattr(self, "app"):
            assert len(self.app.clinic.destroyed) == self.accounted
            assert self.settled == len(self.app.clinic.updates)
            assert sum(yes.used for yes in self.yeses) == self.accounted + self.approved


def record_of(called: Call, principal: str) -> tuple[str, str]:
    return principal, f"{called.operation.resource}/{called.ids['id']}"


class GateOfUpdates(Gate):
    """The same for updates, some of which a person is asked about and some not, by what the record holds."""

    spellings = UPDATES


TestGate = Gate.TestCase
TestGateOfUpdates = pytest.mark.long(GateOfUpdates.TestCase)
TestGate.settings = TestGateOfUpdates.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
