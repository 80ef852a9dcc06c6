"""Takes codes of a store of logins in processes that die by SIGKILL, each one statement later than the one before.

`python -m tests.shared_state.killed WHERE CODE...`: the process for the first code dies before its first statement. The
last one dies after all of it was kept, and before anybody was told.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import anyio

from cliniko_mcp.shared_state.logins import NewTokens
from cliniko_mcp.shared_state.logins_sql import SqlLogins
from cliniko_mcp.shared_state.statements import Database, Found, Statement, Work
from tests.shared_state.logins_at import logins_at

T = TypeVar("T")
STATEMENTS = 7
"""How many a code takes that is good."""


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def cut(work: Callable[[], Work[T]], after: int) -> Callable[[], Work[T]]:
    """The same work, in which the process dies after so many statements."""

    def shorter() -> Work[T]:
        steps, found = work(), None
        try:
            for _ in range(after):
                statement: Statement = next(steps) if found is None else steps.send(found)
                answer: Found = yield statement
                found = answer
        except StopIteration as ended:
            outcome: T = ended.value
            return outcome
        die()

    return shorter


class Dying:
    """A database whose process dies after so many statements of a transaction."""

    def __init__(self, database: Database, after: int) -> None:
        self._database = database
        self._after = after

    async def read(self, work: Callable[[], Work[T]]) -> T:
        return await self._database.read(work)

    async def write(self, work: Callable[[], Work[T]], alone_with: str = "") -> T:
        return await self._database.write(cut(work, self._after), alone_with)


async def take(where: str, code: str, after: int) -> NoReturn:
    async with logins_at(where) as logins:
        assert isinstance(logins, SqlLogins)
        dying = SqlLogins(Dying(logins.database, after))
        await dying.take_code(code, NewTokens(f"a{code}", 1e9, f"r{code}", 1e9, "cliniko:read"), 1.0)
        die()


def main(where: str, *codes: str) -> None:
    for after, code in enumerate(codes):
        if (child := os.fork()) == 0:
            anyio.run(take, where, code, after)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
