"""Names, descriptions and hints: what a model chooses by, and what a host trusts; and the words of the code itself."""

import ast
import re
from collections import Counter
from typing import Any

import pytest

from cliniko_mcp.cliniko.operations import Operation, Risk
from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.protocol.server import INSTRUCTIONS, instructions
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.views import CORE, META
from tests.laws.every import ENTRIES, OPERATIONS
from tests.laws.source import Module, modules, project
from tests.laws.violations import assert_none

NAME = re.compile(r"[a-z][a-z0-9_]{0,44}")
SHOUTED = re.compile(r"\b(IMPORTANT|WARNING|NOTE|MUST|NEVER|ALWAYS|CRITICAL|DO NOT)\b|!!|⚠")
MENTIONED = re.compile(r"\b(?:list|get|create|update|archive|unarchive|delete|cancel)_[a-z_]+")
MAX_CHARACTERS = 2_048
"""Hosts cut longer strings without a word."""
HINTS = {"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}


def strings_in(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list() | tuple():
            return [text for inside in value for text in strings_in(inside)]
        case dict():
            return [text for inside in value.values() for text in strings_in(inside)]
        case _:
            return []


def test_a_name_is_plain_and_short():
    assert_none(entry.name for entry in ENTRIES if not NAME.fullmatch(entry.name))


def test_no_two_tools_share_a_name_or_a_description():
    names = Counter(entry.name for entry in ENTRIES)
    descriptions = Counter(entry.description for entry in ENTRIES)

    assert_none(text for text, times in (names + descriptions).items() if times > 1)


def test_the_name_begins_with_what_the_operation_does():
    def well_named(operation: Operation) -> bool:
        verb = operation.name.partition("_")[0]
        due = {"conflicts": "get", "list": "list"}.get(operation.shape, operation.shape)
        return verb == due or (operation.deprecated and verb in ("delete", "list", "get"))

    assert_none(operation.name for operation in OPERATIONS if not well_named(operation))


def test_a_description_is_a_few_sentences_in_plain_words():
    def plain(text: str) -> bool:
        return 20 <= len(text) <= 300 and text[0].isupper() and text.endswith(".") and not SHOUTED.search(text)

    assert_none(f"{one.name}: {one.description}" for one in OPERATIONS if not plain(one.description))


def test_no_text_is_so_long_that_hosts_cut_it():
    assert_none(
        f"{entry.name}: {text}"
        for entry in ENTRIES
        for text in [entry.description, entry.title, *strings_in(dict(entry.input_schema))]
        if len(text) > MAX_CHARACTERS
    )


def test_the_instructions_are_not_cut_either():
    fullest = instructions(Settings(sandbox=True, read_only=True, confirm="block"))
    assert fullest.startswith(INSTRUCTIONS)
    assert "demo clinic" in fullest
    assert len(fullest) <= MAX_CHARACTERS


def test_the_hints_say_what_the_risk_is():
    def right(entry: Entry) -> bool:
        hints = entry.annotations
        return (
            set(hints) == HINTS
            and hints["title"] == entry.title != ""
            and hints["readOnlyHint"] is (entry.risk == Risk.READ)
            and hints["destructiveHint"] is (entry.risk == Risk.DESTRUCTIVE)
            and isinstance(hints["idempotentHint"], bool)
            and not (hints["readOnlyHint"] and not hints["idempotentHint"])
            and hints["openWorldHint"] is True
        )

    assert_none(f"{entry.name}: {entry.risk}, {dict(entry.annotations)}" for entry in ENTRIES if not right(entry))


def test_a_curated_tool_is_no_less_risky_than_what_it_needs():
    order = [Risk.READ, Risk.WRITE, Risk.DESTRUCTIVE]

    assert_none(
        f"{entry.name} says {entry.risk} but needs {need}, which is {operations()[need].risk}: give curated() that risk"
        for entry in ENTRIES
        for need in entry.needs
        if order.index(Risk(entry.risk)) < order.index(operations()[need].risk)
    )


def test_the_risk_follows_from_the_request():
    def due(operation: Operation) -> Risk:
        last = operation.path.rsplit("/", 1)[-1]
        destroys = operation.method == "DELETE" or last in ("archive", "cancel")
        return Risk.READ if operation.method == "GET" else Risk.DESTRUCTIVE if destroys else Risk.WRITE

    assert_none(f"{one.name} is {one.risk}, not {due(one)}" for one in OPERATIONS if one.risk is not due(one))


def test_what_replaces_a_deprecated_operation_is_alive_and_named_in_its_description():
    def well_replaced(operation: Operation) -> bool:
        successor = operations().get(operation.replaced_by or "")
        return (
            successor is not None
            and not successor.deprecated
            and successor.risk is operation.risk
            and f"use {successor.name}" in operation.description
        )

    assert_none(one.name for one in OPERATIONS if one.deprecated and not well_replaced(one))


def test_names_of_tools_in_a_description_exist():
    assert_none(
        f"{entry.name}: {name}"
        for entry in ENTRIES
        if entry.name not in META
        for name in {*MENTIONED.findall(entry.description)} - entries().keys()
    )


def test_the_core_view_names_tools_that_exist():
    assert set(CORE) <= entries().keys()
    assert set(META) <= entries().keys()


RENAMED = {
    "anew": "again",
    "ere": "before",
    "gathered": "collect",
    "heir": "what replaces it",
    "hitherto": "until now",
    "house": "app",
    "lest": "so that ... not",
    "meeting": "local_ipc",
    "naught": "nothing",
    "rung": "channel",
    "saying": "format",
    "settle": "resolve",
    "soil": "builder",
    "stranger": "unknown",
    "strangers": "unknown arguments, unexpected values",
    "turn_over": "rotate",
    "upon": "on",
    "workflow": "curated tool",
    "workflows": "curated tools",
}
"""Names of our own that have become the field's, by what stands for them now."""

NOUNS = {
    "asked": "question",
    "both": "run_concurrently, or the noun of the things",
    "given": "arguments",
    "said": "phrase",
    "together": "run_concurrently",
}
"""Words that are good verbs, adverbs and names of tests, and no names of a thing in the package."""

MODULES = {
    "chain": "hash_chain",
    "desk": "guarded_clinic, context",
    "drift": "unexpected values",
    "gates": "permissions",
    "offers": "appointment_offers",
    "outcomes": "booking_answers",
    "people": "roster",
    "permitted": "partial_reads",
    "places": "paths",
    "present": "serialise",
    "reader": "token_stream",
    "shapes": "handlers",
    "targets": "find_booking",
    "waiting": "gap_candidates",
    "word": "notices",
    "words": "vocabulary",
}
"""Names that say too little for a module, and enough for a variable."""

HOMES = {"cli.people", "cliniko.shapes"}
"""The command that is called so; the shapes of content, custom fields and phones, which are."""
LIMIT = re.compile(r"_?MOST(_|$)")
CLASSES = re.compile(r"House|Desk$|Rung|Workflow|Soil|Stranger|Meeting")


@pytest.mark.long
def test_no_loop_calls_its_variable_each():
    assert_none(
        f"{module.place(line)} each: name the thing"
        for module in project()
        for line, name, _ in module.bound_names()
        if name == "each"
    )


@pytest.mark.long
def test_things_have_the_words_of_the_field():
    def instead(module: Module, name: str, node: ast.AST) -> str | None:
        bare = name.strip("_").casefold()
        if isinstance(node, ast.ClassDef):
            return "a word of the field" if CLASSES.search(name) else None
        if LIMIT.match(name):
            return "a limit's name begins with MAX_"
        if module.packaged:
            return (RENAMED | NOUNS).get(bare)
        return RENAMED.get(bare)

    assert_none(
        f"{module.place(line)} the name {name} is not the field's word; instead: {word}"
        for module in project()
        for line, name, node in module.bound_names()
        if (word := instead(module, name, node))
    )


def test_modules_and_folders_have_the_words_of_the_field():
    renamed = RENAMED | NOUNS | MODULES

    assert_none(
        f"{module.place(1)} the name {module.name} is not the field's word; instead: {renamed[last]}"
        for module in modules()
        if module.name not in HOMES and (last := module.name.rpartition(".")[2]) in renamed
    )
