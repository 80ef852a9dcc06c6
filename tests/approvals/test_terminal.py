"""`cliniko-mcp approve` on a real terminal: what a person sees and types there, and what stays unseen."""

import re
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from cliniko_mcp.approvals.pin import Checked, Pin
from tests.approvals.desktop import Desktop, Wall
from tests.terminal import Terminal

# The terminal is a process of its own, to which a PIN costs what it costs everybody.
pytestmark = pytest.mark.usefixtures("dear_pins")

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is a thing of POSIX systems", allow_module_level=True)


@pytest.fixture
def terminals() -> Generator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


@pytest.fixture
def folder() -> Path:
    from cliniko_mcp.approvals.paths import state_folder

    return state_folder()


@pytest.fixture
def desktop(folder: Path) -> Generator[Desktop]:
    desktop = Desktop(folder)
    yield desktop
    desktop.page.close()


def approving(terminals: list[Terminal], *arguments: str) -> Terminal:
    terminals.append(Terminal("approve", *arguments))
    return terminals[-1]


@pytest.mark.long
def test_a_pin_is_chosen_unseen_and_changed_only_with_the_old_one(terminals: list[Terminal], folder: Path) -> None:
    first = approving(terminals, "--set-pin")
    for prompt in ("New PIN", "Repeat for confirmation"):
        first.until(prompt)
        first.type_unseen("4711\r")
    assert first.ended() == 0
    assert "The PIN is set." in first.screen and "4711" not in first.screen
    assert Pin(folder, Wall()).check("4711") is Checked.RIGHT
    second = approving(terminals, "--set-pin")
    second.until("The PIN until now")
    second.type_unseen("0000\r")
    assert second.ended() == 1
    assert "that is not the PIN" in second.screen and "0000" not in second.screen
    assert Pin(folder, Wall()).check("4711") is Checked.RIGHT


@pytest.mark.long
def test_a_person_reads_the_question_types_the_pin_and_approves(
    terminals: list[Terminal], folder: Path, desktop: Desktop
) -> None:
    Pin(folder, time.time).set("4711")
    asked = desktop.ask("Ana Lima, born 1984", "Claude\x1b[2J\u202e Desktop")
    desktop.start()
    terminal = approving(terminals)
    terminal.until("later?")
    assert "Ana Lima, born 1984" in terminal.screen
    # What others wrote cannot clear the screen or turn its direction.
    assert "Claude[2J Desktop asks; " in terminal.screen and "\u202e" not in terminal.screen
    terminal.type("yes\r")
    terminal.until("later?")
    terminal.type("approve\r")
    terminal.until("PIN:")
    assert asked.verdict.value == "none"
    terminal.type_unseen("4711\r")
    assert terminal.ended() == 0
    assert asked.verdict.value == "yes" and asked.place == "terminal"
    assert "Approved." in terminal.screen and "4711" not in terminal.screen


@pytest.mark.long
def test_five_wrong_pins_on_the_terminal_lock_it_even_for_the_right_one(
    terminals: list[Terminal], folder: Path, desktop: Desktop
) -> None:
    desktop.wall.now = time.time()
    Pin(folder, time.time).set("4711")
    asked = desktop.ask()
    desktop.start()
    for typed, said in [("1", "not the PIN")] * 4 + [("1", "Too many wrong PINs"), ("4711", "Too many wrong PINs")]:
        terminal = approving(terminals)
        terminal.until("later?")
        terminal.type("approve\r")
        terminal.until("PIN")
        terminal.type_unseen(f"{typed}\r")
        assert terminal.ended() == 0
        assert said in terminal.screen
    assert asked.verdict.value == "none"
    changing = approving(terminals, "--set-pin")
    changing.until("The PIN until now")
    changing.type_unseen("4711\r")
    assert changing.ended() == 1
    assert "wait five minutes" in changing.screen


@pytest.mark.long
@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_leaving_the_question_answers_nothing(terminals: list[Terminal], desktop: Desktop, key: str) -> None:
    asked = desktop.ask()
    desktop.start()
    terminal = approving(terminals)
    terminal.until("later?")
    terminal.interrupt(key)
    assert terminal.ended() == 130
    assert asked.verdict.value == "none"
    assert "Traceback" not in terminal.screen


@pytest.mark.long
def test_a_call_on_a_terminal_goes_ahead_for_a_typed_yes_alone(terminals: list[Terminal]) -> None:
    listing = [sys.executable, "-m", "cliniko_mcp", "call", "list_patients", "--sandbox"]
    listed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    patient = re.findall(r'"id": "(\d+)"', listed)[0]
    for typed, ended in (("y", 1), ("yes", 0)):
        terminals.append(Terminal("call", "archive_patient", f'{{"id": "{patient}"}}', "--sandbox"))
        terminals[-1].until("Type yes to go ahead:")
        assert "It can be brought back" in terminals[-1].screen
        terminals[-1].type(f"{typed}\r")
        assert terminals[-1].ended() == ended, terminals[-1].screen
        assert ("said no" in terminals[-1].screen) == (ended == 1)
