"""The Claude Desktop bundle: one manifest that its schema and its settings agree with, the same bytes every time."""

import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import anyio
import pytest

from cliniko_mcp import __version__
from cliniko_mcp.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "packaging" / "mcpb"
MANIFEST: dict[str, Any] = json.loads((BUNDLE / "manifest.json").read_text("utf-8"))
CONFIG: dict[str, Any] = MANIFEST["server"]["mcp_config"]


def built(folder: Path) -> Path:
    return runpy.run_path(str(BUNDLE / "build.py"))["build"](folder)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def unpacked(bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "Claude Extensions" / "clïniko"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def test_the_manifest_is_of_this_version_and_for_all_three_systems() -> None:
    assert MANIFEST["version"] == __version__
    assert set(MANIFEST["compatibility"]["platforms"]) == {"darwin", "win32", "linux"}
    assert MANIFEST["server"]["type"] == "uv" and (BUNDLE / MANIFEST["server"]["entry_point"]).is_file()


def test_the_key_is_marked_sensitive_and_goes_through_the_environment_alone() -> None:
    assert MANIFEST["user_config"]["api_key"]["sensitive"] is True
    assert not any("user_config" in argument for argument in CONFIG["args"])
    assert {"api_key", "contact_email", "view", "read_only", "confirm"} <= MANIFEST["user_config"].keys()


def test_every_setting_of_the_bundle_reaches_a_setting_of_the_server() -> None:
    variables = {variable(name) for name in Settings.model_fields}
    assert CONFIG["env"].keys() <= variables
    options = {value.removeprefix("${user_config.").removesuffix("}") for value in CONFIG["env"].values()}
    assert options == MANIFEST["user_config"].keys()


def test_what_the_person_sees_at_first_is_what_the_server_takes() -> None:
    def shown(name: str) -> str:
        default = MANIFEST["user_config"][name].get("default")
        return f"${{user_config.{name}}}" if default is None else str(default).lower()

    environ = {
        name: shown(value.removeprefix("${user_config.").removesuffix("}")) for name, value in CONFIG["env"].items()
    }
    settings = Settings.load({}, environ)
    assert settings == Settings.load({}, {})


def test_the_tools_named_are_those_of_the_usual_view() -> None:
    from cliniko_mcp.tools.views import view_of

    assert [tool["name"] for tool in MANIFEST["tools"]] == list(view_of(Settings.load({}, {})).listed)


def test_the_same_source_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    again = built(tmp_path / "again")
    assert again.name == f"cliniko-mcp-{__version__}.mcpb"
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(bundle.read_bytes()).digest()


def test_the_bundle_holds_the_package_and_nothing_else(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        entries = archive.infolist()
    names = [entry.filename for entry in entries]
    assert names == sorted(names) and len(names) == len(set(names))
    needed = {"manifest.json", MANIFEST["icon"], "pyproject.toml", "LICENSE", "server/main.py"}
    assert needed | {"server/cliniko_mcp/tools/index.json"} <= {*names}
    assert not [name for name in names if "__pycache__" in name or "test" in Path(name).name or "/." in name]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_a_bundle_of_another_version_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = runpy.run_path(str(BUNDLE / "build.py"))
    monkeypatch.setitem(script["build"].__globals__, "package_version", lambda: "9.9.9")
    with pytest.raises(ValueError, match="run cliniko-mcp manifest"):
        script["build"](tmp_path)


async def _tools(command: str, arguments: list[str], environment: dict[str, str], home: Path) -> int:
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    server = StdioServerParameters(
        command=command, args=arguments, env={**inherited, "HOME": str(home), **environment}, cwd=str(home)
    )
    async with Client(stdio_client(server)) as client:
        return len((await client.list_tools()).tools)


def environment_with_the_demo_on() -> dict[str, str]:
    # A host leaves the settings that were not filled in as they are written.
    return {name: "true" if "demo" in value else value for name, value in CONFIG["env"].items()}


@pytest.mark.long
def test_unpacked_it_starts_from_its_own_folder(unpacked: Path, tmp_path: Path) -> None:
    script = str(unpacked / MANIFEST["server"]["entry_point"])
    shown = subprocess.run(
        [sys.executable, "-c", "import cliniko_mcp, sys; sys.stdout.write(cliniko_mcp.__file__)"],
        env={**os.environ, "PYTHONPATH": str(unpacked / "server")},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert Path(shown.stdout).is_relative_to(unpacked)
    count = anyio.run(_tools, sys.executable, [script], environment_with_the_demo_on(), tmp_path)
    assert count == len(MANIFEST["tools"])


@pytest.mark.skipif(
    not (shutil.which("uv") and os.environ.get("CLINIKO_TEST_INSTALLS")),
    reason="fetches libraries with uv; set CLINIKO_TEST_INSTALLS=1 with uv at hand",
)
def test_unpacked_it_starts_by_its_own_command_line(unpacked: Path, tmp_path: Path) -> None:
    arguments = [argument.replace("${__dirname}", str(unpacked)) for argument in CONFIG["args"]]
    count = anyio.run(_tools, CONFIG["command"], arguments, environment_with_the_demo_on(), tmp_path)
    assert count == len(MANIFEST["tools"])
