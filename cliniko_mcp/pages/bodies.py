"""What the pages say, as HTML, in words that a receptionist trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from cliniko_mcp.directory.admission import ROLES, Rule
from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.identity.scopes import DESTROY, READ, WRITE
from cliniko_mcp.pages.document import hidden
from cliniko_mcp.shared_state.logins import GrantRow

MAY: Final = {
    READ: ("Look things up", "Read the diary, patients, notes and reports. Changes nothing."),
    WRITE: ("Look up and change", "Also book, move, add and edit."),
    DESTROY: (
        "Also archive and cancel",
        "Also archive, delete and cancel. A person is asked, each time, before it happens.",
    ),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may connect: by what the server was started with, and by what a manager may change."""

    fixed: Sequence[Rule]
    kept: Sequence[Rule]


WRONG: Final = "This key cannot be used here. Check that it was copied whole, and that it is a key of this clinic."
MAKE_A_KEY: Final = """<details><summary>How do I get a key?</summary><ol>
<li>In Cliniko, open <strong>My Info</strong> at the bottom left, then <strong>Manage API keys</strong>.</li>
<li>Add a key, and name it after this server, such as “Assistant server”, so that you know it again.</li>
<li>Copy it here. Use it for nothing else.</li></ol>
<p>To take it back, delete that key in the same place in Cliniko.</p></details>"""
KEY_FIELD: Final = (
    "<label for=key>Your Cliniko API key</label><input type=password id=key name=key autocomplete=off spellcheck=false "
    "autocapitalize=off required autofocus maxlength=300><p class=soft>Whoever holds a key can do all that you can do "
    "in Cliniko, so make one for this server alone. It is kept sealed here and never shown to an assistant. This page "
    "never asks for your Cliniko password.</p>"
)


def may_of(scopes: Sequence[str]) -> str:
    """What these scopes allow, in short."""
    for scope in (DESTROY, WRITE, READ):
        if scope in scopes:
            return MAY[scope][0]
    return "Nothing"


def _problem(words: str) -> str:
    return f"<p class=wrong role=alert>{escape(words)}</p>" if words else ""


def _inside(program: str) -> str:
    """A program within a sentence."""
    return f"a{program[1:]}" if program.startswith("A program on ") else program


def ask_key(program: str, place: str, server_for: str, scopes: Sequence[str], csrf: str, wrong: str = "") -> str:
    """Step 1: who asks, where the answer goes, for which clinic, the key, and what it may be used for."""
    choices = "".join(
        f'<label class=choice><input type=radio name=may value="{scope}"{" checked" if scope == READ else ""}>'
        f"<span><strong>{escape(MAY[scope][0])}</strong><span class=soft>{escape(MAY[scope][1])}</span></span></label>"
        for scope in (READ, WRITE, DESTROY)
        if scope == READ or scope in scopes
    )
    return f"""<h1>Connect {escape(_inside(program))} to Cliniko</h1>
<p><strong>{escape(program)}</strong> asks to work in {escape(server_for)} for you. The answer goes to
<strong>{escape(place)}</strong>.</p>
<p class=soft>Go on only if you pressed Connect in that program a minute ago. If somebody sent you this link,
close it.</p>
{_problem(wrong)}<form method=post class=card>{hidden(csrf=csrf, step="key")}{KEY_FIELD}{MAKE_A_KEY}
<fieldset><legend>What may it do?</legend>{choices}</fieldset>
<div class=buttons><button class=yes>Continue</button>
<button name=step value=no formnovalidate>Do not connect</button></div></form>
<p class=soft>What it may do is kept by this server; you can end the connection at any time under
<a href="/connections">your connections</a>.</p>"""


def confirm(program: str, place: str, whose: Whose, scopes: Sequence[str], csrf: str) -> str:
    """Step 2: whose key it is, and what was chosen; yes or no."""
    return f"""<h1>Is this right?</h1><section class=card><dl>
<div><dt>You are</dt><dd>{escape(whose.name)}, {escape(whose.role or "no role")}</dd></div>
<div><dt>Clinic</dt><dd>{escape(whose.clinic)}</dd></div>
<div><dt>Connect</dt><dd>{escape(program)}</dd></div>
<div><dt>Answer goes to</dt><dd>{escape(place)}</dd></div>
<div><dt>It may</dt><dd>{escape(may_of(scopes))}</dd></div></dl>
<form method=post>{hidden(csrf=csrf)}<div class=buttons><button class=yes name=step value=yes>Yes, connect</button>
<button name=step value=no>No</button><button name=step value=back>Use another key</button></div></form></section>"""


def handover(program: str, address: str, *, connected: bool) -> tuple[str, str]:
    """The last page and what stands in its head: a link to the program, which the browser also follows by itself."""
    words = "You are connected" if connected else "Not connected"
    head = f'<meta http-equiv=refresh content="0;url={escape(address)}">'
    body = (
        f"<h1>{words}</h1><section class=card><p>{escape(program)} is told now. If nothing happens, press the button."
        f'</p><p><a class="button yes" href="{escape(address)}">Back to {escape(_inside(program))}</a></p></section>'
        "<p class=soft>You can close this page afterwards. Later you find it under <a href='/connections'>your "
        "connections</a>.</p>"
    )
    return body, head


def set_up_key(csrf: str, wrong: str = "") -> str:
    """First run, step 1: the manager's key."""
    return f"""<h1>Set this server up</h1><p>This server is not bound to a clinic yet. Paste the API key of an
administrator of your clinic in Cliniko: it says which clinic this is, and you become the one who looks after it.</p>
{_problem(wrong)}<form method=post class=card>{hidden(csrf=csrf, step="key")}{KEY_FIELD}{MAKE_A_KEY}
<div class=buttons><button class=yes>Continue</button></div></form>"""


def set_up_confirm(whose: Whose, origin: str, csrf: str) -> str:
    """First run, step 2: the clinic that the server is bound to."""
    return f"""<h1>Is this your clinic?</h1><section class=card><dl>
<div><dt>Clinic</dt><dd>{escape(whose.clinic)}</dd></div><div><dt>Account</dt><dd>{escape(whose.account)}</dd></div>
<div><dt>You are</dt><dd>{escape(whose.name)}, {escape(whose.role)}</dd></div>
<div><dt>Address</dt><dd>{escape(origin)}</dd></div></dl>
<p>From then on everybody with a key of this clinic can connect an assistant here, and nobody else.</p>
<form method=post>{hidden(csrf=csrf)}<div class=buttons><button class=yes name=step value=yes>Yes, this clinic</button>
<button name=step value=back>Use another key</button></div></form></section>"""


def set_up_done(url: str) -> str:
    """First run, the end."""
    return f"""<h1>Ready</h1><section class="card"><p class=note>This server now works for your clinic.</p>
<p>Give your staff this address for their assistants:</p><p><strong>{escape(url)}</strong></p>
<p>Each of them connects with a key of their own. You see every connection at <a href="/connections">/connections</a>.
</p></section>"""


def sign_in(csrf: str, wrong: str = "") -> str:
    """Connections, before somebody is known."""
    return f"""<h1>Your connections</h1><p>Paste your Cliniko API key to see which assistants work for you, and to end
them.</p>{_problem(wrong)}<form method=post class=card>{hidden(csrf=csrf, step="key")}{KEY_FIELD}
<div class=buttons><button class=yes>Continue</button></div></form>"""


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y %H:%M} UTC" if seconds else "never"


def connections(
    name: str,
    mine: Sequence[GrantRow],
    others: Sequence[tuple[str, GrantRow]],
    csrf: str,
    *,
    rules: Rules | None,
    note: str,
) -> str:
    """What works for somebody; for a manager, to whom `rules` are shown, everybody's as well."""
    own = "".join(_row("", grant, csrf) for grant in mine) or "<p>No assistant works for you.</p>"
    told = f"<p class=note role=status>{escape(note)}</p>" if note else ""
    body = f"""<h1>Your connections</h1><p class=soft>{escape(name)}</p>{told}
<section class=card><h2>Your assistants</h2>{own}<form method=post>{hidden(csrf=csrf)}<div class=buttons>
<button class=end name=step value=end_all>End all of mine</button>
<button class=end name=step value=forget>Forget my key</button>
<button name=step value=leave>Sign out here</button></div>
</form><p class=soft>Forgetting your key ends all of yours as well. Delete the key in Cliniko too.</p></section>
<section class=card><h2>A new key</h2><p>Made a new key in Cliniko? Paste it, and nothing has to be connected anew.</p>
<form method=post>{hidden(csrf=csrf, step="new")}{KEY_FIELD.replace(" autofocus", "")}
<div class=buttons><button>Use this key from now on</button></div></form></section>"""
    if rules is not None:
        every = "".join(_row(who, grant, csrf) for who, grant in others) or "<p>Nobody else has connected one.</p>"
        body += f"<section class=card><h2>Everybody else’s</h2>{every}</section>{_admission(rules, csrf)}"
    return body


def _admission(rules: Rules, csrf: str) -> str:
    """Who may connect, to a manager: what may be narrowed here, and what was said at the start of the server."""
    fixed = "".join(f"<div class=row><div>{rule_in_words(*rule)}</div></div>" for rule in rules.fixed)
    kept = "".join(
        f"<div class=row><div>{rule_in_words(kind, value)}</div><form method=post>"
        f"{hidden(csrf=csrf, rule=f'{kind}:{value}')}<button class='small end' name=step value=unadmit>Remove</button>"
        "</form></div>"
        for kind, value in rules.kept
    )
    roles = "".join(f"<option value='role:{escape(role)}'>{escape(role)}" for role in ROLES)
    return f"""<section class=card><h2>Who may connect</h2>{fixed}{kept}
<p class=soft>Without a role or an email here, everybody with a key of the clinic may. With some, only whom one of the
roles and one of the emails fits. Whom you remove is refused at the next call.</p>
<form method=post>{hidden(csrf=csrf)}<label for=role>Let in everybody with the role</label>
<select id=role name=rule>{roles}</select>
<div class=buttons><button name=step value=admit>Add the role</button></div></form>
<form method=post>{hidden(csrf=csrf)}<label for=email>Let in a person, by their email in Cliniko</label>
<input type=email id=email name=email maxlength=254 autocomplete=off>
<div class=buttons><button name=step value=admit>Add the person</button></div></form></section>"""


def rule_in_words(kind: str, value: str) -> str:
    """A rule of who may connect, for a page."""
    words = {"account": "Of the clinic with the account", "shard": "Of Cliniko’s region", "role": "With the role"}
    return f"{words.get(kind, 'With the email')} <strong>{escape(value)}</strong>"


def _row(who: str, grant: GrantRow, csrf: str) -> str:
    may = escape(may_of(grant.scopes.split()))
    person = f"{escape(who)}: " if who else ""
    told = f"{may}. Since {_day(grant.created)}; last used {_day(grant.used)}."
    end = (
        f"<form method=post>{hidden(csrf=csrf, grant=grant.id)}"
        "<button class='small end' name=step value=end>End it</button></form>"
    )
    if grant.ended:
        told, end = f"Ended {_day(grant.ended)}: {escape(grant.why)}.", ""
    what = f"<strong>{person}{escape(grant.program)}</strong><br><span class=soft>{told}</span>"
    return f"<div class=row><div>{what}</div>{end}</div>"


def stopped(words: str) -> str:
    """A page for a person who cannot go on."""
    return f"<h1>This cannot go on</h1><section class=card><p>{escape(words)}</p></section>"
