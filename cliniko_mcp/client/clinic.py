"""The client: one clinic's account at Cliniko, as one API key sees it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from hashlib import blake2b
from random import Random
from typing import TYPE_CHECKING, Any, Final, Self

import anyio
import anyio.lowlevel

from cliniko_mcp.client import pagination, responses
from cliniko_mcp.client.kept_pages import PageReading
from cliniko_mcp.client.pagination import OnPage, Page, RowT, Sweep
from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.cliniko.calls import Call, ResultT
from cliniko_mcp.cliniko.filters import HIDDEN, MAX_IDS, FilterValue, Hidden, OneOf
from cliniko_mcp.cliniko.models import row_id
from cliniko_mcp.cliniko.operations import List
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.redaction import SECRETS

if TYPE_CHECKING:
    import httpx2

    from cliniko_mcp.client.attempts import Attempts
    from cliniko_mcp.client.rate_limit import Reservation, Throttle
    from cliniko_mcp.client.storage import Storage
    from cliniko_mcp.client.tokens import Tokens


_IN_FLIGHT: Final = 4
"""Requests of one list that are under way at once."""
_AHEAD: Final = 2 * _IN_FLIGHT
"""Pages of one list that are under way or not yet taken."""


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
        throttle: "Throttle | None" = None,
    ) -> None:
        self.now = now
        self.account = account
        """Digest of base URL and key: tells accounts apart without revealing the key."""
        self.demo = False
        """Whether an answer has said by its header X-Cliniko-Sandbox that this is a demo clinic."""
        self._files = files
        self._http = http
        self._clock = clock
        self._throttle = throttle

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
        tokens: "Tokens | None" = None,
        attempts: "Attempts | None" = None,
        rng: Random | None = None,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> AsyncGenerator[Self]:
        """Give the clinic for as long as the block lasts, then close its connections.

        `base_url` ends in /v1; `transport` replaces the network (the demo clinic), `tokens` those that this process
        counts by itself. `now` is the time of day, aware; `clock` and `sleep` are monotonic seconds; `rng` spreads the
        attempts of a retry, of each of which `attempts` hears.
        """
        from cliniko_mcp.client.rate_limit import Throttle
        from cliniko_mcp.client.retry import Retry
        from cliniko_mcp.client.storage import Storage
        from cliniko_mcp.client.transport import Lent, Network, client

        SECRETS.learn(key)
        network = transport or Network()
        throttle = Throttle(network, per_minute=per_minute, wall=now, clock=clock, sleep=sleep, tokens=tokens)
        chance = rng or Random()
        retry = Retry(throttle, rng=chance, wall=now, clock=clock, sleep=sleep, attempts=attempts)
        # The storage has a client of its own, which knows no key.
        storage = Storage.open(base_url=base_url, transport=Lent(network))
        async with client(key, base_url, user_agent, retry) as http, storage as files:
            account = blake2b(f"{base_url} {key}".encode(), digest_size=8).hexdigest()
            yield cls(http, now=now, clock=clock, files=files, account=account, throttle=throttle)

    @asynccontextmanager
    async def reserve(self) -> "AsyncGenerator[Reservation | None]":
        """One request of the rate limit, reserved for what must not wait; given back where it is not used.

        None where nothing limits. Raises RateLimited where it would take too long.
        """
        if self._throttle is None:
            yield None
            return
        async with self._throttle.reserve() as reserved:
            yield reserved

    async def perform(
        self,
        call: Call[ResultT],
        *,
        zone: tzinfo | None = None,
        count: RequestCount | None = None,
        reserved: "Reservation | None" = None,
    ) -> ResultT:
        """What one request gives back: a record, or None where the operation gives nothing (archive, delete, cancel).

        `zone` is that of local times in the call; `count` learns how many requests it took. Where it was `reserved` it
        is sent at once, and once: after whatever failure it is not sent again.
        """
        found = self._read(call, await self._request(call, (), _Context(zone, count, reserved)))
        return call.operation.result(found)

    async def page(
        self,
        call: Call[RowT],
        number: int,
        per_page: int,
        *,
        zone: tzinfo | None = None,
        count: RequestCount | None = None,
    ) -> Page[RowT]:
        """One page of a list, `number` from 1, `per_page` up to 100."""
        response = await self._request(call, _paging(number, per_page), _Context(zone, count))
        return _page_of(call, self._read(call, response) or {}, number, per_page)

    def _fetcher(self, call: Call[RowT], context: "_Context", *, first: int = 0) -> pagination.FetchPage[RowT]:
        """What reads the pages of one list, at most four of them under way; all but the `first` let single calls go."""
        slots = anyio.Semaphore(_IN_FLIGHT)

        async def fetch(number: int, per_page: int) -> Page[RowT]:
            kept = context.pages.recall(number) if context.pages is not None else None
            if kept is not None:
                await anyio.lowlevel.checkpoint()
                read = responses.read(call, 200, {}, kept, now=self.now())
                return _page_of(call, read or {}, number, per_page)
            async with slots:
                response = await self._request(call, _paging(number, per_page), context, sweep=number > first)
            await anyio.lowlevel.checkpoint()  # the next request goes out before this answer is read
            page = _page_of(call, self._read(call, response) or {}, number, per_page)
            if context.pages is not None:
                context.pages.keep(number, response.content)
            return page

        return fetch

    async def rows(
        self,
        call: Call[RowT],
        *,
        limit: int,
        start: int = 0,
        on_page: OnPage | None = None,
        soft: float = 25.0,
        hard: float = 45.0,
        zone: tzinfo | None = None,
        count: RequestCount | None = None,
        pages: PageReading | None = None,
    ) -> Sweep[RowT]:
        """At most `limit` rows of a list from position `start` on, and where to go on; see `pagination.sweep`."""
        first = start // pagination.page_size(start, limit) + 1
        return await pagination.sweep(
            self._fetcher(call, _Context(zone, count, pages=pages), first=first),
            limit=limit,
            start=start,
            in_flight=_AHEAD,
            soft=soft,
            hard=hard,
            on_page=on_page,
            clock=self._clock,
        )

    def all(
        self,
        call: Call[RowT],
        on_total: Callable[[int], None] | None = None,
        *,
        on_page: OnPage | None = None,
        zone: tzinfo | None = None,
        count: RequestCount | None = None,
        pages: PageReading | None = None,
    ) -> AsyncGenerator[RowT]:
        """Every row of a list, a few pages in memory at a time; see `pagination.drain`. `pages` keeps and recalls them.

        Waits out the rate limit where nobody waits for it, as in an export; a tool call ends as RateLimited.
        """
        from cliniko_mcp.client.rate_limit import in_one_call

        fetch = self._fetcher(call, _Context(zone, count, pages=pages))
        patient = not in_one_call()
        return pagination.drain(fetch, in_flight=_AHEAD, on_total=on_total, on_page=on_page, sit_out=patient)

    async def batch(
        self,
        listing: List[RowT],
        ids: Sequence[str],
        *,
        count: RequestCount | None = None,
        pages: Callable[[Call], PageReading | None] = lambda _: None,
    ) -> dict[str, RowT]:
        """The records with these ids, hidden ones too, by id, read through their list; unknown ids are left out.

        A request for each 95 ids; `pages` gives what keeps and recalls the rows of such a request.
        """
        hidden: dict[str, FilterValue] = {name: Hidden.INCLUDED for name in HIDDEN if name in listing.filters}

        async def fetch(begin: int) -> Page[RowT]:
            call = listing.where({"id": OneOf(ids[begin : begin + MAX_IDS]), **hidden})
            reading = pages(call)
            page = await self._fetcher(call, _Context(count=count, pages=reading), first=1)(1, pagination.MAX_PAGE_ROWS)
            if reading is not None:
                reading.end()
            return page

        found: dict[str, RowT] = {}
        async with aclosing(pagination.in_order(fetch, range(0, len(ids), MAX_IDS), _IN_FLIGHT)) as batches:
            async for page in batches:
                found |= {name: row for row in page.items if (name := row_id(row))}
        return found

    async def file(self, call: Call, max_bytes: int, *, count: RequestCount | None = None) -> bytes:
        """The content of the attachment that `call` reads, of at most `max_bytes`: the API names the storage's signed
        address, which is then read without our credentials (cliniko-api.md#attachments). Raises NotFound while there
        is no content."""
        response = await self._exchange(call, "GET", f"{call.request().path}/content", _Context(count=count))
        address = response.headers.get("location", "")
        if 300 <= response.status_code < 400 and address:
            return await self.storage.download(address, max_bytes, count=count)
        if 200 <= response.status_code < 300 and len(response.content) <= max_bytes:
            return response.content
        self._read(call, response)
        raise responses.unreadable(call, "it was too large")

    @property
    def storage(self) -> "Storage":
        """The file storage beside the API."""
        if self._files is None:
            raise RuntimeError("this clinic was made without a file storage")
        return self._files

    def _read(self, call: Call, response: "httpx2.Response") -> dict[str, JsonValue] | None:
        return responses.read(call, response.status_code, response.headers, response.content, now=self.now())

    async def _request(
        self, call: Call, paging: tuple[tuple[str, str], ...], context: "_Context", *, sweep: bool = False
    ) -> "httpx2.Response":
        request = call.request(context.zone)
        query = [*request.query, *paging] or None
        return await self._exchange(
            call, request.method, request.path, context, sweep=sweep, params=query, json=request.body
        )

    async def _exchange(
        self, call: Call, method: str, path: str, context: "_Context", *, sweep: bool = False, **content: Any
    ) -> "httpx2.Response":
        import httpx2

        from cliniko_mcp.client.retry import never_sent

        name = call.operation.name
        extensions = {"operation": name, "sweep": sweep, "count": context.count, "reservation": context.reserved}
        try:
            response = await self._http.request(method, path, extensions=extensions, **content)
        except httpx2.RequestError as problem:
            raise responses.unanswered(call, _in_words(problem), sent=not never_sent(problem)) from problem
        self.demo = self.demo or response.headers.get("x-cliniko-sandbox") == "demo"
        return response


@dataclass(frozen=True, slots=True)
class _Context:
    """What goes with every request of one operation: the zone of its local times, who counts the requests, the
    request that was reserved for it, and the pages that are kept."""

    zone: tzinfo | None = None
    count: RequestCount | None = None
    reserved: "Reservation | None" = None
    pages: PageReading | None = None


def _paging(number: int, per_page: int) -> tuple[tuple[str, str], ...]:
    return (("page", str(number)), ("per_page", str(per_page)))


def _page_of(call: Call[RowT], found: Mapping[str, JsonValue], number: int, per_page: int) -> Page[RowT]:
    listed = _rows(call, found)
    rows = [row for row in listed if isinstance(row, dict)]
    if len(rows) < len(listed):
        raise responses.unreadable(call, "its rows were not records")
    total = found.get("total_entries")
    total = total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
    links = found.get("links")
    follows = isinstance(links, dict) and bool(links.get("next"))
    more = bool(rows) and (follows or (total is not None and number * per_page < total))
    return Page(tuple(map(call.operation.result, rows)), total, number, more)


def _rows(call: Call, found: Mapping[str, JsonValue]) -> list[JsonValue]:
    lists = [value for value in found.values() if isinstance(value, list)]
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
