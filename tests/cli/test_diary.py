"""`cliniko-mcp diary`: the whole diary of the tool, for a terminal, a pipe, a program and a browser."""

import io
import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from cliniko_mcp.printouts.diary import Diary, diary_lines, items_of, minutes
from cliniko_mcp.printouts.diary_tables import diary_tables
from cliniko_mcp.printouts.lines import table
from tests import warm
from tests.approvals.chromium import browser, missing
from tests.protocol.diaries import DIARIES
from tests.terminal import in_a_terminal
from tests.warm import DEMO

if TYPE_CHECKING:
    import subprocess

WEEK = ("--when", "2026-11-23 to 2026-11-29")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return warm.run("diary", *arguments, *DEMO, env=os.environ)


@pytest.fixture(scope="module")
def week() -> Any:
    done = run(*WEEK, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
def test_a_week_is_read_to_its_end_however_many_calls_it_takes(week: Any) -> None:
    asked = {"when": WEEK[1], "limit": 400}
    tool = json.loads(warm.run("call", "show_diary", json.dumps(asked), *DEMO, env=os.environ).stdout)
    assert not tool["page"]["complete"]
    assert week["totals"] == tool["totals"] and week["page"]["complete"] and "next" not in week
    entries = [entry for sheet in week["items"] for entry in sheet["entries"]]
    live = [entry for entry in entries if "block" not in entry and not entry.get("cancelled")]
    assert len(live) == week["totals"]["appointments"] + week["totals"]["groups"]
    assert len(entries) == week["page"]["total"] == tool["page"]["total"]
    first = {(sheet["day"], sheet["business"], sheet["practitioner"]): sheet for sheet in tool["items"]}
    for sheet in week["items"]:
        shown = first.get((sheet["day"], sheet["business"], sheet["practitioner"]), sheet)
        assert (sheet.get("hours"), sheet.get("gaps")) == (shown.get("hours"), shown.get("gaps"))


def test_a_pipe_gets_a_line_for_every_entry_and_no_colour(week: Any) -> None:
    done = run(*WEEK)
    assert done.returncode == 0 and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    for sheet in week["items"]:
        begin = next(
            place
            for place, line in enumerate(lines)
            if line.startswith(f"{sheet['day']}, {sheet['practitioner']}, {sheet['business']}")
        )
        its = lines[begin + 1 :][: len(sheet["entries"]) + len(sheet.get("gaps", "").split(", "))]
        for entry in sheet["entries"]:
            [line] = [
                line
                for line in its
                if entry["at"] in line and (entry.get("patient") or entry.get("block") or entry["type"]) in line
            ]
            assert ("cancelled" in line) == entry.get("cancelled", False)
            assert ("no-show" in line) == (entry.get("attendance") == "did not arrive") or "attendees" in entry


@pytest.mark.long_but_one
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("arguments", [("--when", "2026-11-24"), WEEK, (*WEEK, "--practitioner", "Mei Ng")])
def test_a_terminal_of_80_columns_holds_every_line(arguments: tuple[str, ...], plain: bool) -> None:
    environ: dict[str, Any] = {"NO_COLOR": "1"} if plain else {}
    code, output = in_a_terminal("diary", *arguments, *DEMO, **environ)
    assert code == 0 and ("\x1b[" in output) is not plain
    shown = re.sub("\x1b\\[[0-9;]*m", "", output.split("\r")[-1])
    assert "Mei Ng" in shown and all(len(line) <= 80 for line in shown.splitlines())
    assert arguments == WEEK or "✓ arrived" in shown, "a colour has its word beside it"


@pytest.mark.long
def test_a_page_holds_the_whole_diary_for_its_owner_alone(week: Any, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    done = run(*WEEK, "--html", str(out))
    assert done.stdout == f"The diary is in {out}\n"
    page = out.read_text("utf-8")
    inside = json.loads(re.findall('<script type="application/json" id=facts>(.*?)</script>', page)[0])
    assert inside["demo"] is True and inside["answer"] == week
    assert "script-src 'sha256-" in page and "connect-src" not in page and "default-src 'none'" in page
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = run(*WEEK, "--html", str(out))
    assert again.returncode == 1 and "--overwrite" in again.stderr
    assert run(*WEEK, "--html", str(out), "--overwrite").returncode == 0


@pytest.mark.long
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_a_page_opens_in_a_browser_and_moves_between_the_days_that_it_holds(week: Any, tmp_path: Path) -> None:
    out = tmp_path / "week.html"
    run(*WEEK, "--html", str(out))
    with browser((1280, 900)) as window:
        window.open(out.as_uri())
        window.until("document.querySelector('table.week')")
        assert f"{week['totals']['appointments']} visits" in window.text()
        assert "Northside & Riverside Allied Health" in window.text()
        window.script("[...document.querySelectorAll('button')].find(each => each.innerText === 'Day').click()")
        window.until("document.querySelector('.columns')")
        assert window.script("document.querySelector('h1').innerText") == "Tuesday 24 November 2026"
        window.script("document.querySelector(\"button[aria-label='Next day']\").click()")
        assert window.script("document.querySelector('h1').innerText") == "Wednesday 25 November 2026"
        assert window.script("document.querySelectorAll('.gap button').length") == 0, "nobody is there to be asked"
        assert window.complaints() == []


@pytest.mark.parametrize("name", DIARIES)
def test_every_diary_has_its_lines(name: str) -> None:
    diary = Diary.model_validate(DIARIES[name])
    lines = [*diary_lines(diary)]
    entries = sum(len(sheet.entries) + len(sheet.began_before or ()) for sheet in diary.items)
    free = sum(len(items_of(sheet)) for sheet in diary.items) - entries
    assert sum(line.startswith("  ") for line in lines) == entries + free


@pytest.mark.parametrize("name", DIARIES)
def test_no_name_is_cut_in_80_columns(name: str) -> None:
    page = io.StringIO()
    terminal = Console(file=page, width=80, color_system=None)
    for part in diary_tables(Diary.model_validate(DIARIES[name]), 80):
        terminal.print(part)
    assert "…" not in page.getvalue() and max(map(cell_len, page.getvalue().splitlines())) <= 80


def test_a_long_name_goes_on_over_more_lines_of_a_table() -> None:
    rows = [("", "count"), ("Wolfeschlegelsteinhausenbergerdorff 田中 花子", "12"), ("Bo", "3")]
    heading, *lines = table(rows, 24, str.upper)
    assert heading.split() == ["COUNT"] and [line.split()[-1] for line in (lines[0], lines[-1])] == ["12", "3"]
    assert all(cell_len(line) <= 24 for line in lines)
    assert "".join(line[:17].strip() for line in lines[:-1]).replace(" ", "").startswith("Wolfeschlegelsteinhausenb")
    assert [*table(rows, None, str)][1] == f"{rows[1][0]}     12"


def test_bookings_at_once_and_within_leave_are_called_clashes() -> None:
    diary = Diary.model_validate(DIARIES["clashes"])
    items = items_of(diary.items[1] if diary.items[1].began_before else diary.items[0])
    assert {item.entry.id for item in items if item.entry is not None and not item.clash} == {"9"}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("09:30-10:00", (570, 600)),
        ("22:00-24:00", (1320, 1440)),
        ("2026-11-30 23:30 to 2026-12-01 00:30", (0, 30)),
        ("2026-12-01 23:30 to 2026-12-02 00:30", (1410, 1440)),
        ("2026-11-30 00:00 to 2026-12-02 24:00", (0, 1440)),
        ("02:30-02:15", (150, 195)),
    ],
)
def test_a_stretch_is_read_as_minutes_of_its_day(at: str, expected: tuple[int, int]) -> None:
    assert minutes(at, "2026-12-01") == expected
