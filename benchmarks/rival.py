"""What a user would pick instead: FastMCP's `from_openapi` on the official description, in an environment of its own.

The description is not part of this project: the benchmark is pointed at one with --openapi or CLINIKO_OPENAPI.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

SERVER = """
import json, sys
import httpx2 as http
from fastmcp import FastMCP

with open(sys.argv[1]) as file:
    description = json.load(file)
client = http.AsyncClient(base_url="https://api.au1.cliniko.com/v1", auth=("demo-au1", ""))
FastMCP.from_openapi(openapi_spec=description, client=client, name="rival").run(transport="stdio", show_banner=False)
"""


class Missing(Exception):
    """There is nothing to compare with, and this is why."""


@contextmanager
def rival(description: str | None, python: str | None = None) -> Generator[list[str]]:
    """The command that serves the rival over stdio; `python` is one that has fastmcp, else an environment is made.

    Raises Missing with the reason.
    """
    if not description or not Path(description).is_file():
        raise Missing("point it at the official description with --openapi FILE")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "openapi.json").write_text(json.dumps(_read(Path(description)), default=str))
        (place / "server.py").write_text(SERVER)
        yield [python or _installed(place), str(place / "server.py"), str(place / "openapi.json")]


def _read(path: Path) -> object:
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        raise Missing("the description is YAML and pyyaml is not installed") from None
    return yaml.safe_load(path.read_text("utf-8"))


def _installed(place: Path) -> str:
    folder = place / "venv"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "fastmcp>=4,<5"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"fastmcp could not be installed: {done.stderr.strip().splitlines()[-1:]}")
    return str(python)
