"""Visits written one after another: what is told of those before a failure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from cliniko_mcp.errors import ClinikoMcpError, OutcomeUnknown
from cliniko_mcp.frontdesk.visit_writes import write_each
from cliniko_mcp.frontdesk.working_hours import Stretch

FIRST = datetime(2027, 1, 20, tzinfo=UTC)
TIMES = [Stretch(FIRST + timedelta(weeks=week), FIRST + timedelta(weeks=week, hours=1)) for week in range(3)]
AGAIN = "Call again with the same arguments for the rest: what is there already is not booked twice."


def written(outcomes: Sequence[str | ClinikoMcpError], notes: list[str]) -> dict[datetime, str]:
    """What comes of writing three visits, each with one of these outcomes: the id it gets, or a failure."""
    left = iter(outcomes)

    async def write(time: Stretch) -> str:
        outcome = next(left)
        if isinstance(outcome, ClinikoMcpError):
            raise outcome
        return outcome

    async def story() -> dict[datetime, str]:
        return await write_each(TIMES, write, notes)

    return anyio.run(story)


@pytest.mark.parametrize(("failure", "told"), [
    (ClinikoMcpError("Refused."), f"Only 2 of 3 were booked: Refused. {AGAIN}"),
    (OutcomeUnknown("No response."),
     f"Only 2 of 3 were booked: No response. Whether the next one was made is not known. {AGAIN}"),
])  # fmt: skip
def test_a_failure_half_way_is_told_before_all_else_with_how_many_were_booked(
    failure: ClinikoMcpError, told: str
) -> None:
    notes = ["Nothing was sent."]
    assert written(["11", "12", failure], notes) == {TIMES[0].starts: "11", TIMES[1].starts: "12"}
    assert notes == [told, "Nothing was sent."]


def test_a_failure_of_the_first_visit_is_raised_as_it_is() -> None:
    notes: list[str] = []
    failure = ClinikoMcpError("Refused.")
    with pytest.raises(ClinikoMcpError) as raised:
        written([failure], notes)
    assert raised.value is failure and notes == []


def test_all_that_was_booked_needs_no_note() -> None:
    notes: list[str] = []
    assert list(written(["11", "12", "13"], notes).values()) == ["11", "12", "13"] and notes == []
