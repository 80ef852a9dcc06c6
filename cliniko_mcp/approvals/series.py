"""How many later records of the same series there are, and that they stay (cliniko-api.md#appointments)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import FilterValue, From
from cliniko_mcp.cliniko.models import Record, row_id
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps, BookingStamps

if TYPE_CHECKING:  # resource modules are imported when a call needs them
    pass

Listing = Callable[[Mapping[str, FilterValue]], Call[Record]]
"""The list in which the records of a series stand: `List.where` of their own kind."""


_SHOWN: Final = 12


class Later(NamedTuple):
    """How many later records of a series there are, and the starts of those that were read, in order."""

    number: int
    starts: tuple[datetime, ...] = ()

    async def days(self, facts: Facts, site: str | None) -> str:
        """Their days by the clock of this site, up to twelve: `Thu 28 January 2027, Thu 4 February 2027`."""
        zone = await facts.zone(site)
        local = [start.astimezone(zone) for start in self.starts[:_SHOWN]]
        shown = ", ".join(f"{day:%a} {day.day} {day:%B %Y}" for day in local)
        more = self.number - len(local)
        return f"{shown} and {more:,} more" if more > 0 and shown else shown


async def later_in_series(
    facts: Facts, listing: Listing, record: BookingStamps, **filters: FilterValue
) -> Later | None:
    """The later records of the same series that match these filters; none where the record is not part of one.

    None where this key may not see them. Later is what does not start before the record. The first of a series counts
    too where it was moved behind the record.
    """
    first, start = record.repeated_from_id, record.starts_at
    if not record.id or start is None:
        return Later(0)
    listed = await facts.listed(listing({"repeated_from_id": first or record.id, "starts_at": From(start), **filters}))
    if listed is None:
        return None
    number, rows = listed
    number -= any(row_id(row) == record.id for row in rows)
    found = {row_id(row): row for row in rows}
    if first and first != record.id:
        moved = await facts.listed(listing({"id": first, "starts_at": From(start), **filters}))
        if moved is None:
            return None
        number += moved[0]
        found |= {row_id(row): row for row in moved[1]}
    found.pop(record.id, None)
    starts = [row.starts_at for row in found.values() if isinstance(row, BookingStamps) and row.starts_at is not None]
    return Later(number, tuple(sorted(starts)))


async def later_cancelled(facts: Facts, record: Record, *, every: bool) -> tuple[Later | None, str | None]:
    """The later records that `apply_to_repeats` cancels with this appointment, or with this patient's place in one,
    and the id of the site; `every` says that they are to be cancelled, so that they are looked for whatever the record
    tells of repeats.

    None where that cannot be looked up.
    """
    if isinstance(record, AppointmentStamps):
        if not every and _stands_alone(record):
            return Later(0), record.business_id
        from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments

        visits = IndividualAppointments.list_individual_appointments.where
        return await later_in_series(facts, visits, record), record.business_id
    from cliniko_mcp.cliniko.resources.attendees import Attendee
    from cliniko_mcp.cliniko.resources.bookings import Bookings

    if not isinstance(record, Attendee) or not record.patient_id:
        return None, None
    booking = await facts.linked(Bookings.get_booking, record.booking_id)
    if booking is None:
        return None, None
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments

    if not every and _stands_alone(booking):
        return Later(0), booking.business_id
    places = GroupAppointments.list_group_appointments.where
    return await later_in_series(facts, places, booking, patient_ids=record.patient_id), booking.business_id


def _stands_alone(record: BookingStamps) -> bool:
    """Whether its record says that it is no part of a series: it repeats none, and its own rule is there and empty."""
    rule = record.repeat_rule
    return rule is not None and not rule.as_json() and not record.repeated_from_id and not record.unexpected


async def left_alone(facts: Facts, listing: Listing, record: BookingStamps) -> list[str]:
    """A sentence about the later records of a series, which stay when this one goes; none where there are none."""
    later = await later_in_series(facts, listing, record)
    if later is None:
        return ["Whether it repeats could not be looked up."]
    return [f"It is part of a series; {stay(later.number)}."] if later.number else []


def stay(later: int) -> str:
    """The words for so many later records that stay: `the 2 later ones stay`."""
    return "the later one stays" if later == 1 else f"the {later:,} later ones stay"
