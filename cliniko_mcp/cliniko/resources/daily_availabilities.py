"""Daily availabilities: a practitioner's weekly hours at a site, one row for each weekday. They are only read here."""

from pydantic import Field

from cliniko_mcp.cliniko.fields import Id, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, NUMBER
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Get, List, Resource


class Hours(Record):
    """A stretch of the day in the site's local time, `HH:MM`."""

    starts_at: str | None = None
    ends_at: str | None = None


class DailyAvailability(Record):
    concise = ("id", "practitioner_id", "business_id", "day_of_week", "availabilities", "time_zone_identifier")

    id: Id
    availabilities: list[Hours] | None = Field(default=None, description="Local times such as 09:00 to 13:00.")
    business_id: Id | None = None
    created_at: Timestamp | None = None
    day_of_week: int | None = Field(default=None, description="0 (or 7) Sunday, 1 Monday, to 6 Saturday.")
    practitioner_id: Id | None = None
    time_zone: str | None = None
    time_zone_identifier: str | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {"business_id": NUMBER, "practitioner_id": NUMBER}


class DailyAvailabilities(Resource):
    """Weekly working hours: who works where on which weekday."""

    list_daily_availabilities = List(
        DailyAvailability, "/daily_availabilities",
        "List weekly working hours (roster) by practitioner, site and weekday.",
        filters=FILTERS)
    get_daily_availability = Get(DailyAvailability, "/daily_availabilities/{id}", "Read one practitioner's hours at one site on one weekday.")
    list_business_daily_availabilities = List(
        DailyAvailability, "/businesses/{business_id}/daily_availabilities",
        "List everyone's weekly working hours at one site.",
        filters=FILTERS)
    list_practitioner_daily_availabilities = List(
        DailyAvailability, "/practitioners/{practitioner_id}/daily_availabilities",
        "List one practitioner's weekly working hours at all sites.",
        filters=FILTERS)
