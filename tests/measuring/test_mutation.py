"""The mutants of the guards: no module is left out, and what is explained is a mutant that there is."""

from pathlib import Path

import pytest

from benchmarks.guard_tests import TESTS
from benchmarks.mutants import mutants
from benchmarks.mutation import EXPLAINED, PACKAGE, ROOT


def names(module: str) -> list[str]:
    """The names of a module's mutants."""
    text = (ROOT / PACKAGE / f"{module.replace('.', '/')}.py").read_text("utf-8")
    return [mutant.name for mutant in mutants(text)]


@pytest.mark.parametrize("floor", ["guards", "approvals"])
def test_every_module_of_the_guards_in_which_a_mistake_can_be_made_has_its_tests_named(floor: str) -> None:
    modules = [f"{floor}.{path.stem}" for path in sorted((ROOT / PACKAGE / floor).glob("*.py"))]
    assert [module for module in modules if module not in TESTS and names(module)] == []


def test_every_test_that_is_named_exists_and_every_module_too() -> None:
    named = {f"tests/{name}" for tests in TESTS.values() for name in tests}
    modules = {f"{PACKAGE}/{module.replace('.', '/')}.py" for module in TESTS}
    assert [name for name in sorted(named | modules) if not Path(ROOT, name).is_file()] == []


@pytest.mark.long
def test_what_is_explained_is_a_mutant_that_there_is_with_its_reason() -> None:
    explained = [line.partition("  because  ") for line in EXPLAINED.read_text("utf-8").splitlines()]
    assert all(reason for _, _, reason in explained)
    lines = [mutant for mutant, _, _ in explained]
    assert len(lines) == len(set(lines))
    there = {f"{module}  {name}" for module in {line.partition("  ")[0] for line in lines} for name in names(module)}
    assert [line for line in lines if line not in there] == []
