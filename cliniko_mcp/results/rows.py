"""How a record becomes a row that a model reads well: names beside ids, local times with weekday, no nulls, no links.

Text that patients or staff wrote is cleaned, capped and set apart under `free_text`: it is data, never instructions.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, TypeGuard
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.shapes.answers import answer_text
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, USUAL_TOKENS, size
from cliniko_mcp.results.budget import Row as Row
from cliniko_mcp.results.cutting import Cut, cut_notes, fitted
from cliniko_mcp.results.moments import is_sited, is_timed
from cliniko_mcp.results.moments import local_text as local_text
from cliniko_mcp.results.names import LINKS, REFERENCES, ids_in, linked, referenced, zones_of
from cliniko_mcp.results.paths import START, Place, place_in, resumed
from cliniko_mcp.sanitize import clean

Detail = Literal["concise", "full"]
ReadingOn = Callable[[Record], Callable[[str], str]]
"""For a record: the words for how it is read on, by the field and the place in it."""

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
_UTC: Final = ZoneInfo("UTC")
_SHORT = 240
_WHOLE_TEXTS: Final = "call again with detail: full"
_RECORD_ITSELF: Final = "read the record itself"
_CUT_NOTES_TOKENS: Final = 400
"""What the notes on a cut record may take."""
_WHOLE = 1_000_000
"""In full, nothing is cut here: an update replaces texts whole, so what was read has to be what is there."""


class Shape:
    """What the caller wants of each row: concise or full, and perhaps only some fields."""

    def __init__(self, record: type[Record], detail: Detail = "concise", fields: Sequence[str] | None = None) -> None:
        self.record = record
        self.detail: Detail = detail
        placed = dict(place_in(name) for name in fields or ())
        self.fields = self._known([*placed]) if placed else None
        self.starts: Mapping[str, Place] = {name: place for name, place in placed.items() if place != START}
        """The places inside fields from which they are read on."""
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

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

    def names(self, record: Record) -> tuple[str, ...]:
        """The fields of this record to show, in order; the id always comes first."""
        others = tuple(record.__pydantic_extra__ or ())  # most records of a list hold the same
        if others not in self._names:
            self._names[others] = self._named(others)
        return self._names[others]

    def _named(self, others: Iterable[str]) -> tuple[str, ...]:
        if self.fields is not None:
            shown: Iterable[str] = (name for name in self.record.model_fields if name in self.fields)
        elif self.detail == "concise" and self.record.concise:
            shown = self.record.concise
        else:
            # What matters most first, then everything else that is known or came along.
            shown = dict.fromkeys((*self.record.concise, *self.record.model_fields, *others))
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
    notes: Sequence[str] = ()
    """What the rows leave out, and what a reader of them has to know."""
    tokens: int = 0
    """What the rows that are shown take."""


async def shaped(
    clinic: GuardedClinic,
    records: Sequence[Record],
    shape: Shape,
    max_tokens: int = USUAL_TOKENS,
    reserved: int = 0,
    *,
    reading_on: ReadingOn,
) -> Rows:
    """The records as rows, as many as fit into `max_tokens`, with the names that their ids stand for.

    `reserved` is how many of the tokens the caller needs for other things, `reading_on` how the rest of a record is
    read from a place on.
    """
    shown = {name for record in records[:1] for name in shape.names(record)}
    # A site that is not shown still says in which zone its times are.
    ids = ids_in(records, {*shown, "business_id"})
    home = await clinic.zone()
    found = await referenced(clinic, ids, home)
    known = {field: _told_apart(names) for field, names in found.labels.items()}
    zones, hidden = zones_of(found.records.get("business_id", {})), found.hidden
    rows: list[Row] = []
    costs: list[int] = []
    notes = list(found.notes)
    shortened: set[str] = set()
    taken = 0
    room = max_tokens - ENVELOPE_TOKENS - reserved - size(notes)
    for record in records:
        less: set[str] = set()
        row = row_of(record, shape, _zone_at(record, zones, home), known, hidden=hidden, shortened=less)
        if not rows:
            row, cuts = shown_part(row, shape, room)
            notes += cut_notes(cuts, reading_on(record))
        elif shape.starts:
            row, _ = resumed(row, shape.starts, _WHOLE)
        cost = size(row) + 1
        if taken + cost > room and rows:
            break
        rows.append(row)
        costs.append(cost)
        shortened |= less
        taken += cost
    # The names cost room too, and which of them are needed is known only now.
    listed = shown & (REFERENCES.keys() - {"patient_id"})
    legend = _legend(records[: len(rows)], known, listed)
    if (over := taken + size(legend) - room) > 0:
        while len(rows) > 1 and over > 0:
            rows.pop()
            over -= costs[-1]
            taken -= costs.pop()
        legend = _legend(records[: len(rows)], known, listed)
    used = records[: len(rows)]
    if shortened:
        how = _WHOLE_TEXTS if shape.record.concise else _RECORD_ITSELF
        notes.append(f"Parts of {', '.join(sorted(shortened))} are not shown: {how}.")
    if rows and shape.record.remark:
        notes.append(shape.record.remark)
    return Rows(rows, len(records) - len(rows), legend, _zone_of(used, zones, home), notes, taken)


def shown_part(row: Row, shape: Shape, room: int) -> tuple[Row, list[Cut]]:
    """One row in at most `room` tokens, and what was cut: chosen fields in their order, from their places on; else the
    beginning of every field."""
    # The notes on what is cut take room too.
    room = room if size(row) <= room else room - _CUT_NOTES_TOKENS
    return fitted(row, room) if shape.fields is None else resumed(row, shape.starts, room)


def site_of(record: Record) -> str | None:
    """The id of the site that a record belongs to; None where it belongs to none."""
    return record.business_id if is_sited(record) else None


def _told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Two records of one name are shown with their ids, so that a name in a row never means either."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _zone_of(records: Sequence[Record], zones: Mapping[str, ZoneInfo], home: ZoneInfo) -> ZoneInfo:
    found = {_zone_at(record, zones, home) for record in records}
    return found.pop() if len(found) == 1 else home


def _zone_at(record: Record, zones: Mapping[str, ZoneInfo], home: ZoneInfo) -> ZoneInfo:
    site = site_of(record)
    return home if site is None else zones.get(site, home)


def _legend(
    records: Sequence[Record], known: Mapping[str, Mapping[str, str]], listed: Collection[str]
) -> dict[str, JsonValue]:
    legend: dict[str, JsonValue] = {}
    for field, ids in ids_in(records, listed).items():
        entries: dict[str, JsonValue] = {known[field][key]: key for key in sorted(ids) if known[field].get(key)}
        if entries:
            legend[field] = entries
    return legend


def row_of(
    record: Record,
    shape: Shape,
    zone: ZoneInfo,
    known: Mapping[str, Mapping[str, str]],
    *,
    expand: bool = False,
    hidden: Collection[str] = (),
    shortened: set[str] | None = None,
) -> Row:
    """One row. `known` holds names by field and id; with `expand` each name keeps its id beside it.

    `hidden` are the ids of archived patients; into `shortened` go the fields whose texts are not shown whole.
    """
    row: Row = {}
    free: Row = {}
    concise = shape.detail == "concise"
    for name in shape.names(record):
        value = value_of(record, name)
        if value is None or value == "":
            continue
        if concise and value is False and shape.fields is None and shape.record.concise:
            continue
        short = concise and name not in shape.starts
        if name in FREE_TEXT:
            text, whole = _free(value, short)
            if text not in _NOTHING:
                free[name] = text
            if not whole and shortened is not None:
                shortened.add(name)
        elif name in LINKS and (ids := linked(record, name)):
            row.update(_named(name, value, ids, known, expand))
            if name == "patient_id" and ids[0] in hidden:
                row["patient_archived"] = True
        elif short and name in record.codes and isinstance(value, int):
            row[name] = record.codes[name].get(value, value)
        elif (shown := _value(value, zone, short)) not in _NOTHING:
            row[name] = shown
            if shortened is not None and isinstance(value, str) and len(value) > _SHORT and short:
                shortened.add(name)
    _shorten_end(record, row, zone)
    if free:
        row["free_text"] = free
    return row


def _named(field: str, value: object, ids: Sequence[str], known: Mapping[str, Mapping[str, str]], expand: bool) -> Row:
    noun, names = LINKS[field].noun, known.get(field, {})
    if isinstance(value, list):
        labels: list[JsonValue] = [names[key] for key in ids if names.get(key)]
        return {**({noun: labels} if labels else {}), field: list[JsonValue](ids)}
    label = names.get(ids[0])
    if not label:
        return {field: ids[0]}
    # What differs from row to row keeps its id; the others stand once in the answer's `names`.
    listed = field in REFERENCES and field != "patient_id" and not expand
    return {noun: label} if listed else {noun: label, field: ids[0]}


def _shorten_end(record: Record, row: Row, zone: ZoneInfo) -> None:
    if not is_timed(record) or "ends_at" not in row or "starts_at" not in row:
        return
    if record.starts_at is not None and record.ends_at is not None:
        first, last = record.starts_at.astimezone(zone), record.ends_at.astimezone(zone)
        if first.date() == last.date() and first.utcoffset() == last.utcoffset():
            row["ends_at"] = f"{last:%H:%M}"


def _free(value: object, short: bool) -> tuple[JsonValue, bool]:
    """A text that people wrote, short on one line or as it is, and whether it is all there."""
    if not short:
        # An update replaces it whole, so what was read has to be what is there.
        return (clean(value, _WHOLE, lines=True) if isinstance(value, str) else _value(value, _UTC, short)), True
    text = answer_text(value, _SHORT)
    return text.text, not text.cut


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
