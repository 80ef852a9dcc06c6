"""How a host starts this server again later: by a path that stays, whatever installed it."""

from pathlib import Path

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts import table
from cliniko_mcp.hosts.launch import installed_from, launch_command
from tests.hosts.conftest import SYSTEMS


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
