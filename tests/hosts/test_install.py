"""`install` writes each host's own file on every system's layout, touches nothing else, and can take it back."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from cliniko_mcp.cli.install import install as command
from cliniko_mcp.cli.login import login
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts import table
from cliniko_mcp.hosts.jsonc import parse
from cliniko_mcp.hosts.launch import installed_from, launch_command
from cliniko_mcp.hosts.table import HOSTS, Computer, System, found_hosts

SYSTEMS: tuple[System, ...] = ("darwin", "win32", "linux")
WRITTEN = [name for name in HOSTS if name != "other"]
KEY = "MS0xLXNlY3JldA-au2"

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "Zoë O'Brien 漢字"
    folder.mkdir()
    return folder


def computer(system: System, home: Path) -> Computer:
    environment = {}
    if system == "win32":
        roaming, local = home / "AppData" / "Roaming", home / "AppData" / "Local"
        environment = {"APPDATA": str(roaming), "LOCALAPPDATA": str(local)}
    return Computer(system, home, environment)


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> System:
    found: System = request.param
    return found


@pytest.fixture
def machine(system: System, home: Path) -> Computer:
    return computer(system, home)


@pytest.fixture
def run(machine: Computer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`install` and `login` on a computer of this system, whose home folder has blanks and letters of all kinds."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("HOME", str(home))
    for name in ("CLINIKO_API_KEY", "CLINIKO_CONTACT_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("cliniko_mcp.keys.account_file", lambda: home / "kept" / "account.json")
    monkeypatch.setattr("cliniko_mcp.cli.install.this_computer", lambda: machine)

    def call(*arguments: str, given: str | None = None, of: click.Command = command) -> Result:
        return CliRunner().invoke(of, list(arguments), input=given)

    return call


EXPECTED = {
    ("claude-desktop", "darwin"): "Library/Application Support/Claude/claude_desktop_config.json",
    ("claude-desktop", "win32"): "AppData/Roaming/Claude/claude_desktop_config.json",
    ("claude-desktop", "linux"): ".config/Claude/claude_desktop_config.json",
    ("vscode", "darwin"): "Library/Application Support/Code/User/mcp.json",
    ("vscode", "win32"): "AppData/Roaming/Code/User/mcp.json",
    ("vscode", "linux"): ".config/Code/User/mcp.json",
    **{("claude-code", system): ".claude.json" for system in SYSTEMS},
    **{("cursor", system): ".cursor/mcp.json" for system in SYSTEMS},
    **{("copilot-cli", system): ".copilot/mcp-config.json" for system in SYSTEMS},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_host_keeps_its_servers_in_its_own_place(name: str, system: System, home: Path) -> None:
    assert HOSTS[name].file(computer(system, home)).relative_to(home).as_posix() == EXPECTED[name, system]


def test_claude_desktop_from_the_microsoft_store_has_a_folder_of_its_own(home: Path) -> None:
    package = home / "AppData" / "Local" / "Packages" / "Claude_pzs8sxrjxfjjc"
    package.mkdir(parents=True)
    found = HOSTS["claude-desktop"].file(computer("win32", home))
    assert found == package / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"


def test_folders_named_in_the_environment_are_used(home: Path) -> None:
    named = Computer(
        "linux",
        home,
        {"XDG_CONFIG_HOME": "/etc/x", "CLAUDE_CONFIG_DIR": "/srv/claude", "COPILOT_HOME": "/srv/copilot"},
    )
    assert HOSTS["vscode"].file(named) == Path("/etc/x/Code/User/mcp.json")
    assert HOSTS["claude-code"].file(named) == Path("/srv/claude/.claude.json")
    assert HOSTS["copilot-cli"].file(named) == Path("/srv/copilot/mcp-config.json")


@pytest.mark.parametrize("name", WRITTEN)
def test_the_entry_starts_this_server_by_an_absolute_path(name: str, run: Run, machine: Computer) -> None:
    result = run("--client", name, "--sandbox")
    assert result.exit_code == 0, result.output
    host = HOSTS[name]
    entry = json.loads(host.file(machine).read_text("utf-8"))[host.section]["cliniko"]
    assert Path(entry["command"]).is_absolute() and Path(entry["command"]).exists()
    assert entry["args"][0] == "serve" and entry["args"][-1] == "--sandbox"
    assert "env" not in entry


def test_view_and_output_suit_the_host(run: Run) -> None:
    def flags(name: str) -> list[str]:
        shown = json.loads(run("--client", name, "--print").stdout)
        return shown[HOSTS[name].section]["cliniko"]["args"]

    assert flags("copilot-cli") == ["serve", "--output", "text"]
    assert flags("claude-code") == ["serve", "--view", "all"]
    assert flags("claude-desktop") == flags("cursor") == flags("vscode") == flags("other") == ["serve"]


def test_what_the_person_chooses_goes_before_what_suits_the_host(run: Run) -> None:
    shown = run("--client", "claude-code", "--view", "core", "--read-only", "--confirm", "strict", "--print").stdout
    entry = json.loads(shown)["mcpServers"]["cliniko"]
    assert entry["args"] == ["serve", "--view", "core", "--read-only", "--confirm", "strict"]


def test_a_setting_that_the_server_would_refuse_is_refused_here(run: Run, home: Path) -> None:
    result = run("--client", "cursor", "--view", "every", "--sandbox")
    assert isinstance(result.exception, ConfigurationError) and "--view" in result.exception.message
    result = run("--client", "cursor", "--tools", "no_such_tool", "--sandbox")
    assert isinstance(result.exception, ConfigurationError) and "no_such_tool" in result.exception.message
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", HOSTS)
def test_print_only_shows_and_needs_no_key(name: str, run: Run, home: Path) -> None:
    result = run("--client", name, "--print")
    assert result.exit_code == 0
    assert "cliniko" in json.loads(result.stdout)[HOSTS[name].section]
    assert list(home.iterdir()) == []


FOREIGN = {"mcpServers": {"files": {"command": "npx", "args": ["-y", "files"]}}, "theme": "dark", "ids": [1e3]}


@pytest.mark.parametrize("name", WRITTEN)
def test_foreign_servers_and_settings_stay_and_a_backup_lies_beside(name: str, run: Run, machine: Computer) -> None:
    host = HOSTS[name]
    path = host.file(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = json.dumps({**FOREIGN, host.section: FOREIGN["mcpServers"]}, indent=4)
    path.write_text(before, "utf-8")
    result = run("--client", name, "--sandbox")
    assert result.exit_code == 0, result.output
    after = json.loads(path.read_text("utf-8"))
    assert set(after.pop(host.section)) == {"files", "cliniko"}
    rest = json.loads(before)
    del rest[host.section]
    assert after == rest
    (backup,) = path.parent.glob(f"{path.name}.*.bak")
    assert backup.read_text("utf-8") == before and str(backup) in result.output


def test_installing_again_changes_nothing_and_makes_no_other_backup(run: Run, machine: Computer) -> None:
    path = HOSTS["claude-desktop"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text("{}", "utf-8")
    run("--client", "claude-desktop", "--sandbox")
    once = path.read_bytes()
    result = run("--client", "claude-desktop", "--sandbox")
    assert "already as it should be" in result.output
    assert path.read_bytes() == once and len(list(path.parent.glob("*.bak"))) == 1


def test_two_backups_in_one_second_are_two(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text("{}", "utf-8")
    run("--client", "cursor", "--sandbox")
    run("--client", "cursor", "--sandbox", "--read-only")
    run("--client", "cursor", "--uninstall")
    kept = [each.read_text("utf-8") for each in path.parent.glob("*.bak")]
    assert len(kept) == 3 and "{}" in kept


def test_uninstall_takes_out_the_entry_and_nothing_else(run: Run, machine: Computer) -> None:
    path = HOSTS["claude-code"].file(machine)
    before = json.dumps(FOREIGN, indent=2) + "\n"
    path.write_text(before, "utf-8")
    run("--client", "claude-code", "--sandbox")
    assert path.read_text("utf-8") != before
    result = run("--client", "claude-code", "--uninstall")
    assert result.exit_code == 0 and path.read_text("utf-8") == before
    again = run("--client", "claude-code", "--uninstall")
    assert again.exit_code == 0 and "is not in" in again.output


def test_uninstall_where_nothing_is_makes_no_file(run: Run, home: Path) -> None:
    assert run("--client", "vscode", "--uninstall").exit_code == 0
    assert list(home.iterdir()) == []


COMMENTED = '{\n  // files\n  "servers": {\n    "files": {"command": "npx"}, // keep\n  },\n}\n'


def test_comments_stay_where_the_host_reads_them(run: Run, machine: Computer) -> None:
    path = HOSTS["vscode"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text(COMMENTED, "utf-8")
    assert run("--client", "vscode", "--sandbox").exit_code == 0
    after = path.read_text("utf-8")
    assert "// files" in after and "// keep" in after
    found: Any = parse(after, comments=True).value
    assert set(found["servers"]) == {"files", "cliniko"}
    assert run("--client", "vscode", "--uninstall").exit_code == 0
    assert path.read_text("utf-8") == COMMENTED


WRONG = ['{"mcpServers": {', "not json", COMMENTED, '{"mcpServers": []}', "[]", '{"a": 1,}']


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_json_is_refused_and_left_untouched(wrong: str, run: Run, machine: Computer) -> None:
    path = HOSTS["claude-desktop"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text(wrong, "utf-8")
    for flags in (["--sandbox"], ["--uninstall"]):
        result = run("--client", "claude-desktop", *flags)
        assert isinstance(result.exception, ConfigurationError)
        assert "was left as it is" in result.exception.message and str(path) in result.exception.message
        assert path.read_text("utf-8") == wrong
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_in_another_encoding_is_refused_and_left_untouched(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_bytes("{}".encode("utf-16"))
    result = run("--client", "cursor", "--sandbox")
    assert isinstance(result.exception, ConfigurationError) and "UTF-8" in result.exception.message
    assert path.read_bytes() == "{}".encode("utf-16")


def test_a_wrong_file_is_refused_before_the_key_is_asked_for(run: Run, machine: Computer, home: Path) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")
    result = run("--client", "cursor", "--key-stdin", "--email", "a@b.example", given=KEY)
    assert isinstance(result.exception, ConfigurationError)
    assert not (home / "kept").exists()


def test_the_key_is_kept_here_and_not_in_the_hosts_file(run: Run, machine: Computer, home: Path) -> None:
    result = run("--client", "claude-desktop", "--key-stdin", "--email", "desk@clinic.example", given=f"{KEY}\n")
    assert result.exit_code == 0, result.output
    assert KEY not in HOSTS["claude-desktop"].file(machine).read_text("utf-8") and KEY not in result.output
    kept = home / "kept" / "account.json"
    assert json.loads(kept.read_text())["api_key"] == KEY
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_host_asks_no_more(run: Run) -> None:
    run("--client", "claude-desktop", "--key-stdin", "--email", "desk@clinic.example", given=KEY)
    result = run("--client", "cursor")
    assert result.exit_code == 0, result.output


def test_the_key_goes_into_the_hosts_file_only_when_told_to(run: Run, machine: Computer, home: Path) -> None:
    given = ("--client", "cursor", "--key-stdin", "--email", "desk@clinic.example", "--key-in-config")
    result = run(*given, given=KEY)
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
    run("--client", "cursor", "--key-stdin", "--email", "a@b.example", "--key-in-config", given=KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("key", "email", "why"),
    [("", "a@b.example", "no API key"), ("abc-nowhere", "a@b.example", "region"), (KEY, "nobody", "contact email")],
)
def test_a_key_or_an_email_that_cannot_be_right_is_refused(
    key: str, email: str, why: str, run: Run, home: Path
) -> None:
    result = run("--client", "cursor", "--key-stdin", "--email", email, given=key)
    assert isinstance(result.exception, ConfigurationError) and why in result.exception.message
    assert list(home.iterdir()) == []


def test_without_a_terminal_or_a_key_it_says_which_flags_there_are(run: Run) -> None:
    result = run("--client", "cursor")
    assert isinstance(result.exception, ConfigurationError)
    assert "--key-stdin" in result.exception.fix and "--sandbox" in result.exception.fix
    assert run("--client", "cursor", "--no-key").exit_code == 0


def test_the_key_may_come_from_the_environment(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIKO_API_KEY", KEY)
    monkeypatch.setenv("CLINIKO_CONTACT_EMAIL", "desk@clinic.example")
    assert run("--client", "cursor").exit_code == 0
    assert json.loads((home / "kept" / "account.json").read_text())["api_key"] == KEY


def test_another_host_gets_the_block_to_copy_and_no_file(run: Run, home: Path) -> None:
    result = run("--client", "other", "--sandbox")
    assert json.loads(result.stdout)["mcpServers"]["cliniko"]["args"] == ["serve", "--sandbox"]
    assert list(home.iterdir()) == []


def test_another_hosts_file_can_be_named(run: Run, home: Path) -> None:
    path = home / "some host" / "servers.json"
    assert run("--client", "other", "--config", str(path), "--sandbox").exit_code == 0
    assert "cliniko" in json.loads(path.read_text("utf-8"))["mcpServers"]
    assert run("--client", "other", "--uninstall").exit_code == 2
    assert run("--client", "other", "--config", str(path), "--uninstall").exit_code == 0
    assert json.loads(path.read_text("utf-8")) == {"mcpServers": {}}


def test_without_a_client_it_names_those_on_this_computer(run: Run, machine: Computer, home: Path) -> None:
    result = run()
    assert result.exit_code == 2 and "claude-desktop, claude-code" in result.output
    (home / ".cursor").mkdir()
    assert "On this computer: --client cursor." in run().output
    assert [host.name for host in found_hosts(machine)] == ["cursor"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_configuration_that_is_a_link_stays_a_link(run: Run, machine: Computer, home: Path) -> None:
    target = home / "settings repository" / "cursor.json"
    target.parent.mkdir()
    target.write_text("{}", "utf-8")
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir()
    path.symlink_to(target)
    assert run("--client", "cursor", "--sandbox").exit_code == 0
    assert path.is_symlink() and "cliniko" in target.read_text("utf-8")


def test_login_keeps_shows_and_forgets(run: Run) -> None:
    result = run("--key-stdin", "--email", "desk@clinic.example", given=KEY, of=login)
    assert result.exit_code == 0 and "only you can read" in result.output and KEY not in result.output
    shown = run("--status", of=login).output
    assert "desk@clinic.example" in shown and KEY not in shown
    assert "Removed" in run("--forget", of=login).output
    assert "No API key is kept" in run("--status", of=login).output


def test_the_script_is_named_as_it_lies_and_not_where_its_links_lead(tmp_path: Path) -> None:
    real = tmp_path / "venvs" / "cliniko-mcp"
    real.parent.mkdir()
    real.touch()
    link = tmp_path / "bin with blanks" / "cliniko-mcp"
    link.parent.mkdir()
    link.symlink_to(real)
    assert launch_command(str(link), str(tmp_path / "python")) == [str(link)]


def test_beside_its_python_the_script_is_found_on_windows_too(tmp_path: Path) -> None:
    (tmp_path / "cliniko-mcp.exe").touch()
    assert launch_command("-c", str(tmp_path / "python.exe")) == [str(tmp_path / "cliniko-mcp.exe")]


def test_without_a_script_the_module_is_started(tmp_path: Path) -> None:
    python = str(tmp_path / "python")
    assert launch_command("__main__.py", python, lambda _: None) == [python, "-m", "cliniko_mcp"]


UVX_PYTHON = "/home/z/.cache/uv/archive-v0/AbC/bin/python"


def test_from_uvx_it_is_uvx_that_is_started_with_this_very_version() -> None:
    found = launch_command("x", UVX_PYTHON, lambda name: f"/home/z/.local/bin/{name}", lambda: None)
    assert found[:2] == ["/home/z/.local/bin/uvx", "--from"] and found[3] == "cliniko-mcp"
    assert found[2].startswith("cliniko-mcp==")


def test_from_uvx_with_a_wheel_the_wheel_is_named() -> None:
    found = launch_command("x", UVX_PYTHON, lambda name: f"/bin/{name}", lambda: "/w/cliniko_mcp.whl")
    assert found == ["/bin/uvx", "--from", "/w/cliniko_mcp.whl", "cliniko-mcp"]


def test_a_temporary_environment_without_uvx_is_refused_with_advice() -> None:
    with pytest.raises(ConfigurationError, match="temporary environment") as refused:
        launch_command("x", UVX_PYTHON, lambda _: None, lambda: None)
    assert "uv tool install" in refused.value.fix


def test_where_it_was_installed_from_is_a_path_or_nothing() -> None:
    found = installed_from()
    assert found is None or not found.startswith("file:")


def test_this_computer_is_one_of_the_three_systems() -> None:
    found = table.this_computer()
    assert found.system in SYSTEMS and found.home == Path.home()
    assert not any(name.startswith("CLINIKO_") for name in found.environment)


def test_a_terminal_is_asked_without_echo(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    main, terminal = pty.openpty()
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    for name in ("CLINIKO_API_KEY", "CLINIKO_CONTACT_EMAIL"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "cliniko_mcp", "install", "--client", "cursor"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environment,
        start_new_session=True,
    )
    os.close(terminal)
    seen = b""

    def until(words: bytes) -> None:
        nonlocal seen
        while words not in seen:
            seen += os.read(main, 4096)

    until(b"API key: ")
    os.write(main, f"{KEY}\n".encode())
    until(b"reach you: ")
    os.write(main, b"desk@clinic.example\n")
    until(b"Settings, MCP")
    assert process.wait(20) == 0
    os.close(main)
    assert KEY.encode() not in seen
    assert KEY in (tmp_path / "cliniko-mcp" / "account.json").read_text()
