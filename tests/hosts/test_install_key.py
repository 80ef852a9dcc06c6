"""The key that `install` and `login` ask for: kept on this computer, and in a host's file only when told to."""

import json
import os
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cliniko_mcp.cli.login import login
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.table import HOSTS, Computer
from tests.hosts.conftest import KEY, Run
from tests.terminal import Terminal


def test_a_wrong_file_is_refused_before_the_key_is_asked_for(run: Run, machine: Computer, home: Path) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")
    result = run("--client", "cursor", "--key-stdin", "--email", "a@b.example", typed=KEY)
    assert isinstance(result.exception, ConfigurationError)
    assert not (home / "kept").exists()


def test_the_key_is_kept_here_and_not_in_the_hosts_file(run: Run, machine: Computer, home: Path) -> None:
    result = run("--client", "claude-desktop", "--key-stdin", "--email", "desk@clinic.example", typed=f"{KEY}\n")
    assert result.exit_code == 0, result.output
    assert KEY not in HOSTS["claude-desktop"].file(machine).read_text("utf-8") and KEY not in result.output
    kept = home / "kept" / "account.json"
    assert json.loads(kept.read_text())["api_key"] == KEY
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_host_asks_no_more(run: Run) -> None:
    run("--client", "claude-desktop", "--key-stdin", "--email", "desk@clinic.example", typed=KEY)
    result = run("--client", "cursor")
    assert result.exit_code == 0, result.output


def test_the_key_goes_into_the_hosts_file_only_when_told_to(run: Run, machine: Computer, home: Path) -> None:
    arguments = ("--client", "cursor", "--key-stdin", "--email", "desk@clinic.example", "--key-in-config")
    result = run(*arguments, typed=KEY)
    assert result.exit_code == 0, result.output
    path = HOSTS["cursor"].file(machine)
    environment = json.loads(path.read_text("utf-8"))["mcpServers"]["cliniko"]["env"]
    assert environment == {"CLINIKO_API_KEY": KEY, "CLINIKO_CONTACT_EMAIL": "desk@clinic.example"}
    assert not (home / "kept").exists() and KEY not in result.output
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_gets_the_key_is_closed_to_others(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text("{}", "utf-8")
    path.chmod(0o644)
    run("--client", "cursor", "--sandbox")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    run("--client", "cursor", "--key-stdin", "--email", "a@b.example", "--key-in-config", typed=KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("key", "email", "why"),
    [("", "a@b.example", "no API key"), ("abc-nowhere", "a@b.example", "region"), (KEY, "nobody", "contact email")],
)
def test_a_key_or_an_email_that_cannot_be_right_is_refused(
    key: str, email: str, why: str, run: Run, home: Path
) -> None:
    result = run("--client", "cursor", "--key-stdin", "--email", email, typed=key)
    assert isinstance(result.exception, ConfigurationError) and why in result.exception.message
    assert list(home.iterdir()) == []


def test_without_a_terminal_or_a_key_it_says_which_flags_there_are(run: Run) -> None:
    result = run("--client", "cursor")
    assert isinstance(result.exception, ConfigurationError)
    assert "--key-stdin" in result.exception.fix and "--sandbox" in result.exception.fix
    refused = run(of=login).exception
    assert isinstance(refused, ConfigurationError) and "take --sandbox" not in refused.fix  # login has no such flag
    assert run("--client", "cursor", "--no-key").exit_code == 0


def test_the_key_may_come_from_the_environment(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIKO_API_KEY", KEY)
    monkeypatch.setenv("CLINIKO_CONTACT_EMAIL", "desk@clinic.example")
    assert run("--client", "cursor").exit_code == 0
    assert json.loads((home / "kept" / "account.json").read_text())["api_key"] == KEY


def test_login_keeps_shows_and_forgets(run: Run) -> None:
    result = run("--key-stdin", "--email", "desk@clinic.example", typed=KEY, of=login)
    assert result.exit_code == 0 and "only you can read" in result.output and KEY not in result.output
    shown = run("--status", of=login).output
    assert "desk@clinic.example" in shown and KEY not in shown
    assert "Removed" in run("--forget", of=login).output
    assert "No API key is kept" in run("--status", of=login).output


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_is_asked_without_echo_and_again_where_it_cannot_be_right(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with closing(Terminal("install", "--client", "cursor", "--unchecked", **home)) as terminal:
        for prompt, typed in (
            ("API key: ", "abc-nowhere"),
            ("does not end in a region such as -au2 or -uk1. Please try again.\r\nAPI key: ", KEY),
            ("reach you: ", "desk"),
            (
                "not an email address. Please try again.\r\nContact email, for Cliniko to reach you: ",
                "desk@clinic.example",
            ),
        ):
            terminal.until(prompt)
            terminal.type(f"{typed}\r")
        assert terminal.ended() == 0, terminal.screen
    assert "Settings, MCP" in terminal.screen and KEY not in terminal.screen
    assert KEY in (tmp_path / "cliniko-mcp" / "account.json").read_text()
