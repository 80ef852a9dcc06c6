"""Which practitioners offer an appointment type, and at which sites (api.md 2.2, 2.3)."""

from typing import Final, cast

from cliniko_mcp.frontdesk.concurrency import gathered
from cliniko_mcp.frontdesk.people import Known, Roster
from cliniko_mcp.guards.guarded_clinic import GuardedClinic

NEEDS: Final = ("list_appointment_type_practitioners",)


async def givers(clinic: GuardedClinic, kind: Known) -> frozenset[str]:
    """The ids of the active practitioners who offer this type: one request."""
    rows = await gathered(clinic.all_named("list_appointment_type_practitioners", appointment_type_id=kind.id))
    return frozenset(str(getattr(row, "id", "")) for row in rows)


def offered_at(site: Known, kind: Known) -> bool:
    """Whether a site offers a type; a site that lists none at all is taken to offer everything."""
    listed = getattr(site.record, "appointment_type_ids", None)
    return not isinstance(listed, list) or kind.id in cast("list[object]", listed)


def sites_offering(roster: Roster, kind: Known) -> list[Known]:
    """The open sites at which this type is offered."""
    return [site for site in roster.sites if offered_at(site, kind)]


def minutes_of(kind: Known) -> int:
    """The usual length of a type in minutes; 30 where Cliniko tells none."""
    length = getattr(kind.record, "duration_in_minutes", None)
    return length if isinstance(length, int) and length > 0 else 30


def is_group(kind: Known) -> bool:
    """Whether a type is a group (class), which holds several patients at once."""
    places = getattr(kind.record, "max_attendees", None)
    return isinstance(places, int) and places > 1
