"""What a clinic lacks that no tool can do without: open sites, practitioners, appointment types. Said alike by all."""

from collections.abc import Iterator
from typing import Final, Literal

from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk.roster import Roster

Part = Literal["site", "practitioner", "type"]
_LACKING: Final[dict[Part, tuple[str, str]]] = {
    "site": (
        "The clinic has no open site.",
        "unarchive_business opens an archived one again; list_businesses with archived_at any shows them.",
    ),
    "practitioner": (
        "No practitioner works at the clinic.",
        "Practitioners are added in Cliniko itself; list_inactive_practitioners shows who has left.",
    ),
    "type": (
        "The clinic has no appointment type in use.",
        "create_appointment_type adds one; list_appointment_types with archived_at any shows archived ones.",
    ),
}
"""For each part of a clinic: the sentence that says it is missing, and what can be done about it."""


def lacking(roster: Roster, *parts: Part) -> list[str]:
    """A sentence for each of these parts of which the clinic has none in use; all three where none is named."""
    return [_LACKING[part][0] for part in _missing(roster, parts)]


def require(roster: Roster, *parts: Part) -> None:
    """Raise NotFound for the first of these parts of which the clinic has none in use."""
    for part in _missing(roster, parts):
        raise NotFound(*_LACKING[part])


def _missing(roster: Roster, parts: tuple[Part, ...]) -> Iterator[Part]:
    records = {"site": roster.businesses, "practitioner": roster.practitioners, "type": roster.types}
    for part in parts or tuple(_LACKING):
        if all(known.gone for known in records[part].values()):
            yield part
