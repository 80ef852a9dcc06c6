"""The audit log is one chain: tampering is noticed, torn ends are mended, segments are rotated, writers share it."""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp import private_files
from cliniko_mcp.guards.hash_chain import HashChain, Verification


def test_a_whole_chain_verifies(chain: HashChain) -> None:
    for number in range(5):
        assert chain.append({"x": number}) == number + 1
    assert chain.verify() == type(chain.verify())(5, None)
    assert HashChain(chain.path.with_name("other.jsonl")).verify().problem is None


def with_seal(body: bytes) -> bytes:
    """A line that nobody of ours would write, with the seal that fits it."""
    return body[:-1] + b',"seal":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def tampered(chain: HashChain, change: Any) -> str:
    for number in range(5):
        chain.append({"x": number})
    kept = chain.path.read_bytes().splitlines(keepends=True)
    chain.path.write_bytes(b"".join(change(kept)))
    return chain.verify().problem or ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda kept: [*kept[:2], kept[2].replace(b'"x":2', b'"x":9'), *kept[3:]], "line 3 was changed"),
        (lambda kept: [*kept[:2], *kept[3:]], "missing, added or moved before audit.jsonl line 3"),
        (lambda kept: kept[2:], "missing before audit.jsonl line 1"),
        (lambda kept: [kept[0], kept[2], kept[1], *kept[3:]], "moved before audit.jsonl line 2"),
        (lambda kept: [*kept[:3], kept[2], *kept[3:]], "moved before audit.jsonl line 4"),
        (lambda kept: kept[:4], "missing at the end"),
        (lambda kept: [], "missing at the end"),
        (lambda kept: [*kept[:4], b"nonsense\n"], "line 5 is not a whole entry"),
        (lambda kept: [*kept[:4], kept[4].rstrip()], "line 5 is not a whole entry"),
        (lambda kept: [*kept[:4], b"[]\n"], "line 5 is not a whole entry"),
        (lambda kept: [*kept[:4], b"[" * 100_000 + b"\n"], "line 5 is not a whole entry"),
        (lambda kept: [with_seal(b'{"n":"1"}'), *kept[1:]], "line 1 is not a whole entry"),
        (lambda kept: [*kept[:4], b'{"n":5,"seal":5}\n'], "line 5 is not a whole entry"),
    ],
)
def test_every_kind_of_tampering_is_noticed(chain: HashChain, change: Any, problem: str) -> None:
    assert problem in tampered(chain, change)


def test_lines_that_were_cut_off_stay_noticed_when_more_are_written(chain: HashChain) -> None:
    assert tampered(chain, lambda kept: kept[:3])
    chain.append({"x": "later"})
    assert "missing" in (chain.verify().problem or "")


def test_a_line_put_in_at_the_end_is_noticed(chain: HashChain) -> None:
    from cliniko_mcp.guards.hash_chain import sealed

    def forge(kept: list[bytes]) -> list[bytes]:
        return [*kept[:4], sealed({"x": "forged"}, 5, json.loads(kept[3])["seal"])[0]]

    assert "not the entry that was last written" in tampered(chain, forge)


def test_a_first_line_that_is_not_the_first_is_noticed(chain: HashChain) -> None:
    from cliniko_mcp.guards.hash_chain import sealed

    assert "missing, added or moved before audit.jsonl line 1" in tampered(
        chain, lambda kept: [sealed({}, 1, "1" * 64)[0]]
    )


def test_a_lost_head_is_noticed_and_the_chain_goes_on(chain: HashChain) -> None:
    chain.append({"x": 1})
    chain.path.with_name("audit.jsonl.head").unlink()
    assert "record of the last entry is missing" in (chain.verify().problem or "")
    assert chain.append({"x": 2}) == 2
    assert chain.verify().problem is None


def test_a_process_that_ended_between_line_and_head_breaks_nothing(chain: HashChain) -> None:
    head = chain.path.with_name("audit.jsonl.head")
    chain.append({"x": 1})
    earlier = head.read_bytes()
    chain.append({"x": 2})
    head.write_bytes(earlier)
    assert chain.verify().problem is None
    assert chain.append({"x": 3}) == 3
    assert chain.verify() == type(chain.verify())(3, None)


def test_a_torn_last_line_is_dropped_by_the_next_writer(chain: HashChain) -> None:
    chain.append({"x": 1})
    with chain.path.open("ab") as file:
        file.write(b'{"n":2,"x"')
    assert chain.append({"x": 2}) == 2
    assert chain.verify() == type(chain.verify())(2, None)


def test_a_line_that_does_not_fit_leaves_nothing_behind(chain: HashChain, monkeypatch: pytest.MonkeyPatch) -> None:
    chain.append({"x": 1})
    before = chain.path.read_bytes()
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[:5])

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="full"):
        chain.append({"x": 2})
    monkeypatch.undo()
    assert chain.path.read_bytes() == before

    def head_fails(descriptor: int, data: bytes) -> int:
        if not data.startswith(b"{"):
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", head_fails)
    with pytest.raises(OSError, match="No space"):
        chain.append({"x": 2})
    monkeypatch.undo()
    assert chain.path.read_bytes() == before
    assert chain.append({"x": 2}) == 2


def test_the_log_is_rotated_bounded_and_stays_one_chain(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=2_000, max_segments=3)
    for number in range(100):
        chain.append({"x": number})
    names = sorted(path.name for path in chain.files())
    assert names == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert sum(path.stat().st_size for path in chain.files()) < 3 * 2_300
    numbers = [entry["n"] for entry in chain.entries()]
    assert numbers == list(range(int(str(numbers[0])), 101))
    assert chain.verify().problem is None
    oldest = chain.files()[0].read_bytes()
    chain.files()[0].unlink()
    assert "missing before audit.jsonl.1 line 1" in (chain.verify().problem or "")
    (tmp_path / "audit.jsonl.2").write_bytes(oldest)
    lines = chain.files()[1].read_bytes().splitlines(keepends=True)
    chain.files()[1].write_bytes(b"".join(lines[:-1]))
    assert "missing" in (chain.verify().problem or "")


def test_one_part_is_enough(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=500, max_segments=1)
    for number in range(10):
        chain.append({"x": number})
    assert [path.name for path in chain.files()] == ["audit.jsonl"]
    assert chain.verify().problem is None


# Whoever loops without a pause has the lock nearly all the time, so the others wait for longer than usual.
WRITER = """
import sys
from pathlib import Path
from cliniko_mcp import private_files
from cliniko_mcp.guards.hash_chain import HashChain
private_files._PATIENCE = 60
chain = HashChain(Path(sys.argv[1]), segment_bytes=20_000)
for number in range(100):
    chain.append({"who": sys.argv[2], "x": number})
"""


@pytest.mark.long
def test_several_processes_write_one_whole_chain(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "audit.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(4)]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0, 0, 0]
    chain = HashChain(path)
    assert chain.verify() == type(chain.verify())(400, None)


@pytest.mark.long
def test_a_log_that_is_being_written_verifies(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl")
    chain.append({})
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            chain.append({})

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        assert [HashChain(chain.path).verify().problem for _ in range(30)] == [None] * 30
    finally:
        stop.set()
        writer.join()


def test_a_line_that_is_just_being_written_is_not_taken_for_a_broken_one(
    chain: HashChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.append({})
    whole, reads = HashChain.lines, 0

    def half_there_at_first(self: HashChain) -> Iterator[tuple[Path, int, bytes]]:
        nonlocal reads
        reads += 1
        for path, number, line in whole(self):
            yield path, number, line[:20] if reads == 1 else line

    monkeypatch.setattr(HashChain, "lines", half_there_at_first)
    assert chain.verify() == Verification(1)
    assert reads == 2


@pytest.mark.long
def test_only_a_log_that_looks_broken_waits_for_its_writers(chain: HashChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.01)
    chain.append({})
    with chain.path.with_name("audit.jsonl.head").open("r+") as head, private_files.locked(head.fileno()):
        assert chain.verify() == Verification(1)
        chain.path.write_bytes(chain.path.read_bytes()[:-1])
        with pytest.raises(TimeoutError, match="another process"):
            chain.verify()


def test_to_verify_a_log_writes_nothing(chain: HashChain) -> None:
    chain.append({})
    head = chain.path.with_name("audit.jsonl.head")
    head.unlink()
    assert chain.verify().problem == "the record of the last entry is missing"
    assert not head.exists()


def test_what_is_wrong_with_a_copy_that_nobody_may_write_is_said(
    chain: HashChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.append({})
    chain.append({})
    chain.path.write_bytes(chain.path.read_bytes()[:-1])

    def read_only(*_: Any) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("cliniko_mcp.guards.hash_chain.open_private", read_only)
    assert chain.verify().problem == "audit.jsonl line 2 is not a whole entry"


@pytest.mark.long
def test_a_lock_that_is_never_given_back_is_not_waited_for_for_ever(
    chain: HashChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_files, "_PATIENCE", 0.01)
    chain.append({})
    with (
        chain.path.with_name("audit.jsonl.head").open("r+") as head,
        private_files.locked(head.fileno()),
        pytest.raises(OSError, match="another process"),
    ):
        chain.append({})
