"""The command line as people meet it: one clear line for what is wrong, a non-zero exit, and never a traceback."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.tools.index import entries
from tests import warm
from tests.terminal import in_a_terminal
from tests.warm import DEMO

PATIENT = "list_patients"


def run(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return warm.run(*arguments, env=os.environ | environ)


KEY = {"CLINIKO_API_KEY": "MS0x-au2", "CLINIKO_CONTACT_EMAIL": "front@desk.example"}


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        ([], {}, "CLINIKO_API_KEY"),
        (["serve"], {"CLINIKO_API_KEY": "${user_config.key}"}, "CLINIKO_API_KEY"),
        (["serve"], {"CLINIKO_API_KEY": "MS0x-au2"}, "CLINIKO_CONTACT_EMAIL"),
        (["serve"], KEY | {"CLINIKO_API_KEY": "MS0x-nowhere"}, "region"),
        (["serve"], KEY | {"CLINIKO_CONTACT_EMAIL": "nobody"}, "email"),
        (["serve"], KEY | {"CLINIKO_CONTACT_EMAIL": "a@b.example\r\nX: y"}, "email"),
        (["serve", "--base-url", "http://example.org/v1"], KEY, "http"),
        (["serve", "--sandbox", "--view", "some"], {}, "--view"),
        (["serve", "--sandbox", "--transport", "pigeon"], {}, "--transport"),
        (["serve", "--sandbox", "--confirm", "off"], {}, "--confirm"),
        (["serve", "--sandbox", "--port", "http"], {}, "--port"),
        (["serve", "--sandbox", "--tools", "get_pateint"], {}, "get_pateint"),
        (["serve", "--sandbox", "--exclude-tools", "nope"], {}, "nope"),
        (["serve", "--sandbox", "--resources", "dogs"], {}, "dogs"),
        (["serve", "--sandbox", "--sandbox-now", "yesterday"], {}, "--sandbox-now"),
        (["serve", "--sandbox", "--base-url", "https://api.au1.cliniko.com/v1"], {}, "--base-url"),
        (["serve", "--sandbox-port", "0"], {}, "--sandbox"),
        (["serve", "--what"], {}, "--what"),
        (["serve", "--sandbox"], {"CLINIKO_MCP_READONLY": "1"}, "did you mean CLINIKO_MCP_READ_ONLY?"),
        (["call", "list_taxes", "{}", "--sandbox"], {"CLINIKO_MCP_READONLY": "1"}, "CLINIKO_MCP_READ_ONLY"),
        (["walk"], {}, "walk"),
        (["instal"], {}, "No such command 'instal'. Did you mean install? See"),
        (["find_times"], {}, "It is a tool: cliniko-mcp call find_times"),
        (["call", "list_taxes", "{}", "--sandbx"], {}, "--sandbox"),
        (["tools", "find_tims"], {}, "did you mean find_times?"),
        (["install", "--client", "curser"], {}, "'other'. Did you mean cursor? See"),
        (["install", "--client", "abacus"], {}, "'abacus' is not one of 'claude-desktop', "),
        (["completion", "pwershell"], {}, "Did you mean powershell?"),
        (["report", "no_shows", "--compare", "previus"], {}, "Did you mean previous?"),
        (
            ["when", "today", "--sandbox", "--zone", "Australia/Perth"],
            {},
            "--sandbox has a zone and a country of its own",
        ),
        (["call", "get_patient", "{", "--sandbox"], {}, "JSON"),
        (["call", "get_patient", "[]", "--sandbox"], {}, "JSON"),
        (["call", "get_patient", '{"id": "\\ud800"}', "--sandbox"], {}, "JSON"),
        (["call", "get_pateint", "{}", "--sandbox"], {}, "get_pateint"),
        (["call", "get_patient", '{"id": "1/../2"}', "--sandbox"], {}, "digits"),
        (["tools", "--view", "x"], {}, "--view"),
        (["audit"], {}, "Missing command. See cliniko-mcp audit --help."),
        (["completion"], {}, "Choose from: bash, zsh, fish, powershell. See cliniko-mcp completion --help."),
        (["serve", "demo"], {}, "unexpected extra argument (demo). See"),
        (["sandbox", "--port", "http"], {}, "--port"),
        (["call", "list_taxes", "{}", "--sandbox", "--sandbox-port", "0"], {}, "--sandbox-port"),
        (
            ["--sandbox", "--allow-destroy", "list_patients"],
            {},
            "no archive, delete, cancel or update operation list_patients",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_plain_words(arguments: list[str], environ: dict[str, str], words: str) -> None:
    done = run(*arguments, **environ)
    assert done.returncode != 0
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "MS0x" not in done.stderr + done.stdout
    assert done.stdout == ""


def test_a_call_prints_its_answer_as_json() -> None:
    done = run("call", PATIENT, '{"last_name": "Lima"}', *DEMO)
    assert done.returncode == 0
    assert json.loads(done.stdout)["items"][0]["label"] == "Ana Lima"


@pytest.mark.long
def test_a_call_from_a_shell_does_not_wait_for_the_mcp_sdk_to_load() -> None:
    call = "commands.main(['call', 'list_taxes', '--sandbox'], standalone_mode=False)"
    loaded = "sys.exit(str({'mcp', 'mcp_types'} & {*sys.modules}))"
    code = f"import sys; from cliniko_mcp.cli import commands; {call}; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert json.loads(done.stdout)["items"] and done.stderr.strip() == "set()"


def test_a_call_without_a_terminal_does_not_archive() -> None:
    patient = json.loads(run("call", PATIENT, '{"last_name": "Lima"}', *DEMO).stdout)["items"][0]["id"]
    done = run("call", "archive_patient", json.dumps({"id": patient}), *DEMO)
    assert done.returncode == 1
    assert "approval_needed" in done.stderr


def test_the_tools_of_a_view_are_listed_with_their_risk() -> None:
    done = run("tools", "--resources", "taxes", "--read-only")
    assert "list_taxes" in done.stdout
    assert "delete_tax" not in done.stdout


def test_of_the_tools_only_those_count_that_this_run_would_let_be_called() -> None:
    def callable_of(*flags: str) -> int:
        return int(run("tools", *flags).stdout.split()[-6])

    everything = callable_of()
    assert everything == callable_of("--view", "all") == 232
    assert callable_of("--exclude-tools", "create_tax") == everything - 1
    assert callable_of("--tools", "get_tax", "--read-only") == 4  # and the catalogue's three that read


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize("name", ["call", "export", "report"])
def test_the_examples_of_a_commands_help_work_as_written(name: str, tmp_path: Path) -> None:
    lines = re.findall(r"^    (cliniko-mcp .*)$", run(name, "--help").stdout, re.MULTILINE)
    assert len(lines) >= 2
    folder = warm.folder() if warm.POSSIBLE else Path(sys.executable).parent
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "PATH": path} | warm.DEMO_SET
    for line in lines:
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=os.environ | home, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_in_a_pipe_the_tools_are_whole_lines_without_a_heading() -> None:
    first, *_, last = run("tools").stdout.splitlines()
    assert first.startswith("clinic_overview") and first.endswith("with lengths.")
    assert "can be called by name" in last


def test_of_one_tool_every_argument_is_told_with_what_it_takes() -> None:
    lines = run("tools", "book_appointment").stdout.splitlines()
    assert lines[0] == "book_appointment  write"
    arguments = dict(line.split(maxsplit=1) for line in lines[3:])
    assert arguments["patient"] == "needed: text" and arguments["minutes"] == "whole number, 5 to 1439"
    assert arguments["skip"].startswith("list: text. Dates left out") and arguments["dry_run"] == "true or false"
    schema = json.loads(run("tools", "book_appointment", "--json").stdout)["tools"][0]["inputSchema"]
    assert [*arguments] == [*schema["properties"]]
    inner = [line for line in run("tools", "create_patient_form").stdout.splitlines() if line.startswith("      type ")]
    assert inner and inner[0].split(maxsplit=1)[1].startswith("one of text, paragraph, date")
    assert run("tools", "create_tax", "--read-only").stdout.endswith("It is switched off by these flags.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("plain", [False, True])
def test_in_a_terminal_the_tools_are_a_table_as_wide_as_it(plain: bool) -> None:
    code, output = in_a_terminal("tools", columns=90, **({"NO_COLOR": "1"} if plain else {}))
    assert code == 0 and ("\x1b[" in output) is not plain
    lines = re.sub("\x1b\\[[0-9;]*m", "", output).splitlines()
    assert lines[0].split() == ["tool", "risk", "what", "it", "does"]
    assert all(len(line) <= 90 for line in lines) and "…" not in output
    first = entries()["clinic_overview"].description.split(". ")[0]
    assert first in " ".join(" ".join(line.split()) for line in lines)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("arguments", [("demo", "--fast"), ("doctor", *DEMO), ("tools", "find_times")])
def test_in_a_terminal_no_line_is_broken_inside_a_word(arguments: tuple[str, ...]) -> None:
    code, output = in_a_terminal(*arguments, columns=72, NO_COLOR="1")
    assert code == 0
    outside, _, _ = output.partition("{")  # the block to copy stays as it is
    # A path is one word, however long.
    assert all(len(line) <= 72 for line in outside.splitlines() if os.sep not in line)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    "arguments",
    [
        ("tools", "find_tims"),
        ("install", "--client", "abacus"),
        ("install", "--client", "vscode", "--print", "--url", "https://mcp.clinic.example/mcp"),
        ("login", "--status"),
    ],
    ids=" ".join,
)
def test_what_a_person_is_told_is_wrapped_between_words(arguments: tuple[str, ...]) -> None:
    _, output = in_a_terminal(*arguments, columns=60)
    # An address or a path is one word, however long.
    assert all(len(line) <= 60 for line in output.splitlines() if "/" not in line and "%" not in line)
    assert not re.search(r"\w-\n", output), "a name is not broken at its hyphen"


@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor", *DEMO),
        ("install", "--client", "cursor", "--sandbox", "--config", "漢字 ›/mcp.json"),
        ("login", "--status"),
        ("tools",),
    ],
    ids=" ".join,
)
def test_a_pipe_that_lacks_characters_is_no_mistake(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "漢字"), "XDG_STATE_HOME": str(tmp_path)}
    done = run(*arguments, PYTHONIOENCODING="ascii", **home)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_json_loses_no_letter_in_a_pipe_that_lacks_it() -> None:
    arguments = ("call", "list_patients", '{"fields": "label", "limit": 300}', *DEMO)
    result = json.loads(run(*arguments, PYTHONIOENCODING="ascii").stdout)
    assert result["items"] == json.loads(run(*arguments).stdout)["items"]
    assert not all(row["label"].isascii() for row in result["items"])


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("end", "arguments"),
    [
        ("of 3 pages", ("call", "list_individual_appointments", '{"limit": 250}')),
        ("600 of 600", ("export", "patients", "--out", "all.csv")),
    ],
    ids=["call", "export"],
)
def test_a_long_sweep_shows_how_far_it_is_in_a_terminal(
    end: str, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = in_a_terminal(*arguments, *DEMO, columns=100, NO_COLOR="1")
    assert code == 0 and "█" in output and end in output and "\x1b" not in output


@pytest.mark.long
def test_a_long_sweep_says_nothing_on_the_way_in_a_pipe(tmp_path: Path) -> None:
    assert run("call", "list_individual_appointments", '{"limit": 250}', *DEMO).stderr == ""
    done = run("export", "patients", *DEMO, "--out", str(tmp_path / "all.csv"))
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1 and "█" not in done.stdout


def test_a_line_that_somebody_put_into_the_audit_log_is_shown_harmless(tmp_path: Path) -> None:
    log = HashChain(tmp_path / "audit.jsonl")
    log.append({"time": "t", "operation": "\x1b[2Jgone", "outcome": "ok", "of": [{}]})
    done = run("audit", "tail", "--audit-file", str(log.path))
    assert done.returncode == 0, done.stderr
    assert "gone" in done.stdout and "\x1b" not in done.stdout


@pytest.mark.long
def test_the_demo_plays_from_the_first_question_to_the_configuration_in_a_pipe_that_lacks_characters_too() -> None:
    done = run("demo", "--fast", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    question = done.stdout.index("Archive this patient?")
    assert done.stdout.index("declined") > question
    configuration = done.stdout[done.stdout.index('{\n  "mcpServers"') : done.stdout.rindex("}") + 1]
    assert json.loads(configuration)["mcpServers"]["cliniko"]["args"][-1] == "--sandbox"


@pytest.mark.long
def test_interrupting_a_server_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "cliniko_mcp", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("key administrator demo-au1")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=300)
    assert "Traceback" not in errors
    assert errors.strip() == ""


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_server_started_by_hand_says_for_whom_it_waits() -> None:
    import pty

    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox"]
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(terminal)
        assert process.stderr is not None
        readable = select.select([process.stderr], [], [], 300)[0]
        # Whoever sat there hangs up: no signal, which could come before the server is ready for one.
        os.close(main)
        output, errors = process.communicate(timeout=300)
    assert readable and "cliniko-mcp install" in errors
    assert output == ""


@pytest.mark.long
def test_the_version_is_one_fact() -> None:
    from cliniko_mcp import __version__

    assert __version__ in run("--version").stdout


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="Windows leaves no such files")
def test_a_crash_leaves_no_file_of_the_memory_that_holds_the_key() -> None:
    code = (
        "import sys; from resource import *; from cliniko_mcp.cli import main; sys.argv[1:] = ['completion', 'bash']; "
        "setrlimit(RLIMIT_CORE, (getrlimit(RLIMIT_CORE)[1],) * 2); main(); print(getrlimit(RLIMIT_CORE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines()[-1] == "0"
