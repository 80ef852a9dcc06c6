"""Draws the mark again as the pictures that programs take: `python -m tests.docs.mark_pictures`, with chromium."""

import tempfile
from pathlib import Path
from typing import Final

from cliniko_mcp.house_look import mark
from tests.approvals.chromium import browser, missing

ROOT: Final = Path(__file__).resolve().parents[2]
PICTURES: Final = {512: ROOT / "packaging" / "mcpb" / "icon.png", 64: ROOT / "cliniko_mcp" / "protocol" / "icon.png"}
"""How wide each is, in pixels, and where it stands: in the bundle, and in what a server says of itself."""


def main() -> None:
    """Draw both."""
    if (reason := missing()) is not None:
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as folder, browser() as window:
        for width, picture in PICTURES.items():
            page = Path(folder) / "mark.html"
            page.write_text(f"<!doctype html><style>*{{margin:0}}svg{{display:block}}</style>{mark()}", "utf-8")
            window.resize(width, width)
            window.open(page.as_uri())
            window.do("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
            window.picture(picture)


if __name__ == "__main__":
    main()
