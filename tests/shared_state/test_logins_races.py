"""The store of logins when several processes use it, and when one of them is killed."""

import multiprocessing
import subprocess
import sys

import anyio
import pytest

from cliniko_mcp.shared_state.logins import GrantRow, NewTokens
from tests.shared_state.killed import STATEMENTS
from tests.shared_state.logins_at import give, logins_at

TRIES = 8


async def _race(where: str, worker: int, codes: int) -> list[int]:
    won = [0] * codes
    async with logins_at(where) as logins:

        async def take(number: int, attempt: int) -> None:
            name = f"{worker}-{number}-{attempt}"
            found = await logins.take_code(f"c{number}", NewTokens(name, 1e9, f"r{name}", 1e9, "cliniko:read"), 1.0)
            won[number] += isinstance(found, GrantRow)

        for begin in range(0, codes, 50):
            async with anyio.create_task_group() as group:
                for number in range(begin, min(begin + 50, codes)):
                    for attempt in range(TRIES // 2):
                        group.start_soon(take, number, attempt)
    return won


def race(where: str, worker: int, codes: int) -> list[int]:
    return anyio.run(_race, where, worker, codes)


def raced(where: str, codes: int) -> list[int]:
    """How often each code was taken."""

    async def prepare() -> None:
        async with logins_at(where) as logins:
            await give(logins, codes)

    anyio.run(prepare)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.starmap(race, [(where, 1, codes), (where, 2, codes)])
    return [one + other for one, other in zip(*found, strict=True)]


def test_of_two_processes_that_use_the_same_codes_one_wins_each(where: str) -> None:
    assert raced(where, 20) == [1] * 20


@pytest.mark.long
def test_of_two_processes_that_use_a_thousand_codes_eight_times_one_wins_each(where: str) -> None:
    assert raced(where, 1000) == [1] * 1000


@pytest.mark.long
def test_a_process_that_is_killed_with_a_code_leaves_nothing_or_the_whole_of_it(where: str) -> None:
    codes = [f"c{number}" for number in range(STATEMENTS + 2)]

    async def check() -> None:
        async with logins_at(where) as logins:
            for code in codes:
                whole = code == codes[-1]
                assert (await logins.token(f"a{code}", 2.0) is not None) is whole, code
                assert (await logins.refresh_token(f"r{code}") is not None) is whole, code
                found = await logins.take_code(code, NewTokens(f"A{code}", 1e9, f"R{code}", 1e9, "cliniko:read"), 2.0)
                # Whose answer nobody heard is asked for again by its program, which then has to log in anew.
                assert (found == "again") is whole, code
                assert (await logins.token(f"A{code}", 2.0) is None) is whole, code
                assert (await logins.token(f"a{code}", 2.0)) is None, code

    async def prepare() -> None:
        async with logins_at(where) as logins:
            await give(logins, len(codes))

    anyio.run(prepare)
    subprocess.run([sys.executable, "-m", "tests.shared_state.killed", where, *codes], check=True)
    anyio.run(check)
