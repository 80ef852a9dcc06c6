"""Makes the pictures of the documents anew: `python tests/docs/pictures.py`, with chromium installed.

What they show comes from the program itself: the approval page as it is served, the demo as it is printed.
"""

import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from cliniko_mcp.guardrails.call import Question
from cliniko_mcp.guardrails.document import questions_page
from cliniko_mcp.guardrails.questions import Asked, Matter

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
TERMINAL = """<!doctype html><meta charset=utf-8><style>
body { margin: 0; background: #12181f; color: #d5dde5; font: 14px/1.5 monospace; padding: 18px; }
pre { margin: 0; white-space: pre-wrap; }
b { color: #fff; }
i { color: #7f8c99; font-style: normal; }
u { color: #ffd479; text-decoration: none; }
</style><pre>"""


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    shoot(approval_page(), "approval.png", (720, 620))
    shoot(demo(), "demo.png", (1000, 960))


def approval_page() -> str:
    """The page with one question, as a person finds it."""
    matter = Matter("local", "cancel_individual_appointment", "", "", "")
    question = Question(
        "Cancel individual appointment?",
        "Cancel the appointment of Ben Adeyemi (born 1990) with Mei Ng on Tuesday 24 November 2026, 08:30 to 09:00 "
        "(Australia/Sydney), Standard consult, at Northside. Reason: Sick. The clinic's settings may notify the "
        "patient. A cancellation cannot be undone.",
        "challenge",
        600,
    )
    return questions_page([Asked(matter, question, "Claude Desktop")], csrf="", nonce="", needs_pin=True, now=0)


def demo() -> str:
    """The demo's scenes about cancelling and archiving, as a terminal shows them."""
    done = subprocess.run(
        [sys.executable, "-m", "cliniko_mcp", "demo", "--fast"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    scenes = [number for number, line in enumerate(lines) if line.startswith("› ")]
    shown = ["$ cliniko-mcp demo", "", *lines[scenes[1] : scenes[3]], "  ...", "", *lines[scenes[-2] : scenes[-1] + 9]]
    return TERMINAL + "\n".join(coloured(line[:200]) for line in shown) + "</pre>"


def coloured(line: str) -> str:
    """The line with its weight: what is asked, what is called, what a person answers."""
    text = escape(line)
    if line.startswith(("›", "$")):
        return f"<b>{text}</b>"
    if line.startswith(("    ?", "    !")):
        return f"<u>{text}</u>"
    return f"<i>{text}</i>" if line.startswith("    ") else text


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
