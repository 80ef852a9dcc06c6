"""The approval page as a server makes it, and the browser that it calls up."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cliniko_mcp.approvals import approval_page, browser
from cliniko_mcp.approvals.pin import Pin
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter
from tests.approvals.desktop import PATIENT, Wall, seen
from tests.guards.gate import Clock

ADDRESS = "http://127.0.0.1:1/secret"


def test_a_page_is_made_with_a_long_address_the_pin_the_clock_and_a_browser_that_learns_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, Mapping[str, str]]] = []
    monkeypatch.setattr(approval_page, "open_in_browser", lambda *given: opened.append(given))
    monkeypatch.setenv("CLINIKO_API_KEY", "never-shown")
    clock = Clock()
    questions = Questions(clock, lambda: "nonce")
    questions.show(questions.create(Matter("local", "delete_tax", "", "taxes/1", ""), seen("GST", "Delete this tax")))
    clock.pass_(minutes=3)
    page = approval_page.approval_page(questions, tmp_path, clock)
    Pin(tmp_path, Wall()).set("4711")
    page.invite()
    try:
        ((address, environment),) = opened
        host, _, path = address.removeprefix("http://").partition("/")
        connection = HTTPConnection(host, timeout=PATIENT)
        connection.request("GET", f"/{path}")
        text = connection.getresponse().read().decode()
        connection.close()
    finally:
        page.close()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[A-Za-z0-9_-]{43}", address)
    assert "7:00 left" in text
    assert "<input type=password" in text
    assert environment["PATH"] == os.environ["PATH"]
    assert not [name for name in environment if name.startswith("CLINIKO_")]


class Launch:
    """A browser that writes down the address it was given and the session it runs in, and chatters meanwhile."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = folder / "seen"
        script = folder / "browser"
        script.write_text(
            f"#!{sys.executable}\nimport os, sys\nprint('chatter')\nprint('chatter', file=sys.stderr)\n"
            f"open({str(self.seen)!r}, 'w').write(f'{{sys.argv[1]}} {{os.getsid(0)}} {{len(os.environ)}}')\n"
        )
        script.chmod(0o700)
        self.environment = {"BROWSER": str(script)}
        self.threads: list[threading.Thread] = []
        made = self.threads

        class Kept(threading.Thread):
            def __init__(self, **given: Any) -> None:
                super().__init__(**given)
                made.append(self)

        monkeypatch.setattr(browser, "threading", SimpleNamespace(Thread=Kept))


@pytest.mark.skipif(os.name != "posix", reason="scripts and sessions are a Unix matter")
def test_the_browser_gets_the_address_apart_from_this_program_and_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    launch = Launch(tmp_path, monkeypatch)
    browser.open_in_browser(ADDRESS, launch.environment)
    (thread,) = launch.threads
    assert thread.daemon
    thread.join(PATIENT)
    address, session, known = launch.seen.read_text().split()
    assert address == ADDRESS
    assert session != str(os.getsid(0))
    assert int(known) < 4
    assert capfd.readouterr() == ("", "")


def test_where_no_browser_can_be_started_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "sys", SimpleNamespace(executable="/nowhere/python", platform=sys.platform))
    browser.open_in_browser(ADDRESS, {})


def test_a_launcher_that_stays_until_the_browser_is_closed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_PATIENCE", 0.01)
    launcher = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE)
    try:
        browser._hand_over(launcher, ADDRESS)
        assert launcher.poll() is None
    finally:
        launcher.kill()
        launcher.communicate()
