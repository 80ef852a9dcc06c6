"""Makes the pictures of docs/staff.md that show no page of the server: `python -m tests.docs.staff_pictures`.

The form is drawn from the bundle's manifest, in our look: the window that Claude Desktop puts around it is its own.
"""

import json
from html import escape
from pathlib import Path
from typing import Any, Final

from cliniko_mcp.house_look import LOOK, letterhead
from tests.approvals.chromium import browser, missing
from tests.docs.pictures import EDGE, TERMINAL, as_html, shoot
from tests.terminal import in_a_terminal
from tests.warm import DEMO

MANIFEST: Final = Path(__file__).resolve().parents[2] / "packaging" / "mcpb" / "manifest.json"
COLUMNS: Final = 84
_FORM: Final = """
.field { margin: 0 0 1rem; } .field p { margin: .1rem 0 .35rem; }
.box { border: 1px solid var(--line); border-radius: .5rem; padding: .4rem .7rem; background: var(--paper);
  min-height: 2.4rem; }
.on { display: inline-block; width: 2.6rem; height: 1.5rem; border-radius: 1rem; background: var(--mark);
  vertical-align: middle; position: relative; margin-right: .6rem; }
.on::after { content: ""; position: absolute; right: .2rem; top: .2rem; width: 1.1rem; height: 1.1rem;
  border-radius: 50%; background: #fff; }
.off { background: var(--line); } .off::after { right: auto; left: .2rem; }
"""
FILLED: Final[dict[str, str]] = {"api_key": "", "contact_email": "", "demo": "on"}
"""What is filled in to try the demo clinic; everything else stays as it is."""


def main() -> None:
    """Draw both."""
    if (reason := missing()) is not None:
        raise SystemExit(reason)
    with browser() as window:
        shoot(window, form(), "staff-form.png", 760)
        shoot(window, overview(), "staff-overview.png", 2 * EDGE + round(8.43 * COLUMNS))


def form() -> str:
    """The bundle's settings as a form, filled in for the demo clinic."""
    settings: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text("utf-8"))["user_config"]
    fields = "".join(_field(name, about) for name, about in settings.items())
    head = letterhead("Cliniko", "What is asked when you open cliniko-mcp.mcpb", demo=False)
    style = f"<style>{LOOK}{_FORM}</style>"
    return f"<!doctype html><meta charset=utf-8>{style}{head}<main><div class=card>{fields}</div></main>"


def _field(name: str, about: dict[str, Any]) -> str:
    words = f"<strong>{escape(about['title'])}</strong><p class=soft>{escape(about['description'])}</p>"
    if about["type"] == "boolean":
        off = "" if FILLED.get(name) else " off"
        return f"<div class=field><span class='on{off}'></span>{words}</div>"
    return f"<div class=field>{words}<div class=box>{escape(FILLED.get(name) or about.get('default', ''))}</div></div>"


def overview() -> str:
    """What the demo clinic answers in a terminal, as a page."""
    code, output = in_a_terminal("call", "clinic_overview", *DEMO, columns=COLUMNS)
    if code != 0:
        raise SystemExit(output)
    answer = [line for line in output.rstrip().split("\n") if "█" not in line]  # without what shows that it reads
    shown = ["\x1b[1m$ cliniko-mcp call clinic_overview --sandbox\x1b[0m", *answer]
    return TERMINAL + "\n".join(map(as_html, shown)) + "</pre>"


if __name__ == "__main__":
    main()
