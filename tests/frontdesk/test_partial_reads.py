"""A part that cannot be read is left out with the reason; a wrong key or too many requests end everything, but a change
that was made is told all the same."""

import pytest

from cliniko_mcp.errors import (
    ClinikoMcpError,
    InvalidArguments,
    KeyRefused,
    NotAllowed,
    NotFound,
    PermissionMissing,
    RateLimited,
    Unavailable,
)
from cliniko_mcp.frontdesk.partial_reads import PartialReads

pytestmark = pytest.mark.anyio


async def read(reads: PartialReads, problem: ClinikoMcpError) -> str | None:
    async def job() -> str:
        raise problem

    return await reads.read("Medical alerts", job)


async def test_what_can_be_read_is_given() -> None:
    async def job() -> str:
        return "alerts"

    reads = PartialReads()
    assert await reads.read("Medical alerts", job) == "alerts"
    assert reads.notes == []


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (NotAllowed("No."), "reading them is switched off here"),
        (PermissionMissing("No."), "the user to whom the API key belongs may not read them"),
        (Unavailable("No."), "they could not be read just now"),
        (NotFound("No."), "they could not be read just now"),
    ],
)
async def test_a_part_that_cannot_be_read_is_left_out_with_the_reason(problem: ClinikoMcpError, reason: str) -> None:
    reads = PartialReads(["first"])

    assert await read(reads, problem) is None
    assert reads.notes == ["first", f"Medical alerts are not shown: {reason}."]


@pytest.mark.parametrize("problem", [KeyRefused("No."), RateLimited("No.")])
async def test_a_refused_key_ends_everything_unless_something_was_changed(problem: ClinikoMcpError) -> None:
    reads = PartialReads()
    with pytest.raises(type(problem)):
        await read(reads, problem)
    assert reads.notes == []

    reads.changed = True
    assert await read(reads, problem) is None
    assert reads.notes == ["Medical alerts are not shown: they could not be read just now."]


async def test_a_wrong_call_is_no_part_that_is_missing() -> None:
    reads = PartialReads(changed=True)
    with pytest.raises(InvalidArguments):
        await read(reads, InvalidArguments("No."))
    assert reads.notes == []
