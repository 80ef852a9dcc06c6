"""`cliniko-mcp doctor` on the command line: one screen, or JSON, and an exit code for scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import in_a_terminal


def doctor(home: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    environment |= {"HOME": str(home)}
    for name, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_STATE_HOME", ".state")):
        environment[name] = str(home / folder)
    return subprocess.run(
        [sys.executable, "-m", "cliniko_mcp", "doctor", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment | {"PYTHONIOENCODING": "utf-8"} | more,
        timeout=300,
    )


def test_the_demo_clinic_passes_and_is_json_for_programs(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--sandbox", "--json")
    assert result.returncode == 0, result.stderr
    checks = json.loads(result.stdout)["checks"]
    assert {frozenset(check) for check in checks} == {frozenset({"name", "status", "detail", "fix"})}
    assert {check["status"] for check in checks} <= {"ok", "warning"}
    assert all(check["fix"] == "" for check in checks if check["status"] == "ok")


def test_a_missing_key_is_a_cross_with_what_to_do_and_exit_code_1(tmp_path: Path) -> None:
    result = doctor(tmp_path)
    assert result.returncode == 1
    assert "✗ key" in result.stdout and "cliniko-mcp login" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_variable_that_cannot_be_read_is_a_cross(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--sandbox", "--json", CLINIKO_MCP_CONFIRM="never")
    found = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 1 and "--confirm" in found["settings"]["detail"]
    assert found["user"]["status"] == "ok"


def test_a_console_without_ticks_gets_letters(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--sandbox", PYTHONIOENCODING="cp1252")
    assert result.returncode == 0, result.stderr
    assert "ok python" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("variable", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_and_no_color_is_honoured(
    variable: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    home = str(tmp_path)
    code, seen = in_a_terminal("doctor", "--sandbox", columns=80, HOME=home, XDG_STATE_HOME=home, **variable)
    assert code == 0
    assert "python" in seen and ("\x1b[" in seen) is coloured
