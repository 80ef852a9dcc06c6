"""More accounts than are kept open: the memory of a replica does not grow with them."""

from typing import Final

import anyio

from benchmarks.hosted.callers import OK, Answer, Call, outcomes, play
from benchmarks.hosted.stage import person_of, stage
from benchmarks.hosted.verdict import Verdict

FLAT: Final = 0.05
"""By what part of the memory at the cap a replica may grow afterwards."""


def capped(accounts: int = 5_000, cap: int = 2_000) -> Verdict:
    """So many accounts touched once at one replica that keeps `cap` of them open; both can be divided by a quarter of
    the cap."""
    megabytes: list[float] = []
    step = cap // 4
    with stage(accounts, replicas=1, more=f"most_open = {cap}") as found:
        (replica,) = found.replicas
        anyio.run(play, replica.address, [Call(person_of(0), "list_businesses", {"limit": 3})] * 20, 5)
        megabytes.append(replica.kilobytes / 1024)
        answers: list[Answer] = []
        for start in range(0, accounts, step):
            touched = [Call(person_of(one), "list_businesses", {"limit": 3}) for one in range(start, start + step)]
            answers += anyio.run(play, replica.address, touched, 10)
            megabytes.append(replica.kilobytes / 1024)
    at_cap, at_end = megabytes[4], max(megabytes[4:])
    ended = outcomes(answers)
    return Verdict(
        f"{accounts:,} accounts touched once, {cap:,} kept open",
        f"{megabytes[0]:.0f} MB at first, {at_cap:.0f} MB at the cap, {at_end:.0f} MB at most afterwards",
        f"{FLAT:.0%} more than at the cap at most",
        ended == {OK: accounts} and at_end <= at_cap * (1 + FLAT),
        {"outcomes": ended, f"MB every {step} accounts": [round(one, 1) for one in megabytes]},
    )
