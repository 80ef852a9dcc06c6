"""How a record that was cut is read on: the call that shows the rest of a field from a place on."""

from collections.abc import Callable
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.operations import List, Operation
from cliniko_mcp.cliniko.registry import own_lists
from cliniko_mcp.tools.schema import display_arguments

_HIDING: Final = ("archived_at", "deleted_at", "cancelled_at")
_IN_USE: Final = ("active",)
_ELSEWHERE: Final = "read the rest in Cliniko itself"


def reading_on(operation: Operation, record: Record) -> Callable[[str], str]:
    """The words for how the rest of this record is read, by the fields and places where it is to go on."""
    if operation.method == "GET" and not operation.listing and "fields" in display_arguments(operation):
        return partial(_again, "call again with the same arguments and")
    for listing in _lists_of(operation, record):
        if "id" in listing.filters and listing.row is type(record):
            hidden = [name for name in _HIDING if name in listing.filters and value_of(record, name)]
            filters = [f"id: {row_id(record)}", *(f"{name}: all" for name in hidden)]
            return partial(_again, f"call {listing.name} with {', '.join(filters)} and")
    return lambda _: _ELSEWHERE


def _lists_of(operation: Operation, record: Record) -> tuple[List[Record], ...]:
    """The lists in which the record may stand; that of those who left first where it is one of them."""
    listings = own_lists(operation.resource)
    return listings[::-1] if any(value_of(record, name) is False for name in _IN_USE) else listings


def _again(call: str, fields: str) -> str:
    return f"{call} fields: {fields}"
