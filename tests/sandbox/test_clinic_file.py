"""A clinic in a file: what was answered outlives any end of the process, and no other program's file is touched."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.sandbox.clinic_file import ClinicFile
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.store import PersistenceError

from .client import NOW, Client

SERVE = [sys.executable, "-m", "cliniko_mcp", "sandbox", "--port", "0", "--rate-limit", "0"]
HEADERS = {
    "Authorization": "Basic " + b64encode(b"demo-au1:").decode(),
    "User-Agent": "tests (desk@clinic.example)",
    "Content-Type": "application/json",
}


def opened(path: Path, seed: int = 1) -> Client:
    return Client(Sandbox(now=NOW, frozen=True, rate_limit=0, seed=seed, persistence=ClinicFile(str(path))))


@pytest.mark.long
def test_a_clinic_comes_back_as_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    client = opened(path, seed=5)
    booked = client.book("2026-11-30T00:00:00Z")
    tax = client.post("/taxes", {"name": "VAT", "rate": "20"})
    client.delete(f"/taxes/{tax['id']}")
    client.post("/patients", {"first_name": "Zoë", "last_name": "小红"})
    whole = client.sandbox.snapshot()
    client.sandbox.close()
    again = opened(path)
    assert again.sandbox.snapshot() == whole
    assert again.get(f"/individual_appointments/{booked['id']}") == booked
    assert int(again.book("2026-12-01T00:00:00Z")["id"]) > int(booked["id"])
    again.sandbox.reset()
    again.sandbox.close()
    fresh = opened(path)
    assert fresh.sandbox.snapshot() == Sandbox(now=NOW, frozen=True).snapshot()
    fresh.sandbox.close()


REAL = datetime(2027, 5, 1, 12, 0, tzinfo=UTC)


def run(path: Path, real: datetime, now: datetime | None = None, frozen: bool | None = None) -> Client:
    """The clinic as a program started at this real time opens it; None is a flag that was not given."""
    clinic = Sandbox(
        now=now or real, frozen=bool(frozen), rate_limit=0, monotonic=float, persistence=ClinicFile(str(path))
    )
    clinic.persist_clock(lambda: real, keep_now=now is not None, keep_frozen=frozen is not None)
    return Client(clinic)


@pytest.mark.long
def test_a_clinic_that_lives_in_real_time_goes_on_doing_so(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    client = run(path, REAL)
    client.get("/user")
    client.sandbox.close()
    for real in (REAL + timedelta(days=3), REAL + timedelta(days=40)):
        again = run(path, real)
        assert (again.sandbox.clock.now(), again.sandbox.clock.frozen) == (real, False)
        again.sandbox.close()


@pytest.mark.long
def test_a_clinic_in_a_time_of_its_own_stays_in_it(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    run(path, REAL, now=NOW).sandbox.close()
    client = run(path, REAL + timedelta(days=3))
    assert client.sandbox.clock.now() == NOW + timedelta(days=3)
    assert client.get("/individual_appointments", "starts_at:>2026-11-26T22:00:00Z")["total_entries"] > 100
    client.sandbox.clock.advance(timedelta(days=1))
    client.sandbox.close()
    again = run(path, REAL + timedelta(days=4))
    assert again.sandbox.clock.now() == NOW + timedelta(days=5)
    again.sandbox.reset()  # as at the start of this run
    assert again.sandbox.clock.now() == NOW + timedelta(days=5)
    again.sandbox.close()


def test_a_clock_that_stood_still_stands_where_it_stood(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    run(path, REAL, now=NOW, frozen=True).sandbox.close()
    client = run(path, REAL + timedelta(days=3))
    assert (client.sandbox.clock.now(), client.sandbox.clock.frozen) == (NOW, True)
    client.sandbox.clock.set(NOW + timedelta(hours=5))
    client.sandbox.close()
    again = run(path, REAL + timedelta(days=9))
    assert (again.sandbox.clock.now(), again.sandbox.clock.frozen) == (NOW + timedelta(hours=5), True)
    again.sandbox.clock.run()
    again.sandbox.close()
    running = run(path, REAL + timedelta(days=10))
    assert (running.sandbox.clock.now(), running.sandbox.clock.frozen) == (NOW + timedelta(days=1, hours=5), False)
    running.sandbox.clock.freeze()
    running.sandbox.close()
    assert run(path, REAL + timedelta(days=20)).sandbox.clock.now() == NOW + timedelta(days=1, hours=5)


def test_what_is_set_at_the_start_takes_precedence_over_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    run(path, REAL, now=NOW, frozen=True).sandbox.close()
    client = run(path, REAL, now=NOW + timedelta(days=7))
    assert (client.sandbox.clock.now(), client.sandbox.clock.frozen) == (NOW + timedelta(days=7), True)
    client.sandbox.close()
    other = run(path, REAL + timedelta(days=1), frozen=False)
    assert (other.sandbox.clock.now(), other.sandbox.clock.frozen) == (NOW + timedelta(days=7), False)
    other.sandbox.close()
    third = run(path, REAL + timedelta(days=2), frozen=True)
    assert (third.sandbox.clock.now(), third.sandbox.clock.frozen) == (NOW + timedelta(days=8), True)
    third.sandbox.close()


@pytest.mark.long
def test_a_snapshot_that_is_taken_over_brings_its_time_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    client = run(path, REAL, now=NOW)
    state = client.sandbox.snapshot()
    client.sandbox.clock.advance(timedelta(days=90))
    client.sandbox.restore(state)
    client.sandbox.close()
    assert run(path, REAL).sandbox.clock.now() == NOW


@pytest.mark.long
def test_a_snapshot_that_cannot_be_kept_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: ClinicFile, __: object) -> None:
        raise PersistenceError("the disk is full")

    client = run(tmp_path / "clinic.db", REAL, now=NOW)
    state = client.sandbox.snapshot()
    client.book("2026-11-30T00:00:00Z")
    kept = client.sandbox.snapshot()
    monkeypatch.setattr(ClinicFile, "replace", full)
    with pytest.raises(PersistenceError):
        client.sandbox.restore(state)
    assert client.sandbox.snapshot() == kept
    client.sandbox.close()


@pytest.mark.long
def test_one_program_at_a_time_and_no_other_program_s_file(tmp_path: Path) -> None:
    first = ClinicFile(str(tmp_path / "clinic.db"))
    with pytest.raises(ConfigurationError, match="another program has it open"):
        ClinicFile(str(tmp_path / "clinic.db"))
    first.close()
    (tmp_path / "letter.txt").write_text("Dear colleague, " * 100)
    with pytest.raises(ConfigurationError, match="cannot be used"):
        ClinicFile(str(tmp_path / "letter.txt"))
    other = sqlite3.connect(tmp_path / "books.db")
    other.execute("CREATE TABLE books (title TEXT)")
    other.commit()
    other.close()
    with pytest.raises(ConfigurationError, match="is not a demo clinic's file"):
        ClinicFile(str(tmp_path / "books.db"))
    with pytest.raises(ConfigurationError, match="cannot be used"):
        ClinicFile(str(tmp_path / "nowhere" / "clinic.db"))


@pytest.mark.long
def test_what_cannot_be_kept_has_not_happened(tmp_path: Path) -> None:
    persistence = ClinicFile(str(tmp_path / "clinic.db"))
    client = Client(Sandbox(now=NOW, frozen=True, rate_limit=0, persistence=persistence))
    before = client.sandbox.snapshot()["tables"]
    persistence._file.execute("PRAGMA query_only = ON")
    answer = client.request("POST", "/patients", body={"first_name": "Nia", "last_name": "Sample"})
    assert answer.status == 500 and b"cannot be written" in answer.body
    assert client.sandbox.snapshot()["tables"] == before
    persistence._file.execute("PRAGMA query_only = OFF")
    assert client.post("/patients", {"first_name": "Nia", "last_name": "Sample"})["label"] == "Nia Sample"
    client.sandbox.close()


def start(path: Path, *flags: str) -> tuple["subprocess.Popen[str]", int]:
    process = subprocess.Popen([*SERVE, "--sandbox-file", str(path), *flags], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in iter(process.stdout.readline, ""):
        if found := re.match(r"url http://127\.0\.0\.1:(\d+)/v1", line):
            return process, int(found[1])
    raise AssertionError("it did not start")


def ended(process: "subprocess.Popen[str]") -> None:
    process.wait(300)
    assert process.stdout is not None
    process.stdout.close()


def request(port: int, method: str, path: str, body: Any = None) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request(method, path, json.dumps(body) if body else None, HEADERS)
        answer = connection.getresponse()
        return json.loads(answer.read() or b"null")
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_clock_that_was_moved_from_outside_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    process, port = start(path, "--sandbox-now", "2026-11-24T09:00+11:00", "--sandbox-clock", "frozen")
    clock = {"now": "2026-11-24T22:00:00Z", "frozen": True}
    assert request(port, "POST", "/_sandbox/clock", {"advance": 86400}) == clock
    process.kill()
    ended(process)
    again, port = start(path)
    try:
        assert request(port, "GET", "/_sandbox/clock") == clock
        assert request(port, "GET", "/v1/individual_appointments?q[]=starts_at:>2026-11-24T22:00:00Z")["total_entries"]
    finally:
        again.terminate()
        ended(again)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.parametrize("after", [0.05, 0.21])
def test_a_kill_at_any_moment_leaves_every_answered_change_whole_and_no_half_of_another(
    tmp_path: Path, after: float
) -> None:
    path = tmp_path / "clinic.db"
    process, port = start(path)
    ids = {
        f"{name}_id": request(port, "GET", f"/v1/{name}s?sort=id")[f"{name}s"][0]["id"]
        for name in ("patient", "practitioner", "appointment_type")
    }
    site = request(port, "GET", "/v1/businesses?sort=id:desc")["businesses"][0]["id"]
    rule = {"repeat_type": "Daily", "number_of_repeats": 9, "repeating_interval": 1}
    body = {**ids, "business_id": site, "starts_at": "2031-01-01T00:00:00Z", "repeat_rule": rule}
    answered: list[str] = []
    killer = Timer(after, process.send_signal, (signal.SIGKILL,))
    try:
        request(port, "GET", "/v1/user")
        killer.start()
        while True:
            answered.append(request(port, "POST", "/v1/individual_appointments", body)["id"])
    except (OSError, HTTPException, ValueError):
        pass
    finally:
        killer.join()
        ended(process)
    kept = sqlite3.connect(path)
    found = kept.execute("SELECT row FROM rows WHERE resource = 'individual_appointments'").fetchall()
    seats = kept.execute("SELECT row FROM rows WHERE resource = 'attendees'").fetchall()
    assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept.close()
    rows = [row for (text,) in found if (row := json.loads(text))["starts_at"] >= "2031"]
    firsts = {row["id"] for row in rows if "repeated_from_id" not in row}
    assert set(answered) <= firsts and len(firsts) <= len(answered) + 1
    # A series is ten appointments with ten attendees: all of it is there, or none.
    assert len(rows) == 10 * len(firsts)
    booked = {json.loads(text)["booking_id"] for (text,) in seats}
    assert {row["id"] for row in rows} <= booked
    again, port = start(path)
    try:
        for one in answered:
            assert request(port, "GET", f"/v1/individual_appointments/{one}")["id"] == one
    finally:
        again.terminate()
        ended(again)
