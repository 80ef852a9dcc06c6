"""The clinics of a server as its replicas keep them together, in Postgres: seen by each within seconds of a change."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import anyio
from pydantic import ValidationError

from cliniko_mcp.directory.clinics import ClinicEntry, Clinics
from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.shared_state.directory import Directory
from cliniko_mcp.watched_file import FAULTY_SECONDS, LOOK_SECONDS

_NOBODY: Final[Mapping[str, ClinicEntry]] = {}
_LOG = logging.getLogger(__name__)


class ClinicsInTable(Clinics):
    """The clinics of a table, as they were when it was looked at last; nobody's once that is a minute ago."""

    def __init__(self, directory: Directory, monotonic: Callable[[], float]) -> None:
        self._directory = directory
        self._monotonic = monotonic
        self._found = _NOBODY
        self._generation = -1
        self._good_at = monotonic() - FAULTY_SECONDS

    @property
    def known(self) -> Mapping[str, ClinicEntry]:
        """See `Clinics.known`."""
        return _NOBODY if self.away else self._found

    @property
    def away(self) -> bool:
        """See `Clinics.away`."""
        return self._monotonic() - self._good_at >= FAULTY_SECONDS

    async def look(self) -> None:
        """Read what was changed. Raises Unavailable where that cannot be known."""
        began = self._monotonic()
        if await self._directory.generation() != self._generation:
            self._generation, texts = await self._directory.clinics()
            self._found = {id: read for id, text in texts.items() if (read := _read(id, text)) is not None}
        self._good_at = began

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """See `Clinics.watched`."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch)
                yield
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as wrapped:  # by the task group, also where one thing alone went wrong
            raise wrapped.exceptions[0] from None

    async def _watch(self) -> None:
        told = False
        while True:
            await anyio.sleep(LOOK_SECONDS)
            try:
                await self.look()
                told = False
            except Unavailable as problem:
                if not told:
                    _LOG.warning("%s", problem.message)
                told = True


def _read(id: str, text: str) -> ClinicEntry | None:
    """The clinic of this text; None for one that cannot be read, which lets nobody in."""
    try:
        return entry_of(text)
    except ConfigurationError as problem:
        _LOG.error("the clinic %s cannot be used: %s", id, problem.message)
        return None


def entry_of(text: str) -> ClinicEntry:
    """The clinic as the table holds it. Raises ConfigurationError where it cannot be understood."""
    try:
        return ClinicEntry.model_validate_json(text)
    except ValidationError as refused:
        first = refused.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"the table of clinics: {where}: {first['msg']}") from None


def text_of(entry: ClinicEntry) -> str:
    """The clinic as the table holds it."""
    return entry.model_dump_json(exclude_defaults=True)
