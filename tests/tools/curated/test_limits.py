"""Limits of the curated tools: declared once in each model, the same in the schema and in what is refused."""

from importlib import import_module
from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp.tools import curated
from cliniko_mcp.tools.tool import Tool

pytestmark = pytest.mark.anyio

LIMITED: dict[str, dict[str, Any]] = {
    "find_patients": {"query": "Lima"},
    "find_times": {"type": "Standard consult"},
    "show_diary": {},
    "fill_gap": {"practitioner": "Ng", "when": "tomorrow 10 to 10:30"},
    "report": {"kind": "no_shows"},
}


def limit_of(name: str) -> dict[str, Any]:
    tool: Tool = import_module(f"cliniko_mcp.tools.curated.{name}").tool
    properties: Any = tool.input_schema["properties"]
    return properties["limit"]


def test_these_are_all_the_tools_that_take_a_limit() -> None:
    tools = {name: import_module(f"cliniko_mcp.tools.curated.{name}").tool for name in curated.NAMES}
    assert {name for name, tool in tools.items() if "limit" in tool.input_schema["properties"]} == LIMITED.keys()


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("beyond", [-5, 0, None, 1000])
async def test_a_limit_beyond_its_bounds_is_refused_with_the_bounds(name: str, beyond: int | None) -> None:
    schema = limit_of(name)
    limit = schema["maximum"] + 1 if beyond is None else beyond
    async with in_process() as assistant:
        answer = await assistant.call(name, **LIMITED[name], limit=limit)
        assert answer["code"] == "invalid_arguments"
        assert list(answer["fields"]) == ["limit"]
        assert answer["schema"]["limit"] == schema


@pytest.mark.long_but_one
@pytest.mark.parametrize("name", LIMITED)
async def test_both_bounds_are_taken(name: str) -> None:
    schema = limit_of(name)
    async with in_process() as assistant:
        for limit in (1, schema["maximum"]):
            answer = await assistant.call(name, **LIMITED[name], limit=limit)
            assert "code" not in answer
            assert len(answer["items"]) <= limit


async def test_a_description_that_is_too_long_is_refused_before_anything_is_sent() -> None:
    async with in_process() as assistant:
        answer = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content="eA==", filename="a.txt", description="x" * 256
        )
        assert answer["code"] == "invalid_arguments" and list(answer["fields"]) == ["description"]
        assert assistant.app is not None and assistant.app.sandbox.requests == []
