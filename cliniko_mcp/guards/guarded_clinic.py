"""The clinic as one caller may use it: every operation goes through the guards, whoever asks for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, overload
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.questions import Asker
from cliniko_mcp.client.pagination import Page, RowT, Sweep
from cliniko_mcp.cliniko.calls import Call, ResultT, is_result
from cliniko_mcp.cliniko.filters import Condition, FilterValue, Hidden
from cliniko_mcp.cliniko.models import Body, Record, row_id
from cliniko_mcp.cliniko.operations import BodyT, Cancel, Create, List, Operation, RecordT, Update
from cliniko_mcp.errors import ClinikoRefused, NotAllowed, RateLimited
from cliniko_mcp.guards import sweeps
from cliniko_mcp.guards.memory import AnyT, Course, Memory
from cliniko_mcp.guards.pipeline import Caller, Guard, GuardedCall, Outcome, Prepared, Purpose, guarded, silent
from cliniko_mcp.guards.zones import HOME, Zone, site_of_target, zone_for

if TYPE_CHECKING:  # the HTTP client is imported when the first call needs it
    from cliniko_mcp.client.clinic import Clinic
    from cliniko_mcp.cliniko.resources.users import User
    from cliniko_mcp.guards.hash_chain import HashChain


class GuardedClinic:
    """What tools act through. Made for one tool call: it knows the tool, the caller and the guards."""

    def __init__(
        self,
        client: Clinic,
        guards: Sequence[Guard],
        caller: Caller,
        tool: str,
        memory: Memory,
        *,
        upload_folder: str | None = None,
        log: HashChain | None = None,
        purpose: Purpose = "call",
        course: Course | None = None,
    ) -> None:
        """`course` is that of the tool call; without one, this is taken to change something."""
        self.log = log
        """The audit log of this run; None where there is none."""
        self.upload_folder = upload_folder
        """The one folder of this computer whose files may be uploaded, where the operator named one."""
        self.caller = caller
        self.tool = tool
        self._client = client
        self._guards = guards
        self._memory = memory
        self._purpose: Purpose = purpose
        self.course = course or Course()
        self._read: dict[str, tuple[Record, int]] = {}

    def of(self, tool: str) -> GuardedClinic:
        """The same clinic for another tool, which an executor runs with what that tool may do by itself."""
        return self._as(tool, self._purpose)

    @property
    def now(self) -> datetime:
        """The time now, in UTC; the demo clinic's where it has its own."""
        return self._client.now()

    @property
    def account(self) -> str:
        """A digest of base URL and key, which tells accounts apart without revealing the key."""
        return self._client.account

    @overload
    async def perform(self, call: Call[ResultT], /) -> ResultT: ...
    @overload
    async def perform(
        self, operation: Create[BodyT, RecordT], body: BodyT, /, *, include_archived: bool = ..., **ids: str
    ) -> RecordT: ...
    @overload
    async def perform(
        self, operation: Update[BodyT, RecordT], body: BodyT, /, *, include_archived: bool = ..., **ids: str
    ) -> RecordT: ...
    @overload
    async def perform(
        self, operation: Cancel[BodyT], body: BodyT, /, *, include_archived: bool = ..., **ids: str
    ) -> None: ...
    @overload
    async def perform(
        self, operation: Operation[ResultT], /, *, include_archived: bool = ..., **ids: str
    ) -> ResultT: ...
    async def perform(
        self,
        what: Call[Record | None] | Operation[Record | None],
        body: Body | None = None,
        /,
        *,
        include_archived: bool = False,
        **ids: str,
    ) -> Record | None:
        """Do one operation on one record: the record, or None where Cliniko answers with nothing.

        Given as a call, or as an operation with its body and the ids in its path. Raises NotAllowed, Declined or
        ApprovalNeeded where a guard says no, and ClinikoRefused where Cliniko does.
        """
        call = what if isinstance(what, Call) else what.of(ids, body, include_archived=include_archived)
        writes = self._memory.changes
        async with self._guarded(call) as outcome:
            record = await self._sent(call, outcome)
        if call.operation.shape == "get" and record is not None:
            self._read[call.address] = record, writes
        return record

    async def named(self, call: Call[ResultT]) -> ResultT:
        """The record as memory has it with the clinic's set-up, for its name and zone; else as `perform` reads it."""
        if (kept := self._memory.record(call, self.course)) is None or not is_result(kept.rows[0], call):
            return await self.perform(call)
        async with self._guarded(call) as outcome:
            outcome.read_at = kept.at
            return kept.rows[0]

    async def destroy(self, call: Call[ResultT]) -> tuple[ResultT, str, Record | None]:
        """Do what a person is asked about first: what `perform` gives, what they were told, empty if nobody was, and
        the record as it was shown to them, None where it was not read.

        Raises what `perform` raises.
        """
        async with self._guarded(call) as outcome:
            return await self._sent(call, outcome), outcome.told, outcome.before

    async def replace(self, call: Call[ResultT], read: Call[Record] | None) -> tuple[Record | None, ResultT]:
        """Do an update: the record as `read` found it just before, None where it could not be read, and the new one.

        It is read when the update has passed the guards, unless one of them has. Raises what `perform` raises for it.
        """
        async with self._guarded(call) as outcome:
            before = outcome.before
            if before is None and read is not None:
                with suppress(NotAllowed, ClinikoRefused):
                    before = await self._as(self.tool, "preview").perform(read)
            return before, await self._sent(call, outcome)

    async def _sent(self, call: Call[ResultT], outcome: Outcome) -> ResultT:
        """What Cliniko answers to a call that has passed the guards."""
        if self._memory.keeps(call, self.tool, self._purpose, self.course):

            async def read(*_: object) -> list[Record]:
                found = await self._client.perform(call, count=outcome.requests)
                return [found] if found is not None else []

            for kept in await self._recalled(call, read, outcome):
                return kept
        try:
            self.course.changed = self.course.changed or call.operation.changes
            record = await self._acted(call, outcome)
        finally:
            await self._memory.forget_what_changed(call.operation)
        if call.operation.shape == "create" and record is not None:
            outcome.created = row_id(record) or None
        return record

    async def _acted(self, call: Call[ResultT], outcome: Outcome) -> ResultT:
        """What Cliniko answers. What a person approved is sent once, and once more only after a 429.

        A 429 says that nothing was done (cliniko-api.md#rate-limit); before the second time everything that the person
        was shown is read again. Raises ApprovalNeeded where it has changed.
        """
        act = outcome.act
        if act is None:
            return await self._client.perform(call, zone=await self._zone_for(call), count=outcome.requests)
        zone, reserved = act.prepared.zone, act.prepared.reservation
        try:
            return await self._client.perform(call, zone=zone, count=outcome.requests, reserved=reserved)
        except RateLimited:
            async with self._client.reserve() as reserved:
                await act.look_again()
                return await self._client.perform(call, zone=zone, count=outcome.requests, reserved=reserved)

    @asynccontextmanager
    async def _prepared(self, call: Call) -> AsyncGenerator[Prepared]:
        zone = await self._zone_for(call)
        async with self._client.reserve() as reserved:
            yield Prepared(reserved, zone)

    async def check(self, operation: Operation) -> None:
        """Pass the guards with this operation and send nothing. Raises what they raise."""
        async with self._guarded(Call(operation)):
            return

    async def rows(self, call: Call[RowT], *, limit: int, start: int = 0) -> Sweep[RowT]:
        """Up to `limit` rows of a list from position `start`, counted from 0, and what is known of the rest.

        Read page by page within the time that a call has; the person who waits is told how far it is.
        """
        async with self._guarded(call) as outcome:
            zone = await self._zone_for(call)
            read = self._reading(call, kept=not start and limit > sweeps.KEPT_ABOVE)
            with read.under_way(outcome):
                more = partial(self._client.rows, on_page=read.on_page, zone=zone, count=outcome.requests)
                sweep = await more(call, limit=limit, start=start, pages=read.pages)
            read.ended(sweep.complete or len(sweep.rows) >= limit)
            return sweep

    def all(
        self, listing: List[RowT], on_total: Callable[[int], None] | None = None, /, **filters: FilterValue
    ) -> AsyncGenerator[RowT]:
        """Every row of a list with these filters, in order, a few pages in memory at a time; see `all_of`."""
        return self.all_of(listing.where(filters), on_total)

    async def all_of(self, call: Call[RowT], on_total: Callable[[int], None] | None = None) -> AsyncGenerator[RowT]:
        """Every row of the list that `call` reads, in order. Wrap it in `aclosing` where you may leave early.

        `on_total` is told how many rows there are in all, where Cliniko tells, before they come.
        """
        async with self._guarded(call) as outcome:
            zone = await self._zone_for(call)
            if self._memory.keeps(call, self.tool, self._purpose, self.course):
                found = await self._recalled(call, self._reader(outcome), outcome)
                if on_total is not None:
                    on_total(len(found))
                for row in found:
                    yield row
                return
            read = self._reading(call, kept=True)
            rows = self._client.all(
                call, on_total, on_page=read.on_page, zone=zone, count=outcome.requests, pages=read.pages
            )
            with read.under_way(outcome):
                async with aclosing(rows) as records:
                    async for record in records:
                        yield record
            read.ended()

    def _reading(self, call: Call, *, kept: bool) -> sweeps.Sweep:
        pages = self._memory.reading(call, self.caller, self.tool, self._purpose, self.course) if kept else None
        return sweeps.Sweep(call, self.caller.progress, self.course, pages, by_name=self.tool == call.operation.name)

    async def collect(self, listing: List[RowT], /, **filters: FilterValue) -> list[RowT]:
        """Every row of a list with these filters, in order: for lists that are small enough to hold."""
        return [record async for record in self.all(listing, **filters)]

    async def page(self, call: Call[RowT], number: int, per_page: int) -> Page[RowT]:
        """One page of a list, `number` from 1, with up to `per_page` rows, of which 100 is the most."""
        async with self._guarded(call) as outcome:
            zone = await self._zone_for(call)
            return await self._client.page(call, number, per_page, zone=zone, count=outcome.requests)

    async def count(self, call: Call[Record]) -> int | None:
        """How many rows a list has, by asking for one; None where Cliniko does not tell."""
        return (await self.page(call, 1, 1)).total

    async def by_id(self, listing: List[RowT], ids: Collection[str]) -> Mapping[str, RowT]:
        """The records with these ids, hidden ones too, by id, in batches through their list, kept for a minute or more.

        Unknown ids are left out. Raises NotAllowed where that list is switched off: what may not be read is not named.
        """
        if not ids:
            return {}
        # One line in the audit log for all batches together, also where memory knows every record.
        call = Call(listing, conditions=tuple(Condition("id", "=", record_id) for record_id in sorted(ids)))
        labels = self._as(self.tool, "label")
        async with labels._guarded(call) as outcome:
            whole = listing.where({name: Hidden.INCLUDED for name in ("archived_at",) if name in listing.filters})
            if self._memory.keeps(whole, self.tool, "label", self.course):
                rows = await labels._recalled(whole, labels._reader(outcome), outcome)
                found = {row_id(row): row for row in rows}
                unknown = [one for one in ids if one not in found and not self._memory.is_elsewhere(listing, one)]
                if outcome.read_at is None or not unknown:
                    return {record_id: found[record_id] for record_id in ids if record_id in found}

            async def fetch(keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Record]:
                missing = [record_id for _, record_id in keys]
                kept = sweeps.Batches(listing, len(missing), self._memory, self.caller, self.tool, self.course)
                with kept.under_way():
                    found = await self._client.batch(listing, missing, count=outcome.requests, pages=kept.reading)
                return {(listing.name, record_id): record for record_id, record in found.items()}

            known = await self._memory.records.get_many([(listing.name, record_id) for record_id in ids], fetch)
        return {record_id: row for (_, record_id), row in known.items() if isinstance(row, listing.row)}

    async def file(self, call: Call, max_bytes: int) -> bytes:
        """The content of the attachment that `call` reads.

        Raises Unavailable where it has more than `max_bytes` bytes; see `Clinic.file`.
        """
        async with self._guarded(call) as outcome:
            return await self._client.file(call, max_bytes, count=outcome.requests)

    async def upload(
        self,
        call: Call[RecordT],
        form_of: Callable[[RecordT], tuple[str, Mapping[str, str]]],
        filename: str,
        content_type: str,
        data: bytes,
    ) -> str:
        """Send a file to the storage by the presigned POST that `call` gives; the address by which it is attached.

        `form_of` takes the address and the form's fields from what Cliniko gave. Raises what `Storage.upload` raises.
        """
        async with self._guarded(call) as outcome:
            url, fields = form_of(await self._client.perform(call, count=outcome.requests))
            return await self._client.storage.upload(url, fields, filename, content_type, data, count=outcome.requests)

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        """The time zone of a site, or of the key's user where none is named or the site's is not known."""
        return (await self._zone(business_id)).zone

    async def zone_note(self, business_id: str | None = None) -> str | None:
        """A sentence for the reader where `zone` had to be guessed, else None."""
        return (await self._zone(business_id)).note

    async def user(self) -> User | None:
        """The key's user, read with the zone and kept as long; None where reading them is switched off."""
        return (await self._zone(None, with_user=True)).user

    def look_again(self) -> bool:
        """Read anew what this tool call took from memory; whether it took anything. See `Memory.look_again`."""
        return self._memory.look_again(self.course)

    def answered(self) -> None:
        """This tool call has ended: see `Memory.answered`."""
        self._memory.answered(self.caller.call, self.course)

    def _reader(self, outcome: Outcome) -> Callable[[Call[RowT], int | None], Awaitable[Sequence[RowT]]]:
        async def read(call: Call[RowT], page: int | None) -> Sequence[RowT]:
            if page is not None:
                return (await self._client.page(call, 1, page, count=outcome.requests)).items
            # Names and zones beside an answer are no part of what is waited for.
            told = self._reading(call, kept=False).on_page if self._purpose == "call" else None
            return [row async for row in self._client.all(call, on_page=told, count=outcome.requests)]

        return read

    async def _recalled(
        self, call: Call[AnyT], read: Callable[[Call[AnyT], int | None], Awaitable[Sequence[Record]]], outcome: Outcome
    ) -> list[AnyT]:
        """What a call that memory keeps gives, from there or read and kept."""
        rows, outcome.read_at = await self._memory.rows(call, read, self.course)
        return [row for row in rows if is_result(row, call)]

    def _as(self, tool: str, purpose: Purpose) -> GuardedClinic:
        same = partial(GuardedClinic, self._client, self._guards, self.caller, tool, self._memory, log=self.log)
        return same(upload_folder=self.upload_folder, purpose=purpose, course=self.course)

    def _known(self, call: Call) -> Record | None:
        record, writes = self._read.get(call.address, (None, None))
        return record if writes == self._memory.changes else None

    @asynccontextmanager
    async def _guarded(self, call: Call) -> AsyncGenerator[Outcome]:
        """The one step by which anything reaches the clinic: within it the call has passed every guard."""
        passing = GuardedCall(
            call,
            self.tool,
            self.caller,
            self._as(self.tool, "preview"),
            self._purpose,
            again=partial(self._again, call),
            prepare=partial(self._prepared, call),
            known=partial(self._known, call),
        )
        async with guarded(self._guards, passing):
            yield passing.outcome

    async def _again(self, call: Call, asker: Asker) -> object:
        """What the clinic answers to this call, made once more by the same caller when nobody waits for it."""
        caller = replace(self.caller, asker=asker, progress=silent)
        clinic = GuardedClinic(self._client, self._guards, caller, self.tool, self._memory, purpose=self._purpose)
        from cliniko_mcp.client.rate_limit import one_call

        with one_call():
            return await clinic.perform(call)

    async def _zone_for(self, call: Call) -> tzinfo | None:
        """The zone in which this call's local times are meant; None where it holds none, or it is not known."""
        if not call.needs_zone:
            return None
        writes = call.operation.method != "GET"
        try:
            site = call.site or await site_of_target(self._as(self.tool, "zone"), call)
        except NotAllowed:
            return None
        found = await self._zone(site)
        # A local time is never written in a zone that is a guess: without one, the call is refused when it is sent.
        return found.zone if found.certain or not writes else None

    async def _zone(self, business_id: str | None, *, with_user: bool = False) -> Zone:
        async def read(site: str) -> Zone:
            return await zone_for(self._as(self.tool, "zone"), site, partial(self._zone, None))

        return await self._memory.zone(business_id or HOME, read, with_user=with_user)
