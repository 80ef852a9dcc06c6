"""`install` writes each host's own file on every system's layout, touches nothing else, and can take it back."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.jsonc import parse
from cliniko_mcp.hosts.table import HOSTS, Computer, System, found_hosts
from tests.hosts.conftest import SYSTEMS, Run, computer, parsed

WRITTEN = [name for name in HOSTS if name != "other"]


CLINE = "Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"

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
    **{("codex-cli", system): ".codex/config.toml" for system in SYSTEMS},
    **{("gemini-cli", system): ".gemini/settings.json" for system in SYSTEMS},
    **{("windsurf", system): ".codeium/windsurf/mcp_config.json" for system in SYSTEMS},
    ("zed", "darwin"): ".config/zed/settings.json",
    ("zed", "win32"): "AppData/Roaming/Zed/settings.json",
    ("zed", "linux"): ".config/zed/settings.json",
    **{("jetbrains", system): ".junie/mcp/mcp.json" for system in SYSTEMS},
    **{("lm-studio", system): ".lmstudio/mcp.json" for system in SYSTEMS},
    ("goose", "darwin"): ".config/goose/config.yaml",
    ("goose", "win32"): "AppData/Roaming/Block/goose/config/config.yaml",
    ("goose", "linux"): ".config/goose/config.yaml",
    ("cline", "darwin"): f"Library/Application Support/{CLINE}",
    ("cline", "win32"): f"AppData/Roaming/{CLINE}",
    ("cline", "linux"): f".config/{CLINE}",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_each_host_keeps_its_servers_in_its_own_place(name: str, system: System, home: Path) -> None:
    assert HOSTS[name].file(computer(system, home)).relative_to(home).as_posix() == EXPECTED[name, system]


def test_claude_desktop_from_the_microsoft_store_has_a_folder_of_its_own(home: Path) -> None:
    package = home / "AppData" / "Local" / "Packages" / "Claude_pzs8sxrjxfjjc"
    package.mkdir(parents=True)
    found = HOSTS["claude-desktop"].file(computer("win32", home))
    assert found == package / "LocalCache" / "Roaming" / "Claude" / "claude_desktop_config.json"


def test_of_several_claude_desktops_the_one_in_use_is_set_up(home: Path) -> None:
    packages = home / "AppData" / "Local" / "Packages"
    for name in ("Claude_old", "Claude_pzs8sxrjxfjjc"):
        (packages / name).mkdir(parents=True)
    used = packages / "Claude_pzs8sxrjxfjjc" / "LocalCache" / "Roaming" / "Claude"
    used.mkdir(parents=True)
    assert HOSTS["claude-desktop"].file(computer("win32", home)).parent == used


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
    entry: Any = host.standard(parsed(host, host.file(machine).read_text("utf-8"))[host.section]["cliniko"])
    assert Path(entry["command"]).is_absolute() and Path(entry["command"]).exists()
    assert entry["args"][0] == "serve" and entry["args"][-1] == "--sandbox"
    assert "env" not in entry


def test_view_and_output_suit_the_host(run: Run) -> None:
    def flags(name: str) -> list[str]:
        printed = json.loads(run("--client", name, "--print").stdout)
        return printed[HOSTS[name].section]["cliniko"]["args"]

    assert flags("copilot-cli") == ["serve", "--output", "text"]
    assert flags("claude-code") == ["serve", "--view", "all"]
    assert flags("claude-desktop") == flags("cursor") == flags("vscode") == flags("other") == ["serve"]


def test_what_the_person_chooses_goes_before_what_suits_the_host(run: Run) -> None:
    printed = run("--client", "claude-code", "--view", "core", "--read-only", "--confirm", "strict", "--print").stdout
    entry = json.loads(printed)["mcpServers"]["cliniko"]
    assert entry["args"] == ["serve", "--view", "core", "--read-only", "--confirm", "strict"]


def test_a_folder_or_file_is_written_whole_because_hosts_start_servers_elsewhere(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    printed = run("--client", "cursor", "--upload-folder", "To attach", "--audit-file", "~/log.jsonl", "--print").stdout
    arguments = json.loads(printed)["mcpServers"]["cliniko"]["args"]
    assert arguments[1:] == ["--upload-folder", str(home / "To attach"), "--audit-file", str(home / "log.jsonl")]


def test_what_is_set_in_the_environment_is_written_because_the_host_starts_the_server_without_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIKO_MCP_READ_ONLY", "true")
    monkeypatch.setenv("CLINIKO_MCP_VIEW", "core")
    monkeypatch.setenv("CLINIKO_MCP_SANDBOX", "false")
    monkeypatch.setenv("CLINIKO_MCP_EXCLUDE_TOOLS", "delete_tax, archive_patient")
    printed = run("--client", "claude-code", "--approval-wait", "10", "--print").stdout
    arguments = json.loads(printed)["mcpServers"]["cliniko"]["args"]
    assert arguments[:3] == ["serve", "--view", "core"] and "--sandbox" not in arguments
    written = ["--exclude-tools", "delete_tax,archive_patient", "--read-only", "--approval-wait", "10"]
    assert arguments[3:] == written
    over = json.loads(run("--client", "claude-code", "--view", "all", "--print").stdout)
    assert over["mcpServers"]["cliniko"]["args"][:3] == ["serve", "--view", "all"]


def test_another_program_is_named_by_its_whole_path_or_refused(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / "our tools" / "start-cliniko.exe"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent))

    def command(program: str) -> str:
        return json.loads(run("--client", "cursor", "--command", program, "--print").stdout)["mcpServers"]["cliniko"][
            "command"
        ]

    assert command(program.name) == command(str(program)) == command("~/our tools/start-cliniko.exe") == str(program)
    result = run("--client", "cursor", "--sandbox", "--command", f"{program.name} --quiet")
    assert isinstance(result.exception, ConfigurationError) and "no program" in result.exception.message
    assert not (home / ".cursor").exists()


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
    assert "cliniko" in parsed(HOSTS[name], result.stdout)[HOSTS[name].section]
    assert list(home.iterdir()) == []


FOREIGN = {"mcpServers": {"files": {"command": "npx", "args": ["-y", "files"]}}, "theme": "dark", "ids": [1e3]}


@pytest.mark.parametrize("name", [name for name in WRITTEN if HOSTS[name].syntax in ("json", "jsonc")])
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
    kept = [file.read_text("utf-8") for file in path.parent.glob("*.bak")]
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


def test_uninstall_with_print_only_says_what_it_would_do(run: Run, machine: Computer) -> None:
    assert "is not in" in run("--client", "cursor", "--uninstall", "--print").output
    run("--client", "cursor", "--sandbox")
    before = HOSTS["cursor"].file(machine).read_bytes()
    assert "would be taken out" in run("--client", "cursor", "--uninstall", "--print").output
    assert HOSTS["cursor"].file(machine).read_bytes() == before


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
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_in_another_encoding_is_refused_and_left_untouched(run: Run, machine: Computer) -> None:
    path = HOSTS["cursor"].file(machine)
    path.parent.mkdir(parents=True)
    path.write_bytes("{}".encode("utf-16"))
    result = run("--client", "cursor", "--sandbox")
    assert isinstance(result.exception, ConfigurationError) and "UTF-8" in result.exception.message
    assert path.read_bytes() == "{}".encode("utf-16")


def test_another_host_gets_the_block_to_copy_and_no_file(run: Run, home: Path) -> None:
    result = run("--client", "other", "--sandbox")
    assert json.loads(result.stdout)["mcpServers"]["cliniko"]["args"] == ["serve", "--sandbox"]
    assert list(home.iterdir()) == []


def test_another_hosts_file_can_be_named(run: Run, home: Path) -> None:
    path = home / "some host" / "servers.json"
    assert run("--client", "other", "--config", "~/some host/servers.json", "--sandbox").exit_code == 0
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
