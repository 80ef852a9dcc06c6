"""Every row of the table on every system's layout: foreign entries, comments and broken files stay as they were."""

import base64
import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosts.table import HOSTS, Computer, Host
from tests.hosts.conftest import KEY, Run, parsed

WRITTEN = [host for host in HOSTS.values() if host.name != "other"]
URL = "https://mcp.northside.example/mcp"
BROKEN = {"json": '{"a": ', "jsonc": '{"a": ', "toml": "a = [1\n", "yaml": "a: [1\nb: {\n"}
FILES = {
    "toml": """\
# mine
model =  "x"  # best

[SECTION.files]  # keep
command = "npx"
args = [
  "-y", # yes
]

[tui]
theme='dark'
""",
    "yaml": """\
# mine
GOOSE_MODE:   auto # best
SECTION:
    files: # keep
        type: stdio
        cmd: npx
        args: [ '-y',  files ]

# below
slash_commands:
  - command: "a"
""",
    "jsonc": """\
{
  // mine
  "theme":   "dark",
  "SECTION": {
    "files": {"command": "npx"}, // keep
  },
}
""",
    "json": """\
{
    "theme":   "dark",
    "SECTION": {
        "files": {"command": "npx"}
    }
}
""",
}


def commented(host: Host) -> str:
    """A file with another server, another setting, odd spacing, and comments where the host reads any."""
    return FILES[host.syntax].replace("SECTION", host.section)


@pytest.mark.parametrize("host", WRITTEN, ids=lambda host: host.name)
def test_what_is_there_stays_to_the_letter_and_comes_back_when_the_entry_goes(
    host: Host, run: Run, machine: Computer
) -> None:
    path = host.file(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    before = commented(host)
    path.write_bytes(before.encode())
    assert run("--client", host.name, "--sandbox", "--read-only").exit_code == 0
    after = path.read_text("utf-8")
    kept = after.splitlines()
    ends = before.replace('"npx"}\n', '"npx"},\n') if host.syntax == "json" else before
    assert [line for line in ends.splitlines() if line not in kept] == []
    found, old = parsed(host, after), parsed(host, before)
    assert {**found, host.section: {**found[host.section], "cliniko": None}} == {
        **old,
        host.section: {**old[host.section], "cliniko": None},
    }
    entry: Any = host.standard(found[host.section]["cliniko"])
    assert {"--read-only", "--sandbox"} <= {*entry["args"]}
    again = run("--client", host.name, "--sandbox", "--read-only")
    assert "already as it should be" in again.output and path.read_text("utf-8") == after
    assert run("--client", host.name, "--uninstall").exit_code == 0
    assert path.read_bytes() == before.encode()


@pytest.mark.parametrize("host", WRITTEN, ids=lambda host: host.name)
def test_a_broken_file_is_refused_and_left_untouched(host: Host, run: Run, machine: Computer) -> None:
    path = host.file(machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(BROKEN[host.syntax], "utf-8")
    for flags in (["--sandbox"], ["--uninstall"], *([["--url", URL]] if host.remote else [])):
        result = run("--client", host.name, *flags)
        assert isinstance(result.exception, ConfigurationError)
        assert "was left as it is" in result.exception.message and str(path) in result.exception.message
    assert path.read_text("utf-8") == BROKEN[host.syntax]
    assert [file.name for file in path.parent.iterdir() if file.suffix == ".bak"] == []


@pytest.mark.parametrize("host", WRITTEN, ids=lambda host: host.name)
def test_limits_are_kept_and_a_key_in_the_file_is_known_in_every_syntax(
    host: Host, run: Run, machine: Computer
) -> None:
    path = host.file(machine)
    first = run("--client", host.name, "--key-in-config", "--key-stdin", "--email", "a@b.example", "--read-only",
                typed=f"{KEY}\n")  # fmt: skip
    assert first.exit_code == 0, first.output
    assert path.stat().st_mode & 0o077 == 0 and KEY in path.read_text("utf-8")
    second = run("--client", host.name, "--sandbox")
    assert "Kept as it was: --read-only" in second.output and KEY not in path.read_text("utf-8")
    assert "(holds an API key)" in run("--client", host.name, "--uninstall").output


@pytest.mark.parametrize("host", WRITTEN, ids=lambda host: host.name)
def test_a_server_elsewhere_is_written_as_its_address_alone(host: Host, run: Run, machine: Computer) -> None:
    path = host.file(machine)
    result = run("--client", host.name, "--url", URL)
    if host.remote is None:
        assert result.exit_code == 2 and host.instead in " ".join(result.output.split()) and not path.exists()
        return
    assert result.exit_code == 0, result.output
    entry = parsed(host, path.read_text("utf-8"))[host.section]["cliniko"]
    assert entry == host.remote_entry(URL) and URL in entry.values()
    standard: Any = host.standard(entry)
    assert "command" not in standard


def test_an_address_that_can_be_read_on_the_way_and_one_with_a_password_are_refused(run: Run, home: Path) -> None:
    for url in (
        "http://mcp.northside.example/mcp",
        "https://me:secret@northside.example/mcp",
        "northside",
        "file:///x",
    ):
        result = run("--client", "cursor", "--url", url)
        assert result.exit_code == 2 and "secret" not in result.output
    result = run("--client", "cursor", "--url", URL, "--read-only")
    assert result.exit_code == 2 and "belong to the server" in " ".join(result.output.split())
    assert list(home.iterdir()) == []
    assert run("--client", "cursor", "--url", "http://127.0.0.1:8000/mcp", "--print").exit_code == 0


def test_that_the_limits_of_a_server_here_no_longer_hold_is_said(run: Run) -> None:
    run("--client", "codex-cli", "--sandbox", "--read-only")
    assert "whose limits no longer hold" in run("--client", "codex-cli", "--url", URL).output


def test_a_link_holds_the_entry_that_is_written_and_no_variable(run: Run) -> None:
    printed = {
        name: run("--client", name, "--url", URL, "--print").stderr for name in ("cursor", "vscode", "lm-studio")
    }
    links = {name: text.split("adds the server: ")[1].strip() for name, text in printed.items()}
    for name in ("cursor", "lm-studio"):
        query = parse_qs(urlsplit(links[name]).query)
        assert query["name"] == ["cliniko"]
        assert json.loads(base64.b64decode(query["config"][0])) == HOSTS[name].remote_entry(URL)
    sent = json.loads(unquote(links["vscode"].removeprefix("vscode:mcp/install?")))
    assert sent == {"name": "cliniko", **(HOSTS["vscode"].remote_entry(URL) or {})}
    for host in WRITTEN:
        link = host.address("cliniko", host.entry(["/x"], [], {"CLINIKO_API_KEY": KEY}))
        packed = link or ""
        assert KEY not in unquote(packed)
        assert KEY.encode() not in base64.b64decode(parse_qs(urlsplit(packed).query).get("config", [""])[0])


def test_each_row_says_where_its_format_was_read_and_when() -> None:
    for host in WRITTEN:
        assert host.source.startswith("https://") and date.fromisoformat(host.read) <= date(2027, 12, 31)
        assert host.after and (host.remote is None) == bool(host.instead)


def test_the_documents_list_every_row_with_its_file_its_name_and_where_it_was_read() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "administrators.md").read_text("utf-8")
    rows = [line for line in guide.splitlines() if line.startswith("| [")]
    for host in WRITTEN:
        [row] = [row for row in rows if row.startswith(f"| [{host.title}]({host.source})")]
        assert f"`{host.name}`" in row and host.read in row
        assert host.file(Computer("linux", Path("/home/x"))).name in row


@pytest.mark.long
def test_nothing_that_reads_toml_or_yaml_is_loaded_before_such_a_file_is_met() -> None:
    import subprocess
    import sys

    code = "import cliniko_mcp.cli.install, cliniko_mcp.hosts.configuration, sys; "
    code += "print({'tomlkit', 'ruamel'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
