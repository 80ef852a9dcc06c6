"""Assistants of a hosted server, made with the clients of both SDKs, and the person who sits before each."""

import json
import shutil
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.faults.process import PATIENT
from tests.hosted.replicas import envelope
from tests.identity.real_issuer import MODULES

Person = Callable[[str], str]
"""What somebody does who is led to this address: what their client says of it, `accept`, `decline` or `cancel`."""


@dataclass
class Assistant:
    """A client of the Python SDK, and what it was told."""

    client: Client
    person: Person
    led_to: list[str] = field(default_factory=list[str])
    """The addresses that it was asked to open."""
    required: bool = False
    """Whether an address came as an error."""
    over: list[str] = field(default_factory=list[str])
    """The questions of which it was told that they are answered."""
    progress: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer. An address that came as an error is opened, and the call made once more."""

        async def told(progress: float, total: float | None, message: str | None) -> None:
            self.progress.append(message or "")

        try:
            result = await self.client.call_tool(tool, arguments, progress_callback=told)
        except MCPError as problem:
            if problem.code != types.URL_ELICITATION_REQUIRED:
                raise
            self.required = True
            (led,) = problem.data["elicitations"]
            assert led["mode"] == "url" and led["url"] in problem.message and led["elicitationId"]
            if await self.opened(led["url"]) != "accept":
                return {"code": "not opened"}
            result = await self.client.call_tool(tool, arguments, progress_callback=told)
        return envelope(result.model_dump(by_alias=True))

    async def opened(self, address: str) -> Any:
        """What the person says of this address."""
        self.led_to.append(address)
        return await anyio.to_thread.run_sync(self.person, address)


@asynccontextmanager
async def assistant(address: str, who: str, era: str, person: Person) -> AsyncGenerator[Assistant]:
    """A client of the Python SDK. It declares forms and addresses, as that SDK's clients do."""
    found: list[Assistant] = []

    async def asked(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestURLParams), "a form, where people are asked on their page alone"
        return types.ElicitResult(action=await found[0].opened(params.url))

    async def heard(message: object) -> None:
        if isinstance(message, types.ElicitCompleteNotification):
            found[0].over.append(message.params.elicitation_id)

    # Each request on a connection of its own, so that the next one meets the next replica.
    headers = {"authorization": f"Bearer cmp_{who}", "connection": "close"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENT, trust_env=False) as http:
        transport = streamable_http_client(address, http_client=http)
        async with Client(transport, mode=era, elicitation_callback=asked, message_handler=heard) as client:
            found.append(Assistant(client, person))
            yield found[0]


@contextmanager
def typescript(folder: Path, address: str, who: str, era: str, tool: str, **arguments: str) -> Generator["Typescript"]:
    """A call by the TypeScript SDK's client, which declares addresses alone. Skips where it cannot be had."""
    node = shutil.which("node")
    if node is None or not (MODULES / "@modelcontextprotocol" / "client").is_dir():
        pytest.skip("needs node, and @modelcontextprotocol/client in tests/npm (npm install --prefix tests/npm)")
    (folder / "node_modules").symlink_to(MODULES.resolve())
    script = shutil.copy(MODULES.parent / "approve.mjs", folder)
    command = [node, script, address, f"cmp_{who}", era, tool, json.dumps(arguments)]
    pipe = subprocess.PIPE
    script_of = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    with suppress(BrokenPipeError), script_of as process:
        try:
            yield Typescript(process)
        finally:
            process.kill()


@dataclass
class Typescript:
    """The script while it runs: it tells where its person is led, and is told what they say."""

    process: "subprocess.Popen[str]"

    def told(self) -> dict[str, Any]:
        """What it writes next."""
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else pytest.fail(self.process.stderr.read())

    def say(self, action: str) -> None:
        """What its person says of the address: `accept`, `decline` or `cancel`; nothing where that is over by now."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{action}\n")
            self.process.stdin.flush()
