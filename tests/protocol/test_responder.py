"""How a call is answered: its tool is looked up once, and a name that nobody knows is the protocol's error."""

from collections import Counter

import pytest
from mcp.shared.exceptions import MCPError

from cliniko_mcp.tools import catalogue
from cliniko_mcp.tools.catalogue import Catalogue
from tests.conftest import in_process

pytestmark = pytest.mark.anyio


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each tool and each operation was looked up."""
    counts: Counter[str] = Counter()
    find, find_operation = Catalogue.find, catalogue.find_operation

    def counted(self: Catalogue, name: str) -> object:
        counts[f"tool {name}"] += 1
        return find(self, name)

    def counted_operation(name: str) -> object:
        counts[f"operation {name}"] += 1
        return find_operation(name)

    monkeypatch.setattr(Catalogue, "find", counted)
    monkeypatch.setattr(catalogue, "find_operation", counted_operation)
    return counts


async def test_a_call_looks_its_tool_up_once_and_the_operation_only_the_first_time(looked_up: Counter[str]):
    async with in_process() as assistant:
        for calls in (1, 2):
            await assistant.call("list_patients", limit=1)
            assert looked_up == {"tool list_patients": calls, "operation list_patients": 1}


async def test_an_executor_looks_up_itself_and_what_it_runs(looked_up: Counter[str]):
    async with in_process() as assistant:
        await assistant.call("cliniko_read", operation="list_taxes", arguments={})

    assert looked_up == {"tool cliniko_read": 1, "tool list_taxes": 1, "operation list_taxes": 1}


@pytest.mark.long
async def test_a_name_of_no_tool_is_an_error_of_the_protocol_and_an_excluded_one_an_answer():
    async with in_process(exclude_tools=("list_patients", "find_times")) as assistant:
        with pytest.raises(MCPError, match="no tool called get_pateint"):
            await assistant.client.call_tool("get_pateint", {"id": "1"})
        for name, arguments in (("list_patients", {}), ("find_times", {"type": "Massage"})):
            assert (await assistant.call(name, **arguments))["code"] == "not_allowed"
        answer = await assistant.call("cliniko_read", operation="get_pateint", arguments={})

    assert answer["code"] == "unknown_tool"
    assert "get_patient" in answer["suggestions"]
