"""The figures that SECURITY.md gives, and what other versions of this program rely on."""

import hashlib
from datetime import timedelta
from pathlib import Path

from cliniko_mcp.approvals import pin, question_table
from cliniko_mcp.guards import confirm, hash_chain

SECURITY = " ".join((Path(__file__).parent.parent.parent / "SECURITY.md").read_text("utf-8").split())


def test_a_yes_holds_for_ten_minutes_and_a_no_for_fifteen() -> None:
    assert (timedelta(minutes=10), timedelta(minutes=15)) == (question_table.OPEN_FOR, question_table.DENIED_FOR)
    assert "It is valid for ten minutes and for one operation" in SECURITY and "remembered for 15 minutes" in SECURITY


def test_at_most_twenty_questions_wait_at_once() -> None:
    assert (question_table.MAX_SHOWN, question_table.MAX_SHOWN_EACH) == (20, 10)
    assert "At most 20 questions wait at once" in SECURITY


def test_five_wrong_pins_lock_it_for_five_minutes() -> None:
    assert (pin.TRIES, pin.PAUSE) == (5, 300)
    assert "five wrong tries lock it for five minutes" in SECURITY


def test_the_audit_log_is_ten_files_of_ten_megabytes(tmp_path: Path) -> None:
    log = hash_chain.HashChain(tmp_path / "audit.jsonl")
    assert (log._max_segments, log._segment_bytes) == (10, 10_000_000)
    assert "ten files of ten megabytes" in SECURITY


def test_no_call_waits_longer_than_hosts_do() -> None:
    assert confirm.MAX_CALL_WAIT == 50


def test_the_digest_of_a_lines_arguments_stays_comparable_over_versions() -> None:
    from cliniko_mcp.approvals.digest import digest

    whole = hashlib.sha256(b"\0" * 7 + b"\2ab" + b"\0" * 7 + b"\1c").hexdigest()
    assert digest("ab", "c") == whole
