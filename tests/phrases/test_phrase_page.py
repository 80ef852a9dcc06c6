"""The page that explains phrases to the clinic's staff tells the truth: every example in it is parsed."""

import re
from pathlib import Path

import pytest

from cliniko_mcp.errors import NotUnderstood

from .formatting import formatted, parse

PAGE = (Path(__file__).parents[2] / "docs" / "when.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
UNDERSTOOD = [row for row in ROWS if len(row) == 5 and row[0] != "phrase"]
REFUSED = [row[0] for row in ROWS if len(row) == 2 and row[0] != "phrase"]


def test_the_page_has_its_tables() -> None:
    assert len(UNDERSTOOD) > 40
    assert len(REFUSED) >= 10


@pytest.mark.parametrize("row", UNDERSTOOD, ids=[row[0] for row in UNDERSTOOD])
def test_an_example_means_what_the_page_says(row: list[str]) -> None:
    phrase, start, end, weekdays, hours = row
    parts = [start.replace(" ", "T"), end.replace(" ", "T"), weekdays.replace(" ", ""), hours.replace(" ", "")]
    assert formatted(parse(phrase)) == " ".join(part for part in parts if part)


@pytest.mark.parametrize("phrase", REFUSED)
def test_what_the_page_calls_refused_is_refused(phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(phrase)


def test_the_command_shown_answers_as_shown() -> None:
    shown_there = re.search(r'when "(.+?)" --now \S+ --zone \S+\n(.+)\n', PAGE)
    assert shown_there
    assert parse(shown_there[1]).description == shown_there[2]
