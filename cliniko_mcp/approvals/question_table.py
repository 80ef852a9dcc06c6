"""The table of the questions that this process asked: what waits, what is carried out, what ended, and what was denied.

A challenge counts only while it is in this table, so that only a question that this process asked, and that has not
been used, is recognised. Used from several threads.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.approvals.questions import ApprovalPlace, Ending, Matter, PendingQuestion, Question, Verdict
from cliniko_mcp.approvals.shown import NOWHERE, Account, Preview
from cliniko_mcp.errors import ClinikoMcpError

OPEN_FOR: Final = timedelta(minutes=10)
"""How long a question may be answered, a yes be used, and how it ended be told."""
DENIED_FOR: Final = timedelta(minutes=15)
"""How long a no holds for the same record and effect."""
MAX_KEPT: Final = 1_000
"""How many questions, and how many denials, are kept; the oldest go first."""
MAX_KEPT_EACH: Final = 200
"""How many open questions of one principal are kept; their own oldest go first."""
MAX_SHOWN: Final = 20
"""How many questions may wait on the page at once: a person has to read each of them."""
MAX_SHOWN_EACH: Final = 10
"""How many of them may be of one principal, so that one caller cannot fill the page for the others."""
MAX_SHOWN_APART: Final = 200
"""How many may wait at once where each person sees their own: two who ask for much leave room for a whole clinic."""
MAX_SILENT: Final = 2
"""How many rounds may go without an answer before a form is taken for one that is never shown."""
_SOON: Final = timedelta(seconds=5)
"""Until a question about another record counts as one that got no answer."""
_LIVE: Final = timedelta(seconds=50)
"""How long a question in a form is thought to be before somebody's eyes."""


@dataclass(slots=True)
class Denial:
    """A no that holds for a while."""

    pending: PendingQuestion
    until: float
    spare: bool
    """Whether one changed question is let through still."""
    passed: str | None = None
    """The call that was let through."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that a table of questions holds; the questions stand in it by their challenges."""

    open: dict[str, PendingQuestion] = field(default_factory=dict[str, PendingQuestion])
    closed: dict[str, PendingQuestion] = field(default_factory=dict[str, PendingQuestion])
    denied: dict[tuple[str, str, str], Denial] = field(default_factory=dict[tuple[str, str, str], Denial])
    silent: dict[str, dict[str, tuple[PendingQuestion, int]]] = field(
        default_factory=dict[str, dict[str, tuple[PendingQuestion, int]]]
    )
    """Forms that went out to a principal, with the rounds that each counts for, since anything was heard of them."""


class Questions:
    """The table of questions: open, being carried out, closed within the last ten minutes, and denials that hold."""

    def __init__(
        self,
        now: Callable[[], datetime],
        token: Callable[[], str],
        holds: Tables | None = None,
        most_shown: int = MAX_SHOWN,
    ) -> None:
        """`now` is the clock that questions expire by; `token` gives a fresh unguessable text each time, for nonces.

        `holds` is what is in it already, `most_shown` how many may wait on the page.
        """
        self._most_shown = most_shown
        self._now = now
        self._token = token
        self.on_change: Callable[[str], None] = _nobody
        """Told the challenge of a question of which something became, in the thread in which it did."""
        self.holds = holds or Tables()
        self._open, self._closed = self.holds.open, self.holds.closed
        self._denied, self._silent = self.holds.denied, self.holds.silent
        self._lock = threading.Lock()

    def create(
        self,
        matter: Matter,
        preview: Preview,
        program: str = "",
        account: Account = NOWHERE,
        made_by: str = "",
        asked_by: str = "",
    ) -> PendingQuestion:
        """A new question about this matter, open from now on; it is on the page only once it is shown there.

        `program` is the client's name, `made_by` the digest of the tool call that leads to it, `asked_by` whose it is.
        An older one of the same principal about the same record, by another call, is replaced.
        """
        with self._lock:
            now = self._now()
            expires = (now + OPEN_FOR).timestamp()
            parts = (matter.principal, matter.operation, matter.arguments, matter.target, matter.facts)
            challenge = digest(*parts, repr(expires), self._token())
            question = Question(preview, challenge, expires, account)
            pending = PendingQuestion(matter, question, program, now.timestamp(), made_by=made_by, asked_by=asked_by)
            own = [other for other in self._open.values() if other.matter.principal == matter.principal]
            for older in own:
                if older.matter.target == matter.target and older.matter.call != matter.call:
                    self._close(older, "replaced")
            if len(own) >= MAX_KEPT_EACH:
                self._open.pop(own[0].question.challenge, None)
            if len(self._open) >= MAX_KEPT:
                del self._open[next(iter(self._open))]
            for denial in self._denials(matter):
                if denial.spare:
                    denial.spare, denial.passed = False, matter.call
            self._open[challenge] = pending
            return pending

    def knows(self, challenge: str | None, matter: Matter) -> bool:
        """Whether the question with this challenge is open and about the same call, whatever its facts are by now."""
        with self._lock:
            return self._about(challenge, matter) is not None

    def recognise(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        """The question with this challenge, if it is open and was asked about exactly this matter; else None.

        One about the same call whose facts have changed since is closed.
        """
        with self._lock:
            pending = self._about(challenge, matter)
            if pending is not None and pending.matter.facts != matter.facts:
                self._close(pending, "changed")
                return None
            return pending

    def take(self, pending: PendingQuestion) -> bool:
        """Use the question up: True the first time, while it is open, and False ever after."""
        with self._lock:
            self._forget()
            return self._open.pop(pending.question.challenge, None) is not None

    def start(self, pending: PendingQuestion, place: ApprovalPlace, *, told: bool = True) -> bool:
        """Use the question up and begin to carry it out: True the first time, while it is open, and False ever after.

        One on the page needs a yes that holds there. `finish` has to follow. `told`: whether a call tells how it ends.
        """
        with self._lock:
            self._forget()
            # Since a yes was seen it may have been withdrawn and the question opened again, or never been kept.
            if pending.shown and pending.verdict is not Verdict.YES:
                return False
            if self._open.pop(pending.question.challenge, None) is None:
                return False
            pending.acting, pending.place, pending.verdict, pending.told = True, place, Verdict.YES, told
            self._keep(pending)
            self._became(pending)
            return True

    def finish(self, pending: PendingQuestion, ending: Ending, problem: ClinikoMcpError | None = None) -> None:
        """Write down how a question ended; one that has ended already stays as it is."""
        with self._lock:
            if pending.ending is None:
                pending.problem = problem
                self._close(pending, ending)

    def show(self, pending: PendingQuestion) -> bool:
        """Put the question on the page; False, having done nothing, where as many as may wait there do already."""
        with self._lock:
            self._forget()
            waiting = [other for other in self._open.values() if other.shown and other.verdict is Verdict.NONE]
            own = sum(other.matter.principal == pending.matter.principal for other in waiting)
            if len(waiting) >= self._most_shown or own >= MAX_SHOWN_EACH:
                return False
            pending.shown = True
            return True

    def shown(self, matter: Matter) -> PendingQuestion | None:
        """The question on the page about this same matter, or None; one whose facts have changed since is closed."""
        with self._lock:
            self._forget()
            for pending in list(self._open.values()):
                if pending.shown and pending.matter.call == matter.call:
                    if pending.matter == matter:
                        return pending
                    self._close(pending, "changed")
            return None

    def waiting(self) -> list[PendingQuestion]:
        """The questions on the page that nobody has answered yet, oldest first."""
        with self._lock:
            self._forget()
            return [pending for pending in self._open.values() if pending.shown and pending.verdict is Verdict.NONE]

    def unused(self) -> list[PendingQuestion]:
        """The questions on the page that were approved and are not being carried out yet, oldest first."""
        with self._lock:
            self._forget()
            return [pending for pending in self._open.values() if pending.verdict is Verdict.YES]

    def recent(self) -> list[PendingQuestion]:
        """The questions that are being carried out, or have ended within the last ten minutes, newest first."""
        with self._lock:
            self._forget()
            return list(reversed(self._closed.values()))

    def listed(self) -> list[list[PendingQuestion]]:
        """What waits, what is unused, what is recent and the denials."""
        return [self.waiting(), self.unused(), self.recent(), self.denials()]

    def find(self, challenge: str) -> PendingQuestion | None:
        """The question with this challenge, open or closed; None where it is not kept any more."""
        with self._lock:
            self._forget()
            return self._open.get(challenge) or self._closed.get(challenge)

    def ended(self, matter: Matter) -> PendingQuestion | None:
        """The newest question about the same call that is being carried out or has ended, or None."""
        with self._lock:
            self._forget()
            found = (item for item in reversed(self._closed.values()) if item.matter.call == matter.call)
            return next(found, None)

    def removed(self, matter: Matter) -> PendingQuestion | None:
        """The newest question of this principal by which the same was done to the same record, or None."""
        with self._lock:
            self._forget()
            same = (item for item in reversed(self._closed.values()) if item.matter.subject == matter.subject)
            return next((item for item in same if item.ending == "done"), None)

    def done_by(self, principal: str, call: str) -> PendingQuestion | None:
        """The newest question of this principal's equal tool call that ended with what was asked for, or None."""
        with self._lock:
            self._forget()
            same = (item for item in reversed(self._closed.values()) if item.made_by == call and call)
            return next((item for item in same if item.ending == "done" and item.matter.principal == principal), None)

    def decide(
        self, challenge: str, approved: bool, place: ApprovalPlace, *, other: bool = False, by: str = ""
    ) -> bool:
        """Answer a question on the page; False where it is no longer waiting. `other` is a no to just this.

        `by` is who answers, as the audit log shows them."""
        with self._lock:
            self._forget()
            pending = self._open.get(challenge)
            if pending is None or not pending.shown or pending.verdict is not Verdict.NONE:
                return False
            pending.verdict, pending.place = (Verdict.YES if approved else Verdict.NO), place
            pending.answered_by = by
            if not approved:
                self._deny(pending, "other" if other else "denied")
            self._became(pending)
            return True

    def take_back(self, challenge: str) -> bool:
        """Take back a yes; False where it was used already. From then on it counts as a no."""
        with self._lock:
            self._forget()
            pending = self._open.get(challenge)
            if pending is None or pending.verdict is not Verdict.YES:
                return False
            pending.verdict = Verdict.NO
            self._deny(pending, "withdrawn")
            return True

    def reopen(self, challenge: str) -> bool:
        """Lift the no that was said to this question; False where none holds. It waits again while it has time left."""
        with self._lock:
            self._forget()
            held = (denial.pending for denial in self._denied.values())
            pending = next((denied for denied in held if denied.question.challenge == challenge), None)
            if pending is None:
                return False
            del self._denied[pending.matter.subject]
            self._closed.pop(challenge, None)
            pending.told = False
            if pending.shown and pending.question.expires > self._now().timestamp():
                pending.verdict, pending.ending = Verdict.NONE, None
                self._open[challenge] = pending
            self._became(pending)
            return True

    def denials(self) -> list[PendingQuestion]:
        """The questions whose no still holds, oldest first."""
        with self._lock:
            self._forget()
            return [denial.pending for denial in self._denied.values()]

    def deny(self, pending: PendingQuestion, place: ApprovalPlace = "form") -> None:
        """Close the question and remember for 15 minutes that a person said no, there, to its effect on its record."""
        with self._lock:
            pending.verdict, pending.place = Verdict.NO, place
            self._deny(pending, "denied")

    def denied(self, matter: Matter) -> bool:
        """Whether a person said no to this effect on this record in the last 15 minutes, and lets no change through."""
        with self._lock:
            self._forget()
            return any(
                matter.call != denial.passed and (not denial.spare or matter.call == denial.pending.matter.call)
                for denial in self._denials(matter)
            )

    def elsewhere(self, matter: Matter) -> bool:
        """Whether another principal's question about the same record is before a person just now."""
        with self._lock:
            self._forget()
            live = (self._now() - _LIVE).timestamp()
            return any(
                other.matter.target == matter.target
                and other.matter.principal != matter.principal
                and (other.shown or other.asked_at > live)
                for other in self._open.values()
            )

    def sent(self, pending: PendingQuestion, rounds: int = 1) -> None:
        """Note that this question went out in a form; it is silent until something is heard of this principal.

        One that waited as long as a call may counts as several rounds.
        """
        with self._lock:
            self._silent.setdefault(pending.matter.principal, {})[pending.question.challenge] = pending, rounds

    def heard(self, principal: str) -> None:
        """Note that an answer of this principal's client came, or that asking it failed in the open."""
        with self._lock:
            self._silent.pop(principal, None)

    def unheard(self, matter: Matter) -> bool:
        """Whether forms sent to this principal's client are never shown: two rounds without an answer."""
        with self._lock:
            self._forget()
            soon = (self._now() - _SOON).timestamp()
            sent = self._silent.get(matter.principal, {}).values()
            silent = (
                rounds
                for pending, rounds in sent
                if pending.matter.target == matter.target or pending.asked_at <= soon or rounds > 1
            )
            return sum(silent) >= MAX_SILENT

    def _about(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        self._forget()
        pending = self._open.get(challenge) if challenge is not None else None
        return pending if pending is not None and pending.matter.call == matter.call else None

    def _close(self, pending: PendingQuestion, ending: Ending) -> None:
        self._open.pop(pending.question.challenge, None)
        pending.ending, pending.ended = ending, self._now().timestamp()
        self._keep(pending)
        self._became(pending)

    def _became(self, pending: PendingQuestion) -> None:
        pending.changes += 1
        self.on_change(pending.question.challenge)

    def _keep(self, pending: PendingQuestion) -> None:
        self._closed.pop(pending.question.challenge, None)
        if len(self._closed) >= MAX_KEPT:
            del self._closed[next(iter(self._closed))]
        self._closed[pending.question.challenge] = pending

    def _deny(self, pending: PendingQuestion, ending: Ending) -> None:
        self._close(pending, ending)
        subject = pending.matter.subject
        for other in [item for item in self._open.values() if pending.matter.covers(item.matter)]:
            self._close(other, "denied")
        self._denied.pop(subject, None)
        if len(self._denied) >= MAX_KEPT:
            del self._denied[next(iter(self._denied))]
        until = (self._now() + DENIED_FOR).timestamp()
        self._denied[subject] = Denial(pending, until, spare=ending == "other")

    def _denials(self, matter: Matter) -> list[Denial]:
        return [denial for denial in self._denied.values() if denial.pending.matter.covers(matter)]

    def _forget(self) -> None:
        now = self._now()
        for challenge in [key for key, pending in self._open.items() if pending.question.expires <= now.timestamp()]:
            del self._open[challenge]
        for subject in [key for key, denial in self._denied.items() if denial.until <= now.timestamp()]:
            del self._denied[subject]
        kept = (now - OPEN_FOR).timestamp()
        for challenge in [key for key, item in self._closed.items() if item.ending is not None and item.ended <= kept]:
            del self._closed[challenge]
        for principal, rounds in list(self._silent.items()):
            left = {key: item for key, item in rounds.items() if item[0].asked_at > kept}
            if left:
                self._silent[principal] = left
            else:
                del self._silent[principal]


def _nobody(_challenge: str) -> None:
    """Nobody waits for an answer."""
