"""Calls that go on while Redis, a replica or an issuer is away."""

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
from redis import Redis

from benchmarks.hosted.callers import LOST, OK, Answer, Call, outcomes, patients, play, turns
from benchmarks.hosted.forms import Form
from benchmarks.hosted.stage import PATIENT, Stage, clinic_of, person_of, stage
from benchmarks.hosted.upstream import LIMIT
from benchmarks.hosted.verdict import Verdict

_CLINICS: Final = 20
_FORMS: Final = 8
SHORT: Final = 2.0
LONG: Final = 20.0
UNAVAILABLE_SECONDS: Final = 6.0
RECOVERY_SECONDS: Final = 2.0
LEASE_SECONDS: Final = 150.0
"""After which what a replica had under way when it was killed is given up."""


def _calls(clinics: int) -> list[Call]:
    """Calls of all clinics that each send something."""
    return [
        Call(person_of(number % clinics), "get_patient", {"id": PATIENT})
        if number % 2
        else Call(person_of(number % clinics), "list_patients", {"limit": 2})
        for number in range(clinics * 2)
    ]


class _Gone:
    """A time for which something was away, on the monotonic clock."""

    def __init__(self, began: float, ended: float) -> None:
        self.began = began
        self.ended = ended

    def met(self, answer: Answer) -> bool:
        """Whether this call was under way meanwhile."""
        return answer.began < self.ended and answer.ended > self.began


async def _away(end: Callable[[], None], back: Callable[[], None], seconds: float) -> _Gone:
    """Have it away for so many seconds."""
    began = time.monotonic()
    await anyio.to_thread.run_sync(end)
    await anyio.sleep(began + seconds - time.monotonic())
    await anyio.to_thread.run_sync(back)
    return _Gone(began, time.monotonic())


def redis_away(short: float = SHORT, long: float = LONG) -> list[Verdict]:
    """Redis killed and started again, and stopped and let go on, for a short and for a long time."""
    with stage(_CLINICS) as found:
        return anyio.run(_redis_away, found, short, long)


async def _redis_away(found: Stage, short: float, long: float) -> list[Verdict]:
    redis, verdicts = found.redis, list[Verdict]()
    ways = (("killed", redis.stop, redis.start), ("stopped", redis.freeze, redis.thaw))
    await play(found.address, _calls(_CLINICS), 10)
    to_archive = iter(await patients(found.address, person_of(0)))
    for seconds in (short, long):
        for way, end, back in ways:
            forms = [Form(found.address, person_of(number)) for number in range(_FORMS)]
            patient = next(to_archive)
            for form in forms:
                await form.ask(patient)
            before = sum(len(key["acts"]) for key in found.upstream().values())
            answers: list[Answer] = []
            acts: list[int] = []
            gone: list[_Gone] = []

            async def load() -> None:
                answers.extend(
                    await play(found.address, turns(_calls(_CLINICS)), 10, until=time.monotonic() + seconds + 12)
                )

            async def destroy() -> None:
                await anyio.sleep(3 + seconds / 4)
                if seconds == long:
                    await _all(forms)
                    acts.append(sum(len(key["acts"]) for key in found.upstream().values()) - before)

            async with anyio.create_task_group() as group:
                group.start_soon(load)
                group.start_soon(destroy)
                await anyio.sleep(3)
                gone.append(await _away(end, back, seconds))
            ended = await _all(forms)
            for form in forms:
                await form.close()
            done = sum(len(key["acts"]) for key in found.upstream().values()) - before
            judged = _of_short if seconds == short else _of_long
            verdicts.append(judged(way, seconds, gone[0], answers, sum(acts), done, len(ended)))
    return verdicts


async def _all(forms: list[Form]) -> list[Answer]:
    """Say yes to every form."""
    ended: list[Answer] = []

    async def one(form: Form) -> None:
        ended.append(await form.yes())

    async with anyio.create_task_group() as group:
        for form in forms:
            group.start_soon(one, form)
    return ended


def _of_short(
    way: str, seconds: float, gone: _Gone, answers: list[Answer], acts: int, done: int, forms: int
) -> Verdict:
    failed = [answer for answer in answers if answer.outcome != OK]
    during = sum(gone.met(answer) for answer in answers)
    return Verdict(
        f"Redis {way} for {seconds:g} s",
        f"{len(failed)} of {len(answers):,} calls failed, {during} of them under way meanwhile",
        "0 failures",
        not failed and during > 0 and done == forms,
        {"outcomes": outcomes(answers), "done": done},
    )


def _of_long(way: str, seconds: float, gone: _Gone, answers: list[Answer], acts: int, done: int, forms: int) -> Verdict:
    failed = [answer for answer in answers if answer.outcome != OK]
    slowest = max((answer.seconds for answer in failed), default=0.0)
    later = [answer for answer in answers if answer.outcome == OK and answer.ended > gone.ended]
    recovery = min((answer.ended for answer in later), default=float("inf")) - gone.ended
    late = [answer for answer in failed if answer.began > gone.ended + RECOVERY_SECONDS]
    wrong = set(outcomes(failed)) - {"unavailable"}
    return Verdict(
        f"Redis {way} for {seconds:g} s",
        f"`unavailable` within {slowest:.1f} s, {acts} destructive acts, recovery in {recovery:.1f} s",
        f"`unavailable` within {UNAVAILABLE_SECONDS:g} s, 0 acts, recovery in {RECOVERY_SECONDS:g} s",
        bool(failed)
        and not wrong
        and not late
        and acts == 0
        and done == forms
        and slowest <= UNAVAILABLE_SECONDS
        and recovery <= RECOVERY_SECONDS,
        {"outcomes": outcomes(answers), "done afterwards": done, "slowest, s": slowest, "recovery, s": recovery},
    )


def rolling(seconds: float = 65.0, every: float = 20.0) -> Verdict:
    """A replica told to stop, and started again, every so many seconds."""
    with stage(_CLINICS) as found:
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
    end = time.monotonic() + seconds

    async def load() -> None:
        answers.extend(await play(found.address, turns(_calls(_CLINICS)), 20, until=end))

    async with anyio.create_task_group() as group:
        group.start_soon(load)
        for number in range(int(seconds // every)):
            await anyio.sleep(every / 4)
            replica = found.replicas[number % len(found.replicas)]
            replica.send(signal.SIGTERM)
            await _until(lambda: replica.ended)
            replica.start()
            await _until(lambda: replica.listens)
            await anyio.sleep(max(end - seconds + (number + 1) * every - time.monotonic(), 0))
    return answers


async def _until(holds: Callable[[], bool]) -> None:
    while not await anyio.to_thread.run_sync(holds):  # noqa: ASYNC110 - of another process
        await anyio.sleep(0.2)


def killed(lease: float = LEASE_SECONDS) -> Verdict:
    """A replica killed under load: what is lost, what is said of a write, and when its requests are given up."""
    with stage(_CLINICS) as found:
        return anyio.run(_killed, found, lease)


async def _killed(found: Stage, lease: float) -> Verdict:
    answers: list[Answer] = []
    first, slow = found.replicas[0], person_of(_CLINICS - 1)
    await play(found.address, _calls(_CLINICS), 10)
    held: list[Answer] = []

    async def load(delay: float) -> None:
        answers.extend(await play(found.address, turns(_calls(_CLINICS - 1)), 15, until=time.monotonic() + delay))

    async def under_way() -> None:
        write = Call(slow, "create_patient", {"first_name": "Half", "last_name": "Done"})
        reads = [Call(slow, "get_patient", {"id": str(number)}) for number in range(9)]
        held.extend(await play(first.address, [write, *reads], 10))

    async with anyio.create_task_group() as group:
        group.start_soon(load, 15.0)
        await anyio.sleep(5)
        await anyio.to_thread.run_sync(found.upstream, "delay?seconds=8")
        group.start_soon(under_way)
        await anyio.sleep(4)
        first.send(signal.SIGKILL)
        gone = time.monotonic()
        await anyio.sleep(2)
        await anyio.to_thread.run_sync(found.upstream, "delay?seconds=0.02")
    lost = [answer for answer in answers if answer.outcome != OK]
    beyond = [answer for answer in lost if answer.began > gone or not answer.outcome.startswith(LOST)]
    first.start()
    await _until(lambda: first.listens)
    told = "cut off when the server last ended" in first.said
    kept = partial(_members, found, clinic_of(_CLINICS - 1))
    leases = await anyio.to_thread.run_sync(kept)
    any_left = partial(_members, found, clinic_of(_CLINICS - 1), 0)
    while (left := await anyio.to_thread.run_sync(any_left)) and time.monotonic() < gone + lease + 10:
        await anyio.sleep(1)
    back = time.monotonic() - gone
    return Verdict(
        "a replica killed (SIGKILL) under load",
        f"{len(lost)} of {len(answers):,} calls lost, {len(beyond)} of them not under way there; the write that was cut "
        f"off told: {'yes' if told else 'NO'}; its {leases} requests given up after {back:.0f} s",
        f"only calls under way there lost, the write told, given up in {lease:g} s",
        not beyond and told and leases > 0 and not left and all(one.outcome.startswith(LOST) for one in held),
        {"outcomes": outcomes(answers), "of the killed": outcomes(held), "given up after, s": back, "limit": LIMIT},
    )


def _members(found: Stage, clinic: str, after: int = 61) -> int:
    """How many requests of this clinic still count in so many seconds; one that was answered does for a minute."""
    account = found.accounts[clinic]
    with Redis.from_url(found.redis.url) as redis:  # pyright: ignore[reportUnknownMemberType] - of the other options
        seconds, _ = redis.time()
        return int(redis.zcount(f"cm:1:{{{account}}}:requests", (seconds + after) * 1000, "+inf"))
