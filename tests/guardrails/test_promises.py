"""The figures that SECURITY.md gives, and what other versions of this program rely on."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from cliniko_mcp.guardrails import chain, confirm, pin, questions
from cliniko_mcp.guardrails.pin import Checked, Pin

from .test_page import Wall

SECURITY = " ".join((Path(__file__).parent.parent.parent / "SECURITY.md").read_text("utf-8").split())


def test_a_yes_holds_for_ten_minutes_and_a_no_for_fifteen() -> None:
    assert (timedelta(minutes=10), timedelta(minutes=15)) == (questions.OPEN_FOR, questions.DENIED_FOR)
    assert "It holds for ten minutes and for one act" in SECURITY and "remembered for 15 minutes" in SECURITY


def test_at_most_twenty_questions_wait_at_once() -> None:
    assert questions.MOST_SHOWN == 20
    assert "At most 20 questions wait at once" in SECURITY


def test_five_wrong_pins_lock_it_for_five_minutes() -> None:
    assert (pin.TRIES, pin.PAUSE) == (5, 300)
    assert "five wrong tries lock it for five minutes" in SECURITY


def test_the_audit_log_is_ten_files_of_ten_megabytes(tmp_path: Path) -> None:
    log = chain.Chain(tmp_path / "audit.jsonl")
    assert (log._parts, log._part) == (10, 10_000_000)
    assert "ten files of ten megabytes" in SECURITY


def test_no_call_waits_longer_than_hosts_do() -> None:
    assert confirm.IN_ALL == 50


def test_a_pin_kept_by_an_earlier_run_is_still_the_pin(tmp_path: Path) -> None:
    salt = bytes(range(16))
    kept = hashlib.scrypt(b"4711", salt=salt, n=32_768, r=8, p=1, dklen=32, maxmem=2**27).hex()
    file = tmp_path / "pin.json"
    file.write_text(json.dumps({"salt": salt.hex(), "hash": kept, "failed": 0, "locked_until": 0.0}))
    file.chmod(0o600)
    assert Pin(tmp_path, Wall()).check("4712") is Checked.WRONG
    assert Pin(tmp_path, Wall()).check("4711") is Checked.RIGHT


def test_the_digest_of_a_lines_arguments_stays_comparable_over_versions() -> None:
    from cliniko_mcp.guardrails.digest import digest

    whole = hashlib.sha256(b"\0" * 7 + b"\2ab" + b"\0" * 7 + b"\1c").hexdigest()
    assert digest("ab", "c") == whole
