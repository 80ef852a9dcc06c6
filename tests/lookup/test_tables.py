"""The tables of what staff say: complete, without repetition, and about tools and arguments that exist."""

from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.requests import NotOffered, not_offered, requests
from tests.laws.source import PACKAGE
from tests.lookup.requests import requests as spoken

TOOLS = [entry for entry in entries().values() if entry.kind != "meta"]
TOPICS = [*not_offered().items()]
FEWEST_EXAMPLES = 15
LONGEST_LINE = 160
"""In a resource module, so that its operations read as a table; elsewhere ruff holds lines to 120."""

every_topic = pytest.mark.parametrize("topic", [table for _, table in TOPICS], ids=[name for name, _ in TOPICS])


def test_every_operation_and_curated_tool_has_a_table_and_no_other():
    assert requests().keys() == {tool.name for tool in TOOLS}


def test_a_table_stands_in_the_file_of_its_resource():
    folder = PACKAGE / "tools" / "requests"

    for tool in TOOLS:
        text = (folder / f"{tool.resource or 'curated'}.toml").read_text("utf-8")
        assert f"\n[{tool.name}]\n" in text


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_table_is_about_its_tool(tool: Entry):
    table = requests()[tool.name]
    arguments = cast("dict[str, object]", tool.input_schema.get("properties", {}))

    assert tool.deprecated or len(table.examples) >= FEWEST_EXAMPLES
    assert tool.deprecated or table.synonyms
    assert table.fields.keys() <= arguments.keys()
    assert all(table.fields.values())


@every_topic
def test_what_is_not_offered_comes_with_an_answer_and_tools_that_exist(topic: NotOffered):
    assert len(topic.examples) >= FEWEST_EXAMPLES
    assert topic.says.startswith("Cliniko's API ")
    assert topic.says.endswith(".")
    assert topic.instead_says.endswith(".")
    assert topic.instead
    assert entries().keys() >= {*topic.instead}
    assert topic.names
    assert topic.phrases


def test_no_tool_is_expected_that_exists_or_for_two_topics():
    names = [name for _, topic in TOPICS for name in topic.names]

    assert not entries().keys() & names
    assert len(names) == len({*names})


def test_nothing_is_said_twice():
    examples = [words.casefold() for table in requests().values() for words in table.examples]
    examples += [words.casefold() for _, topic in TOPICS for words in topic.examples]

    assert not [words for words, times in Counter(examples).items() if times > 1]


def test_no_example_is_a_request_that_look_up_is_judged_by():
    examples = {words.casefold() for table in requests().values() for words in table.examples}
    examples |= {words.casefold() for _, topic in TOPICS for words in (*topic.examples, *topic.phrases)}
    shared = sum(
        request.words.casefold() in examples for half in ("judged", "judged_elsewhere") for request in spoken(half)
    )

    assert shared == 0


@pytest.mark.parametrize("path", sorted((PACKAGE / "cliniko" / "resources").glob("*.py")), ids=lambda path: path.stem)
def test_a_line_of_a_resource_module_is_read_at_one_glance(path: Path):
    assert max(map(len, path.read_text("utf-8").splitlines())) <= LONGEST_LINE
