"""Instants between their wire form, a text with a literal `Z`, and aware datetimes."""

from datetime import UTC, datetime

from cliniko_mcp.errors import JsonValue


def moment(text: JsonValue) -> datetime:
    """The instant that a stamp in wire form names. Raises ValueError for anything else."""
    return datetime.fromisoformat(str(text))


def stamp(value: datetime) -> str:
    """An aware instant in wire form: UTC, whole seconds, a literal `Z` (api.md 1.6)."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
