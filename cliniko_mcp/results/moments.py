"""Moments as answers show them, and the records that have them."""

from datetime import datetime
from functools import cache
from typing import Final, Protocol, TypeGuard
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.models import Record

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the clinic says it: `2026-11-24T09:30+11:00 Tue`, to the minute."""
    local = moment.astimezone(zone)
    return f"{local.isoformat(timespec='minutes')} {_DAYS[local.weekday()]}"


class Timed(Protocol):
    """A record that begins and ends, such as a booking."""

    @property
    def starts_at(self) -> datetime | None:
        """When it begins."""
        ...

    @property
    def ends_at(self) -> datetime | None:
        """When it ends; that moment is no longer in it."""
        ...


class Sited(Protocol):
    """A record that belongs to a site."""

    @property
    def business_id(self) -> str | None:
        """The id of its site."""
        ...


def is_timed(record: Record) -> TypeGuard[Timed]:
    """Whether records of this kind begin and end."""
    return _has(type(record), "starts_at", "ends_at")


def is_sited(record: Record) -> TypeGuard[Sited]:
    """Whether records of this kind belong to a site."""
    return _has(type(record), "business_id")


@cache
def _has(kind: type[Record], *fields: str) -> bool:
    return all(name in kind.model_fields for name in fields)
