"""clinic_overview: who works where and when, what is offered, and what time it is at each site.

Requests: 5 for the roster, one for each hundred weekly hours and one for the public settings, all at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, cast

from pydantic import Field

from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.frontdesk.appointment_offers import minutes_of, offered_at
from cliniko_mcp.frontdesk.concurrency import collect, run_concurrently
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, remarks
from cliniko_mcp.frontdesk.working_hours import hours_of
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases.assemble import merged
from cliniko_mcp.phrases.clock import clock_words
from cliniko_mcp.results.envelope import USUAL_BYTES, Answer, size
from cliniko_mcp.results.names import text_of
from cliniko_mcp.results.rows import Row, local_text
from cliniko_mcp.tools.tool import curated

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ROOM: Final = USUAL_BYTES - 800
Hours = dict[int, list[tuple[int, int]]]
"""Minutes after midnight by ISO weekday."""


class ClinicOverview(Body):
    business: str | None = Field(default=None, description="Only this site.")


async def work(clinic: GuardedClinic, given: ClinicOverview) -> Answer:
    """Sites, practitioners with their weekly hours, and appointment types; hidden ones are counted, not shown."""
    (roster, rows), settings = await run_concurrently(
        partial(
            run_concurrently,
            partial(Roster.load, clinic),
            lambda: collect(clinic.all_named("list_daily_availabilities")),
        ),
        lambda: clinic.perform(clinic.call("get_public_settings")),
    )
    asked = roster.business(given.business) if given.business else None
    sites = [asked] if asked else roster.sites
    hours = _hours(rows)
    shown = {each.id for each in sites}
    here = {who for who, site in hours if site in shown}
    people = [each for each in roster.practitioners.values() if not each.gone and (asked is None or each.id in here)]
    types = [each for each in roster.types.values() if not each.gone and any(offered_at(site, each) for site in sites)]
    body: dict[str, JsonValue] = {
        "sites": [_site(each, roster, hours, {one.id for one in people}, clinic) for each in sites],
        "practitioners": [_practitioner(each, hours, sites) for each in people],
        "appointment_types": [_type(each, sites) for each in types],
    }
    notes = remarks(asked)
    body |= _account(settings)
    notes += _fitted(body)
    gone = sum(bool(each.gone) for each in roster.practitioners.values())
    if gone:
        notes.append(
            f"{gone} former practitioner{'s are' if gone > 1 else ' is'} left out: list_inactive_practitioners."
        )
    archived = sum(bool(each.gone) for each in (*roster.types.values(), *roster.businesses.values()))
    if archived:
        notes.append(f"{archived} archived types and sites are left out; they are still found by name.")
    zones = {roster.zone(each.id) for each in sites}
    return Answer(body, notes, zones.pop() if len(zones) == 1 else roster.home)


def _hours(rows: Iterable[Record]) -> dict[tuple[str, str], Hours]:
    """Weekly hours by (practitioner, site)."""
    found: dict[tuple[str, str], Hours] = {}
    for row in rows:
        weekday = getattr(row, "day_of_week", None)
        place = str(getattr(row, "practitioner_id", "")), str(getattr(row, "business_id", ""))
        if isinstance(weekday, int) and (spans := sorted(hours_of(row))):
            found.setdefault(place, {}).setdefault(weekday % 7 or 7, []).extend(spans)
    return found


def _site(
    site: Known, roster: Roster, hours: Mapping[tuple[str, str], Hours], people: set[str], clinic: GuardedClinic
) -> Row:
    zone = roster.zone(site.id)
    week: Hours = {}
    for (who, place), days in hours.items():
        if place == site.id and who in people:
            for day, spans in days.items():
                week.setdefault(day, []).extend(spans)
    row: Row = {"id": site.id, "name": site.name, "now": local_text(clinic.now, zone), "time_zone": str(zone)}
    parts = [text_of(site.record, each) for each in ("address_1", "address_2", "city", "state", "post_code")]
    if address := ", ".join(filter(None, parts)):
        row["address"] = address
    row["open"] = week_words({day: merged(spans) for day, spans in week.items()}) or "no weekly hours"
    return row


def _practitioner(person: Known, hours: Mapping[tuple[str, str], Hours], sites: Sequence[Known]) -> Row:
    row: Row = {"id": person.id, "name": person.name}
    if designation := text_of(person.record, "designation"):
        row["designation"] = designation
    works: Row = {each.name: week_words(hours[person.id, each.id]) for each in sites if (person.id, each.id) in hours}
    row["works"] = works or "no weekly hours"
    if getattr(person.record, "show_in_online_bookings", None) is not True:
        row["online"] = False
    return row


def _type(kind: Known, sites: Sequence[Known]) -> Row:
    row: Row = {"id": kind.id, "name": kind.name, "minutes": minutes_of(kind)}
    places = getattr(kind.record, "max_attendees", None)
    if isinstance(places, int) and places > 1:
        row["places"] = places
    at = [each.name for each in sites if offered_at(each, kind)]
    if len(at) < len(sites):
        row["only_at"] = list[JsonValue](at)
    if getattr(kind.record, "show_in_online_bookings", None) is not True:
        row["online"] = False
    return row


def _account(settings: Record | None) -> dict[str, JsonValue]:
    online = getattr(settings, "online_bookings", None)
    account: dict[str, JsonValue] = {}
    if (name := text_of(cast("Record", getattr(settings, "account", None)), "name")) != "":
        account["clinic"] = name
    enabled = getattr(online, "enabled", None)
    if isinstance(enabled, bool):
        account["online_booking"] = enabled
    return account


def _fitted(body: dict[str, JsonValue]) -> list[str]:
    """Leave out what does not fit, types first, then practitioners; say how many and where they are."""
    notes: list[str] = []
    for part, where in (("appointment_types", "list_appointment_types"), ("practitioners", "list_practitioners")):
        rows = cast("list[JsonValue]", body[part])
        kept = list(rows)
        while size(body) > _ROOM and kept:
            kept = kept[:-1]
            body[part] = kept
        if len(kept) < len(rows):
            notes.append(f"{len(rows) - len(kept)} more {part.replace('_', ' ')}: see {where}.")
    return notes


def week_words(week: Mapping[int, Iterable[tuple[int, int]]]) -> str:
    """`Mon-Fri 08:30-17:00; Sat 10:00-12:00`: days with the same hours together."""
    said: list[tuple[str, list[int]]] = []
    for day in sorted(week):
        hours = " and ".join(f"{clock_words(low)}-{clock_words(high)}" for low, high in week[day])
        if said and said[-1][0] == hours:
            said[-1][1].append(day)
        else:
            same = next((days for text, days in said if text == hours), None)
            same.append(day) if same is not None else said.append((hours, [day]))
    return "; ".join(f"{_days(days)} {hours}" for hours, days in said)


def _days(days: Sequence[int]) -> str:
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{_DAYS[days[0] - 1]}-{_DAYS[days[-1] - 1]}"
    return " ".join(_DAYS[day - 1] for day in days)


tool = curated(
    "clinic_overview",
    "Get to know the clinic: sites (locations) with zones, opening hours and the time now, practitioners with their "
    "days, appointment types with lengths. A good first call.",
    ClinicOverview,
    work,
    needs=("list_daily_availabilities", "get_public_settings", *ROSTER_NEEDS),
    synonyms="who works here where are we opening hours services treatments staff roster what time is it start",
)
