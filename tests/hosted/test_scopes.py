"""What a real server lists to whom in both eras, held against the registry, and its executors with every scope.

That each tool passes the gate with its scope alone is in tests/identity/test_every_tool.py.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx2
import pytest

from cliniko_mcp.identity.scopes import SCOPES
from tests.hosted.replicas import META, MODERN, ClinicApart, Older, clinic_apart, message_in, post, replicas
from tests.identity.test_every_tool import needs

pytestmark = pytest.mark.long
HELD = (0, 1, 2, 3)
EXECUTORS = {"cliniko_read": 1, "cliniko_write": 2, "cliniko_destroy": 3}
OPERATIONS = {
    "list_patients": (1, {}),
    "create_patient": (2, {"first_name": "Demo", "last_name": "Term"}),
    "archive_patient": (3, {"id": "1104000000422323183"}),
}
Sent = Callable[[int, str, dict[str, Any]], httpx2.Response]
"""The answer to this method with these parameters, of somebody who holds so many scopes, or whose token is unknown."""


@dataclass
class Stage:
    """A server for three people, and the clinic behind it."""

    clinic: ClinicApart
    sent: dict[str, Sent]
    """By era."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    known = {f"{held}": {"scopes": SCOPES[:held]} for held in HELD if held}
    with (
        clinic_apart("--rate-limit", "0") as clinic,
        replicas(
            tmp_path_factory.mktemp("scopes"),
            "",
            "--base-url",
            clinic.url,
            "--view",
            "all",
            people=known,
            number=1,
        ) as served,
    ):
        address = served.at(0)
        sessions = {0: "of nobody"} | {held: Older(address, f"{held}").session for held in HELD if held}

        def told(method: str, params: dict[str, Any]) -> dict[str, Any]:
            return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}

        def modern(held: int, method: str, params: dict[str, Any]) -> httpx2.Response:
            headers = {"mcp-protocol-version": MODERN, "mcp-method": method}
            headers |= {"mcp-name": params["name"]} if "name" in params else {}
            return post(address, f"{held}", told(method, {**params, "_meta": META}), **headers)

        def older(held: int, method: str, params: dict[str, Any]) -> httpx2.Response:
            headers = {"mcp-session-id": sessions[held], "mcp-protocol-version": "2025-11-25"}
            return post(address, f"{held}", told(method, params), **headers)

        yield Stage(clinic, {"2026-07-28": modern, "older": older})


@pytest.fixture(params=["2026-07-28", "older"])
def sent(request: pytest.FixtureRequest, stage: Stage) -> Sent:
    return stage.sent[request.param]


def expected(held: int, needed: int) -> int:
    return 401 if not held else 200 if held >= needed else 403


def test_the_list_tells_each_what_they_may_call_and_only_a_whole_one_may_be_kept(sent: Sent) -> None:
    listed = {held: message_in(sent(held, "tools/list", {}))["result"] for held in HELD if held}
    names = {held: {tool["name"] for tool in found["tools"]} for held, found in listed.items()}
    for held in (1, 2):
        assert names[held] == {name for name in names[3] if needs()[name] <= held}
        assert listed[held].get("ttlMs", 0) == 0, "it is longer once they logged in for more"
    assert {*EXECUTORS} <= names[3]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_executor_takes_its_scope_and_does_nothing_of_another(executor: str, sent: Sent, stage: Stage) -> None:
    stage.clinic.forget_requests()
    told: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for held, (operation, (needed, arguments)) in product(HELD, OPERATIONS.items()):
        answer = sent(
            held, "tools/call", {"name": executor, "arguments": {"operation": operation, "arguments": arguments}}
        )
        case = f"{operation} with {held} scopes"
        told[case] = kind(answer)
        status = expected(held, EXECUTORS[executor])
        passed = {1: "done", 2: "done", 3: "asked"}[needed] if needed == EXECUTORS[executor] else "invalid_arguments"
        wanted[case] = passed if status == 200 else f"{status}"
    assert told == wanted
    changes = stage.clinic.requests("POST")
    assert changes == ["/v1/patients"] * (2 if executor == "cliniko_write" else 0)


def kind(answer: httpx2.Response) -> str:
    """`done`, `asked`, the code of an error, or the status of a refusal."""
    if answer.status_code != 200:
        return f"{answer.status_code}"
    result = message_in(answer)["result"]
    if "inputRequests" in result:
        return "asked"
    code = json.loads(result["content"][0]["text"]).get("code", "done")
    return "asked" if code == "approval_needed" else code
