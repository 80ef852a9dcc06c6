"""How far a call is, in the clinic's words, for the person who waits."""

from collections.abc import Mapping
from typing import Final

import anyio

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.guards.pipeline import Progress

WORDS: Final[Mapping[str, str]] = {
    "appointment_types": "appointment types",
    "attendees": "places in appointments",
    "availability_blocks": "extra hours",
    "bookings": "the diary",
    "businesses": "sites",
    "daily_availabilities": "working hours",
    "group_appointments": "classes",
    "individual_appointments": "appointments",
    "practitioners": "staff",
    "public_settings": "settings",
    "unavailable_block_types": "kinds of blocked-out time",
    "unavailable_blocks": "blocked-out time",
}
"""What the clinic calls a resource, where that is not its name."""


def noun_of(call: Call) -> str:
    """What the clinic calls the records of a call."""
    resource = call.operation.resource
    return WORDS.get(resource, resource.replace("_", " "))


def increasing(progress: Progress) -> Progress:
    """The same, with each step above the one before, whoever tells it: the protocol wants it so."""
    last, turn = 0.0, anyio.Lock()

    async def told(done: float, total: float | None, message: str) -> None:
        nonlocal last
        async with turn:
            last = done if done > last else last + 1
            await progress(last, total if total is None or total >= last else None, message)

    return told


async def waiting(progress: Progress, seconds: float) -> None:
    """Tell that a call waits so long for its turn in Cliniko's limit."""
    await progress(0.0, None, f"waiting for Cliniko's limit, {max(round(seconds), 1)} s")


class PagesTold:
    """The pages of all lists of one tool call, told as one count."""

    def __init__(self) -> None:
        self._done = 0
        self._expected: dict[int, int] = {}

    async def page(self, progress: Progress, which: int, call: Call, done: int, of: int, rows: str) -> None:
        """Tell that so many pages of so many have been read of one list; `which` tells it from the others."""
        self._done += 1
        self._expected[which] = max(of, done)
        pages = f"{noun_of(call)}: {done} of {of} pages, {rows}" if of > 1 else f"{noun_of(call)}: read"
        await progress(self._done, max(sum(self._expected.values()), self._done), pages)
