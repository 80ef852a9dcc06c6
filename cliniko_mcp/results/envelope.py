"""The one envelope of every result, and the limit on its size.

`{"items"|"item": ..., "page": {...}, "names": {...}, "notes": [...], "now": ..., "time_zone": ...}`, compact, the same
in structured content and text, because hosts read one or the other.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import ClinikoMcpError, ClinikoRefused, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import NAMED, ids_in, look_up, text_of
from cliniko_mcp.results.rows import Row, Shape, local_text, row_of
from cliniko_mcp.sanitize import clean

_BYTES_A_TOKEN: Final = 2.6
"""Rows are full of ids and times, where o200k_base makes a token of 2.7 bytes at the least and 3.1 as a rule."""
USUAL_BYTES: Final = int(2_000 * _BYTES_A_TOKEN)
MOST_BYTES: Final = int(8_000 * _BYTES_A_TOKEN)
_ENVELOPE_BYTES: Final = 600
ERROR_BYTES: Final = 300 * 4
"""Errors are sentences, where a token is 4 bytes and more."""
_FIX_BYTES: Final = len(',"fix":""')
_WHOLE: Final = 60
"""Text of so many characters, such as an id, a name or a time, is never cut."""
CUT: Final = "Texts that end in … were cut to fit into one answer: never send them back in an update."


@dataclass(slots=True)
class Answer:
    """What a tool says: its own fields, remarks for the reader, and the zone its times are in."""

    body: dict[str, JsonValue]
    notes: list[str] = field(default_factory=list[str])
    zone: ZoneInfo | None = None

    async def finished(self, clinic: GuardedClinic) -> dict[str, JsonValue]:
        """The whole envelope, with the time now in the zone of the answer, and a note where that zone is a guess."""
        zone, guess = self.zone, None
        try:
            home = await clinic.zone()
            if zone is None or zone == home:
                zone, guess = home, await clinic.zone_note()
        except ClinikoRefused:  # what was found, or even changed, is told all the same
            if zone is None:
                zone, guess = ZoneInfo("UTC"), "The clinic's time zone could not be read, so the time now is in UTC."
        notes: list[JsonValue] = [*self.notes, *([guess] if guess else [])]
        told: dict[str, JsonValue] = {"notes": notes} if notes else {}
        return {**self.body, **told, "now": local_text(clinic.now, zone), "time_zone": str(zone)}


def compact(value: object) -> str:
    """JSON without spaces, in plain Unicode."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size(value: object) -> int:
    """The bytes that a value costs in a result."""
    return len(to_json(value))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows ready to be shown: those that fit, how many were left for later, the names behind their ids, their zone."""

    shown: list[Row]
    left: int
    names: dict[str, JsonValue]
    zone: ZoneInfo
    cut: bool = False
    """Whether a row that was too long by itself had its texts cut."""


async def shaped(
    clinic: GuardedClinic, records: Sequence[Record], shape: Shape, most: int = USUAL_BYTES, reserved: int = 0
) -> Rows:
    """The records as rows, as many as fit into `most` bytes, with the names that their ids stand for.

    `reserved` is how many of them the caller needs for other things.
    """
    shown = {name for record in records[:1] for name in shape.names(record)}
    # A site that is not shown still says in which zone its times are.
    wanted = {kind: ids for kind, ids in ids_in(records).items() if kind in shown or kind == "business_id"}
    found = await look_up(clinic, wanted)
    known = {
        kind: _told_apart({key: NAMED[kind].label(one) for key, one in rows.items()}) for kind, rows in found.items()
    }
    zones = _zones(found.get("business_id", {}))
    home = await clinic.zone()
    rows: list[Row] = []
    costs: list[int] = []
    taken = 0
    cut = False
    room = most - _ENVELOPE_BYTES - reserved
    for record in records:
        row = row_of(record, shape, zones.get(str(getattr(record, "business_id", "")), home), known)
        if not rows:
            row, cut = fitted(row, room)
        cost = size(row) + 1
        if taken + cost > room and rows:
            break
        rows.append(row)
        costs.append(cost)
        taken += cost
    # The names cost room too, and which of them are needed is known only now.
    listed = shown - {"patient_id"}
    while len(rows) > 1 and taken + size(_legend(records[: len(rows)], known, listed)) > room:
        rows.pop()
        taken -= costs.pop()
    used = records[: len(rows)]
    return Rows(rows, len(records) - len(rows), _legend(used, known, listed), _zone_of(used, zones, home), cut)


def _told_apart(labels: Mapping[str, str]) -> dict[str, str]:
    """Two records of one name are shown with their ids, so that a name in a row never means either."""
    times = Counter(labels.values())
    return {key: label if times[label] == 1 else f"{label} ({key})" for key, label in labels.items()}


def _zones(businesses: Mapping[str, Record]) -> dict[str, ZoneInfo]:
    zones: dict[str, ZoneInfo] = {}
    for key, business in businesses.items():
        try:
            zones[key] = ZoneInfo(text_of(business, "time_zone_identifier"))
        except (KeyError, ValueError):  # a site without a zone, or with one this computer does not know
            continue
    return zones


def _zone_of(records: Sequence[Record], zones: Mapping[str, ZoneInfo], home: ZoneInfo) -> ZoneInfo:
    sites = {zones.get(str(getattr(record, "business_id", "")), home) for record in records}
    return sites.pop() if len(sites) == 1 else home


def _legend(
    records: Sequence[Record], known: Mapping[str, Mapping[str, str]], listed: Collection[str]
) -> dict[str, JsonValue]:
    legend: dict[str, JsonValue] = {}
    for kind, ids in ids_in(records).items():
        if kind not in listed:
            continue
        entries: dict[str, JsonValue] = {known[kind][key]: key for key in sorted(ids) if known[kind].get(key)}
        if entries:
            legend[kind] = entries
    return legend


def fitted(item: Row, room: int = MOST_BYTES - _ENVELOPE_BYTES) -> tuple[Row, bool]:
    """One record within `room` bytes, the hard limit if left out: its longest texts are cut until it fits; and whether
    any were."""
    cut = False
    most = 2_000
    while size(item) > room and most > _WHOLE:
        item = cast("Row", _cut(item, most))
        cut, most = True, most // 2
    return item, cut


def _cut(value: JsonValue, most: int) -> JsonValue:
    if isinstance(value, str):
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, list):
        return [_cut(each, most) for each in value[: max(most // 4, 1)]]
    if isinstance(value, dict):
        return {key: _cut(each, most) for key, each in value.items()}
    return value


def error_body(error: ClinikoMcpError) -> dict[str, JsonValue]:
    """An error as the model reads it, under 300 tokens: code, message, fix, then as many details as fit."""
    body: dict[str, JsonValue] = {"code": error.code, "message": _shortened(clean(error.message, lines=True), 600)}
    if error.fix:
        body["fix"] = _shortened(clean(error.fix, lines=True), ERROR_BYTES - size(body) - _FIX_BYTES)
    for name, detail in error.details.items():
        value = cleaned(detail)
        if value not in ({}, []) and size({**body, name: value}) <= ERROR_BYTES:
            body[name] = value
    return body


def cleaned(value: JsonValue) -> JsonValue:
    """The value with every text in it, names of fields too, as it is fit to show; see `clean`."""
    if isinstance(value, str):
        return clean(value, lines=True)
    if isinstance(value, list):
        return [cleaned(each) for each in value]
    if isinstance(value, dict):
        return {clean(key): cleaned(each) for key, each in value.items()}
    return value


def _shortened(text: str, most: int) -> str:
    """The text in at most `most` bytes of JSON, cut between words."""
    while size(text) - len('""') > most:
        text = text[: len(text) * most // size(text)].rpartition(" ")[0] + " …"
    return text
