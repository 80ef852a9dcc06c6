"""The approval page as HTML: one self-contained document that works by keyboard, on a phone, and without scripts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Final

from cliniko_mcp.approvals.decisions import Outcome
from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.approvals.host_waits import name_for_people
from cliniko_mcp.approvals.page_style import SCRIPT, STYLE, TICK
from cliniko_mcp.approvals.pin import MAX_LENGTH
from cliniko_mcp.approvals.questions import PendingQuestion
from cliniko_mcp.approvals.shown import NOWHERE, WILL_BECOME, Account, Fact, Preview, clock_words
from cliniko_mcp.approvals.story import story_of
from cliniko_mcp.house_look import ICON, letterhead
from cliniko_mcp.sanitize import clean, label

_HEADINGS: Final = {
    Outcome.APPROVED: "Approved",
    Outcome.DENIED: "Denied",
    Outcome.OTHER: "Not like this",
    Outcome.WITHDRAWN: "Taken back",
    Outcome.REOPENED: "Allowed again",
    Outcome.ALL_DENIED: "All denied",
    Outcome.GONE: "No longer open",
    Outcome.USED: "Too late",
    Outcome.WRONG: "Wrong PIN",
    Outcome.LOCKED: "Too many tries",
    Outcome.BROKEN: "The PIN cannot be checked",
}
_TOLD: Final = frozenset({Outcome.APPROVED, Outcome.DENIED, Outcome.OTHER, Outcome.WITHDRAWN, Outcome.USED})
"""The outcomes of which the question itself tells more."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page that has a login."""

    principal: str
    name: str
    cannot_approve: frozenset[str] = frozenset()
    """The challenges of the questions that somebody else has to approve."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the page is about: what waits, what was approved and not used yet, and what happened lately."""

    waiting: Sequence[PendingQuestion] = ()
    unused: Sequence[PendingQuestion] = ()
    recent: Sequence[PendingQuestion] = ()
    denials: Sequence[PendingQuestion] = ()
    csrf: str = ""
    nonce: str = ""
    path: str = ""
    needs_pin: bool = False
    now: float = 0.0
    """In Unix seconds on the clock that questions expire by."""
    viewer: Viewer | None = None
    """None on this computer's own page."""

    @property
    def account(self) -> Account:
        """Whose clinic the questions are about."""
        everything = (*self.waiting, *self.unused, *self.recent)
        if len(self.clinics) > 1:
            return Account("Your clinics", demo=all(pending.question.account.demo for pending in everything))
        return everything[0].question.account if everything else NOWHERE

    @property
    def clinics(self) -> frozenset[Account]:
        """Those that the questions are about; this computer's own page is about one."""
        everything = (*self.waiting, *self.unused, *self.recent) if self.viewer is not None else ()
        return frozenset(pending.question.account for pending in everything)

    @property
    def mark(self) -> str:
        """16 hexadecimal digits that change when the list of questions does, or how one of them stands."""
        everything = (*self.waiting, *self.unused, *self.recent)
        return digest(*(f"{item.question.challenge} {story_of(item).heading}" for item in everything))[:16]


def policy(nonce: str) -> str:
    """The page's Content-Security-Policy header: nothing from outside, only the style and script with this nonce."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def questions_page(shown: Shown) -> str:
    """The page with every waiting question, as HTML."""
    waiting, past = shown.waiting, _past(shown)
    if not waiting:
        body = (
            "<h1>Nothing is waiting</h1><p>When an assistant wants to archive, delete or cancel something in Cliniko, "
            f"the question appears here.</p>{past}"
        )
        return _document("Nothing is waiting", body, shown, idle=True)
    whose, unless = "for you", "you approve"
    if not any(_approvable(pending, shown) for pending in waiting):
        whose, unless = "for somebody else", "somebody else approves"
    heading = f"One question {whose}" if len(waiting) == 1 else f"{len(waiting)} questions {whose}"
    lead = f"<p class=soft>An assistant wants to change something in Cliniko. Nothing happens unless {unless}.</p>"
    body = f"<h1>{heading}</h1>{lead}{_deny_all(shown)}{_cards(shown)}{past}"
    return _document(f"({len(waiting)}) {heading}", body, shown)


def outcome_page(outcome: Outcome, about: PendingQuestion | None, shown: Shown) -> str:
    """The page after a decision, as HTML: how the question stands, live until it has ended.

    The questions that still wait are one click away, so that a double click cannot answer them.
    """
    left = len(shown.waiting)
    more = "See the question that is waiting" if left == 1 else f"See the {left} questions that are waiting"
    link = f'<p><a href="{escape(shown.path)}">{more if left else "Back to the page"}</a></p>'
    heading, kind, tick, named = _HEADINGS[outcome], "", "", ""
    detail, going = outcome.value.removeprefix(f"{heading}. "), ""
    if about is not None and outcome in _TOLD:
        story = story_of(about)
        heading, detail, going = story.heading, story.detail, "" if story.ended else " class=going"
        kind, tick = (" good", TICK) if story.done else ("", "")
        named = f"<p>{escape(_in_short(about.question.preview))}</p>"
    body = (
        f'<section class="card outcome{kind}"><h1 role=status{going}>{tick}{escape(heading)}</h1>{named}'
        f"<p>{escape(detail)}</p>{_undoing(about, shown)}</section>{link}"
    )
    return _document(heading, body, shown, idle=True)


def not_yours_page(shown: Shown) -> str:
    """The page, as HTML, for a question that whoever looks may not see or answer, or that is not kept any more."""
    body = (
        "<section class='card outcome'><h1>Not yours to answer</h1><p>This question is somebody else's, or is not open "
        "any more. Nothing was done.</p></section>"
        f'<p><a href="{escape(shown.path)}">See your own questions</a></p>'
    )
    return _document("Not yours to answer", body, shown)


def _cards(shown: Shown) -> str:
    made, number = "", 0
    for act, group in groupby(
        sorted(shown.waiting, key=lambda item: item.question.preview.act), lambda item: item.question.preview.act
    ):
        members = list(group)
        if len(shown.waiting) > 1:
            many = f"{len(members)} questions" if len(members) > 1 else "1 question"
            made += f"<h2 class=group>{escape(act)} · {many}</h2>"
        for pending in members:
            number += 1
            made += _card(number, pending, shown)
    return made


def _card(number: int, pending: PendingQuestion, shown: Shown) -> str:
    preview, level = pending.question.preview, "h3" if len(shown.waiting) > 1 else "h2"
    pin = (
        f'<label for="pin{number}">PIN</label><input type=password id="pin{number}" name=pin autocomplete=off '
        f'maxlength={MAX_LENGTH} aria-describedby="what{number}">'
        if shown.needs_pin
        else ""
    )
    return (
        f'<section class=card aria-labelledby="title{number}"><{level} id="title{number}">{escape(preview.title)}'
        f'</{level}><div id="what{number}">{_what(preview)}</div>{_who_asks(pending, shown)}'
        f"{_whose_clinic(pending, shown)}{'' if _approvable(pending, shown) else _SECOND}"
        f"<form method=post>{_hidden(shown, pending.question.challenge)}{pin}<div class=buttons>"
        # Return in the PIN field presses the first button, so the yes comes first only where a PIN was typed for it.
        f"{_buttons(number, preview, yes_first=shown.needs_pin, yes=_approvable(pending, shown))}</div></form>"
        "</section>"
    )


_SECOND: Final = (
    "<p class=soft>In this clinic somebody else approves what you ask for; it is on the page of everybody who may. You "
    "can only say no.</p>"
)


def _whose_clinic(pending: PendingQuestion, shown: Shown) -> str:
    """The clinic of this question, where the page is about several."""
    clinic = pending.question.account.clinic
    return f"<p class=soft>In {escape(clinic)}</p>" if clinic and len(shown.clinics) > 1 else ""


def _approvable(pending: PendingQuestion, shown: Shown) -> bool:
    return shown.viewer is None or pending.question.challenge not in shown.viewer.cannot_approve


def _what(preview: Preview) -> str:
    lost = "".join(f"<div class=lost><p>{heading}</p>{_list(losses)}</div>" for heading, losses in preview.lost)
    follows = "".join(f"<li>{escape(sentence)}</li>" for sentence in preview.consequences)
    undo = f'<p class="undo{" can" if preview.restorable else ""}">{escape(preview.undo)}</p>' if preview.undo else ""
    return f"{_list(preview.facts)}{lost}{f'<ul class=follows>{follows}</ul>' if follows else ''}{undo}"


def _list(facts: Sequence[Fact]) -> str:
    rows = ""
    for fact in facts:
        aside = f"<span class=aside>, {escape(fact.aside)}</span>" if fact.aside else ""
        if fact.becomes:
            words = f"<strong>{_words(fact.becomes)}</strong>"
            words = f"<div class=text>{words}</div>" if "\n" in fact.becomes else words
            aside = f" <span class=becomes>{WILL_BECOME}</span> {words}"
        text = " class=text" if "\n" in fact.value else ""
        number = " class=number" if fact.label == "Number" else ""
        rows += f"<div{number}><dt>{escape(fact.label)}</dt><dd{text}>{_words(fact.value)}{aside}</dd></div>"
    return f"<dl>{rows}</dl>"


def _words(text: str) -> str:
    """A text as HTML in which no line ends between a time and its am or pm."""
    return re.sub(r"(?<=:\d\d) (?=[ap]m\b)", "&nbsp;", escape(text))


def _who_asks(pending: PendingQuestion, shown: Shown) -> str:
    at = clock_words(datetime.fromtimestamp(pending.asked_at, pending.question.account.zone))
    program = label(name_for_people(pending.program)) if pending.program else "An assistant"
    if shown.viewer is not None and pending.matter.principal != shown.viewer.principal:
        program = f"{clean(pending.asked_by, 100) or 'Somebody else'}, with {program},"
    seconds = max(0, int(pending.question.expires - shown.now))
    left = f"{seconds // 60}:{seconds % 60:02d} left"
    return (
        f"<p class='soft meta'><span>{escape(program)} asked at {_words(at)}</span>"
        f'<span class=left data-left="{seconds}">{left}</span></p>'
    )


def _buttons(number: int, preview: Preview, *, yes_first: bool, yes: bool) -> str:
    described = f'aria-describedby="title{number} what{number}"'
    approve = f"<button class=yes name=decision value=approve {described}>{escape(preview.act)}</button>" if yes else ""
    no = f"<button name=decision value=deny {described}>{escape(preview.keep)}</button>"
    other = f"<button class=other name=decision value=other {described}>Not like this</button>"
    return (approve + no if yes_first else no + approve) + other


def _deny_all(shown: Shown) -> str:
    if len(shown.waiting) < 2:
        return ""
    every = " ".join(pending.question.challenge for pending in shown.waiting)
    return (
        f"<form method=post class=all>{_hidden(shown, every)}<button name=decision value=deny_all>"
        f"Deny all {len(shown.waiting)}</button><p class=soft>Each is approved by itself only.</p></form>"
    )


def _past(shown: Shown) -> str:
    """What was approved and is not carried out yet, and what happened within the last ten minutes."""
    rows = ""
    for pending in (*shown.unused, *shown.recent):
        story = story_of(pending)
        rows += (
            f"<li><div><strong>{escape(story.heading)}</strong><br>{escape(_in_short(pending.question.preview))}"
            f"<br><span class=soft>{escape(story.detail.removesuffix('You can close this page.'))}</span></div>"
            f"{_undoing(pending, shown)}</li>"
        )
    return f"<section class=after><h2>In the last ten minutes</h2><ul class=past>{rows}</ul></section>" if rows else ""


def _undoing(pending: PendingQuestion | None, shown: Shown) -> str:
    """The button that takes a yes back while it is not used, or lifts a no while it holds."""
    if pending not in (*shown.unused, *shown.denials):
        return ""
    take_back, lift = ("withdraw", "Take it back"), ("reopen", "Allow the question again")
    decision, words = take_back if pending in shown.unused else lift
    return (
        f"<form method=post>{_hidden(shown, pending.question.challenge)}"
        f"<button class=small name=decision value={decision}>{words}</button></form>"
    )


def _in_short(preview: Preview) -> str:
    """The act and the first two facts on one line: enough to know which question it was."""
    return f"{preview.act}: {', '.join(fact.value for fact in preview.facts[:2] if fact.label != 'Number')}"


def _hidden(shown: Shown, challenge: str) -> str:
    return (
        f'<input type=hidden name=csrf value="{escape(shown.csrf)}">'
        f'<input type=hidden name=question value="{escape(challenge)}">'
    )


def _document(title: str, body: str, shown: Shown, *, idle: bool = False) -> str:
    account = shown.account
    user = f"The assistant works as {account.user}" if account.user else ""
    head = letterhead(account.clinic, user, demo=account.demo)
    # Without scripts a page on which nothing can be answered brings itself up to date.
    again = ";url=?again" if shown.viewer is not None else ""
    refresh = f'<noscript><meta http-equiv=refresh content="3{again}"></noscript>' if idle else ""
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)} - Cliniko approvals</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="{ICON}">{refresh}'
        f'<style nonce="{shown.nonce}">{STYLE}</style></head>'
        f'<body data-mark="{shown.mark}" data-idle="{"yes" if idle else ""}">{head}<main>{body}{_login(shown)}</main>'
        '<div id=news role=status hidden><span></span><a href="?">Show it</a></div>'
        f'<script nonce="{shown.nonce}">{SCRIPT}</script></body></html>'
    )


def _login(shown: Shown) -> str:
    """Who is logged in, and how they end that."""
    if shown.viewer is None:
        return ""
    return (
        "<form method=post action=/login/out class=all>"
        f'<input type=hidden name=csrf value="{escape(shown.csrf)}"><button class=small>Sign out</button>'
        f"<p class=soft>You are logged in as {escape(clean(shown.viewer.name, 100) or 'yourself')}.</p></form>"
    )
