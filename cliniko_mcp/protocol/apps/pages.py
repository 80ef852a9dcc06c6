"""The pages as HTML: each one file that needs nothing from outside, of the scripts and styles beside this module."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.house_look import DEMO_BAND, ICON, LOOK, TABLES, letterhead, themed

_COLOURS: Final = themed(
    "--edge: #7b8794; --mark-ink: #fff; --class: #5b2a86; --class-bg: #f3ecfa; --visit-bg: #e8f3f4; "
    "--visit-edge: #b5d3d6; --hatch: #e3e8ed; --missed: #a61b1b; --missed-bg: #fdecea;",
    "--edge: #8494a3; --mark-ink: #04181a; --class: #d9b8ff; --class-bg: #2c2140; --visit-bg: #15353a; "
    "--visit-edge: #275a60; --hatch: #2a3540; --missed: #ff9a8f; --missed-bg: #3d1a17;",
)
_COMMENT: Final = re.compile(r"^\s*(?://[^\n]*|/\*(?:(?!\*/).)*\*/)$", re.MULTILINE | re.DOTALL)
"""A comment that stands by itself."""


_AROUND: Final = re.compile(r" ?([{};,]) ?|(?<=:) ")
"""Blanks in a style that say nothing."""


_SIGNS: Final = re.compile(r" ?([=*?:<>,(){}\[\];&|]) ?")
_QUOTED: Final = re.compile(r'("[^"\\]*"|`(?:[^`$\\]|\$\{[^{}`"\']*\})*`)')
_KEPT: Final = frozenset("\"'`/\\")
"""Signs of texts within texts and of patterns: a line with one outside a whole text is left as it is."""


@dataclass(frozen=True, slots=True)
class AppPage:
    """A page: its title, and the scripts and styles that it is made of."""

    title: str
    scripts: Sequence[str]
    styles: Sequence[str]


PAGES: Final[Mapping[str, AppPage]] = {
    "diary": AppPage(
        "Cliniko diary",
        ("document", "clock", "bridge", "sheets", "cards", "columns", "week", "times", "diary"),
        ("app", "diary"),
    ),
    "report": AppPage("Cliniko report", ("document", "clock", "bridge", "figures", "report"), ("app", "report")),
}


def app_page(name: str, *, demo: bool) -> str:
    """The page as a host shows it: it asks the host for what it is to show."""
    return _html(PAGES[name], PAGES[name].title, {"demo": demo}, head=DEMO_BAND if demo else "", policy="")


def page_with(
    name: str, answer: Mapping[str, JsonValue], *, clinic: str, demo: bool, title: str, lines: Iterable[str]
) -> str:
    """The same page with what it shows inside, for a browser; its own script is the only one that may run.

    `lines` say the same where no script runs, as in the preview of a mail program.
    """
    page = PAGES[name]
    digest = b64encode(sha256(_script(page).encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = letterhead(clinic, "From Cliniko", demo=demo)
    facts: dict[str, JsonValue] = {"demo": demo, "answer": dict(answer)}
    return _html(page, title, facts, head=head, policy=policy, lines=lines)


def _html(
    page: AppPage, title: str, facts: Mapping[str, JsonValue], *, head: str, policy: str, lines: Iterable[str] = ()
) -> str:
    allowed = f'<meta http-equiv=Content-Security-Policy content="{policy}">' if policy else ""
    # In JSON a < stands in texts alone; written as its number it can end no element.
    inside = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8>{allowed}<title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="{ICON}">'
        f"<style>{_style(page)}</style></head><body>{head}<main id=page></main>"
        f"<noscript><pre>{escape(chr(10).join(lines))}</pre></noscript>"
        f'<script type="application/json" id=facts>{inside}</script><script>{_script(page)}</script></body></html>\n'
    )


@cache
def _script(page: AppPage) -> str:
    """The scripts as one, without comments and indents: a host loads the page with every answer that it shows."""
    whole = "\n".join(_text(f"{name}.js") for name in page.scripts)
    lines = (_tightened(line.strip()) for line in _COMMENT.sub("", whole).splitlines())
    return '(() => {\n"use strict";\n' + "\n".join(line for line in lines if line) + "\n})();\n"


def _tightened(line: str) -> str:
    """A line of script without the blanks around its signs, where no text or pattern is in it that blanks belong to."""
    parts = _QUOTED.split(line)
    if any(_KEPT.intersection(part) for part in parts[::2]):
        return line
    parts[::2] = (_SIGNS.sub("\\1", part) for part in parts[::2])
    return "".join(parts)


@cache
def _style(page: AppPage) -> str:
    whole = LOOK + TABLES + _COLOURS + "\n".join(_text(f"{name}.css") for name in page.styles)
    return _AROUND.sub("\\1", " ".join(_COMMENT.sub("", whole).split()))


def _text(name: str) -> str:
    return files("cliniko_mcp.protocol.apps").joinpath(name).read_text("utf-8")
