"""The log says what happened and where; names, addresses, numbers and keys that pass by are not in it."""

import logging
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from conftest import in_process
from pydantic import BaseModel

from cliniko_mcp import cli
from cliniko_mcp.app import App
from cliniko_mcp.cli.logs import Redacting, redacted
from cliniko_mcp.errors import InvalidArguments

KEY = "MS0xMjM0NTY3ODkwLXNlY3JldC1rZXk-au1"
PERSONAL = {
    "email": "ana.lima@mail.example",
    "phone": "0491 570 006",
    "international phone": "+61 491 570 006",
    "Medicare number": "2950 12345 1",
    "key": KEY,
    "basic credentials": "Basic TVMwLXNlY3JldA==",
    "bearer token": "Bearer s3cr3t-t0ken",
}


class Lines(logging.Handler):
    """What a log would show."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Redacting())
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += f"{self.format(record)}\n"


@pytest.fixture
def log() -> Generator[Lines]:
    lines = Lines()
    logging.getLogger().addHandler(lines)
    yield lines
    logging.getLogger().removeHandler(lines)


@pytest.mark.parametrize("kind", PERSONAL)
def test_what_points_to_a_person_or_opens_a_door_is_struck_out(kind: str) -> None:
    assert redacted(f"read {PERSONAL[kind]}, then went on") == "read [struck out], then went on"


@pytest.mark.parametrize(
    "line",
    [
        "the audit log /home/ana/.local/state/cliniko-mcp/audit.jsonl cannot be written (No space left on device)",
        "Invalid Host header: 127.0.0.1:8123",
        "get_individual_appointment_conflicts failed",
    ],
)
def test_what_an_operator_needs_stays(line: str) -> None:
    assert redacted(line) == line


def test_a_line_cannot_start_another_one() -> None:
    assert "\n" not in redacted("Invalid Host header: x\ncliniko-mcp: ERROR all is lost\u202e")


def test_an_exception_is_told_by_type_and_place_not_by_its_words(log: Lines) -> None:
    class Row(BaseModel):
        age: int

    try:
        try:
            Row.model_validate({"age": "Ana Lima of 12 Example Street"})
        except ValueError as cause:
            raise RuntimeError("Ana Lima could not be read") from cause
    except RuntimeError:
        logging.getLogger("some.library").exception("handler raised")
    assert "Ana" not in log.text and "Street" not in log.text
    assert "RuntimeError > " in log.text and "ValidationError > " in log.text and "test_logs.py:" in log.text


def test_a_name_that_the_code_does_not_know_is_told(log: Lines) -> None:
    try:
        exec("Unarchive")
    except NameError:
        logging.getLogger("some.library").exception("stopped")
    assert "NameError: name 'Unarchive' is not defined > " in log.text


def test_every_part_of_a_group_is_told(log: Lines) -> None:
    try:
        raise ExceptionGroup("of Ana", [ValueError("Ana"), KeyError("Lima")])
    except ExceptionGroup:
        logging.getLogger("some.library").exception("tasks failed")
    assert "Ana" not in log.text and "Lima" not in log.text
    assert all(name in log.text for name in ("ExceptionGroup", "ValueError", "KeyError"))


def test_a_crash_of_the_command_line_quotes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(**_: object) -> None:
        raise RuntimeError(f"Ana Lima {KEY}")

    monkeypatch.setattr(cli.commands, "main", crash)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    errors = capsys.readouterr().err
    assert ended.value.code == 1
    assert "RuntimeError" in errors and "report it" in errors and "Ana" not in errors and KEY not in errors


@pytest.mark.anyio
async def test_a_tool_that_breaks_over_a_record_leaves_no_name_in_the_log(
    log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError(f"Ana Lima {PERSONAL['email']} {KEY}")

    async with in_process() as assistant:
        monkeypatch.setattr(App, "run", broken)
        assert "Ana" not in str(await assistant.call("find_patients", query="Ana Lima"))
    assert "find_patients failed" in log.text and "ValueError" in log.text
    assert not any(word in log.text for word in ("Ana", "Lima", "mail.example", KEY))


@pytest.mark.long
def test_a_command_that_is_no_server_logs_redacted_too(tmp_path: Path) -> None:
    broken = tmp_path / "ana.lima@mail.example"
    broken.mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "cliniko_mcp", "call", "list_taxes", "--sandbox", "--audit-file", str(broken)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cliniko-mcp: WARNING the audit log" in ran.stderr and "[struck out]" in ran.stderr
    assert "mail.example" not in ran.stderr


def test_an_error_cannot_write_to_the_terminal_what_nobody_sees(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise InvalidArguments("There is no Ana\x1b[2J\u202e Lima.", "Look\x9b her up.")

    monkeypatch.setattr(cli.commands, "main", refuse)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == "cliniko-mcp: There is no Ana[2J Lima. Look her up.\n"
