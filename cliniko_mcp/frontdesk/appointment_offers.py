"""Which practitioners offer an appointment type, and at which sites (cliniko-api.md#staff-and-sites, #calendar)."""

from typing import Final

from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

NEEDS: Final[tuple[Operation, ...]] = (Practitioners.list_appointment_type_practitioners,)


async def practitioners_offering(clinic: GuardedClinic, kind: Known[AppointmentType]) -> frozenset[str]:
    """The ids of the active practitioners who offer this type: one request."""
    rows = await clinic.collect(Practitioners.list_appointment_type_practitioners, appointment_type_id=kind.id)
    return frozenset(practitioner.id for practitioner in rows)


def offered_at(site: Known[Business], kind: Known[AppointmentType]) -> bool:
    """Whether a site offers a type; a site that lists none at all is taken to offer everything."""
    listed = site.record.appointment_type_ids
    return listed is None or kind.id in listed


def sites_offering(roster: Roster, kind: Known[AppointmentType]) -> list[Known[Business]]:
    """The open sites at which this type is offered."""
    return [site for site in roster.sites if offered_at(site, kind)]


def minutes_of(kind: Known[AppointmentType]) -> int:
    """The usual length of a type in minutes; 30 where Cliniko tells none."""
    length = kind.record.duration_in_minutes
    return length if length is not None and length > 0 else 30


def is_group(kind: Known[AppointmentType]) -> bool:
    """Whether a type is a group (class), which holds several patients at once."""
    return (kind.record.max_attendees or 1) > 1
