"""Builds the Claude Desktop bundle: `python packaging/mcpb/build.py` writes dist/cliniko-mcp-VERSION.mcpb.

The same source gives the same bytes on every computer: files in order, one date for all, nothing compressed, because
compressors differ between versions. The bundle names its libraries and holds none; the host's uv brings the ones that
fit the computer.
"""

import argparse
import json
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATE = (1980, 1, 1, 0, 0, 0)
"""The first date that a zip file can hold."""


def main() -> None:
    """Write the bundle and say where it is."""
    arguments = argparse.ArgumentParser(description="Build the Claude Desktop bundle.")
    arguments.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the bundle (default: dist)")
    sys.stdout.write(f"{build(arguments.parse_args().out)}\n")


def build(folder: Path) -> Path:
    """The bundle in this folder. Raises ValueError where its manifest is of another version than the package."""
    manifest = json.loads((HERE / "manifest.json").read_text("utf-8"))
    version = package_version()
    if manifest["version"] != version:
        raise ValueError(f"packaging/mcpb/manifest.json is not of version {version}: run cliniko-mcp manifest")
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"cliniko-mcp-{version}.mcpb"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as target:
        for name, content in sorted(files()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3  # on Windows too, so that the modes below mean the same
            entry.external_attr = 0o100644 << 16
            target.writestr(entry, content)
    return bundle


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of everything in the bundle."""
    yield "manifest.json", (HERE / "manifest.json").read_bytes()
    yield "icon.png", (HERE / "icon.png").read_bytes()
    yield "pyproject.toml", project().encode()
    yield "server/main.py", (HERE / "server" / "main.py").read_bytes()
    for name in ("LICENSE", "README.md"):
        yield name, (ROOT / name).read_bytes()
    package = ROOT / "cliniko_mcp"
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield f"server/{path.relative_to(ROOT).as_posix()}", path.read_bytes()


def project() -> str:
    """The bundle's own pyproject.toml: the libraries of the package, and nothing to build."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        ours = tomllib.load(file)["project"]
    libraries = "".join(f"  {json.dumps(requirement)},\n" for requirement in ours["dependencies"])
    return (
        "[project]\n"
        'name = "cliniko-mcp-bundle"\n'
        f'version = "{package_version()}"\n'
        f"requires-python = {json.dumps(ours['requires-python'])}\n"
        f"dependencies = [\n{libraries}]\n\n"
        "[tool.uv]\npackage = false\n"
    )


def package_version() -> str:
    """The version that the package gives itself, its one place."""
    text = (ROOT / "cliniko_mcp" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("cliniko_mcp/__init__.py names no version")
    return found[1]


if __name__ == "__main__":
    main()
