"""What is written down about a call, what never is, and that nothing is changed that cannot be written down."""

import hashlib
import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from cliniko_mcp.errors import ApprovalNeeded, Declined, NotAllowed, NotFound
from cliniko_mcp.guardrails.audit import Audit
from cliniko_mcp.guardrails.call import AskFirst, Caller, GuardedCall, Question, Verdict, guard
from cliniko_mcp.guardrails.chain import Chain
from cliniko_mcp.guardrails.exclusion import Exclusion
from cliniko_mcp.guardrails.readonly import ReadOnly

from .house import SYDNEY, Clock, Form, House, RoundTrip, call, run

ARCHIVE = call("archive_patient", id="1")
READ = call("get_patient", id="1")


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path / "kept" / "audit.jsonl")


def audited(chain: Chain, house: House) -> Audit:
    return Audit(chain, house.clock)


def lines(chain: Chain) -> list[dict[str, Any]]:
    return [json.loads(line) for line in chain.path.read_text().splitlines()]


def test_a_read_is_one_line_and_a_change_is_two(chain: Chain) -> None:
    house = House()
    audit = audited(chain, house)
    run(lambda: house.act(READ, Caller(principal="p", route="http"), layers=[audit]))
    run(lambda: house.act(ARCHIVE, Caller(asker=Form(Verdict.YES)), layers=[audit]))
    read, begun, ended = lines(chain)
    assert {key: read[key] for key in ("n", "time", "tool", "operation", "ids", "outcome", "rung")} == {
        "n": 1,
        "time": "2026-11-23T01:00:00.000000Z",
        "tool": "get_patient",
        "operation": "get_patient",
        "ids": {"id": "1"},
        "outcome": "ok",
        "rung": "none",
    }
    assert (read["principal"], read["route"]) == ("p", "http")
    assert (begun["outcome"], ended["outcome"], ended["rung"], ended["of"]) == ("begun", "ok", "form", 2)
    assert len({line["arguments"] for line in (begun, ended)}) == 1


def test_the_beginning_of_a_change_is_written_before_anything_is_sent(chain: Chain) -> None:
    house = House()
    seen: list[str] = []

    async def act() -> None:
        seen.extend(line["outcome"] for line in lines(chain))

    guarded = GuardedCall(ARCHIVE, "archive_patient", Caller())
    run(lambda: guard([audited(chain, house)], guarded, act))
    assert seen == ["begun"]


class Denier:
    """Somebody who says no to everything."""

    answered = None

    async def ask(self, question: Question) -> Verdict:
        return Verdict.NO


@pytest.mark.parametrize(
    ("caller", "layers", "problem", "outcome", "rung"),
    [
        (Caller(), [ReadOnly()], NotAllowed, "not_allowed", "none"),
        (Caller(), [Exclusion({"archive_patient"})], NotAllowed, "not_allowed", "none"),
        (Caller(), [], ApprovalNeeded, "approval_needed", "none"),
        (Caller(asker=Denier()), [], Declined, "declined", "form"),
        (Caller(asker=Denier(), route="terminal"), [], Declined, "declined", "terminal"),
        (Caller(asker=RoundTrip()), [], AskFirst, "asked", "none"),
    ],
)
def test_refusals_are_written_down_with_their_reason(
    chain: Chain, caller: Caller, layers: list[Any], problem: type[Exception], outcome: str, rung: str
) -> None:
    house = House()
    with pytest.raises(problem):
        run(lambda: house.act(ARCHIVE, caller, layers=[audited(chain, house), *layers]))
    assert (lines(chain)[-1]["outcome"], lines(chain)[-1]["rung"]) == (outcome, rung)
    assert house.clinic.reached == []


def test_what_cliniko_refused_what_broke_and_what_was_cut_off_are_told_apart(chain: Chain) -> None:
    audit = Audit(chain, Clock())

    async def told(problem: BaseException | None) -> None:
        async def act() -> None:
            if problem is None:
                await anyio.sleep(60)
            else:
                raise problem

        with anyio.move_on_after(0.01):
            await guard([audit], GuardedCall(READ, "get_patient", Caller()), act)

    with pytest.raises(NotFound):
        run(lambda: told(NotFound("No.")))
    with pytest.raises(ZeroDivisionError):
        run(lambda: told(ZeroDivisionError()))
    run(lambda: told(None))
    assert [line["outcome"] for line in lines(chain)] == ["not_found", "failed", "interrupted"]


def test_the_id_of_a_new_record_is_written_down(chain: Chain) -> None:
    created = call("create_patient", first_name="Ana", last_name="Lima")
    operation = created.operation
    assert operation.record is not None
    record = operation.record.read({"id": "123", "first_name": "Ana"})

    async def act() -> Any:
        return record

    run(lambda: guard([Audit(chain, Clock())], GuardedCall(created, "create_patient", Caller()), act))
    assert lines(chain)[-1]["made"] == "123"


def test_what_is_not_an_id_is_not_written_down_as_one(chain: Chain) -> None:
    created = call("create_patient", first_name="Ana", last_name="Lima")
    operation = created.operation
    assert operation.record is not None
    record = operation.record.read({"id": "Ana Lima"})

    async def act() -> Any:
        return record

    run(lambda: guard([Audit(chain, Clock())], GuardedCall(created, "create_patient", Caller()), act))
    assert lines(chain)[-1]["made"] is None


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a Unix clock")
def test_times_are_utc_wherever_the_server_stands(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    house.clock.now = house.clock.now.astimezone(SYDNEY)
    monkeypatch.setenv("TZ", "Australia/Perth")
    time.tzset()
    try:
        run(lambda: house.act(READ, layers=[audited(chain, house)]))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert lines(chain)[0]["time"] == "2026-11-23T01:00:00.000000Z"


def test_no_name_note_number_or_secret_is_ever_written(chain: Chain) -> None:
    secrets = {
        "first_name": "Wilhelmina",
        "last_name": "Quux",
        "email": "quux@example.org",
        "notes": "HIV positive",
        "medicare": "2950123451",
    }
    created = call(
        "create_patient", **secrets, patient_phone_numbers=[{"phone_type": "Mobile", "number": "0412345678"}]
    )
    house = House()
    house.clinic.records["patients"]["1"] |= {"first_name": "Wilhelmina", "last_name": "Quux"}
    run(lambda: house.act(created, layers=[audited(chain, house)]))
    caller = Caller(asker=Form(Verdict.YES), program="Quux")
    run(lambda: house.act(ARCHIVE, caller, layers=[audited(chain, house)]))
    noted = call("cancel_individual_appointment", id="20", cancellation_reason="sick", cancellation_note="HIV positive")
    run(lambda: house.act(noted, Caller(asker=Form(Verdict.YES)), layers=[audited(chain, house)]))
    found = call("list_patients", last_name="Quux", email="quux@example.org")
    run(lambda: house.act(found, layers=[audited(chain, house)]))
    text = chain.path.read_text()
    for secret in (*secrets.values(), "0412345678", "12345678"):
        assert secret not in text


def full(chain: Chain) -> None:
    """Make every further line fail as it does on a full disk."""
    chain.path.parent.mkdir(parents=True, exist_ok=True)
    chain.path.unlink(missing_ok=True)
    chain.path.mkdir()


def test_what_cannot_be_written_down_is_not_done(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    house = House(allowed={"archive_patient"})
    full(chain)
    for change in (ARCHIVE, call("update_patient", id="1", notes="x"), call("create_tax", name="x", rate="1")):
        with pytest.raises(NotAllowed, match="written down") as refused:
            run(lambda change=change: house.act(change, layers=[audited(chain, house)]))
        assert str(chain.path) not in str(refused.value.as_json())
    with pytest.raises(NotAllowed):
        upload = call("get_attachment_presigned_post", patient_id="1")
        run(lambda: house.act(upload, layers=[audited(chain, house)]))
    assert house.clinic.reached == []
    assert "changes are refused" in caplog.text


def test_reads_go_on_with_one_warning_until_the_log_works_again(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    audit = audited(chain, house)
    full(chain)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            run(lambda: house.act(READ, layers=[audit]))
        assert len(caplog.records) == 1
        chain.path.rmdir()
        run(lambda: house.act(READ, layers=[audit]))
        full(chain)
        run(lambda: house.act(READ, layers=[audit]))
    assert len(caplog.records) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_not_taken_for_a_log() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        Chain(Path("/dev/full")).append({})


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_the_log_is_for_its_owner_only(chain: Chain) -> None:
    old = os.umask(0)
    try:
        chain.append({})
    finally:
        os.umask(old)
    assert chain.path.parent.stat().st_mode & 0o777 == 0o700
    for path in chain.path.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    chain.path.chmod(0o644)
    chain.append({})
    assert chain.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="links are a Unix matter")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        Chain(tmp_path / "audit.jsonl").append({})
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_whole_chain_verifies(chain: Chain) -> None:
    for number in range(5):
        assert chain.append({"x": number}) == number + 1
    assert chain.verify() == type(chain.verify())(5, None)
    assert Chain(chain.path.with_name("other.jsonl")).verify().problem is None


def with_seal(body: bytes) -> bytes:
    """A line that nobody of ours would write, with the seal that fits it."""
    return body[:-1] + b',"seal":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def tampered(chain: Chain, change: Any) -> str:
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
def test_every_kind_of_tampering_is_noticed(chain: Chain, change: Any, problem: str) -> None:
    assert problem in tampered(chain, change)


def test_lines_that_were_cut_off_stay_noticed_when_more_are_written(chain: Chain) -> None:
    assert tampered(chain, lambda kept: kept[:3])
    chain.append({"x": "later"})
    assert "missing" in (chain.verify().problem or "")


def test_a_line_put_in_at_the_end_is_noticed(chain: Chain) -> None:
    from cliniko_mcp.guardrails.chain import sealed

    def forge(kept: list[bytes]) -> list[bytes]:
        return [*kept[:4], sealed({"x": "forged"}, 5, json.loads(kept[3])["seal"])[0]]

    assert "not the entry that was last written" in tampered(chain, forge)


def test_a_first_line_that_is_not_the_first_is_noticed(chain: Chain) -> None:
    from cliniko_mcp.guardrails.chain import sealed

    assert "missing, added or moved before audit.jsonl line 1" in tampered(
        chain, lambda kept: [sealed({}, 1, "1" * 64)[0]]
    )


def test_a_lost_head_is_noticed_and_the_chain_goes_on(chain: Chain) -> None:
    chain.append({"x": 1})
    chain.path.with_name("audit.jsonl.head").unlink()
    assert "record of the last entry is missing" in (chain.verify().problem or "")
    assert chain.append({"x": 2}) == 2
    assert chain.verify().problem is None


def test_a_process_that_ended_between_line_and_head_breaks_nothing(chain: Chain) -> None:
    head = chain.path.with_name("audit.jsonl.head")
    chain.append({"x": 1})
    earlier = head.read_bytes()
    chain.append({"x": 2})
    head.write_bytes(earlier)
    assert chain.verify().problem is None
    assert chain.append({"x": 3}) == 3
    assert chain.verify() == type(chain.verify())(3, None)


def test_a_torn_last_line_is_dropped_by_the_next_writer(chain: Chain) -> None:
    chain.append({"x": 1})
    with chain.path.open("ab") as file:
        file.write(b'{"n":2,"x"')
    assert chain.append({"x": 2}) == 2
    assert chain.verify() == type(chain.verify())(2, None)


def test_a_line_that_does_not_fit_leaves_nothing_behind(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_log_is_turned_over_bounded_and_stays_one_chain(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "audit.jsonl", part=2_000, parts=3)
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
    chain = Chain(tmp_path / "audit.jsonl", part=500, parts=1)
    for number in range(10):
        chain.append({"x": number})
    assert [path.name for path in chain.files()] == ["audit.jsonl"]
    assert chain.verify().problem is None


WRITER = """
import sys
from pathlib import Path
from cliniko_mcp.guardrails.chain import Chain
chain = Chain(Path(sys.argv[1]), part=20_000)
for number in range(100):
    chain.append({"who": sys.argv[2], "x": number})
"""


def test_several_processes_write_one_whole_chain(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "audit.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(4)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0, 0]
    chain = Chain(path)
    assert chain.verify() == type(chain.verify())(400, None)


def test_a_log_that_is_being_written_verifies(tmp_path: Path) -> None:
    chain = Chain(tmp_path / "audit.jsonl")
    chain.append({})
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.is_set():
            chain.append({})

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        assert [Chain(chain.path).verify().problem for _ in range(30)] == [None] * 30
    finally:
        stop.set()
        writer.join()


def test_a_lock_that_is_never_given_back_is_not_waited_for_for_ever(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cliniko_mcp.guardrails import lock

    monkeypatch.setattr(lock, "_PATIENCE", 0.01)
    chain.append({})
    with (
        chain.path.with_name("audit.jsonl.head").open("r+") as head,
        lock.held(head.fileno()),
        pytest.raises(OSError, match="another process"),
    ):
        chain.append({})
