"""The directory of a run, opened by what its file says: clinics in a file or in Postgres, and people's keys."""

from __future__ import annotations

import secrets  # noqa: TID251 - names of what is kept are not to be guessed
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cliniko_mcp.directory.clinics import Clinics, ClinicsInFile
from cliniko_mcp.directory.clinics_changes import ClinicsOfFile, ClinicsOfTable, ClinicStore
from cliniko_mcp.directory.clinics_table import ClinicsInTable
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosted_file import HostedFile, postgres_at
from cliniko_mcp.shared_state.directory import Directory
from cliniko_mcp.shared_state.directory_sql import directory_in_file, directory_in_postgres

_account = partial(secrets.token_hex, 16)


@dataclass(frozen=True, slots=True)
class OpenDirectory:
    """Where clinics and people's keys are."""

    store: ClinicStore
    """The clinics, to be changed."""
    directory: Directory
    """People's keys, and the clinics where they are in Postgres."""
    in_table: bool
    """Whether the clinics are in Postgres."""
    clinics_file: Path | None = None
    keys_file: Path | None = None
    """Where they are files."""

    @property
    def exists(self) -> bool:
        """Whether there are clinics already."""
        return self.clinics_file is None or self.clinics_file.exists()

    async def has_keys(self) -> bool:
        """Whether somebody has given a key of their own; a file of them that is not there is not made for that."""
        if self.keys_file is not None and not self.keys_file.exists():
            return False
        return bool(await self.directory.keys())

    async def live(self, monotonic: Callable[[], float], file: HostedFile) -> Clinics:
        """The clinics as they are at present, for a run.

        Raises ConfigurationError for a file that cannot be used, and Unavailable where Postgres does not answer.
        """
        if not self.in_table:
            return ClinicsInFile(Path(file.clinics or ""), monotonic)
        found = ClinicsInTable(self.directory, monotonic)
        await found.look()
        return found


@asynccontextmanager
async def open_directory(file: HostedFile) -> AsyncGenerator[OpenDirectory]:
    """The directory that this file names.

    Raises ConfigurationError where it names none or one that cannot be used, Unavailable where it does not answer.
    """
    if not file.clinics:
        raise ConfigurationError(
            "the file of the server names no clinics.", 'Add clinics = "clinics.toml" and keys = ["file:/path"] to it.'
        )
    if (url := postgres_at(file.clinics)) is not None:
        async with directory_in_postgres(url, _account) as shared:
            yield OpenDirectory(ClinicsOfTable(shared), shared, in_table=True)
        return
    path = Path(file.clinics)
    keys = file.person_keys or str(path.with_suffix(".sqlite"))
    if (url := postgres_at(keys)) is not None:
        async with directory_in_postgres(url, _account) as shared:
            yield OpenDirectory(ClinicsOfFile(path), shared, in_table=False, clinics_file=path)
        return
    async with directory_in_file(Path(keys), _account) as own:
        yield OpenDirectory(ClinicsOfFile(path), own, in_table=False, clinics_file=path, keys_file=Path(keys))
