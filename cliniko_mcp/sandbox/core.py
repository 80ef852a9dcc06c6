"""The demo clinic: one core that answers requests, whichever face they come through.

road of a request: log < faults < key < user agent < rate limit < route < role < rule or shape
"""

import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.clock import Reading, SandboxClock
from cliniko_mcp.sandbox.faults import Fault, Faults, afterwards, instead
from cliniko_mcp.sandbox.ids import IdSequence
from cliniko_mcp.sandbox.permissions import ROLES, allowed
from cliniko_mcp.sandbox.rate_limit import RateLimit
from cliniko_mcp.sandbox.store import NotKept, Store
from cliniko_mcp.sandbox.wire import (
    TEXT_TYPE,
    LoggedRequest,
    Refusal,
    SandboxRequest,
    SandboxResponse,
    answer,
    bad_request,
    basic_user,
    forbidden,
    not_found,
    unauthorised,
)

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.request import Caller
    from cliniko_mcp.sandbox.routes import Extra
    from cliniko_mcp.sandbox.store import Change, Keeper

KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {role: f"demo-{role.replace(' ', '-')}-au1" if role != ROLES[0] else "demo-au1" for role in ROLES}
)
"""One key for each role, administrator first; they never change."""

_SHARD: Final = re.compile(r"-([a-zA-Z]{2}[0-9]{1,2})$")
_SHARD_HOST: Final = re.compile(r"api\.([a-z]{2}[0-9]{1,2})\.cliniko\.com")
_LOGGED: Final = 10_000


class Sandbox:
    """A faithful Cliniko in memory. Building it is cheap: the seed is sown when the first request needs it.

    `now` is where its clock starts (aware); `monotonic` is what moves it. `rate_limit` is requests a
    minute for each key, 0 for none. `base_url` is the address in the links it gives, `/v1` included. `faults` are in
    force from the start; `keeper` is where the state outlives the process: what it holds goes before the seed. `also`
    may be set to names of routes that no description lists and no link leads to: it answers them too (choices 79).
    """

    def __init__(
        self,
        *,
        now: datetime,
        frozen: bool = False,
        seed: int = 1,
        rate_limit: int = 200,
        base_url: str = "http://127.0.0.1:8123/v1",
        monotonic: Callable[[], float] = time.monotonic,
        keeper: "Keeper | None" = None,
        faults: Iterable[Fault] = (),
        sow: "Callable[[RequestContext], None] | None" = None,
    ) -> None:
        self.keys: Mapping[str, str] = KEYS
        self.clock = SandboxClock(now, frozen=frozen, monotonic=monotonic)
        self.faults = Faults(seed)
        self._trouble = tuple(faults)
        self.faults.set(*self._trouble)
        self.limit = RateLimit(rate_limit)
        self.base_url = base_url.rstrip("/")
        self.requests: list[LoggedRequest] = []
        self.also: frozenset[Extra] = frozenset()
        self._started = self.clock.now()
        self._frozen = frozen
        self._seed = seed
        self._keeper = keeper
        self._sow = sow
        self._prefix = urlsplit(self.base_url).path
        self._roles = {key: role for role, key in KEYS.items()}
        self._desk: RequestContext | None = None
        self._lock = RLock()

    def keep_clock(self, wall: Callable[[], datetime], *, now_said: bool, frozen_said: bool) -> None:
        """Let the clock outlive the process too, where there is a keeper; `wall` tells the real time.

        A kept clinic's clock goes on as if the program had never stopped: one that ran has run on, one that stood
        still stands where it stood. What was said for this run goes before that, each by itself. Call it before the
        first request. Raises NotKept.
        """
        keeper = self._keeper
        if keeper is None:
            return
        kept = keeper.clock()
        if kept is not None:
            self._started = self._started if now_said else kept.now(wall())
            self._frozen = self._frozen if frozen_said else kept.frozen
            self.clock.restart(self._started, frozen=self._frozen)
        self.clock.moved = lambda: keeper.keep_clock(Reading(self.clock.now(), wall(), self.clock.frozen))
        self.clock.moved()

    @property
    def context(self) -> "RequestContext":
        """The clinic behind the wire, sown with its seed on first use."""
        with self._lock:
            if self._desk is None:
                self._desk = self._opened()
            return self._desk

    def respond(self, request: SandboxRequest) -> SandboxResponse:
        """The answer to one request. Never raises for what a client may send; one request at a time."""
        with self._lock:
            role = self._role(request)
            path = request.path.removeprefix(self._prefix) if request.path.startswith(f"{self._prefix}/") else None
            fault = self.faults.strike(request, path or request.path)
            response = instead(fault, int(self.clock.now().timestamp()) + 1) if fault else None
            if response is None:
                response = afterwards(fault, self._answered(request, path, role))
            self._log(request, role, response)
            return response

    def reset(self) -> None:
        """Start over: the seed anew, the clock and the faults as at the start, nothing counted and nothing logged."""
        with self._lock:
            self.clock.restart(self._started, frozen=self._frozen)
            self.faults.set(*self._trouble)
            self.limit.forget()
            self.requests.clear()
            self._desk = self._sown()
            if self._keeper is not None:
                self._keeper.replace(self.snapshot())

    def snapshot(self) -> dict[str, JsonValue]:
        """The whole state as plain JSON, for `restore`."""
        context = self.context
        return {
            "now": context.clock.stamp(),
            "seed": context.ids.seed,
            "ids": context.ids.count,
            "tables": context.store.dump(),
        }

    def restore(self, state: Mapping[str, JsonValue]) -> None:
        """Take over a state that `snapshot` gave.

        Raises ValueError for anything else, and NotKept where it cannot be kept; nothing is changed then.
        """
        now, ids, tables = state.get("now"), state.get("ids"), state.get("tables")
        if not isinstance(now, str) or not isinstance(ids, int) or not isinstance(tables, dict):
            raise ValueError("a snapshot holds now, ids and tables")
        moment, rows = datetime.fromisoformat(now), Store()
        if moment.tzinfo is None:
            raise ValueError("the time of a snapshot needs a zone")
        rows.load(tables)
        with self._lock:
            context = self.context
            if self._keeper is not None:
                self._keeper.replace(state)
            context.store.take(rows.tables())
            context.ids.count, context.ids.seed = ids, _seed(state, context.ids.seed)
            context.clock.set(moment)

    def _opened(self) -> "RequestContext":
        kept = self._keeper.load() if self._keeper is not None else None
        if kept is None:
            context = self._sown()
            if self._keeper is not None:
                self._desk = context
                self._keeper.replace(self.snapshot())
            return context
        context = self._empty()
        tables, ids = kept.get("tables"), kept.get("ids")
        if not isinstance(tables, dict) or not isinstance(ids, int):
            raise ValueError("what was kept is not a clinic")
        context.store.load(tables)
        context.ids.count, context.ids.seed = ids, _seed(kept, context.ids.seed)
        return context

    def _empty(self) -> "RequestContext":
        # Rules, resources and seed are imported here, so that a clinic nobody asks anything costs nothing.
        from cliniko_mcp.sandbox.context import RequestContext
        from cliniko_mcp.sandbox.rules import rulebook

        return RequestContext(self.clock, IdSequence(self._seed), rulebook(), self.base_url)

    def _sown(self) -> "RequestContext":
        from cliniko_mcp.sandbox.seed import sow

        context = self._empty()
        (self._sow or sow)(context)
        return context

    def _role(self, request: SandboxRequest) -> str | None:
        key = basic_user(request.headers)
        if key is None:
            return None
        host = _SHARD_HOST.match(request.headers.get("host", "").lower())
        shard = _SHARD.search(key)
        if host and shard and host[1] != shard[1].lower():
            return None
        return self._roles.get(key) or self._roles.get(f"{key}-au1")

    def _answered(self, request: SandboxRequest, path: str | None, role: str | None) -> SandboxResponse:
        try:
            if path is None:
                return self._stored(request)
            if role is None:
                raise unauthorised()
            if not request.headers.get("user-agent", "").strip():
                raise bad_request("Please identify your application with a User-Agent header and a contact email.")
            reset_at = self.limit.reset_at(role, self.clock.now())
            if reset_at is not None:
                return answer({"message": "Rate limit exceeded"}, 429, X_RateLimit_Reset=str(reset_at))
            return self._worked(request, path, self._caller(role))
        except Refusal as refusal:
            return refusal.answer
        except NotKept as problem:
            return SandboxResponse(500, {"Content-Type": TEXT_TYPE}, f"{problem}\n".encode())

    def _caller(self, role: str) -> "Caller":
        from cliniko_mcp.sandbox.request import Caller

        owners = self.context.store.table("users").rows.values()
        owner = next(row for row in owners if row.get("role") == role)
        return Caller(self.keys[role], role, str(owner["id"]))

    def _worked(self, request: SandboxRequest, path: str, caller: "Caller") -> SandboxResponse:
        from cliniko_mcp.sandbox.handlers import SHAPES
        from cliniko_mcp.sandbox.request import Ask
        from cliniko_mcp.sandbox.routes import routes

        found = routes(self.also).find(request.method, path)
        if found is None:
            raise not_found()
        operation, ids = found
        if not allowed(operation, caller.role):
            raise forbidden()
        context = self.context
        work = context.book.answerers.get(operation.name) or SHAPES[operation.shape]
        with self._kept(context):
            for tick in context.book.due:
                tick(context)
            return work(context, Ask(operation, ids, caller, request))

    def _stored(self, request: SandboxRequest) -> SandboxResponse:
        """The file storage beside the API: it has its own path and knows no API keys (api.md 3.3)."""
        from cliniko_mcp.sandbox import storage

        if not request.path.startswith(storage.PATH):
            raise not_found()
        context = self.context
        with self._kept(context):
            return storage.answer_storage(context, request)

    @contextmanager
    def _kept(self, context: "RequestContext") -> Generator[None]:
        keeper = self._keeper

        def keep(changes: "list[Change]") -> None:
            if keeper is not None:
                keeper.save(changes, context.ids.count)

        with context.store.transaction(keep):
            yield

    def close(self) -> None:
        """Give back what the keeper holds."""
        if self._keeper is not None:
            self._keeper.close()

    def _log(self, request: SandboxRequest, role: str | None, response: SandboxResponse) -> None:
        entry = LoggedRequest(
            self.clock.stamp(), request.method, request.path, request.query, role, response.status, request.origin
        )
        self.requests.append(entry)
        if len(self.requests) > _LOGGED:
            del self.requests[: _LOGGED // 10]


def _seed(state: Mapping[str, JsonValue], fallback: int) -> int:
    seed = state.get("seed")
    return seed if isinstance(seed, int) else fallback


__all__ = ["KEYS", "Fault", "Sandbox"]
