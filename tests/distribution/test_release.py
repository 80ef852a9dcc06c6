"""One place names where the project is published, and what is not ready is not released."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cliniko_mcp import __version__
from cliniko_mcp.cli.manifest import manifest
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.manifest import project_root
from cliniko_mcp.published import (
    PLACEHOLDER,
    registry_name,
    repository,
    unreleasable,
    with_address,
    with_name_line,
)

ROOT = project_root()
ADDRESS = "https://github.com/northside/cliniko-mcp"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that a release is judged by, ready but for what a test takes away."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    change(tmp_path / "pyproject.toml", repository(ROOT), ADDRESS)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{__version__}] - 2026-12-01\n", "utf-8")
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_is_ready_is_released(project: Path) -> None:
    assert list(unreleasable(project)) == []


def test_a_placeholder_is_refused(project: Path) -> None:
    change(project / "pyproject.toml", "northside", PLACEHOLDER)
    [sentence] = unreleasable(project)
    assert "put the account in place of OWNER" in sentence


@pytest.mark.parametrize("name", ["README.md", "docs/privacy.md", "packaging/plugin/.claude-plugin/plugin.json"])
def test_a_placeholder_that_is_left_in_a_file_that_others_read_is_refused(name: str, project: Path) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"https://github.com/{PLACEHOLDER}/cliniko-mcp", "utf-8")
    assert list(unreleasable(project)) == [f"{name}: {PLACEHOLDER} stands in an address; run cliniko-mcp manifest."]


@pytest.mark.skipif(PLACEHOLDER not in repository(ROOT), reason="the account is decided")
def test_as_it_is_it_is_refused_by_the_command_of_the_release_workflow() -> None:
    done = CliRunner().invoke(manifest, ["--release"])
    assert done.exit_code == 1 and f"put the account in place of {PLACEHOLDER}" in done.output


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("## [9.9.9] - 2026-12-01", "newest version is 9.9.9"),
        (f"## [{__version__}] - unreleased", "has no date"),
        ("", "none"),
    ],
)
def test_a_version_that_the_changelog_does_not_date_is_refused(heading: str, words: str, project: Path) -> None:
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n", "utf-8")
    assert any(words in sentence for sentence in unreleasable(project))


@pytest.mark.parametrize("address", ["", "http://github.com/a/b", "https://example.org/a/b", "https://github.com/a"])
def test_an_address_from_which_no_name_can_be_made_is_refused(address: str, project: Path) -> None:
    change(project / "pyproject.toml", ADDRESS, address)
    with pytest.raises(ConfigurationError, match="Repository"):
        repository(project)


def test_every_file_that_names_the_address_is_made_from_the_one_place() -> None:
    address = repository(ROOT)
    server: dict[str, Any] = json.loads((ROOT / "packaging" / "server.json").read_text("utf-8"))
    bundle: dict[str, Any] = json.loads((ROOT / "packaging" / "mcpb" / "manifest.json").read_text("utf-8"))
    assert server == with_address(server, address) and server["name"] == registry_name(address)
    assert bundle == with_address(bundle, address) and bundle["support"] == f"{address}/issues"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"<!-- mcp-name: {server['name']} -->" in readme and with_name_line(readme, address) == readme


def test_another_address_changes_all_of_them_and_leaves_no_placeholder() -> None:
    for name in ("server.json", "mcpb/manifest.json"):
        made = with_address(json.loads((ROOT / "packaging" / name).read_text("utf-8")), ADDRESS)
        assert PLACEHOLDER not in json.dumps(made) and "northside" in json.dumps(made)
    readme = with_name_line((ROOT / "README.md").read_text("utf-8"), ADDRESS)
    assert "<!-- mcp-name: io.github.northside/cliniko-mcp -->" in readme and PLACEHOLDER not in readme
