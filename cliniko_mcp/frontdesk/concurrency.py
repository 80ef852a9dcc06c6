"""Reads that do not wait for one another: several at once, and the error of the first that fails as it is."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeGuard, TypeVar, overload

import anyio

from cliniko_mcp.cliniko.operations import RecordT

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


@overload
async def run_concurrently(a: Callable[[], Awaitable[A]], b: Callable[[], Awaitable[B]], /) -> tuple[A, B]: ...
@overload
async def run_concurrently(
    a: Callable[[], Awaitable[A]], b: Callable[[], Awaitable[B]], c: Callable[[], Awaitable[C]], /
) -> tuple[A, B, C]: ...
@overload
async def run_concurrently(
    a: Callable[[], Awaitable[A]],
    b: Callable[[], Awaitable[B]],
    c: Callable[[], Awaitable[C]],
    d: Callable[[], Awaitable[D]],
    /,
) -> tuple[A, B, C, D]: ...
@overload
async def run_concurrently(
    a: Callable[[], Awaitable[A]],
    b: Callable[[], Awaitable[B]],
    c: Callable[[], Awaitable[C]],
    d: Callable[[], Awaitable[D]],
    e: Callable[[], Awaitable[E]],
    /,
) -> tuple[A, B, C, D, E]: ...
@overload
async def run_concurrently(*jobs: Callable[[], Awaitable[T]]) -> tuple[T, ...]: ...
async def run_concurrently(*jobs: Callable[[], Awaitable[object]]) -> tuple[object, ...]:
    """What each job gives, in the order of the jobs, all of them under way at once.

    Raises what the first failing job raised; the others are cancelled.
    """
    results: dict[int, object] = {}

    async def run(number: int, job: Callable[[], Awaitable[object]]) -> None:
        results[number] = await job()

    try:
        async with anyio.create_task_group() as group:
            for number, job in enumerate(jobs):
                group.start_soon(run, number, job)
    except ExceptionGroup as failures:
        raise _first(failures) from None
    return tuple(results[number] for number in range(len(jobs)))


def _first(failure: BaseException) -> BaseException:
    return _first(failure.exceptions[0]) if _is_group(failure) else failure


def _is_group(failure: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(failure, BaseExceptionGroup)


async def collect(rows: AsyncIterator[RecordT]) -> list[RecordT]:
    """Every row of a list that is small enough to hold."""
    return [row async for row in rows]
