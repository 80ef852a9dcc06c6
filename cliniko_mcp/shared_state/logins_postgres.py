"""The built-in login's store in Postgres, for several servers of one address."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from cliniko_mcp.shared_state.logins import Told, nobody_told
from cliniko_mcp.shared_state.logins_rows import SCHEMA
from cliniko_mcp.shared_state.logins_sql import SqlLogins
from cliniko_mcp.shared_state.postgres import Tables, open_database

_TABLES: Final = Tables(
    "clinic_logins",
    SCHEMA,
    "its logins",
    "This server cannot reach where its logins are kept, so nobody can be let in just now.",
)


@asynccontextmanager
async def open_logins(url: str, told: Told = nobody_told) -> AsyncGenerator[SqlLogins]:
    """The store for the length of a run, its tables made where there are none. `url` is `postgresql://`.

    Raises ConfigurationError for an address that is none or lets nobody in, Unavailable where nothing answers.
    """
    async with open_database(url, _TABLES) as database:
        yield SqlLogins(database, told)
