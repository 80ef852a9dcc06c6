"""The demo clinic as the front desk's functions see it: guarded, with its store to prepare."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from conftest import in_process
from tools.curated.reception import Reception

from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.pipeline import Caller

HIDDEN_AT = "2026-11-01T00:00:00Z"


@asynccontextmanager
async def front_desk(tool: str = "report", **settings: Any) -> AsyncGenerator[tuple[Reception, GuardedClinic]]:
    async with in_process(**settings) as assistant:
        assert assistant.app is not None
        yield Reception(assistant), await assistant.app.guarded_clinic(tool, Caller())


def archive(reception: Reception, *tables: str) -> None:
    """Hide every row of these tables; of practitioners everyone has left."""
    for table in tables:
        for row in reception.rows(table):
            hidden: dict[str, Any] = {"active": False} if table == "practitioners" else {"archived_at": HIDDEN_AT}
            reception.store.put(table, {**row, **hidden})


async def load(clinic: GuardedClinic) -> tuple[Roster, datetime]:
    return await Roster.load(clinic), clinic.now
