"""What an assistant sent comes back without characters that nobody sees, in answers and in errors alike."""

import json
import unicodedata
from typing import Any

import pytest
from conftest import YES, Assistant, in_process

pytestmark = pytest.mark.anyio

SLY = "Ana\u202e\u200b\x07 Lima"
"""Runs backwards from the fourth letter on, with a space of no width and a bell."""


async def said(assistant: Assistant, name: str, arguments: dict[str, Any]) -> str:
    result = await assistant.client.call_tool(name, arguments)
    text: str = result.content[0].text  # pyright: ignore[reportAttributeAccessIssue]
    assert json.loads(text) == result.structured_content
    return "".join(strings(json.loads(text)))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in strings(one)]
    return [text for one in value for text in strings(one)] if isinstance(value, list) else [str(value)]


def unseen(text: str) -> list[str]:
    return [f"U+{ord(character):04X}" for character in text if unicodedata.category(character)[0] == "C"]


async def test_the_note_of_a_cancellation() -> None:
    async with in_process(answer=YES) as assistant:
        listed = await assistant.call("cancel_appointment", appointment="Ana Lima", reason="sick")
        own = listed["candidates"][0]["id"]
        answer = await assistant.call("cancel_appointment", appointment=own, reason="sick", note=SLY)
        assert answer["note"] == "Ana Lima"
        assert unseen("".join(strings(answer))) == []


@pytest.mark.long
async def test_every_argument_of_every_tool_in_an_error() -> None:
    async with in_process(view="all") as assistant:
        for tool in (await assistant.client.list_tools()).tools:
            for name in tool.input_schema.get("properties", {}):
                for value in (SLY, [SLY], {SLY: SLY}):
                    found = unseen(await said(assistant, tool.name, {name: value}))
                    assert found == [], (tool.name, name, value)


@pytest.mark.parametrize("name", ["cancel_appointment", "archive_patient", "cliniko_read", "list_patients"])
async def test_the_name_of_an_argument_that_does_not_exist(name: str) -> None:
    async with in_process() as assistant:
        told = await said(assistant, name, {SLY: 1})
        assert "is not an argument" in told and unseen(told) == []
