"""The audit log as files: its head, its segments at their limits, its recovery, and what it leaves open."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cliniko_mcp.guards.hash_chain import START, HashChain, Head, Verification, sealed

SEAL = "a" * 64


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "audit.jsonl")


def numbers(path: Path) -> list[int]:
    return [json.loads(line)["n"] for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (f"3 {SEAL} 120", Head(3, SEAL, 120)),
        (f"{3:020d} {SEAL} {120:020d}\n", Head(3, SEAL, 120)),
        ("", None),
        (f"3 {SEAL}", None),
        (f"3 {SEAL} 120 7", None),
        (f"3 {SEAL[1:]} 120", None),
        (f"x {SEAL} 120", None),
        (f"3 {SEAL} x", None),
        (f"-3 {SEAL} 120", None),
    ],
)
def test_a_head_is_three_words_or_none(text: str, head: Head | None) -> None:
    assert Head.read(text.encode()) == head


def test_a_head_says_what_was_written_last(chain: HashChain) -> None:
    chain.append({"x": 1})
    chain.append({"x": 2})
    head = Head.read(chain.path.with_name("audit.jsonl.head").read_bytes())
    last = json.loads(chain.path.read_bytes().splitlines()[-1])
    assert head == Head(2, last["seal"], chain.path.stat().st_size)
    assert json.loads(chain.path.read_bytes().splitlines()[0])["before"] == START


def test_a_line_is_sealed_over_all_of_it_in_plain_ascii() -> None:
    line, seal = sealed({"who": "é"}, 7, SEAL)
    body = f'{{"n":7,"who":"\\u00e9","before":"{SEAL}"}}'.encode()
    assert seal == hashlib.sha256(body).hexdigest()
    assert line == body[:-1] + f',"seal":"{seal}"}}\n'.encode()


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_new_folders_are_for_the_owner_alone_and_others_are_left_as_they_are(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    assert HashChain(shared / "audit.jsonl").append({}) == 1
    assert HashChain(shared / "own" / "deep" / "audit.jsonl").append({}) == 1
    modes = [path.stat().st_mode & 0o777 for path in (shared, shared / "own" / "deep")]
    assert modes == [0o755, 0o700]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_the_usual_folder_is_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = tmp_path / "state" / "audit.jsonl"
    usual.parent.mkdir()
    usual.parent.chmod(0o755)
    monkeypatch.setattr("cliniko_mcp.guards.hash_chain.audit_file", lambda: usual)
    for chain in (HashChain(), HashChain(usual), HashChain(usual.with_name("demo-audit.jsonl"))):
        usual.parent.chmod(0o777)
        assert chain.append({})
        assert chain.path.exists()
        assert usual.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="links are a Unix matter")
def test_a_usual_folder_that_is_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    usual = tmp_path / "state" / "audit.jsonl"
    monkeypatch.setattr("cliniko_mcp.guards.hash_chain.audit_file", lambda: usual)
    with pytest.raises(PermissionError, match="the folder state is a link"):
        HashChain(usual).append({})
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
@pytest.mark.parametrize(
    ("mode", "safe"), [(0o777, False), (0o775, False), (0o702, False), (0o755, True), (0o1777, True)]
)
def test_a_log_is_written_only_where_other_users_cannot_replace_it(tmp_path: Path, mode: int, safe: bool) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs").chmod(mode)
    chain = HashChain(tmp_path / "logs" / "audit.jsonl")
    if safe:
        assert chain.append({}) == 1
    else:
        with pytest.raises(PermissionError, match="other users may write into the folder logs"):
            chain.append({})
        assert os.listdir(tmp_path / "logs") == []
    assert (tmp_path / "logs").stat().st_mode & 0o7777 == mode


@pytest.mark.skipif(os.name != "posix", reason="owners are a Unix matter")
@pytest.mark.parametrize("usual", [True, False])
def test_a_folder_of_another_user_takes_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: bool) -> None:
    path = tmp_path / "state" / "audit.jsonl"
    path.parent.mkdir()
    os.chown(path.parent, 12_345, -1) if os.getuid() == 0 else monkeypatch.setattr(os, "getuid", lambda: 12_345)
    monkeypatch.setattr("cliniko_mcp.guards.hash_chain.audit_file", lambda: path if usual else tmp_path / "x" / "y")
    with pytest.raises(PermissionError, match="the folder state belongs to another user"):
        HashChain(path).append({})


def test_a_log_that_was_taken_away_is_missing_while_its_head_is_there(chain: HashChain) -> None:
    assert (chain.begun, chain.verify()) == (False, Verification(0))
    chain.append({})
    chain.append({})
    chain.path.unlink()
    assert chain.begun
    assert chain.verify() == Verification(0, "the log is missing, of which the last entry is number 2")
    assert chain.append({}) == 3
    assert chain.verify().problem == "entries are missing before audit.jsonl line 1"


def test_a_log_without_its_head_has_begun_too(chain: HashChain) -> None:
    chain.append({})
    chain.path.with_name("audit.jsonl.head").unlink()
    assert chain.begun


def test_a_copy_that_fails_is_told_of_once_until_it_has_worked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fails = [True, True, False, False, True, True]

    def copy(line: bytes) -> None:
        if fails.pop(0):
            raise OSError(28, "No space left on device")

    chain, told = HashChain(tmp_path / "audit.jsonl", copy=copy), list[int]()
    for _ in range(6):
        chain.append({})
        told.append(len(caplog.records))
    assert told == [1, 1, 1, 1, 2, 2]
    assert chain.verify() == Verification(6)


@pytest.mark.parametrize(("more", "rotated"), [(0, True), (1, False)])
def test_a_log_is_rotated_when_it_has_reached_its_size(tmp_path: Path, more: int, rotated: bool) -> None:
    path = tmp_path / "audit.jsonl"
    HashChain(path).append({})
    HashChain(path, segment_bytes=path.stat().st_size + more).append({})
    assert path.with_name("audit.jsonl.1").exists() == rotated
    assert numbers(path) == ([2] if rotated else [1, 2])
    assert HashChain(path).verify() == Verification(2)


@pytest.mark.parametrize(
    ("segments", "kept"),
    [(1, {"": [5]}), (2, {"": [5], ".1": [4]}), (3, {"": [5], ".1": [4], ".2": [3]})],
)
def test_of_many_segments_the_newest_are_kept_in_their_order(
    tmp_path: Path, segments: int, kept: dict[str, Any]
) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=segments)
    for _ in range(5):
        chain.append({})
    found = {path.name.removeprefix("audit.jsonl"): numbers(path) for path in chain.files()}
    assert found == kept
    assert [entry["n"] for entry in chain.entries()] == sorted(
        number for segment in kept.values() for number in segment
    )
    assert [number for _, number, _ in chain.lines()] == [1] * segments
    assert {path.name for path in tmp_path.iterdir()} == {f"audit.jsonl{end}" for end in (*kept, ".head")}
    assert chain.verify() == Verification(segments)


@pytest.mark.parametrize(
    ("gone", "problem"), [(".2", "missing before"), (".1", "missing, added or moved"), ("", "end")]
)
def test_a_part_that_was_taken_away_is_noticed(tmp_path: Path, gone: str, problem: str) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=3)
    for _ in range(5):
        chain.append({})
    chain.path.with_name(f"audit.jsonl{gone}").unlink()
    assert problem in (chain.verify().problem or "")


def test_before_any_part_has_gone_the_first_line_has_to_be_the_first_of_all(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=4)
    for _ in range(3):
        chain.append({})
    assert chain.verify() == Verification(3)
    chain.path.with_name("audit.jsonl.2").unlink()
    assert "missing before audit.jsonl.1 line 1" in (chain.verify().problem or "")


@pytest.mark.parametrize("number", [2, 4])
def test_a_line_with_a_number_out_of_order_is_noticed_though_its_seals_fit(chain: HashChain, number: int) -> None:
    chain.append({})
    chain.append({})
    seal = json.loads(chain.path.read_bytes().splitlines()[-1])["seal"]
    with chain.path.open("ab") as file:
        file.write(sealed({}, number, seal)[0])
    assert chain.verify() == Verification(2, "entries are missing, added or moved before audit.jsonl line 3")


@pytest.mark.parametrize("torn", [b"{", b'{"n":2,"half', b"x" * 300])
def test_a_torn_line_goes_and_the_whole_ones_before_it_stay(chain: HashChain, torn: bytes) -> None:
    for kept in range(3):
        with chain.path.open("ab") as file:
            file.write(torn)
        assert chain.append({"x": kept}) == kept + 1
    assert numbers(chain.path) == [1, 2, 3]
    assert chain.verify() == Verification(3)


def test_a_line_without_its_head_counts_only_where_it_follows_the_head(chain: HashChain) -> None:
    chain.append({})
    head = chain.path.with_name("audit.jsonl.head")
    seal = json.loads(chain.path.read_bytes())["seal"]
    first, earlier = chain.path.read_bytes(), head.read_bytes()
    for line in (sealed({}, 2, "b" * 64)[0], sealed({}, 3, seal)[0], b"nonsense\n"):
        chain.path.write_bytes(first + line)
        head.write_bytes(earlier)
        assert chain.append({}) == 2
        assert chain.verify().problem
    chain.path.write_bytes(first + sealed({}, 2, seal)[0])
    head.write_bytes(earlier)
    assert chain.append({}) == 3
    assert chain.verify() == Verification(3)


def test_a_log_with_neither_head_nor_a_line_begins_anew(chain: HashChain) -> None:
    chain.path.write_bytes(b"nonsense\n")
    assert chain.append({}) == 1
    assert "not a whole entry" in (chain.verify().problem or "")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux lists a process's open files there")
def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=3)
    before = os.listdir("/proc/self/fd")
    for _ in range(4):
        chain.append({})
    assert len(list(chain.entries())) == 3 and chain.verify().problem is None

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        chain.append({})
    monkeypatch.undo()
    assert os.listdir("/proc/self/fd") == before


def test_what_the_head_could_not_keep_is_taken_back_from_the_log(
    chain: HashChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.append({})
    size, write = chain.path.stat().st_size, os.write

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b"{"):
            return write(descriptor, data)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        chain.append({})
    assert chain.path.stat().st_size == size
    monkeypatch.undo()
    assert chain.append({}) == 2
    assert chain.verify() == Verification(2)
