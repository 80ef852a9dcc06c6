"""Every cross and warning that `doctor` can show for the computer, the assistants, and the person's safety."""

import json
import os
import shlex
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from cliniko_mcp.approvals.pin import Pin
from cliniko_mcp.doctor import DoctorContext, machine, safety
from cliniko_mcp.doctor.check import Check
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.hosts.table import HOSTS, Computer
from cliniko_mcp.settings import Settings


def context(tmp_path: Path, **flags: object) -> DoctorContext:
    return DoctorContext(
        settings=Settings.load(flags, {}),
        computer=Computer("linux", tmp_path),
        state=tmp_path / "state",
        now=lambda: pytest.fail("no clock is needed here"),
        browser=lambda: None,
        python=(3, 11, 0),
    )


def test_an_old_python_is_a_cross() -> None:
    assert machine.python((3, 10, 9)).status == "failed"
    assert machine.python((3, 11, 0)).status == machine.python((4, 0, 0)).status == "ok"


def test_the_packages_that_are_installed_here_fit() -> None:
    found = machine.packages()
    assert found.status == "ok" and "mcp 2" in found.detail


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("no-such-package>=1", "no-such-package is missing"),
        ("mcp<2", "does not fit <2"),
        ("mcp>=99", "does not fit >=99"),
        ("mcp==0.1", "does not fit"),
        ("mcp<=1", "does not fit"),
        ("mcp[cli]>99", "does not fit"),
        ("mcp>=99; python_version >= '3'", "does not fit"),
        ("mcp!=2.*", "does not fit"),
    ],
)
def test_a_missing_or_unfitting_package_is_a_cross(wanted: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "requires", lambda _: [wanted, 'also-missing; extra == "test"'])
    found = machine.packages()
    assert found.status == "failed" and words in found.detail and "also-missing" not in found.detail
    assert "`pipx install --force .`" in found.fix


@pytest.mark.parametrize(
    "wanted",
    [
        "mcp>=2,!=9.9",
        "mcp~=2.0",
        "mcp>1,<3",
        "mcp",
        "no-such-package>=1; python_version < '3'",
        "mcp >= 2 ; os_name != ''",
    ],
)
def test_a_fitting_package_is_a_tick(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "requires", lambda _: [wanted])
    assert machine.packages().status == "ok"


def test_the_library_that_compares_versions_may_be_missing_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    found = machine.packages()
    assert found.status == "failed" and found.detail == "packaging is missing"


def test_a_source_folder_that_was_never_installed_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: str) -> list[str]:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(machine, "requires", never)
    assert machine.packages().status == "warning"


def test_the_usual_view_fits(tmp_path: Path) -> None:
    found = machine.view(context(tmp_path))
    assert found.status == "ok" and found.detail.startswith("core: ")


def test_a_view_that_takes_too_much_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(machine.TOKEN_BUDGETS, "core", 100)
    assert machine.view(context(tmp_path)).status == "warning"


def test_a_tool_that_does_not_exist_is_a_cross(tmp_path: Path) -> None:
    found = machine.view(context(tmp_path, tools="no_such_tool"))
    assert found.status == "failed" and "no_such_tool" in found.detail


def test_a_view_without_tools_is_a_cross(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cliniko_mcp.tools import views

    monkeypatch.setattr(views, "view_of", lambda _: views.View((), frozenset()))
    assert machine.view(context(tmp_path)).status == "failed"


def host(tmp_path: Path, name: str, content: object) -> list[Check]:
    computer = Computer("linux", tmp_path)
    path = HOSTS[name].file(computer)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return list(machine.hosts(computer))


def test_no_assistant_is_a_warning(tmp_path: Path) -> None:
    (found,) = machine.hosts(Computer("linux", tmp_path))
    assert found.status == "warning" and "install --client" in found.fix


@pytest.mark.parametrize("content", ["", "{}", {"mcpServers": {"files": {"command": "npx"}}}, {"mcpServers": []}, "[]"])
def test_an_assistant_that_does_not_start_the_server_is_a_warning(content: object, tmp_path: Path) -> None:
    (found,) = host(tmp_path, "cursor", content)
    assert (found.name, found.status) == ("host cursor", "warning") and "--client cursor" in found.fix


def test_a_broken_configuration_is_a_warning_with_its_place(tmp_path: Path) -> None:
    (found,) = host(tmp_path, "claude-desktop", "{")
    assert found.status == "warning" and "line 1" in found.detail


def test_a_configuration_that_cannot_be_read_is_a_warning_with_what_to_do(tmp_path: Path) -> None:
    path = HOSTS["cursor"].file(Computer("linux", tmp_path))
    path.mkdir(parents=True)
    (found,) = machine.hosts(Computer("linux", tmp_path))
    assert found.status == "warning" and "cannot be read" in found.detail and "run install again" in found.fix
    path.rmdir()
    path.write_bytes(b"\xff")
    (found,) = machine.hosts(Computer("linux", tmp_path))
    assert found.status == "warning" and "UTF-8" in found.detail and "run install again" in found.fix


def test_an_assistant_that_starts_the_server_is_a_tick(tmp_path: Path) -> None:
    script = tmp_path / "cliniko-mcp"
    script.touch()
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"clinic": {"command": str(script), "args": ["serve"]}}})
    assert found.status == "ok" and found.detail.startswith("Cursor starts it as clinic; asks in its own window")
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"x": {"command": "uvx", "args": ["cliniko-mcp", "serve"]}}})
    assert found.status == "ok"


DEMO = {"command": "cliniko-mcp", "args": ["serve", "--read-only", "--sandbox"]}
OWN = {"command": "cliniko-mcp", "args": ["serve"]}


def test_an_assistant_left_in_the_demo_clinic_is_a_warning_where_a_real_one_is_looked_at(tmp_path: Path) -> None:
    for entry in (DEMO, {"command": "cliniko-mcp", "args": ["serve"], "env": {"CLINIKO_MCP_SANDBOX": "true"}}):
        (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": entry}})
        assert found.status == "warning" and "works in the demo clinic" in found.detail
        keeps = " --read-only" if entry is DEMO else ""
        assert found.fix == f"For your own clinic run `cliniko-mcp install --client cursor{keeps}`."
    (found,) = machine.hosts(Computer("linux", tmp_path), demo=True)
    assert (found.status, found.detail.partition(";")[0]) == ("ok", "Cursor starts it as cliniko")


def test_an_assistant_with_both_clinics_is_a_tick_that_says_which_is_the_demo(tmp_path: Path) -> None:
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": OWN, "practice": DEMO}})
    assert found.detail.startswith("Cursor starts it as cliniko, practice (in the demo clinic); ")


def test_an_assistant_that_starts_what_is_gone_is_a_cross(tmp_path: Path) -> None:
    (found,) = host(tmp_path, "vscode", {"servers": {"cliniko": {"command": str(tmp_path / "gone" / "cliniko-mcp")}}})
    assert found.status == "failed" and "not there any more" in found.detail


def test_setting_an_assistant_up_again_keeps_the_flags_it_has(tmp_path: Path) -> None:
    flags = ["--read-only", "--upload-folder", "/srv/to attach"]
    entry = {"command": str(tmp_path / "gone"), "args": ["-m", "cliniko_mcp", "serve", *flags]}
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"the clinic": entry}})
    command = found.fix.removeprefix("Run `").removesuffix("`.")
    assert shlex.split(command) == ["cliniko-mcp", "install", "--client", "cursor", "--name", "the clinic", *flags]
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": {"command": "cliniko-mcp", "args": "x"}}})
    assert found.status == "ok"


def test_the_command_to_set_up_again_has_no_flag_that_install_does_not_take(tmp_path: Path) -> None:
    flags = ["--allow-destroy", "delete_tax", "--confirm=strict", "--unknown"]
    entry = {"command": str(tmp_path / "gone"), "args": ["-m", "cliniko_mcp", "serve", *flags]}
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": entry}})
    assert found.fix == "Run `cliniko-mcp install --client cursor --confirm strict`."
    entry["args"] = ["-m", "cliniko_mcp", "serve", "--port", "x"]
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": entry}})
    assert found.fix == "Run `cliniko-mcp install --client cursor`."


def test_a_key_in_plain_text_is_a_warning_that_does_not_show_it(tmp_path: Path) -> None:
    entry = {"command": "cliniko-mcp", "env": {"CLINIKO_API_KEY": "secret-au1"}}
    (found,) = host(tmp_path, "cursor", {"mcpServers": {"cliniko": entry}})
    assert found.status == "warning" and "plain text" in found.detail and "secret" not in str(found)


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"hooks": {"Elicitation": []}}, True),
        ({"hooks": {"PreToolUse": []}}, False),
        ({"hooks": []}, False),
        ([], False),
        ("{", False),
    ],
)
def test_a_hook_that_may_answer_for_the_person_is_a_warning(settings: object, warned: bool, tmp_path: Path) -> None:
    folder = tmp_path / ".claude"
    folder.mkdir()
    (folder / "settings.json").write_text(settings if isinstance(settings, str) else json.dumps(settings), "utf-8")
    found = host(tmp_path, "claude-code", {"mcpServers": {"c": {"command": "cliniko-mcp"}}})
    assert any(check.name == "hooks" and check.status == "warning" for check in found) is warned


def test_a_missing_pin_is_a_warning_and_a_pin_a_tick(tmp_path: Path) -> None:
    assert safety.pin(tmp_path).status == "warning"
    Pin(tmp_path, time.time).set("2468")
    assert safety.pin(tmp_path).status == "ok"


def test_a_missing_browser_is_a_warning() -> None:
    assert safety.browser(None).status == "warning"
    assert safety.browser("firefox").status == "ok"


def test_a_browser_for_terminals_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("w3m"))
    assert safety.browser_name() is None
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("firefox"))
    assert safety.browser_name() == "firefox"

    def none() -> object:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    assert safety.browser_name() is None


def test_a_log_that_is_whole_is_a_tick_and_one_that_was_changed_a_cross(tmp_path: Path) -> None:
    here = context(tmp_path)
    assert "0 lines" in safety.audit(here).detail
    chain = HashChain(tmp_path / "state" / "audit.jsonl")
    for number in range(3):
        chain.append({"tool": f"tool_{number}"})
    assert safety.audit(here).status == "ok" and "3 lines" in safety.audit(here).detail
    chain.path.write_text(chain.path.read_text().replace("tool_1", "tool_9"))
    assert safety.audit(here).status == "failed" and "was changed" in safety.audit(here).detail


def test_a_log_named_by_a_flag_is_the_one_looked_at(tmp_path: Path) -> None:
    assert (
        str(tmp_path / "mine.jsonl") in safety.audit(context(tmp_path, audit_file=str(tmp_path / "mine.jsonl"))).detail
    )


def test_a_log_that_cannot_be_written_is_a_cross(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = safety.audit(context(tmp_path, audit_file=str(tmp_path / "file" / "audit.jsonl")))
    assert found.status == "failed" and "--audit-file" in found.fix
    assert safety.audit(context(tmp_path, audit_file=str(tmp_path))).status == "failed"


def test_a_log_that_cannot_be_read_is_a_cross(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: HashChain) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(HashChain, "verify", refuse)
    found = safety.audit(context(tmp_path))
    assert found.status == "failed" and "Permission denied" in found.detail
    assert os.sep in found.detail
