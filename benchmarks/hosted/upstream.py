"""Something that answers as Cliniko does, for many keys, and counts what each of them sends in any minute.

    python -m benchmarks.hosted.upstream PORT LIMIT

The records are the demo clinic's, each answer made once and kept: what differs by key is a mark in the names of a
patient, a site and a type of appointment, and what was archived with it. A key that sends more than
LIMIT requests in any 60 seconds is answered 429, as Cliniko does of 200. `/_load/` is for whoever measures.
"""

import asyncio
import base64
import hashlib
import json
import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.wire import SandboxRequest

LIMIT: Final = 200
PERIOD: Final = 60.0
NOW: Final = "2026-11-24T09:00:00+11:00"
MARK: Final = "Qmarkq"
"""What stands in the kept answers where the mark of a key comes."""
_KEY: Final = "demo-au1"
_ARCHIVE: Final = re.compile(r"/v1/patients/(\d+)/archive")
_PATIENT: Final = re.compile(r"/v1/patients/(\d+)")


def key_of(number: int) -> str:
    """A key in Cliniko's form, by its number."""
    told = f"1-{number:06}-{hashlib.sha256(str(number).encode()).hexdigest()[:24]}"
    return f"{base64.b64encode(told.encode()).decode()}-au1"


def number_of(key: str) -> int:
    """The number of such a key."""
    return int(base64.b64decode(key.removesuffix("-au1")).split(b"-")[1])


def mark_of(number: int) -> str:
    """The mark in the names that the holder of this key sees: of one word, and of no other key's."""
    return f"Mark{number:06}end"


@dataclass
class Key:
    """What came with one key."""

    times: deque[float] = field(default_factory=deque[float])
    """When each request of the last minute came."""
    every: list[float] = field(default_factory=list[float])
    """When each request came."""
    refused: int = 0
    worst: int = 0
    """The most requests that came within any minute."""
    acts: list[str] = field(default_factory=list[str])
    """The patients that were archived, once for each request that said so."""
    written: int = 0
    """How many patients were made."""

    def came(self, now: float, limit: int) -> float | None:
        """Count a request; the seconds until the key may go on where it is one too many."""
        self.every.append(now)
        while self.times and now - self.times[0] >= PERIOD:
            self.times.popleft()
        self.times.append(now)
        self.worst = max(self.worst, len(self.times))
        if len(self.times) <= limit:
            return None
        self.refused += 1
        return self.times[0] + PERIOD - now


class Clinic:
    """The kept answers, and the keys."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.sandbox = Sandbox(now=datetime.fromisoformat(NOW), frozen=True, rate_limit=0)
        self.keys: dict[str, Key] = {}
        self.delay = 0.02
        self._kept: dict[str, tuple[int, bytes]] = {}
        self._marked()

    def _marked(self) -> None:
        """Put the place of the mark into a few names."""
        self._asked("POST", "/v1/patients", {"first_name": "Mo", "last_name": MARK})
        for path, name in (("businesses", "business_name"), ("appointment_types", "name")):
            rows: Any = json.loads(self._asked("GET", f"/v1/{path}", None)[1])
            self._asked("PUT", f"/v1/{path}/{rows[path][0]['id']}", {name: f"{MARK} one"})

    def _asked(self, method: str, target: str, body: object) -> tuple[int, bytes]:
        parts = urlsplit(target)
        headers = {
            "authorization": "Basic " + base64.b64encode(f"{_KEY}:".encode()).decode(),
            "user-agent": "load (load@example.org)",
            "content-type": "application/json",
        }
        content = b"" if body is None else json.dumps(body).encode()
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        answer = self.sandbox.respond(SandboxRequest(method, parts.path, query, headers, content, "port"))
        return answer.status, answer.body

    def answer(self, name: str, method: str, target: str, body: bytes) -> tuple[int, bytes, float]:
        """The status and body that the holder of a key is given, and the seconds that a 429 asks for."""
        key = self.keys.setdefault(name, Key())
        if (wait := key.came(time.monotonic(), self.limit)) is not None:
            return 429, b'{"message":"Too many requests"}', wait
        mark = mark_of(number_of(name)).encode()
        path = target.partition("?")[0]
        if method == "POST" and (found := _ARCHIVE.fullmatch(path)):
            key.acts.append(found[1])
            return 204, b"", 0.0
        if method == "POST" and path == "/v1/patients":
            key.written += 1
            kept = self._kept_of("GET", "/v1/patients?per_page=1")[1]
            row: Any = json.loads(kept)["patients"][0]
            return 201, json.dumps(row | json.loads(body)).encode().replace(MARK.encode(), mark), 0.0
        # A filter by this key's own mark finds what stands under the place of it.
        status, kept = self._kept_of(method, target.replace(mark.decode(), MARK))
        if (found := _PATIENT.fullmatch(path)) and found[1] in key.acts:
            return 404, b'{"status":"404","error":"Not Found"}', 0.0
        return status, kept.replace(MARK.encode(), mark), 0.0

    def _kept_of(self, method: str, target: str) -> tuple[int, bytes]:
        if method != "GET":
            return 404, b'{"message":"Not found"}'
        if (kept := self._kept.get(target)) is None:
            kept = self._kept[target] = self._asked(method, target, None)
        return kept

    def control(self, target: str) -> bytes:
        """`/_load/forget`, `/_load/delay?seconds=0.5`, and what came with each key after either."""
        parts = urlsplit(target)
        if parts.path == "/_load/forget":
            self.keys.clear()
        if parts.path == "/_load/delay":
            self.delay = float(dict(parse_qsl(parts.query))["seconds"])
        now = time.monotonic()
        told = {
            str(number_of(name)): {
                "refused": key.refused,
                "worst": key.worst,
                "acts": key.acts,
                "written": key.written,
                "seconds ago": [now - moment for moment in key.every],
            }
            for name, key in self.keys.items()
        }
        return json.dumps(told).encode()


class Connection(asyncio.Protocol):
    """One connection, whose requests come one after another: HTTP/1.1, as far as our client speaks it."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole."""
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, target, _ = first.split(" ")
        if target.startswith("/_load/"):
            self._write(200, self._clinic.control(target), 0.0)
            return
        name = base64.b64decode(headers.get("authorization", "").partition(" ")[2]).decode().partition(":")[0]
        answer = self._clinic.answer(name, method, target, rest[:length])
        asyncio.get_running_loop().call_later(self._clinic.delay, self._write, *answer)

    def _write(self, status: int, body: bytes, wait: float) -> None:
        lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'No'}", "Content-Type: application/json; charset=utf-8"]
        if wait:
            lines.append(f"X-RateLimit-Reset: {int(time.time() + wait) + 1}")
        if status != 204:
            lines.append(f"Content-Length: {len(body)}")
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write("\r\n".join([*lines, "", ""]).encode() + body)


async def serve(port: int, limit: int) -> None:
    """Answer on this port of the computer until the process ends."""
    clinic = Clinic(limit)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(clinic), "127.0.0.1", port)
    clinic.sandbox.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
