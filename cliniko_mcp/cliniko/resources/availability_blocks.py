"""Availability blocks: extra hours of a practitioner on top of the weekly ones. They can be made and read, not changed."""

from cliniko_mcp.cliniko.fields import Id, Instant, Timestamp
from cliniko_mcp.cliniko.filters import COMMON, INSTANT, NUMBER
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.operations import Create, Get, List, Resource
from cliniko_mcp.cliniko.shapes.repeats import AvailabilityRepeatRule, RepeatRuleRecord


class AvailabilityBlockBody(Body):
    practitioner_id: Id
    business_id: Id
    starts_at: Instant
    ends_at: Instant
    repeat_rule: AvailabilityRepeatRule | None = None


class AvailabilityBlock(Record):
    concise = ("id", "starts_at", "ends_at", "practitioner_id", "business_id", "repeat_rule")

    id: Id
    business_id: Id | None = None
    created_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    practitioner_id: Id | None = None
    repeat_rule: RepeatRuleRecord | None = None
    starts_at: Timestamp | None = None
    updated_at: Timestamp | None = None


FILTERS = COMMON | {"business_id": NUMBER, "practitioner_id": NUMBER, "starts_at": INSTANT}


class AvailabilityBlocks(Resource):
    """One-off openings outside the weekly hours."""

    list_availability_blocks = List(
        AvailabilityBlock, "/availability_blocks",
        "List extra shifts, beyond the hours of list_daily_availabilities.",
        filters=FILTERS)
    get_availability_block = Get(AvailabilityBlock, "/availability_blocks/{id}", "Read one extra shift.")
    create_availability_block = Create(
        AvailabilityBlockBody, AvailabilityBlock, "/availability_blocks",
        "Open an extra shift at a site. Only Cliniko itself can change it.")
