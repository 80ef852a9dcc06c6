"""With a PIN, a yes on the approval page needs it: wrong ones are counted, and what is kept gives nothing away."""

import json
import os
from pathlib import Path

import pytest

from cliniko_mcp.approvals.decisions import Answer, Decisions, Outcome
from cliniko_mcp.approvals.pin import PAUSE, TRIES, Checked, Pin
from tests.approvals.desktop import Desktop, Wall


def test_with_a_pin_a_yes_needs_it_and_a_no_does_not(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked, other = desktop.ask(), desktop.ask("Delete tax GST.")
    desktop.start()
    assert "type=password" in desktop.visit("GET", desktop.path)[1]
    assert desktop.send(asked)[1] == "WRONG"
    assert desktop.send(asked, pin="4712")[1] == "WRONG"
    assert desktop.verdict(asked) == "none"
    assert desktop.send(asked, pin="4711")[1] == "APPROVED"
    assert desktop.send(other, "deny")[1] == "DENIED"


def test_a_question_that_ends_while_the_pin_is_checked_is_gone(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()

    def check(typed: str) -> Checked:
        desktop.clock.pass_(minutes=10)
        return Checked.RIGHT

    monkeypatch.setattr(desktop.pin, "check", check)
    decisions = Decisions(desktop.questions, desktop.pin)
    assert decisions.decide(asked.question.challenge, Answer.APPROVE, "4711", "page") is Outcome.GONE
    assert desktop.verdict(asked) == "none"


def test_five_wrong_pins_lock_it_for_a_while_even_for_the_right_one(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    asked = desktop.ask()
    desktop.start()
    answers = [desktop.send(asked, pin="0000")[1] for _ in range(TRIES)]
    assert answers == ["WRONG"] * (TRIES - 1) + ["LOCKED"]
    assert desktop.send(asked, pin="4711")[1] == "LOCKED"
    desktop.wall.now += PAUSE - 1
    assert desktop.send(asked, pin="4711")[1] == "LOCKED"
    desktop.wall.now += 1
    assert desktop.send(asked, pin="4711")[1] == "APPROVED"


@pytest.mark.long
def test_wrong_pins_are_counted_across_servers_and_forgotten_after_a_right_one(tmp_path: Path) -> None:
    wall = Wall()
    Pin(tmp_path, wall).set("4711")
    for _ in range(TRIES - 1):
        assert Pin(tmp_path, wall).check("x") is Checked.WRONG
    assert Pin(tmp_path, wall).check("4711") is Checked.RIGHT
    for _ in range(TRIES - 1):
        assert Pin(tmp_path, wall).check("x") is Checked.WRONG
    assert Pin(tmp_path, wall).check("x") is Checked.LOCKED
    assert Pin(tmp_path, wall).check("4711") is Checked.LOCKED
    wall.now += PAUSE
    again = [Pin(tmp_path, wall).check("x") for _ in range(TRIES)]
    assert again == [Checked.WRONG] * (TRIES - 1) + [Checked.LOCKED]


def test_no_pin_is_tried_on_a_question_that_is_not_open(desktop: Desktop) -> None:
    desktop.pin.set("4711")
    decisions = Decisions(desktop.questions, desktop.pin)
    for _ in range(TRIES + 1):
        assert decisions.decide("0" * 64, Answer.APPROVE, "0000", "page") is Outcome.GONE
    assert desktop.pin.check("4711") is Checked.RIGHT


def test_a_pin_is_kept_as_a_salted_hash_for_its_owner_only(tmp_path: Path) -> None:
    pin = Pin(tmp_path / "state", Wall())
    assert not pin.is_set
    pin.set("471142")
    first = (tmp_path / "state" / "pin.json").read_text()
    pin.set("471142")
    second = (tmp_path / "state" / "pin.json").read_text()
    assert "471142" not in first
    assert json.loads(first)["hash"] != json.loads(second)["hash"]
    if os.name == "posix":
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()} == {0o600}


@pytest.mark.parametrize("pin", ["", "123", "1" * 65])
def test_a_pin_has_a_sensible_length(tmp_path: Path, pin: str) -> None:
    with pytest.raises(ValueError, match="4 to 64"):
        Pin(tmp_path, Wall()).set(pin)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "nonsense", '{"salt": 1, "hash": 2, "failed": 0, "locked_until": 0}']
)
def test_a_pin_file_that_cannot_be_read_lets_nothing_pass(tmp_path: Path, content: str) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    (tmp_path / "pin.json").write_text(content)
    assert pin.is_set
    assert pin.check("4711") is Checked.BROKEN


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_a_pin_file_that_others_can_write_is_not_trusted(tmp_path: Path) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    (tmp_path / "pin.json").chmod(0o666)
    assert pin.check("4711") is Checked.BROKEN
