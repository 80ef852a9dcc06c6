"""Makes the pictures of the documents again: `python tests/docs/pictures.py`, with chromium installed.

What they show comes from the program itself: the demo as a terminal shows it, the approval page as it is served.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.page_html import Shown, outcome_page, questions_page
from cliniko_mcp.approvals.questions import Matter, PendingQuestion, Question
from cliniko_mcp.approvals.shown import Account, Fact, Preview
from tests.approvals.chromium import Browser, browser, missing
from tests.docs.login_pictures import LOGIN_SHOTS, SHOWN_WHOLE, login_pages
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
    if (reason := missing()) is not None:
        raise SystemExit(reason)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser() as window:
        shoot(window, *played_demo())
        for name, waiting in QUESTIONS.items():
            for width, look, media in SHOTS[name]:
                shot = f"{width}-{look}" if media == "screen" else media
                shoot(window, approval_page(waiting), f"approval-{name}-{shot}.png", width, look, media)
        for name, page in login_pages().items():
            for width, look in LOGIN_SHOTS if name in SHOWN_WHOLE else LOGIN_SHOTS[:1]:
                shoot(window, page, f"{name}-{width}-{look}.png", width, look)
        done = question(0, CANCELLING)
        done.ending, done.ended, done.acting = "done", NOON + 125, True
        page = outcome_page(Outcome.APPROVED, done, Shown(recent=[done], path="/", now=NOON))
        shoot(window, page, "approval-done-1280-light.png", 1280)
        shoot(window, page, "approval-done-320-dark.png", 320, "dark")


def played_demo() -> tuple[str, str, int]:
    """The demo as a page, the name of its picture, and how wide it is in pixels."""
    lines = demo()
    scenes = [place for place, line in enumerate(lines) if plain(line).startswith("› ")]
    parts = [lines[start:end] for start, end in pairwise([*scenes, len(lines)])]
    cancelling = next(part for part in parts if any(plain(line).startswith("    ? Cancel") for line in part))
    archiving = next(part for part in parts if any(plain(line).startswith("    ? Archive") for line in part))
    shown = ["\x1b[1m$ cliniko-mcp demo\x1b[0m", "", *parts[1], *parts[2], "  ...", "", *cancelling, *archiving]
    while not plain(shown[-1]).strip():
        shown.pop()
    return TERMINAL + "\n".join(map(as_html, shown)) + "</pre>", "demo.png", 2 * EDGE + round(8.43 * COLUMNS)


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


CHANGING = Preview(
    "Give this appointment to another patient and move it out of the diary",
    "Leave it as it is",
    "Changed",
    [
        Fact("Patient", "Ari Bramblewick, born 1982"),
        Fact("When", "Wed 2 Dec, 8:00 to 8:30 am", "in 4 days"),
        Fact("Number", "1104000000311845207"),
    ],
    [
        Fact("Patient", "Ari Bramblewick, born 1982", becomes="Noor Halloway, born 1969"),
        Fact("Start", "Wed 2 Dec, 8:00 am", becomes="Fri 2 Oct, 8:00 am"),
        Fact("End", "Wed 2 Dec, 8:30 am", becomes="Fri 2 Oct, 8:30 am"),
        Fact("Notes", "“Prefers the room on the ground floor; brings her own strap”"),
    ],
    undo="It can be given back by hand. It can be moved back by hand.",
)
NAMES = ("Ari Bramblewick, born 1982", "Oona Pell, born 1990", "Tam Okafor, file ending 5120", "Ines Roth, born 2011")
QUESTIONS = {
    "one": [question(0, CANCELLING, DEMO)],
    "long": [question(0, LONG)],
    "changed": [question(0, CHANGING)],
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


Look = Literal["light", "dark"]
Media = Literal["screen", "print"]
WIDE: list[tuple[int, Look, Media]] = [(1280, "light", "screen"), (1280, "dark", "screen")]
PHONES: list[tuple[int, Look, Media]] = [(390, "light", "screen"), (390, "dark", "screen"), (320, "light", "screen")]
PRINTED: tuple[int, Look, Media] = (720, "dark", "print")
"""A sheet of paper in pixels, printed by a system that prefers dark."""
SHOTS: dict[str, list[tuple[int, Look, Media]]] = {
    "one": [*WIDE, *PHONES, (320, "dark", "screen"), PRINTED],
    "long": [*WIDE, *PHONES],
    "six": [*WIDE, *PHONES, PRINTED],
    "changed": [*WIDE, (320, "light", "screen"), (320, "dark", "screen"), PRINTED],
}
"""Of the page with these questions: how wide, in which colours, on a screen or on paper."""


def shoot(window: Browser, page: str, name: str, width: int, look: Look = "light", media: Media = "screen") -> None:
    """Let the browser draw the page, as wide as this and as high as it is, into a picture."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, "utf-8")
        window.resize(width, 100)
        window.look(look, media)
        window.open(source.as_uri())
        window.resize(width, window.script("document.documentElement.scrollHeight"))
        window.picture(PICTURES / name)


if __name__ == "__main__":
    main()
