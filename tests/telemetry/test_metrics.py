"""What a scrape tells: calls, requests, waits and questions, and how much of each account's limit is used."""

import re
from pathlib import Path

import pytest
from conftest import YES
from opentelemetry.trace import SpanKind

from cliniko_mcp.telemetry.limit_use import MAX_ACCOUNTS, LimitUse, account_digest
from cliniko_mcp.telemetry.metrics import Metrics
from cliniko_mcp.telemetry.watch import Watch
from tests.telemetry.stage import watched


@pytest.mark.anyio
async def test_a_call_is_counted_with_the_requests_that_it_took() -> None:
    async with watched() as server:
        await server.call("list_patients", limit=1)
        digest = account_digest("the only account")
        assert server.figure("cliniko_mcp_calls_total", tool="list_patients", outcome="ok") == 1
        assert server.figure("cliniko_mcp_call_seconds_count", tool="list_patients") == 1
        labels = {"operation": "list_patients", "status": "200"}
        assert server.figure("cliniko_mcp_upstream_requests_total", **labels) == 1
        used = server.figure("cliniko_mcp_limit_requests", account=digest)
        assert used == server.figure("cliniko_mcp_limit_wait_seconds_count") >= 1
        assert "the only account" not in server.figures
        assert server.figure("process_resident_memory_bytes") > 1_000_000


@pytest.mark.anyio
async def test_a_question_is_counted_when_it_is_asked_and_when_it_is_answered() -> None:
    async with watched(YES) as server:
        patient = (await server.call("list_patients", limit=1))["items"][0]["id"]
        await server.call("archive_patient", id=patient)
        found = {event: server.figure("cliniko_mcp_approvals_total", event=event) for event in ("asked", "yes", "no")}
        assert found == {"asked": 1, "yes": 1, "no": 0}


@pytest.mark.long
@pytest.mark.anyio
async def test_each_attempt_is_a_span_below_that_of_its_call_without_a_path() -> None:
    async with watched(faults="dropped:/taxes") as server:
        assert (await server.call("list_taxes"))["code"] == "unavailable"
        await server.call("list_businesses", limit=1)
        spans = server.spans
    (call,) = [span for span in spans if span.name == "tools/call list_taxes"]
    attempts = [span for span in spans if span.name == "list_taxes"]
    assert call.kind is SpanKind.SERVER and len(attempts) > 1
    assert call.context is not None
    assert {span.context.trace_id for span in attempts if span.context} == {call.context.trace_id}
    usual = {"cliniko.attempt", "cliniko.operation", "cliniko.wait_seconds"}
    for number, span in enumerate(attempts, 1):
        told = dict(span.attributes or {})
        assert span.kind is SpanKind.CLIENT
        assert {*told} == {*usual, "error.type"}
        assert (told["cliniko.attempt"], told["error.type"]) == (number, "no answer")
    good = dict(next(span for span in spans if span.name == "list_businesses").attributes or {})
    assert {*good} == {*usual, "http.response.status_code"} and good["http.response.status_code"] == 200


@pytest.mark.anyio
async def test_a_trace_that_the_client_names_is_gone_on_with() -> None:
    async with watched() as server:
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await server.client.call_tool("list_taxes", {}, meta={"traceparent": parent})
        (call,) = [span for span in server.spans if span.name == "tools/call list_taxes"]
        assert call.context is not None and f"{call.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"


def test_of_many_accounts_those_that_use_most_of_their_limit_are_shown_by_a_digest() -> None:
    now = 0.0
    use = LimitUse(lambda: now)
    for number in range(80):
        for _ in range(number + 1):
            use.sent(account_digest(f"account {number}"))
    found = use.used()
    assert len(found) == MAX_ACCOUNTS and next(iter(found.items())) == (account_digest("account 79"), 80)
    (metric,) = use.collect()
    assert len(metric.samples) == MAX_ACCOUNTS
    now = 61.0
    assert use.used() == {}


def test_the_documents_name_every_metric_and_no_other() -> None:
    metrics = Metrics("0", lambda: 0.0)
    metrics.watch_queue(lambda: 0)
    text = metrics.text().decode()
    kept = {*re.findall(r"^# TYPE (cliniko_mcp_\w+)", text, flags=re.MULTILINE)}
    page = (Path(__file__).parents[2] / "docs" / "replicas.md").read_text("utf-8")
    assert {*re.findall(r"^\| `(cliniko_mcp_\w+)`", page, flags=re.MULTILINE)} == kept
    alerts = {re.sub("_bucket$", "", name) for name in re.findall(r"(cliniko_mcp_\w+)[{\[) ]", page)}
    assert alerts <= kept


def test_refusals_stores_and_a_queue_are_shown() -> None:
    metrics = Metrics("0", lambda: 0.0)
    watch = Watch(lambda: 0.0, lambda: "", metrics, None)
    watch.refused(401, "expired")
    watch.redis(0.002)
    watch.postgres(0.02)
    watch.count_apps(lambda: 3)
    watch.count_queue(lambda: 7)
    text = metrics.text().decode()
    for line in (
        'cliniko_mcp_refused_total{reason="expired",status="401"} 1.0',
        'cliniko_mcp_store_seconds_count{store="redis"} 1.0',
        'cliniko_mcp_store_seconds_count{store="postgres"} 1.0',
        "cliniko_mcp_open_apps 3.0",
        "cliniko_mcp_audit_queue_lines 7.0",
    ):
        assert line in text


@pytest.mark.anyio
async def test_what_a_client_adds_to_its_trace_does_not_leave_with_the_spans() -> None:
    async with watched() as server:
        parent = f"00-{'a' * 32}-{'b' * 16}-01"
        await server.client.call_tool("list_taxes", {}, meta={"traceparent": parent, "tracestate": "patient=ana-lima"})
        spans = [span for span in server.spans if span.name in ("tools/call list_taxes", "list_taxes")]
    assert len(spans) > 1
    for span in spans:
        assert span.context is not None and span.context.trace_id == int("a" * 32, 16)
        assert not span.context.trace_state
        assert span.parent is None or not span.parent.trace_state
