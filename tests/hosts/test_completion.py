"""Shells complete commands and flags from the script that `completion` prints; help and version are for people."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cliniko_mcp import __version__
from cliniko_mcp.cli import COMMANDS, commands
from cliniko_mcp.cli.completion import VARIABLE


def completed(words: str, place: int, tmp_path: Path, shell: str = "bash") -> list[str]:
    environment = {**os.environ, VARIABLE: f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
    done = subprocess.run(
        [sys.executable, "-m", "cliniko_mcp"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = done.stdout.splitlines()
    return lines[1::3] if shell == "powershell" else [line.partition(",")[2] for line in lines]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_a_script_for_this_command(shell: str) -> None:
    done = CliRunner().invoke(commands, ["completion", shell])
    assert done.exit_code == 0 and VARIABLE in done.output and f"{shell}_complete" in done.output


def test_another_shell_is_refused_with_those_there_are() -> None:
    done = CliRunner().invoke(commands, ["completion", "csh"])
    assert done.exit_code == 2 and "'bash', 'zsh', 'fish', 'powershell'" in done.output


@pytest.mark.long
def test_commands_flags_and_hosts_are_completed(tmp_path: Path) -> None:
    assert completed("cliniko-mcp ins", 1, tmp_path) == ["install"]
    assert "--key-in-config" in completed("cliniko-mcp install --key", 2, tmp_path)
    assert completed("cliniko-mcp install --client claude-", 3, tmp_path) == ["claude-desktop", "claude-code"]


@pytest.mark.long
def test_powershell_is_told_the_same_in_its_own_form(tmp_path: Path) -> None:
    assert completed("cliniko-mcp ins", 1, tmp_path, "powershell") == ["install"]


@pytest.mark.long
def test_the_words_a_setting_takes_are_completed(tmp_path: Path) -> None:
    assert completed("cliniko-mcp serve --view ", 3, tmp_path) == ["core", "all"]
    assert completed("cliniko-mcp serve --confirm s", 3, tmp_path) == ["strict"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_bash_script_is_accepted_by_bash(tmp_path: Path) -> None:
    script = tmp_path / "complete.sh"
    script.write_text(CliRunner().invoke(commands, ["completion", "bash"]).output)
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).returncode == 0


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_a_zsh_that_completes_nothing_yet_is_told_to(tmp_path: Path) -> None:
    script = CliRunner().invoke(commands, ["completion", "zsh"]).output + "print -- $_comps[cliniko-mcp]\n"
    home = {**os.environ, "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
    done = subprocess.run(["zsh", "-f"], input=script, cwd=tmp_path, env=home, capture_output=True, text=True)
    assert done.stdout.strip() == "_cliniko_mcp_completion" and done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_the_fish_script_is_accepted_by_fish(tmp_path: Path) -> None:
    script = tmp_path / "complete.fish"
    script.write_text(CliRunner().invoke(commands, ["completion", "fish"]).output)
    assert subprocess.run(["fish", "--no-execute", str(script)], capture_output=True).returncode == 0


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_the_powershell_script_is_accepted_by_powershell(tmp_path: Path) -> None:
    script = tmp_path / "complete.ps1"
    script.write_text(CliRunner().invoke(commands, ["completion", "powershell"]).output)
    done = subprocess.run(["pwsh", "-NoProfile", "-File", str(script)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_explains_each_option(name: str) -> None:
    done = CliRunner().invoke(commands, [name, "--help"])
    assert done.exit_code == 0 and done.output.startswith("Usage:")
    command = commands.get_command(commands.make_context("cliniko-mcp", ["serve"]), name)
    assert command is not None and command.help
    options = [param for param in command.params if param.param_type_name == "option"]
    assert [option.name for option in options if not getattr(option, "help", None)] == []


def test_the_flags_of_the_server_say_what_holds_without_them() -> None:
    output = " ".join(CliRunner().invoke(commands, ["serve", "--help"]).output.split())
    assert "0 finds one. Without it: 8000." in output and "Without it: core." in output
    assert "Without it" not in CliRunner().invoke(commands, ["install", "--help"]).output


def test_the_version_is_shown() -> None:
    assert CliRunner().invoke(commands, ["--version"]).output == f"cliniko-mcp, version {__version__}\n"
