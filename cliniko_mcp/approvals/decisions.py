"""What a person decides on the page or at a terminal, and how that ends."""

from enum import StrEnum
from typing import Final

from cliniko_mcp.approvals.pin import Checked, Pin
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import ApprovalPlace, PendingQuestion


class Outcome(StrEnum):
    """How a decision ended; the words are shown to the person."""

    APPROVED = "Approved. It is done when the assistant goes on; if it has stopped waiting, tell it that you approved."
    DENIED = "Denied. Nothing was changed."
    GONE = "This question is no longer open. Nothing was done. If it is still wanted, the assistant can ask again."
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

    def decide(self, challenge: str, approved: bool, typed: str, place: ApprovalPlace) -> Outcome:
        """Answer one question; how that ended. `typed` is the PIN, which only a yes needs.

        An answer to a question that is not waiting changes nothing and tries no PIN.
        """
        if all(pending.question.challenge != challenge for pending in self._questions.waiting()):
            return Outcome.GONE
        if approved and self._pin.is_set:
            checked = self._pin.check(typed)
            if checked is not Checked.RIGHT:
                return _REFUSED[checked]
        if not self._questions.decide(challenge, approved, place):
            return Outcome.GONE
        return Outcome.APPROVED if approved else Outcome.DENIED
