"""Makes the recording of the demo again, a picture that moves: `python -m tests.docs.recording`.

The lines are those of the demo itself. The picture is SVG with one animation in CSS, which browsers and GitHub play in
an image and which a system that wants less motion shows standing still. It is made here because what records terminals
as SVG (termtosvg, svg-term-cli) is no longer maintained, and what is maintained (agg, VHS) makes films of megabytes.
"""

import re
from collections.abc import Sequence
from html import escape

from tests.docs.pictures import CODE, COLUMNS, EDGE, LINE, PICTURES, STYLES, demo, plain

ROWS = 26
LETTER = 8.43
"""Pixels of a letter."""
A_LINE, A_QUESTION, AT_THE_END = 0.18, 1.6, 5.0
"""Seconds until the next line, before the next question, and before it all begins again."""
FILE = PICTURES / "demo.svg"


def main() -> None:
    """Write the recording."""
    FILE.write_text(recording(["\x1b[1m$ cliniko-mcp demo\x1b[0m", *shown_lines()]), "utf-8")


def shown_lines() -> list[str]:
    """The lines of the demo up to the end of the conversation, without what only shows that something is going on."""
    lines = [line for line in demo() if not plain(line).strip().startswith("…")]
    end = next(place for place, line in enumerate(lines) if plain(line).startswith("To try it"))
    return lines[:end]


def recording(lines: Sequence[str]) -> str:
    """The lines as a picture in which they come one after the other at the foot of a terminal."""
    times, now = [0.0], 0.0
    for line in lines[1:]:
        now += A_QUESTION if plain(line).startswith("› ") else A_LINE
        times.append(now)
    whole = now + AT_THE_END
    steps = [
        f"{100 * at / whole:.2f}%{{transform:translateY({LINE * (ROWS - 1 - place)}px)}}"
        for place, at in enumerate(times)
    ]
    last = f"translateY({LINE * (ROWS - len(lines))}px)"
    width, height = round(2 * EDGE + LETTER * COLUMNS), 2 * EDGE + ROWS * LINE
    texts = "".join(
        f'<text y="{LINE * place + 15}">{spans(line)}</text>' for place, line in enumerate(lines) if plain(line).strip()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="The demo in a terminal"><title>The demo in a terminal</title><style>'
        f"text{{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d5dde5;white-space:pre}}"
        f"@keyframes play{{{''.join(steps)}100%{{transform:{last}}}}}"
        f"g{{animation:play {whole:.1f}s steps(1,end) infinite}}"
        f"@media (prefers-reduced-motion:reduce){{g{{animation:none;transform:{last}}}}}"
        f'</style><rect width="{width}" height="{height}" rx="8" fill="#12181f"/>'
        f'<svg x="{EDGE}" y="{EDGE}" width="{width - 2 * EDGE}" height="{ROWS * LINE}"><g>{texts}</g></svg></svg>\n'
    )


def spans(line: str) -> str:
    """The line with its colours as SVG."""
    made, opened = "", 0
    for place, text in enumerate(CODE.split(line)):
        if place % 2 == 0:
            made += escape(text)
        elif text == "0":
            made, opened = made + "</tspan>" * opened, 0
        else:
            style = re.sub(r"^color: (.*)$", r'fill="\1"', STYLES[text]).replace(
                "font-weight: bold", 'font-weight="bold"'
            )
            made, opened = f"{made}<tspan {style}>", opened + 1
    return made + "</tspan>" * opened


if __name__ == "__main__":
    main()
