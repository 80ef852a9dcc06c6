"""The end of the audit log as the next writer finds it, whatever happened to the head or to the last line."""

import json
from pathlib import Path

import pytest

from cliniko_mcp.guards.hash_chain import START, HashChain, Head, Verification, sealed
from cliniko_mcp.private_files import write_private


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "audit.jsonl")


def head_of(chain: HashChain) -> Path:
    return chain.path.with_name("audit.jsonl.head")


def fits(chain: HashChain) -> bool:
    """Whether the head says of the log what is so."""
    last = json.loads(chain.path.read_bytes().splitlines()[-1])
    return Head.read(head_of(chain).read_bytes()) == Head(last["n"], last["seal"], chain.path.stat().st_size)


def test_the_head_fits_the_log_from_the_first_line_on(chain: HashChain) -> None:
    for number in range(3):
        chain.append({"x": number})
        assert fits(chain)


def test_the_head_fits_a_part_that_has_just_begun(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=2)
    for _ in range(3):
        chain.append({})
        assert fits(chain)


@pytest.mark.parametrize("torn", [b"{", b'{"n":3,"half', b"x" * 300])
@pytest.mark.parametrize("lost", [False, True])
def test_after_a_torn_line_head_and_log_fit_again_with_or_without_an_earlier_head(
    chain: HashChain, torn: bytes, lost: bool
) -> None:
    chain.append({})
    chain.append({})
    with chain.path.open("ab") as file:
        file.write(torn)
    if lost:
        head_of(chain).unlink()
    assert chain.append({}) == 3
    assert fits(chain)
    assert chain.verify() == Verification(3)


def test_a_log_that_is_nothing_but_a_torn_line_begins_with_the_first(chain: HashChain) -> None:
    chain.path.write_bytes(b'{"n":')
    assert chain.append({}) == 1
    assert fits(chain)
    assert json.loads(chain.path.read_bytes())["before"] == START


def test_a_head_that_cannot_be_read_is_found_again_from_the_last_of_many_lines(chain: HashChain) -> None:
    for _ in range(100):
        chain.append({"x": "y" * 100})
    head_of(chain).write_bytes(b"nonsense")
    assert chain.append({}) == 101
    assert fits(chain)
    assert chain.verify() == Verification(101)


def test_of_two_lines_that_the_head_does_not_know_neither_counts(chain: HashChain) -> None:
    chain.append({})
    earlier = head_of(chain).read_bytes()
    chain.append({})
    chain.append({})
    head_of(chain).write_bytes(earlier)
    assert chain.append({}) == 2
    assert "missing, added or moved before audit.jsonl line 4" in (chain.verify().problem or "")


def test_a_log_that_was_emptied_goes_on_from_its_head_and_shows_it(chain: HashChain) -> None:
    chain.append({})
    chain.path.write_bytes(b"")
    assert chain.verify() == Verification(0, "entries are missing at the end")
    assert chain.append({}) == 2
    assert chain.verify() == Verification(0, "entries are missing before audit.jsonl line 1")


def test_an_empty_log_with_an_empty_head_is_whole(chain: HashChain) -> None:
    write_private(head_of(chain), Head().text().decode())
    assert chain.verify() == Verification(0)
    assert chain.append({}) == 1
    assert chain.verify() == Verification(1)


def test_lines_that_came_while_the_log_was_read_do_not_hide_that_an_earlier_one_was_exchanged(chain: HashChain) -> None:
    first, seal = sealed({}, 1, START)
    second, last = sealed({}, 2, seal)
    chain.path.write_bytes(first + second)
    write_private(head_of(chain), Head(1, seal, len(first)).text().decode())
    assert chain.verify() == Verification(2)
    write_private(head_of(chain), Head(1, last, len(first)).text().decode())
    assert chain.verify() == Verification(0, "audit.jsonl line 1 is not the entry that was last written")


@pytest.mark.parametrize(("number", "fitting"), [(3, False), (2, True), (4, True), (1, False)])
def test_a_line_counts_only_with_the_number_and_the_seal_that_come_next(
    chain: HashChain, number: int, fitting: bool
) -> None:
    chain.append({})
    chain.append({})
    seal = json.loads(chain.path.read_bytes().splitlines()[-1])["seal"]
    with chain.path.open("ab") as file:
        file.write(sealed({}, number, seal if fitting else START)[0])
    assert chain.verify() == Verification(2, "entries are missing, added or moved before audit.jsonl line 3")


def test_where_the_log_begins_with_a_later_line_the_ones_after_it_still_have_to_follow(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=1)
    for _ in range(3):
        chain.append({})
    assert chain.verify() == Verification(1)
    with chain.path.open("ab") as file:
        file.write(sealed({}, 4, START)[0])
    assert chain.verify() == Verification(1, "entries are missing, added or moved before audit.jsonl line 2")


def test_what_lies_beside_the_log_under_a_further_number_is_not_of_it(tmp_path: Path) -> None:
    chain = HashChain(tmp_path / "audit.jsonl", segment_bytes=1, max_segments=3)
    for _ in range(4):
        chain.append({})
    (tmp_path / "audit.jsonl.3").write_bytes(b"nonsense")
    assert [path.name for path in chain.files()] == ["audit.jsonl.2", "audit.jsonl.1", "audit.jsonl"]
    assert chain.verify() == Verification(3)
