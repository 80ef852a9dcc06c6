"""The examples for contributors work as they stand: in a copy of the project, called there in the demo clinic."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCK = re.compile(r"^`(?P<path>[\w./-]+)`[^\n]*:\n\n```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("cliniko_mcp", "docs", "packaging", "tests")
LAWS = ("effects", "facts", "generated", "requests", "words", "dialect", "rules", "source")
HELD = (*(f"test_{name}.py" for name in LAWS), "test_tables.py")
"""What the examples are held to in the copy as a whole."""
NEW = "device or concession_type_concession_prices or next_visits"
CASES = (
    "tests/laws",
    "tests/journeys/test_every_operation.py",
    "tests/sandbox/test_contract.py",
    "tests/sandbox/test_every_operation.py",
    "tests/sandbox/test_every_write.py",
    "tests/tools/curated/test_request_counts.py",
)
"""What has a case for each operation or tool, of which those of the examples are played."""
BUDGETS = ("operation", "resource", "curated tool")
"""What is added to the list of tools. Each for itself stays within the budgets; no one adds all of them at once."""
CALLS = """
import anyio, json, sys
from cliniko_mcp.app import open_app
from cliniko_mcp.errors import ClinikoMcpError
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.settings import Settings

async def main():
    flags = {"sandbox": True, "sandbox_now": "2026-11-24T09:00:00+11:00"}
    async with open_app(Settings.load(flags, {})) as app:
        async def call(name, /, **arguments):
            try:
                return await app.call(name, arguments, Caller())
            except ClinikoMcpError as problem:
                return problem.as_json()

        groups = (await call("list_concession_types"))["items"]
        prices = await call("list_concession_type_concession_prices", concession_type_id=groups[0]["id"])
        made = await call("create_device", name="TENS machine")
        print(json.dumps({
            "prices": prices,
            "of": groups[0]["id"],
            "made": made,
            "read": await call("get_device", id=made["item"]["id"]),
            "unnamed": await call("create_device"),
            "listed": await call("list_devices"),
            "visits": await call("next_visits", patient="Ana Lima"),
            "nobody": await call("next_visits", patient="Nobody Atall"),
            "two lines": await call("create_concession_type", name="Neigh\\nbours"),
            "one line": await call("create_concession_type", name="Neighbours"),
            "looked up": await call("cliniko_describe", query="which machines do we own"),
        }))

anyio.run(main)
"""


@dataclass(frozen=True)
class Example:
    """A block of the page: the file it is about and its text."""

    path: str
    kind: str
    text: str

    def apply(self, project: Path) -> None:
        """Make the file, add to its end, or change it: what the block is for follows from it and from the file."""
        file = project / self.path
        if self.kind == "diff":
            file.write_text(changed(file.read_text("utf-8"), self.text), "utf-8")
        else:
            file.write_text((file.read_text("utf-8") if file.exists() else "") + self.text, "utf-8")


def changed(text: str, change: str) -> str:
    """The text with the change made in the one place where its surroundings stand."""
    lines = change.splitlines(keepends=True)
    before, after = ("\n" + "".join(line[1:] for line in lines if line[0] != sign) for sign in "+-")
    assert text.count(before) == 1, before
    return text.replace(before, after)


def examples(page: str = PAGE) -> Iterator[Example]:
    yield from (Example(found["path"], found["kind"], found["text"]) for found in BLOCK.finditer(page))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every example in it, and what is generated made anew."""
    return followed(tmp_path_factory.mktemp("copy"), examples())


def followed(folder: Path, steps: Iterable[Example]) -> Path:
    """The folder with a copy of the project in it, in which these examples are followed."""
    for name in COPIED:
        # What is compiled already is copied along and checked against its source; a file that is being written is not.
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "SECURITY.md", "tools.manifest.json"):
        shutil.copy(ROOT / name, folder)
    for example in steps:
        example.apply(folder)
    done = python(folder, "-m", "cliniko_mcp", "manifest")
    assert done.returncode == 0, done.stderr
    return folder


def python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What Python says to this in the folder, with the package there instead of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    surroundings = kept | {"PYTHONPATH": str(folder), "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=surroundings, capture_output=True, text=True, timeout=300
    )


def test_each_kind_of_addition_has_its_example() -> None:
    paths = {example.path for example in examples()}
    folders = {"cliniko/resources/devices", "tools/curated/next_visits", "sandbox/rules/concession_types"}
    assert {f"cliniko_mcp/{name}.py" for name in folders} <= paths
    assert len(PAGE.split("```")) // 2 == len([*examples()]) + 2  # all but the two blocks of commands


def test_the_new_tools_work_in_the_demo_clinic(project: Path) -> None:
    done = python(project, "-c", CALLS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)

    assert found["prices"]["items"] and "code" not in found["prices"]
    assert all(row["concession_type_id"] == found["of"] for row in found["prices"]["items"])
    assert found["made"]["item"]["name"] == found["read"]["item"]["name"] == "TENS machine"
    assert found["unnamed"]["code"] == "invalid_arguments"
    assert [row["id"] for row in found["listed"]["items"]] == [found["made"]["item"]["id"]]
    assert found["visits"]["patient"] == "Ana Lima"
    assert found["visits"]["items"] == sorted(found["visits"]["items"], key=lambda row: row["starts_at"])
    assert found["nobody"]["code"] == "not_found"
    assert found["two lines"]["code"] == "rejected"
    assert found["one line"]["item"]["name"] == "Neighbours"
    assert any(item["name"] == "list_devices" for item in found["looked up"]["items"])


def test_the_examples_keep_the_laws_and_pass_where_every_operation_and_tool_has_its_case(project: Path) -> None:
    passes(project, *CASES, "tests/lookup/test_tables.py", "-k", " or ".join((NEW, *HELD)))


@pytest.mark.parametrize("what", BUDGETS)
def test_an_example_stays_within_the_budgets(what: str, tmp_path: Path) -> None:
    (section,) = re.findall(rf"^## Add an? {what}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)

    passes(followed(tmp_path, examples(section)), "tests/laws/test_budgets.py")


def passes(folder: Path, *arguments: str) -> None:
    done = python(folder, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *arguments)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_examples_read_as_the_rest(project: Path) -> None:
    new = sorted({example.path for example in examples() if example.kind == "python"})
    for command in (["check", "--force-exclude"], ["format", "--check", "--force-exclude"]):
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ruff"), *command, *new], cwd=project, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
