"""How the pages of this package look, the approval page and reports alike: colours, letters, and the head of a page."""

from html import escape
from typing import Final
from urllib.parse import quote


def themed(light: str, dark: str) -> str:
    """Variables of CSS by light and dark: as the system prefers, else as `data-theme` says, by which a host chooses."""
    return (
        f":root {{ color-scheme: light dark; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {dark} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ {dark} }} }}\n"
    )


_LIGHT: Final = """--ink: #17212b; --soft: #52606d; --paper: #f3f5f7; --card: #fff; --line: #d3dae1;
  --yes: #a61b1b; --yes-ink: #fff; --focus: #0b69c7; --warn: #7a4a00; --warn-bg: #fdf1dc; --good: #17603a;
  --good-bg: #e3f4ea; --mark: #0f5c63; --demo: #5b2a86; --demo-ink: #fff; --demo-2: #6d3a9a;"""
_DARK: Final = """--ink: #eef2f5; --soft: #aeb9c4; --paper: #11171d;
  --card: #1b242d; --line: #3d4a56; --yes: #ff9a8f; --yes-ink: #2b0703; --focus: #7cc0ff; --warn: #ffd591;
  --warn-bg: #3a2c12; --good: #93dfb3; --good-bg: #12301f; --mark: #2b8e96; --demo: #d9b8ff; --demo-ink: #24093d;
  --demo-2: #e6d0ff;"""

LOOK: Final = (
    themed(_LIGHT, _DARK)
    + """* { box-sizing: border-box; }
body { margin: 0; padding: 0 0 5rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
.demo { background: repeating-linear-gradient(135deg, var(--demo) 0 1.25rem, var(--demo-2) 1.25rem 2.5rem);
  color: var(--demo-ink); text-align: center; font-weight: 700; padding: .6rem 1rem; margin: 0; }
header, main { max-width: 42rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; align-items: center; gap: .75rem; padding-top: 1.25rem; }
header svg { flex: none; width: 2.25rem; height: 2.25rem; }
header p { margin: 0; line-height: 1.3; }
header strong { display: block; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.25rem 0 .25rem; }
h2, h3 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .75rem; }
p { margin: 0 0 .75rem; }
.soft { color: var(--soft); font-size: .9375rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .875rem; padding: 1.25rem;
  margin: 1rem 0; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
a { color: var(--focus); }
"""
)
"""The colours by light and dark, each pair readable (WCAG AA), and what every page is made of. What prints is dark on
white, because the dark colours are for screens alone."""

TABLES: Final = """
table { width: 100%; overflow-wrap: break-word; border-collapse: collapse; font-size: .9375rem; line-height: 1.35; }
th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0; font-weight: 400; }
thead th { color: var(--soft); font-size: .875rem; vertical-align: bottom; border-bottom: 1px solid var(--line); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
tr { break-inside: avoid; }
@media (max-width: 40rem) {
  .stacks, .stacks tbody, .stacks tr, .stacks th, .stacks td { display: block; }
  .stacks thead { display: none; }
  .stacks tbody tr > * { border: 0; padding: .1rem 0; }
  .stacks tbody tr { padding: .6rem 0; border-top: 1px solid var(--line); }
  .stacks tbody tr:first-child { border-top: 0; }
  .stacks td:empty { display: none; }
  .stacks td:not(:empty) { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: .5rem; text-align: left; }
  .stacks td::before { content: attr(data-label); color: var(--soft); white-space: normal; }
  .stacks tbody th { font-weight: 600; } }
"""
"""Tables with their numbers to the right; on a narrow page each row of one that stacks is a list of its own."""

GROUND: Final = "#0f5c63"
"""The colour of the mark where it stands alone, as --mark has it in light."""


def mark(ground: str = GROUND) -> str:
    """The mark as SVG that any program draws by itself: three columns of a diary, and the yes of a person beneath."""
    return (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' role='img' aria-label='cliniko-mcp'>"
        f"<rect width='32' height='32' rx='8' fill='{ground}'/>"
        "<g fill='none' stroke='#7fc9c6' stroke-width='4.4' stroke-linecap='round' stroke-linejoin='round'>"
        "<path d='M8 8.5v5M16 8.5v3M24 8.5v1'/>"
        "<path d='M8 19.5l6 5.5L24.5 15' stroke='#fff' stroke-width='4'/></g></svg>"
    )


MARK: Final = mark("var(--mark)").replace(
    "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32' role='img' aria-label='cliniko-mcp'",
    "viewBox='0 0 32 32' aria-hidden=true",
)
"""The mark inside a page, where the name beside it says the same."""
_SAFE: Final = " =':/,."
"""Signs of the mark that an address of data may hold as they are."""
ICON: Final = f"data:image/svg+xml,{quote(mark(), safe=_SAFE)}"


DEMO_BAND: Final = "<aside aria-label='Demo clinic'><p class=demo>Demo clinic: nothing in it is real</p></aside>"


def letterhead(clinic: str, beside: str, *, demo: bool) -> str:
    """The head of a page as HTML: whose clinic it is about, with a line beneath; a demo clinic is named as such."""
    band = DEMO_BAND if demo else ""
    line = f"<span class=soft>{escape(beside)}</span>" if beside else ""
    name = escape(clinic or "Your clinic in Cliniko")
    return f"{band}<header>{MARK}<p><strong>{name}</strong>{line}</p></header>"
