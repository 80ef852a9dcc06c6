"""Who follows the README alone gets to an appointment of their own in the picture of the demo clinic's diary."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.approvals.chromium import browser, missing
from tests.docs.test_documents import command_lines, run, unpacked

TRY_IT = list(command_lines("README.md"))
FOLLOWED = TRY_IT[: next(place for place, line in enumerate(TRY_IT) if " diary " in line) + 1]
"""The README's commands in their order, up to the diary."""
BOOKED = re.compile(r"9:45[^<]*?Ana Lima")


def test_the_readme_leads_from_installing_to_a_booking_in_the_diary() -> None:
    kinds = ["install", "install --client", "demo", "activate", "call book_appointment", "diary"]
    assert len(FOLLOWED) == len(kinds)
    assert all(kind in line for kind, line in zip(kinds, FOLLOWED, strict=True))


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a Unix shell")
def test_the_readmes_commands_book_an_appointment_and_show_it_in_the_diary(tmp_path: Path) -> None:
    ours = [line for line in FOLLOWED if line.startswith("cliniko-mcp ")]
    done = run("\n".join(ours), tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"dry_run"' not in done.stdout and "The diary is in diary.html" in done.stdout
    assert BOOKED.search((tmp_path / "diary.html").read_text("utf-8"))
    assert (tmp_path / ".config/Claude/claude_desktop_config.json").is_file()


@pytest.mark.long
@pytest.mark.skipif(
    not os.environ.get("CLINIKO_TEST_INSTALLS"), reason="fetches libraries; set CLINIKO_TEST_INSTALLS=1"
)
@pytest.mark.skipif(missing() is not None, reason=f"draws the diary: {missing()}")
def test_from_an_unpacked_archive_to_the_picture_it_takes_less_than_two_minutes(tmp_path: Path) -> None:
    project = unpacked(tmp_path)
    alone = [line for line in FOLLOWED if not line.startswith(("pipx ", "cliniko-mcp install"))]
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != ours)
    # Of the processor, because a machine that is busy with other things says nothing of the commands.
    done = run("\n".join([*alone, "times"]), project, tmp_path, 1800, PATH=path)
    assert done.returncode == 0, done.stderr
    minutes = re.findall(r"(\d+)m([\d.]+)s", done.stdout)[-2:]
    assert sum(60 * int(whole) + float(rest) for whole, rest in minutes) < 120
    with browser((1280, 900)) as window:
        window.open((project / "diary.html").as_uri())
        picture = tmp_path / "diary.png"
        window.picture(picture)
        text = window.text()
        assert "Ana Lima" in text and "24 November 2026" in text and picture.stat().st_size > 20_000
