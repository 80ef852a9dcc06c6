"""What else an update changes, beside what it takes away that a person is asked about: told by value too."""

from collections.abc import Set
from datetime import datetime
from typing import Final

from cliniko_mcp.approvals.facts import Facts, when_words
from cliniko_mcp.approvals.links import linked_words
from cliniko_mcp.approvals.losses import as_json, changed, field_words, to_be, value_words
from cliniko_mcp.approvals.shown import Fact
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.time_zones import local_instant

_UNSEEN: Final = "what is there now"
"""For a field that Cliniko takes and never shows."""


async def other_changes(facts: Facts, call: Call, record: Record, told: Set[str], labels: Set[str]) -> list[Fact]:
    """A fact for each field that becomes something else, with what it holds and, whole, what it will hold.

    `told` are the fields, and `labels` the names for people of those, that are shown already.
    """
    return [
        await _change(facts, call, record, name, sent)
        for name, sent in changed(call).items()
        if name not in told and field_words(name) not in labels and not _same(sent, value_of(record, name))
    ]


async def _change(facts: Facts, call: Call, record: Record, name: str, sent: object) -> Fact:
    from cliniko_mcp.cliniko.shapes.bookings import BookingStamps

    site = changed(call).get("business_id") or (record.business_id if isinstance(record, BookingStamps) else None)
    held = value_of(record, name)
    known = name in type(record).model_fields
    before = await _words(facts, site, name, held) if known else _UNSEEN
    return Fact(field_words(name), before or "nothing", becomes=await _words(facts, site, name, sent, whole=True))


async def _words(facts: Facts, site: object, name: str, value: object, *, whole: bool = False) -> str:
    """What a field holds in words, nothing where it is empty; times in the zone of the site, long texts and lists cut
    short unless they are to be `whole`."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            zone = await facts.zone(site if isinstance(site, str) else None)
            start = value if value.tzinfo is not None else local_instant(value, zone)
            return when_words(start, None, zone, facts.now)[0]
        case _ if name.endswith(("_id", "_ids")):
            return await linked_words(facts, name, value, whole=whole)
        case _:
            return to_be(value) if whole else value_words(value)


def _same(sent: object, held: object) -> bool:
    return sent == held or as_json(sent) == as_json(held)
