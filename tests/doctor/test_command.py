"""`cliniko-mcp doctor` on the command line: one screen, or JSON, and an exit code for scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cliniko_mcp.hosts.table import HOSTS, Computer
from cliniko_mcp.settings import Settings
from tests import warm
from tests.terminal import in_a_terminal
from tests.warm import DEMO


def doctor(home: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    environment |= {"HOME": str(home)}
    for name, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_STATE_HOME", ".state")):
        environment[name] = str(home / folder)
    return warm.run("doctor", *arguments, env=environment | {"PYTHONIOENCODING": "utf-8"} | more)


def test_the_demo_clinic_passes_and_is_json_for_programs(tmp_path: Path) -> None:
    result = doctor(tmp_path, *DEMO, "--json")
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


def set_up(home: Path, host: str, *flags: str) -> None:
    computer = Computer("linux", home, {"XDG_CONFIG_HOME": str(home / ".config")})
    path = HOSTS[host].file(computer)
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {"command": sys.executable, "args": ["-m", "cliniko_mcp", "serve", *flags]}
    path.write_text(json.dumps({HOSTS[host].section: {"cliniko": entry}}), "utf-8")


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="hosts keep their files elsewhere")


@pytest.mark.long
@ON_LINUX
def test_after_a_set_up_for_the_demo_clinic_the_demo_clinic_is_examined(tmp_path: Path) -> None:
    set_up(tmp_path, "cursor", "--sandbox")
    set_up(tmp_path, "claude-desktop", "--read-only", "--sandbox")
    result = doctor(tmp_path, "--json")
    assert result.returncode == 0, result.stdout
    found = json.loads(result.stdout)
    checks = {check["name"]: check for check in found["checks"]}
    assert "Claude Desktop and Cursor work" in checks["clinic"]["detail"]
    assert checks["user"]["status"] == "ok" and "not tried" not in result.stdout
    (sandbox,) = [setting for setting in found["settings"] if setting["setting"] == "sandbox"]
    assert (sandbox["value"], sandbox["where"]) == ("on", "--sandbox")


@ON_LINUX
def test_with_an_assistant_or_a_key_for_the_real_clinic_that_is_examined(tmp_path: Path) -> None:
    set_up(tmp_path, "cursor", "--sandbox")
    keyed = doctor(tmp_path, "--json", CLINIKO_API_KEY="abc")
    set_up(tmp_path, "claude-desktop")
    real = doctor(tmp_path, "--json")
    for result in (real, keyed):
        checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
        assert result.returncode == 1 and "clinic" not in checks and checks["user"]["status"] == "warning"


@pytest.mark.long
def test_a_variable_that_cannot_be_read_is_a_cross(tmp_path: Path) -> None:
    result = doctor(tmp_path, *DEMO, "--json", CLINIKO_MCP_CONFIRM="never")
    found = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.returncode == 1 and "--confirm" in found["settings"]["detail"]
    assert found["user"]["status"] == "ok"


def test_a_console_without_ticks_gets_letters(tmp_path: Path) -> None:
    result = doctor(tmp_path, *DEMO, PYTHONIOENCODING="cp1252")
    assert result.returncode == 0, result.stderr
    assert "ok python" in result.stdout


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("variable", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_and_no_color_is_honoured(
    variable: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    home = str(tmp_path)
    code, seen = in_a_terminal("doctor", *DEMO, columns=80, HOME=home, XDG_STATE_HOME=home, **variable)
    assert code == 0
    assert "python" in seen and ("\x1b[" in seen) is coloured


def test_every_setting_is_listed_with_where_it_comes_from_and_no_secret(tmp_path: Path) -> None:
    key = "MS0xNzI2MzU0OS1TZWNyZXRLZXk-au2"
    result = doctor(
        tmp_path,
        *DEMO,
        "--read-only",
        "--json",
        CLINIKO_MCP_EXCLUDE_TOOLS="delete_patient_case, get_invoice",
        CLINIKO_API_KEY=key,
        CLINIKO_MCP_HTTP_TOKEN="a-token-of-enough-characters",
    )
    found = {setting["setting"]: setting for setting in json.loads(result.stdout)["settings"]}
    assert list(found) == list(Settings.model_fields)
    assert found["read_only"] == {"setting": "read_only", "value": "on", "origin": "flag", "where": "--read-only"}
    assert found["exclude_tools"]["value"] == "delete_patient_case, get_invoice"
    assert found["exclude_tools"]["where"] == "CLINIKO_MCP_EXCLUDE_TOOLS"
    assert (found["view"]["value"], found["view"]["origin"]) == ("core", "default")
    assert (found["api_key"]["value"], found["http_token"]["value"]) == ("set", "set")
    assert key not in result.stdout + result.stderr and "a-token" not in result.stdout + result.stderr


def test_what_login_keeps_is_said_to_be_kept(tmp_path: Path) -> None:
    folder = tmp_path / ".config" / "cliniko-mcp"
    folder.mkdir(parents=True)
    file = folder / "account.json"
    file.write_text(json.dumps({"api_key": "nothing-real-but-long", "contact_email": "a@b.example", "key_in": "file"}))
    file.chmod(0o600)
    result = doctor(tmp_path, "--json", "--base-url", "http://127.0.0.1:9/v1")
    found = {setting["setting"]: setting for setting in json.loads(result.stdout)["settings"]}
    assert (found["api_key"]["origin"], found["contact_email"]["origin"]) == ("file", "file")
    assert "not used with --base-url" in found["api_key"]["value"]
    assert found["contact_email"]["value"] == "a@b.example" and "nothing-real" not in result.stdout


@pytest.mark.long
def test_settings_that_cannot_be_read_are_not_told_as_if_they_were_in_force(tmp_path: Path) -> None:
    result = doctor(tmp_path, *DEMO, "--json", CLINIKO_MCP_READ_ONLY="perhaps")
    assert json.loads(result.stdout)["settings"] == []


def test_the_screen_says_which_guards_which_zone_and_which_view(tmp_path: Path) -> None:
    result = doctor(tmp_path, *DEMO, "--confirm", "strict", "--allow-destroy", "archive_patient")
    assert "zone                 Australia/Sydney, that of the key's user" in result.stdout
    assert "not by a form in the assistant's window; these act without asking: archive_patient" in result.stdout
    assert "view                 core" in result.stdout
    assert "confirm              strict  (--confirm)" in result.stdout
