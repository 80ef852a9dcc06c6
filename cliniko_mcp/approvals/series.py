"""How many later records of the same series there are, and that they stay (cliniko-api.md#appointments)."""

from collections.abc import Callable, Mapping

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import FilterValue, From
from cliniko_mcp.cliniko.models import Record, row_id
from cliniko_mcp.cliniko.shapes.bookings import AppointmentStamps, BookingStamps

Listing = Callable[[Mapping[str, FilterValue]], Call[Record]]
"""The list in which the records of a series stand: `List.where` of their own kind."""


async def later_in_series(facts: Facts, listing: Listing, record: BookingStamps, **filters: FilterValue) -> int | None:
    """How many later records of the same series match these filters; 0 where the record is not part of one.

    None where this key may not see them. Later is what does not start before the record. The first of a series counts
    too where it was moved behind the record.
    """
    first, start = record.repeated_from_id, record.starts_at
    if not record.id or start is None:
        return 0
    listed = await facts.listed(listing({"repeated_from_id": first or record.id, "starts_at": From(start), **filters}))
    if listed is None:
        return None
    number, rows = listed
    number -= any(row_id(row) == record.id for row in rows)
    if first:
        moved = await facts.listed(listing({"id": first, "starts_at": From(start), **filters}))
        if moved is None:
            return None
        number += moved[0]
    return number


async def later_cancelled(facts: Facts, record: Record) -> int | None:
    """How many later records `apply_to_repeats` cancels with this appointment, or with this patient's place in one.

    None where that cannot be looked up.
    """
    if isinstance(record, AppointmentStamps):
        from cliniko_mcp.cliniko.resources.individual_appointments import IndividualAppointments

        return await later_in_series(facts, IndividualAppointments.list_individual_appointments.where, record)
    from cliniko_mcp.cliniko.resources.attendees import Attendee
    from cliniko_mcp.cliniko.resources.bookings import Bookings

    if not isinstance(record, Attendee) or not record.patient_id:
        return None
    booking = await facts.linked(Bookings.get_booking, record.booking_id)
    if booking is None:
        return None
    from cliniko_mcp.cliniko.resources.group_appointments import GroupAppointments

    places = GroupAppointments.list_group_appointments.where
    return await later_in_series(facts, places, booking, patient_ids=record.patient_id)


async def left_alone(facts: Facts, listing: Listing, record: BookingStamps) -> list[str]:
    """A sentence about the later records of a series, which stay when this one goes; none where there are none."""
    later = await later_in_series(facts, listing, record)
    if later is None:
        return ["Whether it repeats could not be looked up."]
    return [f"It is part of a series; {stay(later)}."] if later else []


def stay(later: int) -> str:
    """The words for so many later records that stay: `the 2 later ones stay`."""
    return "the later one stays" if later == 1 else f"the {later:,} later ones stay"
