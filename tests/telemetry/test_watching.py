"""What is asked for and cannot be is said at the start."""

import sys

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosted_file import AdminSection, HostedFile
from cliniko_mcp.protocol import watching
from cliniko_mcp.settings import Settings

HTTP = Settings.load({"transport": "http", "sandbox": True}, {})


@pytest.mark.anyio
async def test_where_nobody_asks_for_it_nothing_watches() -> None:
    async with watching.opened_watch(HTTP, HostedFile(), print) as watch:
        assert watch is None


@pytest.mark.anyio
async def test_a_collector_that_is_named_without_the_extra_is_said_and_calls_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "cliniko_mcp.telemetry.tracing", raising=False)
    async with watching.opened_watch(HTTP, HostedFile(), said.append) as watch:
        assert watch is None
    assert len(said) == 1 and "otel" in said[0] and "no traces are sent" in said[0]


@pytest.mark.anyio
async def test_an_admin_port_without_what_keeps_metrics_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="prometheus-client"):
        async with watching.opened_watch(HTTP, HostedFile(admin=AdminSection(port=0)), print):
            pass
