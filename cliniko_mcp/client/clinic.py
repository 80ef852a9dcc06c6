"""The clinic: the one object through which every call reaches Cliniko."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self
from zoneinfo import ZoneInfo

import anyio
import anyio.lowlevel

from cliniko_mcp.client import pagination, responses
from cliniko_mcp.client.memory import BATCH, Lookups
from cliniko_mcp.client.pagination import OnPage, Page, Sweep
from cliniko_mcp.client.zones import Zones
from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.filters import HIDDEN
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import Call, Operation
from cliniko_mcp.errors import JsonValue

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.client.storage import Storage


_IN_FLIGHT: Final = 4
"""Requests of one list under way at once."""
_AHEAD: Final = 2 * _IN_FLIGHT
"""Pages of one list under way or waiting to be taken."""


class Clinic:
    """One clinic's account, as one API key sees it. `open` makes it; nothing is sent before the first call.

    Every method raises the errors of the `ClinikoRefused` branch: KeyRefused, PermissionMissing, NotFound, Rejected,
    RateLimited, Unavailable, and after a write OutcomeUnknown.
    """

    def __init__(
        self,
        http: "httpx2.AsyncClient",
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float] = anyio.current_time,
        files: "Storage | None" = None,
        account: str = "",
    ) -> None:
        self.now = now
        self.account = account
        """Tells what one key reaches at one address from what another does, and nothing of the key itself."""
        self._files = files
        self._http = http
        self._clock = clock
        self._zones = Zones(self.perform, clock)
        self._lookups = Lookups(self._find_by_id, clock)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        base_url: str,
        key: str,
        user_agent: str,
        now: Callable[[], datetime],
        transport: "httpx2.AsyncBaseTransport | None" = None,
        per_minute: int = 200,
        rng: Random | None = None,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> AsyncGenerator[Self]:
        """Give the clinic for as long as the block lasts, then close its connections.

        `base_url` ends in /v1; `transport` replaces the network (the demo clinic). `now` is the time of day, aware;
        `clock` and `sleep` are monotonic seconds; `rng` spreads the attempts of a retry.
        """
        from cliniko_mcp.client.rate_limit import Throttle
        from cliniko_mcp.client.retry import Retry
        from cliniko_mcp.client.storage import Storage
        from cliniko_mcp.client.transport import Network, client

        throttle = Throttle(transport or Network(), per_minute=per_minute, wall=now, clock=clock, sleep=sleep)
        retry = Retry(throttle, rng=rng or Random(), wall=now, clock=clock, sleep=sleep)
        # The storage has a client of its own, which knows no key.
        storage = Storage.open(base_url=base_url, transport=transport or Network())
        async with client(key, base_url, user_agent, retry) as http, storage as files:
            account = blake2b(f"{base_url} {key}".encode(), digest_size=8).hexdigest()
            yield cls(http, now=now, clock=clock, files=files, account=account)

    async def perform(self, call: Call) -> Record | None:
        """The record that one request gives back; None where the operation gives nothing (archive, delete, cancel)."""
        try:
            found = await self._send(call)
        finally:
            self._forget_what_changed(call.operation)
        if call.operation.record is None or found is None:
            return None
        return call.operation.record.read(found)

    async def page(self, call: Call, number: int, per_page: int, *, sweep: bool = False) -> Page:
        """One page of a list, `number` from 1, `per_page` up to 100; `sweep` lets single calls go first."""
        found = await self._send(call, _paging(number, per_page), sweep=sweep)
        return _page_of(call, found or {}, number, per_page)

    def _fetcher(self, call: Call, *, first: int = 0) -> pagination.FetchPage:
        """What reads the pages of one list, at most four of them under way; all but the `first` let single calls go."""
        slots = anyio.Semaphore(_IN_FLIGHT)

        async def fetch(number: int, per_page: int) -> Page:
            async with slots:
                response = await self._asked(call, _paging(number, per_page), sweep=number > first)
            await anyio.lowlevel.checkpoint()  # the next request goes out before this answer is read
            return _page_of(call, self._read(call, response) or {}, number, per_page)

        return fetch

    async def rows(
        self,
        call: Call,
        *,
        limit: int,
        start: int = 0,
        on_page: OnPage | None = None,
        soft: float = 25.0,
        hard: float = 45.0,
    ) -> Sweep:
        """At most `limit` rows of a list from position `start` on, and where to go on; see `pagination.sweep`."""
        fetch = self._fetcher(call, first=start // pagination.page_size(start, limit) + 1)
        return await pagination.sweep(
            fetch,
            limit=limit,
            start=start,
            in_flight=_AHEAD,
            soft=soft,
            hard=hard,
            on_page=on_page,
            clock=self._clock,
        )

    def all(self, call: Call, on_total: Callable[[int], None] | None = None) -> AsyncGenerator[Record]:
        """Every row of a list, a few pages in memory at a time; see `pagination.drain`.

        Waits out the rate limit where nobody waits for it, as in an export; a tool call ends as RateLimited.
        """
        from cliniko_mcp.client.rate_limit import in_one_call

        return pagination.drain(self._fetcher(call), in_flight=_AHEAD, on_total=on_total, sit_out=not in_one_call())

    @property
    def files(self) -> "Storage":
        """The file storage beside the API."""
        if self._files is None:
            raise RuntimeError("this clinic was made without a file storage")
        return self._files

    async def file(self, call: Call, most: int) -> bytes:
        """The content of the attachment that `call` reads, of at most `most` bytes: the API names the storage's signed
        address, which is then read without our credentials (api.md 3.3). Raises NotFound while there is no content."""
        response = await self._exchanged(call, "GET", f"{call.request().path}/content")
        place = response.headers.get("location", "")
        if 300 <= response.status_code < 400 and place:
            return await self.files.download(place, most)
        if 200 <= response.status_code < 300 and len(response.content) <= most:
            return response.content
        self._read(call, response)
        raise responses.unreadable(call, "it was too large")

    async def zone(self, business_id: str | None = None) -> ZoneInfo:
        """The time zone of this site, else of the user to whom the key belongs; UTC where neither is known."""
        return (await self._zones.of(business_id)).zone

    async def zone_note(self, business_id: str | None = None) -> str | None:
        """A sentence for the reader where `zone` had to be guessed, else None."""
        return (await self._zones.of(business_id)).note

    async def by_id(self, operation_name: str, ids: Collection[str]) -> Mapping[str, Record]:
        """The records with these ids, read through a list such as list_practitioners; unknown ids are left out.

        Archived, cancelled and inactive records are found too. Kept for a minute, and until the next write.
        """
        return await self._lookups.by_id(operation_name, ids)

    def _forget_what_changed(self, operation: Operation) -> None:
        # Also after a failure: the outcome of a write may be unknown.
        if operation.method != "GET":
            self._lookups.forget()
            if operation.resource == "businesses":
                self._zones.forget()

    async def _find_by_id(self, operation_name: str, ids: Sequence[str]) -> dict[str, Record]:
        named = registry.find(operation_name)
        if named is None or "id" not in named.filters:
            raise LookupError(f"{operation_name} does not list records by id")
        found = await self._batches(named, ids)
        # Practitioners who left are in a list of their own (api.md 2.2).
        leavers = operation_name.replace("list_", "list_inactive_", 1)
        inactive = next((each for each in registry.resource(named.resource).operations() if each.name == leavers), None)
        if inactive is not None and (missing := [each for each in ids if each not in found]):
            found |= await self._batches(inactive, missing)
        return found

    async def _batches(self, operation: Operation, ids: Sequence[str]) -> dict[str, Record]:
        hidden = {name: "all" for name in HIDDEN if name in operation.filters}

        async def fetch(begin: int) -> Page:
            some = ",".join(ids[begin : begin + BATCH])
            return await self.page(operation.parse({"id": some, **hidden}), 1, pagination.LARGEST_PAGE)

        found: dict[str, Record] = {}
        async with aclosing(pagination.in_order(fetch, range(0, len(ids), BATCH), 4)) as batches:
            async for page in batches:
                found |= {name: row for row in page.items if isinstance(name := getattr(row, "id", None), str)}
        return found

    async def _send(
        self, call: Call, paging: tuple[tuple[str, str], ...] = (), *, sweep: bool = False
    ) -> dict[str, JsonValue] | None:
        return self._read(call, await self._asked(call, paging, sweep=sweep))

    def _read(self, call: Call, response: "httpx2.Response") -> dict[str, JsonValue] | None:
        return responses.read(call, response.status_code, response.headers, response.content, now=self.now())

    async def _asked(self, call: Call, paging: tuple[tuple[str, str], ...], *, sweep: bool) -> "httpx2.Response":
        request = call.request((await self._zones.of_call(call)).zone if call.needs_zone else None)
        query = [*request.query, *paging] or None
        return await self._exchanged(
            call, request.method, request.path, params=query, json=request.body, extensions={"sweep": sweep}
        )

    async def _exchanged(self, call: Call, method: str, path: str, **what: Any) -> "httpx2.Response":
        import httpx2

        from cliniko_mcp.client.retry import never_sent

        try:
            return await self._http.request(method, path, **what)
        except httpx2.RequestError as problem:
            raise responses.unanswered(call, _in_words(problem), sent=not never_sent(problem)) from problem


def _paging(number: int, per_page: int) -> tuple[tuple[str, str], ...]:
    return (("page", str(number)), ("per_page", str(per_page)))


def _page_of(call: Call, found: Mapping[str, JsonValue], number: int, per_page: int) -> Page:
    rows = [each for each in _rows(call, found) if isinstance(each, dict)]
    if len(rows) < len(_rows(call, found)) or call.operation.record is None:
        raise responses.unreadable(call, "its rows were not records")
    total = found.get("total_entries")
    total = total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
    links = found.get("links")
    follows = isinstance(links, dict) and bool(links.get("next"))
    more = bool(rows) and (follows or (total is not None and number * per_page < total))
    return Page(tuple(map(call.operation.record.read, rows)), total, number, more)


def _rows(call: Call, found: Mapping[str, JsonValue]) -> list[JsonValue]:
    lists = [each for each in found.values() if isinstance(each, list)]
    if len(lists) != 1:
        raise responses.unreadable(call, "it held no list of records")
    return lists[0]


def _in_words(problem: "httpx2.RequestError") -> str:
    import httpx2

    from cliniko_mcp.client.retry import AnswerTooLarge

    match problem:
        case AnswerTooLarge():
            return f"the answer was too large, {problem}"
        case httpx2.ConnectTimeout() | httpx2.ConnectError() | httpx2.ProxyError():
            return "no connection could be made"
        case httpx2.PoolTimeout():
            return "too many requests are under way"
        case httpx2.TimeoutException():
            return "no answer came in time"
        case httpx2.DecodingError():
            return "the answer was damaged"
        case _:
            return "the connection broke off"
