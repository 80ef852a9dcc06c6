"""The diary of a span: appointments, groups (classes) and blocked-out times of every practitioner and site in question.

One list, filtered by Cliniko: a request for each hundred entries, whatever the number of practitioners and days.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from cliniko_mcp.cliniko.filters import MAX_IDS, After, Before, FilterValue, Given, Hidden, OneOf
from cliniko_mcp.cliniko.resources.bookings import Booking, Bookings
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

EntryKind = Literal["appointment", "group", "block"]
EVER: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The end of a span that is open: no booking is so far ahead."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the diary. `starts` and `ends` are UTC; `patient_ids` are those booked in (none for a block);
    `places` is what a group holds in all; `cancelled` entries are there only where they were asked for."""

    id: str
    kind: EntryKind
    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    type_id: str
    patient_ids: tuple[str, ...]
    places: int | None
    cancelled: bool
    record: Booking

    def meets(self, starts: datetime, ends: datetime) -> bool:
        """Whether it shares any time with this half-open stretch; meeting end to start is none."""
        return self.starts < ends and starts < self.ends

    @property
    def left(self) -> int:
        """Free places of a group; 0 for everything else."""
        return max((self.places or 0) - len(self.patient_ids), 0)


async def bookings(
    clinic: GuardedClinic,
    starts: datetime,
    ends: datetime,
    *,
    practitioners: Collection[str] = (),
    businesses: Collection[str] = (),
    patient: str | None = None,
    cancelled: bool = False,
    visits: bool = True,
    blocks: bool = True,
) -> list[Entry]:
    """Every live entry that shares time with this half-open span, by start; no ids mean everyone and everywhere.

    Appointments and groups are included with `visits`, with `blocks` blocked-out times, which are the entries without a
    type. Archived entries never are, cancelled ones only with `cancelled`. `patient` keeps the entries that this
    patient is booked into. A request a hundred rows.
    """
    filters: dict[str, FilterValue] = {"starts_at": Before(ends), "ends_at": After(starts)}
    if 0 < len(practitioners) <= MAX_IDS:
        filters["practitioner_id"] = OneOf(practitioners)
    if 0 < len(businesses) <= MAX_IDS:
        filters["business_id"] = OneOf(businesses)
    if patient is not None:
        filters["patient_ids"] = patient
    if not (visits and blocks):
        filters["appointment_type_id"] = Given.YES if visits else Given.NO
    if cancelled:
        filters["cancelled_at"] = Hidden.INCLUDED
    found = map(entry_of, await clinic.collect(Bookings.list_bookings, **filters))
    kept = [
        entry
        for entry in found
        if entry is not None
        and (not practitioners or entry.practitioner_id in practitioners)
        and (not businesses or entry.business_id in businesses)
        and entry.meets(starts, ends)
    ]
    return sorted(kept, key=lambda entry: (entry.starts, entry.ends, entry.id))


def entry_of(record: Booking) -> Entry | None:
    """The entry that a booking stands for; None where it has no time (cliniko-api.md#calendar)."""
    if record.starts_at is None or record.ends_at is None:
        return None
    kind: EntryKind = "appointment"
    if record.max_attendees is not None:
        kind = "group"
    elif not record.patient_id and not record.appointment_type_id:
        kind = "block"
    return Entry(
        id=record.id,
        kind=kind,
        starts=record.starts_at.astimezone(UTC),
        ends=record.ends_at.astimezone(UTC),
        practitioner_id=record.practitioner_id or "",
        business_id=record.business_id or "",
        type_id=record.appointment_type_id or "",
        patient_ids=(record.patient_id,) if record.patient_id else tuple(record.patient_ids or ()),
        places=record.max_attendees,
        cancelled=record.cancelled_at is not None,
        record=record,
    )
