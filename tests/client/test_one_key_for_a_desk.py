"""How many answers one key of 200 requests a minute gives, and that nobody of a desk goes without, in virtual time."""

from collections import Counter

import anyio
import pytest

from cliniko_mcp.client.rate_limit import one_call
from cliniko_mcp.errors import RateLimited

from .gate import Gate, Upstream
from .virtual import run

MORNING = (0, 4, 4, 5, 5, 6, 0, 2, 2, 10, 10, 5, 0, 0, 0, 2)
"""Sixteen answers within the budget of 55 requests; what they take in truth, `python -m benchmarks.desk` counts."""
MINUTES = 5


@pytest.mark.long
@pytest.mark.parametrize("people", [1, 5, 20])
def test_one_key_gives_a_desk_at_least_45_answers_a_minute_and_everyone_their_share(people: int) -> None:
    answered: Counter[int] = Counter()
    upstream = Upstream(latency=0.05)
    gate = Gate(200, upstream)

    async def person(number: int) -> None:
        while True:
            for requests in MORNING:
                try:
                    with one_call(f"person {number}"):
                        for _ in range(requests):
                            await gate.send()
                except RateLimited as full:
                    wait = full.details["retry_after"]
                    assert isinstance(wait, int)
                    await anyio.sleep(wait)
                else:
                    answered[number] += 1
                    await anyio.sleep(0.5)

    async def story() -> None:
        with anyio.move_on_after(60 * MINUTES):
            async with anyio.create_task_group() as group:
                for number in range(people):
                    group.start_soon(person, number)

    run(story)
    assert len(upstream.arrivals) <= 200 * MINUTES
    assert answered.total() >= 45 * MINUTES
    assert len(answered) == people and min(answered.values()) * 3 >= max(answered.values())
