"""The wheel and the source archive hold what belongs, and the wheel runs away from the source."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from cliniko_mcp import __version__

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that is built from it."""
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.long
def test_the_wheel_holds_the_package_its_types_and_its_licence_and_nothing_else(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    assert wheel.name == f"cliniko_mcp-{__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    info = f"cliniko_mcp-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"cliniko_mcp", info}
    assert {"cliniko_mcp/py.typed", "cliniko_mcp/tools/index.json", f"{info}/licenses/LICENSE"} <= {*names}
    assert not [name for name in names if "test" in name.split("/")[-1] or name.endswith((".pyc", ".yaml", ".csv"))]
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{info}/METADATA").decode()
        assert "cliniko-mcp = cliniko_mcp.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
    assert "Requires-Python: >=3.11" in metadata and "License-Expression: MIT" in metadata
    assert "Classifier: Typing :: Typed" in metadata and "Description-Content-Type: text/markdown" in metadata


@pytest.mark.long
def test_the_source_archive_holds_what_is_needed_to_build_and_nothing_else(made: Path) -> None:
    (source,) = made.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    kept = {"cliniko_mcp", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "PKG-INFO"}
    assert kept - tops == set() and tops - kept <= {".gitignore"}


@pytest.mark.long
def test_installed_from_the_wheel_it_runs_without_the_source(made: Path, tmp_path: Path) -> None:
    (wheel,) = made.glob("*.whl")
    folder = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(folder), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    where = run("-c", "import cliniko_mcp, sys; sys.stdout.write(cliniko_mcp.__file__)")
    assert Path(where).is_relative_to(folder)
    assert __version__ in run("-m", "cliniko_mcp", "--version")
    assert "listed" in run("-m", "cliniko_mcp", "tools")
    assert "Northside" in run("-m", "cliniko_mcp", "call", "list_businesses", "--sandbox")


def test_every_library_is_bounded_so_that_a_new_major_version_breaks_nothing() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    calendar = {"tzdata"}  # its versions are dates
    free = [
        requirement
        for requirement in project["dependencies"]
        if "<" not in requirement and requirement.split(">")[0] not in calendar
    ]
    assert free == []
    assert project["dynamic"] == ["version"]


def test_the_version_stands_in_one_place() -> None:
    (line,) = [
        line for line in (ROOT / "cliniko_mcp" / "__init__.py").read_text().splitlines() if "__version__" in line
    ]
    assert line == f'__version__ = "{__version__}"'
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["tool"]["hatch"]["version"]["path"] == "cliniko_mcp/__init__.py"
