"""The metrics of a server for many, in Prometheus's text format. No label holds a name, an id, a path or a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cliniko_mcp.telemetry.limit_use import LimitUse

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_CALLS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 50)
_REQUESTS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAITS: Final = (0.001, 0.1, 0.5, 1, 2.5, 5, 10, 20)
_STORES: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)


class Metrics:
    """All metrics of a process, in a registry of their own."""

    def __init__(self, version: str, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds."""
        disable_created_metrics()  # a second series for each, which nobody reads
        kept = self.registry = CollectorRegistry()
        self.calls = Counter("cliniko_mcp_calls", "Calls of tools.", ["tool", "outcome"], registry=kept)
        self.call_seconds = Histogram(
            "cliniko_mcp_call_seconds", "How long calls took.", ["tool"], buckets=_CALLS, registry=kept
        )
        self.requests = Counter(
            "cliniko_mcp_upstream_requests", "Attempts at requests to Cliniko.", ["operation", "status"], registry=kept
        )
        self.request_seconds = Histogram(
            "cliniko_mcp_upstream_seconds",
            "How long Cliniko took to answer, without the wait for the limit.",
            buckets=_REQUESTS,
            registry=kept,
        )
        self.wait_seconds = Histogram(
            "cliniko_mcp_limit_wait_seconds", "How long requests waited for the limit.", buckets=_WAITS, registry=kept
        )
        self.approvals = Counter(
            "cliniko_mcp_approvals", "Questions to people: asked, yes, no, expired.", ["event"], registry=kept
        )
        self.refused = Counter(
            "cliniko_mcp_refused", "Requests refused before the protocol.", ["status", "reason"], registry=kept
        )
        self.store_seconds = Histogram(
            "cliniko_mcp_store_seconds",
            "How long what the replicas share took to answer.",
            ["store"],
            buckets=_STORES,
            registry=kept,
        )
        self.open_apps = Gauge("cliniko_mcp_open_apps", "Accounts that are open in this process.", registry=kept)
        Info("cliniko_mcp_build", "The version that runs.", registry=kept).info({"version": version})
        self.limit_use = LimitUse(clock)
        kept.register(self.limit_use)
        ProcessCollector(registry=kept)

    def watch_queue(self, lines: Callable[[], int]) -> None:
        """Show how many lines of the audit log wait to be written."""
        self.registry.register(_Queue(lines))

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)


class _Queue(Collector):
    def __init__(self, lines: Callable[[], int]) -> None:
        self._lines = lines

    def collect(self) -> Iterable[Metric]:
        told = "Lines of the audit log that wait to be written."
        yield GaugeMetricFamily("cliniko_mcp_audit_queue_lines", told, value=self._lines())
