"""Calls that go on while Redis is away, for a short time and for a long one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio
import anyio.to_thread

from benchmarks.hosted.callers import OK, Answer, outcomes, patients, play, reads, turns
from benchmarks.hosted.forms import Form
from benchmarks.hosted.stage import Stage, person_of, stage
from benchmarks.hosted.verdict import Verdict

CLINICS: Final = 200
SHORT: Final = 2.0
LONG: Final = 20.0
UNAVAILABLE_SECONDS: Final = 6.0
RECOVERY_SECONDS: Final = 2.0
_FORMS: Final = 8
_BEFORE: Final = 3.0
_AFTER: Final = 8.0


@dataclass
class Outage:
    """A time without Redis, and what came of the calls around it."""

    way: str
    seconds: float
    began: float = 0.0
    ended: float = 0.0
    answers: list[Answer] = field(default_factory=list[Answer])
    acts: int = 0
    """What was archived meanwhile, though people said yes."""
    done: int = 0
    """How many of those were archived in the end."""

    @property
    def failed(self) -> list[Answer]:
        """The calls that were not answered."""
        return [answer for answer in self.answers if answer.outcome != OK]

    @property
    def during(self) -> list[Answer]:
        """The calls that were under way meanwhile."""
        return [one for one in self.answers if one.began < self.ended and one.ended > self.began]

    @property
    def recovery(self) -> float:
        """The seconds until calls were answered again, and until none failed any more that began afterwards."""
        good = [one.ended for one in self.answers if one.outcome == OK and one.ended > self.ended]
        late = [one.began for one in self.failed if one.began > self.ended]
        return max(min(good, default=float("inf")), *late, self.ended) - self.ended


def redis_away(short: float = SHORT, long: float = LONG) -> list[Verdict]:
    """Redis killed and started again, and stopped and let go on, for a short and for a long time."""
    verdicts: list[Verdict] = []
    with stage(CLINICS) as found:
        ways = (("killed", found.redis.stop, found.redis.start), ("stopped", found.redis.freeze, found.redis.thaw))
        anyio.run(play, found.address, reads(CLINICS), 10)
        ids = iter(anyio.run(patients, found.address, person_of(0)))
        for seconds in (short, long):
            for way, end, back in ways:
                outage = Outage(way, seconds)
                anyio.run(_played, found, outage, end, back, next(ids))
                verdicts.append(_of_short(outage) if seconds == short else _of_long(outage))
    return verdicts


async def _played(
    found: Stage, outage: Outage, end: Callable[[], None], back: Callable[[], None], patient: str
) -> None:
    forms = [Form(found.address, person_of(number)) for number in range(_FORMS)]
    for form in forms:
        await form.ask(patient)
    before = await _acts(found)
    until = time.monotonic() + _BEFORE + outage.seconds + _AFTER

    async def load() -> None:
        outage.answers.extend(await play(found.address, turns(reads(CLINICS)), 10, until=until))

    async def destroy() -> None:
        await anyio.sleep(_BEFORE + outage.seconds / 4)
        if outage.seconds > UNAVAILABLE_SECONDS:
            await _all(forms)
            outage.acts = await _acts(found) - before

    async with anyio.create_task_group() as group:
        group.start_soon(load)
        group.start_soon(destroy)
        await anyio.sleep(_BEFORE)
        outage.began = time.monotonic()
        await anyio.to_thread.run_sync(end)
        await anyio.sleep(outage.began + outage.seconds - time.monotonic())
        await anyio.to_thread.run_sync(back)
        outage.ended = time.monotonic()
    await _all(forms)
    outage.done = await _acts(found) - before
    for form in forms:
        await form.close()


async def _acts(found: Stage) -> int:
    came = await anyio.to_thread.run_sync(found.upstream)
    return sum(len(key["acts"]) for key in came.values())


async def _all(forms: Sequence[Form]) -> None:
    """Say yes to every form."""
    async with anyio.create_task_group() as group:
        for form in forms:
            group.start_soon(form.yes)


def _of_short(outage: Outage) -> Verdict:
    return Verdict(
        f"Redis {outage.way} for {outage.seconds:g} s",
        f"{len(outage.failed)} of {len(outage.answers):,} calls failed, {len(outage.during)} under way meanwhile",
        "0 failures",
        not outage.failed and len(outage.during) > 0 and outage.done == _FORMS,
        {"outcomes": outcomes(outage.answers), "done": outage.done},
    )


def _of_long(outage: Outage) -> Verdict:
    slowest = max((answer.seconds for answer in outage.failed), default=0.0)
    return Verdict(
        f"Redis {outage.way} for {outage.seconds:g} s",
        f"`unavailable` within {slowest:.1f} s, {outage.acts} destructive acts, recovery in {outage.recovery:.1f} s",
        f"`unavailable` within {UNAVAILABLE_SECONDS:g} s, 0 acts, recovery in {RECOVERY_SECONDS:g} s",
        set(outcomes(outage.failed)) == {"unavailable"}
        and outage.acts == 0
        and outage.done == _FORMS
        and slowest <= UNAVAILABLE_SECONDS
        and outage.recovery <= RECOVERY_SECONDS,
        {"outcomes": outcomes(outage.answers), "done afterwards": outage.done, "slowest, s": slowest},
    )
