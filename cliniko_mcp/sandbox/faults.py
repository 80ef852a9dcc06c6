"""Faults on demand: refusals, slowness, unreadable responses, dropped connections, by rate or path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal, get_args

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.wire import HTML_TYPE, TEXT_TYPE, Json, SandboxRequest, SandboxResponse

FaultKind = Literal["rate_limit", "error", "html", "text", "forbidden", "revoked", "slow", "drop", "drop_after"]
_KIND_BY_NAME: Final[Mapping[str, FaultKind]] = {kind: kind for kind in get_args(FaultKind)}

_HTML: Final = (
    b"<!DOCTYPE html><html><head><title>We're sorry</title></head><body><h1>Something went wrong</h1></body></html>"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    kind: `rate_limit` 429; `error` an HTML page with `status`; `html` a page with 200; `text` 200 that is not JSON;
    `forbidden` 403 that is not JSON; `revoked` 401; `slow` waits `seconds`; `drop` closes the connection before
    anything was done; `drop_after` handles the request and then closes it. `rate` is the share of requests that it
    strikes, `path` a prefix and `method` an HTTP method that narrow it, `times` how often it strikes at most.
    """

    kind: FaultKind
    path: str = "/"
    method: str | None = None
    rate: float = 1.0
    times: int | None = None
    status: int = 500
    seconds: float = 1.0

    @classmethod
    def from_json(cls, fields: Mapping[str, JsonValue]) -> "Fault":
        """The fault that a JSON object describes. Raises ValueError that names what is wrong."""
        unknown = set(fields) - set(cls.__slots__)
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        name = fields.get("kind")
        kind = _KIND_BY_NAME.get(name) if isinstance(name, str) else None
        if kind is None:
            raise ValueError(f"kind must be one of {', '.join(_KIND_BY_NAME)}")
        rate, times, status, seconds = (_bounded(name, fields.get(name)) for name in _BOUNDS)
        path, method = (_text(fields.get(name)) for name in ("path", "method"))
        if path is not None and not path.startswith("/"):
            raise ValueError("path begins with a slash, such as /bookings")
        return cls(
            kind=kind,
            path="/" if path is None else path,
            method=None if method is None else method.upper(),
            rate=1.0 if rate is None else rate,
            times=None if times is None else int(times),
            status=500 if status is None else int(status),
            seconds=1.0 if seconds is None else seconds,
        )

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """The fault that a text such as `429`, `5xx:0.1`, `slow:/bookings:seconds=3` or `dropped:POST` describes.

        It holds the kind, then in any order a rate from 0 to 1, a path, a method, and times, status or seconds by name.
        Raises ValueError that says what is wrong.
        """
        word, *parts = text.split(":")
        kind = _ALIASES.get(word.lower().replace("-", "_"), word)
        fields: dict[str, JsonValue] = {"kind": kind}
        if kind.isdigit() and kind.startswith("5") and len(kind) == 3:
            fields = {"kind": "error", "status": int(kind)}
        for part in parts:
            name, equals, value = part.partition("=")
            if equals:
                fields[name] = _number(value)
            elif part.startswith("/"):
                fields["path"] = part
            elif part.isalpha():
                fields["method"] = part.upper()
            else:
                fields["rate"] = _number(part)
        return cls.from_json(fields)

    def strikes(self, request: SandboxRequest, path: str) -> bool:
        """Whether the fault applies to this request; its path may include the API's `/v1`."""
        in_path = path.startswith(self.path) or request.path.startswith(self.path)
        return in_path and self.method in (None, request.method)

    def as_json(self) -> Json:
        """The fault as the control route shows it."""
        return {
            "kind": self.kind,
            "path": self.path,
            "method": self.method,
            "rate": self.rate,
            "times": self.times,
            "status": self.status,
            "seconds": self.seconds,
        }


_ALIASES: Final = {
    "429": "rate_limit",
    "5xx": "error",
    "non_json": "text",
    "dropped": "drop",
    "401": "revoked",
    "403": "forbidden",
}


_BOUNDS: Final[Mapping[str, tuple[float, float, bool]]] = {
    "rate": (0, 1, False),
    "times": (0, 1_000_000, True),
    "status": (400, 599, True),
    "seconds": (0, 3600, False),
}
"""From and to, and whether only whole numbers are taken."""


def _bounded(name: str, value: JsonValue) -> float | None:
    if value is None:
        return None
    low, high, whole = _BOUNDS[name]
    number = None if isinstance(value, bool) or not isinstance(value, int if whole else int | float) else value
    if number is None or not low <= number <= high:
        raise ValueError(f"{name} is a {'whole ' if whole else ''}number from {low} to {high}")
    return number


def _text(value: JsonValue) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("path and method are texts")
    return value


def _number(text: str) -> JsonValue:
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number, a path or a method") from None


class Faults:
    """The active faults. The same seed strikes the same requests."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self.active: list[Fault] = []

    def set(self, *faults: Fault) -> None:
        """Replace the active faults by these, and start the random numbers again."""
        self._random = Random(self._seed)
        self.active = list(faults)

    def strike(self, request: SandboxRequest, path: str) -> Fault | None:
        """The first fault that strikes this request, which counts as one of its times; None for none."""
        for place, fault in enumerate(self.active):
            if not fault.strikes(request, path) or fault.times == 0 or self._random.random() >= fault.rate:
                continue
            if fault.times is not None:
                self.active[place] = replace(fault, times=fault.times - 1)
            return fault
        return None


def response_instead(fault: Fault, reset_at: int) -> SandboxResponse | None:
    """The response in place of the true one; None for a fault that lets the request be handled."""
    match fault.kind:
        case "rate_limit":
            return SandboxResponse(429, {"X-RateLimit-Reset": str(reset_at)})
        case "error":
            return SandboxResponse(fault.status, {"Content-Type": HTML_TYPE}, _HTML)
        case "html":
            return SandboxResponse(200, {"Content-Type": HTML_TYPE}, _HTML)
        case "text":
            return SandboxResponse(200, {"Content-Type": TEXT_TYPE}, b"It works!")
        case "forbidden":
            return SandboxResponse(403, {"Content-Type": TEXT_TYPE}, b"Forbidden")
        case "revoked":
            return SandboxResponse(401, {"Content-Type": TEXT_TYPE}, b"HTTP Basic: Access denied.\n")
        case "drop":
            return SandboxResponse(0, dropped=True)
        case "slow" | "drop_after":
            return None


def response_after(fault: Fault | None, response: SandboxResponse) -> SandboxResponse:
    """The true response as the fault lets it through."""
    match fault:
        case Fault(kind="slow", seconds=seconds):
            return replace(response, delay=seconds)
        case Fault(kind="drop_after"):
            return SandboxResponse(0, dropped=True)
        case _:
            return response
