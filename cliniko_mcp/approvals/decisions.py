"""What a person decides on the page or at a terminal, and how that ends."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cliniko_mcp.approvals.pin import Checked, Pin
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import ApprovalPlace, PendingQuestion


class Answer(StrEnum):
    """What a person does about a question."""

    APPROVE = "approve"
    DENY = "deny"
    OTHER = "other"
    """A no to just this."""
    WITHDRAW = "withdraw"
    """A yes taken back."""
    REOPEN = "reopen"
    """A no lifted."""


class Outcome(StrEnum):
    """How a decision ended; the words are shown to the person."""

    APPROVED = "Approved. It is being carried out."
    DENIED = "Denied. Nothing was changed."
    OTHER = "Not like this. Nothing was changed. The assistant may ask once more, with a change."
    WITHDRAWN = "Taken back. Nothing was changed."
    REOPENED = "Allowed again. The assistant may ask about it once more."
    ALL_DENIED = "All denied. Nothing was changed."
    GONE = "This question is no longer open. Nothing was done. If it is still wanted, the assistant can ask again."
    USED = "Too late. What you approved is being carried out already, or has ended."
    WRONG = "That is not the PIN. Nothing was approved."
    LOCKED = "Too many wrong PINs. Nothing was approved. Wait five minutes, then try again."
    BROKEN = "The PIN cannot be checked, so nothing was approved. Set it again: cliniko-mcp approve --set-pin"


_REFUSED: Final = {Checked.WRONG: Outcome.WRONG, Checked.LOCKED: Outcome.LOCKED, Checked.BROKEN: Outcome.BROKEN}


class Decisions:
    """Takes a person's answers to the open questions, with the PIN where one is set."""

    def __init__(self, questions: Questions, pin: Pin) -> None:
        self._questions = questions
        self._pin = pin

    @property
    def needs_pin(self) -> bool:
        """Whether a yes needs the PIN; a no never does."""
        return self._pin.is_set

    def waiting(self) -> list[PendingQuestion]:
        """The questions that nobody has answered yet, oldest first."""
        return self._questions.waiting()

    def unused(self) -> list[PendingQuestion]:
        """The questions that were approved and are not being carried out yet: they can be taken back."""
        return self._questions.unused()

    def recent(self) -> list[PendingQuestion]:
        """The questions that are being carried out or ended within the last ten minutes, newest first."""
        return self._questions.recent()

    def denials(self) -> list[PendingQuestion]:
        """The questions whose no still holds: it can be lifted."""
        return self._questions.denials()

    def find(self, challenge: str) -> PendingQuestion | None:
        """The question with this challenge, open or ended; None where it is not known any more."""
        return self._questions.find(challenge)

    def decide(self, challenge: str, answer: Answer, typed: str, place: ApprovalPlace) -> Outcome:
        """Answer one question; how that ended. `typed` is the PIN, which only a yes needs.

        An answer to a question that is not waiting changes nothing and tries no PIN.
        """
        if answer is Answer.WITHDRAW:
            return Outcome.WITHDRAWN if self._questions.take_back(challenge) else Outcome.USED
        if answer is Answer.REOPEN:
            return Outcome.REOPENED if self._questions.reopen(challenge) else Outcome.GONE
        if all(pending.question.challenge != challenge for pending in self._questions.waiting()):
            return Outcome.GONE
        if answer is Answer.APPROVE and self._pin.is_set:
            checked = self._pin.check(typed)
            if checked is not Checked.RIGHT:
                return _REFUSED[checked]
        if not self._questions.decide(challenge, answer is Answer.APPROVE, place, other=answer is Answer.OTHER):
            return Outcome.GONE
        return {Answer.APPROVE: Outcome.APPROVED, Answer.DENY: Outcome.DENIED, Answer.OTHER: Outcome.OTHER}[answer]

    def deny_all(self, challenges: Sequence[str], place: ApprovalPlace) -> Outcome:
        """Deny all of these questions that still wait, which are those that the person saw."""
        denied = [self._questions.decide(challenge, False, place) for challenge in challenges]
        return Outcome.ALL_DENIED if any(denied) else Outcome.GONE
