"""The house rules: who may import whom, and where the world outside is touched."""

import subprocess
import sys

import pytest

from tests.laws.source import Module, modules

FLOORS = (
    frozenset({"errors"}),
    frozenset({"codes", "fields", "keys", "listing", "private", "untrusted"}),
    frozenset({"filters", "model", "settings"}),
    frozenset({"account", "arguments", "content", "custom_fields", "phones", "repeats"}),
    frozenset({"operation"}),
    frozenset({"resources"}),
    frozenset({"registry"}),
    frozenset({"api", "sandbox", "when"}),
    frozenset({"guardrails"}),
    frozenset({"context", "frontdesk", "tools", "workflows"}),
    frozenset({"doctor", "export", "hosts", "house", "manifest"}),
    frozenset({"server", "transports"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""From the lowest to the highest: a module imports from its own floor and those below it."""

FOREIGN = {"api": {"sandbox"}, "sandbox": {"api"}}
"""On one floor, and strangers: the demo clinic would otherwise forgive what the client does wrong."""

ENVIRONMENT = {"os.environ", "os.getenv", "os.environb"}
PRINTS = ("print", "click.echo", "click.secho", "sys.exit")
CLOCKS = ("datetime.now", "datetime.utcnow", "date.today", "time.time", "datetime.datetime.now")
CHANCE = ("Random()", "SystemRandom(", "random.", "secrets.", "uuid.uuid4(", "uuid4(", "os.urandom(")
MAY_TELL_TIME = {"house", "cli"}
MAY_THROW_DICE = {"house", "cli"}
DICE = {
    "api.clinic": {"Random()"},  # the default for callers who do not care how retries are spread
    "guardrails.pin": {"secrets.token_bytes(16)"},  # a salt, which nothing ever needs to come out the same
}
HARMLESS = ("secrets.compare_digest(",)
SHAPELESS_FILES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
SHAPELESS_CLASSES = ("Manager", "Handler", "Util", "Utils", "Helper", "Helpers", "Data")
PRODUCTS = {"GoogleTagManager"}

named = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name or "cliniko_mcp")


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


def test_every_part_of_the_package_has_a_floor():
    parts = {module.part for module in modules()} - {"", "__init__"}

    assert parts <= frozenset[str]().union(*FLOORS)


@named
def test_a_module_imports_only_from_its_own_floor_and_those_below(module: Module):
    if module.part in ("", "__init__"):
        assert not module.parts_imported()
        return
    mine = floor_of(module.part)

    too_high = {part for part in module.parts_imported() if floor_of(part) > mine}

    assert not too_high
    assert not module.parts_imported() & FOREIGN.get(module.part, set())


def test_what_runs_without_a_client_does_not_load_the_mcp_sdk():
    """It takes three quarters of a second, which the commands for a shell and the demo clinic's port can do without."""
    parts = ("cli.sandbox", "doctor", "export", "house", "manifest", "sandbox.port", "transports")
    loaded = "sys.exit(str({'mcp', 'mcp_types'} & {*sys.modules}))"
    code = f"import sys, {', '.join(f'cliniko_mcp.{part}' for part in parts)}; {loaded}"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)

    assert done.stderr.strip() == "set()"


@named
def test_curated_tools_know_neither_the_protocol_nor_the_wire(module: Module):
    if module.part not in ("workflows", "frontdesk", "when", "operation", "model", "resources", "registry"):
        return

    roots = {name.split(".")[0] for name in module.imports()}

    assert not roots & {"mcp", "mcp_types", "httpx2", "httpcore2", "starlette"}


@named
def test_resources_do_not_import_one_anothers_operations(module: Module):
    if module.part != "resources":
        return

    siblings = {name for name in module.imports() if name.startswith("cliniko_mcp.cliniko.resources.")}

    assert not siblings


@named
def test_only_settings_read_the_environment(module: Module):
    if module.part == "settings":
        return

    assert not module.attributes() & ENVIRONMENT


@named
def test_only_the_command_line_prints_and_exits(module: Module):
    if module.part in ("cli", "__main__"):
        return

    assert not module.calls() & set(PRINTS)


@named
def test_the_clock_and_chance_come_in_through_arguments(module: Module):
    calls = module.calls()

    if module.part not in MAY_TELL_TIME:
        assert not calls & set(CLOCKS)
    if module.part not in MAY_THROW_DICE:
        thrown = {each for each in module.whole_calls() if each.startswith(CHANCE) and not each.startswith(HARMLESS)}
        assert thrown <= DICE.get(module.name, set())


@named
def test_files_and_classes_say_what_they_are_for(module: Module):
    assert module.path.stem not in SHAPELESS_FILES
    assert not {name for name in module.classes() - PRODUCTS if name.endswith(SHAPELESS_CLASSES)}


@named
def test_a_file_fits_into_one_reading(module: Module):
    assert module.lines <= 400


@named
def test_a_module_opens_with_what_it_is_for(module: Module):
    assert module.docstring
