"""The PIN's file: what stands in it, and what happens where it or its lock cannot be used."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp import private_files
from cliniko_mcp.approvals.pin import MAX_LENGTH, MIN_LENGTH, Checked, Pin
from tests.approvals.desktop import Wall


def kept(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "pin.json").read_text("utf-8"))
    return found


def test_nothing_counts_against_a_new_pin_or_after_a_right_one(tmp_path: Path) -> None:
    wall = Wall()
    pin = Pin(tmp_path, wall)
    pin.set("4711")
    fresh = kept(tmp_path)
    assert (fresh["failed"], fresh["locked_until"], len(fresh["salt"])) == (0, 0.0, 32)
    assert pin.check("4712") is Checked.WRONG
    assert (kept(tmp_path)["failed"], kept(tmp_path)["locked_until"]) == (1, 0.0)
    assert pin.check("4711") is Checked.RIGHT
    assert kept(tmp_path) == fresh
    for _ in range(5):
        pin.check("4712")
    assert (kept(tmp_path)["failed"], kept(tmp_path)["locked_until"]) == (0, wall.now + 300)


def test_the_shortest_and_the_longest_pin_are_taken_whole(tmp_path: Path) -> None:
    pin = Pin(tmp_path, Wall())
    for chosen in ("1" * MIN_LENGTH, "1" * MAX_LENGTH):
        pin.set(chosen)
        assert pin.check(chosen[:-1]) is Checked.WRONG
        assert pin.check(chosen) is Checked.RIGHT


@pytest.mark.long
def test_a_try_that_waits_in_vain_for_another_one_lets_nothing_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.01)
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    with (tmp_path / "pin.lock").open("w") as other, private_files.locked(other.fileno()):
        assert pin.check("4711") is Checked.BROKEN
    assert pin.check("4711") is Checked.RIGHT


def test_a_lock_that_cannot_be_opened_lets_nothing_pass(tmp_path: Path) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    (tmp_path / "pin.lock").mkdir()
    assert pin.check("4711") is Checked.BROKEN


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux lists a process's open files there")
def test_no_try_leaves_a_file_open(tmp_path: Path) -> None:
    pin = Pin(tmp_path, Wall())
    pin.set("4711")
    before = os.listdir("/proc/self/fd")
    assert [pin.check(typed) for typed in ("4711", "4712")] == [Checked.RIGHT, Checked.WRONG]
    (tmp_path / "pin.json").write_text("nonsense")
    assert pin.check("4711") is Checked.BROKEN
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.long
@pytest.mark.usefixtures("dear_pins")
def test_a_pin_kept_by_an_earlier_run_is_still_the_pin(tmp_path: Path) -> None:
    salt = bytes(range(16))
    kept = hashlib.scrypt(b"4711", salt=salt, n=32_768, r=8, p=1, dklen=32, maxmem=2**27).hex()
    file = tmp_path / "pin.json"
    file.write_text(json.dumps({"salt": salt.hex(), "hash": kept, "failed": 0, "locked_until": 0.0}))
    file.chmod(0o600)
    assert Pin(tmp_path, Wall()).check("4712") is Checked.WRONG
    assert Pin(tmp_path, Wall()).check("4711") is Checked.RIGHT
