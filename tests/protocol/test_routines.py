"""Each routine played as an assistant would, through a real client: its tools answer, and nothing is written."""

import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import mcp_types as types
import pytest

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.phrases import Facing, parse_when
from cliniko_mcp.protocol.completions import TIMES
from cliniko_mcp.protocol.prompts import filled
from cliniko_mcp.protocol.routines import ROUTINES
from cliniko_mcp.tools.index import entries
from tests.conftest import NOW, Assistant, in_process

pytestmark = pytest.mark.anyio

ONLY_AFTER_A_YES = {"create_communication", "register_patient", "update_patient", "create_patient_form"}
"""Tools that a routine names and that write."""

PLAYED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "morning_huddle": [("show_diary", {"when": "{day}"})],
    "fill_a_gap": [
        ("show_diary", {"when": "{day}"}),
        ("fill_gap", {"practitioner": "Mei Ng", "when": "{day} 4pm to 5pm", "type": "Standard consult"}),
    ],
    "chase_no_shows": [("report", {"kind": "no_shows", "when": "last 7 days", "phones": True})],
    "end_of_day": [
        ("show_diary", {"when": "{day}"}),
        ("report", {"kind": "missing_notes", "when": "{day}"}),
        ("report", {"kind": "unbilled", "when": "{day}"}),
    ],
    "week_ahead": [
        ("show_diary", {"when": "{week}"}),
        ("report", {"kind": "ahead", "when": "{week}", "by": ["practitioner"]}),
        ("report", {"kind": "forms", "when": "{week}"}),
    ],
    "months_numbers": [
        ("report", {"kind": kind, "when": "{month}", "compare": "previous"})
        for kind in ("activity", "no_shows", "cancellations", "utilisation", "revenue", "rebooking")
    ],
    "new_patient_intake": [
        ("find_patients", {"query": "{patient}"}),
        ("patient_brief", {"patient": "{patient}"}),
        ("get_patient", {"id": "1104000000422323183"}),
    ],
    "recall_round": [
        ("report", {"kind": "lapsed", "when": "{last_seen}", "phones": True, "limit": 20}),
        ("patient_brief", {"patient": "Ana Lima"}),
    ],
    "overdue_invoices": [("report", {"kind": "unpaid", "when": "{issued}", "phones": True})],
}


@pytest.fixture(scope="module")
async def assistant() -> AsyncGenerator[Assistant]:
    async with in_process(approval_wait=0) as connected:
        yield connected


async def text_of(assistant: Assistant, name: str, arguments: dict[str, str]) -> str:
    [message] = (await assistant.client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, types.TextContent)
    return message.content.text


def named_in(text: str) -> set[str]:
    """The tools and kinds of reports that a routine names."""
    listed = re.search("these reports of that month[^:]*: ([a-z_, ]+)", text)
    said = {*re.findall("report ([a-z_]+)", text), *(listed[1].split(", ") if listed else ())}
    kinds = {f"report {kind}" for kind in KINDS if kind in said}
    return {name for name in entries() if name != "report" and re.search(rf"\b{name}\b", text)} | kinds


@pytest.mark.long
@pytest.mark.parametrize("name", PLAYED)
async def test_what_a_routine_names_answers_for_what_was_chosen_and_nothing_is_written(assistant: Assistant, name: str):
    prompts = {prompt.name: prompt for prompt in (await assistant.client.list_prompts()).prompts}
    chosen: dict[str, str] = {"patient": "Ana Lima"} if name == "new_patient_intake" else {}
    text = await text_of(assistant, name, chosen)
    told = dict(line.split(": ", 1) for line in text.rpartition("\n\n")[2].splitlines())
    values = {argument.lower().replace(" ", "_"): value for argument, value in told.items()}
    assert values.keys() <= {argument.name for argument in prompts[name].arguments or []}
    assert assistant.app is not None
    before = len(assistant.app.sandbox.requests)
    for tool, arguments in PLAYED[name]:
        asked = {key: value.format_map(values) if isinstance(value, str) else value for key, value in arguments.items()}
        assert await assistant.call(tool, **asked), (tool, asked)
    assert {request.method for request in assistant.app.sandbox.requests[before:]} <= {"GET"}


def test_every_routine_is_played_with_all_that_it_names():
    assert [*PLAYED] == [routine.name for routine in ROUTINES]
    for routine in ROUTINES:
        played = {f"report {asked['kind']}" if tool == "report" else tool for tool, asked in PLAYED[routine.name]}
        assert named_in(routine.steps) - ONLY_AFTER_A_YES == played, routine.name


def test_what_a_routine_may_write_with_is_named_for_after_a_yes_alone():
    for routine in ROUTINES:
        sentences = re.split(r"(?<=[.:])\s+", routine.steps)
        for name in named_in(routine.steps) & ONLY_AFTER_A_YES:
            said = next(sentence for sentence in sentences if name in sentence)
            assert re.search("When I tell you|only once I have said yes", said), (routine.name, name)
    assert {name for name in ONLY_AFTER_A_YES if entries()[name].risk != Risk.READ} == ONLY_AFTER_A_YES


@pytest.mark.parametrize("routine", ROUTINES, ids=lambda routine: routine.name)
async def test_who_picks_a_routine_and_who_is_asked_read_what_it_will_not_do(assistant: Assistant, routine: Any):
    offered = {prompt.name: prompt for prompt in (await assistant.client.list_prompts()).prompts}[routine.name]
    assert (offered.description or "").endswith(routine.limits)
    assert f"Limits: {routine.limits}" in await text_of(assistant, routine.name, {})
    assert "sends nothing" in routine.limits.lower()
    assert re.search("(?i)changes no|nothing until|books nothing|only once|it has asked", routine.limits)


def test_operations_named_in_a_routine_exist():
    for routine in ROUTINES:
        content = filled(routine.name, {}).messages[0].content
        assert isinstance(content, types.TextContent)
        known = operations().keys() | entries().keys()
        assert set(re.findall(r"\b(?:list|get|create|update|show|fill)_[a-z_]+", content.text)) <= known


async def test_every_argument_is_completed_and_every_time_that_is_offered_is_understood(assistant: Assistant):
    typed = {"patient": "lima", "appointment_type": "standard", "practitioner": "mei", "business": "north"}
    for prompt in (await assistant.client.list_prompts()).prompts:
        for argument in prompt.arguments or []:
            asked = {"name": argument.name, "value": typed.get(argument.name, "")}
            reference = types.PromptReference(name=prompt.name)
            assert (await assistant.client.complete(reference, asked)).completion.values, (prompt.name, argument.name)
    for name, phrases in TIMES.items():
        facing = Facing.AHEAD if name in ("day", "week") else Facing.BACK
        for phrase in phrases:
            if phrase != "yesterday":
                parse_when(
                    phrase, now=datetime.fromisoformat(NOW), zone="Australia/Sydney", country="AU", facing=facing
                )


async def test_a_patient_is_completed_from_the_third_letter_with_the_birth_date_that_tells_namesakes_apart(
    assistant: Assistant,
):
    assert assistant.app is not None
    reference = types.PromptReference(name="new_patient_intake")
    before = len(assistant.app.sandbox.requests)
    assert (await assistant.client.complete(reference, {"name": "patient", "value": "an"})).completion.values == []
    assert len(assistant.app.sandbox.requests) == before
    found = (await assistant.client.complete(reference, {"name": "patient", "value": "ana lima"})).completion.values
    assert found == ["Ana Lima, born 1984-03-17"]
    [row] = await assistant.rows("find_patients", query=found[0])
    assert row["id"] == "1104000000422323183"


async def test_a_patient_is_not_completed_where_patients_may_not_be_read():
    async with in_process(exclude_tools=("list_patients",)) as assistant:
        reference = types.PromptReference(name="new_patient_intake")
        assert (
            await assistant.client.complete(reference, {"name": "patient", "value": "lima"})
        ).completion.values == []
