"""What has to be read of the diary to fill a free time: no more of it than decides who could come.

Requests: one a hundred coming visits of the practitioner up to the end of the reach, of their cancelled ones within
reach, and of everyone's on the day; two (one more a hundred) for the patients who cancelled, where there are any.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.filters import MAX_IDS, After, Before, Between, Hidden, OneOf
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments
from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments
from cliniko_mcp.frontdesk.bookings import EVER, Entry, bookings, entry_of
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.gap_candidates import Gap, suits
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import day_bounds, local_day

NEEDS: Final[tuple[Operation, ...]] = (
    Bookings.list_bookings,
    IndividualAppointments.list_individual_appointments,
    GroupAppointments.list_group_appointments,
)
_DAY: Final = timedelta(days=1)
OPEN_ENDED: Final = timedelta(hours=4)
"""How long a gap is at most of which only the start was said."""


async def practitioners_own(clinic: GuardedClinic, gap: Gap, reach: timedelta) -> tuple[list[Entry], list[Entry]]:
    """The practitioner's live appointments and classes from now to the end of the reach, and their cancelled
    appointments within it."""
    latest = max(gap.ends, gap.starts) + reach + _DAY
    return await run_concurrently(
        partial(bookings, clinic, clinic.now, latest, practitioners=[gap.practitioner_id], blocks=False),
        partial(_cancelled, clinic, gap, latest, reach),
    )


async def _cancelled(clinic: GuardedClinic, gap: Gap, latest: datetime, reach: timedelta) -> list[Entry]:
    rows = clinic.all(
        Bookings.list_bookings,
        practitioner_id=gap.practitioner_id,
        cancelled_at=Hidden.ONLY,
        starts_at=Between(gap.starts - reach - _DAY, latest),
    )
    return [entry async for row in rows if (entry := entry_of(row)) is not None and entry.cancelled]


async def of_the_day(clinic: GuardedClinic, roster: Roster, gap: Gap) -> list[Entry]:
    """Everyone's live entries to come on the day of the gap, by the clock of its site, and for 4 hours from it on."""
    zone = roster.zone(gap.business_id)
    starts, ends = day_bounds(local_day(gap.starts, zone), zone)
    return await bookings(clinic, max(starts, clinic.now), max(ends, gap.ends, gap.starts + OPEN_ENDED))


async def booked_again(
    clinic: GuardedClinic, gap: Gap, own: Iterable[Entry], cancelled: Iterable[Entry], reach: timedelta
) -> frozenset[str]:
    """The ids of those patients who cancelled what would fit into the gap and have anything to come, with anyone."""
    booked = {patient for entry in own for patient in entry.patient_ids}
    fitting = (entry for entry in cancelled if suits(gap, entry) and abs(entry.starts - gap.starts) <= reach)
    wanted = sorted({entry.patient_ids[0] for entry in fitting} - booked - gap.left_by)
    if not wanted:
        return frozenset()
    batches = [wanted[begin : begin + MAX_IDS] for begin in range(0, len(wanted), MAX_IDS)]
    found = await run_concurrently(
        partial(_in_classes, clinic), *(partial(_in_appointments, clinic, batch) for batch in batches)
    )
    return frozenset(patient for patients in found for patient in patients)


async def _in_appointments(clinic: GuardedClinic, patient_ids: Sequence[str]) -> set[str]:
    rows = clinic.all(
        IndividualAppointments.list_individual_appointments,
        patient_id=OneOf(patient_ids),
        ends_at=After(clinic.now),
        starts_at=Before(EVER),
    )
    return {row.patient_id async for row in rows if row.patient_id}


async def _in_classes(clinic: GuardedClinic) -> set[str]:
    rows = clinic.all(GroupAppointments.list_group_appointments, ends_at=After(clinic.now), starts_at=Before(EVER))
    return {patient async for row in rows for patient in row.patient_ids or ()}
