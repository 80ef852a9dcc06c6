"""`cliniko-mcp report`: the figures of the tool, for a terminal, a pipe, a spreadsheet, a program and a browser."""

import csv
import io
import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Generator, Iterator
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.printouts.answer import group_words
from tests import warm
from tests.approvals.chromium import Browser, browser, missing
from tests.approvals.test_browser_layout import MEASURE
from tests.reports.demo import NOW, small_clinic
from tests.terminal import in_a_terminal
from tests.warm import DEMO

HOSTILE = '=cmd|" /C calc"!A1<script>alert(1)</script><img src=x onerror=alert(2)>'


def run(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return warm.run("report", *arguments, env=os.environ | environ)


def answered(*arguments: str) -> Any:
    done = run(*arguments, "--format", "json", *DEMO)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def unpaid() -> Any:
    return answered("unpaid", "--limit", "200", "--phones")


class Markup(HTMLParser):
    """The elements of a page and its tables, each as rows of cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        self._in_cell = tag in ("th", "td") or (self._in_cell and tag == "wbr")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False if tag in ("th", "td") else self._in_cell

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.tables[-1][-1][-1] += data


def written(tmp_path: Path, *arguments: str, **environ: str) -> str:
    """The page that a report writes."""
    out = tmp_path / "page.html"
    done = run(*arguments, "--output", str(out), "--overwrite", *(() if environ else DEMO), **environ)
    assert done.returncode == 0, done.stderr
    return out.read_text("utf-8")


def test_without_a_kind_every_kind_is_listed_with_its_usual_time_and_groupings() -> None:
    lines = run().stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*KINDS]
    assert re.fullmatch(r"no_shows +last 30 days +practitioner, site, type, .*source", lines[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["revenu"], "no report called revenu; did you mean revenue?"),
        (["weather"], "no report called weather; all are listed by `cliniko-mcp report`"),
        (["no_shows", "--by", "practitoner"], "did you mean practitioner?"),
        (["revenue", "--by", "hour"], "no grouping of revenue called hour"),
        (["cases", "--by", "week"], "cases has no groupings"),
        (["cases", "--compare", "previous"], "does not take compare"),
        (["no_shows", "--compare", "nothing"], "--compare"),
        (["no_shows", "--format", "pdf"], "--format"),
        (["no_shows", "--when", "next month"], "still to come"),
        (["find_in_notes"], "needs words to look for"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_one_line_that_names_what_is_near(arguments: list[str], words: str) -> None:
    done = run(*arguments, *DEMO)
    assert done.returncode != 0 and done.stdout == ""
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1


@pytest.mark.long
def test_json_is_what_the_tool_answers() -> None:
    asked = {"kind": "no_shows", "when": "last week", "by": ["practitioner"]}
    tool = warm.run("call", "report", json.dumps(asked), *DEMO, env=os.environ)
    assert answered("no-shows", "--when", "last week", "--by", "practitioner") == json.loads(tool.stdout)


@pytest.mark.long
def test_a_pipe_gets_whole_lines_with_every_figure_and_no_colour() -> None:
    body = answered("no_shows", "--by", "site,week")
    done = run("no_shows", "--by", "site", "--by", "week", *DEMO)
    assert done.returncode == 0 and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "No shows" and body["definition"] in lines
    first = body["summary"]["no_shows"]
    assert f"No shows {first['count']} {first['of']} {first['rate']}".split() in [line.split() for line in lines]
    for row in [*body["by"]["site"]["rows"], *body["by"]["week"]["rows"]]:
        cells = [*group_words(row["name"]).split(), str(row["count"]), str(row["of"]), row["rate"]]
        assert any(line.split() == cells for line in lines)


@pytest.mark.long_but_one
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("arguments", [("no_shows", "--compare", "previous"), ("unpaid", "--phones"), ()])
def test_a_terminal_of_80_columns_holds_every_line(arguments: tuple[str, ...], plain: bool) -> None:
    demo = DEMO if arguments else ()
    environ: dict[str, Any] = {"NO_COLOR": "1"} if plain else {}
    code, output = in_a_terminal("report", *arguments, *demo, **environ)
    assert code == 0 and ("\x1b[" in output) is not plain
    shown = re.sub("\x1b\\[[0-9;]*m", "", output.split("\r")[-1])
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_csv_holds_every_row_under_one_header(unpaid: Any, tmp_path: Path) -> None:
    out = tmp_path / "unpaid.csv"
    done = run("unpaid", "--phones", "--output", str(out), *DEMO)
    assert done.stdout == f"unpaid in {out}\n"
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"), newline="")))
    assert [row["patient_id"] for row in rows] == [item["patient_id"] for item in unpaid["items"]]
    assert [row["total"] for row in rows] == [item["total"] for item in unpaid["items"]]
    assert rows[0]["invoice_ids"] == "; ".join(unpaid["items"][0]["invoice_ids"])
    assert len(rows) == unpaid["page"]["total"] > 10
    if os.name == "posix":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = run("unpaid", "--output", str(out), *DEMO)
    assert again.returncode == 1 and "--overwrite" in again.stderr


@pytest.mark.long
def test_a_csv_of_a_breakdown_holds_its_groups() -> None:
    body = answered("revenue", "--by", "month,practitioner")
    rows = list(
        csv.DictReader(io.StringIO(run("revenue", "--by", "month,practitioner", "--format", "csv", *DEMO).stdout))
    )
    assert [*rows[0]] == ["by", "name", "count", "of", "rate", "total", "visits", "average"]
    for name in ("month", "practitioner"):
        found = [(row["name"], row["count"], row["total"], row["average"]) for row in rows if row["by"] == name]
        groups = body["by"][name]["rows"]
        assert found == [(row["name"], str(row["count"]), row["total"], row.get("average", "")) for row in groups]


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as window:
        yield window


def drawn(window: Browser, folder: Path) -> str:
    """The body of the page that was written there, as a browser draws it."""
    window.open((folder / "page.html").as_uri())
    window.until("document.querySelector('#page h1')")
    return window.script("document.querySelector('#page').outerHTML")


needs_a_browser = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@needs_a_browser
def test_the_page_has_the_clinic_its_time_the_definition_and_every_figure(
    unpaid: Any, window: Browser, tmp_path: Path
) -> None:
    written(tmp_path, "unpaid", "--phones")
    page = drawn(window, tmp_path)
    text = window.text()
    for words in (
        "Demo clinic: nothing in it is real",
        "Northside & Riverside Allied Health",
        "As at Tue 24 Nov 2026, 9:00 am, the clinic's time (Australia/Sydney).",
        "Unpaid invoices by age",
        unpaid["definition"],
        f"{float(unpaid['summary']['unpaid_invoices']['total']):,.2f}",
    ):
        assert words in text
    tables = Markup(page).tables
    for name in ("age", "payer"):
        rows = [
            [group_words(row["name"]), str(row["count"]), f"{float(row['total']):,.2f}"]
            for row in unpaid["by"][name]["rows"]
        ]
        assert any(table[1:] == rows for table in tables)
    assert f"Rows, all {len(unpaid['items'])}" in text
    for item in unpaid["items"]:
        assert item["total"] in text.replace(",", "")


@pytest.mark.long
def test_the_page_says_the_same_where_no_script_runs(unpaid: Any, tmp_path: Path) -> None:
    page = written(tmp_path, "unpaid", "--phones")
    plain = unescape(re.findall("<noscript><pre>(.*?)</pre></noscript>", page, re.DOTALL)[0])
    lines = run("unpaid", "--phones", "--by", "practitioner", "--limit", "200", *DEMO).stdout.strip()
    assert plain.strip() == lines and unpaid["items"][-1]["patient"] in plain


@needs_a_browser
def test_a_length_of_time_has_its_unit_on_the_page_as_without_a_script(window: Browser, tmp_path: Path) -> None:
    page = written(tmp_path, "utilisation")
    [plain] = re.findall("<noscript><pre>(.*?)</pre></noscript>", page, re.DOTALL)
    drawn(window, tmp_path)
    hours = re.findall(r"([\d.]+ hours?), (?:North|River)side", window.text())
    assert hours and hours == re.findall(r"([\d.]+ hours?), (?:North|River)side", plain)


@pytest.mark.long
@needs_a_browser
def test_the_page_needs_nothing_from_outside_and_has_a_table_for_each_plot(window: Browser, tmp_path: Path) -> None:
    page = written(tmp_path, "no_shows")
    markup = Markup(page)
    assert not {tag for tag, _ in markup.tags} & {"iframe", "object", "form", "base", "img", "a"}
    links = [value for _, attrs in markup.tags for name, value in attrs.items() if name in ("href", "src", "action")]
    assert links and all(link and link.startswith("data:image/svg+xml,") for link in links)
    assert "url(" not in page and "@import" not in page and "default-src 'none'; script-src 'sha256-" in page
    shown = Markup(drawn(window, tmp_path))
    plots = [attrs for tag, attrs in shown.tags if tag == "svg" and attrs.get("role") == "img"]
    assert plots and all("the table beneath has the figures" in (plot["aria-label"] or "") for plot in plots)
    by_week = answered("no_shows", "--by", "week")["by"]["week"]["rows"]
    rows = [[group_words(row["name"]), str(row["count"]), str(row["of"]), row["rate"]] for row in by_week]
    assert any(table[1:] == rows for table in shown.tables)


def share(back: Any) -> str:
    """A figure of a cohort as the page puts it."""
    return f"{back['rate']} {back['count']} of {back['of']}" if back else "too early"


@needs_a_browser
def test_how_soon_new_patients_came_back_is_told_in_words_beside_its_colours(window: Browser, tmp_path: Path) -> None:
    page = written(tmp_path, "retention", "--when", "last 9 months", "--by", "month", "--limit", "8")
    [inside] = re.findall('<script type="application/json" id=facts>(.*?)</script>', page)
    drawn(window, tmp_path)
    cells = "[...row.cells].slice(2).map(cell => cell.innerText.replace(/\\s+/g, ' '))"
    shown = window.script(f"[...document.querySelectorAll('.cohorts tbody tr')].map(row => {cells})")
    within = ("14", "30", "60", "90", "180")
    cohorts = json.loads(inside)["answer"]["cohorts"]
    due = [[share(cohort["came_back"].get(days)) for days in within] for cohort in cohorts]
    assert shown == due and "too early" in due[-1]


@pytest.fixture(scope="module")
def hostile_clinic() -> Generator[dict[str, str]]:
    """A clinic at an address in which every patient, practitioner and site has a hostile name."""
    with small_clinic() as (sandbox, port):
        sandbox.clock.set(datetime.fromisoformat(NOW))
        store = sandbox.context.store
        for table in ("patients", "businesses", "practitioners"):
            for row in [*store.table(table).rows.values()]:
                names = {name for name in row if name.endswith("_name") or name in ("label", "display_name")}
                store.put(table, {**row, **dict.fromkeys(names, HOSTILE)})
        yield {
            "CLINIKO_MCP_BASE_URL": port._url,
            "CLINIKO_API_KEY": "demo-au1",
            "CLINIKO_CONTACT_EMAIL": "front@desk.example",
            "CLINIKO_MCP_SANDBOX_NOW": NOW,
        }


@pytest.mark.long
@needs_a_browser
def test_a_hostile_name_stays_text_on_the_page(hostile_clinic: dict[str, str], window: Browser, tmp_path: Path) -> None:
    page = written(tmp_path, "unpaid", **hostile_clinic)
    assert len(re.findall("</script", page)) == 2, "its data and its own script"
    markup = Markup(drawn(window, tmp_path))
    assert "<script>alert(1)</script>" in window.text()
    assert not {tag for tag, _ in markup.tags} & {"script", "img"}
    assert not any(name.startswith("on") for _, attrs in markup.tags for name in attrs)
    assert window.complaints() == []


@pytest.mark.long
def test_a_hostile_name_is_no_formula_in_a_spreadsheet(hostile_clinic: dict[str, str]) -> None:
    for by in ((), ("--by", "practitioner")):
        done = run("unpaid", *by, "--format", "csv", **hostile_clinic)
        cells = [cell for row in csv.reader(io.StringIO(done.stdout)) for cell in row]
        assert any("cmd|" in cell for cell in cells), done.stderr
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


CUT = """[...document.querySelectorAll("figure svg text")].filter(text => {
  const box = text.getBoundingClientRect(), edge = text.ownerSVGElement.getBoundingClientRect();
  return box.width && (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1);
}).map(text => text.textContent)"""
"""The letters of plots that reach over the edge."""


OVERLAPPING = """[...document.querySelectorAll("figure svg")].flatMap(plot => {
  const told = [...plot.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  return told.filter(([, one], place) => told.some(([, other], later) => later > place && one.width && other.width &&
    one.left < other.right + 1 && other.left < one.right + 1 && one.top < other.bottom - 4 && other.top < one.bottom - 4
  )).map(([words]) => words);
})"""
"""The letters of plots that lie over others, or touch them."""
LABELS_ALONE = """[...document.querySelectorAll("td:empty")].filter(
  cell => cell.getBoundingClientRect().height && !["none", '""'].includes(getComputedStyle(cell, "::before").content)
).map(cell => cell.dataset.label)"""
"""The names of values that are not there."""


@pytest.mark.long_but_one
@needs_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "kind",
    [
        "no_shows",
        "unpaid",
        "utilisation",
        "rebooking",
        "revenue --when 'this year' --by month",
        "retention --when 'last 9 months' --limit 8",
    ],
)
def test_in_a_browser_nothing_is_cut_overlaps_or_is_hard_to_read(
    window: Browser, tmp_path: Path, kind: str, scheme: Any
) -> None:
    written(tmp_path, *shlex.split(kind))
    window.look(scheme)
    window.open((tmp_path / "page.html").as_uri())
    for width in (1280, 390, 320):
        window.resize(width, 800)
        window.until(f"innerWidth === {width} && document.querySelector('#page h1')")
        assert window.script(MEASURE) == [], width
        assert window.script(CUT) == [], width
        assert window.script(OVERLAPPING) == [], width
        assert window.script(LABELS_ALONE) == [], width
    window.look(scheme, "print")
    window.resize(1280, 1000)
    window.until("innerWidth === 1280")
    assert window.script(MEASURE) == [] and window.script(CUT) == []
    assert window.script("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert window.complaints() == []
