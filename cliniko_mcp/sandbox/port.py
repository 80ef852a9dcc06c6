"""The demo clinic on a port: the API under the base URL's path, and control routes under `/_sandbox/`, which no page of
a website can use.

GET    /_sandbox/requests   the log: method, path, query, role, status, origin    DELETE  clear it
GET    /_sandbox/clock      now, and whether it is frozen    POST  {"now": ISO} {"advance": seconds} {"frozen": bool}
GET    /_sandbox/faults     the active ones    POST  {"faults": [{"kind": ...}]}    DELETE  none
GET    /_sandbox/snapshot   the whole state    POST  replace it
POST   /_sandbox/reset      start over
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, request_response

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.core import Fault, Sandbox
from cliniko_mcp.sandbox.store import PersistenceError
from cliniko_mcp.sandbox.wire import SANDBOX_HEADER, SandboxRequest, SandboxResponse, dumps, json_response

_MAX_STEP: Final = 10 * 366 * 86_400


def asgi_app(sandbox: Sandbox) -> Starlette:
    """An ASGI app for this clinic, which answers everything outside `/_sandbox/`."""
    control = _Control(sandbox)
    methods = ["GET", "POST", "DELETE"]
    routes = [Route(f"/_sandbox/{name}", _endpoint(action), methods=methods) for name, action in control.actions()]

    async def clinic(request: Request) -> Response:
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        response = sandbox.respond(
            SandboxRequest(
                method=request.method,
                path=raw.partition(b"?")[0].decode("latin-1"),
                query=tuple(request.query_params.multi_items()),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.body(),
                origin="port",
            )
        )
        if response.delay:
            await anyio.sleep(response.delay)
        if response.dropped:
            return _Dropped()
        return _starlette_response(response)

    # A Route answers 405 for methods that it does not name; which methods there are is for the clinic to decide.
    return Starlette(routes=[*routes, Mount("/", app=request_response(clinic))])


def _starlette_response(response: SandboxResponse) -> Response:
    return Response(response.body, response.status, {**response.headers, **SANDBOX_HEADER})


class _Dropped(Response):
    """Promises a body and never sends it: the server then closes the connection."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


ControlAction = Callable[[str, Mapping[str, JsonValue]], SandboxResponse]


def _by_a_page(request: Request) -> bool:
    """Whether a page of a website may have sent this: such requests name an origin, or a host by a public name.

    A name of one word (localhost, or a service of Docker Compose) is none that a website could point at this computer.
    """
    host = request.url.hostname or ""
    public = "." in host and not host.replace(".", "").isdecimal()
    return "origin" in request.headers or public


def _endpoint(action: ControlAction) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if _by_a_page(request):
            return _starlette_response(json_response({"message": "the control routes are for programs"}, 403))
        content = await request.body()
        try:
            body: JsonValue = json.loads(content) if content.strip() else {}
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            return _starlette_response(action(request.method, body))
        except (ValueError, OverflowError) as problem:
            return _starlette_response(json_response({"message": str(problem)}, 400))
        except PersistenceError as problem:
            return _starlette_response(json_response({"message": str(problem)}, 500))

    return endpoint


class _Control:
    """The control routes. Each raises ValueError for a body that it cannot read."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def actions(self) -> list[tuple[str, ControlAction]]:
        """Every control route by name."""
        return [
            ("requests", self.requests),
            ("clock", self.clock),
            ("faults", self.faults),
            ("snapshot", self.snapshot),
            ("reset", self.reset),
        ]

    def requests(self, method: str, body: Mapping[str, JsonValue]) -> SandboxResponse:
        """The log, oldest first."""
        if method == "DELETE":
            self._sandbox.requests.clear()
            return SandboxResponse(204)
        entries: list[JsonValue] = [entry.as_json() for entry in self._sandbox.requests]
        return json_response({"requests": entries, "total": len(entries)})

    def clock(self, method: str, body: Mapping[str, JsonValue]) -> SandboxResponse:
        """The clock, after a POST as it is now set."""
        clock = self._sandbox.clock
        if method == "POST":
            now, step, frozen = _only(body, "now", "advance", "frozen")
            moment = None if now is None else _aware(now)
            by = None if step is None else _step(step)
            if not isinstance(frozen, bool | None):
                raise ValueError("frozen is true or false")
            if moment is not None:
                clock.set(moment)
            if by is not None:
                clock.advance(by)
            if frozen is not None:
                (clock.freeze if frozen else clock.run)()
        return json_response({"now": clock.stamp(), "frozen": clock.frozen})

    def faults(self, method: str, body: Mapping[str, JsonValue]) -> SandboxResponse:
        """The active faults, after a POST or DELETE as they are now set."""
        faults = self._sandbox.faults
        if method == "DELETE":
            faults.set()
        if method == "POST":
            (items,) = _only(body, "faults")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise ValueError("faults is a list of objects; DELETE takes all away")
            faults.set(*(Fault.from_json(item) for item in items if isinstance(item, dict)))
        shown: list[JsonValue] = [fault.as_json() for fault in faults.active]
        return json_response({"faults": shown})

    def snapshot(self, method: str, body: Mapping[str, JsonValue]) -> SandboxResponse:
        """The whole state, or 204 after replacing it."""
        if method == "POST":
            self._sandbox.restore(body)
            return SandboxResponse(204)
        return SandboxResponse(200, {"Content-Type": "application/json"}, dumps(self._sandbox.snapshot()))

    def reset(self, method: str, body: Mapping[str, JsonValue]) -> SandboxResponse:
        """204 after starting over."""
        if method != "POST":
            raise ValueError("reset is a POST")
        self._sandbox.reset()
        return SandboxResponse(204)


def _aware(text: JsonValue) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("now needs a zone, such as 2026-11-24T05:00:00Z")
    return moment


def _step(step: JsonValue) -> timedelta:
    if isinstance(step, bool) or not isinstance(step, int | float) or not abs(step) <= _MAX_STEP:
        raise ValueError("advance is a number of seconds, of some years at most")
    return timedelta(seconds=step)


def _only(body: Mapping[str, JsonValue], *names: str) -> list[JsonValue]:
    """The values under these names. Raises ValueError where there is none of them, or any other."""
    if not body or not set(body) <= set(names):
        raise ValueError(f"the body holds {', '.join(names)} and nothing else")
    return [body.get(name) for name in names]
