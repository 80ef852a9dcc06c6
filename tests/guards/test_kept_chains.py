"""A chain from a database looked at again: what was dropped, what the log stream tells, and up to where lines hold."""

import json
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.chain_lines import START, sealed
from cliniko_mcp.guards.kept_chains import Checked, closing_of, verify
from cliniko_mcp.guards.parts import Keys, LocalKeys
from cliniko_mcp.shared_state.audit_postgres import ChainHead, Reading
from cliniko_mcp.shared_state.keys import KeyRing

pytestmark = pytest.mark.anyio
KEYS = LocalKeys(b"k" * 32)
CLOSED_AT = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


class InMemory(Reading):
    """The chain of the clinic north, of which the last line is also kept apart."""

    def __init__(self, lines: Sequence[bytes], seals: Sequence[str]) -> None:
        head = ChainHead("north", len(seals), seals[-1]) if seals else None
        super().__init__(cast("Any", None), head, "north", CLOSED_AT)
        self._written = lines

    async def lines(self) -> AsyncGenerator[bytes]:
        for line in self._written:
            yield line


def chained(*entries: Mapping[str, JsonValue]) -> tuple[list[bytes], list[str]]:
    """The lines of these entries, and their seals."""
    lines, seals = list[bytes](), [START]
    for number, entry in enumerate(entries, 1):
        line, seal = sealed(entry, number, seals[-1])
        lines.append(line)
        seals.append(seal)
    return lines, seals[1:]


ENTRIES = [{"operation": f"op{number}"} for number in range(1, 7)]


def closed(keys: Keys = KEYS, **forged: JsonValue) -> InMemory:
    """Six lines and the one that closed the chain up to the fourth; those before the fifth were dropped."""
    _, seals = chained(*ENTRIES)
    closing = json.loads(closing_of("north", keys, CLOSED_AT)(4, seals[3]))
    lines, seals = chained(*ENTRIES, {**closing, **forged})
    return InMemory(lines[4:], seals)


async def test_a_clinic_of_which_nothing_was_written_yet_has_a_chain_that_holds() -> None:
    assert await verify(InMemory([], []), "north", KEYS) == Checked(0)


async def test_every_head_that_stands_in_the_log_stream_is_counted() -> None:
    lines, seals = chained(*ENTRIES)
    told = {2: seals[1], 5: seals[4]}
    found = await verify(InMemory(lines, seals), "north", KEYS, told)
    assert found == Checked(6, None, ("2 of its heads stand in the log stream as here",))


async def test_the_lines_before_one_that_the_log_stream_tells_otherwise_hold() -> None:
    lines, seals = chained(*ENTRIES)
    found = await verify(InMemory(lines, seals), "north", KEYS, {4: seals[4]})
    assert found == Checked(3, "north line 4 is not the one that the log stream tells of")


async def test_a_chain_that_was_closed_says_how_many_lines_went_and_on_which_day() -> None:
    dropped = "4 lines before them were dropped when the chain was closed, last on 2026-11-30"
    assert await verify(closed(), "north", KEYS) == Checked(3, None, (dropped,))


MISSING = "entries are missing before north line 5, without a closing that this server's keys signed"


@pytest.mark.parametrize(
    "forged", [{"closed": 3}, {"closed_seal": "a" * 64}, {"time": "2020-01-01"}, {"signature": "a" * 64}]
)
async def test_a_closing_that_tells_anything_else_than_what_was_signed_closes_nothing(
    forged: dict[str, JsonValue],
) -> None:
    assert await verify(closed(KEYS, **forged), "north", KEYS) == Checked(0, MISSING)


async def test_a_closing_signed_with_an_older_secret_is_taken_until_that_secret_leaves_the_ring() -> None:
    chance = random.Random(1).randbytes
    new, old = b"n" * 32, b"o" * 32
    reading = closed(KeyRing([old], chance))
    assert (await verify(reading, "north", KeyRing([new, old], chance))).problem is None
    assert (await verify(reading, "north", KeyRing([new], chance))).problem == MISSING
