"""Aware datetimes to and from the wire form of an instant, a text with a literal `Z` (cliniko-api.md#values)."""

from datetime import UTC, datetime

from cliniko_mcp.errors import JsonValue


def parse_timestamp(text: JsonValue) -> datetime:
    """The aware datetime of an instant in wire form. Raises ValueError for anything else."""
    return datetime.fromisoformat(str(text))


def timestamp(value: datetime) -> str:
    """An aware datetime in wire form: UTC, whole seconds, a literal `Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
