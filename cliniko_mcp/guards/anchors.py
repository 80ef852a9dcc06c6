"""Anchors: the last line of each chain, told every hour to the log stream, out of reach of the database's owner.

A chain that was made anew has other seals than the stream tells of, and `audit verify --anchors FILE` finds that.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import anyio

EVERY_SECONDS: Final = 3600.0
_ANCHOR: Final = re.compile(r"audit head ([a-z0-9_][a-z0-9-]{0,62}) line (\d{1,18}) seal ([0-9a-f]{64})\b")
_LOG = logging.getLogger(__name__)


class ChainEnd(Protocol):
    """The last line of a chain."""

    @property
    def clinic(self) -> str:
        """Whose chain it is."""
        ...

    @property
    def number(self) -> int:
        """The number of its last line, from 1."""
        ...

    @property
    def seal(self) -> str:
        """The seal of that line."""
        ...


async def tell_heads(
    heads: Callable[[], Awaitable[Sequence[ChainEnd]]], tell: Callable[[str], None], seconds: float = EVERY_SECONDS
) -> None:
    """Tell the last line of every chain now, and every so many seconds those of the chains that grew; never ends."""
    told: dict[str, int] = {}
    while True:
        try:
            for head in await heads():
                if told.get(head.clinic) != head.number:
                    tell(f"audit head {head.clinic} line {head.number} seal {head.seal}")
                    told[head.clinic] = head.number
        except OSError as problem:
            _LOG.warning("the heads of the audit log could not be told (%s)", problem)
        await anyio.sleep(seconds)


@asynccontextmanager
async def telling(
    heads: Callable[[], Awaitable[Sequence[ChainEnd]]], tell: Callable[[str], None]
) -> AsyncGenerator[None]:
    """While inside, `tell_heads` goes on."""
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tell_heads, heads, tell)
            yield
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as wrapped:  # by the task group, also where one thing alone went wrong
        raise wrapped.exceptions[0] from None


def anchors_in(stream: Iterable[str]) -> Mapping[str, Mapping[int, str]]:
    """The anchors of this log stream: for each clinic the seals by the numbers of their lines."""
    found: dict[str, dict[int, str]] = {}
    for line in stream:
        for clinic, number, seal in _ANCHOR.findall(line):
            found.setdefault(clinic, {})[int(number)] = seal
    return found
