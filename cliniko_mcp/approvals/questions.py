"""The questions that wait for a person's answer: each about one exact call, open for ten minutes, good for one use.

A challenge is the digest of everything the answer is bound to, with a nonce; it counts only while it is in this table,
so that only a question that this process asked, and that has not been used, is recognised. Used from several threads.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Literal, Protocol

from cliniko_mcp.approvals.digest import arguments, digest, plain_id
from cliniko_mcp.cliniko.calls import Call

OPEN_FOR: Final = timedelta(minutes=10)
"""How long a question may be answered, and a yes be used."""
DENIED_FOR: Final = timedelta(minutes=15)
"""How long a no holds for the same call."""
MAX_KEPT: Final = 1_000
"""How many questions, and how many denials, are kept; the oldest go first."""
MAX_SHOWN: Final = 20
"""How many questions may wait on the page at once: a person has to read each of them."""

ApprovalPlace = Literal["page", "terminal"]


class Verdict(Enum):
    """What a person answered."""

    YES = "yes"
    NO = "no"
    NONE = "none"
    """No answer, or no way to ask: the next channel is tried."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: a title, the preview in sentences, and the challenge that the answer is bound to.

    `challenge` is the digest of operation, arguments, facts, nonce and expiry; it gives away no secret and no name.
    """

    title: str
    preview: str
    challenge: str
    expires: float
    """In Unix seconds on the clock of the clinic."""


class AskFirst(Exception):
    """Not a failure: raised by an asker whose protocol wants the question returned and the call repeated.

    The server turns it into an input-required result; the repeated call carries `question.challenge` back, sealed.
    """

    def __init__(self, question: Question) -> None:
        super().__init__("a person has to be asked first")
        self.question = question


class Asker(Protocol):
    """A way to ask the person behind the client."""

    async def ask(self, question: Question) -> Verdict:
        """The person's answer. Raises AskFirst where it can only come with a repeated call."""
        ...

    @property
    def answered(self) -> str | None:
        """The challenge that came back with this call, or None when this call answers nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Matter:
    """What an answer is bound to: who asks for which call on which record, and everything the person is shown.

    `arguments` is their canonical text, `target` resource and id, `facts` a digest; empty before anything was read.
    """

    principal: str
    operation: str
    arguments: str
    target: str
    facts: str = ""

    @classmethod
    def of(cls, principal: str, call: Call) -> "Matter":
        """What this call of this principal is about, before anything has been read."""
        target = f"{call.operation.resource}/{plain_id(call.target or '')}"
        return cls(principal, call.operation.name, arguments(call), target)

    @property
    def call(self) -> str:
        """A digest of the call alone, 64 hexadecimal digits: the same for equal calls of one principal, whatever the
        record says by now."""
        return digest(self.principal, self.operation, self.arguments, self.target)


@dataclass(slots=True)
class PendingQuestion:
    """A question about one call, and what became of it."""

    matter: Matter
    question: Question
    program: str
    shown: bool = False
    verdict: Verdict = Verdict.NONE
    place: ApprovalPlace = "page"


class Questions:
    """The table of open questions, and of denials that still hold."""

    def __init__(self, now: Callable[[], datetime], token: Callable[[], str]) -> None:
        """`now` is the clock that questions expire by; `token` gives a fresh unguessable text each time, for nonces."""
        self._now = now
        self._token = token
        self._open: dict[str, PendingQuestion] = {}
        self._denied: dict[str, float] = {}
        self._lock = threading.Lock()

    def create(self, matter: Matter, title: str, preview: str, program: str = "") -> PendingQuestion:
        """A new question about this matter, open from now on; it is on the page only once it is shown there."""
        with self._lock:
            expires = (self._now() + OPEN_FOR).timestamp()
            parts = (matter.principal, matter.operation, matter.arguments, matter.target, matter.facts)
            challenge = digest(*parts, repr(expires), self._token())
            pending = PendingQuestion(matter, Question(title, preview, challenge, expires), program)
            if len(self._open) >= MAX_KEPT:
                del self._open[next(iter(self._open))]
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
                del self._open[pending.question.challenge]
                return None
            return pending

    def take(self, pending: PendingQuestion) -> bool:
        """Use the question up: True the first time, while it is open, and False ever after."""
        with self._lock:
            self._forget()
            return self._open.pop(pending.question.challenge, None) is not None

    def show(self, pending: PendingQuestion) -> bool:
        """Put the question on the page; False, having done nothing, where MAX_SHOWN wait there already."""
        with self._lock:
            self._forget()
            if sum(other.shown and other.verdict is Verdict.NONE for other in self._open.values()) >= MAX_SHOWN:
                return False
            pending.shown = True
            return True

    def shown(self, matter: Matter) -> PendingQuestion | None:
        """The question on the page about this same matter, or None; one whose facts have changed since is closed."""
        with self._lock:
            self._forget()
            for challenge, pending in list(self._open.items()):
                if pending.shown and pending.matter.call == matter.call:
                    if pending.matter == matter:
                        return pending
                    del self._open[challenge]
            return None

    def waiting(self) -> list[PendingQuestion]:
        """The questions on the page that nobody has answered yet, oldest first."""
        with self._lock:
            self._forget()
            return [pending for pending in self._open.values() if pending.shown and pending.verdict is Verdict.NONE]

    def decide(self, challenge: str, approved: bool, place: ApprovalPlace) -> bool:
        """Answer a question on the page; False where it is no longer waiting."""
        with self._lock:
            self._forget()
            pending = self._open.get(challenge)
            if pending is None or not pending.shown or pending.verdict is not Verdict.NONE:
                return False
            pending.verdict, pending.place = (Verdict.YES if approved else Verdict.NO), place
            if not approved:
                self._deny(pending)
            return True

    def deny(self, pending: PendingQuestion) -> None:
        """Close the question and remember for 15 minutes that a person said no to this call."""
        with self._lock:
            self._deny(pending)

    def denied(self, call: str) -> bool:
        """Whether a person said no to this call, named by `Matter.call`, in the last 15 minutes."""
        with self._lock:
            self._forget()
            return call in self._denied

    def _about(self, challenge: str | None, matter: Matter) -> PendingQuestion | None:
        self._forget()
        pending = self._open.get(challenge) if challenge is not None else None
        return pending if pending is not None and pending.matter.call == matter.call else None

    def _deny(self, pending: PendingQuestion) -> None:
        self._open.pop(pending.question.challenge, None)
        if len(self._denied) >= MAX_KEPT:
            del self._denied[next(iter(self._denied))]
        self._denied[pending.matter.call] = (self._now() + DENIED_FOR).timestamp()

    def _forget(self) -> None:
        now = self._now().timestamp()
        for challenge in [key for key, pending in self._open.items() if pending.question.expires <= now]:
            del self._open[challenge]
        for call in [key for key, until in self._denied.items() if until <= now]:
            del self._denied[call]
