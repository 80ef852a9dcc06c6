"""What is written down about a call, what never is, and that nothing is changed that cannot be written down."""

import json
import logging
import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from cliniko_mcp.approvals.questions import AskFirst, Question, Verdict
from cliniko_mcp.errors import ApprovalNeeded, Declined, NotAllowed, NotFound
from cliniko_mcp.guards.audit import Audit
from cliniko_mcp.guards.exclusion import Exclusion
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.pipeline import Caller, GuardedCall, Purpose, guarded
from cliniko_mcp.guards.read_only import ReadOnly
from tests.guards.gate import SYDNEY, App, Clock, Form, RoundTrip, call, on_its_way, passed, run

ARCHIVE = call("archive_patient", id="1")
READ = call("get_patient", id="1")


def audited(chain: HashChain, app: App) -> Audit:
    return Audit(LocalLog(chain), app.clock)


def lines(chain: HashChain) -> list[dict[str, Any]]:
    return [json.loads(line) for line in chain.path.read_text().splitlines()]


def test_a_read_is_one_line_and_a_change_is_two(chain: HashChain) -> None:
    app = App()
    audit = audited(chain, app)
    run(lambda: app.act(READ, Caller(principal="p", route="http"), guards=[audit]))
    run(lambda: app.act(ARCHIVE, Caller(asker=Form(Verdict.YES)), guards=[audit]))
    read, begun, ended = lines(chain)
    assert {key: read[key] for key in ("n", "time", "tool", "operation", "ids", "outcome", "channel")} == {
        "n": 1,
        "time": "2026-11-23T01:00:00.000000Z",
        "tool": "get_patient",
        "operation": "get_patient",
        "ids": {"id": "1"},
        "outcome": "ok",
        "channel": "none",
    }
    assert (read["principal"], read["route"]) == ("p", "http")
    assert (begun["outcome"], ended["outcome"], ended["channel"], ended["of"]) == ("begun", "ok", "form", 2)
    assert len({line["arguments"] for line in (begun, ended)}) == 1


def test_the_beginning_of_a_change_is_written_before_anything_is_sent(chain: HashChain) -> None:
    app = App()
    seen: list[str] = []

    async def act() -> None:
        seen.extend(line["outcome"] for line in lines(chain))

    run(lambda: passed([audited(chain, app)], on_its_way(ARCHIVE), act))
    assert seen == ["begun"]


class Denier:
    """Somebody who says no to everything."""

    answered = None

    async def ask(self, question: Question) -> Verdict:
        return Verdict.NO


@pytest.mark.parametrize(
    ("caller", "guards", "problem", "outcome", "channel"),
    [
        (Caller(), [ReadOnly()], NotAllowed, "not_allowed", "none"),
        (Caller(), [Exclusion(lambda _: {"archive_patient"}, set())], NotAllowed, "not_allowed", "none"),
        (Caller(), [], ApprovalNeeded, "approval_needed", "none"),
        (Caller(asker=Denier()), [], Declined, "declined", "form"),
        (Caller(asker=Denier(), route="terminal"), [], Declined, "declined", "terminal"),
        (Caller(asker=RoundTrip()), [], AskFirst, "asked", "none"),
    ],
)
def test_refusals_are_written_down_with_their_reason(
    chain: HashChain, caller: Caller, guards: list[Any], problem: type[Exception], outcome: str, channel: str
) -> None:
    app = App()
    with pytest.raises(problem):
        run(lambda: app.act(ARCHIVE, caller, guards=[audited(chain, app), *guards]))
    assert (lines(chain)[-1]["outcome"], lines(chain)[-1]["channel"]) == (outcome, channel)
    assert app.clinic.reached == []


def test_what_cliniko_refused_what_broke_and_what_was_cut_off_are_told_apart(chain: HashChain) -> None:
    audit = Audit(LocalLog(chain), Clock())

    async def told(problem: BaseException | None) -> None:
        async def act() -> None:
            if problem is None:
                await anyio.sleep(60)
            else:
                raise problem

        with anyio.move_on_after(0.01):
            await passed([audit], on_its_way(READ), act)

    with pytest.raises(NotFound):
        run(lambda: told(NotFound("No.")))
    with pytest.raises(ZeroDivisionError):
        run(lambda: told(ZeroDivisionError()))
    run(lambda: told(None))
    assert [line["outcome"] for line in lines(chain)] == ["not_found", "failed", "interrupted"]


def test_the_id_of_a_new_record_is_written_down_and_only_where_one_was_made(chain: HashChain) -> None:
    for made in ("123", None):
        passing = on_its_way(call("create_patient", first_name="Ana", last_name="Lima"))

        async def act(passing: GuardedCall = passing, made: str | None = made) -> None:
            passing.outcome.created = made

        run(lambda passing=passing, act=act: passed([Audit(LocalLog(chain), Clock())], passing, act))
    begun, ended, _, again = lines(chain)
    assert ("made" in begun, ended["made"], "made" in again) == (False, "123", False)


def test_a_line_says_how_many_requests_went_out(chain: HashChain) -> None:
    passing = on_its_way(READ)

    async def act() -> None:
        passing.outcome.requests.sent += 3

    run(lambda: passed([Audit(LocalLog(chain), Clock())], passing, act))
    app = App()
    with pytest.raises(NotAllowed):
        run(lambda: app.act(ARCHIVE, guards=[audited(chain, app), ReadOnly()]))
    assert [line.get("requests") for line in lines(chain)] == [3, None, 0]


@pytest.mark.parametrize("purpose", ["call", "label", "zone", "preview"])
def test_a_line_says_what_a_reading_was_for_unless_it_is_the_call_itself(chain: HashChain, purpose: Purpose) -> None:
    async def act() -> None:
        """Nothing is read here."""

    run(lambda: passed([Audit(LocalLog(chain), Clock())], replace(on_its_way(READ), purpose=purpose), act))
    assert lines(chain)[0].get("for") == (None if purpose == "call" else purpose)


def test_a_list_that_its_reader_has_seen_enough_of_ended_well(chain: HashChain) -> None:
    passing = on_its_way(call("list_patients"))
    went_on: list[str] = []

    async def rows() -> AsyncGenerator[int]:
        async with guarded([Audit(LocalLog(chain), Clock())], passing):
            for number in range(100):
                passing.outcome.requests.sent += 1
                yield number
        went_on.append("after the reader had left")

    async def story() -> None:
        async with aclosing(rows()) as numbers:
            async for number in numbers:
                if number == 1:
                    break

    run(story)
    assert [(line["outcome"], line["requests"]) for line in lines(chain)] == [("ok", 2)]
    assert went_on == []


def test_a_list_whose_reader_is_cancelled_while_it_waits_was_interrupted(chain: HashChain) -> None:
    async def rows() -> AsyncGenerator[int]:
        async with guarded([Audit(LocalLog(chain), Clock())], on_its_way(call("list_patients"))):
            yield 1
            await anyio.sleep_forever()

    async def story() -> None:
        with anyio.move_on_after(0.01):
            async with aclosing(rows()) as numbers:
                async for _ in numbers:
                    pass

    run(story)
    assert [line["outcome"] for line in lines(chain)] == ["interrupted"]


def test_a_change_that_a_guard_stops_after_its_beginning_was_written_has_its_end_written_too(chain: HashChain) -> None:
    class Broken:
        @asynccontextmanager
        async def __call__(self, guarded: GuardedCall) -> AsyncGenerator[None]:
            raise ZeroDivisionError
            yield

    app = App(allowed={"archive_patient"})
    with pytest.raises(ZeroDivisionError):
        run(lambda: app.act(ARCHIVE, guards=[audited(chain, app), Broken()]))
    begun, ended = lines(chain)
    assert (begun["outcome"], ended["outcome"], ended["of"]) == ("begun", "failed", begun["n"])
    assert app.clinic.reached == []


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a Unix clock")
def test_times_are_utc_wherever_the_server_stands(chain: HashChain, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App()
    app.clock.now = app.clock.now.astimezone(SYDNEY)
    monkeypatch.setenv("TZ", "Australia/Perth")
    time.tzset()
    try:
        run(lambda: app.act(READ, guards=[audited(chain, app)]))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert lines(chain)[0]["time"] == "2026-11-23T01:00:00.000000Z"


def test_no_name_note_number_or_secret_is_ever_written(chain: HashChain) -> None:
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
    app = App()
    app.clinic.records["patients"]["1"] |= {"first_name": "Wilhelmina", "last_name": "Quux"}
    run(lambda: app.act(created, guards=[audited(chain, app)]))
    caller = Caller(asker=Form(Verdict.YES), program="Quux")
    run(lambda: app.act(ARCHIVE, caller, guards=[audited(chain, app)]))
    noted = call("cancel_individual_appointment", id="20", cancellation_reason="sick", cancellation_note="HIV positive")
    run(lambda: app.act(noted, Caller(asker=Form(Verdict.YES)), guards=[audited(chain, app)]))
    found = call("list_patients", last_name="Quux", email="quux@example.org")
    run(lambda: app.act(found, guards=[audited(chain, app)]))
    text = chain.path.read_text()
    for secret in (*secrets.values(), "0412345678", "12345678"):
        assert secret not in text


def full(chain: HashChain) -> None:
    """Make every further line fail as it does on a full disk."""
    chain.path.parent.mkdir(parents=True, exist_ok=True)
    chain.path.unlink(missing_ok=True)
    chain.path.mkdir()


def test_what_cannot_be_written_down_is_not_done(chain: HashChain, caplog: pytest.LogCaptureFixture) -> None:
    app = App(allowed={"archive_patient"})
    full(chain)
    for change in (ARCHIVE, call("update_patient", id="1", notes="x"), call("create_tax", name="x", rate="1")):
        with pytest.raises(NotAllowed, match="written down") as refused:
            run(lambda change=change: app.act(change, guards=[audited(chain, app)]))
        assert str(chain.path) not in str(refused.value.as_json())
    with pytest.raises(NotAllowed):
        upload = call("get_attachment_presigned_post", patient_id="1")
        run(lambda: app.act(upload, guards=[audited(chain, app)]))
    assert app.clinic.reached == []
    assert "changes are refused" in caplog.text


def test_reads_go_on_with_one_warning_until_the_log_works_again(
    chain: HashChain, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    audit = audited(chain, app)
    full(chain)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            run(lambda: app.act(READ, guards=[audit]))
        assert len(caplog.records) == 1
        chain.path.rmdir()
        run(lambda: app.act(READ, guards=[audit]))
        full(chain)
        run(lambda: app.act(READ, guards=[audit]))
    assert len(caplog.records) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_is_not_taken_for_a_log() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        HashChain(Path("/dev/full")).append({})


@pytest.mark.skipif(os.name != "posix", reason="file modes are a Unix matter")
def test_the_log_is_for_its_owner_only(chain: HashChain) -> None:
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
        HashChain(tmp_path / "audit.jsonl").append({})
    assert (tmp_path / "precious").read_text() == "keep"
