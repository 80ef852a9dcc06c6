"""The questions that are put to a person: each about one exact call, open for ten minutes, good for one use.

A question is asked, answered, carried out and closed, and how it ended is kept for ten minutes.

A challenge is the digest of everything the answer is bound to, with a nonce.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Literal, Protocol

from cliniko_mcp.approvals.digest import arguments, digest, plain_id
from cliniko_mcp.approvals.shown import NOWHERE, Account, Preview, clock_words
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import ClinikoMcpError

ApprovalPlace = Literal["page", "terminal", "form"]
REMOVAL: Final = "removal"
"""The effect of everything that archives, deletes or cancels."""
AS_GOOD_AS_REMOVED: Final = frozenset({"emptied", "list", "questions", "start", "template", "text"})
"""The effects of updates that leave as little of a record as its removal, by the names of their rules."""
Ending = Literal["done", "failed", "denied", "other", "changed", "replaced", "withdrawn"]
"""How a question closed: `other` is a no to just this, which lets one changed question through; `withdrawn` a yes that
was taken back in time."""


class Verdict(Enum):
    """What a person answered."""

    YES = "yes"
    NO = "no"
    NONE = "none"
    """No answer, or no way to ask: the next channel is tried."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: the preview, whose clinic it is about, and the challenge that the answer is bound to.

    `challenge` is the digest of operation, arguments, facts, nonce and expiry; it gives away no secret and no name.
    """

    preview: Preview
    challenge: str
    expires: float
    """In Unix seconds on the clock of the clinic."""
    account: Account = NOWHERE

    @property
    def title(self) -> str:
        """The act as a short question."""
        return self.preview.title

    @property
    def text(self) -> str:
        """What a form or a terminal shows below the title: whose clinic it is, then a fact a line."""
        return f"{whose}\n{self.preview.text}" if (whose := self.account.words) else self.preview.text


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
    effect: str = ""
    """What the call does to the record, the same for every operation that does it; several words where it does several
    things that a person is asked about."""

    @classmethod
    def of(cls, principal: str, call: Call) -> "Matter":
        """What this call of this principal is about, before anything has been read."""
        operation = call.operation
        # Archiving, deleting and cancelling by whatever name take the record away.
        effect = REMOVAL if operation.risk is Risk.DESTRUCTIVE else operation.name
        target = f"{operation.resource}/{'/'.join(map(plain_id, call.ids.values()))}"
        return cls(principal, operation.name, arguments(call), target, effect=effect)

    @property
    def call(self) -> str:
        """A digest of the call alone, 64 hexadecimal digits: the same for equal calls of one principal, whatever the
        record says by now."""
        return digest(self.principal, self.operation, self.arguments, self.target)

    @property
    def subject(self) -> tuple[str, str, str]:
        """What a no is about: this effect on this record for this principal, however it is worded."""
        return self.principal, self.target, self.effect

    def covers(self, other: "Matter") -> bool:
        """Whether a no to this one holds for the other: the same record and principal, and at least in part the same.

        A no to a removal also holds for an update that leaves as little of the record. It is not so the other way
        round: who does not want a note emptied may want it archived.
        """
        if (self.principal, self.target) != (other.principal, other.target):
            return False
        effects = {*self.effect.split(), *(AS_GOOD_AS_REMOVED if self.effect == REMOVAL else ())}
        return self.effect == other.effect or not effects.isdisjoint(other.effect.split())


@dataclass(slots=True, eq=False, weakref_slot=True)
class PendingQuestion:
    """A question about one call, and what became of it."""

    matter: Matter
    question: Question
    program: str
    asked_at: float
    """In Unix seconds."""
    shown: bool = False
    verdict: Verdict = Verdict.NONE
    place: ApprovalPlace = "page"
    acting: bool = False
    """Whether it is being carried out, or was."""
    ending: Ending | None = None
    """How it closed; None while it is open or being carried out."""
    ended: float = 0.0
    problem: ClinikoMcpError | None = None
    """Why it was not done, where it failed."""
    made_by: str = ""
    """A digest of the tool call that led to it."""
    told: bool = False
    """Whether a caller has heard how it ended."""
    changes: int = 0
    """How often something became of it."""
    asked_by: str = ""
    """What colleagues call whoever asks; empty where nobody says."""
    answered_by: str = ""
    """Who answered on a page with a login, as the audit log shows them."""

    @property
    def at(self) -> str:
        """The clinic's time of day at which it ended: `3:02 pm`."""
        return clock_words(datetime.fromtimestamp(self.ended, self.question.account.zone))


class PageYes:
    """The asker of a yes that is carried out when no call waits for it."""

    def __init__(self, pending: PendingQuestion) -> None:
        self.pending = pending

    @property
    def answered(self) -> str | None:
        """The challenge of the question that was answered."""
        return self.pending.question.challenge

    async def ask(self, question: Question) -> Verdict:
        """What the person answered."""
        return self.pending.verdict
