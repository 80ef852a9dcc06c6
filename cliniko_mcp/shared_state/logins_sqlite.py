"""The built-in login's store in one SQLite file."""

from __future__ import annotations

from pathlib import Path

from cliniko_mcp.shared_state.logins import Told, nobody_told
from cliniko_mcp.shared_state.logins_rows import SCHEMA
from cliniko_mcp.shared_state.logins_sql import SqlLogins
from cliniko_mcp.shared_state.sqlite_file import SqliteFile


class SqliteLogins(SqlLogins):
    """See `Logins`."""

    def __init__(self, path: Path, told: Told = nobody_told) -> None:
        """Make or open the file. Raises ConfigurationError where it cannot be used, or can be read by others."""
        self._file = SqliteFile(path, SCHEMA, "the logins")
        super().__init__(self._file, told)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
