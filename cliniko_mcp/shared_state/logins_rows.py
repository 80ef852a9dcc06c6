"""The tables of the built-in login's store, in the words of SQLite, and their rows as records."""

from collections.abc import Sequence
from typing import Final

from cliniko_mcp.shared_state.logins import ClientRow, CodeRow, GrantRow, PersonRow, RequestRow

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS client (
  id TEXT PRIMARY KEY, metadata TEXT NOT NULL, fingerprint TEXT NOT NULL, created REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS request (
  id TEXT PRIMARY KEY, details TEXT NOT NULL, expires REAL NOT NULL, cookie TEXT NOT NULL, tried INTEGER NOT NULL,
  proven BLOB NOT NULL, handed BLOB NOT NULL, handed_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS code (
  digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, details TEXT NOT NULL, expires REAL NOT NULL,
  used INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS grants (
  id TEXT PRIMARY KEY, person TEXT NOT NULL, client TEXT NOT NULL, program TEXT NOT NULL, scopes TEXT NOT NULL,
  created REAL NOT NULL, expires REAL NOT NULL, used REAL NOT NULL, begun INTEGER NOT NULL, ended REAL NOT NULL,
  why TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS grants_person ON grants (person);
CREATE TABLE IF NOT EXISTS token (
  digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, refresh INTEGER NOT NULL, scopes TEXT NOT NULL,
  expires REAL NOT NULL, used REAL NOT NULL, siblings INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS token_grant ON token (grant_id);
CREATE TABLE IF NOT EXISTS person (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL, clinic TEXT NOT NULL,
  version INTEGER NOT NULL, sealed BLOB NOT NULL, proven REAL NOT NULL, manager INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS session (
  digest TEXT PRIMARY KEY, person TEXT NOT NULL, expires REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS admitted (kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, value)) STRICT;
"""
GRANT_COLUMNS: Final = (
    *("id", "person", "client", "program", "scopes", "created", "expires", "used", "begun", "ended", "why"),
)


def number(value: object) -> float:
    """A number of a row."""
    return float(str(value))


def client_row(row: Sequence[object]) -> ClientRow:
    """A program."""
    return ClientRow(str(row[0]), str(row[1]), str(row[2]), number(row[3]))


def request_row(row: Sequence[object]) -> RequestRow:
    """A login under way."""
    id, details, expires, cookie, tried, proven, handed, handed_at = row
    assert isinstance(proven, bytes)
    assert isinstance(handed, bytes)
    whole = int(str(tried))
    return RequestRow(str(id), str(details), number(expires), str(cookie), whole, proven, handed, number(handed_at))


def code_row(row: Sequence[object]) -> CodeRow:
    """A code."""
    return CodeRow(str(row[0]), str(row[1]), str(row[2]), number(row[3]), bool(row[4]))


def grant_row(row: Sequence[object]) -> GrantRow:
    """A grant, of the first eleven columns."""
    id, person, client, program, scopes = map(str, row[:5])
    created, expires, used = map(number, row[5:8])
    return GrantRow(
        *(id, person, client, program, scopes, created, expires, used),
        begun=bool(row[8]),
        ended=number(row[9]),
        why=str(row[10]),
    )


def person_row(row: Sequence[object]) -> PersonRow:
    """Somebody who has logged in."""
    id, name, email, role, clinic = map(str, row[:5])
    sealed = row[6]
    assert isinstance(sealed, bytes)
    version, proven = int(str(row[5])), number(row[7])
    return PersonRow(id, name, email, role, clinic, version, sealed, proven, manager=bool(row[8]))
