"""The names beside ids: of everybody who works or worked here, and of nobody whose list is switched off."""

from typing import Any

import pytest

from cliniko_mcp.results.names import REFERENCES
from tests.conftest import Assistant, in_process

pytestmark = pytest.mark.anyio


async def visits_of(assistant: Assistant, practitioner: str) -> dict[str, Any]:
    return await assistant.call("list_individual_appointments", practitioner_id=practitioner, limit=2)


async def test_who_has_left_is_named_beside_their_visits():
    async with in_process() as assistant:
        left = await assistant.rows("list_inactive_practitioners", detail="full")
        answers = [await visits_of(assistant, who["id"]) for who in left]

    named = {name for answer in answers for name in answer.get("names", {}).get("practitioner_id", {})}
    assert named
    assert named <= {who.get("display_name") or who["label"] for who in left}


@pytest.mark.parametrize(
    "flags", [{"exclude_tools": ("list_practitioners",)}, {"tools": ("list_individual_appointments",)}]
)
async def test_the_ids_stand_alone_where_the_list_of_names_is_switched_off(flags: dict[str, Any]):
    async with in_process(**flags) as assistant:
        answer = await assistant.call("list_individual_appointments", limit=2)

    assert "practitioner_id" not in answer.get("names", {})
    assert all(row["practitioner_id"] and "practitioner" not in row for row in answer["items"])


async def test_who_works_here_is_named_where_only_the_list_of_those_who_left_is_switched_off():
    async with in_process(exclude_tools=("list_inactive_practitioners",)) as assistant:
        works_here = await assistant.first("list_practitioners", limit=1)
        left = await somebody_who_left()
        answers = [await visits_of(assistant, who) for who in (works_here["id"], left)]

    assert answers[0]["names"]["practitioner_id"]
    assert "practitioner_id" not in answers[1].get("names", {})
    assert {row["practitioner_id"] for row in answers[1]["items"]} == {left}


async def somebody_who_left() -> str:
    """The id of somebody who left and has visits."""
    async with in_process() as assistant:
        for who in await assistant.rows("list_inactive_practitioners"):
            if (await visits_of(assistant, who["id"]))["items"]:
                return who["id"]
    raise LookupError("nobody who left has visits")


def test_every_reference_names_lists_that_can_be_read_by_id():
    for field, reference in REFERENCES.items():
        operation = reference.current().operation
        assert field == f"{reference.noun}_id"
        assert "id" in operation.filters
