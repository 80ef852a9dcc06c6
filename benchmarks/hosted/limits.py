"""Many accounts at once, and more calls than one minute of an account takes."""

import time
from typing import Final

import anyio

from benchmarks.hosted.callers import OK, Answer, Call, outcomes, percentile, play, rate
from benchmarks.hosted.stage import PATIENT, Stage, person_of, stage
from benchmarks.hosted.upstream import LIMIT, PERIOD
from benchmarks.hosted.verdict import Verdict

P99_MS: Final = 1_000
ACCOUNT_KB: Final = 40
_ROUNDING: Final = 3.0
"""Seconds by which a told wait may differ from the true one: it is whole, and an answer takes its time."""


def _mixed(number: int, clinics: int) -> Call:
    """One of many calls: of ten, nine read and one writes."""
    who = person_of(number % clinics)
    match number % 10:
        case 0:
            return Call(who, "create_patient", {"first_name": "Load", "last_name": f"Number{number}"})
        case 1 | 2 | 3:
            return Call(who, "list_patients", {"limit": 5})
        case 4 | 5:
            return Call(who, "list_businesses", {"limit": 3})
        case _:
            return Call(who, "get_patient", {"id": PATIENT})


def many_accounts(clinics: int = 500, calls: int = 3_000, at_once: int = 30) -> Verdict:
    """So many accounts, each open in every replica, and so many calls over all of them."""
    with stage(clinics) as found:
        kilobytes = _opened_everywhere(found, clinics)
        answers = anyio.run(play, found.address, [_mixed(number, clinics) for number in range(calls)], at_once)
        came = found.upstream()
    ended = outcomes(answers)
    errors = calls - ended.get(OK, 0)
    worst = max(key["worst"] for key in came.values())
    over = sum(key["refused"] for key in came.values())
    p50, p99, a_second = percentile(answers, 50), percentile(answers, 99), rate(answers)
    return Verdict(
        f"3 replicas, {clinics:,} accounts, {calls:,} calls, {at_once} at once",
        f"{errors} errors, {over} over a key's limit, {a_second:.0f} a second, p50 {p50:.0f}, p99 {p99:.0f} ms, "
        f"{kilobytes:.0f} kB an open account",
        f"0 errors, 0 over, p99 {P99_MS:,} ms, {ACCOUNT_KB} kB",
        errors == 0 and over == 0 and worst <= LIMIT and p99 <= P99_MS and kilobytes <= ACCOUNT_KB,
        {"outcomes": ended, "a second": a_second, "p50 ms": p50, "p99 ms": p99, "kB an account": kilobytes},
    )


def _opened_everywhere(found: Stage, clinics: int) -> float:
    """Open every account in every replica; by how many kilobytes each of them grew for one, on the average."""
    warm = [Call(person_of(0), "list_businesses", {"limit": 3}), Call(person_of(0), "get_patient", {"id": PATIENT})]
    rest = [Call(person_of(number), "list_businesses", {"limit": 3}) for number in range(1, clinics)]
    grown = 0
    for replica in found.replicas:
        anyio.run(play, replica.address, [*warm * 20], 10)
        before = replica.kilobytes
        answers = anyio.run(play, replica.address, rest, 10)
        assert all(answer.outcome == OK for answer in answers), outcomes(answers)
        grown += replica.kilobytes - before
    return grown / len(found.replicas) / len(rest)


def too_many(accounts: int = 20, calls: int = 250) -> Verdict:
    """So many calls of each account within a minute, of which it may send 200."""
    with stage(accounts) as found:
        reads = [Call(person_of(number), "get_patient", {"id": PATIENT}) for number in range(accounts)] * calls
        answers = anyio.run(play, found.address, reads, 60)
        told = {one.call.who: one for one in sorted(_limited(answers), key=lambda one: one.ended)}
        off = _off(found, _limited(answers))
        again = anyio.run(_when_told, found.address, told)
        came = found.upstream()
    ended, worst = outcomes(answers), max(key["worst"] for key in came.values())
    refused = sum(key["refused"] for key in came.values())
    seconds = max(answer.ended for answer in answers) - min(answer.began for answer in answers)
    others = set(ended) - {OK, "rate_limited"}
    good = outcomes(again) == {OK: len(told)}
    return Verdict(
        f"{accounts} accounts of {calls} calls each, in {seconds:.0f} s",
        f"{worst} requests of a key in a minute at most, {refused} x 429, {len(_limited(answers)):,} calls told to "
        f"wait, {off:.1f} s off at most",
        f"{LIMIT} in any minute, 0 x 429, the rest told true seconds",
        worst <= LIMIT and refused == 0 and not others and good and off <= _ROUNDING and bool(told),
        {"outcomes": ended, "after the wait": outcomes(again), "seconds": seconds, "others": _texts(answers, others)},
    )


def _texts(answers: list[Answer], of: set[str]) -> list[str]:
    return [answer.text[:300] for answer in answers if answer.outcome in of][:3]


def _limited(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.outcome == "rate_limited"]


def _off(found: Stage, told: list[Answer]) -> float:
    """By how many seconds a told wait differed from the true one at that moment, at most."""
    came, now = found.upstream(), time.monotonic()
    every = {person_of(int(key)): [now - ago for ago in came[key]["seconds ago"]] for key in came}
    return max(
        (abs(one.ended + one.body["retry_after"] - _free_at(every[one.call.who], one.ended)) for one in told),
        default=0.0,
    )


def _free_at(every: list[float], now: float) -> float:
    """When an account may send one more, by when its requests came until now."""
    before = [moment for moment in every if moment <= now]
    return before[-min(LIMIT, len(before))] + PERIOD


async def _when_told(address: str, told: dict[str, Answer]) -> list[Answer]:
    """What comes of the same calls once the told seconds are over."""
    answers: list[Answer] = []

    async def one(before: Answer) -> None:
        await anyio.sleep(max(before.ended + before.body["retry_after"] - time.monotonic(), 0.0))
        answers.extend(await play(address, [before.call], 1))

    async with anyio.create_task_group() as group:
        for before in told.values():
            group.start_soon(one, before)
    return answers
