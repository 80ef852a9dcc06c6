"""A part of the demo clinic, small enough to count often: the seed's first patients and every eighth of the rest."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any

from cliniko_mcp.app import open_app
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.results.envelope import error_body
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings

from .over_port import Port, Row, served

NOW = "2026-11-24T09:00:00+11:00"
CLOCKS = (
    NOW,
    "2026-12-01T00:10:00+11:00",  # the month is over at Northside, and has twenty minutes left at Riverside
    "2026-10-04T09:00:00+11:00",  # the clocks went forward this night
    "2026-04-05T23:50:00+10:00",  # they went back this morning; Riverside has the same day for half an hour more
    "2026-12-31T23:59:00+11:00",
)
"""Moments at which reports are counted again."""
_FIRST = 40
_EVERY = 8
_OF_PATIENTS = (
    "individual_appointments",
    "attendees",
    "invoices",
    "treatment_notes",
    "patient_cases",
    "patient_forms",
    "medical_alerts",
    "referral_sources",
)


@contextmanager
def small_clinic() -> Generator[tuple[Sandbox, Port]]:
    """The clinic, and its rows over its port."""
    sandbox = Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)
    store = sandbox.context.store
    kept = {
        row_id for number, row_id in enumerate(store.table("patients").rows) if number < _FIRST or not number % _EVERY
    }
    for row_id in [*store.table("patients").rows]:
        if row_id not in kept:
            store.remove("patients", row_id)
    for table in _OF_PATIENTS:
        for row in [*store.table(table).rows.values()]:
            if row["patient_id"] not in kept:
                store.remove(table, str(row["id"]))
    for row in [*store.table("group_appointments").rows.values()]:
        held: Any = row["patient_ids"]
        store.put("group_appointments", {**row, "patient_ids": [patient for patient in held if patient in kept]})
    blocks = [*store.table("unavailable_blocks").rows]
    for number, row_id in enumerate(blocks):
        if number % _EVERY:
            store.remove("unavailable_blocks", row_id)
    with served(sandbox) as url:
        yield sandbox, Port(url)


class Reports:
    """The tool at work in a clinic."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def error(self, kind: str, **arguments: Any) -> Row:
        """The body of the error that a call ends in."""
        try:
            return await self._app.call("report", {"kind": kind, **arguments}, Caller())
        except ClinikoMcpError as problem:
            return error_body(problem)

    async def call(self, kind: str, **arguments: Any) -> Row:
        """The answer, with all rows of all pages in it; each page has the same figures."""
        first = answer = await self._app.call("report", {"kind": kind, "limit": 200, **arguments}, Caller())
        rows = list(first["items"])
        while not answer["page"]["complete"]:
            more = {"kind": kind, "limit": 200, "cursor": answer["page"]["next_cursor"]}
            answer = await self._app.call("report", more, Caller())
            assert answer["summary"] == first["summary"]
            rows += answer["items"]
        assert len(rows) == first["page"]["total"]
        return {**first, "items": rows}


@asynccontextmanager
async def reports(sandbox: Sandbox, now: datetime) -> AsyncGenerator[Reports]:
    """The tool in this clinic at this moment."""
    sandbox.clock.set(now)
    settings = {"sandbox": True, "rate_limit": 0, "requests_per_minute": 60_000}
    async with open_app(Settings.load(settings, {})) as app:
        app.use_sandbox(sandbox)
        yield Reports(app)
