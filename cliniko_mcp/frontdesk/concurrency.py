"""Reads that do not wait for one another: several at once, and the error of the first that fails as it is."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar, cast

import anyio

from cliniko_mcp.cliniko.models import Record

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def together(jobs: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """What each job gives, in their order, all of them under way at once.

    Raises what the first failing job raised; the others are cancelled.
    """
    found: dict[int, T] = {}

    async def one(place: int, job: Callable[[], Awaitable[T]]) -> None:
        found[place] = await job()

    try:
        async with anyio.create_task_group() as group:
            for place, job in enumerate(jobs):
                group.start_soon(one, place, job)
    except ExceptionGroup as several:
        first: BaseException = several
        while isinstance(first, BaseExceptionGroup):
            first = cast("BaseExceptionGroup[BaseException]", first).exceptions[0]
        raise first from None
    return [found[place] for place in range(len(jobs))]


async def both(one: Callable[[], Awaitable[A]], other: Callable[[], Awaitable[B]]) -> tuple[A, B]:
    """What two jobs of different kinds give, both under way at once. Raises as `together` does."""
    found = await together((one, other))
    return cast("tuple[A, B]", tuple(found))


async def gathered(rows: AsyncIterator[Record]) -> list[Record]:
    """Every row of a list that is small enough to hold."""
    return [row async for row in rows]
