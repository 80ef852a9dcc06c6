"""What watches a run over HTTP, as its settings and OpenTelemetry's variables ask for it."""

from __future__ import annotations

import secrets  # noqa: TID251 - requests are told apart in the log
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from cliniko_mcp import __version__
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings, open_telemetry
from cliniko_mcp.telemetry.watch import Watch

if TYPE_CHECKING:
    from cliniko_mcp.hosted_file import HostedFile
    from cliniko_mcp.telemetry.metrics import Metrics
    from cliniko_mcp.telemetry.spans import Spans

NO_EXTRA = (
    "a collector of traces is named, and what would send there is not installed, so that no traces are sent: "
    "pipx install '.[hosted,otel]'"
)


@asynccontextmanager
async def opened_watch(
    settings: Settings, hosted: HostedFile, announce: Callable[[str], None]
) -> AsyncGenerator[Watch | None]:
    """Whoever watches this run: metrics where there is an admin port, spans where a collector is named, and whose
    request a line is about where logs are JSON; None where nobody does.

    Raises ConfigurationError where metrics are asked for and what keeps them is not installed.
    """
    async with AsyncExitStack() as stack:
        metrics = _metrics() if hosted.admin is not None else None
        spans = await _spans(stack, announce) if open_telemetry() else None
        if metrics is None and spans is None and (settings.log_format or hosted.log_format) != "json":
            yield None
            return
        id_of = partial(secrets.token_hex, 4)
        yield Watch(anyio.current_time, id_of, metrics, spans)


def _metrics() -> Metrics:
    if find_spec("prometheus_client") is None:
        raise ConfigurationError(
            "[admin] shows metrics, and prometheus-client is not installed.", "Install with pipx install '.[hosted]'"
        )
    from cliniko_mcp.telemetry.metrics import Metrics

    return Metrics(__version__, anyio.current_time)


async def _spans(stack: AsyncExitStack, announce: Callable[[str], None]) -> Spans | None:
    try:
        from cliniko_mcp.telemetry.tracing import tracing
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("opentelemetry"):
            raise
        announce(NO_EXTRA)
        return None
    from cliniko_mcp.telemetry.spans import Spans

    provider = await stack.enter_async_context(tracing())
    announce("sends traces to the collector that the OTEL_ variables name")
    return Spans(__version__, provider)
