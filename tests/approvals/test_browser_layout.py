"""The approval page as a browser lays it out: at every width and in every colour it can be read, and so on paper."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.page_html import Shown, outcome_page, questions_page
from tests.docs.pictures import NOON, QUESTIONS

from .chromium import Browser, browser, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

MEASURE = """(() => {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element.tagName} ${element.textContent.slice(0, 40)}`);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const contrast = (a, b) => { const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05); };
  const grounds = element => { for (let up = element; up; up = up.parentElement) {
    const style = getComputedStyle(up), colours = style.backgroundImage.match(/rgb[^)]*\\)/g);
    if (colours) return colours.map(rgb);
    const own = rgb(style.backgroundColor);
    if (own.length < 4 || own[3] > 0) return [own];
  } return [[255, 255, 255]]; };
  const scrolled = element => { for (let up = element; up; up = up.parentElement)
    if (up.tabIndex === 0 && getComputedStyle(up).overflowX === "auto") return true;
    return false; };
  if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
  const texts = [...document.querySelectorAll("body *")].filter(element =>
    element.checkVisibility() && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const boxes = texts.map(element => element.getBoundingClientRect());
  texts.forEach((element, place) => {
    const box = boxes[place], colour = rgb(getComputedStyle(element).color);
    if ((box.left < 0 || box.right > innerWidth) && !scrolled(element)) say("cut at the side", element);
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth) say("cut", element);
    if (grounds(element).some(ground => contrast(colour, ground) < 4.5)) say("hard to read", element);
    texts.slice(place + 1).forEach((other, later) => {
      const its = boxes[place + 1 + later];
      if (box.left + 1 >= its.right || its.left + 1 >= box.right) return;
      if (box.top + 1 >= its.bottom || its.top + 1 >= box.bottom) return;
      if (element.contains(other) || other.contains(element)) return;
      if (getComputedStyle(element).display === "inline" || getComputedStyle(other).display === "inline") return;
      say("overlaps", other);
    });
  });
  for (const button of document.querySelectorAll("button:not(.small)")) {
    const box = button.getBoundingClientRect();
    if (box.height && (box.height < 44 || box.width < 44)) say("too small to touch", button);
  }
  return found;
})()"""
"""What is wrong with how the page is laid out, a line each: text that is cut, overlaps or is hard to read (WCAG AA),
and buttons that are too small to touch. What scrolls within a part that the keyboard reaches is not cut."""


def pages() -> dict[str, str]:
    ended = QUESTIONS["one"][0]
    shown = {name: questions_page(Shown(waiting=waiting, now=NOON)) for name, waiting in QUESTIONS.items()}
    return shown | {
        "nothing": questions_page(Shown(now=NOON)),
        "with a PIN": questions_page(Shown(waiting=QUESTIONS["one"], now=NOON, needs_pin=True)),
        "afterwards": questions_page(
            Shown(waiting=QUESTIONS["long"], unused=QUESTIONS["six"][:2], denials=[ended], recent=[ended], now=NOON)
        ),
        "outcome": outcome_page(Outcome.APPROVED, ended, Shown(recent=[ended], now=NOON)),
    }


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with browser() as window:
        yield window


def opened(window: Browser, folder: Path, page: str) -> None:
    source = folder / "page.html"
    source.write_text(page, "utf-8")
    window.open(source.as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", pages())
def test_nothing_is_cut_overlaps_or_is_hard_to_read(window: Browser, tmp_path: Path, name: str, scheme: Any) -> None:
    window.look(scheme)
    opened(window, tmp_path, pages()[name])
    for width in (1280, 390, 320):
        window.resize(width, 800)
        assert window.script(MEASURE) == [], width


@pytest.mark.long_but_one
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["one", "six", "changed"])
def test_on_paper_it_is_dark_on_white_whatever_the_system_prefers(
    window: Browser, tmp_path: Path, name: str, scheme: Any
) -> None:
    window.resize(720, 1000)
    window.look(scheme, "print")
    opened(window, tmp_path, pages()[name])
    assert window.script(MEASURE) == []
    assert window.script("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert not window.script("[...document.querySelectorAll('button')].some(button => button.checkVisibility())")
    assert (" 4 questions" in window.text()) == (name == "six")


@pytest.mark.long
def test_nothing_is_told_by_colour_alone(window: Browser, tmp_path: Path) -> None:
    """Where a system allows two colours only, every button has an edge, and the words say what the colours say."""
    window.resize(390, 800)
    window.do("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
    opened(window, tmp_path, pages()["six"])
    edges = "[...document.querySelectorAll('button.yes, button[value=deny]')].every(button => getComputedStyle(button)"
    assert window.script(f"{edges}.borderTopWidth === '2px')")
    assert "cannot be undone" in window.text() and "can be brought back" in window.text()
    assert window.script("document.documentElement.scrollWidth <= innerWidth")
