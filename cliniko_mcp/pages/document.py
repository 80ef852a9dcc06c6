"""What every page is made of: one document, its look, its headers. Nothing comes from outside, and nothing runs."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from cliniko_mcp.house_look import ICON, LOOK, TABLES, letterhead

STYLE: Final = (
    LOOK
    + TABLES
    + """
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input[type=password], input[type=email], select { width: 100%; font: inherit; padding: .6rem .7rem;
  border: 1px solid var(--soft); border-radius: .5rem; background: transparent; color: inherit; margin-bottom: 1rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
legend { font-weight: 600; padding: 0; margin-bottom: .25rem; }
.choice { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; align-items: start; font-weight: 400;
  border: 1px solid var(--line); border-radius: .625rem; padding: .7rem .8rem; margin: .5rem 0; cursor: pointer; }
.choice input { margin: .35rem 0 0; width: 1.1rem; height: 1.1rem; accent-color: var(--mark); }
.choice strong { display: block; }
.row + form { margin-top: .75rem; }
form + form { margin-top: 1.25rem; }
form + .soft, .buttons + .soft { margin-top: 1rem; }
input + .soft { margin-top: -.5rem; }
.card > :last-child { margin-bottom: 0; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
button, a.button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.1rem; cursor: pointer;
  border-radius: .5rem; border: 2px solid var(--soft); background: transparent; color: inherit;
  text-decoration: none; display: inline-block; text-align: center; }
button.yes, a.button.yes { background: var(--mark); border-color: var(--mark); color: var(--paper); }
button.end { border-color: var(--yes); color: var(--yes); }
button.small { min-height: 2.25rem; padding: .25rem .75rem; font-size: .9375rem; border-width: 1px; }
.wrong { border-radius: .625rem; padding: .6rem .8rem; background: var(--warn-bg); color: var(--warn);
  font-weight: 600; }
.note { border-radius: .625rem; padding: .6rem .8rem; background: var(--good-bg); color: var(--good); }
details { margin: 0 0 1rem; }
summary { cursor: pointer; font-weight: 600; min-height: 2rem; }
ol, ul { margin: .25rem 0 .75rem; padding-left: 1.35rem; }
dl { margin: 0 0 1rem; }
dl div { display: grid; grid-template-columns: 8rem 1fr; gap: .75rem; padding: .3rem 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between;
  border-top: 1px solid var(--line); padding: .75rem 0; }
.row > div { flex: 1 1 14rem; min-width: 0; }
.row:first-of-type { border-top: 0; }
@media (max-width: 30rem) { .card { padding: 1rem; } .buttons button, .buttons a.button { width: 100%; }
  dl div { grid-template-columns: 6rem 1fr; gap: .5rem; } }
"""
)


def policy(nonce: str) -> str:
    """The Content-Security-Policy: the style of this page, its own form, nothing else."""
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def page(
    title: str,
    body: str,
    *,
    clinic: str,
    demo: bool,
    nonce: str,
    status: int = 200,
    head: str = "",
    beside: str = "Connect an assistant",
) -> HTMLResponse:
    """A page as an answer; `beside` stands under the clinic's name. `body` and `head` are HTML already."""
    document = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><link rel=icon href="{ICON}">{head}'
        f'<style nonce="{nonce}">{STYLE}</style></head><body>{letterhead(clinic, beside, demo=demo)}'
        f"<main>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": policy(nonce),
        "Cache-Control": "no-store",
        # With no-referrer a browser would send our own form with the Origin null.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return HTMLResponse(document, status, headers)


def hidden(**fields: str) -> str:
    """Fields of a form that are not seen."""
    return "".join(f'<input type=hidden name="{name}" value="{escape(value)}">' for name, value in fields.items())
