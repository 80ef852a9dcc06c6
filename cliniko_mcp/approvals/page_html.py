"""The approval page as HTML: one self-contained document that works by keyboard, on a phone, and without scripts."""

from collections.abc import Sequence
from html import escape
from typing import Final

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.approvals.pin import MAX_LENGTH
from cliniko_mcp.approvals.questions import PendingQuestion
from cliniko_mcp.sanitize import label

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #17212b; --soft: #52606d; --paper: #f4f6f8; --card: #fff; --line: #cbd2d9;
  --yes: #a61b1b; --yes-ink: #fff; --focus: #0b69c7; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1f4f7; --soft: #b3bec9; --paper: #12181f; --card: #1d2630;
  --line: #46525f; --yes: #ff9a8f; --yes-ink: #2b0703; --focus: #7cc0ff; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem 5rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .9375rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem;
  margin: 1.25rem 0; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input[type=password] { width: 100%; max-width: 16rem; font: inherit; padding: .6rem .7rem;
  border: 1px solid var(--soft); border-radius: .5rem; background: transparent; color: inherit; margin-bottom: 1rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; min-width: 8rem; padding: .5rem 1.25rem; cursor: pointer;
  border-radius: .5rem; border: 2px solid var(--soft); background: transparent; color: inherit; }
button.yes { background: var(--yes); border-color: var(--yes); color: var(--yes-ink); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
a { color: var(--focus); }
#news { position: fixed; left: 0; right: 0; bottom: 0; padding: .9rem 1rem; background: var(--ink); color: var(--paper);
  text-align: center; }
#news a { color: inherit; }
"""

# What is on the page never moves under a person's hand: news is announced at the foot, and shown when asked for.
_SCRIPT: Final = """
const { mark, idle } = document.body.dataset, news = document.getElementById("news");
const tell = (text, link) => {
  news.hidden = false; news.firstChild.textContent = text; news.lastChild.hidden = !link;
};
setInterval(async () => {
  try {
    const answer = await fetch(location.pathname + "/state", { cache: "no-store" });
    if (!answer.ok) return;
    const state = await answer.json();
    if (state.mark === mark) news.hidden = true;
    else if (idle) location.replace(location.pathname);
    else tell("The list of questions has changed. ", true);
  } catch { tell("The assistant's connection to Cliniko has ended; nothing more can be approved here.", false); }
}, 2000);
"""

_HEADINGS: Final = {
    Outcome.APPROVED: "Approved",
    Outcome.DENIED: "Denied",
    Outcome.GONE: "No longer open",
    Outcome.WRONG: "Wrong PIN",
    Outcome.LOCKED: "Too many tries",
    Outcome.BROKEN: "The PIN cannot be checked",
}


def policy(nonce: str) -> str:
    """The page's Content-Security-Policy header: nothing from outside, only the style and script with this nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def mark(waiting: Sequence[PendingQuestion]) -> str:
    """16 hexadecimal digits that change when the list of questions does."""
    return digest(*(pending.question.challenge for pending in waiting))[:16]


def questions_page(waiting: Sequence[PendingQuestion], *, csrf: str, nonce: str, needs_pin: bool, now: float) -> str:
    """The page with every waiting question, as HTML; `now` in Unix seconds on the clock that questions expire by."""
    if not waiting:
        body = (
            "<h1>Nothing is waiting</h1><p>When an assistant wants to archive, delete or cancel something in Cliniko, "
        )
        body += "the question appears here.</p>"
        return _document("Nothing is waiting", body, nonce, mark(waiting), idle=True)
    heading = "One question for you" if len(waiting) == 1 else f"{len(waiting)} questions for you"
    lead = "<p class=soft>An assistant wants to change something in Cliniko. Nothing happens unless you approve.</p>"
    cards = "".join(_card(number, pending, csrf, needs_pin, now) for number, pending in enumerate(waiting, 1))
    return _document(f"({len(waiting)}) {heading}", f"<h1>{heading}</h1>{lead}{cards}", nonce, mark(waiting))


def outcome_page(outcome: Outcome, left: int, *, path: str, nonce: str, state: str) -> str:
    """The page after a decision, as HTML; `left` is how many questions still wait.

    They are one click away, so that a double click cannot answer them.
    """
    more = "See the question that is waiting" if left == 1 else f"See the {left} questions that are waiting"
    link = f'<p><a href="{escape(path)}">{more if left else "Back to the page"}</a></p>'
    heading = _HEADINGS[outcome]
    sentences = outcome.value.removeprefix(f"{heading}. ")
    return _document(heading, f"<h1 role=status>{heading}</h1><p>{escape(sentences)}</p>{link}", nonce, state)


def _card(number: int, pending: PendingQuestion, csrf: str, needs_pin: bool, now: float) -> str:
    question = pending.question
    minutes = max(1, int((question.expires - now) // 60))
    program = f"Asked through {escape(label(pending.program))}. " if pending.program else ""
    pin = (
        f'<label for="pin{number}">PIN</label><input type=password id="pin{number}" name=pin autocomplete=off '
        f'maxlength={MAX_LENGTH} aria-describedby="what{number}">'
        if needs_pin
        else ""
    )
    return (
        f'<section class=card aria-labelledby="title{number}"><h2 id="title{number}">{escape(question.title)}</h2>'
        f'<p id="what{number}">{escape(question.text)}</p>'
        f"<p class=soft>{program}Open for {minutes} more minute{'' if minutes == 1 else 's'}.</p>"
        f'<form method=post><input type=hidden name=csrf value="{escape(csrf)}">'
        f'<input type=hidden name=question value="{escape(question.challenge)}">{pin}<div class=buttons>'
        # Return in the PIN field presses the first button, so the yes comes first only where a PIN was typed for it.
        f"{_buttons(number, yes_first=needs_pin)}</div></form></section>"
    )


def _buttons(number: int, *, yes_first: bool) -> str:
    described = f'aria-describedby="title{number} what{number}"'
    yes = f"<button class=yes name=decision value=approve {described}>Approve</button>"
    no = f"<button name=decision value=deny {described}>Deny</button>"
    return yes + no if yes_first else no + yes


def _document(title: str, body: str, nonce: str, state: str, *, idle: bool = False) -> str:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)} - Cliniko approvals</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="data:,">'
        f'<style nonce="{nonce}">{_STYLE}</style></head>'
        f'<body data-mark="{state}" data-idle="{"yes" if idle else ""}"><main>{body}</main>'
        '<div id=news role=status hidden><span></span><a href="?">Show it</a></div>'
        f'<script nonce="{nonce}">{_SCRIPT}</script></body></html>'
    )
