"""What is generated from the registry is what the registry says, in the order it always had."""

import json
from collections.abc import Mapping

import pytest

from cliniko_mcp import manifest as manifest_module
from cliniko_mcp.cliniko.registry import RESOURCES, find, operations, resource
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.reference import host_reference
from cliniko_mcp.manifest import generated, manifest, out_of_date, project_root
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.tool import Tool
from cliniko_mcp.tools.views import META
from tests.laws.source import PACKAGE


@pytest.mark.long
def test_the_generated_files_are_up_to_date():
    assert out_of_date(generated(project_root()) | host_reference(project_root())) == []


def test_every_resource_module_is_in_the_registry_and_the_order_is_by_name():
    files = {path.stem for path in (PACKAGE / "cliniko" / "resources").glob("*.py")} - {"__init__"}

    assert set(RESOURCES) == files
    first, *others = RESOURCES
    assert first == "appointment_types"  # the children of appointment types stand after it
    misplaced = [name for name, due in zip(others, sorted(others), strict=True) if name != due]
    assert not misplaced, f"RESOURCES is not in the order of names: look at {misplaced[0]}"


def test_a_resource_module_that_the_registry_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch):
    known = tuple(name for name in RESOURCES if name not in ("taxes", "bookings"))
    monkeypatch.setattr(manifest_module, "RESOURCES", known)

    with pytest.raises(ConfigurationError, match=r"^bookings, taxes: .* RESOURCES of cliniko_mcp/cliniko/registry.py"):
        generated(project_root())


@pytest.mark.parametrize(
    ("names", "left_out", "place"),
    [("NAMES", "report", "tools/curated/__init__.py"), ("MODULES", "taxes", "sandbox/rules/__init__.py")],
)
def test_a_tool_or_rule_that_its_list_does_not_name_is_named(
    names: str, left_out: str, place: str, monkeypatch: pytest.MonkeyPatch
):
    known = tuple(name for name in getattr(manifest_module, names) if name != left_out)
    monkeypatch.setattr(manifest_module, names, known)

    with pytest.raises(ConfigurationError, match=rf"^{left_out}: .* {names} of cliniko_mcp/{place}"):
        generated(project_root())


def test_the_list_shows_curated_tools_first_then_the_catalogue_then_operations_by_resource():
    kinds = [entry.kind for entry in entries().values()]
    order = [entry.resource for entry in entries().values() if entry.kind == "operation"]

    assert kinds == sorted(kinds, key=["curated", "meta", "operation"].index)
    assert [name for name, entry in entries().items() if entry.kind == "meta"][: len(META)] == list(META)
    assert list(dict.fromkeys(order)) == list(RESOURCES)


def test_operations_stand_in_the_list_as_they_are_written():
    written = [operation.name for module in RESOURCES for operation in resource(module).operations()]

    assert [name for name, entry in entries().items() if entry.kind == "operation"] == written


def test_the_list_and_the_registry_know_the_same_operations():
    listed = {name for name, entry in entries().items() if entry.kind == "operation"}

    assert listed == operations().keys()
    assert all((found := find(name)) is not None and found.name == name for name in listed)


@pytest.mark.long
def test_the_manifest_is_the_same_however_often_it_is_made(tools: Mapping[str, Tool]):
    assert json.dumps(manifest(tools)) == json.dumps(manifest(tools))


@pytest.mark.long
def test_what_the_list_leaves_out_the_manifest_has(tools: Mapping[str, Tool]):
    rows = manifest(tools)["tools"]

    assert isinstance(rows, list)
    assert all(isinstance(row, dict) and row["outputSchema"] for row in rows)
