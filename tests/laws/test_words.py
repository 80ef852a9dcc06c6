"""Names, descriptions and hints: what a model chooses by, and what a host trusts."""

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
from tests.laws.every import ENTRIES, every_operation, every_tool

NAME = re.compile(r"[a-z][a-z0-9_]{0,44}")
SHOUTED = re.compile(r"\b(IMPORTANT|WARNING|NOTE|MUST|NEVER|ALWAYS|CRITICAL|DO NOT)\b|!!|⚠")
MOST_CHARACTERS = 2_048
"""Hosts cut longer strings without a word."""


def strings_in(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list() | tuple():
            return [text for each in value for text in strings_in(each)]
        case dict():
            return [text for each in value.values() for text in strings_in(each)]
        case _:
            return []


@every_tool
def test_a_name_is_plain_and_short(entry: Entry):
    assert NAME.fullmatch(entry.name)


def test_no_two_tools_share_a_name_or_a_description():
    for field in ("name", "description"):
        uses = Counter(getattr(entry, field) for entry in ENTRIES)
        assert not [text for text, times in uses.items() if times > 1]


@every_operation
def test_the_name_begins_with_what_the_operation_does(operation: Operation):
    verb = operation.name.partition("_")[0]

    due = {"conflicts": "get", "list": "list"}.get(operation.shape, operation.shape)

    assert verb == due or (operation.deprecated and verb in ("delete", "list", "get"))


@every_operation
def test_a_description_is_a_few_sentences_in_plain_words(operation: Operation):
    assert 20 <= len(operation.description) <= 300
    assert operation.description[0].isupper()
    assert operation.description.endswith(".")
    assert not SHOUTED.search(operation.description)


@every_tool
def test_no_text_is_so_long_that_hosts_cut_it(entry: Entry):
    texts = [entry.description, entry.title, *strings_in(dict(entry.input_schema))]

    assert max(map(len, texts)) <= MOST_CHARACTERS


def test_the_instructions_are_not_cut_either():
    fullest = instructions(Settings(sandbox=True, read_only=True, confirm="block"))
    assert fullest.startswith(INSTRUCTIONS)
    assert "demo clinic" in fullest
    assert len(fullest) <= MOST_CHARACTERS


@every_tool
def test_the_hints_say_what_the_risk_is(entry: Entry):
    hints = entry.annotations

    assert set(hints) == {"title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
    assert hints["title"] == entry.title != ""
    assert hints["readOnlyHint"] is (entry.risk == Risk.READ)
    assert hints["destructiveHint"] is (entry.risk == Risk.DESTRUCTIVE)
    assert isinstance(hints["idempotentHint"], bool)
    assert not (hints["readOnlyHint"] and not hints["idempotentHint"])
    assert hints["openWorldHint"] is True


@every_operation
def test_the_risk_follows_from_the_request(operation: Operation):
    last = operation.path.rsplit("/", 1)[-1]
    destroys = operation.method == "DELETE" or last in ("archive", "cancel")

    due = Risk.READ if operation.method == "GET" else Risk.DESTRUCTIVE if destroys else Risk.WRITE

    assert operation.risk is due


@pytest.mark.parametrize(
    "operation", [each for each in operations().values() if each.deprecated], ids=lambda each: each.name
)
def test_what_replaces_a_deprecated_operation_is_alive_and_named_in_its_description(operation: Operation):
    heir = operations().get(operation.replaced_by or "")

    assert heir is not None
    assert not heir.deprecated
    assert heir.risk is operation.risk
    assert f"use {heir.name}" in operation.description


@every_tool
def test_names_of_tools_in_a_description_exist(entry: Entry):
    known = entries()
    if entry.name in META:
        return

    mentioned = re.findall(r"\b(?:list|get|create|update|archive|unarchive|delete|cancel)_[a-z_]+", entry.description)

    assert set(mentioned) <= known.keys()


def test_the_core_view_names_tools_that_exist():
    assert set(CORE) <= entries().keys()
    assert set(META) <= entries().keys()
