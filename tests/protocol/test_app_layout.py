"""The pages of the Apps as a browser lays them out: nothing is cut, overlaps, is hard to read or is told by colour."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.protocol.apps.pages import page_with
from tests.approvals.chromium import Browser, browser, missing
from tests.approvals.test_browser_layout import MEASURE

from .app_host import NPM
from .diaries import DIARIES, HOSTILE

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
WIDTHS = (1280, 390, 320)
SLOW = frozenset({"full week", "full day", "two hundred", "two zones", "clashes"})
"""The diaries with so many entries that a browser measures them for seconds."""
BY_DIARY = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in DIARIES]
)
AXE = NPM / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as window:
        yield window


def opened(window: Browser, folder: Path, name: str, width: int, scheme: Any = "light") -> None:
    source = folder / "page.html"
    page = page_with("diary", DIARIES[name], clinic="Northside", demo=True, title="Diary", lines=[])
    source.write_text(page, "utf-8")
    window.resize(width, 900)
    window.look(scheme)
    window.open(source.as_uri())
    window.until("document.querySelector('#page h1')")


@BY_DIARY
def test_nothing_is_cut_overlaps_or_is_hard_to_read(window: Browser, tmp_path: Path, name: str) -> None:
    for scheme in ("light", "dark"):
        opened(window, tmp_path, name, WIDTHS[0], scheme)
        for width in WIDTHS:
            window.resize(width, 900)
            window.until(f"innerWidth === {width}")
            assert window.script(MEASURE) == [], (scheme, width)
    assert window.complaints() == []


@BY_DIARY
def test_the_table_beneath_holds_every_entry_and_is_as_readable(window: Browser, tmp_path: Path, name: str) -> None:
    opened(window, tmp_path, name, 320)
    entries = sum(len(sheet["entries"]) + len(sheet.get("began_before", [])) for sheet in DIARIES[name]["items"])
    rows = window.script("[...document.querySelectorAll('.as-table tbody tr')].map(row => row.textContent)")
    assert len([row for row in rows if "Free" not in row]) == entries
    if rows:
        window.script("document.querySelector('.as-table').open = true")
        for width in (1280, 320):
            window.resize(width, 900)
            window.until(f"innerWidth === {width}")
            assert window.script(MEASURE) == [], width


@pytest.mark.skipif(not AXE.is_file(), reason="npm install in tests/npm has not brought axe-core")
@BY_DIARY
def test_axe_finds_no_violation(window: Browser, tmp_path: Path, name: str) -> None:
    for width in (1280, 320):
        opened(window, tmp_path, name, width)
        if len(DIARIES[name]["items"]) < 8:  # a table of a thousand rows takes axe ten seconds
            window.script("document.querySelectorAll('details').forEach(each => { each.open = true })")
        window.script(AXE.read_text("utf-8"))
        found = window.script(
            "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations.map("
            "each => [each.id, each.nodes.length, each.nodes[0].html.slice(0, 150)])))"
        )
        assert json.loads(found) == [], width


def test_what_a_colour_says_is_said_by_a_word_and_a_shape_too(window: Browser, tmp_path: Path) -> None:
    """Where a system allows two colours only, every kind of card has an edge of its own or a word."""
    opened(window, tmp_path, "clashes", 1280)
    window.do("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
    words = {
        ".arrived .card-body": "Arrived",
        ".did-not-arrive .card-body": "No-show",
        ".clashing .card-body": "Clash: ",
        ".gap .card-body": "Free ",
        ".class .card-body": "Class: ",
        ".block .card-body": "L",
    }
    for cards, word in words.items():
        texts = window.script(f"[...document.querySelectorAll('.columns {cards}')].map(card => card.innerText)")
        assert texts and all(word in text for text in texts), cards
    styles = (
        "Object.fromEntries(['visit', 'class', 'gap', 'did-not-arrive'].map(kind => [kind, getComputedStyle("
        "document.querySelector(`.columns .${kind}:not(.arrived) .card-body`)).borderTopStyle]))"
    )
    edges = window.script(styles)
    assert edges == {"visit": "solid", "class": "double", "gap": "dashed", "did-not-arrive": "dotted"}


def test_a_name_that_is_markup_stays_text(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "clashes", 1280)
    assert HOSTILE in window.text()
    assert window.script("document.querySelectorAll('#page img, #page b').length + (window.pwned || 0)") == 0


def test_a_day_on_which_the_clocks_change_says_so_in_the_clinics_zone(window: Browser, tmp_path: Path) -> None:
    window.do("Emulation.setTimezoneOverride", timezoneId="America/New_York")
    opened(window, tmp_path, "clocks forward", 1280)
    assert "The clocks go forward by 1 h at 2:00 am on this day (Australia/Sydney)." in window.text()
    opened(window, tmp_path, "clocks back", 1280)
    assert "The clocks go back by 1 h at 3:00 am on this day (Australia/Sydney)." in window.text()
    assert "2:30–3:15 am (the clocks go back)" in window.text()
    opened(window, tmp_path, "full day", 1280)
    assert "The clocks go" not in window.text()
    window.do("Emulation.setTimezoneOverride", timezoneId="")


def test_it_is_now_by_the_clock_of_each_site(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "two zones", 1280)
    assert "Each site by its own clock: North Australia/Sydney, Northside Australia/Adelaide." in window.text()
    now = "[...document.querySelectorAll('.column')].map(column => column.querySelector('.now').offsetTop)"
    entry = "[...document.querySelectorAll('.column')].map(column => [...column.querySelectorAll('.entry')].find("
    # It is 12:40 in Sydney, in the lunch that begins at 12:30, and 12:10 in Adelaide, in the visit before it.
    lunch = window.script(f"{entry}card => card.innerText.includes('Lunch')).offsetTop)")
    sydney, adelaide = window.script(now)
    assert sydney > lunch[0] + 10 and adelaide < lunch[1]


def test_an_empty_day_says_once_that_it_is_empty(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "empty day", 1280)
    assert window.text().lower().count("nothing is booked or blocked out") == 1
    assert "Aroha Tane Leave Sun 6 Dec – Sun 13 Dec, 2 booked all the same" in window.text().replace("\xa0", " ")
    assert window.script("document.querySelectorAll('.legend, .as-table').length") == 0


def test_a_run_sheet_which_has_no_hours_calls_nobody_away(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "run sheet", 1280)
    assert "not at work" not in window.text() and "2 visits" in window.text()


def test_as_many_bookings_clash_as_say_so(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "clashes", 1280)
    marked = window.script("document.querySelectorAll('.columns .clashing').length")
    assert f"{marked} bookings that clash" in window.text()


def test_of_a_part_of_the_day_it_says_so(window: Browser, tmp_path: Path) -> None:
    shown = {**DIARIES["full day"], "when": "Tuesday 1 December 2026, 15:00 to 24:00 (Australia/Sydney)"}
    source = tmp_path / "page.html"
    source.write_text(page_with("diary", shown, clinic="", demo=False, title="Diary", lines=[]), "utf-8")
    window.open(source.as_uri())
    window.until("document.querySelector('#page h1')")
    assert shown["when"] in window.text()


@pytest.mark.long
def test_on_paper_every_day_is_open_and_dark_on_white(window: Browser, tmp_path: Path) -> None:
    opened(window, tmp_path, "full day", 1280, "dark")
    window.script("window.dispatchEvent(new Event('beforeprint'))")
    window.look("dark", "print")
    window.resize(720, 1000)
    assert window.script("[...document.querySelectorAll('.agenda')].every(each => each.open)")
    assert window.script("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert not window.script("[...document.querySelectorAll('button, select')].some(each => each.checkVisibility())")
    assert window.script(MEASURE) == []
