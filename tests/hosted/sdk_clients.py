"""Clients of both SDKs that are told the address of a server alone, and people of its issuer who sit before them."""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx2
import mcp_types as types
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.client.auth import OAuthFlowError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult
from mcp.shared.exceptions import MCPError

from tests.faults.process import PATIENT
from tests.hosted.replicas import envelope
from tests.identity.real_issuer import CALLBACK, MODULES, Browser, Keeps

PYTHON, TYPESCRIPT = "Python SDK", "TypeScript SDK"
Opens = Callable[[str], str]
"""What a person does with an address that they are led to: `accept`, `decline` or `cancel`."""


class Refused(Exception):
    """The client could not make the call, or is at its end."""


class Person(Browser):
    """Logs in when a client sends them to the issuer, until they have left."""

    left = False

    async def open(self, address: str) -> None:
        if self.left:
            self.logins += 1
            raise OAuthFlowError("nobody logs in")
        await super().open(address)

    async def query(self, address: str) -> str:
        """What the address tells with which they come back; nothing where they do not."""
        try:
            await self.open(address)
        except OAuthFlowError:
            return ""
        back: AuthorizationCodeResult = await self.back()
        return urlencode({"code": back.code, "state": back.state, "iss": back.iss})


class SdkClient(ABC):
    """A client, its person, and the tokens that it was given."""

    def __init__(self, person: Person, opens: Opens | None) -> None:
        self.person = person
        self.opens = opens
        self.given: list[dict[str, Any]] = []
        self.client_id = ""

    @abstractmethod
    async def call(self, tool: str = "", **arguments: Any) -> Any:
        """The answer, or without a tool the names of all that are listed. Raises Refused."""


class PythonClient(SdkClient):
    """The Python SDK's."""

    def __init__(self, person: Person, opens: Opens | None) -> None:
        super().__init__(person, opens)
        self.keeps = Keeps()

    @asynccontextmanager
    async def connected(self, address: str, era: str) -> AsyncGenerator["PythonClient"]:
        async def asked(context: object, params: types.ElicitRequestParams) -> types.ElicitResult:
            assert isinstance(params, types.ElicitRequestURLParams)
            return types.ElicitResult.model_validate({"action": await self._led(params.url)})

        auth = self.person.auth(address, self.keeps)
        callback = asked if self.opens else None
        try:
            async with httpx2.AsyncClient(auth=auth, timeout=PATIENT, trust_env=False) as http:
                transport = streamable_http_client(address, http_client=http)
                async with Client(transport, mode=era, elicitation_callback=callback) as self._client:
                    self._kept()
                    yield self
        except BaseExceptionGroup as problems:  # a login that comes to nothing ends this SDK's client
            if problems.split(OAuthFlowError)[1] is not None:
                raise
            raise Refused from problems

    async def call(self, tool: str = "", **arguments: Any) -> Any:
        try:
            if not tool:
                return [one.name for one in (await self._client.list_tools()).tools]
            return await self._called(tool, arguments)
        except MCPError as problem:
            raise Refused(str(problem)) from problem
        finally:
            self._kept()

    async def _called(self, tool: str, arguments: dict[str, Any]) -> Any:
        try:
            result = await self._client.call_tool(tool, arguments)
        except MCPError as problem:
            if problem.code != types.URL_ELICITATION_REQUIRED:
                raise
            if await self._led(problem.data["elicitations"][0]["url"]) != "accept":
                return {"code": "not opened"}
            result = await self._client.call_tool(tool, arguments)
        return envelope(result.model_dump(by_alias=True))

    async def _led(self, address: str) -> str:
        assert self.opens is not None
        return await anyio.to_thread.run_sync(self.opens, address)

    def _kept(self) -> None:
        self.given = [token.model_dump() for token in self.keeps.given]
        self.client_id = (self.keeps.client and self.keeps.client.client_id) or ""


class TypescriptClient(SdkClient):
    """The TypeScript SDK's, in tests/npm/client.mjs."""

    def __init__(self, person: Person, opens: Opens | None, process: Process) -> None:
        super().__init__(person, opens)
        self._process = process
        assert process.stdout is not None
        self._lines = BufferedByteReceiveStream(process.stdout)

    async def call(self, tool: str = "", **arguments: Any) -> Any:
        await self._say({"name": tool, "arguments": arguments})
        return await self.answer()

    async def answer(self) -> Any:
        """What it answers, once its person was wherever it sends them."""
        while True:
            try:
                told = json.loads(await self._lines.receive_until(b"\n", 1_000_000))
            except anyio.IncompleteRead:
                assert self._process.stderr is not None
                pytest.fail((await self._process.stderr.receive()).decode())
            if "given" in told:
                self.given.append(told["given"])
                self.client_id = told["client"]["client_id"]
            elif "login" in told:
                await self._say(await self.person.query(told["login"]))
            elif "led" in told:
                assert self.opens is not None
                await self._say(await anyio.to_thread.run_sync(self.opens, told["led"]))
            elif "failed" in told:
                raise Refused(told["failed"])
            else:
                return told["answer"]

    async def _say(self, what: Any) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.send(json.dumps(what).encode() + b"\n")


@asynccontextmanager
async def connected(
    sdk: str, address: str, name: str, era: str, folder: Path, opens: Opens | None = None
) -> AsyncGenerator[SdkClient]:
    """A client that knows this address alone, whose person logs in by this name; it opens addresses where told how.

    Skips where the SDK cannot be had.
    """
    person = Person(name)
    if sdk == PYTHON:
        async with PythonClient(person, opens).connected(address, era) as client:
            yield client
        return
    node = shutil.which("node")
    if node is None or not (MODULES / "@modelcontextprotocol" / "client").is_dir():
        pytest.skip("needs node, and @modelcontextprotocol/client in tests/npm (npm install --prefix tests/npm)")
    await anyio.Path(folder).mkdir()
    (folder / "node_modules").symlink_to(MODULES.resolve())
    script = shutil.copy(MODULES.parent / "client.mjs", folder)
    async with await anyio.open_process([node, script, address, CALLBACK, era, "opens" if opens else ""]) as process:
        client = TypescriptClient(person, opens, process)
        try:
            assert await client.answer() == "connected"
            yield client
        finally:
            process.kill()
