"""When a clinic's history begins, for reports on all time: one request for each kind of record that tells."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.invoices import Invoices
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

Beginning = Callable[[GuardedClinic], Awaitable[datetime | None]]
"""The moment of the earliest record; None where there is none."""


async def first_visit(clinic: GuardedClinic) -> datetime | None:
    """The start of the earliest booking, of those cancelled too."""
    call = Bookings.list_bookings.call(sort="starts_at", cancelled_at=Hidden.INCLUDED)
    return next((row.starts_at for row in (await clinic.rows(call, limit=1)).rows), None)


async def first_booking_made(clinic: GuardedClinic) -> datetime | None:
    """When the earliest booking was made; none can have been cancelled before."""
    call = Bookings.list_bookings.call(sort="created_at", cancelled_at=Hidden.INCLUDED)
    return next((row.created_at for row in (await clinic.rows(call, limit=1)).rows), None)


async def first_invoice(clinic: GuardedClinic) -> datetime | None:
    """The day on which the earliest invoice was issued, from its midnight in UTC on."""
    rows = (await clinic.rows(Invoices.list_invoices.call(sort="issue_date"), limit=1)).rows
    day = next((row.issue_date for row in rows), None)
    return datetime.combine(day, time(), UTC) if day else None
