"""Times that patients can book online, for one practitioner, type and site.

Source: cliniko-api.md#available-times; 6, points 41 to 51.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import paging
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Rulebook
from cliniko_mcp.sandbox.rules.availability import Hours, OnlineBookingLimits, Span, free, offered, openings, starts
from cliniko_mcp.sandbox.rules.bookings import GROUP, INDIVIDUAL, diary
from cliniko_mcp.sandbox.rules.services import ids_in
from cliniko_mcp.sandbox.serialise import envelope
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import parse_timestamp, timestamp
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, bad_request, json_response, not_found

RULES: Final = Rulebook[RequestContext]()
WRONG_FRAME: Final = "Invalid time frame definition. Please check from/to param limitations."
MAX_DAYS: Final = 7

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BookableService:
    """One type with one practitioner at one site; `rules` are the account's settings of online booking."""

    business: Row
    practitioner: Row
    appointment_type: Row
    rules: Json


@RULES.answers("list_available_times")
def all_times(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """A page of starts, chronological; `total_entries` counts all pages."""
    times = _available(context, request)
    page = paging.page_of(request)
    shown: list[Json] = [{"appointment_start": timestamp(at)} for at in page.of(times)]
    path = request.operation.path.format_map(request.ids)
    links = paging.links(request, context.base_url, path, page, len(times))
    return json_response(envelope("available_times", shown, len(times), links))


@RULES.answers("get_next_available_time")
def next_time(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The first available time; null and 0 where nothing is free (choices 50)."""
    times = _available(context, request)
    path = request.operation.path.format_map(request.ids)
    first = timestamp(times[0]) if times else None
    own: Json = {"self": paging.url(context.base_url, path, request.http.query)}
    return json_response({"appointment_start": first, "total_entries": len(times), "links": own})


def _available(context: RequestContext, request: OperationRequest) -> list[datetime]:
    service = _bookable_service(context, request)
    first, last = _frame(context, request)
    try:
        return available(context, service, first, last)
    except OverflowError:  # some of it lies after the year 9999
        raise bad_request(WRONG_FRAME) from None


def _frame(context: RequestContext, request: OperationRequest) -> tuple[date, date]:
    today = context.clock.now().astimezone(context.account_zone()).date()
    first, last = (_date(request.parameter(name)) for name in ("from", "to"))
    if first is None or last is None or not today <= first <= last or last - first > MAX_DAYS * _DAY:
        raise bad_request(WRONG_FRAME)
    return first, last


def _date(text: str | None) -> date | None:
    if text is None or not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _bookable_service(context: RequestContext, request: OperationRequest) -> BookableService:
    """The service, if it can be booked online; else 404, never an empty list (cliniko-api.md#available-times)."""
    business = context.live("businesses", request.ids["business_id"])
    practitioner = context.live("practitioners", request.ids["practitioner_id"])
    appointment_type = context.live("appointment_types", request.ids["appointment_type_id"])
    rules = context.settings().get("online_bookings")
    if business is None or practitioner is None or appointment_type is None or not isinstance(rules, dict):
        raise not_found()
    service = BookableService(business, practitioner, appointment_type, rules)
    shown = all(row.get("show_in_online_bookings") is True for row in (business, practitioner, appointment_type))
    offers = appointment_type["id"] in ids_in(business, "appointment_type_ids")
    gives = practitioner["id"] in ids_in(appointment_type, "practitioner_ids") and business["id"] in ids_in(
        practitioner, "business_ids"
    )
    active = practitioner.get("active") is not False
    has_hours = any(weekly_hours(context, service)) or any(opened_blocks(context, service))
    if not (rules.get("enabled") is True and shown and offers and gives and active and has_hours):
        raise not_found()
    return service


def available(context: RequestContext, service: BookableService, first: date, last: date) -> list[datetime]:
    """The bookable starts on these days of the account's zone, at the present of the clinic's clock."""
    zone = context.zone_of(service.business["id"])
    window = _window(context, first, last)
    if (_whole(service.appointment_type.get("max_attendees")) or 1) > 1:
        found = list(group_starts(context, service))
    else:
        # A day of the account may lie on two local dates of the site, so one more day on each side is searched.
        opened = openings(
            first - _DAY, last + _DAY, zone, list(weekly_hours(context, service)), opened_blocks(context, service)
        )
        length = timedelta(minutes=_whole(service.appointment_type.get("duration_in_minutes")) or 30)
        found = list(starts(free(opened, taken(context, service, opened)), grid_step(context, service, length), length))
    found = [at for at in found if window.starts <= at < window.ends]
    return offered(found, zone, limits(context, service), booked(context, service))


def _window(context: RequestContext, first: date, last: date) -> Span:
    zone = context.account_zone()
    return Span(datetime.combine(first, time(), zone), datetime.combine(last + _DAY, time(), zone))


def weekly_hours(context: RequestContext, service: BookableService) -> Iterator[Hours]:
    """The weekly template of the practitioner at this site. Weekday 0 and 7 are both Sunday.

    Source: cliniko-api.md#enumerations.
    """
    for row in context.where("daily_availabilities", "practitioner_id", str(service.practitioner["id"])):
        spans = row.get("availabilities")
        if row.get("business_id") != service.business["id"] or not isinstance(spans, list):
            continue
        for span in spans:
            if isinstance(span, dict):
                yield Hours(_whole(row.get("day_of_week")) or 7, str(span["starts_at"]), str(span["ends_at"]))


def opened_blocks(context: RequestContext, service: BookableService) -> Iterator[Span]:
    """One-off openings of the practitioner at this site."""
    for row in context.where("availability_blocks", "practitioner_id", str(service.practitioner["id"])):
        if row.get("business_id") == service.business["id"]:
            yield span_of(row)


def taken(context: RequestContext, service: BookableService, within: Sequence[Span]) -> Iterator[Span]:
    """The live bookings of the practitioner, in every business, between the first and the last of these spans."""
    if not within:
        return
    low, high = timestamp(within[0].starts), timestamp(within[-1].ends)
    for row in diary(context, service.practitioner["id"]):
        if str(row["ends_at"]) > low and str(row["starts_at"]) < high:
            yield span_of(row)


def booked(context: RequestContext, service: BookableService) -> list[datetime]:
    """The starts of the practitioner's live appointments, which count towards the daily limit."""
    practitioner = str(service.practitioner["id"])
    return [
        parse_timestamp(row["starts_at"])
        for table in (INDIVIDUAL, GROUP)
        for row in context.where(table, "practitioner_id", practitioner)
    ]


def group_starts(context: RequestContext, service: BookableService) -> Iterator[datetime]:
    """The starts of live groups of this type that have a free place (cliniko-api.md#available-times)."""
    for row in context.where(GROUP, "practitioner_id", str(service.practitioner["id"])):
        same = (
            row.get("business_id") == service.business["id"]
            and row.get("appointment_type_id") == service.appointment_type["id"]
        )
        if same and len(ids_in(row, "patient_ids")) < (_whole(row.get("max_attendees")) or 0):
            yield parse_timestamp(row["starts_at"])


def grid_step(context: RequestContext, service: BookableService, length: timedelta) -> timedelta:
    """The grid: the length of the practitioner's default type; the requested type's without one (choices 46)."""
    usual = context.get("appointment_types", service.practitioner.get("default_appointment_type_id"))
    minutes = _whole(usual.get("duration_in_minutes")) if usual else None
    return timedelta(minutes=minutes) if minutes else length


def limits(context: RequestContext, service: BookableService) -> OnlineBookingLimits:
    """Notice and reach from the clinic's present; a type's own lead time takes precedence.

    Source: cliniko-api.md#available-times.
    """
    own = _whole(service.appointment_type.get("online_bookings_lead_time_hours"))
    lead = own if own is not None else _whole(service.rules.get("min_hours_advance_required_to_book")) or 0
    days = _whole(service.rules.get("allow_bookings_days_in_advance")) or 365
    now = context.clock.now()
    return OnlineBookingLimits(
        earliest=now + timedelta(hours=lead),
        latest=now + timedelta(days=days),
        per_segment=_whole(service.rules.get("max_appointments_per_day_segment")) or 0,
        per_day=_whole(service.rules.get("daily_bookings_limit")) or 0,
    )


def span_of(row: Row) -> Span:
    """The time that a row takes up."""
    return Span(parse_timestamp(row["starts_at"]), parse_timestamp(row["ends_at"]))


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
