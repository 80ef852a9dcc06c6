"""The documents as a site: all of them are in it, links in it are checked, and it loads nothing from elsewhere."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "packaging" / "mkdocs.yml"
SITE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
BESIDE = {"index.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"}
"""What the hook adds to the pages of docs/."""


def pages(nav: list[Any]) -> list[str]:
    found: list[str] = []
    for entry in nav:
        for place in entry.values():
            found += [place] if isinstance(place, str) else pages(place)
    return found


def test_every_document_has_one_place_in_the_menu() -> None:
    listed = pages(SITE["nav"])
    assert sorted(listed) == sorted({path.name for path in (ROOT / "docs").glob("*.md")} | BESIDE)


def test_what_is_not_there_is_a_warning_and_a_warning_ends_the_build() -> None:
    validation: dict[str, dict[str, str]] = SITE["validation"]
    assert {value for part in validation.values() for value in part.values()} == {"warn"}
    assert {"not_found", "anchors"} <= validation["links"].keys()
    # With --quiet warnings are not counted, and nothing ends the build.
    build = r"mkdocs build --strict --config-file packaging/mkdocs\.yml"
    for place in (".ci/run", ".github/workflows/ci.yml"):
        assert re.search(build, (ROOT / place).read_text("utf-8"))


def test_the_site_loads_nothing_from_elsewhere() -> None:
    assert SITE["theme"]["font"] is False and SITE["plugins"] == ["search"]
    assert not SITE.keys() & {"extra_javascript", "extra_css", "extra"}
    assert all((ROOT / "docs" / SITE["theme"][name]).is_file() for name in ("logo", "favicon"))
