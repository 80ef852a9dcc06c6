"""Clinic time zones: names to zones with advice, and local days to instants and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.time_zones import local_instant, time_zone
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.refusals import quotable

DAY_MINUTES = 1440

_US_CITIES = frozenset(
    (
        *("New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles", "Anchorage"),
        *("Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Fort_Wayne", "Indianapolis", "Louisville"),
        *("Knox_IN", "Shiprock", "Atka"),
    )
)
_US_OTHERS = frozenset(("Pacific/Honolulu", "EST", "EST5EDT", "CST6CDT", "HST", "MST", "MST7MDT", "Navajo", "PST8PDT"))
_US_NAMES = frozenset(("us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"))


def clinic_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name ("Australia/Sydney") or of a label Cliniko shows ("Eastern Time (US & Canada)").

    Raises NotUnderstood when there is no such zone.
    """
    zone = time_zone(name)
    if zone is None:
        raise NotUnderstood(
            f'There is no time zone "{quotable(name)}".',
            'Use an IANA name such as "Australia/Sydney", "Europe/London" or "America/New_York".',
            examples=["Australia/Sydney", "Europe/London", "America/New_York"],
        )
    return zone


def month_first(country: str | None, zone: ZoneInfo) -> bool:
    """Whether 11/24 is the order of the clinic: only in the United States; without a country the zone decides."""
    if country and country.strip():
        return country.strip().casefold() in _US_NAMES
    region, _, city = zone.key.partition("/")
    if region == "US" or zone.key in _US_OTHERS:
        return True
    return region == "America" and (city in _US_CITIES or city.startswith(("Indiana/", "Kentucky/", "North_Dakota/")))


def on_day(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The aware moment `minute` minutes (0 to 1440) after midnight by the clinic's clock on a local day."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    # a day ends where the next begins, else two days would share the hour that a clock put back at midnight repeats
    return local_instant(wall, zone, last=last and minute < DAY_MINUTES)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The aware half-open bounds of a local day: 23 or 25 hours long where the clock changes."""
    return on_day(day, 0, zone), on_day(day, DAY_MINUTES, zone)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The clinic's date at an instant; a naive datetime is taken as already local."""
    return instant.date() if instant.tzinfo is None else instant.astimezone(zone).date()


def in_zone(instant: datetime, zone: ZoneInfo) -> datetime:
    """An instant by the clinic's clock; a naive one is taken as local there."""
    return local_instant(instant, zone) if instant.tzinfo is None else instant.astimezone(zone)


def instant(moment: datetime) -> datetime:
    """The moment in UTC: two datetimes of one zone compare by their wall clocks, which repeat and skip."""
    return moment.astimezone(UTC)
