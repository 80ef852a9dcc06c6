"""What the linters cannot say of the source: one test a rule, and every violation in one list.

Who may import whom is held by import-linter, the environment, the clock, chance and `print` by ruff, what is declared
against what is imported by deptry: see pyproject.toml. `.ci/run` runs all three.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from cliniko_mcp.cliniko.registry import operations
from tests.laws.source import ROOT, Module, modules, project
from tests.laws.violations import assert_none

SHAPELESS_FILES = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
SHAPELESS_CLASSES = ("Data", "Handler", "Helper", "Helpers", "Manager", "Util", "Utils")
PRODUCTS = {"GoogleTagManager"}

GETATTR = {
    "cli": "a click command in the module that has its name",
    "cliniko.models": "`value_of`, for a field whose name is data; the parts of an annotation",
    "private_files": "flags of `os.open` that not every platform has",
    "protocol.transports": "what the SDK's stream remembers of the last message",
}
"""Where an attribute's name is data or its owner foreign. Never on a record: every declared field has its type."""

CLIENT = ("cliniko_mcp.client.clinic.", "cliniko_mcp.client.transport.")
OPENED_BY = {
    "app": "opens the connection of a run, and hands it to guarded clinics alone",
    "open_apps": "opens the connections of a process, and hands them to apps alone",
    "client.": "the client itself",
    "directory.whose": "asks whose key it is, before there is a run with guards",
    "doctor.account": "examines an account before there is a run with guards",
    "doctor.key_trial": "tries a key before it is kept, before there is a run with guards",
    "guards.guarded_clinic": "the one road",
}
"""Who knows the client underneath the guards."""
BEHIND = {"_client", "_behind"}
"""The attributes in which `GuardedClinic` and `App` keep it."""

CASTS = {
    "cli.logs": "the parts of a group of exceptions",
    "client.responses": "an answer of Cliniko's",
    "cliniko.models": "a link inside a record as it came",
    "cliniko.calls": "the record that a shape promises, read from JSON",
    "sandbox.validation": "the body of a request as it came",
}
"""Where JSON enters, and what enters there."""

NAMED = (
    "cli.demo",  # a conversation through a real MCP client, which knows names alone
    "cliniko.resources.",  # what replaces a deprecated operation
    "sandbox.",  # below the wire: a rule belongs to a route, whose name test_rules.py holds against the routes
    "tools.views",  # what the core view lists, decided at start, before any resource is imported
)
"""Modules in which an operation may be named by a text: everywhere else its value says which one is meant."""

ZONES = "cliniko.time_zones"
UNSEEDED = {"client.clinic": "the default for callers who do not care how retries are spread"}
CITED = re.compile(r"(?<![\w/.-])(?P<path>[\w/.-]*\w\.md)(?:#(?P<anchor>[\w-]+))?")


def unused(exceptions: Mapping[str, str], used: set[str]) -> Iterator[str]:
    """Yield the exceptions that nothing needs any more."""
    yield from (f"{name} is an exception that nothing needs any more" for name in exceptions.keys() - used)


def test_a_file_fits_into_one_reading():
    assert_none(f"{module.place(module.lines)} is past 400 lines" for module in modules() if module.lines > 400)


@pytest.mark.long
def test_a_module_opens_with_what_it_is_for():
    assert_none(module.place(1) for module in modules() if not module.docstring)


def test_files_and_classes_say_what_they_are_for():
    shapeless = [module.place(1) for module in modules() if module.path.stem in SHAPELESS_FILES]
    for module in modules():
        names = ((line, name) for line, name in module.classes() if name not in PRODUCTS)
        shapeless += [f"{module.place(line)} {name}" for line, name in names if name.endswith(SHAPELESS_CLASSES)]

    assert_none(shapeless)


def test_no_field_of_a_record_is_read_by_its_name_in_a_text():
    places = [(module, line) for module in modules() for line, name, _ in module.calls() if name == "getattr"]
    wrong = [module.place(line) for module, line in places if module.name not in GETATTR]

    assert_none([*wrong, *unused(GETATTR, {module.name for module, _ in places})])


def test_a_field_whose_name_is_known_is_read_from_the_typed_record():
    assert_none(
        f"{module.place(line)} {ast.unparse(node)}"
        for module in modules()
        for line, name, node in module.calls()
        if name == "value_of"
        for argument in [*node.args[1:], *(keyword.value for keyword in node.keywords)]
        if isinstance(argument, ast.Constant)
    )


def test_the_client_underneath_is_out_of_reach_above_the_guards():
    knowing = [(module, line) for module in modules() for line, name in module.imports() if name.startswith(CLIENT)]
    used = {name for name in OPENED_BY for module, _ in knowing if f"{module.name}.".startswith(_whole(name))}
    wrong = [
        module.place(line)
        for module, line in knowing
        if not f"{module.name}.".startswith(tuple(map(_whole, OPENED_BY)))
    ]
    wrong += unused(OPENED_BY, used)
    wrong += [
        f"{module.place(line)} {owner}.{name}"
        for module in modules()
        for line, owner, name in module.attributes(*BEHIND)
        if owner != "self"
    ]
    wrong += [
        f"{module.place(line)} {name} gives it away"
        for module in modules()
        if module.name in ("app", "guards.guarded_clinic")
        for line, name, result in module.results()
        if not name.startswith("_") and re.search(r"\bClinic\b", result)
    ]

    assert_none(wrong)


def test_a_type_is_claimed_only_where_json_enters():
    places = [(module, line) for module in modules() for line, name, _ in module.calls() if name == "cast"]
    wrong = [module.place(line) for module, line in places if module.name not in CASTS]

    assert_none([*wrong, *unused(CASTS, {module.name for module, _ in places})])


def test_no_operation_is_named_by_a_text():
    known = operations().keys()
    guarded = [module for module in modules() if not f"{module.name}.".startswith(tuple(map(_whole, NAMED)))]

    assert_none(
        f"{module.place(line)} {text}" for module in guarded for line, text in module.strings() if text in known
    )


def _whole(prefix: str) -> str:
    return prefix if prefix.endswith(".") else f"{prefix}."


def test_a_time_zone_is_made_in_one_place():
    made = [(module, call) for module in modules() for call in module.calls() if call[1].endswith("ZoneInfo")]
    elsewhere = [(module, line, node.args) for module, (line, _, node) in made if module.name != ZONES]

    assert_none(
        module.place(line)
        for module, line, arguments in elsewhere
        if [getattr(argument, "value", None) for argument in arguments] != ["UTC"]
    )


def test_chance_has_a_seed():
    calls = [
        (module, call) for module in modules() for call in module.calls() if call[1] in ("Random", "random.Random")
    ]
    bare = [(module, line) for module, (line, _, node) in calls if not node.args]
    wrong = [module.place(line) for module, line in bare if module.name not in UNSEEDED]

    assert_none([*wrong, *unused(UNSEEDED, {module.name for module, _ in bare})])


@pytest.mark.long
def test_a_document_that_is_cited_is_in_the_repository():
    assert_none(
        f"{module.place(line)} {found[0]}"
        for module in project()
        if ".md" in module.text
        for line, text in module.remarks()
        for found in CITED.finditer(text)
        if not resolves(module, found["path"], found["anchor"])
    )


def resolves(module: Module, path: str, anchor: str | None) -> bool:
    """Whether the path leads to a page, from the project's folder, that of the documents or the module's own."""
    page = next(
        (folder / path for folder in (ROOT, ROOT / "docs", module.path.parent) if (folder / path).is_file()), None
    )
    return page is not None and (anchor is None or anchor in anchors(page))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What can stand after # in a link to this page: its headings as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


ENVIRONMENT = ("environ", "environb", "getenv")


def test_only_settings_read_the_environment():
    assert_none(
        f"{module.place(line)} {owner}.{name}"
        for module in modules()
        if module.name != "settings"
        for line, owner, name in module.attributes(*ENVIRONMENT)
        if owner == "os"
    )


CLI_ALONE = (
    "click.echo",
    "click.secho",
    "click.prompt",
    "click.confirm",
    "sys.exit",
    "exit",
    "quit",
    "os._exit",
)
"""Ruff bans a name in the whole project or in none of it, and these are for one folder."""


def test_only_the_command_line_prints_and_exits():
    assert_none(
        f"{module.place(line)} {name}"
        for module in modules()
        if module.name.split(".")[0] != "cli"
        for line, name, _ in module.calls()
        if name in CLI_ALONE
    )


DICE = {
    "approvals.pin": {"secrets.token_bytes(16)"},
    "account_pool": {"secrets.token_bytes(32)"},
    "protocol.bearer": {"secrets.token_urlsafe(32)"},
    "protocol.builtin_login": {"secrets.token_urlsafe(16)"},
}
"""A salt and a token, which nothing ever needs to come out the same."""


def test_chance_comes_in_through_arguments_but_for_what_assembles_a_run():
    assert_none(
        f"{module.place(line)} {ast.unparse(node)}"
        for module in modules()
        if module.name.split(".")[0] not in ("app", "cli")
        for line, name, node in module.calls()
        if name.startswith(("random.", "secrets.", "uuid.")) or name in ("uuid4", "os.urandom")
        if name != "secrets.compare_digest" and ast.unparse(node) not in DICE.get(module.name, set())
    )
