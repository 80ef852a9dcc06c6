"""Makes the pictures of the documents again: `python tests/docs/pictures.py`, with chromium installed.

What they show comes from the program itself: the demo as a terminal shows it, the approval page as it is served.
"""

import re
import shutil
import subprocess
import tempfile
from html import escape
from itertools import pairwise
from pathlib import Path

from cliniko_mcp.approvals.page_html import questions_page
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Question
from tests.terminal import in_a_terminal

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COLUMNS, LINE, EDGE = 112, 21, 18
"""Of the picture of a terminal: characters a line, pixels a line, pixels around."""
TERMINAL = f"""<!doctype html><meta charset=utf-8><style>
body {{ margin: 0; padding: {EDGE}px; background: #12181f; color: #d5dde5; font: 14px/{LINE}px monospace; }}
pre {{ margin: 0; font: inherit; }}
</style><pre>"""
STYLES = {
    "1": "font-weight: bold",
    "2": "color: #8a97a4",
    "31": "color: #ff9a8f",
    "32": "color: #8fd694",
    "33": "color: #ffd479",
    "35": "color: #e5a9ff",
    "36": "color: #7fdbff",
}
"""What the demo's colours look like; for other codes there is a KeyError, so that none is forgotten."""
CODE = re.compile("\x1b\\[(\\d+)m")


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    lines = demo()
    scenes = [place for place, line in enumerate(lines) if plain(line).startswith("› ")]
    parts = [lines[start:end] for start, end in pairwise([*scenes, len(lines)])]
    cancelling = next(part for part in parts if any(plain(line).startswith("    ? Cancel") for line in part))
    archiving = next(part for part in parts if any(plain(line).startswith("    ? Archive") for line in part))
    shown = ["\x1b[1m$ cliniko-mcp demo\x1b[0m", "", *parts[1], *parts[2], "  ...", "", *cancelling, *archiving]
    while not plain(shown[-1]).strip():
        shown.pop()
    page = TERMINAL + "\n".join(map(as_html, shown)) + "</pre>"
    shoot(page, "demo.png", (2 * EDGE + round(8.43 * COLUMNS), 2 * EDGE + LINE * len(shown)))
    output = "\n".join(map(plain, cancelling))
    title, preview = output[output.index("? ") + 2 : output.index("    ! ")].split("\n    ? ")
    shoot(approval_page(title, " ".join(preview.split())), "approval.png", (720, 420))


def approval_page(title: str, preview: str) -> str:
    """The page with this question, as a person without a PIN finds it."""
    matter = Matter("local", "cancel_individual_appointment", "", "", "")
    question = Question(title, preview, "challenge", 600)
    return questions_page(
        [PendingQuestion(matter, question, "Claude Desktop")], csrf="", nonce="", needs_pin=False, now=0
    )


def demo() -> list[str]:
    """The lines of the demo with their colours; a pseudo-terminal stands in for the person's."""
    code, output = in_a_terminal("demo", "--fast", columns=COLUMNS)
    if code != 0:
        raise SystemExit("the demo did not play to its end")
    return output.split("\n")


def plain(line: str) -> str:
    """The line without its colours."""
    return CODE.sub("", line)


def as_html(line: str) -> str:
    """The line with its colours as HTML."""
    made, opened = "", 0
    for place, text in enumerate(CODE.split(line)):
        if place % 2 == 0:
            made += escape(text)
        elif text == "0":
            made, opened = made + "</span>" * opened, 0
        else:
            made, opened = f'{made}<span style="{STYLES[text]}">', opened + 1
    return made + "</span>" * opened


def shoot(page: str, name: str, size: tuple[int, int]) -> None:
    """Let the browser draw the page into a picture of this size."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, "utf-8")
        width, height = size
        subprocess.run(
            [
                chromium,
                "--headless=new",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={PICTURES / name}",
                source.as_uri(),
            ],
            check=True,
            capture_output=True,
        )


if __name__ == "__main__":
    main()
