"""Replicas of one server in processes of their own, a demo clinic apart from them, and a balancer that takes turns."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2

from cliniko_mcp.identity.people_file import digest_of
from tests import warm
from tests.faults.process import PATIENT, Process
from tests.warm.started import Started

PUBLIC = "https://mcp.example.org/mcp"
SCOPES = ["cliniko:read", "cliniko:write", "cliniko:destroy"]
RING = "a ring of this test alone, longer than thirty-two bytes"
ACCOUNT = {"CLINIKO_API_KEY": "demo-au1", "CLINIKO_CONTACT_EMAIL": "t@example.org"}
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    "io.modelcontextprotocol/clientInfo": {"name": "replicas", "version": "1"},
}


@contextmanager
def command(*arguments: str, **environ: str) -> Generator[Process]:
    """A command of ours under way; killed at the end if it is still there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")} | environ
    pipe = subprocess.PIPE
    process: Process
    if warm.POSSIBLE:
        process = Started(*arguments, env=env)
    else:
        program = [sys.executable, "-m", "cliniko_mcp", *arguments]
        process = subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe, env=env)
    with process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def line_with(stream: Any, pattern: str, *, go_on: bool = False) -> str:
    """The first group of the first line that fits.

    Unless it is to go on, what comes later is read along, so that no pipe is ever full.
    """
    seen: list[str] = []
    for raw in stream:
        seen.append(raw.decode())
        if found := re.search(pattern, seen[-1]):
            if not go_on:
                Thread(target=lambda: [None for _ in stream], daemon=True).start()
            return found.group(1)
    raise AssertionError("".join(seen))


@dataclass
class ClinicApart:
    """A demo clinic on a port."""

    url: str

    def requests(self, method: str = "") -> list[str]:
        """The paths that were asked for."""
        found = httpx2.get(self._control("requests"), trust_env=False, timeout=PATIENT).json()["requests"]
        return [one["path"] for one in found if method in ("", one["method"])]

    def statuses(self) -> list[int]:
        found = httpx2.get(self._control("requests"), trust_env=False, timeout=PATIENT).json()["requests"]
        return [one["status"] for one in found]

    def forget_requests(self) -> None:
        httpx2.delete(self._control("requests"), trust_env=False, timeout=PATIENT).raise_for_status()

    def trouble(self, **fault: Any) -> None:
        told = {"faults": [fault] if fault else []}
        httpx2.post(self._control("faults"), json=told, trust_env=False, timeout=PATIENT).raise_for_status()

    def _control(self, route: str) -> str:
        return f"{self.url.removesuffix('/v1')}/_sandbox/{route}"


@contextmanager
def clinic_apart(*flags: str) -> Generator[ClinicApart]:
    with command("sandbox", "--port", "0", "--sandbox-now", warm.NOW, *flags) as process:
        yield ClinicApart(line_with(process.stdout, r"^url (\S+)"))


@dataclass
class Balancer:
    """Leads each connection to the next of its servers; one that is not there is passed over."""

    ports: list[int]
    port: int = 0
    came: list[int] = field(default_factory=list[int])
    """The servers that connections were led to."""
    buffering: bool = False
    """Whether it keeps a stream of events until it is whole."""
    open: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    """What is written to, on both sides of each connection."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    async def serve(self, started: Any) -> None:
        turns = count()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(len(self.ports)):
                port = self.ports[next(turns) % len(self.ports)]
                with suppress(OSError):
                    onward = await asyncio.open_connection("127.0.0.1", port)
                    self.came.append(port)
                    ends = {writer, onward[1]}
                    self.open |= ends
                    await asyncio.gather(_pass(reader, onward[1]), _pass(onward[0], writer, self.buffering))
                    self.open -= ends
                    return
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started()
        async with server:
            await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, buffering: bool = False) -> None:
    kept = b""
    with suppress(OSError):
        while chunk := await reader.read(65_536):
            kept += chunk
            if buffering and b"text/event-stream" in kept and not kept.endswith(b"0\r\n\r\n"):
                continue
            writer.write(kept)
            kept = b""
            await writer.drain()
    with suppress(OSError):
        writer.close()


@contextmanager
def balanced(ports: Sequence[int]) -> Generator[Balancer]:
    balancer, loop = Balancer([*ports]), asyncio.new_event_loop()
    going = Event()
    task: list[asyncio.Task[None]] = []

    async def run() -> None:
        task.append(asyncio.ensure_future(balancer.serve(going.set)))
        with suppress(asyncio.CancelledError):
            await task[0]
        for writer in balancer.open:
            writer.close()
        others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        await asyncio.gather(*others, return_exceptions=True)

    thread = Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    going.wait(PATIENT)
    try:
        yield balancer
    finally:
        loop.call_soon_threadsafe(task[0].cancel)
        thread.join()
        loop.close()


@dataclass
class Replicas:
    """Servers that share what replicas share, and the balancer before them."""

    processes: list[Process]
    balancer: Balancer
    audit: Path
    """Where the log of a server for one clinic is."""
    admin: list[str] = field(default_factory=list[str])

    @property
    def address(self) -> str:
        return self.balancer.address

    def at(self, number: int) -> str:
        """The address of one of them alone."""
        return f"http://127.0.0.1:{self.balancer.ports[number]}/mcp"

    def ready(self, number: int) -> tuple[int, dict[str, bool]]:
        """What the admin port of a replica says."""
        answer = httpx2.get(self.admin[number], timeout=PATIENT, trust_env=False)
        return answer.status_code, answer.json()["parts"]


def people_file(folder: Path, people: Mapping[str, Mapping[str, Any]]) -> Path:
    path = folder / "people.toml"
    entries = ""
    for name, more in people.items():
        keys = {"code": digest_of(f"code of {name}"), "token": digest_of(f"cmp_{name}")}
        told: dict[str, Any] = {"id": name, **keys, "scopes": SCOPES, **more}
        entries += "[[person]]\ncode_expires = 2099-01-01T00:00:00Z\n"
        entries += "".join(f"{key} = {json.dumps(value)}\n" for key, value in told.items())
    path.write_text(entries)
    path.chmod(0o600)
    return path


@contextmanager
def replicas(
    folder: Path,
    more: str,
    *flags: str,
    people: Mapping[str, Mapping[str, Any]] | None = None,
    number: int = 2,
    **environ: str,
) -> Generator[Replicas]:
    """So many servers, which people reach by `cmp_` and their id; `more` stands in their file."""
    hosted = folder / "hosted.toml"
    file = people_file(folder, people or {"ana": {}, "ben": {}})
    hosted.write_text(f'public_url = "{PUBLIC}"\npeople = "{file}"\nkeys = ["env:RING"]\n{more}')
    audit = folder / "audit.jsonl"
    told = ("--hosted", str(hosted), "--port", "0", "--audit-file", str(audit), *flags)
    environ = {"RING": RING} | ACCOUNT | environ
    with ExitStack() as stack:
        processes = [stack.enter_context(command("serve", *told, **environ)) for _ in range(number)]
        admin = [line_with(one.stderr, r"is ready on (\S+)", go_on=True) for one in processes if "[admin]" in more]
        ports = [int(line_with(process.stderr, r"listening on \S+:(\d+)/")) for process in processes]
        balancer = stack.enter_context(balanced(ports))
        yield Replicas(processes, balancer, audit, admin)


def post(address: str, who: str, message: Mapping[str, Any], **headers: str) -> httpx2.Response:
    """One message on a connection of its own, so that the next one meets the next replica."""
    usual = {
        "authorization": f"Bearer cmp_{who}",
        "accept": "application/json, text/event-stream",
        "host": "mcp.example.org",
        "connection": "close",
    }
    return httpx2.post(address, json=message, headers=usual | headers, timeout=PATIENT, trust_env=False)


def message_in(answer: httpx2.Response) -> dict[str, Any]:
    text = answer.text
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data:")][-1].removeprefix("data:")
    return json.loads(text)


def call(address: str, who: str, tool: str, /, *, meta: Mapping[str, Any] = META, **arguments: Any) -> dict[str, Any]:
    """The result of a call in the newer era, or the error of the protocol."""
    retried = {key: arguments.pop(key) for key in ("inputResponses", "requestState") if key in arguments}
    params = {"name": tool, "arguments": arguments, "_meta": meta, **retried}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    told = {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": tool}
    found = message_in(post(address, who, message, **told))
    return found.get("result", found)


def envelope(result: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(result["content"][0]["text"])


def in_modern(address: str, who: str, method: str, **params: Any) -> dict[str, Any]:
    """The whole answer to one message of the newer era that calls no tool."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    return message_in(post(address, who, message, **{"mcp-protocol-version": MODERN, "mcp-method": method}))


class Page:
    """Somebody's browser on the approvals page; each request is on a connection of its own."""

    def __init__(self, address: str) -> None:
        self._origin = address.removesuffix("/mcp")
        self.cookie = ""

    def moved_to(self, address: str) -> None:
        """From now on the same page is at this address."""
        self._origin = address.removesuffix("/mcp")

    def get(self) -> str:
        return self._sent("GET").text

    def post(self, origin: str = "https://mcp.example.org", **fields: str) -> httpx2.Response:
        """Send a form, a code to where people log in; what it leads to where it leads somewhere."""
        answer = self._sent("POST", origin, at="/login" if "code" in fields else "/approvals", **fields)
        if answer.status_code == 303:
            cookie = answer.headers.get("set-cookie", "")
            self.cookie = cookie.partition(";")[0] or self.cookie
            return self._sent("GET", query=answer.headers["location"].partition("?")[2])
        return answer

    def led_to(self, address: str) -> tuple[int, str]:
        """The status at the address that an assistant was given, or where that leads, and the page there."""
        answer = self._sent("GET", at=f"/approvals{address.partition('/approvals')[2]}")
        answer = self._sent("GET") if answer.status_code == 303 else answer
        return answer.status_code, answer.text

    @staticmethod
    def csrf_in(text: str) -> str:
        return text.split('name=csrf value="')[1].partition('"')[0]

    def answer(self, decision: str) -> str:
        """Answer the first question; the page that follows."""
        form = dict(re.findall(r'name=(csrf|question) value="([^"]+)"', self.get())[:2])
        return self.post(decision=decision, **form).text

    def _sent(
        self, method: str, origin: str = "", query: str = "", at: str = "/approvals", **fields: str
    ) -> httpx2.Response:
        headers = {"host": "mcp.example.org", "connection": "close", "cookie": self.cookie}
        headers |= {"origin": origin} if origin else {}
        address = f"{self._origin}{at}{f'?{query}' if query else ''}"
        return httpx2.request(method, address, data=fields or None, headers=headers, timeout=PATIENT, trust_env=False)


class Older:
    """A client of the older era, each of whose requests is on a connection of its own."""

    def __init__(self, address: str, who: str, **elicitation: Any) -> None:
        self._address, self._who = address, who
        capabilities = {"elicitation": elicitation} if elicitation else {}
        client = {"name": "older", "version": "1"}
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}
        opened = self._sent("initialize", params)
        self.session = opened.headers["mcp-session-id"]

    def moved_to(self, address: str) -> None:
        """From now on the same server is at this address."""
        self._address = address

    def _sent(self, method: str, params: Mapping[str, Any], **headers: str) -> httpx2.Response:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return post(self._address, self._who, message, **headers)

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        told = {"mcp-session-id": self.session, "mcp-protocol-version": "2025-11-25"}
        answer = self._sent(method, params, **told)
        assert answer.status_code == 200, answer.text
        return message_in(answer)

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        found = self.request("tools/call", name=tool, arguments=arguments)
        return found.get("result", found)
