"""docs/stability.md keeps its word: no public name goes without an announcement; its lists are those of the code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp.directory.login_log import LoginLog
from cliniko_mcp.guards.audit import FIELDS
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.manifest import all_tools, project_root, public_tools
from cliniko_mcp.public_names import PublicTool, public_names, removed, snapshot, stability_page, unannounced
from cliniko_mcp.shared_state.logins import LoginEvent
from tests.laws.source import PACKAGE

CHANGELOG = """# Changelog

## [0.3.0]

### Upgrading
- `find_patients` takes `query` no more; the variable `CLINIKO_MCP_OLD` is gone.

### Fixed
- `rung` reads better.

## [0.2.0]

### Upgrading
- `phone` is gone.
"""


@pytest.fixture(scope="module")
def tools() -> list[PublicTool]:
    return public_tools(all_tools())


def test_no_name_of_the_last_release_is_gone_without_an_announcement(tools: list[PublicTool]):
    root = project_root()
    gone = removed(snapshot(root), public_names(tools))
    left = unannounced(gone, (root / "CHANGELOG.md").read_text("utf-8"))
    assert left == [], "name these under Upgrading in CHANGELOG.md, or bring them back"


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (["find_patients.query", "CLINIKO_MCP_OLD"], []),
        (["find_patients.limit"], ["find_patients.limit"]),
        (["rung"], ["rung"]),
        (["phone"], ["phone"]),
    ],
)
def test_only_the_newest_part_on_upgrading_announces(gone: list[str], left: list[str]):
    assert unannounced(gone, CHANGELOG) == left


def test_a_name_that_went_is_noticed_and_one_that_came_is_not():
    before: Mapping[str, list[str]] = {"arguments": ["find_times.type", "find_times.when"], "tools": ["a"]}
    today: Mapping[str, list[str]] = {"arguments": ["find_times.kind", "find_times.type"], "tools": ["a", "b"]}
    assert removed(before, today) == ["find_times.when"]


def test_the_fields_of_typed_answers_are_promised_as_paths():
    rows = {"type": "array", "items": {"type": "object", "properties": {"id": {}, "patient": {"type": "object"}}}}
    answers: dict[str, Any] = {"type": "object", "properties": {"items": rows, "done": {}}}
    tool = PublicTool("x", {}, answers, of_cliniko=False)
    assert public_names([tool])["answers"] == ["x.done", "x.items", "x.items.id", "x.items.patient"]


def test_the_page_says_what_the_code_says(tools: list[PublicTool]):
    page = (project_root() / "docs" / "stability.md").read_text("utf-8")
    assert stability_page(page, tools) == page
    # Every list found its place in the page.
    assert page.count("| name | |\n") + page.count("None yet.") == page.count("<!-- end of ") == 6


@pytest.mark.anyio
async def test_a_line_of_the_audit_log_has_no_field_that_is_not_promised(tmp_path: Path):
    log = tmp_path / "audit.jsonl"
    async with in_process(audit_file=str(log), approval_wait=0) as assistant:
        patient = await assistant.first("list_patients", limit=1)
        await assistant.call("update_patient", id=patient["id"], notes="x")
        await assistant.call("create_patient", first_name="A", last_name="B")
        await assistant.call("archive_patient", id=patient["id"])
        visit = await assistant.first("list_individual_appointments", limit=1)
        await assistant.call("update_individual_appointment", id=visit["id"], starts_at="1999-01-01T09:00:00Z")
        await assistant.call("patient_brief", patient=patient["id"])
        assert assistant.app is not None
        await assistant.app.call("list_patients", {"limit": 1}, Caller(name="Ana Lima"))
    told = LoginLog(LocalLog(HashChain(log)), lambda: 1_800_000_000.0, "builtin")
    await told(LoginEvent("granted", "au1:1:1", "Claude", "0123456789", "cliniko:read"))
    seen = {name for entry in HashChain(log).entries() for name in entry}
    # A second person's yes takes a server for many: tests/hosted/test_issuer_page.py.
    assert set(FIELDS) - {"rung", "approved_by"} == seen


def test_no_command_ends_with_a_number_of_its_own():
    numbers = [
        path.name
        for path in (PACKAGE / "cli").glob("*.py")
        for words in ("sys.exit(", "SystemExit(", "os._exit(")
        if words in path.read_text("utf-8")
    ]
    assert numbers == ["output.py"]
