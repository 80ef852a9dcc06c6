"""How a record becomes a row that a model reads well: names beside ids, local times with weekday, no nulls, no links.

Text that patients or staff wrote is cleaned, capped and set apart under `free_text`: it is data, never instructions.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.shapes.answers import answer_text
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_BYTES, USUAL_BYTES, fitted, size
from cliniko_mcp.results.budget import Row as Row
from cliniko_mcp.results.names import REFERENCES, ids_in, labels, referenced
from cliniko_mcp.sanitize import clean, plain

Detail = Literal["concise", "full"]

FREE_TEXT: Final = frozenset(
    {
        "additional_information",
        "additional_invoice_information",
        "appointment_notes",
        "cancellation_note",
        "comment",
        "content",
        "custom_fields",
        "description",
        "invoice_extra_information",
        "notes",
        "patient_extra_information",
        "subcategory",
    }
)
_STAMPS: Final = frozenset({"created_at", "updated_at"})
_NOTHING: Final[tuple[JsonValue, ...]] = ("", [], {})
"""What a row leaves out, once nulls and what cannot be seen are gone from it."""
_SHORT = 240
_WHOLE = 1_000_000
"""In full, nothing is cut here: an update replaces texts whole, so what was read has to be what is there."""


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as the clinic says it: `2026-11-24T09:30+11:00 Tue`, to the minute."""
    local = moment.astimezone(zone)
    return f"{local.isoformat(timespec='minutes')} {local:%a}"


class Shape:
    """What the caller wants of each row: concise or full, and perhaps only some fields."""

    def __init__(self, record: type[Record], detail: Detail = "concise", fields: Sequence[str] | None = None) -> None:
        self.record = record
        self.detail: Detail = detail
        self.fields = self._known(fields) if fields else None

    def _known(self, fields: Sequence[str]) -> frozenset[str]:
        by_noun = {reference.noun: field for field, reference in REFERENCES.items()}
        known = set(self.record.model_fields)
        wanted = {by_noun.get(name, name) if name not in known else name for name in fields}
        if unknown := sorted(wanted - known):
            raise InvalidArguments(
                f"There is no field called {', '.join(clean(name, 60) for name in unknown)} here.",
                f"Fields: {', '.join(sorted(known))}.",
                field="fields",
            )
        return frozenset(wanted)

    def names(self, record: Record) -> Iterable[str]:
        """The fields of this record to show, in order; the id always comes first."""
        if self.fields is not None:
            shown: Iterable[str] = (name for name in self.record.model_fields if name in self.fields)
        elif self.detail == "concise" and self.record.concise:
            shown = self.record.concise
        else:
            # What matters most first, then everything else that is known or came along.
            shown = dict.fromkeys((*self.record.concise, *self.record.model_fields, *(record.model_extra or {})))
            hidden = self.record.secret | (_STAMPS if self.detail == "concise" else frozenset[str]())
            shown = (name for name in shown if name not in hidden)
        return ("id", *(name for name in shown if name != "id"))


def shape_of(record: type[Record], arguments: Mapping[str, object], usual: Detail) -> Shape:
    """The shape of this record that the arguments `detail` and `fields` ask for.

    Raises InvalidArguments for anything else in them.
    """
    detail = arguments.get("detail") or usual
    if detail not in ("concise", "full"):
        raise InvalidArguments("detail must be concise or full.", f"Leave it out for {usual} rows.", field="detail")
    return Shape(record, detail, _field_names(arguments.get("fields")))


def _field_names(fields: object) -> list[str] | None:
    if fields is None:
        return None
    if isinstance(fields, str):
        return [name.strip() for name in fields.split(",") if name.strip()]
    names = [name for name in fields if isinstance(name, str)] if _is_list(fields) else None
    if names is None or not _is_list(fields) or len(names) < len(fields):
        raise InvalidArguments(
            "fields must be names of fields, separated by commas.", "For example id, created_at.", field="fields"
        )
    return names


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
    clinic: GuardedClinic, records: Sequence[Record], shape: Shape, max_bytes: int = USUAL_BYTES, reserved: int = 0
) -> Rows:
    """The records as rows, as many as fit into `max_bytes`, with the names that their ids stand for.

    `reserved` is how many of the bytes the caller needs for other things.
    """
    shown = {name for record in records[:1] for name in shape.names(record)}
    # A site that is not shown still says in which zone its times are.
    ids = {field: ids for field, ids in ids_in(records).items() if field in shown or field == "business_id"}
    found = await referenced(clinic, ids)
    known = {field: _told_apart(names) for field, names in labels(found).items()}
    zones = _zones(found.get("business_id", {}))
    home = await clinic.zone()
    rows: list[Row] = []
    costs: list[int] = []
    taken = 0
    cut = False
    room = max_bytes - ENVELOPE_BYTES - reserved
    for record in records:
        row = row_of(record, shape, zones.get(site_of(record) or "", home), known)
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


def site_of(record: Record) -> str | None:
    """The id of the site that a record belongs to; None where it belongs to none."""
    site = value_of(record, "business_id")
    return site if isinstance(site, str) else None


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Two records of one name are shown with their ids, so that a name in a row never means either."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _zones(sites: Mapping[str, Record]) -> dict[str, ZoneInfo]:
    """The zones of those sites whose zone is known, by their ids."""
    if not sites:
        return {}
    from cliniko_mcp.cliniko.resources.businesses import Business

    zones = {key: zone_of(site) for key, site in sites.items() if isinstance(site, Business)}
    return {key: zone for key, zone in zones.items() if zone is not None}


def _zone_of(records: Sequence[Record], zones: Mapping[str, ZoneInfo], home: ZoneInfo) -> ZoneInfo:
    found = {zones.get(site_of(record) or "", home) for record in records}
    return found.pop() if len(found) == 1 else home


def _legend(
    records: Sequence[Record], known: Mapping[str, Mapping[str, str]], listed: Collection[str]
) -> dict[str, JsonValue]:
    legend: dict[str, JsonValue] = {}
    for field, ids in ids_in(records).items():
        if field not in listed:
            continue
        entries: dict[str, JsonValue] = {known[field][key]: key for key in sorted(ids) if known[field].get(key)}
        if entries:
            legend[field] = entries
    return legend


def row_of(
    record: Record, shape: Shape, zone: ZoneInfo, known: Mapping[str, Mapping[str, str]], *, expand: bool = False
) -> Row:
    """One row. `known` holds names by field and id; with `expand` each name keeps its id beside it."""
    row: Row = {}
    free: Row = {}
    short = shape.detail == "concise"
    for name in shape.names(record):
        value = value_of(record, name)
        if value is None or value == "":
            continue
        if short and value is False and shape.fields is None and shape.record.concise:
            continue
        if name in FREE_TEXT:
            if (text := _free(value, short)) not in _NOTHING:
                free[name] = text
        elif name in REFERENCES and isinstance(value, str):
            row.update(_named(name, value, known, expand))
        elif short and name in record.codes and isinstance(value, int):
            row[name] = record.codes[name].get(value, value)
        elif (shown := _value(value, zone, short)) not in _NOTHING:
            row[name] = shown
    _shorten_end(record, row, zone)
    if free:
        row["free_text"] = free
    return row


def _named(field: str, record_id: str, known: Mapping[str, Mapping[str, str]], expand: bool) -> Row:
    noun = REFERENCES[field].noun
    label = known.get(field, {}).get(record_id)
    if not label:
        return {field: record_id}
    # The patient differs from row to row, so the id stays; the others stand once in the answer's `names`.
    return {noun: label, field: record_id} if field == "patient_id" or expand else {noun: label}


def _shorten_end(record: Record, row: Row, zone: ZoneInfo) -> None:
    starts, ends = value_of(record, "starts_at"), value_of(record, "ends_at")
    if isinstance(starts, datetime) and isinstance(ends, datetime) and "ends_at" in row and "starts_at" in row:
        first, last = starts.astimezone(zone), ends.astimezone(zone)
        if first.date() == last.date() and first.utcoffset() == last.utcoffset():
            row["ends_at"] = f"{last:%H:%M}"


def _free(value: object, short: bool) -> JsonValue:
    if isinstance(value, str):
        return clean(plain(value), _SHORT) if short else clean(value, _WHOLE, lines=True)
    if short:
        return answer_text(value, _SHORT).text
    return _value(value, ZoneInfo("UTC"), short)


def _value(value: object, zone: ZoneInfo, short: bool) -> JsonValue:
    match value:
        case bool() | int() | float():
            return value
        case str():
            return clean(value, _SHORT) if short else clean(value, _WHOLE, lines=True)
        case datetime():
            return local_text(value, zone) if value.tzinfo is not None else value.isoformat(timespec="minutes")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case BaseModel():
            inside = {**value.__dict__, **(value.model_extra or {})}
            return _value(inside, zone, short)
        case _ if _is_mapping(value):
            return {clean(str(key), 80): _value(part, zone, short) for key, part in value.items() if part is not None}
        case _ if _is_list(value):
            return [_value(part, zone, short) for part in value]
        case _:
            return clean(str(value), _SHORT) if value is not None else None


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)
