"""Scopes by risk, held against the registry of operations and not against the list that the gate reads."""

from itertools import combinations

import pytest

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.identity.scopes import DESTROY, READ, SCOPES, WRITE, allowed, grants, needed, risk_of_tool

RANK = {Risk.READ: 1, Risk.WRITE: 2, Risk.DESTRUCTIVE: 3}


def test_every_operation_needs_the_scope_of_its_risk() -> None:
    for operation in operations().values():
        expected = DESTROY if operation.risk is Risk.DESTRUCTIVE else WRITE if operation.changes else READ
        assert needed(risk_of_tool(operation.name))[-1] == expected, operation.name


def test_a_curated_tool_needs_what_the_riskiest_of_its_work_does_and_an_executor_its_tier() -> None:
    tools = ("find_patients", "report", "book_appointment", "block_time", "upload_patient_attachment")
    assert [needed(risk_of_tool(tool))[-1] for tool in tools] == [READ, READ, WRITE, WRITE, WRITE]
    tools = ("cancel_appointment", "cliniko_describe", "cliniko_read", "cliniko_write", "cliniko_destroy")
    assert [needed(risk_of_tool(tool))[-1] for tool in tools] == [DESTROY, READ, READ, WRITE, DESTROY]
    assert risk_of_tool("get_attachment_presigned_post") is Risk.WRITE


@pytest.mark.parametrize("held", [frozenset(chosen) for size in range(4) for chosen in combinations(SCOPES, size)])
def test_a_scope_implies_those_before_it(held: frozenset[str]) -> None:
    rank = max((SCOPES.index(scope) + 1 for scope in held), default=0)
    most = allowed(held | {"openid", "cliniko:admin"})
    assert (RANK[most] if most else 0) == rank
    for risk, needs in RANK.items():
        assert grants(held, risk) is (rank >= needs)
        assert grants(needed(risk), risk)
