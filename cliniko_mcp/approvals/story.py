"""How a question stands or ended, in words: the page, the terminal and the list of what happened say the same."""

from dataclasses import dataclass

from cliniko_mcp.approvals.questions import PendingQuestion, Verdict
from cliniko_mcp.sanitize import clean


@dataclass(frozen=True, slots=True)
class Story:
    """A heading of a few words, and what there is to know beside it."""

    heading: str
    detail: str
    ended: bool = True
    """Whether nothing more will happen to the question."""
    done: bool = False
    """Whether it ended with what was asked for."""

    @property
    def words(self) -> str:
        """Both as sentences on one line."""
        return f"{self.heading}. {self.detail}"


def story_of(pending: PendingQuestion) -> Story:
    """How this question stands."""
    match pending.ending:
        case "done":
            return Story(f"{pending.question.preview.done} at {pending.at}", "You can close this page.", done=True)
        case "failed" if pending.problem is not None:
            return Story(f"Not done at {pending.at}", clean(pending.problem.message, 600, lines=True))
        case "failed":
            return Story(
                "Not known whether it was done",
                f"It was cut off at {pending.at}, while it was sent. Look at the record in Cliniko.",
            )
        case "denied":
            return Story(f"Denied at {pending.at}", "Nothing was changed. For 15 minutes nobody is asked this again.")
        case "other":
            return Story(
                f"Not like this, at {pending.at}",
                "Nothing was changed. Tell the assistant what should be different; it may ask once more.",
            )
        case "withdrawn":
            return Story(f"Taken back at {pending.at}", "Nothing was changed.")
        case "changed":
            return Story(
                "Not done",
                "What you were shown has changed since. Where it is still wanted, you are asked about it as it is now.",
            )
        case "replaced":
            return Story("Not done", "A newer question about the same record has taken the place of this one.")
        case None if pending.acting:
            return Story("Approved", "It is being carried out now.", ended=False)
        case None if pending.verdict is Verdict.YES:
            return Story("Approved", "It is about to be carried out.", ended=False)
        case None:
            return Story("Waiting for an answer", "Nothing happens without it.", ended=False)
