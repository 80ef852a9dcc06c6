"""Changes that were cut off are told at the next start, once, from what the audit log has of them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import OutcomeUnknown, Unavailable
from cliniko_mcp.guards.cut_off import cut_off, stopped
from cliniko_mcp.guards.hash_chain import HashChain


@pytest.fixture
def chain(tmp_path: Path) -> HashChain:
    return HashChain(tmp_path / "audit.jsonl")


def begin(chain: HashChain, operation: str, **ids: str) -> int:
    return chain.append(line(operation, "begun", **ids))


def line(operation: str, outcome: str, **ids: str) -> dict[str, Any]:
    return {"time": "2026-11-24T09:05:07.000001Z", "operation": operation, "ids": dict(ids), "outcome": outcome}


def test_what_was_killed_or_interrupted_is_told_once(chain: HashChain) -> None:
    begin(chain, "create_patient")
    number = begin(chain, "archive_patient", id="7")
    chain.append({**line("archive_patient", "interrupted", id="7"), "of": number})
    chain.append(line("list_patients", "interrupted"))
    assert cut_off(chain) == ["create_patient, 2026-11-24 09:05:07 UTC", "archive_patient 7, 2026-11-24 09:05:07 UTC"]
    assert cut_off(chain) == []
    begin(chain, "update_patient", id="8")
    assert cut_off(chain) == ["update_patient 8, 2026-11-24 09:05:07 UTC"]


def test_a_log_that_is_not_there_or_cannot_be_read_tells_nothing(chain: HashChain) -> None:
    assert cut_off(chain) == []
    assert list(chain.path.parent.iterdir()) == []
    chain.path.mkdir()
    assert cut_off(chain) == []


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(ends=st.lists(st.sampled_from(["ok", "failed", "declined", "interrupted", "killed"]), max_size=8))
def test_every_change_with_an_end_of_its_own_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, ends: list[str]
) -> None:
    chain = HashChain(tmp_path_factory.mktemp("log") / "audit.jsonl")
    for number, end in enumerate(ends):
        begun = begin(chain, "update_patient", id=str(number))
        if end != "killed":
            chain.append({**line("update_patient", end, id=str(number)), "of": begun})
    expected = [str(number) for number, end in enumerate(ends) if end in ("interrupted", "killed")]
    assert [told.split(",")[0].split()[1] for told in cut_off(chain)] == expected[-5:]


def test_of_many_the_last_five_are_told_and_a_mark_that_cannot_be_read_tells_them_again(chain: HashChain) -> None:
    for number in range(7):
        begin(chain, "update_patient", id=str(number))
    expected = [f"update_patient {number}, 2026-11-24 09:05:07 UTC" for number in range(2, 7)]
    assert cut_off(chain) == expected
    chain.path.with_name(f"{chain.path.name}.told").write_text("x\n", "utf-8")
    assert cut_off(chain) == expected


def test_the_very_first_change_is_told_where_the_mark_cannot_be_read(chain: HashChain) -> None:
    begin(chain, "create_patient")
    assert len(cut_off(chain)) == 1
    chain.path.with_name(f"{chain.path.name}.told").write_text("x\n", "utf-8")
    assert len(cut_off(chain)) == 1


def test_a_read_that_a_stop_ends_changed_nothing_and_of_a_change_nobody_knows() -> None:
    assert isinstance(stopped(Risk.READ), Unavailable)
    for risk in (Risk.WRITE, Risk.DESTRUCTIVE):
        change = stopped(risk)
        assert isinstance(change, OutcomeUnknown) and "look in the clinic" in change.fix
    assert stopped(Risk.WRITE, "Look at the roster.").fix == "Look at the roster."
