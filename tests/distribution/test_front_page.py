"""The README's badges and links are made from the one address and the table of assistants; so is the plugin."""

import base64
import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from cliniko_mcp import __version__
from cliniko_mcp.front_page import badges, one_click, with_front_page
from cliniko_mcp.hosts.abilities import abilities_table
from cliniko_mcp.hosts.table import HOSTS
from cliniko_mcp.manifest import project_root
from cliniko_mcp.protocol.routines import ROUTINES, Routine
from cliniko_mcp.published import PLACEHOLDER, repository
from cliniko_mcp.skills import FOLDER, plugin_files, skill, skill_name

ROOT = project_root()
ADDRESS = "https://github.com/northside/cliniko-mcp"
README = (ROOT / "README.md").read_text("utf-8")


def test_badges_and_links_are_those_of_the_address_and_none_is_shown_for_a_placeholder() -> None:
    made = with_front_page(README, ADDRESS)
    assert f"({ADDRESS}/actions/workflows/ci.yml)" in made and "{address}" not in made
    assert f"({ADDRESS}/releases/latest/download/cliniko-mcp.mcpb)" in made and "from the first release on" not in made
    unknown = ADDRESS.replace("northside", PLACEHOLDER)
    assert PLACEHOLDER not in badges(unknown) + one_click(unknown)
    assert with_front_page(README, repository(ROOT)) == README


def test_a_click_adds_the_demo_clinic_as_install_would() -> None:
    links = {host.name: host.web_address("cliniko", {"command": "uvx", "args": ["x"]}) for host in HOSTS.values()}
    assert {name for name, link in links.items() if link} == {"cursor", "vscode", "lm-studio"}
    made = one_click(ADDRESS)
    for name in ("cursor", "lm-studio"):
        host = HOSTS[name]
        entry = host.entry(["uvx", "cliniko-mcp"], ["--sandbox"], {})
        link = host.web_address("cliniko", entry) or ""
        assert f"[{host.title}]({link})" in made and link.startswith("https://")
        assert json.loads(base64.b64decode(parse_qs(urlsplit(link).query)["config"][0])) == entry
    [shown] = parse_qs(urlsplit(links["vscode"] or "").query)["url"]
    assert json.loads(unquote(shown.removeprefix("vscode:mcp/install?"))) == {
        "name": "cliniko",
        "command": "uvx",
        "args": ["x"],
    }


def test_the_first_screen_has_the_diary_two_commands_the_links_and_the_comparison() -> None:
    first = README.partition("## ")[0]
    assert "docs/pictures/diary-1280-light.png" in first and "vscode.dev/redirect" in first
    [block] = [part.partition("```")[0] for part in first.split("```sh\n")[1:]]
    assert len(block.strip().splitlines()) == 2
    rows = [line for line in first.splitlines() if line.startswith("| ") and "November 2026" not in line]
    assert len(rows) == 5 and rows[0].startswith("| **cliniko-mcp**") and "the newest" in rows[-1]


@pytest.mark.parametrize("routine", ROUTINES, ids=lambda routine: routine.name)
def test_a_skill_says_what_its_routine_says(routine: Routine) -> None:
    text = skill(routine)
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert fields["name"] == skill_name(routine) and len(fields["name"]) <= 64
    assert routine.limits in json.loads(fields["description"]) and len(fields["description"]) <= 1024
    assert routine.steps in body and all(f"`{choice.name}`" in body for choice in routine.choices)
    assert (ROOT / FOLDER / "skills" / fields["name"] / "SKILL.md").read_text("utf-8") == text


def test_the_plugin_starts_this_version_as_install_sets_claude_code_up() -> None:
    files = plugin_files(ADDRESS)
    about = json.loads(files[FOLDER / ".claude-plugin" / "plugin.json"])
    assert about["version"] == __version__ and about["repository"] == ADDRESS
    server = json.loads(files[FOLDER / ".mcp.json"])["mcpServers"]["cliniko"]
    assert server["args"] == [f"cliniko-mcp=={__version__}", "serve", "--view", "all"] and "env" not in server
    there = {path.relative_to(ROOT) for path in (ROOT / FOLDER).rglob("*") if path.is_file()}
    assert there == {*files}


def test_what_each_assistant_can_do_is_said_with_where_it_was_read() -> None:
    written = [host for host in HOSTS.values() if host.name != "other"]
    table = abilities_table({host.title: host.abilities for host in written})
    assert table in (ROOT / "docs" / "administrators.md").read_text("utf-8")
    for host in written:
        known = host.abilities
        said = [ability for ability in known.cells().values() if ability]
        assert bool(said) <= bool(known.sources) and bool(known.sources) == bool(known.read), host.name
        assert all(source.startswith("https://") and f"({source})" in table for source in known.sources)


def test_help_and_table_say_the_same_of_an_assistant() -> None:
    from cliniko_mcp.cli.install import EXAMPLES

    for host in HOSTS.values():
        assert host.name == "other" or f"  {host.name}: {host.abilities.in_words()}\n" in EXAMPLES
