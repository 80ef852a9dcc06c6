"""Time zones as Cliniko names them: a label such as `Sydney`, and the IANA name beside it (api.md 2.2, 3.6)."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import JsonValue

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

# Where labels share a zone, the first is the one that is shown for it, but for a capital or the zone's own city.
_BY_NAME: Final = {name: label for label, name in reversed(LABELS.items())} | {
    name: label for label, name in LABELS.items() if name.endswith(f"/{label.replace(' ', '_')}")
}

_BY_FOLDED_LABEL: Final = {label.casefold(): name for label, name in LABELS.items()}
_OFFSET: Final = re.compile(r"Etc/GMT[+-][1-9]|Factory$|localtime$")
_OTHER_FILES: Final = ("posix/", "right/", "/")


@cache
def time_zone(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name such as `Australia/Sydney` or of one of Cliniko's labels; None for any other text."""
    wanted = (name or "").strip()
    iana = _BY_FOLDED_LABEL.get(wanted.casefold(), wanted)
    if not iana or iana.startswith(_OTHER_FILES):
        return None
    try:
        return ZoneInfo(iana)
    except (LookupError, ValueError, OSError):  # an unknown name, one that is no name, or one that is a folder
        return None


def zone(name: JsonValue) -> tzinfo:
    """The zone with this IANA name; UTC where there is none."""
    return (time_zone(name) if isinstance(name, str) else None) or UTC


def known(name: str) -> bool:
    """Whether this is an IANA name, and not merely an offset from UTC."""
    return (
        time_zone(name) is not None
        and name.casefold() not in _BY_FOLDED_LABEL
        and (name in _BY_NAME or not _OFFSET.match(name))
    )


def label_of(name: str) -> str | None:
    """The label for an IANA name; None where Cliniko has no label for it (choices 67)."""
    return _BY_NAME.get(name)
