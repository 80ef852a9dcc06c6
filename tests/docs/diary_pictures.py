"""Makes the pictures of the diary, of free times and of a report again: `python -m tests.docs.diary_pictures`.

They are what a host and a browser show of the demo clinic on a Tuesday afternoon; node, chromium and `npm install` in
tests/npm are needed for what a host shows.
"""

import os
import tempfile
from pathlib import Path

from tests import warm
from tests.approvals.chromium import browser
from tests.docs.pictures import PICTURES, Look, shoot
from tests.protocol.app_host import Host, host, missing

NOW = "2026-11-24T15:10:00+11:00"
DEMO = ("--sandbox", "--sandbox-now", NOW, "--sandbox-clock", "frozen")
PAGES: dict[str, tuple[str, ...]] = {
    "diary": ("diary", "--when", "today after 12", "--html"),
    "diary-day": ("diary", "--when", "today", "--html"),
    "diary-week": ("diary", "--when", "2026-11-23 to 2026-11-28", "--html"),
    "diary-one": ("diary", "--when", "2026-11-23 to 2026-11-27", "--practitioner", "Tom Okafor", "--html"),
    "report": ("report", "no_shows", "--when", "last 12 weeks", "--compare", "previous", "--limit", "8", "--output"),
    "report-cohorts": ("report", "retention", "--when", "last 9 months", "--limit", "5", "--output"),
}
"""The command of each page."""
SHOTS: dict[str, list[tuple[int, Look]]] = {
    "diary": [(1280, "light")],
    "diary-day": [(1280, "light"), (1280, "dark"), (390, "light")],
    "diary-week": [(1280, "light"), (390, "dark")],
    "diary-one": [(1280, "dark")],
    "report": [(1280, "light"), (390, "dark")],
    "report-cohorts": [(1280, "light")],
}


def main() -> None:
    """Write every picture."""
    if (reason := missing()) is not None:
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory() as folder, browser() as window:
        for name, command in PAGES.items():
            page = Path(folder) / f"{name}.html"
            done = warm.run(*command, str(page), *DEMO, env=os.environ)
            if done.returncode:
                raise SystemExit(done.stderr)
            for width, look in SHOTS[name]:
                shoot(window, page.read_text("utf-8"), f"{name}-{width}-{look}.png", width, look)
    with host(DEMO) as shown:
        free_times(shown)


def free_times(shown: Host) -> None:
    """Free starts as a host shows them, one of them picked."""
    for width, look in ((1280, "light"), (390, "dark")):
        shown.open("find_times", width=width, theme=look, type="Standard consult", when="next 7 days", limit=15)
        shown.do("click", on=".day-card:nth-child(2) .gap button")
        shown.do("until", code="document.querySelector('.picker')")
        shown.do("size", width=width, height=shown.script("document.body.scrollHeight"))
        shown.do("picture", path=str(PICTURES / f"times-{width}-{look}.png"))


if __name__ == "__main__":
    main()
