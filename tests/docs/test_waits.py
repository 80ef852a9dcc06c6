"""The guide to time-outs says of every assistant what the program does with it."""

import re
from pathlib import Path

from cliniko_mcp.approvals.host_waits import HOSTS as PATIENT
from cliniko_mcp.approvals.host_waits import seconds_to_wait
from cliniko_mcp.hosts.table import HOSTS
from cliniko_mcp.settings import Settings

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"


def rows() -> dict[str, str]:
    """What the server does, by the program's name."""
    section = GUIDE.read_text("utf-8").split("### My assistant says that it timed out")[1].split("\n### ")[0]
    table = re.findall(r"^\| (.*?) \| .*? \| .*? \| (.*?) \|$", section, re.MULTILINE)
    return dict(table[1:])


def test_every_assistant_that_install_knows_has_a_row() -> None:
    assert {host.title for host in HOSTS.values() if host.name != "other"} <= {*rows()}


def test_the_page_is_waited_at_in_the_programs_that_are_known_to_wait_and_no_others() -> None:
    waits = {name for name, does in rows().items() if "waits there for" in does or "as in Claude Desktop" in does}
    assert waits == {host.name for host in PATIENT}
    usual = Settings.model_fields["approval_wait"].default
    assert f"`--approval-wait` seconds ({usual:g})" in rows()["Claude Desktop"]
    assert all(seconds_to_wait(host.client, usual) < host.waits for host in PATIENT)


def test_all_others_are_answered_within_the_seconds_that_the_guide_names() -> None:
    assert seconds_to_wait("a program that nobody knows", 45) < 4
    assert all("within 4 seconds" in does or "as in" in does for name, does in rows().items() if "Claude" not in name)
