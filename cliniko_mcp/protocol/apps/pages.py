"""The pages as HTML: each one file that needs nothing from outside, of the script and the style that are made of it."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.house_look import DEMO_BAND, ICON, letterhead

PAGES: Final[Mapping[str, str]] = {"diary": "Cliniko diary", "report": "Cliniko report"}
"""The title of each page."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What `cliniko-mcp manifest` made of a page's scripts and styles."""

    script: str
    style: str


def app_page(name: str, *, demo: bool) -> str:
    """The page as a host shows it: it asks the host for what it is to show."""
    return _html(_made(name), PAGES[name], {"demo": demo}, head=DEMO_BAND if demo else "", policy="")


def page_with(
    name: str, answer: Mapping[str, JsonValue], *, clinic: str, demo: bool, title: str, lines: Iterable[str]
) -> str:
    """The same page with what it shows inside, for a browser; its own script is the only one that may run.

    `lines` say the same where no script runs, as in the preview of a mail program.
    """
    page = _made(name)
    digest = b64encode(sha256(page.script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = letterhead(clinic, "From Cliniko", demo=demo)
    facts: dict[str, JsonValue] = {"demo": demo, "answer": dict(answer)}
    return _html(page, title, facts, head=head, policy=policy, lines=lines)


def _html(
    page: _Made, title: str, facts: Mapping[str, JsonValue], *, head: str, policy: str, lines: Iterable[str] = ()
) -> str:
    allowed = f'<meta http-equiv=Content-Security-Policy content="{policy}">' if policy else ""
    # In JSON a < stands in texts alone; written as its number it can end no element.
    inside = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8>{allowed}<title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="{ICON}">'
        f"<style>{page.style}</style></head><body>{head}<main id=page></main>"
        f"<noscript><pre>{escape(chr(10).join(lines))}</pre></noscript>"
        f'<script type="application/json" id=facts>{inside}</script><script>{page.script}</script></body></html>\n'
    )


@cache
def _made(name: str) -> _Made:
    text = files("cliniko_mcp.protocol.apps").joinpath("built", f"{name}.json").read_text("utf-8")
    found = json.loads(text)
    return _Made(found["script"], found["style"])
