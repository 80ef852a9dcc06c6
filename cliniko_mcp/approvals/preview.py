"""What a person is told before they say yes: which record, whose, when, what follows, and whether it can be undone.

Everything in it is read from the clinic, and a digest stands for all of it, so that a second reading shows whether
anything has changed.
"""

from dataclasses import replace
from datetime import datetime

from cliniko_mcp.approvals.digest import canonical, digest
from cliniko_mcp.approvals.facts import Facts, Reader
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, Operation
from cliniko_mcp.cliniko.registry import reads
from cliniko_mcp.errors import NotFound


async def preview(clinic: Reader, call: Call, now: datetime) -> Preview:
    """What this destructive call would do, in words, from a fresh reading. `now` is aware.

    Raises NotFound where the target does not exist or is hidden already, ClinikoRefused where it cannot be read, and
    NotAllowed where reading it is switched off.
    """
    # Loads the models of diary entries, which a call that destroys nothing does not need.
    from cliniko_mcp.approvals.wording import describe

    operation = call.operation
    try:
        record = await clinic.perform(target_of(operation).call(id=call.ids["id"]))
    except NotFound:
        raise NotFound(
            f"{operation.title}: there is no live record with id {call.ids['id']}.",
            "It may be archived, deleted or cancelled already. Otherwise look for the right id in a list.",
            operation=operation.name,
        ) from None
    facts = Facts(clinic, now)
    shown = await describe(facts, call, record)
    return replace(shown, digest=digest(canonical(record.as_sent()), canonical(facts.found), shown.stated))


def target_of(operation: Operation) -> Get[Record]:
    """The operation that reads the record that this one archives, deletes or cancels."""
    path = operation.path.removesuffix("/archive").removesuffix("/cancel")
    return next(read for read in reads(operation.resource) if read.path == path)
