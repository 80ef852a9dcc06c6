"""Requests and responses of the demo clinic as plain values, and the exact bodies of its refusals.

Source: cliniko-api.md#errors.
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic_core import to_json

from cliniko_mcp.errors import JsonValue

SANDBOX_HEADER: Final = {"X-Cliniko-Sandbox": "demo"}
"""By this every answer says that it comes from a demo clinic: nobody has to infer it from an address."""
Origin = Literal["server", "port"]
Json = dict[str, JsonValue]

JSON_TYPE: Final = "application/json; charset=utf-8"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"
_MAX_DEPTH: Final = 100
"""Levels of nesting that a body may have, as in Ruby's parser."""


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One HTTP request: the path as sent (still percent-encoded), query pairs decoded, header names in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    origin: Origin = "server"


@dataclass(frozen=True, slots=True)
class SandboxResponse:
    """One response. Transport and port wait `delay` seconds before it; `dropped` closes the connection instead."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    delay: float = 0.0
    dropped: bool = False

    def json(self) -> JsonValue:
        """The body as JSON. Raises ValueError where it is not."""
        value: JsonValue = json.loads(self.body)
        return value


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """An entry of the request log: never a key, a header or a body."""

    at: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    role: str | None
    status: int
    origin: Origin

    def as_json(self) -> Json:
        """The entry as the control route shows it."""
        query: list[JsonValue] = [[name, value] for name, value in self.query]
        return {
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "query": query,
            "role": self.role,
            "status": self.status,
            "origin": self.origin,
        }


class Refusal(Exception):
    """Ends a request with this response; whatever the request had changed is undone."""

    def __init__(self, response: SandboxResponse) -> None:
        super().__init__(response.status)
        self.response = response


def dumps(value: JsonValue) -> bytes:
    """Compact JSON, unicode as it is."""
    return to_json(value)


def json_response(value: JsonValue, status: int = 200, **headers: str) -> SandboxResponse:
    """A response with this JSON body; header names have underscores for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return SandboxResponse(status, {"Content-Type": JSON_TYPE, **named}, dumps(value))


def no_content() -> SandboxResponse:
    """204, truly empty."""
    return SandboxResponse(204)


def bad_request(message: str) -> Refusal:
    """400 `{"message": ...}`."""
    return Refusal(json_response({"message": message}, 400))


def unauthorised() -> Refusal:
    """401 as plain text that does not say what is wrong."""
    return Refusal(
        SandboxResponse(
            401,
            {"Content-Type": TEXT_TYPE, "WWW-Authenticate": 'Basic realm="Application"'},
            b"HTTP Basic: Access denied.\n",
        )
    )


def forbidden() -> Refusal:
    """403 with an empty body."""
    return Refusal(SandboxResponse(403))


def not_found() -> Refusal:
    """404 in the form that clients have seen."""
    return Refusal(json_response({"status": "404", "error": "Not Found"}, 404))


def invalid(errors: Mapping[str, str]) -> Refusal:
    """422 with one sentence for each field; `base` is the whole record."""
    return Refusal(json_response({"message": "Validation Failed", "errors": dict(errors)}, 422))


def basic_user(headers: Mapping[str, str]) -> str | None:
    """The user name of Basic auth, which is the API key; None where there is none. The password does not matter."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(encoded.strip(), validate=True).decode().partition(":")[0] or None
    except (NotBase64, UnicodeDecodeError):
        return None


def json_body(request: SandboxRequest) -> Mapping[str, JsonValue]:
    """The JSON object that was sent; empty where the content type is not JSON (cliniko-api.md#connection). Raises a
    400 Refusal."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body.strip() or not (content_type == "application/json" or content_type.endswith("+json")):
        return {}
    try:
        value: JsonValue = json.loads(request.body.decode(), parse_constant=_refuse_constant)
        if request.body.count(b"[") + request.body.count(b"{") > _MAX_DEPTH:
            _check_depth(value)
        if b"\\u" in request.body:
            dumps(value)  # half a surrogate pair can be escaped in JSON, but is no text that could be sent back
    except (ValueError, RecursionError):
        raise bad_request("There was a problem in the JSON you submitted.") from None
    if not isinstance(value, dict):
        raise bad_request("The JSON you submitted must be an object.")
    return value


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


def _check_depth(value: JsonValue) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            item
            for holder in level
            if isinstance(holder, dict | list)
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
    if level:
        raise ValueError(f"more than {_MAX_DEPTH} levels")
