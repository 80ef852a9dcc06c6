"""Lets the documents that stand beside docs/ into the site, and bends the links between them and those in it.

On GitHub the README links to docs/staff.md and staff.md to ../SECURITY.md; in the site all of them are in one folder.
What is linked to and is no document, such as a file of the source, is linked to at the repository.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"README.md": "index.md", "SECURITY.md": "SECURITY.md", "CHANGELOG.md": "CHANGELOG.md"} | {
    "CONTRIBUTING.md": "CONTRIBUTING.md"
}
LINK = re.compile(r"""(?P<before>\]\(|src=")(?P<target>[^)"\s#:]+)(?P<anchor>#[^)"]*)?(?=[)"])""")
with (ROOT / "pyproject.toml").open("rb") as file:
    REPOSITORY: str = tomllib.load(file)["project"]["urls"]["Repository"]


def on_files(files: Files, *, config: Any) -> Files:
    """The files of the site, with those documents among them."""
    for name, place in PAGES.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """The page with links that lead to where the documents are in the site."""
    folder = ROOT if page.file.src_uri in PAGES.values() else ROOT / "docs"

    def bent(link: re.Match[str]) -> str:
        path = (folder / link["target"]).resolve()
        if not path.is_relative_to(ROOT):
            return link[0]
        inside = path.relative_to(ROOT).as_posix()
        target = PAGES.get(inside) or inside.removeprefix("docs/")
        if inside not in PAGES and not inside.startswith("docs/") and path.exists():
            target = f"{REPOSITORY}/blob/main/{inside}"
        return f"{link['before']}{target}{link['anchor'] or ''}"

    return LINK.sub(bent, markdown)
