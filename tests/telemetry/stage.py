"""A watched server on a demo clinic in memory: what it tells of itself, beside what a client hears."""

import json
import logging
import re
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import anyio
from conftest import NOW, Answer, callback_for
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cliniko_mcp.app import open_app
from cliniko_mcp.cli.json_logs import AsJson
from cliniko_mcp.guards.parts import local_parts
from cliniko_mcp.protocol.server import build_server
from cliniko_mcp.settings import Settings
from cliniko_mcp.telemetry.metrics import Metrics
from cliniko_mcp.telemetry.spans import Spans
from cliniko_mcp.telemetry.tracing import provider_to
from cliniko_mcp.telemetry.watch import Watch


class Lines(logging.Handler):
    """What the log of JSON holds."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(AsJson())
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{self.format(record)}\n"

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@contextmanager
def json_log() -> Generator[Lines]:
    lines = Lines()
    logging.getLogger().addHandler(lines)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(lines)


@dataclass
class Watched:
    """A client's calls, and all that the server told of them."""

    client: Client
    metrics: Metrics
    provider: TracerProvider
    exporter: InMemorySpanExporter
    log: Lines
    heard: list[str] = field(default_factory=list[str])

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The answer's JSON, or that of the error."""
        try:
            result = await self.client.call_tool(tool, arguments)
        except MCPError as problem:
            self.heard.append(problem.message)
            return {"code": problem.code}
        text: str = result.content[0].text  # pyright: ignore[reportAttributeAccessIssue]
        self.heard.append(text)
        return json.loads(text)

    async def refused(self, request: Any) -> None:
        """A request that ends with an error of the protocol."""
        try:
            await request
        except MCPError as problem:
            self.heard.append(problem.message)
        else:
            raise AssertionError("it was answered")

    @property
    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return [*self.exporter.get_finished_spans()]

    @property
    def figures(self) -> str:
        return self.metrics.text().decode()

    def figure(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(name, labels)
        return 0.0 if found is None else found

    def everything(self) -> str:
        """All that leaves the server beside its answers, ids of traces and times apart."""
        told = [
            json.dumps(
                [span.name, dict(span.attributes or {}), span.status.description, dict(span.resource.attributes)]
            )
            + str([[event.name, dict(event.attributes or {})] for event in span.events])
            for span in self.spans
        ]
        samples = re.sub(r" [0-9.e+-]+$", "", self.figures, flags=re.MULTILINE)
        return "\n".join([*told, samples, self.log.text])


@asynccontextmanager
async def watched(answer: Answer | None = None, mode: str = "auto", **settings: Any) -> AsyncGenerator[Watched]:
    ids = count(1)
    exporter = InMemorySpanExporter()
    provider = provider_to(exporter)
    metrics = Metrics("0", anyio.current_time)
    watch = Watch(anyio.current_time, lambda: f"{next(ids):08x}", metrics, Spans("0", provider))
    asked = {"sandbox": True, "sandbox_now": NOW, "sandbox_clock": "frozen", "requests_per_minute": 60_000}
    parts = replace(local_parts(bytes(32)), account="the only account", watch=watch)
    callback = callback_for(answer, []) if answer else None
    with json_log() as log:
        async with open_app(Settings.load(asked | {"rate_limit": 0} | settings, {}), parts) as app:
            server = build_server(app, watch=watch)
            async with Client(server, mode=mode, elicitation_callback=callback) as client:
                yield Watched(client, metrics, provider, exporter, log)
    provider.shutdown()
