"""`cliniko-mcp call` in a terminal: words and tables for the person who sits there, the same answer as in a pipe."""

import json
import os
import sys
from typing import Any

import pytest

from cliniko_mcp.errors import Ambiguous, JsonValue
from cliniko_mcp.printouts.any_answer import answer_lines, any_words, error_lines
from tests import warm
from tests.terminal import in_a_terminal
from tests.warm import DEMO

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def in_terminal(*arguments: str, columns: int = 100) -> tuple[int, str]:
    return in_a_terminal("call", *arguments, *DEMO, columns=columns, NO_COLOR="1")


def in_a_pipe(*arguments: str) -> Any:
    return json.loads(warm.run("call", *arguments, *DEMO, env=os.environ).stdout)


@pytest.mark.long
def test_a_person_reads_a_table_without_ids_and_a_pipe_gets_json() -> None:
    arguments = ("find_patients", '{"query": "Ana Lima"}')
    code, output = in_terminal(*arguments)
    row = in_a_pipe(*arguments)["items"][0]
    line = next(line for line in output.splitlines() if line.startswith("Ana Lima"))
    assert code == 0 and line.split("  ")[0] == row["name"] == "Ana Lima"
    assert "17 Mar 1984" in line and row["phones"][0] in line and row["email"] in line
    assert row["id"] not in line and "IDs are left out; --json shows them." in output


@pytest.mark.long
def test_json_can_be_had_in_a_terminal_too() -> None:
    code, output = in_terminal("list_taxes", "--json")
    assert code == 0 and json.loads(output) == in_a_pipe("list_taxes")


@pytest.mark.long
def test_the_diary_and_reports_look_as_their_own_commands_show_them() -> None:
    same = {
        "show_diary": ("diary", ("--when", "tomorrow")),
        "report": ("report", ("no_shows", "--when", "yesterday")),
    }
    arguments = {"show_diary": {"when": "tomorrow"}, "report": {"kind": "no_shows", "when": "yesterday"}}
    for tool, (command, flags) in same.items():
        _, called = in_terminal(tool, json.dumps(arguments[tool]))
        _, shown = in_a_terminal(command, *flags, *DEMO, columns=100, NO_COLOR="1")
        # The lines after the bars of progress, which tell the pages in the order in which they came.
        assert called.splitlines()[-8:] == shown.splitlines()[-8:], tool


@pytest.mark.long_but_one
@pytest.mark.parametrize("tool", ["clinic_overview", "cliniko_describe"])
def test_no_line_is_wider_than_the_terminal(tool: str) -> None:
    arguments = {"cliniko_describe": '{"query": "treatment notes"}'}.get(tool, "{}")
    code, output = in_terminal(tool, arguments, columns=72)
    assert code == 0 and "{" not in output
    assert [line for line in output.splitlines() if len(line) > 72 and "█" not in line] == []


@pytest.mark.long
def test_what_went_wrong_is_said_in_words_with_the_names_that_were_meant() -> None:
    code, output = in_terminal("find_tims", "{}")
    assert code == 1 and "There is no tool called find_tims." in output and "find_times" in output and "{" not in output
    code, output = in_terminal("set_attendance", '{"appointment": "Faye"}')
    assert code == 1 and output.count("is needed") == 1 and "state is needed" in output and "{" not in output


def test_candidates_are_shown_and_nothing_that_hides_in_their_names() -> None:
    problem = Ambiguous(
        "Two fit.", "Say which.", candidates=[{"id": "1", "name": "Ana\x1b[2J"}, {"id": "2", "name": "Bo"}]
    )
    lines = list(error_lines(problem, 80, str))
    assert lines[0] == "Two fit." and lines[-1] == "Say which."
    assert any("Bo" in line for line in lines) and not any("\x1b" in line for line in lines)


def test_every_part_of_an_object_stands_behind_its_name() -> None:
    consent: JsonValue = {"privacy_policy": "yes", "sms_marketing": "no"}
    assert any_words(consent) == "privacy policy yes, SMS marketing no"
    assert any_words({"name": "Mei Ng", "works": {"Northside": "Mon"}}) == "Mei Ng, works Northside Mon"


def test_what_only_a_program_can_follow_is_left_out_and_every_other_note_is_kept() -> None:
    body: Any = {"items": [], "notes": ["More: call again with next_cursor.", "The zone is a guess."]}
    lines = list(answer_lines(body, None, str))
    assert lines[0].split() == ["Items", "none"] and "The zone is a guess." in lines
    assert not any("next_cursor" in line for line in lines)
