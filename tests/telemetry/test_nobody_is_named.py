"""What leaves a server beside its answers names nobody: looked for in all of its metrics, spans and log."""

import re
from typing import Any

import anyio
import pytest
from conftest import DECLINE, YES
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from cliniko_mcp.app import App
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.telemetry.tracing import provider_to
from cliniko_mcp.tools.index import entries
from tests.telemetry.stage import Watched, watched

FIRST, LAST = "Zquorbly", "Vextmarrow"
KEY = "MS0xLVpxdW9yYmx5LVZleHRtYXJyb3c-au1"
EMAIL = "zquorbly@vextmarrow.example"
MARKS = (FIRST, LAST, KEY, EMAIL)
RECORD = {"first_name": FIRST, "last_name": LAST, "email": EMAIL, "notes": f"{FIRST} keeps {KEY}"}


def named_in(text: str) -> list[str]:
    return [mark for mark in MARKS if mark.casefold() in text.casefold()] + re.findall(r"\b\d{15,20}\b", text)


async def namesakes(server: Watched) -> str:
    """Two patients of one name; the id of the first."""
    made = [await server.call("cliniko_write", operation="create_patient", arguments=RECORD) for _ in range(2)]
    return made[0]["item"]["id"]


@pytest.mark.long
@pytest.mark.anyio
async def test_calls_that_fail_with_names_leave_only_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched(YES) as server:
        id = await namesakes(server)
        ambiguous = await server.call("patient_brief", patient=f"{FIRST} {LAST}")
        assert LAST in str(ambiguous), "the caller hears whom it may be"
        await server.call("patient_brief", patient=f"Nobody {LAST}")
        await server.call("cliniko_read", operation="get_patient", arguments={"id": LAST})
        await server.call("find_patients", query=LAST, **{LAST: KEY})
        await server.call(f"{FIRST} {LAST}")
        await server.call("cliniko_destroy", operation="archive_patient", arguments={"id": id})
        await server.refused(server.client.get_prompt(LAST, {FIRST: KEY}))
        await server.refused(server.client.read_resource(f"cliniko://patients/{LAST}"))

        async def broken(*_: object) -> None:
            raise ValueError(f"{FIRST} {LAST} {KEY} {EMAIL}")

        monkeypatch.setattr(App, "run", broken)
        await server.call("find_patients", query=LAST)

        assert LAST in str(server.heard)
        assert named_in(server.everything()) == []
        spans = server.spans
        told = {span.status.description for span in spans if span.status.status_code is StatusCode.ERROR}
        assert {"ambiguous", "invalid_arguments", "unknown_tool", "internal"} <= told
        assert "tools/call other" in {span.name for span in spans}
        assert server.figure("cliniko_mcp_calls_total", tool="patient_brief", outcome="ambiguous") == 1
        assert server.figure("cliniko_mcp_calls_total", tool="other", outcome="unknown_tool") == 1
        (line,) = [line for line in server.log.objects if line["level"] == "ERROR"]
        assert line["message"] == "find_patients failed" and "ValueError" in str(line["exception"])
        assert re.fullmatch("[0-9a-f]{8}", line["request"]) and re.fullmatch("[0-9a-f]{32}", line["trace"])


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_no_and_who_it_was_about_stay_with_the_person(mode: str) -> None:
    async with watched(DECLINE, mode=mode) as server:
        id = await namesakes(server)
        answer = await server.call("archive_patient", id=id)
        assert answer["code"] == "declined"
        assert named_in(server.everything()) == []
        assert server.figure("cliniko_mcp_approvals_total", event="asked") == 1
        assert server.figure("cliniko_mcp_approvals_total", event="no") == 1


def test_what_other_libraries_put_into_spans_does_not_leave() -> None:
    exporter = InMemorySpanExporter()
    provider = provider_to(exporter)
    tracer = provider.get_tracer("some-library")
    with (
        pytest.raises(ValueError),
        tracer.start_as_current_span(f"GET /patients/{LAST}", attributes={"http.url": f"/patients?q={LAST}"}) as span,
    ):
        span.set_attribute("mcp.method.name", f"{FIRST} {LAST}")
        span.add_event("read", {"patient": LAST})
        raise ValueError(LAST)
    with tracer.start_as_current_span(f"MCP send {LAST}", attributes={"mcp.method.name": "elicitation/create"}):
        pass
    provider.force_flush()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["other", "send elicitation/create"]
    told = "".join(
        str([span.name, span.attributes, span.status.description, span.events, span.links]) for span in spans
    )
    assert named_in(told) == []
    assert spans[0].status.status_code is StatusCode.ERROR
    provider.shutdown()


TOOLS = sorted(name for name, entry in entries().items() if entry.highest_risk is not Risk.DESTRUCTIVE)
WORDS = st.sampled_from([FIRST, LAST, KEY, EMAIL, f"{FIRST} {LAST}", "1", "tomorrow", f"=>{LAST}", f"{LAST}..{FIRST}"])
NAMES = st.sampled_from(["id", "query", "patient", "patient_id", "when", "notes", "filter", "first_name", "sort", LAST])
CALLS = st.tuples(st.sampled_from([*TOOLS, LAST]), st.dictionaries(NAMES, WORDS, max_size=4))


@pytest.mark.long
@settings(max_examples=12)
@given(st.lists(CALLS, min_size=15, max_size=25))
def test_whatever_is_asked_nobody_is_named(calls: list[tuple[str, dict[str, Any]]]) -> None:
    async def story() -> None:
        async with watched() as server:
            await namesakes(server)
            for tool, arguments in calls:
                await server.call(tool, **arguments)
            assert named_in(server.everything()) == []

    anyio.run(story)
