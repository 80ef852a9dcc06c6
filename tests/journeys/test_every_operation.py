"""Each of the 211 operations, called through a real MCP client against the demo clinic."""

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from conftest import YES, Assistant, in_process
from jsonschema import Draft202012Validator
from sandbox.full_bodies import BODIES, SPECIAL
from sandbox.world import World

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.results.budget import size
from cliniko_mcp.results.rows import FREE_TEXT
from cliniko_mcp.tools.schema import display_arguments

pytestmark = pytest.mark.anyio
OPERATIONS = list(registry.operations().values())
DATE_AND_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d (Mon|Tue|Wed|Thu|Fri|Sat|Sun)")


def arguments(world: World, operation: Operation) -> dict[str, Any]:
    """Good arguments for this operation, with ids of this clinic; what destroys gets a record of its own."""
    own = world.make(operation.resource) if operation.method != "GET" and "id" in operation.path_ids else None
    if operation.shape == "unarchive":
        world.client.post(f"/{operation.resource}/{own}/archive", status=204)
    steps = zip(operation.path.split("/"), world.path(operation, own).split("/"), strict=True)
    values: dict[str, Any] = {name.strip("{}"): value for name, value in steps if name.startswith("{")}
    if operation.shape in ("update", "create"):
        known = set(operation.given_body.wire_names().values()) if operation.given_body else set()
        full = SPECIAL.get(operation.name, BODIES.get(operation.resource))
        assert full is not None, f"no body for {operation.name}: add one to BODIES in tests/sandbox/full_bodies.py"
        values |= {name: value for name, value in full(world).items() if name in known and value is not None}
    if operation.shape == "cancel":
        values |= {"cancellation_reason": "sick", "cancellation_note": "Called"}
    if operation.query:
        values |= {"from": "2026-11-30", "to": "2026-12-04"}
    return values


@pytest.fixture(scope="module")
async def assistant() -> AsyncGenerator[tuple[Assistant, World]]:
    world = World()
    # With the output schemas listed, the client itself holds every answer to them.
    async with in_process(answer=YES, view="all", output_schemas=True) as one:
        assert one.app is not None
        one.app.use_sandbox(world.sandbox)
        listed = await one.client.list_tools()
        assert all(tool.output_schema for tool in listed.tools)
        yield one, world


@pytest.mark.long_but_one
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_every_operation_can_be_called_as_a_tool(
    assistant: tuple[Assistant, World], operation: Operation
) -> None:
    client, world = assistant
    values = arguments(world, operation)
    tool = client.app.catalogue.find(operation.name) if client.app else None
    assert tool is not None
    before = len(client.asked)
    answer = await client.call(operation.name, **values)
    assert "code" not in answer, answer
    if operation.listing:
        assert answer["page"]["complete"] or answer["page"]["next_cursor"]
    elif operation.record is None:
        assert answer["done"]
    else:
        assert answer["item"]
    # The sample relates other patients than before, which is asked about; no other sample takes anything away.
    asked = operation.risk == "destructive" or operation.name == "update_relationship"
    assert len(client.asked) - before == asked


def inside(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a row with its place."""
    yield at, value
    if isinstance(value, dict):
        for name, below in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from inside(below, f"{at}.{name}")
    elif isinstance(value, list):
        for below in value:  # pyright: ignore[reportUnknownVariableType]
            yield from inside(below, f"{at}[]")


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.listing], ids=lambda operation: operation.name
)
async def test_every_list_answers_in_the_one_envelope_and_counts_what_it_lists(
    assistant: tuple[Assistant, World], operation: Operation
) -> None:
    client, world = assistant
    values = arguments(world, operation)
    shapes: list[dict[str, Any]] = [{}, {"limit": 1000}, {"limit": 2}]
    shapes += [{"detail": "full", "limit": 1000}] if "detail" in display_arguments(operation) else []
    for shape in shapes:
        answer = await client.call(operation.name, **values, **shape)
        page = answer["page"]
        assert {*answer} <= {"items", "page", "names", "notes", "now", "time_zone"}
        assert page["returned"] == len(answer["items"]) <= shape.get("limit", 50)
        assert page["complete"] == ("next_cursor" not in page)
        assert page["complete"] or any("call again with next_cursor" in note for note in answer["notes"])
        assert size(answer) <= (8_000 if shape else 2_000)
        assert LOCAL.fullmatch(answer["now"])
        for place, value in [found for row in answer["items"] for found in inside(row)]:
            name = place.rpartition(".")[2].removesuffix("[]")
            assert value not in (None, "", [], {}), place
            assert name not in ("links", "cancellation_url", "telehealth_url"), place
            assert name not in FREE_TEXT or ".free_text" in place, place
            if isinstance(value, str) and ".free_text" not in place and DATE_AND_TIME.match(value):
                assert LOCAL.fullmatch(value), place
        counted = await client.call("count_records", operation=operation.name, arguments=values)
        assert counted["count"] == page["total"]
        assert page["total"] == page["returned"] or not page["complete"]


async def test_the_arguments_used_here_fit_the_listed_schemas(assistant: tuple[Assistant, World]) -> None:
    client, world = assistant
    assert client.app is not None
    for operation in OPERATIONS:
        if operation.method == "GET":
            tool = client.app.catalogue.find(operation.name)
            assert tool is not None
            values = arguments(world, operation)
            assert list(Draft202012Validator(tool.input_schema).iter_errors(values)) == []
