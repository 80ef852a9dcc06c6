"""Time zones: Cliniko's labels and IANA names to zones, and local times to instants (cliniko-api.md#staff-and-sites,
#communications-phones-zones).

Cliniko names a zone by a label of Ruby on Rails such as `Sydney` and by the IANA name beside it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import JsonValue

_SECOND: Final = timedelta(seconds=1)

LABELS: Final[Mapping[str, str]] = {
    "Abu Dhabi": "Asia/Muscat",
    "Adelaide": "Australia/Adelaide",
    "Alaska": "America/Juneau",
    "Almaty": "Asia/Almaty",
    "American Samoa": "Pacific/Pago_Pago",
    "Amman": "Asia/Amman",
    "Amsterdam": "Europe/Amsterdam",
    "Arizona": "America/Phoenix",
    "Ashgabat": "Asia/Ashgabat",
    "Astana": "Asia/Almaty",
    "Asuncion": "America/Asuncion",
    "Athens": "Europe/Athens",
    "Atlantic Time (Canada)": "America/Halifax",
    "Auckland": "Pacific/Auckland",
    "Azores": "Atlantic/Azores",
    "Baghdad": "Asia/Baghdad",
    "Baku": "Asia/Baku",
    "Bangkok": "Asia/Bangkok",
    "Beijing": "Asia/Shanghai",
    "Beirut": "Asia/Beirut",
    "Belgrade": "Europe/Belgrade",
    "Berlin": "Europe/Berlin",
    "Bern": "Europe/Zurich",
    "Bogota": "America/Bogota",
    "Brasilia": "America/Sao_Paulo",
    "Bratislava": "Europe/Bratislava",
    "Brisbane": "Australia/Brisbane",
    "Brussels": "Europe/Brussels",
    "Bucharest": "Europe/Bucharest",
    "Budapest": "Europe/Budapest",
    "Buenos Aires": "America/Argentina/Buenos_Aires",
    "Cairo": "Africa/Cairo",
    "Canberra": "Australia/Canberra",
    "Cape Verde Is.": "Atlantic/Cape_Verde",
    "Caracas": "America/Caracas",
    "Casablanca": "Africa/Casablanca",
    "Cayenne": "America/Cayenne",
    "Central America": "America/Guatemala",
    "Central Time (US & Canada)": "America/Chicago",
    "Chatham Is.": "Pacific/Chatham",
    "Chennai": "Asia/Kolkata",
    "Chihuahua": "America/Chihuahua",
    "Chongqing": "Asia/Chongqing",
    "Copenhagen": "Europe/Copenhagen",
    "Damascus": "Asia/Damascus",
    "Darwin": "Australia/Darwin",
    "Dhaka": "Asia/Dhaka",
    "Dublin": "Europe/Dublin",
    "Eastern Time (US & Canada)": "America/New_York",
    "Edinburgh": "Europe/London",
    "Ekaterinburg": "Asia/Yekaterinburg",
    "Fiji": "Pacific/Fiji",
    "Georgetown": "America/Guyana",
    "Greenland": "America/Nuuk",
    "Guadalajara": "America/Mexico_City",
    "Guam": "Pacific/Guam",
    "Hanoi": "Asia/Bangkok",
    "Harare": "Africa/Harare",
    "Hawaii": "Pacific/Honolulu",
    "Helsinki": "Europe/Helsinki",
    "Hobart": "Australia/Hobart",
    "Hong Kong": "Asia/Hong_Kong",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "International Date Line West": "Etc/GMT+12",
    "Irkutsk": "Asia/Irkutsk",
    "Islamabad": "Asia/Karachi",
    "Istanbul": "Europe/Istanbul",
    "Jakarta": "Asia/Jakarta",
    "Jerusalem": "Asia/Jerusalem",
    "Kabul": "Asia/Kabul",
    "Kaliningrad": "Europe/Kaliningrad",
    "Kamchatka": "Asia/Kamchatka",
    "Karachi": "Asia/Karachi",
    "Kathmandu": "Asia/Kathmandu",
    "Kolkata": "Asia/Kolkata",
    "Krasnoyarsk": "Asia/Krasnoyarsk",
    "Kuala Lumpur": "Asia/Kuala_Lumpur",
    "Kuwait": "Asia/Kuwait",
    "Kyiv": "Europe/Kiev",
    "La Paz": "America/La_Paz",
    "Lima": "America/Lima",
    "Lisbon": "Europe/Lisbon",
    "Ljubljana": "Europe/Ljubljana",
    "London": "Europe/London",
    "Lord Howe": "Australia/Lord_Howe",
    "Madrid": "Europe/Madrid",
    "Magadan": "Asia/Magadan",
    "Marshall Is.": "Pacific/Majuro",
    "Mazatlan": "America/Mazatlan",
    "Melbourne": "Australia/Melbourne",
    "Mexico City": "America/Mexico_City",
    "Mid-Atlantic": "Atlantic/South_Georgia",
    "Midway Island": "Pacific/Midway",
    "Minsk": "Europe/Minsk",
    "Monrovia": "Africa/Monrovia",
    "Monterrey": "America/Monterrey",
    "Montevideo": "America/Montevideo",
    "Moscow": "Europe/Moscow",
    "Mountain Time (US & Canada)": "America/Denver",
    "Mumbai": "Asia/Kolkata",
    "Muscat": "Asia/Muscat",
    "Nairobi": "Africa/Nairobi",
    "New Caledonia": "Pacific/Noumea",
    "New Delhi": "Asia/Kolkata",
    "Newfoundland": "America/St_Johns",
    "Novosibirsk": "Asia/Novosibirsk",
    "Nuku'alofa": "Pacific/Tongatapu",
    "Osaka": "Asia/Tokyo",
    "Oslo": "Europe/Oslo",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Paris": "Europe/Paris",
    "Perth": "Australia/Perth",
    "Port Louis": "Indian/Mauritius",
    "Port Moresby": "Pacific/Port_Moresby",
    "Prague": "Europe/Prague",
    "Pretoria": "Africa/Johannesburg",
    "Puerto Rico": "America/Puerto_Rico",
    "Quito": "America/Lima",
    "Rangoon": "Asia/Rangoon",
    "Riga": "Europe/Riga",
    "Riyadh": "Asia/Riyadh",
    "Rome": "Europe/Rome",
    "Samara": "Europe/Samara",
    "Samoa": "Pacific/Apia",
    "Santiago": "America/Santiago",
    "Sapporo": "Asia/Tokyo",
    "Sarajevo": "Europe/Sarajevo",
    "Saskatchewan": "America/Regina",
    "Seoul": "Asia/Seoul",
    "Singapore": "Asia/Singapore",
    "Skopje": "Europe/Skopje",
    "Sofia": "Europe/Sofia",
    "Solomon Is.": "Pacific/Guadalcanal",
    "Srednekolymsk": "Asia/Srednekolymsk",
    "Sri Jayawardenepura": "Asia/Colombo",
    "St. Petersburg": "Europe/Moscow",
    "Stockholm": "Europe/Stockholm",
    "Sydney": "Australia/Sydney",
    "Taipei": "Asia/Taipei",
    "Tallinn": "Europe/Tallinn",
    "Tashkent": "Asia/Tashkent",
    "Tbilisi": "Asia/Tbilisi",
    "Tehran": "Asia/Tehran",
    "Tijuana": "America/Tijuana",
    "Tokelau Is.": "Pacific/Fakaofo",
    "Tokyo": "Asia/Tokyo",
    "Tripoli": "Africa/Tripoli",
    "Ulaanbaatar": "Asia/Ulaanbaatar",
    "Urumqi": "Asia/Urumqi",
    "UTC": "Etc/UTC",
    "Vienna": "Europe/Vienna",
    "Vilnius": "Europe/Vilnius",
    "Vladivostok": "Asia/Vladivostok",
    "Volgograd": "Europe/Volgograd",
    "Warsaw": "Europe/Warsaw",
    "Wellington": "Pacific/Auckland",
    "West Central Africa": "Africa/Algiers",
    "Windhoek": "Africa/Windhoek",
    "Yakutsk": "Asia/Yakutsk",
    "Yerevan": "Asia/Yerevan",
    "Zagreb": "Europe/Zagreb",
    "Zurich": "Europe/Zurich",
}
"""Every label that Cliniko takes, the zones of Ruby on Rails by name; any IANA name is read besides them."""

# Where labels share a zone, the first is the one that is shown for it, except for a capital or the zone's own city.
_LABEL_BY_IDENTIFIER: Final = {name: label for label, name in reversed(LABELS.items())} | {
    name: label for label, name in LABELS.items() if name.endswith(f"/{label.replace(' ', '_')}")
}

_WITHOUT_REGION: Final = frozenset(
    (
        *("CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0"),
        *("GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein"),
        *("Libya", "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC"),
        *("ROK", "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu"),
    )
)
"""IANA names without a region. Any other such name is a file of this machine ("localtime") or a folder."""

# UTC is both a label and an identifier; the identifier is the name that people know.
_IDENTIFIER_BY_FOLDED_NAME: Final = (
    {name.casefold(): name for name in _WITHOUT_REGION}
    | {label.casefold(): name for label, name in LABELS.items()}
    | {"utc": "UTC"}
)
_OFFSET: Final = re.compile(r"Etc/GMT[+-][1-9]")
_MACHINE_FOLDERS: Final = ("posix/", "right/", "/")
_MAX_LENGTH: Final = 64
"""Characters of a name that is worth a look; the longest that there is has 32."""


@lru_cache(maxsize=1024)
def time_zone(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name such as `Australia/Sydney` or of one of Cliniko's labels; None for any other text.

    Upper and lower case are alike.
    """
    wanted = (name or "").strip()
    if not wanted or len(wanted) > _MAX_LENGTH:
        return None
    identifier = _IDENTIFIER_BY_FOLDED_NAME.get(wanted.casefold(), wanted)
    if "/" not in identifier and identifier not in _WITHOUT_REGION:
        return None
    if identifier.casefold().startswith(_MACHINE_FOLDERS):
        return None
    for spelling in (identifier, "/".join(part.title() for part in identifier.split("/"))):
        try:
            return ZoneInfo(spelling)
        except (LookupError, ValueError, OSError):  # an unknown name, one that is no name, or one that is a folder
            continue
    return None


class Zoned(Protocol):
    """A record that names a time zone: a user, a site or weekly hours."""

    @property
    def time_zone_identifier(self) -> str | None:
        """The IANA name, such as `Australia/Sydney`; None where Cliniko leaves it out."""

    @property
    def time_zone(self) -> str | None:
        """Cliniko's label, such as `Sydney`; None where Cliniko leaves it out."""


def zone_of(record: Zoned) -> ZoneInfo | None:
    """The zone of a record, by its IANA name, else by its label; None where neither is known.

    Source: cliniko-api.md#time-zones
    """
    return time_zone(record.time_zone_identifier) or time_zone(record.time_zone)


def zone_or_utc(name: JsonValue) -> tzinfo:
    """The zone with this IANA name or label; UTC where there is none."""
    return (time_zone(name) if isinstance(name, str) else None) or UTC


def is_identifier(name: str) -> bool:
    """Whether Cliniko takes this text as a `time_zone_identifier`: an IANA name that is no mere offset from UTC."""
    if "/" not in name:
        return name in _WITHOUT_REGION
    zone = time_zone(name)
    return zone is not None and zone.key == name and (name in _LABEL_BY_IDENTIFIER or not _OFFSET.match(name))


def label_of(identifier: str) -> str | None:
    """The label for an IANA name; None where Cliniko has no label for it (choices 67)."""
    return _LABEL_BY_IDENTIFIER.get(identifier)


def local_instant(wall: datetime, zone: tzinfo, *, last: bool = False) -> datetime:
    """The aware moment at which the clocks of this zone show `wall`, a naive datetime.

    A time that the clocks show twice means its first showing, or with `last` its second. A time that they skip means
    the moment of the skip, so that no interval reaches outside what its bounds say.
    """
    early, late = wall.replace(tzinfo=zone, fold=0), wall.replace(tzinfo=zone, fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None or before == after:
        return early
    if before > after:
        return late if last else early
    whole = wall.replace(microsecond=0)  # clocks change on a whole second
    low, high = (whole - after).replace(tzinfo=UTC), (whole - before).replace(tzinfo=UTC)
    while high - low > _SECOND:
        middle = low + (high - low) // 2 // _SECOND * _SECOND
        if middle.astimezone(zone).utcoffset() == after:
            high = middle
        else:
            low = middle
    return high.astimezone(zone)
