"""Makes what the pages are served from: their scripts and styles as one of each, made small by esbuild.

`cliniko-mcp manifest` runs this in a source checkout, so that a server needs no program and no package for it. A page
that is made already is left alone unless one of its sources changed; only then esbuild is needed, from tests/npm.
"""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.house_look import LOOK, TABLES, themed

_ESBUILD: Final = Path("tests", "npm", "node_modules", "esbuild", "bin", "esbuild")
_APPS: Final = Path("cliniko_mcp", "protocol", "apps")
_COLOURS: Final = themed(
    "--edge: #7b8794; --mark-ink: #fff; --class: #5b2a86; --class-bg: #f3ecfa; --visit-bg: #e8f3f4; "
    "--visit-edge: #b5d3d6; --hatch: #e3e8ed; --missed: #a61b1b; --missed-bg: #fdecea; "
    "--heat-0: #fff; --heat-1: #e9f4f4; --heat-2: #d2e8ea; --heat-3: #b6dadd; --heat-4: #98cacf;",
    "--edge: #8494a3; --mark-ink: #04181a; --class: #d9b8ff; --class-bg: #2c2140; --visit-bg: #15353a; "
    "--visit-edge: #275a60; --hatch: #2a3540; --missed: #ff9a8f; --missed-bg: #3d1a17; "
    "--heat-0: #1b242d; --heat-1: #1c2f37; --heat-2: #1c3a42; --heat-3: #1d464e; --heat-4: #1e525a;",
)
_SMALL: Final = ("--minify", "--charset=utf8")
_ONE_SCRIPT: Final = ("--loader=js", "--format=iife", "--tree-shaking=true", "--target=es2022")
_ONE_STYLE: Final = ("--loader=css",)


@dataclass(frozen=True, slots=True)
class Sources:
    """The scripts and styles that a page is made of, in their order."""

    scripts: Sequence[str]
    styles: Sequence[str]

    def script(self, folder: Path) -> str:
        """The scripts as one."""
        return '"use strict";\n' + _joined(folder, self.scripts, "js")

    def style(self, folder: Path) -> str:
        """The styles as one, after the look that all pages share."""
        return LOOK + TABLES + _COLOURS + _joined(folder, self.styles, "css")


SOURCES: Final = {
    "diary": Sources(
        ("document", "clock", "bridge", "sheets", "cards", "columns", "week", "times", "diary"), ("app", "diary")
    ),
    "report": Sources(("document", "clock", "bridge", "figures", "report"), ("app", "report")),
}


def _joined(folder: Path, names: Sequence[str], suffix: str) -> str:
    return "\n".join((folder / f"{name}.{suffix}").read_text("utf-8") for name in names)


def stale_pages(root: Path) -> list[Path]:
    """The pages whose sources changed since they were made; `root` is the project's folder."""
    old: list[Path] = []
    for name, sources in SOURCES.items():
        path = root / _APPS / "built" / f"{name}.json"
        if not path.is_file() or json.loads(path.read_text("utf-8"))["sources"] != _digest(root / _APPS, sources):
            old.append(path)
    return old


def write_pages(root: Path) -> list[Path]:
    """Make the pages whose sources changed; their files. Raises ConfigurationError where esbuild is not there."""
    changed = stale_pages(root)
    for path in changed:
        path.write_text(page_text(root, path.stem), "utf-8", newline="\n")
    return changed


def page_text(root: Path, name: str) -> str:
    """The script and the style of a page as they are kept, with the digest of what they were made of."""
    folder, sources = root / _APPS, SOURCES[name]
    made = {
        "sources": _digest(folder, sources),
        "script": _made_small(root, sources.script(folder), _ONE_SCRIPT),
        "style": _made_small(root, sources.style(folder), _ONE_STYLE),
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _digest(folder: Path, sources: Sources) -> str:
    return sha256(f"{sources.script(folder)}\0{sources.style(folder)}".encode()).hexdigest()


def _made_small(root: Path, text: str, how: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            [str(root / _ESBUILD), *_SMALL, *how], input=text, capture_output=True, check=True, encoding="utf-8"
        )
    except OSError:
        advice = "Run npm install in tests/npm, then the same again."
        raise ConfigurationError("A page changed, and esbuild, which makes it small, is not there.", advice) from None
    except subprocess.CalledProcessError as problem:
        raise ConfigurationError(f"esbuild made no page: {problem.stderr}") from None
    return done.stdout.strip()
