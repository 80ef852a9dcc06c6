"""What ends of the built-in login's store, and what is dropped from it, as parts of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cliniko_mcp.shared_state.logins import GrantRow
from cliniko_mcp.shared_state.logins_rows import GRANT_COLUMNS, grant_row
from cliniko_mcp.shared_state.statements import Work, all_rows, changed

SHOWN_SECONDS: Final = 7 * 86400.0
"""How long a grant that ended is still listed."""


def end_unfetched(now: float) -> Work[Sequence[GrantRow]]:
    """The grants whose program let the code run out, which are ended."""
    unused = "SELECT grant_id FROM code WHERE used = 0 AND expires <= ?"
    chosen = f"ended = 0 AND id IN ({unused}) RETURNING {', '.join(GRANT_COLUMNS)}"
    text = f"UPDATE grants SET ended = ?, why = ? WHERE {chosen}"
    return [grant_row(row) for row in (yield from all_rows(text, now, "its program never fetched the code", now))]


def end_grants(
    now: float, why: str, *, grant: str = "", person: str = "", client: str = ""
) -> Work[Sequence[GrantRow]]:
    """The grants that were ended, as they are now."""
    named = {"id": grant, "person": person, "client": client}
    chosen = {name: value for name, value in named.items() if value}
    where = " AND ".join(("ended = 0", *(f"{name} = ?" for name in chosen)))
    text = f"UPDATE grants SET ended = ?, why = ? WHERE {where} RETURNING {', '.join(GRANT_COLUMNS)}"
    return [grant_row(row) for row in (yield from all_rows(text, now, why, *chosen.values()))]


def tidy(now: float) -> Work[None]:
    """Drop what nobody can use any more. A code that was used stays as long as its grant: it may be shown again."""
    yield from changed("DELETE FROM request WHERE expires < ?", now)
    yield from changed("DELETE FROM session WHERE expires < ?", now)
    old = now - SHOWN_SECONDS
    yield from changed("DELETE FROM grants WHERE expires < ? AND ended < ?", old, old)
    for table in ("token", "code"):
        gone = f"NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = {table}.grant_id)"
        yield from changed(f"DELETE FROM {table} WHERE {gone}")
