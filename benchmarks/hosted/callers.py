"""Clients of the newer era that call tools, each on one connection that it keeps, and what came of every call."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Final

import anyio
import httpx2

from benchmarks.hosted.stage import PATIENT, person_of

MODERN: Final = "2026-07-28"
META: Final[Mapping[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
}
OK: Final = "ok"
LOST: Final = "lost"
_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Call:
    """A call to make: whose, of which tool, and at which path below the address."""

    who: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    path: str = ""
    method: str = "tools/call"
    token: str = ""
    """Where it is not that of the file of people."""
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More parameters, `_meta` among them."""

    @property
    def message(self) -> dict[str, Any]:
        """What is sent."""
        named = {"name": self.tool, "arguments": self.arguments} if self.method == "tools/call" else self.arguments
        return {"jsonrpc": "2.0", "id": 1, "method": self.method, "params": {**named, "_meta": META, **self.more}}


@dataclass(frozen=True)
class Answer:
    """What came of a call: `ok`, the code of an error, `asked`, `http 503`, or `lost` with why."""

    call: Call
    outcome: str
    text: str
    began: float
    seconds: float

    @property
    def message(self) -> dict[str, Any]:
        """The message that came."""
        return json.loads(_message(self.text))

    @property
    def body(self) -> dict[str, Any]:
        """The envelope."""
        return _envelope(self.message)

    @property
    def ended(self) -> float:
        """When it came, on the monotonic clock."""
        return self.began + self.seconds


class Client:
    """A client with one connection, which it opens again where it was closed."""

    def __init__(self, address: str) -> None:
        self._address = address
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=3_600)
        # Nothing here is encrypted: no certificates are read, which would take longer than a call.
        self._http = httpx2.AsyncClient(trust_env=False, timeout=_SECONDS, limits=limits, verify=False)

    async def call(self, call: Call) -> Answer:
        """Make a call, once."""
        headers = {
            "authorization": f"Bearer {call.token or f'cmp_{call.who}'}",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": MODERN,
            "mcp-method": call.method,
        }
        if call.method == "tools/call":
            headers["mcp-name"] = call.tool
        began = time.monotonic()
        try:
            answer = await self._http.post(f"{self._address}{call.path}", json=call.message, headers=headers)
        except httpx2.TransportError as problem:
            return Answer(call, f"{LOST}: {type(problem).__name__}", "", began, time.monotonic() - began)
        outcome = _outcome(answer.text) if answer.status_code == 200 else f"http {answer.status_code}"
        return Answer(call, outcome, answer.text, began, time.monotonic() - began)

    async def close(self) -> None:
        """Close its connection."""
        await self._http.aclose()


def _message(text: str) -> str:
    lines = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
    return lines[-1] if lines else text


def _envelope(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("result", {}).get("content")
    return json.loads(content[0]["text"]) if content else dict(message)


def _outcome(text: str) -> str:
    message = json.loads(_message(text))
    if "error" in message:
        return f"error {message['error']['code']}"
    result = message["result"]
    if "inputRequests" in result:
        return "asked"
    return str(_envelope(message).get("code", "error")) if result.get("isError") else OK


async def play(address: str, calls: Iterable[Call], at_once: int, *, until: float | None = None) -> list[Answer]:
    """Make the calls with so many clients, each the next one as soon as its last was answered; what came of them.

    Where `until` is given, in seconds of the monotonic clock, no call begins after it.
    """
    left, answers = iter(calls), list[Answer]()

    async def client() -> None:
        own = Client(address)
        try:
            for call in left:
                answers.append(await own.call(call))
                if until is not None and time.monotonic() >= until:
                    return
        finally:
            await own.close()

    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(client)
    return answers


async def patients(address: str, who: str) -> list[str]:
    """The ids of some patients of this person's clinic, all others than the demo clinic's best known one."""
    (answer,) = await play(address, [Call(who, "list_patients", {"limit": 50})], 1)
    return [str(row["id"]) for row in answer.body["items"][1:]]


def reads(clinics: int) -> list[Call]:
    """Two reads of each clinic, both of which send something."""
    return [
        call
        for who in map(person_of, range(clinics))
        for call in (Call(who, "get_patient", {"id": PATIENT}), Call(who, "list_patients", {"limit": 2}))
    ]


def turns(calls: Sequence[Call]) -> Iterable[Call]:
    """These calls again and again."""
    return itertools.cycle(calls)


def outcomes(answers: Iterable[Answer]) -> dict[str, int]:
    """How many calls ended how."""
    return dict(Counter(answer.outcome for answer in answers))


def percentile(answers: Sequence[Answer], percent: int) -> float:
    """The milliseconds within which so many of a hundred calls were answered."""
    return quantiles([answer.seconds * 1000 for answer in answers], n=100)[percent - 1]


def rate(answers: Sequence[Answer]) -> float:
    """Calls a second, from the first to the last answer."""
    began, ended = min(answer.began for answer in answers), max(answer.ended for answer in answers)
    return len(answers) / (ended - began)
