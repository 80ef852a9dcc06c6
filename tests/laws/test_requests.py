"""What people say for each operation, in `tools/requests`: a file a resource, a table an operation, nothing besides."""

import tomllib
from functools import cache
from typing import Any

from cliniko_mcp.cliniko.registry import RESOURCES, resource
from cliniko_mcp.tools.curated import NAMES
from cliniko_mcp.tools.index import entries
from tests.laws.every import OPERATIONS
from tests.laws.source import PACKAGE
from tests.laws.violations import assert_none

FOLDER = PACKAGE / "tools" / "requests"
PARTS = {"examples", "fields", "synonyms"}


@cache
def tables(name: str) -> dict[str, dict[str, Any]]:
    """The tables of one file, by operation or tool."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def test_there_is_a_file_for_each_resource_one_for_the_curated_tools_and_one_for_what_cliniko_does_not_offer():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {*RESOURCES, "curated", "elsewhere"}


def test_every_operation_that_is_not_deprecated_has_its_table_and_every_table_its_operation():
    for name in RESOURCES:
        known = {operation.name: operation for operation in resource(name).operations()}
        live = {operation.name for operation in known.values() if not operation.deprecated}

        assert_none(f"{name}.toml has no table {missing}" for missing in live - tables(name).keys())
        assert_none(f"{name}.toml: there is no operation {unknown}" for unknown in tables(name).keys() - known)
    assert tables("curated").keys() == {*NAMES}


def test_a_table_holds_what_the_look_up_reads():
    found = {name: table for file in (*RESOURCES, "curated") for name, table in tables(file).items()}

    assert_none(f"{name}: {part}" for name, table in found.items() for part in table.keys() - PARTS)
    assert_none(
        f"{name} has no argument {field}"
        for name, table in found.items()
        for field in table.get("fields", {}).keys() - entries()[name].input_schema["properties"]  # pyright: ignore[reportOperatorIssue]
    )


def test_every_live_operation_has_words_that_people_say_for_it():
    live = [operation for operation in OPERATIONS if not operation.deprecated]
    written = {operation.name: tables(operation.resource).get(operation.name, {}) for operation in live}

    assert_none(f"{name} has no synonyms" for name, table in written.items() if not table.get("synonyms"))
    assert_none(
        f"{name} has fewer than three examples" for name, table in written.items() if len(table.get("examples", ())) < 3
    )
