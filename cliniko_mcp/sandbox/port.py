"""The demo clinic on a port: the API under the base URL's path, and control routes under `/_sandbox/`.

GET    /_sandbox/requests   what was asked: method, path, query, role, status, origin    DELETE  forget it
GET    /_sandbox/clock      now, and whether it is frozen    POST  {"now": ISO} {"advance": seconds} {"frozen": bool}
GET    /_sandbox/faults     those in force    POST  {"faults": [{"kind": ...}]}    DELETE  none
GET    /_sandbox/snapshot   the whole state    POST  take one over
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
from cliniko_mcp.sandbox.store import NotKept
from cliniko_mcp.sandbox.wire import SANDBOX_HEADER, SandboxRequest, SandboxResponse, answer, dumps

_FAR: Final = 10 * 366 * 86_400


def asgi_app(sandbox: Sandbox) -> Starlette:
    """An ASGI app that answers for this clinic; everything outside `/_sandbox/` is the clinic's to answer."""
    control = _Control(sandbox)
    routes = [
        Route(f"/_sandbox/{name}", _spoken(act), methods=["GET", "POST", "DELETE"]) for name, act in control.acts()
    ]

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
        return _sent(response)

    # A Route would answer 405 for the verbs that it is not told of; which verbs there are is the clinic's to say.
    return Starlette(routes=[*routes, Mount("/", app=request_response(clinic))])


def _sent(response: SandboxResponse) -> Response:
    return Response(response.body, response.status, {**response.headers, **SANDBOX_HEADER})


class _Dropped(Response):
    """Promises a body and never sends it: the server then closes the connection."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


Act = Callable[[str, Mapping[str, JsonValue]], SandboxResponse]


def _spoken(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            given: JsonValue = json.loads(body) if body.strip() else {}
            if not isinstance(given, dict):
                raise ValueError("the body must be a JSON object")
            return _sent(act(request.method, given))
        except (ValueError, OverflowError) as problem:
            return _sent(answer({"message": str(problem)}, 400))
        except NotKept as problem:
            return _sent(answer({"message": str(problem)}, 500))

    return endpoint


class _Control:
    """What the control routes do. Each raises ValueError for what it cannot understand."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def acts(self) -> list[tuple[str, Act]]:
        """Every control route by name."""
        return [
            ("requests", self.requests),
            ("clock", self.clock),
            ("faults", self.faults),
            ("snapshot", self.snapshot),
            ("reset", self.reset),
        ]

    def requests(self, method: str, given: Mapping[str, JsonValue]) -> SandboxResponse:
        """The log, oldest first."""
        if method == "DELETE":
            self._sandbox.requests.clear()
            return SandboxResponse(204)
        entries: list[JsonValue] = [entry.as_json() for entry in self._sandbox.requests]
        return answer({"requests": entries, "total": len(entries)})

    def clock(self, method: str, given: Mapping[str, JsonValue]) -> SandboxResponse:
        """The clock, after moving it as asked."""
        clock = self._sandbox.clock
        if method == "POST":
            now, step, frozen = _only(given, "now", "advance", "frozen")
            moment = None if now is None else _aware(now)
            stride = None if step is None else _stride(step)
            if not isinstance(frozen, bool | None):
                raise ValueError("frozen is true or false")
            if moment is not None:
                clock.set(moment)
            if stride is not None:
                clock.advance(stride)
            if frozen is not None:
                (clock.freeze if frozen else clock.run)()
        return answer({"now": clock.stamp(), "frozen": clock.frozen})

    def faults(self, method: str, given: Mapping[str, JsonValue]) -> SandboxResponse:
        """The faults in force, after setting them as asked."""
        faults = self._sandbox.faults
        if method == "DELETE":
            faults.set()
        if method == "POST":
            (wanted,) = _only(given, "faults")
            if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
                raise ValueError("faults is a list of objects; DELETE takes all away")
            faults.set(*(Fault.of(each) for each in wanted if isinstance(each, dict)))
        shown: list[JsonValue] = [fault.as_json() for fault in faults.inforce]
        return answer({"faults": shown})

    def snapshot(self, method: str, given: Mapping[str, JsonValue]) -> SandboxResponse:
        """The whole state, or 204 after taking one over."""
        if method == "POST":
            self._sandbox.restore(given)
            return SandboxResponse(204)
        return SandboxResponse(200, {"Content-Type": "application/json"}, dumps(self._sandbox.snapshot()))

    def reset(self, method: str, given: Mapping[str, JsonValue]) -> SandboxResponse:
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


def _stride(step: JsonValue) -> timedelta:
    if isinstance(step, bool) or not isinstance(step, int | float) or not abs(step) <= _FAR:
        raise ValueError("advance is a number of seconds, of some years at most")
    return timedelta(seconds=step)


def _only(given: Mapping[str, JsonValue], *names: str) -> list[JsonValue]:
    """The values under these names. Raises ValueError where there is none of them, or any other."""
    if not given or not set(given) <= set(names):
        raise ValueError(f"the body holds {', '.join(names)} and nothing else")
    return [given.get(name) for name in names]
