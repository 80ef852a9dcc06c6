"""The demo clinic: answers every request, whether it comes through the HTTP client's transport or through a port.

A request passes: log < faults < key < user agent < rate limit < route < role < rule or handler of the shape.
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
from cliniko_mcp.sandbox.clock import ClockReading, SandboxClock
from cliniko_mcp.sandbox.faults import Fault, Faults, response_after, response_instead
from cliniko_mcp.sandbox.ids import IdSequence
from cliniko_mcp.sandbox.permissions import ROLES, allowed
from cliniko_mcp.sandbox.rate_limit import RateLimit
from cliniko_mcp.sandbox.store import PersistenceError, Store
from cliniko_mcp.sandbox.wire import (
    TEXT_TYPE,
    LoggedRequest,
    Refusal,
    SandboxRequest,
    SandboxResponse,
    bad_request,
    basic_user,
    forbidden,
    json_response,
    not_found,
    unauthorised,
)

if TYPE_CHECKING:
    from cliniko_mcp.sandbox.context import RequestContext
    from cliniko_mcp.sandbox.request import KeyOwner
    from cliniko_mcp.sandbox.routes import ExtraRoutes
    from cliniko_mcp.sandbox.store import Persistence, RowChange

KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {role: f"demo-{role.replace(' ', '-')}-au1" if role != ROLES[0] else "demo-au1" for role in ROLES}
)
"""One key for each role, administrator first; they never change."""

_SHARD: Final = re.compile(r"-([a-zA-Z]{2}[0-9]{1,2})$")
_SHARD_HOST: Final = re.compile(r"api\.([a-z]{2}[0-9]{1,2})\.cliniko\.com")
_MAX_LOGGED: Final = 10_000


class Sandbox:
    """A faithful Cliniko in memory. Creating one is cheap: its seed is built when the first request needs it.

    `now` is where its clock starts (aware); `monotonic` is what moves it. `rate_limit` is requests a minute for each
    key, 0 for none. `base_url` is the address in the links it gives, `/v1` included. `faults` are active from the
    start. `persistence` is where the state outlives the process: a state found there takes precedence over the seed.
    `seed_with` fills an empty clinic instead of the usual seed. `extra_routes` may be set to names of routes that no
    description lists and no link leads to: it answers them too (choices 79).
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
        persistence: "Persistence | None" = None,
        faults: Iterable[Fault] = (),
        seed_with: "Callable[[RequestContext], None] | None" = None,
    ) -> None:
        self.keys: Mapping[str, str] = KEYS
        self.clock = SandboxClock(now, frozen=frozen, monotonic=monotonic)
        self.faults = Faults(seed)
        self._initial_faults = tuple(faults)
        self.faults.set(*self._initial_faults)
        self.limit = RateLimit(rate_limit)
        self.base_url = base_url.rstrip("/")
        self.requests: list[LoggedRequest] = []
        self.extra_routes: frozenset[ExtraRoutes] = frozenset()
        self._started = self.clock.now()
        self._frozen = frozen
        self._seed = seed
        self._persistence = persistence
        self._seed_with = seed_with
        self._prefix = urlsplit(self.base_url).path
        self._roles = {key: role for role, key in KEYS.items()}
        self._context: RequestContext | None = None
        self._lock = RLock()

    def persist_clock(self, wall: Callable[[], datetime], *, keep_now: bool, keep_frozen: bool) -> None:
        """Let the clock outlive the process too, where the state does; `wall` tells the real time.

        The stored clock goes on as if the program had never stopped: a running one has run on, a frozen one shows
        what it showed. With `keep_now` the time that this sandbox was created with takes precedence over the stored
        one, with `keep_frozen` whether it is frozen. Call it before the first request. Raises PersistenceError.
        """
        persistence = self._persistence
        if persistence is None:
            return
        stored = persistence.load_clock()
        if stored is not None:
            self._started = self._started if keep_now else stored.now(wall())
            self._frozen = self._frozen if keep_frozen else stored.frozen
            self.clock.restart(self._started, frozen=self._frozen)
        self.clock.on_change = lambda: persistence.save_clock(ClockReading(self.clock.now(), wall(), self.clock.frozen))
        self.clock.on_change()

    @property
    def context(self) -> "RequestContext":
        """The clinic's state, loaded or seeded on first use."""
        with self._lock:
            if self._context is None:
                self._context = self._opened()
            return self._context

    def respond(self, request: SandboxRequest) -> SandboxResponse:
        """The response to one request. Never raises for what a client may send; one request at a time."""
        with self._lock:
            role = self._role(request)
            path = request.path.removeprefix(self._prefix) if request.path.startswith(f"{self._prefix}/") else None
            fault = self.faults.strike(request, path or request.path)
            response = response_instead(fault, int(self.clock.now().timestamp()) + 1) if fault else None
            if response is None:
                response = response_after(fault, self._response(request, path, role))
            self._log(request, role, response)
            return response

    def reset(self) -> None:
        """Start over: a new seed, clock and faults as at the start, nothing counted and nothing logged."""
        with self._lock:
            self.clock.restart(self._started, frozen=self._frozen)
            self.faults.set(*self._initial_faults)
            self.limit.reset()
            self.requests.clear()
            self._context = self._seeded()
            if self._persistence is not None:
                self._persistence.replace(self.snapshot())

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
        """Take over a state that `snapshot` returned.

        Raises ValueError for anything else, and PersistenceError where it cannot be stored; nothing is changed then.
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
            if self._persistence is not None:
                self._persistence.replace(state)
            context.store.adopt(rows)
            context.ids.count, context.ids.seed = ids, _seed(state, context.ids.seed)
            context.clock.set(moment)

    def _opened(self) -> "RequestContext":
        stored = self._persistence.load() if self._persistence is not None else None
        if stored is None:
            context = self._seeded()
            if self._persistence is not None:
                self._context = context
                self._persistence.replace(self.snapshot())
            return context
        context = self._empty()
        tables, ids = stored.get("tables"), stored.get("ids")
        if not isinstance(tables, dict) or not isinstance(ids, int):
            raise ValueError("the stored state is not a clinic")
        context.store.load(tables)
        context.ids.count, context.ids.seed = ids, _seed(stored, context.ids.seed)
        return context

    def _empty(self) -> "RequestContext":
        # Rules, resources and seed are imported here, so that a clinic that gets no request costs nothing.
        from cliniko_mcp.sandbox.context import RequestContext
        from cliniko_mcp.sandbox.rules import all_rules

        return RequestContext(self.clock, IdSequence(self._seed), all_rules(), self.base_url)

    def _seeded(self) -> "RequestContext":
        from cliniko_mcp.sandbox.seed import load_seed

        context = self._empty()
        (self._seed_with or load_seed)(context)
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

    def _response(self, request: SandboxRequest, path: str | None, role: str | None) -> SandboxResponse:
        try:
            if path is None:
                return self._storage_response(request)
            if role is None:
                raise unauthorised()
            if not request.headers.get("user-agent", "").strip():
                raise bad_request("Please identify your application with a User-Agent header and a contact email.")
            reset_at = self.limit.reset_at(role, self.clock.now())
            if reset_at is not None:
                return json_response({"message": "Rate limit exceeded"}, 429, X_RateLimit_Reset=str(reset_at))
            return self._operation_response(request, path, self._owner(role))
        except Refusal as refusal:
            return refusal.response
        except PersistenceError as problem:
            return SandboxResponse(500, {"Content-Type": TEXT_TYPE}, f"{problem}\n".encode())

    def _owner(self, role: str) -> "KeyOwner":
        from cliniko_mcp.sandbox.request import KeyOwner

        users = self.context.store.table("users").rows.values()
        user = next(row for row in users if row.get("role") == role)
        return KeyOwner(self.keys[role], role, str(user["id"]))

    def _operation_response(self, request: SandboxRequest, path: str, owner: "KeyOwner") -> SandboxResponse:
        from cliniko_mcp.sandbox.handlers import HANDLERS
        from cliniko_mcp.sandbox.request import OperationRequest
        from cliniko_mcp.sandbox.routes import routes

        found = routes(self.extra_routes).find(request.method, path)
        if found is None:
            raise not_found()
        operation, ids = found
        if not allowed(operation, owner.role):
            raise forbidden()
        context = self.context
        handle = context.rulebook.responders.get(operation.name) or HANDLERS[operation.shape]
        with self._transaction(context):
            for work in context.rulebook.due_work:
                work(context)
            return handle(context, OperationRequest(operation, ids, owner, request))

    def _storage_response(self, request: SandboxRequest) -> SandboxResponse:
        """The file storage beside the API: it has its own path and knows no API keys (cliniko-api.md#attachments)."""
        from cliniko_mcp.sandbox import storage

        if not request.path.startswith(storage.PATH):
            raise not_found()
        context = self.context
        with self._transaction(context):
            return storage.answer_storage(context, request)

    @contextmanager
    def _transaction(self, context: "RequestContext") -> Generator[None]:
        persistence = self._persistence

        def save(changes: "list[RowChange]") -> None:
            if persistence is not None:
                persistence.save(changes, context.ids.count)

        with context.store.transaction(save):
            yield

    def close(self) -> None:
        """Close the persistence."""
        if self._persistence is not None:
            self._persistence.close()

    def _log(self, request: SandboxRequest, role: str | None, response: SandboxResponse) -> None:
        entry = LoggedRequest(
            self.clock.stamp(), request.method, request.path, request.query, role, response.status, request.origin
        )
        self.requests.append(entry)
        if len(self.requests) > _MAX_LOGGED:
            del self.requests[: _MAX_LOGGED // 10]


def _seed(state: Mapping[str, JsonValue], fallback: int) -> int:
    seed = state.get("seed")
    return seed if isinstance(seed, int) else fallback


__all__ = ["KEYS", "Fault", "Sandbox"]
