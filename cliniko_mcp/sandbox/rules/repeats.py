"""Series: a repeat rule creates further records at the same local time, `repeated_from` the first.

Source: cliniko-api.md#appointments.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.bookings import BLOCK, GROUP, INDIVIDUAL, OPENING
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import parse_timestamp, timestamp
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json, invalid

RULES: Final = Rulebook[RequestContext]()
UNCHANGEABLE: Final = "cannot be changed"

_OWN: Final = ("id", "created_at", "updated_at", "repeated_from_id", "patient_ids")


@RULES.on((INDIVIDUAL, GROUP, BLOCK, OPENING), "update")
def keep_rule(context: RequestContext, change: Change) -> None:
    """The rule of an existing record cannot be changed (choices 26)."""
    old = (change.old or {}).get("repeat_rule")
    if change.sets("repeat_rule") and (change.body["repeat_rule"] or None) != (old or None):
        change.errors["repeat_rule"] = UNCHANGEABLE


@RULES.on((INDIVIDUAL, GROUP, BLOCK, OPENING), "created")
def repeat(context: RequestContext, change: Change) -> None:
    """Create the later records of a series when its first is created."""
    rule = change.new.get("repeat_rule")
    if not isinstance(rule, dict) or not rule or "repeated_from_id" in change.new:
        return
    first = context.get(change.resource, change.new["id"]) or change.new
    starts, ends = parse_timestamp(first["starts_at"]), parse_timestamp(first["ends_at"])
    zone = context.zone_of(first.get("business_id"))
    shared = {name: value for name, value in first.items() if name not in _OWN}
    if change.resource in (INDIVIDUAL, GROUP):
        shared["patient_ids"] = first.get("patient_ids")
    try:
        for local in repeats(starts.astimezone(zone).replace(tzinfo=None), rule):
            again = local.replace(tzinfo=zone)
            times = {
                "starts_at": timestamp(again),
                "ends_at": timestamp(parse_timestamp(timestamp(again)) + (ends - starts)),
            }
            context.insert(change.resource, {**shared, **times, "repeated_from_id": first["id"]}, change.user_id)
    except (OverflowError, ValueError):  # some of it lies after the year 9999
        raise invalid({"repeat_rule": INVALID}) from None


def repeats(first: datetime, rule: dict[str, JsonValue]) -> Iterator[datetime]:
    """The later local times of a rule; a day that a month does not have becomes its last (choices 26)."""
    count, interval = rule.get("number_of_repeats"), rule.get("repeating_interval")
    if not isinstance(count, int) or not isinstance(interval, int):
        return
    for step in range(1, count + 1):
        match rule.get("repeat_type"):
            case "Daily":
                yield first + timedelta(days=step * interval)
            case "Weekly":
                yield first + timedelta(weeks=step * interval)
            case _:
                yield later_month(first, step * interval)


def later_month(first: datetime, months: int) -> datetime:
    """The same day and time so many months later, clipped to the end of that month."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    day = min(first.day, monthrange(year, month + 1)[1])
    return first.replace(year=year, month=month + 1, day=day)


@RULES.serialises(INDIVIDUAL, GROUP, BLOCK)
def show_series(context: RequestContext, row: Row, shown: Json) -> None:
    """`repeat_rule` is {} and `repeats` null where nothing repeats; the first of a series links to the others."""
    shown["repeat_rule"] = shown["repeat_rule"] or {}
    table = context.table_of("bookings", str(row["id"]))
    if row.get("repeat_rule") and "repeated_from_id" not in row:
        link = f"{context.base_url}/{table}?q%5B%5D=repeated_from_id%3A%3D{row['id']}"
        shown["repeats"] = {"links": {"self": link}}


@RULES.serialises(OPENING)
def show_opening(context: RequestContext, row: Row, shown: Json) -> None:
    """The same for availability blocks, which do not link to one another."""
    shown["repeat_rule"] = shown["repeat_rule"] or {}
