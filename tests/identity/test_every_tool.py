"""Every tool with every scope in both eras, at the gate and at the guard, held against the registry."""

import json
from collections.abc import Mapping

import anyio
import pytest

from cliniko_mcp.cliniko.calls import Call, Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.errors import NotAllowed
from cliniko_mcp.guards.pipeline import Caller, GuardedCall
from cliniko_mcp.guards.scopes import Scopes
from cliniko_mcp.identity.gate import Gate
from cliniko_mcp.identity.person import Person
from cliniko_mcp.identity.scopes import SCOPES, allowed
from cliniko_mcp.tools.curated import NAMES
from cliniko_mcp.tools.index import entries
from tests.guards.gate import on_its_way
from tests.identity.requests import Behind, Known, answered

CURATED = {
    "clinic_overview": 1, "find_patients": 1, "find_times": 1, "fill_gap": 1, "patient_brief": 1, "report": 1,
    "read_patient_attachment": 1, "show_diary": 1, "block_time": 2, "book_appointment": 2, "move_appointment": 2,
    "register_patient": 2, "set_attendance": 2, "upload_patient_attachment": 2, "write_treatment_note": 2,
    "cancel_appointment": 3,
}  # fmt: skip
CATALOGUE = {"count_records": 1, "cliniko_describe": 1, "cliniko_read": 1, "cliniko_write": 2, "cliniko_destroy": 3}


def needs() -> Mapping[str, int]:
    """How many of the scopes each tool takes, by what the registry says of operations and a person of the others."""
    found = {
        name: 3 if operation.risk is Risk.DESTRUCTIVE else 2 if operation.changes else 1
        for name, operation in operations().items()
    }
    return found | CURATED | CATALOGUE


def test_every_tool_has_its_place_in_this_table() -> None:
    assert needs().keys() == entries().keys()
    assert CURATED.keys() == {*NAMES}


@pytest.mark.parametrize("held", [None, 1, 2, 3])
@pytest.mark.parametrize("era", ["headers", "body"])
def test_the_gate_lets_every_tool_pass_exactly_with_its_scope(held: int | None, era: str) -> None:
    person = Person("https://i", "ana", scopes=frozenset(SCOPES[: held or 0]))
    gate = Gate(Behind(), Known({"t": person}), max_body_bytes=4096)
    wrong: list[str] = []

    async def play() -> None:
        for tool, needed in needs().items():
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}}
            headers = [("authorization", "Bearer t")] if held else []
            if era == "headers":
                headers += [("mcp-method", "tools/call"), ("mcp-name", tool)]
            answer = await answered(gate, "/mcp", headers, json.dumps(message).encode())
            expected = 401 if held is None else 200 if held >= needed else 403
            if answer.status != expected:
                wrong.append(f"{tool}: {answer.status}")

    anyio.run(play)
    assert wrong == []


@pytest.mark.parametrize("held", [1, 2, 3])
def test_the_guard_refuses_every_operation_beyond_the_scope_whatever_tool_it_is_reached_by(held: int) -> None:
    may = allowed(SCOPES[:held])
    assert may is not None
    passed: dict[str, int] = {}

    async def play() -> None:
        for name, operation in operations().items():
            guarded: GuardedCall = on_its_way(Call(operation), Caller(may=may), tool="cliniko_read")
            try:
                async with Scopes()(guarded):
                    passed[name] = 1
            except NotAllowed as refused:
                assert refused.details["scope"] == SCOPES[needs()[name] - 1]

    anyio.run(play)
    assert passed.keys() == {name for name in operations() if needs()[name] <= held}


@pytest.mark.parametrize(
    ("tool", "held", "beyond"),
    [
        ("update_patient", 1, "change anything"),
        ("archive_patient", 1, "archive, delete, cancel or take as much away"),
        ("archive_patient", 2, "archive, delete, cancel or take as much away"),
    ],
)
def test_who_is_refused_is_told_what_their_access_is_not_enough_for(tool: str, held: int, beyond: str) -> None:
    may = allowed(SCOPES[:held])
    assert may is not None
    guarded: GuardedCall = on_its_way(Call(operations()[tool]), Caller(may=may), tool="cliniko_write")

    async def play() -> None:
        async with Scopes()(guarded):
            raise AssertionError("it was let pass")

    with pytest.raises(NotAllowed, match=rf": this person's access to the clinic is not enough to {beyond}\.$"):
        anyio.run(play)
