"""A name that nobody has costs at most twice the requests of one that is found."""

from random import Random

import pytest

from .reception import Reception, reception

pytestmark = pytest.mark.anyio


async def cost(clinic: Reception, query: str) -> int:
    """The requests that looking for a name takes."""
    clinic.sandbox.requests.clear()
    await clinic.assistant.call("find_patients", query=query)
    return len(clinic.sandbox.requests)


@pytest.mark.long
async def test_a_pair_of_names_that_nobody_has_takes_at_most_twice_what_its_last_name_takes_with_its_owner() -> None:
    async with reception() as clinic:
        live = [row for row in clinic.rows("patients") if row.get("first_name") and row.get("last_name")]
        owners = {row["last_name"]: row["first_name"] for row in live}
        pairs = {(row["first_name"], row["last_name"]) for row in live}
        rng = Random(7)
        await cost(clinic, "Ana Lima")  # the set-up is in memory
        for _ in range(8):
            first, last = rng.choice(live)["first_name"], rng.choice(sorted(owners))
            if (first, last) not in pairs:
                found = await cost(clinic, f"{owners[last]} {last}")
                assert await cost(clinic, f"{first} {last}") <= 2 * found, (first, last, found)
