"""The chains in Postgres looked at again: whether they are as they were written, and closing one to drop what is old.

A chain is closed up to a line by another at its end, which names that line and its seal and is signed by the key ring.
What is before may go then; without such a line a chain that does not begin with number 1 was cut.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.chain_lines import Chain, Line, compact, line_of
from cliniko_mcp.shared_state.audit_postgres import ChainHead, Reading

if TYPE_CHECKING:
    from cliniko_mcp.guards.parts import Keys

CLOSED: Final = "audit_close"
"""The operation of the line that closes a chain."""
_PURPOSE: Final = "audit close"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a chain."""

    lines: int
    """How many lines are whole, up to the first that is not."""
    problem: str | None = None
    """Where and how the chain is broken; None where it is not."""
    notes: tuple[str, ...] = ()
    """What else there is to know of a chain that holds."""


async def verify(reading: Reading, clinic: str, keys: Keys, anchors: Mapping[int, str] | None = None) -> Checked:
    """Whether every line of the chain is whole and in its place, and none is missing that was not closed.

    `anchors` are the seals of lines by their numbers, as the log stream tells them. Raises OSError where Postgres is
    away.
    """
    head, anchors = reading.head or ChainHead(clinic, 0, ""), anchors or {}
    chain, first, closings, held = Chain(head.number, head.seal), None, list[Line](), 0
    async for written in reading.lines():
        read = line_of(written)
        number = chain.count + 1 if chain.seen else (read.number if read is not None else 1)
        if problem := chain.problem(f"{clinic} line {number}", written, may_begin=True):
            return Checked(chain.seen, problem)
        assert read is not None  # the chain took it
        first = first or read
        if read.number in anchors:
            if anchors[read.number] != read.seal:
                return Checked(chain.seen - 1, f"{clinic} line {number} is not the one that the log stream tells of")
            held += 1
        if read.entry.get("operation") == CLOSED:
            closings.append(read)
    told = (f"{held:,} of its heads stand in the log stream as here",) if held else ()
    if (end := max(head.number, *anchors, 0)) > chain.count:
        return Checked(chain.seen, f"entries are missing at the end: {clinic} had {end:,}")
    if first is not None and reading.head is None:
        return Checked(chain.seen, f"the record of the last entry of {clinic} is missing")
    if first is None or first.number == 1:
        return Checked(chain.seen, None, told)
    closing = next((line for line in closings if _closes(line, first, clinic, keys)), None)
    if closing is None:
        why = "without a closing that this server's keys signed"
        return Checked(0, f"entries are missing before {clinic} line {first.number}, {why}")
    when = str(closing.entry.get("time", ""))[:10]
    dropped = f"{first.number - 1:,} lines before them were dropped when the chain was closed, last on {when}"
    return Checked(chain.seen, None, (dropped, *told))


def _closes(line: Line, first: Line, clinic: str, keys: Keys) -> bool:
    """Whether this line closed the chain up to the first that is kept."""
    entry = line.entry
    if entry.get("closed") != first.number - 1 or entry.get("closed_seal") != first.before:
        return False
    signature = str(entry.get("signature"))
    text = _signed(clinic, first.number - 1, str(first.before), str(entry.get("time")))
    return any(
        hmac.compare_digest(_signature(key, text).encode(), signature.encode())
        for key in keys.derived(_PURPOSE, clinic)
    )


def closing_of(clinic: str, keys: Keys, now: datetime) -> Callable[[int, str], str]:
    """Makes the entry that closes this chain up to a line, of its number and its seal."""
    time = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def closing(number: int, seal: str) -> str:
        entry: dict[str, JsonValue] = {
            "time": time,
            "operation": CLOSED,
            "ids": {},
            "outcome": "ok",
            "route": "terminal",
            "principal": "local",
            "closed": number,
            "closed_seal": seal,
            "signature": _signature(keys.derived(_PURPOSE, clinic)[0], _signed(clinic, number, seal, time)),
        }
        return compact(entry)

    return closing


def _signed(clinic: str, number: int, seal: str, time: str) -> bytes:
    return "\0".join((clinic, str(number), seal, time)).encode()


def _signature(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, hashlib.sha256).hex()
