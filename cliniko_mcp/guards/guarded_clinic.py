"""The clinic as one caller may use it: every operation goes through the guards, whoever asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence, Set
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Call
from cliniko_mcp.cliniko.registry import find
from cliniko_mcp.errors import UnknownTool
from cliniko_mcp.guards.pipeline import Caller, GuardedCall, Layer, guard

if TYPE_CHECKING:  # the HTTP client is imported when the first call needs it
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.client.pagination import Sweep


class GuardedClinic:
    """What tools act through. Made for one tool call: it knows the tool, the caller and the guards."""

    def __init__(
        self,
        clinic: Clinic,
        layers: Sequence[Layer],
        caller: Caller,
        tool: str,
        excluded: Callable[[str], Set[str]] = lambda _: frozenset(),
        upload_folder: str | None = None,
    ) -> None:
        """`excluded` says for a tool what it may not do."""
        self.upload_folder = upload_folder
        """The one folder of this computer whose files may be uploaded, where the operator named one."""
        self.clinic = clinic
        self.caller = caller
        self.tool = tool
        self._layers = layers
        self._excluded = excluded

    def of(self, tool: str) -> GuardedClinic:
        """The same for the work of another tool, which an executor runs with what that tool may do by itself."""
        return GuardedClinic(self.clinic, self._layers, self.caller, tool, self._excluded, self.upload_folder)

    @property
    def now(self) -> datetime:
        """The time now, in UTC; the demo clinic's where it has its own."""
        return self.clinic.now()

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        """The time zone of a site, or of the key's user where none is named."""
        return await self.clinic.zone(business_id)

    async def zone_note(self) -> str | None:
        """A sentence for the reader where the zone of the key's user had to be guessed, else None."""
        return await self.clinic.zone_note()

    def call(self, name: str, **arguments: object) -> Call:
        """An operation's call, its arguments checked. Raises InvalidArguments, and UnknownTool for a wrong name."""
        operation = find(name)
        if operation is None:
            raise UnknownTool(f"There is no operation called {name}.", "Look it up with cliniko_describe.")
        return operation.parse(arguments)

    async def perform(self, call: Call) -> Record | None:
        """Do one operation on one record: the record, or None where Cliniko answers with nothing.

        Raises Refused where a guard says no, and ClinikoRefused where Cliniko does.
        """
        return await guard(self._layers, self._guarded(call), lambda: self.clinic.perform(call))

    async def rows(self, call: Call, *, limit: int, start: int = 0) -> Sweep:
        """Up to `limit` rows of a list from position `start`, gathered page by page within the time that a call has."""

        async def sweep() -> Sweep:
            return await self.clinic.rows(call, limit=limit, start=start, on_page=self._told(call))

        return await guard(self._layers, self._guarded(call), sweep)

    async def all(
        self, name: str, on_total: Callable[[int], None] | None = None, /, **arguments: object
    ) -> AsyncGenerator[Record]:
        """Every row of a list, in order, with the memory of a few pages.

        `on_total` is told how many rows there are in all, where Cliniko tells, before they come.
        """
        call = self.call(name, **arguments)

        async def started() -> AsyncGenerator[Record]:
            return self.clinic.all(call, on_total)

        async with aclosing(await guard(self._layers, self._guarded(call), started)) as records:
            async for record in records:
                yield record

    async def file(self, call: Call, most: int) -> bytes:
        """The content of the attachment that `call` reads, of at most `most` bytes; see `Clinic.file`."""
        return await guard(self._layers, self._guarded(call), lambda: self.clinic.file(call, most))

    async def send_file(self, url: str, fields: Mapping[str, str], filename: str, kind: str, data: bytes) -> str:
        """Send a file to the storage by a presigned POST that `perform` gave; see `Storage.upload`."""
        return await self.clinic.files.upload(url, fields, filename, kind, data)

    async def count(self, call: Call) -> int | None:
        """How many rows a list has, by asking for one; None where Cliniko does not tell."""

        async def counted() -> int | None:
            return (await self.clinic.page(call, 1, 1)).total

        return await guard(self._layers, self._guarded(call), counted)

    async def by_id(self, name: str, ids: Collection[str]) -> Mapping[str, Record]:
        """The records with these ids, archived ones too, looked up in batches through the list `name`.

        Nothing where the operator excluded that list: what may not be read is not named either.
        """
        return {} if name in self._excluded(self.tool) else await self.clinic.by_id(name, ids)

    def _guarded(self, call: Call) -> GuardedCall:
        return GuardedCall(call, self.tool, self.caller)

    def _told(self, call: Call) -> Callable[[int, int, int, int | None], Awaitable[None]]:
        noun = call.operation.resource.replace("_", " ")

        async def on_page(done_pages: int, of_pages: int, rows: int, total: int | None) -> None:
            if of_pages < 2:
                return
            known = f" of {total:,}" if total is not None else ""
            await self.caller.progress(
                done_pages, of_pages, f"{done_pages} of {of_pages} pages, {rows:,}{known} {noun}"
            )

        return on_page
