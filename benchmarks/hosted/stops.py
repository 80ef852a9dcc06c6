"""Calls that go on while replicas are stopped and killed."""

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import anyio
import anyio.to_thread

from benchmarks.hosted.callers import LOST, OK, Answer, Call, outcomes, play, reads, turns
from benchmarks.hosted.stage import Replica, Stage, clinic_of, person_of, stage
from benchmarks.hosted.verdict import Verdict

CLINICS: Final = 200
LEASE_SECONDS: Final = 150.0
"""After which what a replica had under way when it was killed is given up."""


def rolling(seconds: float = 65.0, every: float = 20.0) -> Verdict:
    """A replica told to stop, and started again, every so many seconds."""
    with stage(CLINICS) as found:
        answers = anyio.run(_rolling, found, seconds, every)
    lost = [answer for answer in answers if answer.outcome != OK]
    return Verdict(
        f"a replica told to stop (SIGTERM) every {every:g} s, and started again",
        f"{len(lost)} of {len(answers):,} calls lost",
        "0 lost",
        not lost and len(answers) > 0,
        {"outcomes": outcomes(answers)},
    )


async def _rolling(found: Stage, seconds: float, every: float) -> list[Answer]:
    answers: list[Answer] = []
    began = time.monotonic()

    async def load() -> None:
        answers.extend(await play(found.address, turns(reads(CLINICS)), 20, until=began + seconds))

    async with anyio.create_task_group() as group:
        group.start_soon(load)
        for number in range(int(seconds // every)):
            await anyio.sleep(every / 4)
            await stopped_and_started(found.replicas[number % len(found.replicas)])
            await anyio.sleep(max(began + (number + 1) * every - time.monotonic(), 0.0))
    return answers


async def stopped_and_started(replica: Replica) -> None:
    """Tell a replica to stop, as a supervisor does, and start it again once it has ended."""
    replica.send(signal.SIGTERM)
    await _until(lambda: replica.ended)
    replica.start()
    await _until(lambda: replica.listens)


async def _until(holds: Callable[[], bool], seconds: float = 600.0) -> None:
    with anyio.move_on_after(seconds):
        while not await anyio.to_thread.run_sync(holds):  # noqa: ASYNC110 - of another process
            await anyio.sleep(0.2)


def killed(lease: float = LEASE_SECONDS) -> Verdict:
    """A replica killed under load: what is lost, what is said of a write, and when its requests are given up."""
    with stage(CLINICS) as found:
        return anyio.run(_killed, found, lease)


async def _killed(found: Stage, lease: float) -> Verdict:
    answers, held, gone = list[Answer](), list[Answer](), list[float]()
    first, slow = found.replicas[0], CLINICS - 1
    await play(found.address, reads(CLINICS), 10)

    async def load() -> None:
        answers.extend(await play(found.address, turns(reads(slow)), 15, until=time.monotonic() + 15.0))

    async def under_way() -> None:
        write = Call(person_of(slow), "create_patient", {"first_name": "Half", "last_name": "Done"})
        others = [Call(person_of(slow), "get_patient", {"id": str(number)}) for number in range(9)]
        held.extend(await play(first.address, [write, *others], 10))

    async with anyio.create_task_group() as group:
        group.start_soon(load)
        await anyio.sleep(5)
        await anyio.to_thread.run_sync(found.upstream, "delay?seconds=8")
        group.start_soon(under_way)
        await anyio.sleep(4)
        first.send(signal.SIGKILL)
        gone.append(time.monotonic())
        await anyio.sleep(2)
        await anyio.to_thread.run_sync(found.upstream, "delay?seconds=0.02")
    leases = await anyio.to_thread.run_sync(_counted, found, clinic_of(slow), 61)
    first.start()
    await _until(lambda: first.listens)
    told = "cut off when the server last ended" in first.said
    counted = partial(_counted, found, clinic_of(slow), 0)
    await _until(lambda: counted() == 0, gone[0] + lease + 10 - time.monotonic())
    back = time.monotonic() - gone[0]
    lost = [answer for answer in answers if answer.outcome != OK]
    beyond = [answer for answer in lost if answer.began > gone[0] or not answer.outcome.startswith(LOST)]
    cut = sum(answer.outcome.startswith(LOST) for answer in held)
    return Verdict(
        "a replica killed (SIGKILL) under load",
        f"{len(lost)} of {len(answers):,} calls lost, {len(beyond)} of them not under way there; the write that was "
        f"cut off {'told' if told else 'NOT told'}; its {leases} requests given up after {back:.0f} s",
        f"only calls under way there lost, the write told, given up in {lease:g} s",
        not beyond and told and leases > 0 and counted() == 0 and cut == len(held) and back <= lease + 5,
        {"outcomes": outcomes(answers), "of the killed alone": outcomes(held), "given up after, s": back},
    )


def _counted(found: Stage, clinic: str, after: int) -> int:
    """How many requests of this clinic still count in so many seconds; one that was answered does for a minute."""
    name, least = f"cm:1:{{{found.accounts[clinic]}}}:requests", int((time.time() + after) * 1000)
    return int(found.redis.ask("ZCOUNT", name, str(least), "+inf").removeprefix(":"))
