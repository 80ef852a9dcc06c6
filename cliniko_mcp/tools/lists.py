"""A list as one bounded, honest answer: the rows that fit, whether that is all, and a cursor to go on with."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import Family, is_name
from cliniko_mcp.cliniko.models import Record, row_id
from cliniko_mcp.cliniko.operations import List, Operation
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import MAX_TOKENS, USUAL_TOKENS
from cliniko_mcp.results.cursor import MAX_ANCHORS, Cursors, Position
from cliniko_mcp.results.cutting import left_out
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import Rows, shape_of, shaped
from cliniko_mcp.tools.paging import LOST, MOVED, following, mark, opened
from cliniko_mcp.tools.reading_on import reading_on
from cliniko_mcp.tools.schema import display_arguments, takes_names

if TYPE_CHECKING:
    from cliniko_mcp.client.pagination import Sweep

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 1000
_MIN_ROW_TOKENS: Final = 34
"""What a row costs at the least: more rows than could fit are never fetched."""
_MIN_CHOSEN_ROW_TOKENS: Final = 10
"""The same where the caller named the fields: an id of 19 digits alone."""
_DAY: Final = re.compile(r"(?:[<>]=?)?[0-9]{4}-[0-9]{2}-[0-9]{2}|any|none|all")
"""Values of a filter by time that are no phrase."""
_CLASS_PLACES: Final = (
    "Cancelled places in classes are not among these, as the class itself is not cancelled: list_attendees has them."
)
_NEIGHBOURS: Final = 100
"""How many rows before and after the expected place are searched for the last one that was returned."""


async def listed(
    clinic: GuardedClinic, operation: List[Record], arguments: Mapping[str, JsonValue], cursors: Cursors
) -> Answer:
    """One answer of a list tool: up to `limit` rows within the token budget, from the start or from a cursor on.

    Raises InvalidArguments and InvalidCursor for what the caller has to correct, Ambiguous and NotFound for a name.
    """
    arguments = {name: value for name, value in arguments.items() if value is not None}
    limit = _limit(arguments)
    shape_of(operation.row, arguments, "concise")  # what is wrong is refused before a name is looked up
    arguments, named = await plain_filters(clinic, operation, arguments)
    position = opened(operation.name, arguments, cursors, clinic.caller.principal)
    query = position.query
    shape = shape_of(operation.row, query.arguments, "concise")
    ours = display_arguments(operation)
    call = operation.parse({name: value for name, value in query.arguments.items() if name not in ours})
    # A cursor is base64, of which three tokens make four characters.
    reserved = query.cursor_length * 3 // 4
    if reserved > MAX_TOKENS // 2:
        raise InvalidArguments(
            "The filters are too long together: the cursor to go on with has to carry them.", "Shorten them."
        )
    generous = "limit" in arguments or shape.detail == "full" or shape.fields is not None
    max_tokens = MAX_TOKENS if generous else USUAL_TOKENS
    wanted = min(limit, max_tokens // (_MIN_ROW_TOKENS if shape.fields is None else _MIN_CHOSEN_ROW_TOKENS))
    sweep, moved = await _from(clinic, call, position, wanted)
    rows = await shaped(clinic, sweep.rows, shape, max_tokens, reserved, reading_on=partial(reading_on, operation))
    complete = sweep.complete and not rows.left
    page: dict[str, JsonValue] = {"returned": len(rows.shown)}
    if sweep.total is not None:
        page["total"] = sweep.total
    page["complete"] = complete
    notes = [*named, *moved, *_remarks(sweep, wanted), *rows.notes]
    if call.needs_zone and (guess := await clinic.zone_note(call.site)) and guess not in notes:
        notes.append(guess)
    if "cancelled_at" in query.arguments and _lists_bookings(operation):
        notes.append(_CLASS_PLACES)
    if not sweep.rows and complete and not position.start:
        notes.append(_nothing(operation, call))
    if not complete:
        after = _following(position, sweep, rows)
        page["next_cursor"] = cursors.seal(after, clinic.caller.principal)
        notes.append(_more(operation, after.start, sweep.total))
    body: dict[str, JsonValue] = {"items": [*rows.shown], "page": page}
    if rows.names:
        body["names"] = rows.names
    return Answer(body, notes, rows.zone, counted=rows.tokens)


def _lists_bookings(operation: Operation) -> bool:
    from cliniko_mcp.cliniko.resources.bookings import Bookings  # imported by such a call alone

    return operation is Bookings.list_bookings


async def plain_filters(
    clinic: GuardedClinic, operation: Operation, arguments: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], list[str]]:
    """The arguments of a list with ids for the names in them and spans for phrases of time, and what each was read as.

    Raises InvalidArguments, before anything is read, for whatever else is wrong, and for a phrase that cannot be read;
    Ambiguous and NotFound, both with candidates, for a name; NotAllowed where the list of those records is switched
    off.
    """
    spoken = {name: value for name, value in arguments.items() if is_name(value)}
    listings = {name: listing for name in spoken if (listing := takes_names(operation, name))}
    by_time = [name for name in arguments if operation.filters.get(name) in (Family.INSTANT, Family.DATE)]
    # A plain day is read without the grammar of phrases, which is imported with the first one.
    worded = [name for name in by_time if not _is_day(arguments[name])]
    if not listings and not worded:
        return {**arguments}, []
    from cliniko_mcp.frontdesk.filter_phrases import is_time_phrase, site_of, span_of_phrase

    phrases = {
        name: value
        for name in worded
        if isinstance(value := arguments[name], str) and is_time_phrase(operation, name, value)
    }
    if not listings and not phrases:
        return {**arguments}, []
    ours = display_arguments(operation)
    others: dict[str, JsonValue] = {name: value for name, value in arguments.items() if name not in ours}
    operation.parse({**others, **dict.fromkeys(listings, "1"), **dict.fromkeys(phrases, "2000-01-01")})
    found, notes = {**arguments}, list[str]()
    spans = {name: await span_of_phrase(clinic, operation, name, phrases[name], site_of(found)) for name in phrases}
    if listings:
        from cliniko_mcp.frontdesk.named_records import NamedRecords

        named = NamedRecords(clinic)
        found |= {name: await named.ids(operation, name, listing, spoken[name]) for name, listing in listings.items()}
        notes += named.notes
    site = site_of(found)
    for name, phrase in phrases.items():
        again = "business_id" in listings  # by the clock of the site that was named
        span = await span_of_phrase(clinic, operation, name, phrase, site) if again else spans[name]
        found[name] = span[0]
        notes.append(span[1])
    if phrases and (guess := await clinic.zone_note(site)):
        notes.append(guess)
    return found, notes


def _is_day(value: JsonValue) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _limit(arguments: Mapping[str, JsonValue]) -> int:
    limit = arguments.get("limit", DEFAULT_LIMIT)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise InvalidArguments(
            f"limit must be a whole number from 1 to {MAX_LIMIT}.",
            f"Leave it out for the first {DEFAULT_LIMIT}.",
            field="limit",
        )
    return limit


async def _from(
    clinic: GuardedClinic, call: Call[Record], position: Position, limit: int
) -> tuple["Sweep[Record]", list[str]]:
    """The rows from a position on. The last returned row is read again first, to notice what came or went before it."""
    if not position.anchors:
        return await clinic.rows(call, limit=limit, start=position.start), []
    again = await clinic.rows(call, limit=limit + 1, start=position.start - 1)
    if again.rows and _mark(again.rows[0]) == position.anchors[-1]:
        return replace(again, rows=again.rows[1:], positions=again.positions[1:]), []
    around = await clinic.rows(call, limit=2 * _NEIGHBOURS, start=max(position.start - _NEIGHBOURS, 0))
    marks = [_mark(row) for row in around.rows]
    for anchor in reversed(position.anchors):
        if anchor in marks:
            start = around.positions[marks.index(anchor)] + 1
            sweep = await clinic.rows(call, limit=limit, start=start)
            return sweep, [MOVED]
    sweep = await clinic.rows(call, limit=limit, start=position.start)
    return sweep, [LOST]


def _mark(record: Record) -> int:
    # Available times and services have no id: there the whole row stands for itself.
    return mark(row_id(record) or repr((vars(record), record.model_extra)))


def _following(position: Position, sweep: "Sweep[Record]", rows: Rows) -> Position:
    shown = len(rows.shown)
    if rows.left:
        start = sweep.position_after(shown)
    else:
        start = sweep.next_position if sweep.next_position is not None else position.start + shown
    return following(position, start, [_mark(row) for row in sweep.rows[max(shown - MAX_ANCHORS, 0) : shown]])


def _remarks(sweep: "Sweep[Record]", wanted: int) -> list[str]:
    remarks: list[str] = []
    if sweep.moved:
        remarks.append("The list changed while it was read, so a row that moved may be missing here.")
    if sweep.stopped is not None:
        remarks.append(f"Stopped early: {sweep.stopped.message}")
    elif not sweep.complete and len(sweep.rows) < wanted:
        remarks.append("Stopped early: these are the rows that could be read in time.")
    return remarks


def _nothing(operation: Operation, call: Call[Record]) -> str:
    noun = operation.resource.replace("_", " ")
    if not call.conditions:
        return f"There are no {noun} here that this key may see."
    return f"No {noun} match these filters; leave one out to see more."


def _more(operation: Operation, returned: int, total: int | None) -> str:
    noun = operation.resource.replace("_", " ")
    left = max(total - returned, 0) if total is not None else 0
    return left_out(left, total, noun, "call again with next_cursor to go on, or narrow the filters")
