"""Sends spans to a collector of OpenTelemetry's, which its standard variables describe, without anybody's name.

Whatever opens a span in this process, what leaves it is held to what is known here: the words of others' spans, and
the events in which they keep exceptions, may quote what a person asked or read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from cliniko_mcp.telemetry.spans import SCOPE

LAST_SECONDS: Final = 5.0
"""How long a stop waits for what was not sent yet."""
_OURS: Final = frozenset(
    {
        "cliniko.attempt",
        "cliniko.operation",
        "cliniko.wait_seconds",
        "cliniko_mcp.outcome",
        "error.type",
        "gen_ai.operation.name",
        "gen_ai.tool.name",
        "http.response.status_code",
        "mcp.method.name",
        "mcp.protocol.version",
    }
)
_METHOD: Final = "mcp.method.name"
_IS_METHOD: Final = re.compile(r"[a-z]+(/[a-zA-Z_]+)*")


class Nameless(SpanExporter):
    """Hands spans on to another exporter without what may name somebody."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter.export`."""
        return self._exporter.export([nameless(span) for span in spans])

    def shutdown(self) -> None:
        """See `SpanExporter.shutdown`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter.force_flush`."""
        return self._exporter.force_flush(timeout_millis)


def nameless(span: ReadableSpan) -> ReadableSpan:
    """The span with our own attributes alone, without events and links; of another library's the method alone."""
    ours = span.instrumentation_scope is not None and span.instrumentation_scope.name == SCOPE
    told = span.attributes or {}
    method = told.get(_METHOD)
    if ours:
        name, kept = span.name, {key: value for key, value in told.items() if key in _OURS}
    elif isinstance(method, str) and _IS_METHOD.fullmatch(method):
        name, kept = f"send {method}", {_METHOD: method}
    else:
        name, kept = "other", {}
    return ReadableSpan(
        name=name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code, span.status.description if ours else None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def provider_to(exporter: SpanExporter) -> TracerProvider:
    """A provider whose spans go to this exporter in batches, nameless. What it is called, the sampler and the sizes of
    batches are those of the `OTEL_*` variables."""
    resource = Resource.create()
    name = resource.attributes.get(SERVICE_NAME)
    if not isinstance(name, str) or name.startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "cliniko-mcp"}))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(Nameless(exporter)))
    return provider


@asynccontextmanager
async def tracing() -> AsyncGenerator[trace.TracerProvider]:
    """The provider of the process for the length of a run; at its end what was not sent yet is sent.

    Where another one was set before, as by `opentelemetry-instrument`, it is that one.
    """
    if not isinstance(before := trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield before
        return
    provider = provider_to(OTLPSpanExporter())
    trace.set_tracer_provider(provider)
    try:
        yield provider
    finally:
        with anyio.move_on_after(LAST_SECONDS, shield=True):
            await anyio.to_thread.run_sync(provider.shutdown, abandon_on_cancel=True)
