"""Available times: the starts that patients could book online. The diary itself may hold more.

Source: cliniko-api.md#available-times.
"""

from pydantic import Field

from cliniko_mcp.cliniko.fields import LocalDate, Timestamp
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Get, List, Resource

PLACE = "/businesses/{business_id}/practitioners/{practitioner_id}/appointment_types/{appointment_type_id}"


class Window(Body):
    from_: LocalDate = Field(alias="from")
    to: LocalDate


class AvailableTime(Record):
    appointment_start: Timestamp | None = None


class NextAvailableTime(AvailableTime):
    total_entries: int | None = Field(default=None, description="How many starts are free between the two days.")


class AvailableTimes(Resource):
    """Openings that patients could book online: starts only, for one practitioner, type and site."""

    list_available_times = List(
        AvailableTime, f"{PLACE}/available_times",
        "List free slots for online booking with one practitioner, type and site, over at most 7 days.",
        sortable=False, query=Window)
    get_next_available_time = Get(
        NextAvailableTime, f"{PLACE}/next_available_time",
        "Find the first free slot for online booking with one practitioner, type and site.",
        query=Window)
