"""Time zones as Cliniko names them: a label such as `Sydney`, and the IANA name beside it (api.md 2.2, 3.6)."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cliniko_mcp.errors import JsonValue

LABELS: Final[Mapping[str, str]] = {
    "Adelaide": "Australia/Adelaide",
    "Brisbane": "Australia/Brisbane",
    "Canberra": "Australia/Canberra",
    "Darwin": "Australia/Darwin",
    "Hobart": "Australia/Hobart",
    "Melbourne": "Australia/Melbourne",
    "Perth": "Australia/Perth",
    "Sydney": "Australia/Sydney",
    "Auckland": "Pacific/Auckland",
    "Wellington": "Pacific/Auckland",
    "Fiji": "Pacific/Fiji",
    "Singapore": "Asia/Singapore",
    "Hong Kong": "Asia/Hong_Kong",
    "Tokyo": "Asia/Tokyo",
    "Dublin": "Europe/Dublin",
    "Edinburgh": "Europe/London",
    "London": "Europe/London",
    "Lisbon": "Europe/Lisbon",
    "Paris": "Europe/Paris",
    "Berlin": "Europe/Berlin",
    "Amsterdam": "Europe/Amsterdam",
    "UTC": "Etc/UTC",
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Atlantic Time (Canada)": "America/Halifax",
    "Newfoundland": "America/St_Johns",
    "Saskatchewan": "America/Regina",
}
"""The labels of the countries where Cliniko has shards; any IANA name is read besides them."""

_BY_NAME: Final = {name: label for label, name in reversed(LABELS.items())}


def zone(name: JsonValue) -> tzinfo:
    """The zone with this IANA name; UTC where there is none."""
    if not isinstance(name, str):
        return UTC
    return ZoneInfo(name)


def known(name: str) -> bool:
    """Whether this is an IANA name of a place."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return "/" in name


def label_of(name: str) -> str:
    """The label for an IANA name; the city where there is no label of its own."""
    return _BY_NAME.get(name) or name.rsplit("/", 1)[-1].replace("_", " ")
