"""What a caller is told of a question: that a person was asked, what they answered, and how it ended."""

from typing import Final

from cliniko_mcp.approvals.questions import PendingQuestion
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import AlreadyDone, ApprovalNeeded, ClinikoMcpError, Declined, NotAllowed, OutcomeUnknown
from cliniko_mcp.guards.effects import BURST, Effect
from cliniko_mcp.guards.pipeline import GuardedCall

_PLACES: Final = {"page": "on the approval page", "terminal": "in a terminal", "form": "in the assistant"}
_WAYS: Final = {
    "stdio": "an assistant that can show questions (form elicitation), or the approval page on this computer",
    "http": "an assistant that can show questions (form elicitation, --confirm auto), or a connection over stdio",
    "terminal": "a terminal on which the question can be shown",
}


def blocked(effect: Effect) -> NotAllowed:
    """The operator switched off what this call does."""
    operation = effect.guarded.call.operation
    if operation.risk is Risk.DESTRUCTIVE:
        what = "archiving, deleting and cancelling are"
    elif effect.burst is not None:
        what = f"changing more than {BURST} records of one kind within a minute is"
    else:
        what = "a change that takes this much away is"
    return NotAllowed(
        f"{operation.title}: {what} switched off here.",
        "Tell the person that this has to be done in Cliniko itself.",
        operation=operation.name,
    )


def done(pending: PendingQuestion) -> AlreadyDone:
    """It was done before: when, and where a person approved it."""
    act = f"{pending.question.preview.done} at {pending.at}"
    return AlreadyDone(
        f"Done: {act}, approved {_PLACES[pending.place]}.",
        "Tell the person. Nothing more was sent now, and calling again changes nothing.",
        operation=pending.matter.operation,
    )


def failed(guarded: GuardedCall, pending: PendingQuestion) -> ClinikoMcpError:
    """It was approved and not done: the reason that there was, or that nobody knows how it ended."""
    if pending.problem is not None:
        return pending.problem
    return OutcomeUnknown(
        f"{guarded.call.operation.title}: a person approved it at {pending.at}, and it was cut off while it was sent.",
        "Read the record to see whether it took effect before asking for it again.",
        operation=guarded.call.operation.name,
    )


def declined(guarded: GuardedCall, pending: PendingQuestion | None) -> Declined:
    """A person said no, took a yes back, or wants something else."""
    operation = guarded.call.operation
    again = "A person can always do it in Cliniko itself."
    if guarded.caller.route == "stdio":
        again = "A person can always do it in Cliniko itself, or allow the question again on the page or in a terminal."
    if pending is not None and pending.ending == "other":
        return Declined(
            f"{operation.title}: a person was asked and said: not like this. Nothing was changed.",
            f"Ask the person what should be different; one changed call is put to them. {again}",
            operation=operation.name,
        )
    advice = f"Leave it, in whatever words: for 15 minutes nobody is asked about it again. {again}"
    if pending is not None and pending.ending == "withdrawn":
        message = f"{operation.title}: a person was asked and took their yes back. Nothing was changed."
    else:
        message = f"{operation.title}: a person was asked and said no. Nothing was changed."
    return Declined(message, advice, operation=operation.name)


def ended(guarded: GuardedCall, pending: PendingQuestion) -> ClinikoMcpError | None:
    """How a question ended that somebody else answered or carries out; None where it may be asked again."""
    match pending.ending:
        case "done":
            return done(pending)
        case "replaced":
            return replaced(guarded)
        case "denied" | "other" | "withdrawn":
            return declined(guarded, pending)
        case None if pending.acting:
            return under_way(guarded)
        case _:
            return None


def waiting(guarded: GuardedCall, where: str) -> ApprovalNeeded:
    """A person has been asked and has not answered."""
    return ApprovalNeeded(
        f"Not done yet: a person has been asked to approve it. {where}",
        "Tell the person, and do not call again before they say that they answered. A yes is carried out at once; the "
        "same call then tells how it ended.",
        operation=guarded.call.operation.name,
    )


def no_time(guarded: GuardedCall, effect: Effect) -> ApprovalNeeded:
    """The call has gone on for so long that nobody could answer before it ends."""
    if effect.burst is not None:
        return waiting(guarded, "It is one question about many changes.")
    return _needed(
        guarded,
        "not done, because it took so long to come to the question that nobody was asked.",
        "Call again with the same arguments.",
    )


def changed(guarded: GuardedCall) -> ApprovalNeeded:
    """What the person was shown has changed before it could be done."""
    return _needed(
        guarded,
        "not done, because what the person was shown has changed since.",
        "Call again with the same arguments, so that the person is asked about it as it is now.",
    )


def replaced(guarded: GuardedCall) -> ApprovalNeeded:
    """A newer question about the same record has taken this one's place."""
    return _needed(
        guarded,
        "not done, because a newer question about the same record has taken its place.",
        "Wait for the answer to that one.",
    )


def under_way(guarded: GuardedCall) -> ApprovalNeeded:
    """It is being carried out at this moment."""
    return _needed(
        guarded,
        "a person approved it, and it is being carried out now.",
        "Call again with the same arguments in half a minute to hear how it ended.",
    )


def asked_elsewhere(guarded: GuardedCall) -> ApprovalNeeded:
    """Somebody else's question about the same record is before a person."""
    return _needed(
        guarded,
        "not done. Somebody is being asked about this record already, for another user.",
        "Try once more in a minute, when that question is answered.",
    )


def too_many() -> ApprovalNeeded:
    """As many questions wait as a person can read."""
    return ApprovalNeeded(
        "Not done: too many questions are waiting for a person already.",
        "Ask the person to answer those first, then call again with the same arguments.",
    )


def never_shown(guarded: GuardedCall) -> ApprovalNeeded:
    """The client says that it can show questions, and does not."""
    return _needed(
        guarded,
        "not done. The question was sent to the assistant twice and never answered, so it seems that the assistant "
        "does not show it.",
        f"Ask the person whether they saw a question. If not, they can do it in Cliniko, or have set up: "
        f"{_WAYS[guarded.caller.route]}.",
    )


def nobody_to_ask(guarded: GuardedCall) -> ApprovalNeeded:
    """No person can be asked over this connection."""
    return _needed(
        guarded,
        "not done. It needs a person's yes, and over this connection nobody can be asked.",
        f"Calling again does not help. A person can do it in Cliniko, or have set up: {_WAYS[guarded.caller.route]}.",
    )


def _needed(guarded: GuardedCall, problem: str, advice: str) -> ApprovalNeeded:
    operation = guarded.call.operation
    return ApprovalNeeded(f"{operation.title}: {problem}", advice, operation=operation.name)
