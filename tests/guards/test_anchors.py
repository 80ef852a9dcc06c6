"""The heads of the chains in the log stream: told when they have changed, and found again in it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import anyio
import pytest

from cliniko_mcp.guards.anchors import anchors_in, tell_heads, telling
from tests.client.virtual import run

pytestmark = pytest.mark.anyio
SEAL = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Head:
    clinic: str
    number: int
    seal: str = SEAL


async def test_a_head_is_told_again_once_its_chain_has_grown() -> None:
    found = [[Head("north", 3), Head("south", 1)], [Head("north", 3), Head("south", 1)], [Head("north", 4)]]
    told, turns = list[str](), iter(found)

    async def heads() -> Sequence[Head]:
        return next(turns)

    with pytest.raises(RuntimeError):  # the turns are over
        await tell_heads(heads, told.append, 0.0)
    assert [line.split()[:5] for line in told] == [
        ["audit", "head", "north", "line", "3"],
        ["audit", "head", "south", "line", "1"],
        ["audit", "head", "north", "line", "4"],
    ]
    assert anchors_in(told) == {"north": {3: SEAL, 4: SEAL}, "south": {1: SEAL}}


async def test_a_database_that_is_away_is_warned_of_and_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    told, away = list[str](), [OSError("it is away")]

    async def heads() -> Sequence[Head]:
        if away:
            raise away.pop()
        return [Head("north", 3)]

    with anyio.move_on_after(0.2):
        await tell_heads(heads, told.append, 0.01)
    assert len(told) == 1 and "it is away" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


async def test_it_ends_with_what_it_goes_on_beside_whose_error_comes_as_it_is() -> None:
    async def heads() -> Sequence[Head]:
        return []

    async with telling(heads, print):
        await anyio.lowlevel.checkpoint()
    with pytest.raises(ValueError, match="as it is"):
        async with telling(heads, print):
            raise ValueError("as it is")


def test_a_server_tells_when_it_starts_and_each_hour_for_as_long_as_it_runs() -> None:
    async def story() -> list[tuple[float, str]]:
        told, numbers = list[tuple[float, str]](), count(1)

        async def heads() -> Sequence[Head]:
            return [Head("north", next(numbers))]

        async with telling(heads, lambda line: told.append((anyio.current_time(), line))):
            await anyio.sleep(2.5 * 60 * 60)
        return told

    assert run(story) == [(3600.0 * hour, f"audit head north line {hour + 1} seal {SEAL}") for hour in range(3)]


def test_anchors_are_found_among_whatever_else_is_in_the_stream() -> None:
    stream = [
        f'{{"log":"audit head north line 12 seal {SEAL}\\n","stream":"stderr"}}\n',
        f"replica-2 | audit head _server line 7 seal {SEAL}\n",
        f"audit head north line 13 seal {SEAL[1:]}\n",
        f"audit head North line 14 seal {SEAL}\n",
        "listening on http://127.0.0.1:8000/mcp\n",
    ]
    assert anchors_in(stream) == {"north": {12: SEAL}, "_server": {7: SEAL}}
