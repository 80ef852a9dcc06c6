"""What the page says on which people give their own key, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.pages.bodies import KEY_FIELD, MAKE_A_KEY
from cliniko_mcp.pages.document import hidden
from cliniko_mcp.shared_state.directory import KeyRow

NOTES: Final = {
    "kept": "Your key is kept. Your assistant works with it from now on.",
    "forgotten": "Your key is forgotten here. Delete it in Cliniko as well: that alone takes it back for good.",
}


@dataclass(frozen=True, slots=True)
class Stand:
    """How a person stands in one of their clinics."""

    id: str
    called: str
    """The clinic's name, else its id."""
    own: bool
    """Whether everybody works in a key of their own there."""
    row: KeyRow | None
    """Theirs, where they gave one."""


def clinics(name: str, stands: Sequence[Stand]) -> str:
    """The clinics in which a person works, each with how they stand there."""
    rows = "".join(
        f"<div class=row><div><strong>{escape(stand.called)}</strong><br><span class=soft>{_state(stand)}</span></div>"
        f"{_link(stand)}</div>"
        for stand in stands
    )
    body = f"<section class=card>{rows}</section>" if stands else f"<section class=card><p>{NOBODYS}</p></section>"
    return f"<h1>Your keys</h1><p class=soft>{escape(name)}</p>{body}"


NOBODYS: Final = "You do not work in a clinic here yet. Ask whoever looks after this server."


def _state(stand: Stand) -> str:
    if not stand.own:
        return "Everybody works with one key here: there is nothing for you to do."
    if stand.row is None:
        return "You have not given your key yet."
    if not stand.row.sealed:
        return f"Cliniko refused your key {_day(stand.row.refused)}: give a new one."
    return f"You work with the key of {escape(stand.row.name)}, given {_day(stand.row.kept)}."


def _link(stand: Stand) -> str:
    words = "Change" if stand.row is not None and stand.row.sealed else "Give your key"
    return f'<a class="button small" href="/connect/{stand.id}">{words}</a>' if stand.own else ""


def clinic(name: str, stand: Stand, csrf: str, *, note: str = "", wrong: str = "") -> str:
    """One clinic: what of this person's is kept, and where they paste a key."""
    told = f"<p class=note role=status>{escape(note)}</p>" if note else ""
    problem = f"<p class=wrong role=alert>{escape(wrong)}</p>" if wrong else ""
    head = f"<h1>Your key for {escape(stand.called)}</h1><p class=soft>{escape(name)}</p>{told}"
    if not stand.own:
        return f"{head}<section class=card><p>{_state(stand)}</p></section>"
    if stand.row is None:
        return f"{head}{_paste(csrf, problem)}"
    if not stand.row.sealed:
        since = f"<p class=wrong role=alert>{_state(stand)} It is not used any more.</p>"
        return f"{head}{since}{_paste(csrf, problem)}"
    row = stand.row
    kept = f"""<section class=card><dl><div><dt>Key of</dt><dd>{escape(row.name)}, {escape(row.role or "no role")}</dd>
</div><div><dt>Given</dt><dd>{_day(row.kept)}</dd></div></dl><form method=post>{hidden(csrf=csrf)}<div class=buttons>
<button class=end name=step value=forget>Forget my key</button></div></form>
<p class=soft>Delete the key in Cliniko too: that alone takes it back for good.</p></section>"""
    return f"{head}{kept}<h2>A new key</h2>{_paste(csrf, problem).replace(' autofocus', '')}"


def _paste(csrf: str, problem: str) -> str:
    return f"""{problem}<form method=post class=card>{hidden(csrf=csrf, step="key")}{KEY_FIELD}{MAKE_A_KEY}
<div class=buttons><button class=yes>Continue</button></div></form>"""


def confirm(called: str, whose: Whose, csrf: str, sealed: str) -> str:
    """Whose key was pasted, and for which clinic; yes or no."""
    return f"""<h1>Is this right?</h1><section class=card><dl>
<div><dt>You are</dt><dd>{escape(whose.name)}, {escape(whose.role or "no role")}</dd></div>
<div><dt>Clinic</dt><dd>{escape(whose.clinic or called)}</dd></div></dl>
<p>Your assistant can then do here what you can do in Cliniko, as far as this server lets it.</p>
<form method=post>{hidden(csrf=csrf, pasted=sealed)}<div class=buttons>
<button class=yes name=step value=yes>Yes, use this key</button>
<button name=step value=back>Use another key</button></div></form></section>"""


def stopped(words: str) -> str:
    """A page for a person who cannot go on."""
    return f"<h1>This cannot go on</h1><section class=card><p>{escape(words)}</p></section>"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y}"
