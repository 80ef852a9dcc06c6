"""Where a list goes on: an opaque, signed, stateless cursor that carries the query and the position.

The position counts rows that were returned, not rows that were asked for. `anchors` are checksums of the ids of the
last returned rows, by which the next call notices rows that came or went before its place.
"""

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass, field
from typing import Any, Final, cast

from cliniko_mcp.errors import InvalidCursor, JsonValue

_MAC_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the answer to a query: the tool, its arguments, how many rows are behind, and the last ones' marks."""

    tool: str
    arguments: dict[str, JsonValue]
    start: int
    anchors: list[int] = field(default_factory=list[int])


class Cursors:
    """Seals positions into cursors and opens them again, under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, position: Position) -> str:
        """The position as text that only this server can have made."""
        fields = [position.tool, position.arguments, position.start, position.anchors]
        packed = zlib.compress(json.dumps(fields, separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(self._mac(packed) + packed).decode().rstrip("=")

    def open(self, cursor: str, tool: str) -> Position:
        """The position that `cursor` stands for. Raises InvalidCursor for anything not sealed here for this tool."""
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise _invalid() from None
        mac, packed = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not packed or not hmac.compare_digest(mac, self._mac(packed)):
            raise _invalid()
        fields = cast("list[Any]", json.loads(zlib.decompress(packed)))
        position = Position(*fields)
        if position.tool != tool:
            raise InvalidCursor(
                f"This cursor continues {position.tool}, not {tool}.", f"Call {position.tool} with it instead."
            )
        return position

    def _mac(self, packed: bytes) -> bytes:
        return hmac.digest(self._key, packed, hashlib.sha256)[:_MAC_BYTES]


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "This cursor is not one that this server gave, or the server has restarted since.",
        "Call again without a cursor to start the list from the beginning.",
    )
