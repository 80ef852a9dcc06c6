"""The diary of a span: appointments, groups (classes) and blocked-out times of every practitioner and site in question.

One list, filtered by Cliniko: a request for each hundred entries, whatever the number of practitioners and days.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, cast

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

Kind = Literal["appointment", "group", "block"]
EVER: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The end of a span that is open: no booking is so far ahead."""
MOST_IDS: Final = 95
"""Ids in one filter: with 20 digits each they stay under the 2,000 characters that a filter may have."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the diary. `starts` and `ends` are UTC; `patient_ids` are those booked in (none for a block);
    `places` is what a group holds in all; `cancelled` entries are there only where they were asked for."""

    id: str
    kind: Kind
    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    type_id: str
    patient_ids: tuple[str, ...]
    places: int | None
    cancelled: bool
    record: Record

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
) -> list[Entry]:
    """Every live entry that shares time with this half-open span, by start; no ids mean everyone and everywhere.

    Groups and blocked-out times are included. Archived entries never are, cancelled ones only with `cancelled`.
    `patient` keeps the entries that this patient is booked into. A request a hundred rows.
    """
    filters: dict[str, object] = {"starts_at": f"<{utc_text(ends, None)}", "ends_at": f">{utc_text(starts, None)}"}
    if 0 < len(practitioners) <= MOST_IDS:
        filters["practitioner_id"] = ",".join(sorted(practitioners))
    if 0 < len(businesses) <= MOST_IDS:
        filters["business_id"] = ",".join(sorted(businesses))
    if patient is not None:
        filters["patient_ids"] = patient
    if cancelled:
        filters["cancelled_at"] = "all"
    found = [
        entry async for row in clinic.all_named("list_bookings", **filters) if (entry := entry_of(row)) is not None
    ]
    kept = [
        each
        for each in found
        if (not practitioners or each.practitioner_id in practitioners)
        and (not businesses or each.business_id in businesses)
        and each.meets(starts, ends)
    ]
    return sorted(kept, key=lambda each: (each.starts, each.ends, each.id))


def entry_of(record: Record) -> Entry | None:
    """The entry that a booking, appointment, group or block stands for; None where it has no time (api.md 2.3)."""
    starts, ends = getattr(record, "starts_at", None), getattr(record, "ends_at", None)
    if not isinstance(starts, datetime) or not isinstance(ends, datetime) or starts.tzinfo is None:
        return None
    places = getattr(record, "max_attendees", None)
    patient, listed = _text(record, "patient_id"), getattr(record, "patient_ids", None)
    ids = tuple(str(each) for each in cast("Sequence[object]", listed)) if isinstance(listed, list) else ()
    kind: Kind = "appointment"
    if isinstance(places, int):
        kind = "group"
    elif not patient and not _text(record, "appointment_type_id"):
        kind = "block"
    return Entry(
        id=_text(record, "id"),
        kind=kind,
        starts=starts.astimezone(UTC),
        ends=ends.astimezone(UTC),
        practitioner_id=_text(record, "practitioner_id"),
        business_id=_text(record, "business_id"),
        type_id=_text(record, "appointment_type_id"),
        patient_ids=(patient,) if patient else ids,
        places=places if isinstance(places, int) else None,
        cancelled=getattr(record, "cancelled_at", None) is not None,
        record=record,
    )


def _text(record: Record, field: str) -> str:
    value = getattr(record, field, None)
    return value if isinstance(value, str) else ""
