"""A demo clinic in which calls are played one by one, with what each sent over the wire and left in the audit log."""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import Answer, Assistant, in_process

from cliniko_mcp.sandbox.core import LoggedRequest, Sandbox
from cliniko_mcp.sandbox.routes import routes
from cliniko_mcp.sandbox.storage import PATH as STORAGE

Line = dict[str, Any]
FILES = {"POST": "get_attachment_presigned_post", "GET": "get_patient_attachment"}
"""The operations that go on to the file storage, by the method of what they send there."""
CONTENT = "get_patient_attachment_content"
"""The step in between, which no operation of its own stands for."""


@dataclass
class Scene:
    """One call: what was called, how it was answered, the lines that it left, the requests that went out for it."""

    title: str
    answer: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: list[Line] = field(default_factory=list[Line])
    requests: list[LoggedRequest] = field(default_factory=list[LoggedRequest])

    @property
    def code(self) -> str:
        """The code of the error that it ended with; empty where it did not."""
        return str(self.answer.get("code", ""))

    def sent(self) -> Counter[str]:
        """How many requests went out for each operation, by what reached the demo clinic."""
        return Counter(operation_of(request) for request in self.requests)

    def written(self) -> Counter[str]:
        """How many requests went out for each operation, by the audit log."""
        found: Counter[str] = Counter()
        for line in self.lines:
            found[line["operation"]] += line.get("requests", 0)
        return +found

    def called(self, *purposes: str) -> set[str]:
        """The operations that were called for these purposes; `call` is what a line without a purpose is for."""
        return {line["operation"] for line in self.lines if line.get("for", "call") in purposes}


def operation_of(request: LoggedRequest) -> str:
    """The operation that a request belongs to; its method and path where it belongs to none."""
    if request.path.startswith(STORAGE):
        return FILES.get(request.method, f"{request.method} {STORAGE}")
    found = routes().find(request.method, request.path.removeprefix("/v1"))
    name = found[0].name if found else f"{request.method} {request.path}"
    return FILES["GET"] if name == CONTENT else name


class Stage:
    """Plays calls of one assistant, and looks at the wire and the log after each."""

    def __init__(self, assistant: Assistant, log: Path) -> None:
        assert assistant.app is not None
        self.assistant = assistant
        self.sandbox: Sandbox = assistant.app.sandbox
        self._log = log
        self._read = log.stat().st_size if log.exists() else 0

    async def play(self, tool: str, /, **arguments: Any) -> Scene:
        """One call of a tool."""
        return await self.scene(tool, lambda: self.assistant.call(tool, **arguments))

    def forget(self) -> None:
        """Let nothing be answered from memory: what is remembered would hide what a call sends."""
        assert self.assistant.app is not None
        behind = self.assistant.app._behind
        if behind is not None:
            behind.memory.records.forget()
            behind.memory.zones.forget()

    async def scene(self, title: str, act: Callable[[], Awaitable[dict[str, Any]]]) -> Scene:
        """Whatever is done in `act`, as one scene."""
        self.sandbox.requests.clear()
        answer = await act()
        return Scene(title, answer, list(self._lines()), list(self.sandbox.requests))

    def _lines(self) -> Iterator[Line]:
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        yield from (json.loads(line) for line in new.splitlines())


@asynccontextmanager
async def stage(
    log: Path, sandbox: Sandbox | None = None, *, answer: Answer | None = None, **settings: Any
) -> AsyncGenerator[Stage]:
    """A stage with these settings, in a clinic of its own or in `sandbox`."""
    async with in_process(answer=answer, audit_file=str(log), **settings) as assistant:
        assert assistant.app is not None
        if sandbox is not None:
            assistant.app.use_sandbox(sandbox)
        yield Stage(assistant, log)
