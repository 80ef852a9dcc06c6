"""The page that explains phrases to the clinic's staff tells the truth: every example in it is parsed."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from cliniko_mcp.cli.when import when as when_command
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, Facing, OpenWhen, When, parse_when

from .formatting import SYDNEY, TUESDAY, formatted, parse

PAGE = (Path(__file__).parents[2] / "docs" / "when.md").read_text(encoding="utf-8")
VISIT = Anchor(datetime(2026, 12, 9, 14, 15), datetime(2026, 12, 9, 15, 0))
# the heading of each part of the page, and how its phrases are read
PARTS: dict[str, tuple[Facing, Anchor | None]] = {
    "Examples": (Facing.AHEAD, None),
    "Facing back": (Facing.BACK, None),
    "Whole spans": (Facing.WHOLE, None),
    "From a visit": (Facing.AHEAD, VISIT),
}


def rows(part: str) -> list[list[str]]:
    section = PAGE.split(f"\n## {part}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| phrase ")]


UNDERSTOOD = [(part, row) for part in PARTS for row in rows(part) if len(row) == 5]
REFUSED = [(part, row[0]) for part in PARTS for row in rows(part) if len(row) == 2]


def read(part: str, phrase: str) -> When | OpenWhen:
    facing, anchor = PARTS[part]
    return parse_when(phrase, now=TUESDAY, zone=SYDNEY, facing=facing, anchor=anchor)


def shown(interval: When | OpenWhen) -> str:
    """An interval in one line as `formatted` writes it, with "open" for a start that it does not have."""
    if isinstance(interval, When):
        return formatted(interval)
    return formatted(interval.since(datetime(2000, 1, 1).astimezone())).replace(
        f"{datetime(2000, 1, 1).astimezone().astimezone(interval.zone):%Y-%m-%dT%H:%M}", "open", 1
    )


def test_the_page_has_its_tables() -> None:
    counted = [sum(part == name for name, _ in UNDERSTOOD) for part in PARTS]
    assert all(count >= least for count, least in zip(counted, (41, 30, 6, 18), strict=True))
    assert len(REFUSED) >= 20


@pytest.mark.parametrize(("part", "row"), UNDERSTOOD, ids=[f"{part}: {row[0]}" for part, row in UNDERSTOOD])
def test_an_example_means_what_the_page_says(part: str, row: list[str]) -> None:
    phrase, start, end, weekdays, hours = row
    parts = [start.replace(" ", "T"), end.replace(" ", "T"), weekdays.replace(" ", ""), hours.replace(" ", "")]
    assert shown(read(part, phrase)) == " ".join(text for text in parts if text)


@pytest.mark.parametrize(("part", "phrase"), REFUSED)
def test_what_the_page_calls_refused_is_refused(part: str, phrase: str) -> None:
    with pytest.raises(NotUnderstood):
        read(part, phrase)


def test_the_command_shown_answers_as_shown() -> None:
    shown_there = re.search(r'when "(.+?)" --now \S+ --zone \S+\n(.+)\n', PAGE)
    assert shown_there
    assert parse(shown_there[1]).description == shown_there[2]


def test_the_command_that_shows_every_direction_answers_as_shown() -> None:
    block = re.search(r'\$ cliniko-mcp when "(.+?)" (--facing all .+)\n((?:.+\n)+?)```', PAGE)
    assert block
    assert CliRunner().invoke(when_command, [block[1], *block[2].split()]).stdout == block[3]
