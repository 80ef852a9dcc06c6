"""Times that patients could book online, for one practitioner, type and site (api.md 3.1; 6, points 41 to 51)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import paging
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import Ask
from cliniko_mcp.sandbox.rulebook import Rulebook
from cliniko_mcp.sandbox.rules.availability import Hours, Limits, Span, free, offered, openings, starts
from cliniko_mcp.sandbox.rules.bookings import GROUP, INDIVIDUAL, diary
from cliniko_mcp.sandbox.rules.services import ids_in
from cliniko_mcp.sandbox.serialise import envelope
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import moment, stamp
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, answer, bad_request, not_found

RULES: Final = Rulebook()
WRONG_FRAME: Final = "Invalid time frame definition. Please check from/to param limitations."
MOST_DAYS: Final = 7

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Who, what and where; and whether the account takes online bookings at all."""

    business: Row
    practitioner: Row
    kind: Row
    rules: Json


@RULES.answers("list_available_times")
def all_times(context: RequestContext, ask: Ask) -> SandboxResponse:
    """A page of starts, chronological; `total_entries` counts all pages."""
    found = _asked(context, ask)
    page = paging.page_of(ask)
    shown: list[Json] = [{"appointment_start": stamp(at)} for at in page.of(found)]
    path = ask.operation.path.format_map(ask.ids)
    links = paging.links(ask, context.base_url, path, page, len(found))
    return answer(envelope("available_times", shown, len(found), links))


@RULES.answers("get_next_available_time")
def next_time(context: RequestContext, ask: Ask) -> SandboxResponse:
    """The first of that list; null and 0 where nothing is free (choices 50)."""
    found = _asked(context, ask)
    path = ask.operation.path.format_map(ask.ids)
    first = stamp(found[0]) if found else None
    own: Json = {"self": paging.url(context.base_url, path, ask.request.query)}
    return answer({"appointment_start": first, "total_entries": len(found), "links": own})


def _asked(context: RequestContext, ask: Ask) -> list[datetime]:
    place = _gated(context, ask)
    first, last = _frame(context, ask)
    try:
        return available(context, place, first, last)
    except OverflowError:  # some of it lies after the year 9999
        raise bad_request(WRONG_FRAME) from None


def _frame(context: RequestContext, ask: Ask) -> tuple[date, date]:
    today = context.clock.now().astimezone(context.account_zone()).date()
    first, last = (_date(ask.parameter(name)) for name in ("from", "to"))
    if first is None or last is None or not today <= first <= last or last - first > MOST_DAYS * _DAY:
        raise bad_request(WRONG_FRAME)
    return first, last


def _date(text: str | None) -> date | None:
    if text is None or not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _gated(context: RequestContext, ask: Ask) -> Place:
    """The place, if every gate is open; else 404, never an empty list (api.md 3.1)."""
    business = context.live("businesses", ask.ids["business_id"])
    practitioner = context.live("practitioners", ask.ids["practitioner_id"])
    kind = context.live("appointment_types", ask.ids["appointment_type_id"])
    rules = context.settings().get("online_bookings")
    if business is None or practitioner is None or kind is None or not isinstance(rules, dict):
        raise not_found()
    place = Place(business, practitioner, kind, rules)
    shown = all(row.get("show_in_online_bookings") is True for row in (business, practitioner, kind))
    offers = kind["id"] in ids_in(business, "appointment_type_ids")
    gives = practitioner["id"] in ids_in(kind, "practitioner_ids") and business["id"] in ids_in(
        practitioner, "business_ids"
    )
    active = practitioner.get("active") is not False
    there = any(weekly_hours(context, place)) or any(opened_blocks(context, place))
    if not (rules.get("enabled") is True and shown and offers and gives and active and there):
        raise not_found()
    return place


def available(context: RequestContext, place: Place, first: date, last: date) -> list[datetime]:
    """The bookable starts on these days of the account's zone, as the clinic's clock stands."""
    zone = context.zone_of(place.business["id"])
    window = _window(context, first, last)
    if (_whole(place.kind.get("max_attendees")) or 1) > 1:
        found = list(group_starts(context, place))
    else:
        # A day of the account may lie on two local dates of the site, so one more on each side is looked at.
        opened = openings(
            first - _DAY, last + _DAY, zone, list(weekly_hours(context, place)), opened_blocks(context, place)
        )
        length = timedelta(minutes=_whole(place.kind.get("duration_in_minutes")) or 30)
        found = list(starts(free(opened, taken(context, place, opened)), grid_step(context, place, length), length))
    found = [at for at in found if window.starts <= at < window.ends]
    return offered(found, zone, limits(context, place), booked(context, place))


def _window(context: RequestContext, first: date, last: date) -> Span:
    zone = context.account_zone()
    return Span(datetime.combine(first, time(), zone), datetime.combine(last + _DAY, time(), zone))


def weekly_hours(context: RequestContext, place: Place) -> Iterator[Hours]:
    """The weekly template of the practitioner at this site. Weekday 0 and 7 are both Sunday (api.md section 4)."""
    for row in context.where("daily_availabilities", "practitioner_id", str(place.practitioner["id"])):
        spans = row.get("availabilities")
        if row.get("business_id") != place.business["id"] or not isinstance(spans, list):
            continue
        for span in spans:
            if isinstance(span, dict):
                yield Hours(_whole(row.get("day_of_week")) or 7, str(span["starts_at"]), str(span["ends_at"]))


def opened_blocks(context: RequestContext, place: Place) -> Iterator[Span]:
    """One-off openings of the practitioner at this site."""
    for row in context.where("availability_blocks", "practitioner_id", str(place.practitioner["id"])):
        if row.get("business_id") == place.business["id"]:
            yield span_of(row)


def taken(context: RequestContext, place: Place, within: Sequence[Span]) -> Iterator[Span]:
    """Everything live in the practitioner's diary, in every business, that falls into the time between these spans."""
    if not within:
        return
    low, high = stamp(within[0].starts), stamp(within[-1].ends)
    for row in diary(context, place.practitioner["id"]):
        if str(row["ends_at"]) > low and str(row["starts_at"]) < high:
            yield span_of(row)


def booked(context: RequestContext, place: Place) -> list[datetime]:
    """The starts of the practitioner's live appointments, which count towards the daily limit."""
    practitioner = str(place.practitioner["id"])
    return [
        moment(row["starts_at"])
        for table in (INDIVIDUAL, GROUP)
        for row in context.where(table, "practitioner_id", practitioner)
    ]


def group_starts(context: RequestContext, place: Place) -> Iterator[datetime]:
    """The starts of live groups of this type that have a free place (api.md 3.1)."""
    for row in context.where(GROUP, "practitioner_id", str(place.practitioner["id"])):
        same = row.get("business_id") == place.business["id"] and row.get("appointment_type_id") == place.kind["id"]
        if same and len(ids_in(row, "patient_ids")) < (_whole(row.get("max_attendees")) or 0):
            yield moment(row["starts_at"])


def grid_step(context: RequestContext, place: Place, length: timedelta) -> timedelta:
    """The grid: the length of the practitioner's default type; the asked type's where there is none (choices 46)."""
    usual = context.get("appointment_types", place.practitioner.get("default_appointment_type_id"))
    minutes = _whole(usual.get("duration_in_minutes")) if usual else None
    return timedelta(minutes=minutes) if minutes else length


def limits(context: RequestContext, place: Place) -> Limits:
    """Notice and reach from the clinic's present; a type's own lead time goes before the account's (api.md 3.1)."""
    own = _whole(place.kind.get("online_bookings_lead_time_hours"))
    lead = own if own is not None else _whole(place.rules.get("min_hours_advance_required_to_book")) or 0
    days = _whole(place.rules.get("allow_bookings_days_in_advance")) or 365
    now = context.clock.now()
    return Limits(
        earliest=now + timedelta(hours=lead),
        latest=now + timedelta(days=days),
        per_segment=_whole(place.rules.get("max_appointments_per_day_segment")) or 0,
        per_day=_whole(place.rules.get("daily_bookings_limit")) or 0,
    )


def span_of(row: Row) -> Span:
    """The time that a row takes up."""
    return Span(moment(row["starts_at"]), moment(row["ends_at"]))


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
