"""The documents keep their word: every command in them works, and every name in them exists."""

import ast
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from cliniko_mcp.cli import COMMANDS, commands
from cliniko_mcp.settings import Settings, flag, variable
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.views import view_of
from tests import warm

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in DOCS.glob("*.md") if path.name not in ("tools.md", "when.md")),
]
KEY = "MS0xLXNlY3JldA-au2"

NOT_CLINIKO = {"CLINIKO_MCP_BASE_URL": "http://127.0.0.1:9/v1"}
"""Where a key is typed that is nobody's: with another address set, `login` and `install` do not send it to Cliniko."""

ELSEWHERE = {
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest": ".ci/run runs it",
    "cliniko-mcp demo": "test_the_transcript_in_the_readme_is_what_the_demo_says",
    "cliniko-mcp manifest": "tests/laws/test_generated.py holds what it writes",
    "cliniko-mcp manifest --check": "tests/laws/test_generated.py",
    "cliniko-mcp manifest --names": "tests/docs/test_stability.py; run once a release",
    "python -m build --outdir dist": "tests/distribution/test_package.py",
    "python packaging/mcpb/build.py --out dist": "tests/distribution/test_bundle.py",
    'CLINIKO_TEST_INSTALLS=1 pytest -m "" tests/distribution tests/docs': "it is this test among others",
    "npx --yes @anthropic-ai/mcpb validate packaging/mcpb/manifest.json": "the release checklist itself",
    **dict.fromkeys(
        (
            "openssl rand -base64 48 > /etc/cliniko/ring",
            "chmod 600 /etc/cliniko/ring",
            "cliniko-mcp serve --hosted hosted.toml --port 8000",
            'cliniko-mcp clinics add north --name "Northside Physio" --people ana,ben',
            "cliniko-mcp clinics list",
            "cliniko-mcp clinics change north --keys person",
        ),
        "tests/hosted/test_replicas_page.py",
    ),
    **dict.fromkeys(
        (
            "cliniko-mcp audit setup --role audit_writer --database env:AUDIT_OWNER_URL",
            "cliniko-mcp audit verify --hosted hosted.toml",
        ),
        "tests/hosted/test_audit.py",
    ),
    **dict.fromkeys(
        (
            "cliniko-mcp audit verify --clinic north --audit-file a/audit.jsonl --audit-file b/audit.jsonl",
            "cliniko-mcp audit export --clinic north --since 2026-11-01 --out north.jsonl",
        ),
        "tests/cli/test_audit_of_clinics.py",
    ),
    **dict.fromkeys(
        ("python3 -m venv .venv", ". .venv/bin/activate", "pip install ."),
        "test_the_staff_page_leads_from_nothing_to_an_answer_in_two_minutes",
    ),
}
"""Commands that something else runs, and what."""

TYPED = {
    "cliniko-mcp install --client claude-desktop": [("API key: ", KEY), ("reach you", "desk@clinic.example")],
    "cliniko-mcp login": [("API key: ", KEY), ("reach you", "desk@clinic.example")],
    "cliniko-mcp approve --set-pin": [("New PIN", "2468"), ("Repeat", "2468")],
}
"""Commands that ask at a terminal: what they ask for, and what is typed."""

INSTALLING = ("pipx ", "uv tool ", "uvx ", "python3 -m venv .venv && .venv/bin/pip install -q . &&")
SERVING = re.compile(r"cliniko-mcp (serve|sandbox) (?!--ledger)")


def command_lines(page: str) -> Iterator[str]:
    text = (ROOT / page).read_text("utf-8")
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        yield from (re.sub(r" +# .*", "", line).strip() for line in block.splitlines() if line.strip())


LINES = list(dict.fromkeys(line for page in ["docs/staff.md", *PAGES] for line in command_lines(page)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's folder in which the demo clinic was used once."""
    folder = tmp_path_factory.mktemp("home of a person")
    run("cliniko-mcp call list_practitioners --sandbox", folder)
    return folder


def surroundings(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    return kept | {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "KEY": KEY,
    }


def run(
    line: str, folder: Path, home: Path | None = None, timeout: float = 300, /, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run the line in this folder, as the person whose home it is unless another is given, within so many seconds."""
    environment = surroundings(home or folder)
    if warm.POSSIBLE:
        environment |= warm.DEMO_SET | {"PATH": f"{warm.folder()}{os.pathsep}{environment['PATH']}"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env=environment | more,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )


@pytest.mark.long
@pytest.mark.parametrize("line", [line for line in LINES if line not in (*ELSEWHERE, *TYPED)])
def test_a_command_in_the_documents_works_as_written(line: str, home: Path) -> None:
    if line.startswith(INSTALLING):
        install_and_run(line, home)
    elif SERVING.match(line):
        serve(line, home)
    else:
        # The doctor of a person who has no key yet would rightly complain.
        more = {"CLINIKO_MCP_SANDBOX": "true"} if line == "cliniko-mcp doctor" else {}
        done = run(line, home, **(more | (NOT_CLINIKO if "--key-stdin" in line else {})))
        assert done.returncode == 0, done.stderr


def unpacked(folder: Path) -> Path:
    """The project as a person has it who unpacked an archive of it: what is kept, and nothing that was made here."""
    project = folder / "the project"
    if not project.exists():
        project.mkdir(parents=True)
        for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"):
            shutil.copy(ROOT / name, project)
        shutil.copytree(ROOT / "cliniko_mcp", project / "cliniko_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    return project


def install_and_run(line: str, home: Path) -> None:
    """Run the line as written, in the project's folder, and what it installed."""
    if not os.environ.get("CLINIKO_TEST_INSTALLS") or shutil.which(line.split()[0]) is None:
        pytest.skip("fetches libraries; set CLINIKO_TEST_INSTALLS=1 with pipx and uv at hand")
    own = {name: str(home / name.lower()) for name in ("PIPX_HOME", "PIPX_BIN_DIR", "UV_TOOL_DIR", "UV_TOOL_BIN_DIR")}
    done = run(line, unpacked(home), home, **own)
    assert done.returncode == 0, done.stderr
    if line.startswith(("pipx install", "uv tool install")):
        folder = own["PIPX_BIN_DIR" if line.startswith("pipx") else "UV_TOOL_BIN_DIR"]
        assert run(f"'{folder}/cliniko-mcp' tools", home).returncode == 0


@pytest.mark.skipif(
    not os.environ.get("CLINIKO_TEST_INSTALLS"), reason="fetches libraries; set CLINIKO_TEST_INSTALLS=1"
)
def test_the_staff_page_leads_from_nothing_to_an_answer_in_two_minutes(tmp_path: Path) -> None:
    before, _, _ = (DOCS / "staff.md").read_text("utf-8").partition("## 4.")
    lines = [line for line in command_lines("docs/staff.md") if f"\n{line}\n" in before]
    assert lines[0].startswith("python3 -m venv") and any(line.startswith("cliniko-mcp install") for line in lines)
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != ours)
    began = time.monotonic()
    done = run("\n".join(lines), unpacked(tmp_path), tmp_path, PATH=path)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 120
    assert "Northside" in done.stdout and (tmp_path / ".config/Claude/claude_desktop_config.json").is_file()


def serve(line: str, home: Path) -> None:
    """Start what serves until it is stopped, on a free port, and stop it when it says where it is."""
    free = re.sub(r"--port \d+", "--port 0", line)
    process = subprocess.Popen(
        ["bash", "-c", f"exec {free}"],
        cwd=home,
        env=surroundings(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert any("http://127.0.0.1:" in line for line in iter(process.stdout.readline, ""))
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("line", TYPED)
def test_a_command_that_asks_at_a_terminal_works_as_written(line: str, tmp_path: Path) -> None:
    import pty

    main, terminal = pty.openpty()
    environment = surroundings(tmp_path) | NOT_CLINIKO
    process = subprocess.Popen(
        ["bash", "-c", line], cwd=tmp_path, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    try:
        for prompt, typed in TYPED[line]:
            seen = ""
            while prompt not in seen:
                assert select.select([main], [], [], 60)[0], seen
                seen += os.read(main, 4096).decode()
            os.write(main, f"{typed}\n".encode())
        with suppress(OSError):  # the end of a pseudo-terminal on Linux
            while os.read(main, 4096):
                pass
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait(20)
        os.close(main)


def test_every_exception_is_still_in_the_documents() -> None:
    assert {*ELSEWHERE, *TYPED} <= {*LINES}


@cache
def flags_that_exist() -> frozenset[str]:
    found = {flag(name) for name in Settings.model_fields} | {
        "--help",
        "--version",
        "--outdir",
        "--out",
        "--yes",
        "--fix",
        "--deselect",
        "--cov",
    }
    for path in (*(ROOT / "benchmarks").rglob("*.py"), ROOT / "tests" / "conftest.py"):
        found |= set(re.findall(r'"(--[a-z-]+)"', path.read_text("utf-8")))
    waiting = [commands.get_command(commands.make_context("x", ["serve"]), name) for name in COMMANDS]
    while waiting:
        command = waiting.pop()
        if command is None:
            continue
        found |= {name for option in command.params for name in option.opts}
        waiting += list(getattr(command, "commands", {}).values())
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_flag_variable_and_command_named_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    ours = [line for line in text.splitlines() if not re.search(r"\b(pipx|uvx?|npx|bash|claude|gh)\b .*--", line)]
    named = {found for line in ours for found in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)}
    assert named - flags_that_exist() == set()
    variables = {variable(name) for name in Settings.model_fields} | {"CLINIKO_TEST_INSTALLS", "CLINIKO_MCP_"}
    assert set(re.findall(r"\bCLINIKO_[A-Z_]+\b", text)) <= variables
    called = set(re.findall(r"`cliniko-mcp ([a-z]+)", text)) | set(re.findall(r"^ *cliniko-mcp ([a-z]+)", text, re.M))
    assert called <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES)
def test_every_tool_named_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    if page == "CONTRIBUTING.md":  # its examples add tools, and test_contributing.py calls them
        text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    verbs = "list|get|create|update|archive|unarchive|delete|cancel|cliniko(?!_mcp_)"  # those are metrics
    assert {*re.findall(rf"(?<![\w/])(?:{verbs})_[a-z_]+[a-z]\b(?!\.py)", text)} <= entries().keys() | {
        "cliniko_mcp",
        "cliniko_refused",  # a code of an error
    }


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    here = ROOT / page
    for target in re.findall(r"\]\(([^)]+)\)", here.read_text("utf-8")):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            found = here.parent / path if path else here
            assert found.is_file(), target
            assert not anchor or anchor in anchors(found), target


@cache
def texts_of_the_program() -> str:
    found: list[str] = []
    for path in (ROOT / "cliniko_mcp").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found += [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
    return "\n".join(found)


README = (ROOT / "README.md").read_text("utf-8")
MESSAGES = re.findall(r"^### `(.*)`$", (DOCS / "troubleshooting.md").read_text("utf-8"), re.MULTILINE)


@pytest.mark.long
@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_explained_is_one_that_the_program_says(message: str) -> None:
    parts = [part for part in message.split("…") if part.strip(" .()")]
    assert parts and all(part in texts_of_the_program() for part in parts)


def exists(room: str) -> bool:
    return (ROOT / "cliniko_mcp" / room).is_dir() or (ROOT / "cliniko_mcp" / f"{room}.py").is_file()


def test_the_floors_in_the_developers_page_are_those_that_hold_and_the_folders_that_exist() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "floors")
    rooms = [re.split(r" *[:|] *", layer) for layer in layers]  # in parentheses: it may be missing
    floors = [
        sorted(room.strip("()") for room in floor if room[0] != "(" or exists(room.strip("()"))) for floor in rooms
    ]
    table = (DOCS / "developers.md").read_text("utf-8").split("## The folders")[1].split("\n## ")[0]
    rows = [row.split("|")[1:3] for row in table.splitlines() if row.startswith("| `")]
    named = [re.findall(r"`([a-z_]+)(/|\.py)`", names) for names, _ in rows]
    package = ROOT / "cliniko_mcp"

    assert [sorted(name for name, _ in row) for row in named] == floors
    for name, end in (found for row in named for found in row):
        assert (package / name).is_dir() if end == "/" else (package / f"{name}.py").is_file(), name
    for folder, text in zip(named, (text for _, text in rows), strict=True):
        inner: list[str] = re.findall(r"`([a-z_]+)/`", text)
        assert all(any((package / name / below).is_dir() for name, _ in folder) for below in inner), text


def lines_without_numbers(text: str) -> set[str]:
    """Its lines without what differs from run to run: dates, times, weekdays, ids, counts, and how many times."""
    lines = (re.sub(r"\d+|\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", "#", line).rstrip() for line in text.splitlines())
    return {re.sub(r"(#-#-#T#:#\+#:# #)(, \1)+", r"\1", line) for line in lines} - {""}


@pytest.mark.long
def test_the_transcript_in_the_readme_is_what_the_demo_says(tmp_path: Path) -> None:
    shown = README.split("```text\n")[1].split("```")[0]
    done = run("cliniko-mcp demo", tmp_path)
    assert done.returncode == 0, done.stderr
    output = done.stdout
    assert len(lines_without_numbers(shown)) > 8
    assert lines_without_numbers(shown) - lines_without_numbers(output) == set()


@pytest.mark.long
def test_the_block_in_the_readme_is_what_install_writes(tmp_path: Path) -> None:
    shown = json.loads(README.split("```json\n")[1].split("```")[0])["mcpServers"]["cliniko"]
    written = json.loads(run("cliniko-mcp install --client other --print", tmp_path).stdout)["mcpServers"]["cliniko"]
    assert shown["args"] == written["args"] and Path(shown["command"]).name == Path(written["command"]).name
    assert set(shown["env"]) <= {variable(name) for name in Settings.model_fields}


def test_the_readme_has_the_name_by_which_the_registry_knows_the_package() -> None:
    (name,) = re.findall(r"mcp-name: (\S+)", README)
    assert name == json.loads((ROOT / "packaging" / "server.json").read_text("utf-8"))["name"]


def test_the_numbers_of_operations_and_tools_in_the_readme_are_those_of_today() -> None:
    operations = sum(entry.kind == "operation" for entry in entries().values())
    listed = view_of(Settings.load({}, {})).listed
    size = sum(len(json.dumps(as_listed(entries()[name]), separators=(",", ":")).encode()) for name in listed)
    assert f"Every operation of the Cliniko API, {operations} of them" in README
    ((shown, kilobytes),) = re.findall(r"\| listed at first \| (\d+) tools, (\d+) kB \|", README)
    assert int(shown) == len(listed) and abs(int(kilobytes) - size / 1000) < 1.5


def as_listed(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": entry.title,
        "description": entry.description,
        "inputSchema": dict(entry.input_schema),
        "annotations": dict(entry.annotations),
    }
