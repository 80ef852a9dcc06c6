"""Clinic time zones: names to zones, local days to instants, and what a changing clock does to both."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import NotUnderstood

DAY_MINUTES = 1440

# Cliniko shows and stores zones under the labels of Ruby on Rails beside their IANA names.
LABELS = {
    "sydney": "Australia/Sydney",
    "melbourne": "Australia/Melbourne",
    "canberra": "Australia/Canberra",
    "brisbane": "Australia/Brisbane",
    "adelaide": "Australia/Adelaide",
    "perth": "Australia/Perth",
    "hobart": "Australia/Hobart",
    "darwin": "Australia/Darwin",
    "auckland": "Pacific/Auckland",
    "wellington": "Pacific/Auckland",
    "chatham is.": "Pacific/Chatham",
    "london": "Europe/London",
    "edinburgh": "Europe/London",
    "dublin": "Europe/Dublin",
    "lisbon": "Europe/Lisbon",
    "paris": "Europe/Paris",
    "berlin": "Europe/Berlin",
    "amsterdam": "Europe/Amsterdam",
    "madrid": "Europe/Madrid",
    "rome": "Europe/Rome",
    "singapore": "Asia/Singapore",
    "hong kong": "Asia/Hong_Kong",
    "pretoria": "Africa/Johannesburg",
    "newfoundland": "America/St_Johns",
    "atlantic time (canada)": "America/Halifax",
    "eastern time (us & canada)": "America/New_York",
    "indiana (east)": "America/Indiana/Indianapolis",
    "central time (us & canada)": "America/Chicago",
    "saskatchewan": "America/Regina",
    "mountain time (us & canada)": "America/Denver",
    "arizona": "America/Phoenix",
    "pacific time (us & canada)": "America/Los_Angeles",
    "alaska": "America/Juneau",
    "hawaii": "Pacific/Honolulu",
    "utc": "UTC",
    "gmt": "UTC",
}

_US_CITIES = frozenset(
    (
        *("New_York", "Detroit", "Chicago", "Menominee", "Denver", "Boise", "Phoenix", "Los_Angeles", "Anchorage"),
        *("Juneau", "Sitka", "Metlakatla", "Yakutat", "Nome", "Adak", "Fort_Wayne", "Indianapolis", "Louisville"),
        *("Knox_IN", "Shiprock", "Atka"),
    )
)
_US_OTHERS = frozenset(("Pacific/Honolulu", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"))
_US_NAMES = frozenset(("us", "usa", "u.s.", "u.s.a.", "united states", "united states of america"))


def clinic_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name ("Australia/Sydney") or of a label Cliniko shows ("Eastern Time (US & Canada)").

    Raises NotUnderstood when there is no such zone.
    """
    wanted = name.strip()
    iana = LABELS.get(wanted.casefold(), wanted)
    for spelling in (iana, "/".join(part.title() for part in iana.split("/"))):
        # a name without a region may be a file of this machine ("localtime"), which says nothing of the clinic
        if "/" not in spelling and spelling != "UTC" and spelling not in _US_OTHERS:
            continue
        if spelling.startswith(("posix/", "right/", "/")):
            continue
        try:
            return ZoneInfo(spelling)
        except (KeyError, ValueError, OSError):
            continue
    shown = "".join(letter if letter.isprintable() else "?" for letter in wanted[:60])
    raise NotUnderstood(
        f'There is no time zone "{shown}".',
        'Use an IANA name such as "Australia/Sydney", "Europe/London" or "America/New_York".',
        examples=["Australia/Sydney", "Europe/London", "America/New_York"],
    )


def month_first(country: str | None, zone: ZoneInfo) -> bool:
    """Whether 11/24 is the order of the clinic: only in the United States; without a country the zone decides."""
    if country and country.strip():
        return country.strip().casefold() in _US_NAMES
    region, _, city = zone.key.partition("/")
    if region == "US" or zone.key in _US_OTHERS:
        return True
    return region == "America" and (city in _US_CITIES or city.startswith(("Indiana/", "Kentucky/", "North_Dakota/")))


def local_instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The aware moment at which the clinic's clock shows `wall` (a naive datetime).

    A time that the clock shows twice means its first showing, or with `last` its second; a time that the clock skips
    means the moment of the skip, so that no interval reaches outside what was said.
    """
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None or before == after:
        return early
    if before > after:
        return late if last else early
    low = (wall - after).replace(tzinfo=UTC)
    high = (wall - before).replace(tzinfo=UTC)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high.astimezone(zone)


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
