"""The registry against the compact table of facts: drift on either side names the line."""

from cliniko_mcp.cliniko.registry import operations
from tests.laws.facts import facts, written


def test_every_operation_has_its_line_and_every_line_its_operation():
    lines = {line[0].rstrip("!"): line for line in written()}
    missing = sorted(operations().keys() - lines.keys())
    unknown = sorted(lines.keys() - operations().keys())

    assert not missing, f"operations without a line in operations.csv: {missing}"
    assert not unknown, f"lines of operations.csv without an operation: {unknown}"


def test_every_operation_is_what_its_line_says():
    lines = {line[0].rstrip("!"): line for line in written()}

    drifted = {name: (lines[name], facts(one)) for name, one in operations().items() if lines[name] != facts(one)}

    assert not drifted, "\n".join(f"{name}: table {due}, registry {found}" for name, (due, found) in drifted.items())


def test_the_table_is_whole():
    lines = written()

    # How many there are in all stands in the README, and tests/docs holds it against the registry.
    assert len(lines) >= 211
    assert len({(method, path) for _, method, path, *_ in lines}) == len(lines)
    assert sum(line[0].endswith("!") for line in lines) == 27
    assert sum(len(line[3].split()) for line in lines) >= 461
    assert sum(len(line[4].split()) for line in lines) >= 500
