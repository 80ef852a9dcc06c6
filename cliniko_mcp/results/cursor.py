"""Where a list goes on: an opaque, signed, stateless cursor that carries the query and the position.

The position counts rows that were returned, not rows that were asked for. `anchors` are checksums of the ids of the
last returned rows, by which the next call notices rows that came or went before its place.
"""

import base64
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from cliniko_mcp.errors import InvalidCursor, JsonValue

MAX_ANCHORS: Final = 5
_MAC_BYTES: Final = 12
_HEAD: Final = struct.Struct(f">QB{MAX_ANCHORS}L")
"""The place: rows behind it, how many anchors, the anchors themselves."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for: the tool, its arguments, and both as a cursor carries them."""

    tool: str
    arguments: Mapping[str, JsonValue]
    packed: bytes

    @classmethod
    def of(cls, tool: str, arguments: Mapping[str, JsonValue]) -> Self:
        """The query of this tool with these arguments."""
        text = json.dumps([tool, dict(arguments)], separators=(",", ":"))
        return cls(tool, arguments, zlib.compress(text.encode(), 9))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The query that was packed here. Raises ValueError or zlib.error for anything else."""
        # A seam where JSON enters, and only what `of` wrote: the cursor's signature has been checked.
        tool, arguments = json.loads(zlib.decompress(packed))
        return cls(tool, arguments, packed)

    @property
    def cursor_length(self) -> int:
        """The characters of any cursor that carries this query."""
        return (4 * (_MAC_BYTES + _HEAD.size + len(self.packed)) + 2) // 3


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the answer to a query: how many rows are behind, and the marks of the last ones, at most five."""

    query: Query
    start: int = 0
    anchors: tuple[int, ...] = ()


class Cursors:
    """Seals positions into cursors and opens them again, under one key; those of older keys are opened too."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._key = key
        self._keys = (key, *older)

    def seal(self, position: Position, principal: str) -> str:
        """The position as text that only this server can have made, and only for this caller."""
        anchors = position.anchors
        head = _HEAD.pack(position.start, len(anchors), *anchors, *[0] * (MAX_ANCHORS - len(anchors)))
        content = head + position.query.packed
        return base64.urlsafe_b64encode(_mac(self._key, content, principal) + content).decode().rstrip("=")

    def open(self, cursor: str, tool: str, principal: str) -> Position:
        """The position that `cursor` stands for.

        Raises InvalidCursor for anything not sealed here for this tool and this caller.
        """
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise _invalid() from None
        mac, content = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        ours = [hmac.compare_digest(mac, _mac(key, content, principal)) for key in self._keys]
        if len(content) <= _HEAD.size or not any(ours):
            raise _invalid()
        start, count, *anchors = _HEAD.unpack_from(content)
        query = Query.unpacked(content[_HEAD.size :])
        if query.tool != tool:
            raise InvalidCursor(
                f"This cursor continues {query.tool}, not {tool}.", f"Call {query.tool} with it instead."
            )
        return Position(query, start, tuple(anchors[:count]))


def _mac(key: bytes, content: bytes, principal: str) -> bytes:
    # The digest of the principal has one length, so that no two pairs of principal and content are the same bytes.
    whose = hashlib.sha256(principal.encode()).digest()
    return hmac.digest(key, whose + content, hashlib.sha256)[:_MAC_BYTES]


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "This cursor is not one that this server gave, or the server has restarted since.",
        "Call again without a cursor to start the list from the beginning.",
    )
