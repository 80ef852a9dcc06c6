"""`cliniko-mcp approve` and `cliniko-mcp audit`, as a person at a terminal meets them."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cliniko_mcp.approvals.pin import Checked, Pin
from cliniko_mcp.cli import approve as approve_module
from cliniko_mcp.cli import audit as audit_module
from cliniko_mcp.guards.hash_chain import HashChain
from tests.approvals.desktop import Desktop, Wall


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setattr(approve_module, "state_folder", lambda: folder)
    return folder


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approve_module, "at_a_terminal", lambda: True)


def approving(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(approve_module.approve, arguments, input=typed)


@pytest.mark.parametrize("arguments", [[], ["--set-pin"]])
def test_approving_needs_a_terminal(folder: Path, arguments: list[str]) -> None:
    result = approving(*arguments, typed="approve\n")
    assert result.exit_code == 1
    assert "needs a terminal" in result.output
    assert not folder.exists()


@pytest.mark.long
def test_a_pipe_is_not_a_terminal(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "cliniko_mcp", "approve"], input="", capture_output=True, text=True, env=environment
    )
    assert done.returncode == 1
    assert "needs a terminal" in done.stderr


@pytest.mark.usefixtures("terminal")
def test_nothing_waits(folder: Path) -> None:
    assert "Nothing is waiting" in approving().output


@pytest.mark.long
@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("typed", "verdict"), [("approve\n", "yes"), ("deny\n", "no"), ("later\n", "none")])
def test_a_person_answers_on_the_terminal(folder: Path, typed: str, verdict: str) -> None:
    desktop = Desktop(folder)
    question = desktop.ask("Ana Lima", "Claude Desktop")
    desktop.start()
    try:
        result = approving(typed=typed)
    finally:
        desktop.page.close()
    assert "Ana Lima" in result.output
    assert "Claude Desktop asks; " in result.output
    assert question.verdict.value == verdict
    assert result.exit_code == 0


@pytest.mark.long
@pytest.mark.usefixtures("terminal")
def test_the_pin_is_asked_for_and_not_shown(folder: Path) -> None:
    desktop = Desktop(folder)
    desktop.pin.set("4711")
    question = desktop.ask()
    desktop.start()
    try:
        assert "not the PIN" in approving(typed="approve\n0000\n").output
        assert question.verdict.value == "none"
        result = approving(typed="approve\n4711\n")
    finally:
        desktop.page.close()
    assert "4711" not in result.output
    assert question.verdict.value == "yes"


@pytest.mark.long
@pytest.mark.usefixtures("terminal")
def test_a_pin_is_set_and_changed_only_with_the_old_one(folder: Path) -> None:
    assert approving("--set-pin", typed="4711\n4711\n").exit_code == 0
    assert approving("--set-pin", typed="0000\n").exit_code == 1
    assert approving("--set-pin", typed="4711\n123\n123\n").exit_code == 1
    assert Pin(folder, Wall()).check("4711") is Checked.RIGHT
    assert approving("--set-pin", typed="4711\n4712\n4712\n").exit_code == 0
    assert Pin(folder, Wall()).check("4712") is Checked.RIGHT


def auditing(*arguments: str) -> Result:
    return CliRunner().invoke(audit_module.audit, arguments)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    chain = HashChain(tmp_path / "audit.jsonl")
    for number in range(3):
        chain.append({"time": "t", "operation": f"op{number}", "ids": {"id": "1"}, "outcome": "ok", "rung": "form"})
    return chain.path


def test_verify_says_whole_or_where_it_is_broken(log: Path) -> None:
    result = auditing("verify", "--audit-file", str(log))
    assert (result.exit_code, "3 lines" in result.output) == (0, True)
    log.write_text(log.read_text().replace("op1", "opX"))
    result = auditing("verify", "--audit-file", str(log))
    assert (result.exit_code, "line 2 was changed" in result.output) == (1, True)


def test_tail_shows_the_last_lines(log: Path) -> None:
    assert auditing("tail", "-n", "2", "--audit-file", str(log)).output == (
        "t  op1  id=1  ok  by form\nt  op2  id=1  ok  by form\n"
    )


def test_tail_shows_a_change_once_it_has_ended_as_one_line(log: Path) -> None:
    chain = HashChain(log)
    chain.append({"time": "t", "operation": "whole", "ids": {}, "outcome": "begun"})
    chain.append({"time": "t", "operation": "whole", "ids": {}, "outcome": "ok", "of": 4, "rung": "none"})
    chain.append({"time": "t", "operation": "cut off", "ids": {}, "outcome": "begun"})
    assert auditing("tail", "-n", "2", "--audit-file", str(log)).output == "t  whole  ok\nt  cut off  begun\n"


def test_export_prints_every_line_as_json_or_as_a_table(log: Path) -> None:
    output = auditing("export", "--audit-file", str(log)).output
    assert output == log.read_text()
    rows = list(csv.DictReader(io.StringIO(auditing("export", "--format", "csv", "--audit-file", str(log)).output)))
    assert [(row["n"], row["operation"], row["ids"]) for row in rows] == [
        ("1", "op0", "id=1"),
        ("2", "op1", "id=1"),
        ("3", "op2", "id=1"),
    ]


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    result = auditing("verify", "--audit-file", str(tmp_path / "none.jsonl"))
    assert (result.exit_code, "no audit log" in result.output) == (1, True)


def test_a_log_that_is_missing_is_told_from_one_that_never_was(log: Path) -> None:
    log.unlink()
    result = auditing("verify", "--audit-file", str(log))
    assert (result.exit_code, "the log is missing, of which the last entry is number 3" in result.output) == (1, True)
    for command in ("tail", "export"):
        result = auditing(command, "--audit-file", str(log))
        assert (result.exit_code, "is missing" in result.output) == (1, True)


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the logs are usually kept."""
    from cliniko_mcp.approvals import paths

    monkeypatch.setattr(paths, "state_folder", lambda: tmp_path)
    monkeypatch.delenv("CLINIKO_MCP_AUDIT_FILE", raising=False)
    return tmp_path


@pytest.mark.parametrize("command", ["verify", "tail", "export"])
def test_the_demos_log_is_never_shown_as_the_clinics(usual: Path, command: str) -> None:
    HashChain(usual / "demo-audit.jsonl").append({"operation": "demo"})
    result = auditing(command)
    assert result.exit_code == 1
    assert f"no audit log at {usual / 'audit.jsonl'} yet; the demo clinic has one: --sandbox" in result.output
    assert auditing(command, "--sandbox").exit_code == 0


def test_the_usual_places_are_found_real_and_demo(usual: Path) -> None:
    HashChain(usual / "audit.jsonl").append({"operation": "real"})
    HashChain(usual / "demo-audit.jsonl").append({"operation": "demo"})
    assert "demo" not in auditing("verify").output
    assert "demo-audit.jsonl" in auditing("verify", "--sandbox").output
    assert json.loads(auditing("export").output)["operation"] == "real"
    assert json.loads(auditing("export", "--sandbox").output)["operation"] == "demo"
