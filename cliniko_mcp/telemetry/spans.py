"""The spans of a server for many, as OpenTelemetry's API opens them: what was done and how it ended, of nobody."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from cliniko_mcp.telemetry.message import Message

SCOPE: Final = "cliniko-mcp"


class Spans:
    """Opens spans at a provider; the one of the whole process by default."""

    def __init__(self, version: str, provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer(SCOPE, version, provider)

    @contextmanager
    def message(self, message: Message, meta: Mapping[str, object] | None) -> Generator[str]:
        """Within it a message is answered; the id of its trace, 32 hexadecimal digits.

        The status is the outcome's code: the words of an error may name a person.
        """
        name = f"{message.method} {message.tool}" if message.tool else message.method
        told = {"mcp.method.name": message.method, "mcp.protocol.version": message.version}
        if message.tool:
            told |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": message.tool}
        with self._tracer.start_as_current_span(
            name,
            _parent(meta),
            SpanKind.SERVER,
            {name: value for name, value in told.items() if value},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield trace.format_trace_id(span.get_span_context().trace_id)
            finally:
                span.set_attribute("cliniko_mcp.outcome", message.outcome)
                if message.failed:
                    span.set_attribute("error.type", message.outcome)
                    span.set_status(StatusCode.ERROR, message.outcome)

    @contextmanager
    def attempt(self, operation: str, number: int) -> Generator[AttemptSpan]:
        """Within it one attempt at a request to Cliniko goes on."""
        told = {"cliniko.operation": operation, "cliniko.attempt": number}
        with self._tracer.start_as_current_span(
            operation or "cliniko",
            kind=SpanKind.CLIENT,
            attributes=told,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield AttemptSpan(span)


class AttemptSpan:
    """The span of one attempt."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def ended(self, status: str, waited: float) -> None:
        """Tell how it ended: `status` is that of HTTP or why there is none, `waited` are seconds."""
        self._span.set_attribute("cliniko.wait_seconds", round(waited, 3))
        if status.isdigit():
            self._span.set_attribute("http.response.status_code", int(status))
        if not status.isdigit() or int(status) >= 400:
            self._span.set_attribute("error.type", status)
            self._span.set_status(StatusCode.ERROR, status)


def _parent(meta: Mapping[str, object] | None) -> Context | None:
    """The trace that the client says this belongs to, in `_meta` (W3C trace context); None where it says none.

    What else it says there, its `tracestate`, is words of its own that would leave with each span.
    """
    named = (meta or {}).get("traceparent")
    if not isinstance(named, str):
        return None
    found = propagate.extract({"traceparent": named})
    return found if trace.get_current_span(found).get_span_context().is_valid else None
