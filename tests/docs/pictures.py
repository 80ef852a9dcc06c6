"""Makes the pictures of the documents again: `python tests/docs/pictures.py`, with chromium installed.

What they show comes from the program itself: the demo as a terminal shows it, the approval page as it is served.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.page_html import Shown, outcome_page, questions_page
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Question
from cliniko_mcp.approvals.shown import Account, Fact, Preview
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
    for name, waiting in QUESTIONS.items():
        for width, height in HEIGHTS[name].items():
            for look in ("light", "dark"):
                shoot(approval_page(waiting), f"approval-{name}-{width}-{look}.png", (width, height), look)
    done = question(0, CANCELLING)
    done.ending, done.ended, done.acting = "done", NOON + 125, True
    page = outcome_page(Outcome.APPROVED, done, Shown(recent=[done], path="/", now=NOON))
    shoot(page, "approval-done-1280-light.png", (1280, 560), "light")


NOON = 1_795_838_400.0
"""3 pm in Sydney on the Saturday of the pictures, in Unix seconds."""
ACCOUNT = Account("Northside & Riverside Allied Health", "Mei Ng", zone=ZoneInfo("Australia/Sydney"))
DEMO = replace(ACCOUNT, demo=True)
CANCELLING = Preview(
    "Cancel this appointment",
    "Keep it",
    "Cancelled",
    [
        Fact("Patient", "Ari Bramblewick, born 1982"),
        Fact("When", "Wed 2 Dec, 8:00 to 8:30 am", "in 4 days"),
        Fact("With", "Jack Whitfield"),
        Fact("For", "Standard consult"),
        Fact("Where", "Riverside"),
        Fact("Reason", "Sick"),
        Fact("Number", "1104000000311845207"),
    ],
    consequences=["Depending on the clinic's settings, the patient may get a message."],
    undo="A cancellation cannot be undone; a new appointment can be booked.",
)
NOTE = """Rang at 7.40 to say:
- fever since last night, 38.6
- will not make it on Wednesday
- asks for the week after, mornings
- please not before 9, school run
Told her:
- no fee, she rang in time
- we ring back by Friday
- bring the referral along
(Spoke with Mei. In the circumstances of this week no letter is needed.)"""
LONG = replace(CANCELLING, facts=[*CANCELLING.facts[:-1], Fact("Note", NOTE), CANCELLING.facts[-1]])
ARCHIVING = Preview(
    "Archive this patient",
    "Keep them",
    "Archived",
    [Fact("Patient", "Noor Halloway, born 1969"), Fact("Number", "1104000000422323183")],
    consequences=["They have 3 coming appointments, which stay in the diary."],
    undo="It can be brought back: ask the assistant to restore it.",
    restorable=True,
)


def question(number: int, preview: Preview, account: Account = ACCOUNT) -> PendingQuestion:
    """This question as a person without a PIN finds it."""
    asked = Question(preview, f"challenge-{number}", NOON + 552, account)
    return PendingQuestion(Matter("local", "", "", str(number)), asked, "claude-ai", NOON + 9 * number)


NAMES = ("Ari Bramblewick, born 1982", "Oona Pell, born 1990", "Tam Okafor, file ending 5120", "Ines Roth, born 2011")
QUESTIONS = {
    "one": [question(0, CANCELLING, DEMO)],
    "long": [question(0, LONG)],
    "six": [
        *(
            question(
                number,
                replace(
                    CANCELLING,
                    facts=[
                        Fact("Patient", name),
                        Fact(
                            "When",
                            f"Wed 2 Dec, {9 + number}:00 to {9 + number}:30 {'am' if number < 3 else 'pm'}",
                            "in 4 days",
                        ),
                        *CANCELLING.facts[2:-1],
                        Fact("Number", f"110400000031184{5207 + 1371 * number}"),
                    ],
                ),
            )
            for number, name in enumerate(NAMES)
        ),
        question(4, ARCHIVING),
        question(
            5,
            replace(ARCHIVING, facts=[Fact("Patient", "Ned Ashby, born 1951"), Fact("Number", "1104000000422329955")]),
        ),
    ],
}


def approval_page(waiting: Sequence[PendingQuestion]) -> str:
    """The page with these questions."""
    return questions_page(Shown(waiting=waiting, now=NOON))


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


HEIGHTS = {"one": {1280: 800, 390: 1_080}, "long": {1280: 1_000, 390: 1_300}, "six": {1280: 2_500, 390: 3_300}}
"""Of the pictures, by the number of questions and the width of the window, in pixels."""
NARROWEST = 500
"""Pixels: no window of the browser is narrower."""
PHONE = """<!doctype html><meta charset=utf-8><style>body {{ margin: 0; background: {shade}; text-align: center; }}
iframe {{ border: 0; margin: 20px auto; border-radius: 16px; width: {width}px; height: {height}px; }}</style>
<iframe srcdoc="{page}"></iframe>"""


def shoot(page: str, name: str, size: tuple[int, int], look: str = "light") -> None:
    """Let the browser draw the page into a picture of this size."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        # What the person's system prefers is not asked: the picture is of one look.
        page = page.replace("(prefers-color-scheme: dark)", "all" if look == "dark" else "not all")
        width, height = size
        if width < NARROWEST:
            page = PHONE.format(
                width=width, height=height - 40, page=escape(page), shade="#0a0e12" if look == "dark" else "#dfe4e9"
            )
            width = NARROWEST
        source.write_text(page, "utf-8")
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
