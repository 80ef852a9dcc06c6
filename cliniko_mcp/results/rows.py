"""How a record becomes a row that a model reads well: names beside ids, local times with weekday, no nulls, no links.

Text that patients or staff wrote is cleaned, capped and set apart under `free_text`: it is data, never instructions.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from cliniko_mcp.cliniko.codes import INVOICE_STATUSES, NOTE_STATUSES
from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.results.names import NAMED
from cliniko_mcp.sanitize import clean, plain

Detail = Literal["concise", "full"]
Row = dict[str, JsonValue]

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
_CODES: Final = {"invoice_status": INVOICE_STATUSES, "treatment_note_status": NOTE_STATUSES}
"""Codes that short rows say in words; full ones keep the number, which filters take."""
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
        by_word = {named.word: field for field, named in NAMED.items()}
        known = set(self.record.model_fields)
        wanted = {by_word.get(name, name) if name not in known else name for name in fields}
        if strangers := sorted(wanted - known):
            raise InvalidArguments(
                f"There is no field called {', '.join(clean(name, 60) for name in strangers)} here.",
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


def shape_of(operation: Operation, given: Mapping[str, object], usual: Detail) -> Shape:
    """The shape that the arguments `detail` and `fields` ask for. Raises InvalidArguments for anything else."""
    detail = given.get("detail") or usual
    if detail not in ("concise", "full"):
        raise InvalidArguments("detail must be concise or full.", f"Leave it out for {usual} rows.", field="detail")
    fields = given.get("fields")
    if isinstance(fields, str):
        fields = [name.strip() for name in fields.split(",") if name.strip()]
    if fields is not None and not (isinstance(fields, list) and all(isinstance(name, str) for name in fields)):  # pyright: ignore[reportUnknownVariableType]
        raise InvalidArguments(
            "fields must be names of fields, separated by commas.", "For example id, created_at.", field="fields"
        )
    assert operation.record is not None
    return Shape(operation.record, detail, cast("list[str] | None", fields))


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
        elif name in NAMED and isinstance(value, str):
            row.update(_named(name, value, known, expand))
        elif short and name in _CODES and isinstance(value, int):
            row[name] = _CODES[name].get(value, value)
        elif (shown := _value(value, zone, short)) not in _NOTHING:
            row[name] = shown
    _shorten_end(record, row, zone)
    if free:
        row["free_text"] = free
    return row


def _named(field: str, record_id: str, known: Mapping[str, Mapping[str, str]], expand: bool) -> Row:
    word = NAMED[field].word
    label = known.get(field, {}).get(record_id)
    if not label:
        return {field: record_id}
    # The patient differs from row to row, so the id stays; the others stand once in the answer's `names`.
    return {word: label, field: record_id} if field == "patient_id" or expand else {word: label}


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
        return clean(" / ".join(_written(_value(value, ZoneInfo("UTC"), short=False))), _SHORT)
    return _value(value, ZoneInfo("UTC"), short)


def _written(value: JsonValue) -> Iterable[str]:
    """The words inside structured content: section and question names with their answers, in reading order."""
    if isinstance(value, dict):
        for words in (value.get("name"), value.get("value")):
            if isinstance(words, str) and words:
                yield words
        answer = value.get("answer")
        if isinstance(answer, str) and answer:
            yield plain(answer)
        for inside in ("sections", "questions", "fields"):
            yield from _written(value.get(inside))
        for choice in cast("list[JsonValue]", value.get("answers") or value.get("options") or []):
            if isinstance(choice, dict) and choice.get("selected"):
                yield from _written(choice)
    elif isinstance(value, list):
        for each in value:
            yield from _written(each)


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
        case dict():
            pairs = cast("dict[object, object]", value).items()
            shown = {str(key): _value(each, zone, short) for key, each in pairs if each is not None}
            return {clean(key, 80): each for key, each in shown.items()}
        case list() | tuple():
            return [_value(each, zone, short) for each in cast("Sequence[object]", value)]
        case _:
            return clean(str(value), _SHORT) if value is not None else None
