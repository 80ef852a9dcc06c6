"""The demo clinic is looked at without being asked for only where nothing else is set up."""

import json
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from cliniko_mcp import stored_keys
from cliniko_mcp.doctor.demo_setup import demo_hosts
from cliniko_mcp.hosts.table import HOSTS, Computer
from cliniko_mcp.settings import Settings

ENTRIES: dict[str, dict[str, object] | None] = {
    "demo by a flag": {"command": "cliniko-mcp", "args": ["serve", "--view", "all", "--sandbox"]},
    "demo by a variable": {"command": "cliniko-mcp", "args": ["serve"], "env": {"CLINIKO_MCP_SANDBOX": "true"}},
    "own clinic": {"command": "cliniko-mcp", "args": ["serve"]},
    "a folder of that name": {"command": "cliniko-mcp", "args": ["serve", "--upload-folder", "--sandbox"]},
    "cannot be read": {"command": "cliniko-mcp", "args": ["serve", "--sandbox", "--port", "x"]},
    "another program": {"command": "npx", "args": ["files", "--sandbox"]},
    "none": None,
}
DEMO, NOT_OURS = {"demo by a flag", "demo by a variable"}, {"another program", "none"}


@pytest.fixture(autouse=True)
def account_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kept" / "account.json"
    monkeypatch.setattr(stored_keys, "account_file", lambda: file)
    return file


def write(home: Path, host: str, entry: dict[str, object] | None) -> None:
    path = HOSTS[host].file(Computer("linux", home))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": {"cliniko": entry} if entry else {}}), "utf-8")


@pytest.mark.parametrize("kinds", list(combinations_with_replacement(ENTRIES, 2)), ids=str)
def test_only_entries_for_the_demo_clinic_mean_the_demo_clinic(kinds: tuple[str, str], tmp_path: Path) -> None:
    for host, kind in zip(("claude-desktop", "cursor"), kinds, strict=True):
        write(tmp_path, host, ENTRIES[kind])
    ours = {*kinds} - NOT_OURS
    titles = [HOSTS[host].title for host, kind in zip(("claude-desktop", "cursor"), kinds, strict=True) if kind in DEMO]
    assert demo_hosts(Settings.load({}, {}), Computer("linux", tmp_path)) == (titles if ours <= DEMO else [])


@pytest.mark.parametrize("name", ["CLINIKO_API_KEY", "CLINIKO_MCP_BASE_URL", "CLINIKO_MCP_SANDBOX"])
def test_what_a_person_says_of_the_clinic_counts(name: str, tmp_path: Path) -> None:
    write(tmp_path, "cursor", ENTRIES["demo by a flag"])
    value = {"CLINIKO_API_KEY": "abc", "CLINIKO_MCP_SANDBOX": "false"}.get(name, "https://proxy.example/v1")
    assert demo_hosts(Settings.load({}, {name: value}), Computer("linux", tmp_path)) == []


@pytest.mark.parametrize("content", ['{"api_key": "abc-au1"}', "{"])
def test_a_kept_key_counts_also_where_it_cannot_be_read(content: str, account_file: Path, tmp_path: Path) -> None:
    write(tmp_path, "cursor", ENTRIES["demo by a flag"])
    account_file.parent.mkdir()
    account_file.touch(0o600)
    account_file.write_text(content, "utf-8")
    assert demo_hosts(Settings.load({}, {}), Computer("linux", tmp_path)) == []


def test_a_configuration_that_cannot_be_read_counts(tmp_path: Path) -> None:
    write(tmp_path, "cursor", ENTRIES["demo by a flag"])
    write(tmp_path, "claude-desktop", None)
    HOSTS["claude-desktop"].file(Computer("linux", tmp_path)).write_text("{", "utf-8")
    assert demo_hosts(Settings.load({}, {}), Computer("linux", tmp_path)) == []
