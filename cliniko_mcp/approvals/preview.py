"""What a person is told before they say yes: which record, whose, when, what follows, and whether it can be undone.

Everything in it is read from the clinic, and a digest stands for all of it, so that a second reading shows whether
anything has changed.
"""

from dataclasses import replace
from datetime import datetime

from cliniko_mcp.approvals.digest import canonical, digest
from cliniko_mcp.approvals.effects import losses
from cliniko_mcp.approvals.facts import Facts, Reader
from cliniko_mcp.approvals.losses import NOTHING_EARLIER, Earlier
from cliniko_mcp.approvals.refusals import check_possible
from cliniko_mcp.approvals.shown import Preview
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, Operation
from cliniko_mcp.cliniko.registry import reads
from cliniko_mcp.errors import NotFound


async def preview(clinic: Reader, call: Call, now: datetime, earlier: Earlier = NOTHING_EARLIER) -> Preview:
    """What this call would destroy or lose, in words, from a fresh reading. `now` is aware.

    `earlier` is what the same caller took from the record before. Raises NotFound where the target does not exist or is
    hidden already, Rejected for what Cliniko is known to refuse, InvalidArguments for more text than can be shown,
    ClinikoRefused where it cannot be read, and NotAllowed where reading it is switched off.
    """
    # Loads the models of diary entries, which a call that destroys nothing does not need.
    from cliniko_mcp.approvals.wording import describe, describe_change

    record = await read_target(clinic, call)
    facts = Facts(clinic, now)
    await check_possible(facts, call, record)
    if call.operation.shape == "update":
        shown = await describe_change(facts, call, record, await losses(facts, call, record, earlier))
    else:
        shown = await describe(facts, call, record)
    whole = digest(canonical(record.as_sent()), canonical(facts.found), shown.stated)
    return replace(shown, digest=whole, record=record)


async def read_target(clinic: Reader, call: Call) -> Record:
    """The record that this call is about, read fresh; for an update a hidden one too, since it can be changed.

    Raises NotFound where there is none, and what `Reader.perform` raises.
    """
    operation = call.operation
    try:
        return await clinic.perform(target_of(operation).of(call.ids, include_archived=operation.shape == "update"))
    except NotFound:
        raise NotFound(
            f"{operation.title}: there is no live record with id {call.target}.",
            "It may be archived, deleted or cancelled already. Otherwise look for the right id in a list.",
            operation=operation.name,
        ) from None


def target_of(operation: Operation) -> Get[Record]:
    """The operation that reads the record that this one changes, archives, deletes or cancels."""
    path = operation.path.removesuffix("/archive").removesuffix("/cancel")
    return next(read for read in reads(operation.resource) if read.path == path)
