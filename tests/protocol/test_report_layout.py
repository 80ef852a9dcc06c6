"""The page of a report fits: no words of a plot on one another, nothing wider than the page, on screen and on paper."""

from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from cliniko_mcp.protocol.apps.pages import page_with
from tests.approvals.chromium import Browser, browser, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")
FITS = """(() => {
  const bad = [], width = document.documentElement.clientWidth;
  const seen = (one) => { const box = one.getBoundingClientRect(); return box.width > 0 && box.height > 0; };
  for (const plot of document.querySelectorAll("svg")) {
    const words = [...plot.querySelectorAll("text")].filter(seen);
    words.forEach((one, place) => words.slice(place + 1).forEach((other) => {
      const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
      if (a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3)
        bad.push(`${one.textContent} on ${other.textContent}`);
    }));
  }
  for (const one of document.querySelectorAll("body *"))
    if (seen(one) && one.getBoundingClientRect().right > width + 1) bad.push(`${one.tagName} is wider than the page`);
  return bad;
})()"""
WEEKS = [str(date(2026, 8, 24) + timedelta(weeks=number)) for number in range(14)]
NAMES = ("Post-surgical rehabilitation", "Standard consult", "Dr Wilhelmina Featherstone-Tanglewood", "Telehealth")


def answer(kind: str, summary: dict[str, Any], by: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "when": "Wednesday 26 August 2026 to Monday 23 November 2026 (Australia/Sydney)",
        "over": "all 90 days",
        "definition": "What is counted, in a sentence or two.",
        "summary": summary,
        "by": {name: {"sorted": "in some order", "rows": rows} for name, rows in by.items()},
        "items": [{"patient": name, "invoices": 12, "total": "11234.50"} for name in NAMES],
        "page": {"returned": len(NAMES), "total": 180, "complete": True},
        "now": "2026-11-24T15:10+11:00 Tue",
        "time_zone": "Australia/Sydney",
    }


def rates(names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "count": 957 + place, "of": 1000, "rate": f"{95.7 + place / 10:.1f}%"}
            for place, name in enumerate(names)]  # fmt: skip


def amounts(names: list[str]) -> list[dict[str, Any]]:
    return [{"name": name, "count": 115, "total": "13050.40", "visits": 115, "average": "113.48"} for name in names]


PAGES = {
    "rates": answer("rebooking", {"rebook_rate": {"count": 1402, "of": 1483, "rate": "94.5%"}},
                    {"week": rates(WEEKS), "practitioner": rates([*NAMES])}),
    "money": answer("revenue", {"invoiced": {"count": 484, "total": "53714.23"}},
                    {"week": amounts(WEEKS), "month": amounts(["2026-10", "2026-11"]), "type": amounts([*NAMES])}),
}  # fmt: skip


LOOKS: tuple[tuple[int, Literal["light", "dark"], Literal["screen", "print"]], ...] = (
    *((1280, "light", "screen"), (720, "light", "print"), (390, "dark", "screen"), (320, "light", "screen")),
)


@pytest.fixture(scope="module")
def window() -> Generator[Browser]:
    with browser() as found:
        yield found


@pytest.mark.parametrize("kind", [pytest.param("rates", marks=pytest.mark.long), "money"])
def test_it_fits_every_width(window: Browser, tmp_path: Path, kind: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_with("report", PAGES[kind], clinic="Northside", demo=True, title=kind, lines=[]), "utf-8")
    for width, look, media in LOOKS:
        window.resize(width, 800)
        window.look(look, media)
        window.open(page.as_uri())
        assert window.script(FITS) == [], (width, look, media)
    assert window.complaints() == []
