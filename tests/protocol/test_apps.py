"""The pages that hosts show beside answers (MCP Apps): offered to every client, and at work in the reference bridge."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.printouts.answer import group_words
from cliniko_mcp.protocol.apps.build import SOURCES, page_text, stale_pages, write_pages
from cliniko_mcp.protocol.apps.offer import EXTENSION, MIME
from cliniko_mcp.protocol.apps.pages import PAGES, app_page
from tests import warm
from tests.approvals.test_browser_layout import MEASURE
from tests.conftest import in_process

from .app_host import Host, host, missing

OPENED = {
    "show_diary": "ui://cliniko/diary.html",
    "find_times": "ui://cliniko/diary.html",
    "report": "ui://cliniko/report.html",
}
ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "cliniko_mcp" / "protocol" / "apps"
NOW = "2026-11-25T12:20:00+11:00"
needs_a_host = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_three_tools_name_their_page_and_every_page_is_read(mode: Literal["legacy", "auto"]) -> None:
    async with in_process(mode=mode) as assistant:
        listed = (await assistant.client.list_tools()).tools
        named = {tool.name: tool.meta for tool in listed if tool.meta}
        assert named == {tool: {"ui": {"resourceUri": uri}} for tool, uri in OPENED.items()}
        offered = {record.uri: record.mime_type for record in (await assistant.client.list_resources()).resources}
        for uri in OPENED.values():
            assert offered[uri] == MIME
            [page] = (await assistant.client.read_resource(uri)).contents
            assert isinstance(page, types.TextResourceContents) and page.mime_type == MIME
            assert page.text.startswith("<!doctype html>") and "Demo clinic: nothing in it is real" in page.text
            assert page.meta is not None
            assert page.meta["ui"]["csp"] == {f"{of}Domains": [] for of in ("connect", "resource", "frame", "baseUri")}
        capabilities = assistant.client.server_capabilities
        assert mode == "legacy" or (capabilities.extensions or {}) == {EXTENSION: {}}


@pytest.mark.anyio
async def test_a_page_that_there_is_not_is_refused_as_a_record_is() -> None:
    async with in_process() as assistant:
        for uri in ("ui://cliniko/approve.html", "ui://cliniko/", "ui://cliniko/../diary.html"):
            with pytest.raises(MCPError, match="no such resource"):
                await assistant.client.read_resource(uri)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_small_file_that_reaches_nothing_outside(name: str) -> None:
    page = app_page(name, demo=True)
    assert len(page.encode()) < 52_000
    addresses = set(re.findall(r"https?://[^\"' )]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    ways_out = r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|localStorage|indexedDB|cookie)\b"
    ways_to_markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc"
    browsers_clock = r"new Date\b(?!\([^)])|Date\.now|getTimezone|\.get(Hours|Minutes|Date|Day|Month)\(|resolvedOptions"
    for forbidden in (ways_out, ways_to_markup, browsers_clock):
        assert re.findall(forbidden, page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_calls_only_what_reads_and_approves_nothing(name: str) -> None:
    source = SOURCES[name].script(FOLDER)
    called = set(re.findall(r'callTool\("(\w+)"', source))
    assert called and called <= OPENED.keys()
    assert len(re.findall(r"callTool\(", source)) == len(re.findall(r'callTool\("', source)) + 1  # its own definition
    page = app_page(name, demo=False)
    assert "approv" not in page.lower() and "Demo clinic" not in page


def test_the_pages_are_made_of_their_sources_as_they_are_now() -> None:
    assert stale_pages(ROOT) == []


@pytest.mark.parametrize("source", ["diary.js", "diary.css"])
def test_a_page_whose_source_changed_is_told_and_what_is_needed_to_make_it(tmp_path: Path, source: str) -> None:
    here = tmp_path / "cliniko_mcp" / "protocol" / "apps"
    shutil.copytree(FOLDER, here)
    (here / source).write_text((here / source).read_text("utf-8") + "\n/* changed */", "utf-8")

    assert stale_pages(tmp_path) == [here / "built" / "diary.json"]
    with pytest.raises(ConfigurationError, match="esbuild") as problem:
        write_pages(tmp_path)
    assert problem.value.fix == "Run npm install in tests/npm, then the same again."


@needs_a_host
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_esbuild_makes_of_its_sources(name: str) -> None:
    assert page_text(ROOT, name) == (FOLDER / "built" / f"{name}.json").read_text("utf-8")


@pytest.fixture(scope="module")
def shown() -> Iterator[Host]:
    with host(["--sandbox", "--sandbox-now", NOW, "--sandbox-clock", "frozen"]) as shown:
        yield shown


def calls_of(shown: Host) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["arguments"]) for call in shown.do("told")["calls"]]


@needs_a_host
@pytest.mark.long
def test_a_week_that_was_cut_is_read_to_its_end_and_opens_into_a_day(shown: Host) -> None:
    shown.open("show_diary", when="2026-11-23 to 2026-11-29")
    read = calls_of(shown)
    assert read and all(name == "show_diary" for name, _ in read)
    week = shown.do("call", tool="show_diary", args={"when": "2026-11-23 to 2026-11-29"})["structuredContent"]
    assert not week["page"]["complete"]
    assert week["totals"]["appointments"] == int(shown.script("document.body.innerText.match(/(\\d+) visits/)[1]"))
    shown.do("click", on="button.cell")
    assert shown.script("document.querySelector('h1').innerText") == "Monday 23 November 2026"
    assert calls_of(shown) == read, "what is held is not read again"
    shown.do("click", on="button[aria-label='Next day']")
    assert shown.script("document.querySelector('h1').innerText") == "Tuesday 24 November 2026"
    assert shown.do("axe") == [] and shown.script(MEASURE) == []


@needs_a_host
@pytest.mark.long
def test_previous_next_and_week_ask_the_server_for_the_same_practitioner(shown: Host) -> None:
    shown.open("show_diary", when="tomorrow", practitioner=["Mei Ng"])
    assert shown.script("document.querySelector('h1').innerText") == "Thursday 26 November 2026"
    shown.do("click", on="button[aria-label='Next day']")
    shown.do("until", code="document.querySelector('h1').innerText.startsWith('Friday')")
    shown.do("click", on="button:text-is('Week')")
    shown.do("until", code="document.querySelector('h1').innerText === '23 – 29 November 2026'")
    assert calls_of(shown) == [
        ("show_diary", {"practitioner": ["Mei Ng"], "when": "2026-11-27", "limit": 400}),
        ("show_diary", {"practitioner": ["Mei Ng"], "when": "2026-11-23 to 2026-11-29", "limit": 400}),
    ]
    heads = shown.script("[...document.querySelectorAll('.column h2')].map(each => each.innerText)")
    assert heads == ["Mon 23 Nov", "Tue 24 Nov", "Wed 25 Nov", "Thu 26 Nov", "Fri 27 Nov"]


@needs_a_host
@pytest.mark.long
def test_a_picked_start_goes_into_the_conversation_and_writes_nothing(shown: Host) -> None:
    shown.open("find_times", type="Standard consult", practitioner=["Mei Ng"])
    assert shown.do("axe") == [] and shown.script(MEASURE) == []
    shown.do("click", on=".gap button")
    assert shown.do("told")["messages"] == [] and shown.script(MEASURE) == [] and shown.do("axe") == []
    assert shown.script("document.activeElement.className") == "picker", "a second press of the key sends nothing"
    shown.do("click", on=".picker .main")
    shown.do("until", code="document.querySelector('.said')")
    [message] = shown.do("told")["messages"]
    assert message == {
        "role": "user",
        "content": [
            {
                "type": "text",
                "text": "Please book Standard consult, 30 minutes, with Dr Mei Ng at Northside on Wednesday 25 "
                "November 2026 at 2:00 pm (2026-11-25T14:00). If you do not know who it is for, ask me first.",
            }
        ],
    }
    assert calls_of(shown) == []
    shown.do("click", on=".day-card button.link")
    shown.do("until", code="document.querySelector('.columns')")
    shown.do("click", on=".gap button")
    shown.do("click", on=".picker .main")
    shown.do("until", code="document.querySelector('.said')")
    assert shown.do("told")["messages"][-1]["content"][0]["text"].startswith("Dr Mei Ng is free at Northside on ")
    assert {name for name, _ in calls_of(shown)} == {"show_diary"}


@needs_a_host
@pytest.mark.long
def test_time_that_is_over_cannot_be_picked_by_the_clinics_clock(shown: Host) -> None:
    shown.open("show_diary", when="2026-11-25", practitioner=["Lena Brandt"])
    gaps = shown.script(
        "[...document.querySelectorAll('.columns .gap')].map(gap => [gap.querySelector('.time').innerText, "
        "Boolean(gap.querySelector('button'))])"
    )
    assert gaps == [["9:00–10:30 am", False], ["11:30 am – noon", False], ["1:00–1:30 pm", True]]


@needs_a_host
@pytest.mark.long
def test_the_keyboard_alone_picks_a_start(shown: Host) -> None:
    shown.open("find_times", type="Standard consult", practitioner=["Mei Ng"])
    shown.script("document.querySelector('.gap button').focus()")
    shown.do("press", key="Enter")
    assert shown.script("document.querySelector('.gap button').getAttribute('aria-pressed')") == "true"
    shown.script("document.querySelector('.picker .main').focus()")
    shown.do("press", key="Space")
    shown.do("until", code="document.querySelector('.said')")
    assert len(shown.do("told")["messages"]) == 1


@needs_a_host
@pytest.mark.long
def test_the_page_wears_the_hosts_theme_and_says_how_tall_it_is(shown: Host) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    shown.open("show_diary", when="2026-11-25", theme="dark")
    assert shown.script(paper) == "rgb(17, 23, 29)"
    shown.do("outside", code="window.bridge.sendHostContextChange({theme: 'light'})")
    shown.do("until", code=f"{paper} === 'rgb(243, 245, 247)'")
    size = shown.do("told")["sizes"][-1]
    assert size["height"] == shown.script("Math.ceil(document.body.getBoundingClientRect().height)")
    for width in (390, 320):
        shown.do("size", width=width)
        shown.do("until", code=f"innerWidth === {width} && document.querySelector('.agenda')")
        assert shown.script(MEASURE) == [] and shown.do("axe") == []


@needs_a_host
@pytest.mark.long
def test_a_host_that_takes_no_messages_and_calls_gets_a_diary_to_read(shown: Host) -> None:
    shown.do("size", width=1280)
    shown.do("open", tool="show_diary", args={"when": "2026-11-26"}, capabilities={})
    shown.do("until", code="document.querySelector('.columns')")
    assert shown.script("document.querySelectorAll('.gap button, .head button').length") == 0


@needs_a_host
@pytest.mark.long
def test_an_answer_that_is_text_alone_is_read_as_well(shown: Host) -> None:
    answered = shown.do("call", tool="show_diary", args={"when": "2026-11-26"})
    shown.do("open", tool="show_diary", args={"when": "2026-11-26"}, result={"content": answered["content"]})
    shown.do("until", code="document.querySelector('.columns') && !document.querySelector('.busy')")
    assert f"{answered['structuredContent']['totals']['appointments']} visits" in shown.text()


@needs_a_host
@pytest.mark.long
def test_the_answer_is_the_same_for_a_host_without_pages(shown: Host) -> None:
    asked: dict[str, Any] = {"when": "2026-11-26"}
    answered = shown.do("call", tool="show_diary", args=asked)
    flags = ("--sandbox", "--sandbox-now", NOW, "--sandbox-clock", "frozen")
    without = warm.run("call", "show_diary", json.dumps(asked), *flags, env=os.environ)
    assert json.loads(without.stdout) == answered["structuredContent"]
    assert [json.loads(part["text"]) for part in answered["content"]] == [answered["structuredContent"]]


@needs_a_host
@pytest.mark.long
def test_a_refusal_is_told_in_its_own_words(shown: Host) -> None:
    refused = shown.do("call", tool="show_diary", args={"when": "soonish"})
    assert refused["isError"]
    shown.do("open", tool="show_diary", args={"when": "soonish"}, result=refused)
    shown.do("until", code="document.querySelector('.problem')")
    assert refused["structuredContent"]["message"] in shown.text()


@needs_a_host
@pytest.mark.long
def test_a_report_shows_its_figures_its_plots_and_more_of_its_rows(shown: Host) -> None:
    asked: dict[str, Any] = {"kind": "no_shows", "when": "last 8 weeks", "by": ["week", "practitioner"]}
    shown.open("report", **asked)
    answered = shown.do("call", tool="report", args=asked)["structuredContent"]
    for name in ("week", "practitioner"):
        for row in answered["by"][name]["rows"]:
            cells = [group_words(row["name"]), str(row["count"]), str(row["of"]), row["rate"]]
            assert shown.script(
                "[...document.querySelectorAll('.groups tbody tr')].some(row => JSON.stringify([...row.cells].map("
                f"cell => cell.textContent)) === JSON.stringify({cells!r}))"
            ), cells
    assert shown.script("document.querySelectorAll('svg[role=img] rect.bar').length") == len(
        answered["by"]["week"]["rows"]
    )
    assert shown.do("axe") == [] and shown.script(MEASURE) == []
    shown.do("click", on="button:text-is('Show more rows')")
    shown.do("until", code="!document.querySelector('.busy') && !document.body.innerText.includes('Show more rows')")
    assert "Rows, all " in shown.text()
    shown.do("click", on="button:text-is('By type')")
    shown.do("until", code="document.body.innerText.includes('No shows by type')")
    shown.do("click", on="button:text-is('Compare with before')")
    shown.do("until", code="document.body.innerText.includes('Before is ')")
    by = ["week", "practitioner", "type"]
    assert calls_of(shown)[-1] == ("report", {**asked, "by": by, "compare": "previous"})
    assert shown.script(MEASURE) == []


@needs_a_host
@pytest.mark.long
def test_another_view_of_rows_that_went_on_begins_with_the_first(shown: Host) -> None:
    asked: dict[str, Any] = {"kind": "no_shows", "when": "last 8 weeks", "limit": 5}
    first = shown.do("call", tool="report", args=asked)["structuredContent"]
    cursor = first["page"]["next_cursor"]
    shown.open("report", **asked, cursor=cursor)
    shown.do("click", on="button:text-is('By site')")
    shown.do("until", code="document.body.innerText.includes('No shows by site')")
    assert calls_of(shown) == [("report", {**asked, "by": ["site"]})]


@needs_a_host
@pytest.mark.long
def test_nothing_was_asked_of_the_network_and_no_script_failed(shown: Host) -> None:
    assert shown.do("told")["complaints"] == []
