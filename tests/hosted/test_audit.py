"""The audit log of two replicas in Postgres, one chain a clinic: nothing is missing, and nothing is done unwritten."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cliniko_mcp.directory.clinics import read_clinics
from tests.faults.process import PATIENT
from tests.hosted.replicas import (
    ACCOUNT,
    RING,
    ClinicApart,
    Replicas,
    call,
    clinic_apart,
    command,
    envelope,
    line_with,
    replicas,
)
from tests.hosted.test_clinics import clinics
from tests.postgres import PostgresServer
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long
ROLE = "hosted_app"


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", "0") as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit")


@pytest.fixture(scope="module")
def owner(postgres: PostgresServer) -> str:
    url = postgres.database()
    postgres.do(url, f"CREATE ROLE {ROLE} LOGIN")
    with command("audit", "setup", "--role", ROLE, "--database", "env:OWNER", OWNER=url) as process:
        assert process.wait(PATIENT) == 0
    return url


@pytest.fixture(scope="module")
def two(folder: Path, redis: RedisServer, clinic: ClinicApart, owner: str) -> Iterator[Replicas]:
    file = folder / "clinics.toml"
    (folder / "hosted.toml").write_text(f'keys = ["env:RING"]\nclinics = "{file}"\n')
    clinics(folder, "add", "north", "--base-url", clinic.url, "--people", "ana,ben", "--key-stdin", key="demo-au1")
    for entry in read_clinics(file).clinic:
        redis.trusted(entry.account)
    more = f'clinics = "{file}"\n[redis]\nurl = "{redis.url}"\n[admin]\nport = 0\n[audit]\npostgres = "env:AUDIT"\n'
    audit = owner.replace("tests@", f"{ROLE}@")
    with replicas(folder, more, people={"ana": {}, "ben": {}}, CLINIKO_API_KEY="", AUDIT=audit) as found:
        yield found


def ran(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """The exit code of a command, and what it printed on both."""
    with command("audit", *arguments, RING=RING, **ACCOUNT, **environ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.close()
        printed, told = process.stdout.read().decode(), process.stderr.read().decode()
        return process.wait(PATIENT), printed, told


@pytest.fixture
def about(folder: Path, owner: str) -> dict[str, Any]:
    """What `ran` needs beside the command to look at the servers' log."""
    return {"AUDIT": owner.replace("tests@", f"{ROLE}@"), "OWNER": owner}


def exported(folder: Path, about: dict[str, Any], *more: str) -> list[dict[str, Any]]:
    told = ("export", "--hosted", str(folder / "hosted.toml"), "--clinic", "north", *more)
    code, printed, complained = ran(*told, **about)
    assert code == 0, complained
    return [json.loads(line) for line in printed.splitlines()]


def make(two: Replicas, number: int) -> str:
    made = envelope(call(two.address, "ana", "create_patient", first_name="Mo", last_name=f"Number {number}"))
    return str(made.get("code", "made"))


def test_of_twenty_at_once_at_two_replicas_every_change_stands_in_one_chain_twice(
    two: Replicas, folder: Path, about: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(20) as calls:
        assert set(calls.map(lambda number: make(two, number), range(40))) == {"made"}
    assert min(Counter(two.balancer.came).values()) >= 10
    code, printed, told = ran("verify", "--hosted", str(folder / "hosted.toml"), "--clinic", "north", **about)
    assert (code, told) == (0, "")
    assert printed.startswith("north: ") and "all as they were written" in printed
    give_up_at = time.monotonic() + 20
    while True:  # ends follow within a second, of a server that has the time
        lines = exported(folder, about)
        changes = [line for line in lines if line["operation"] == "create_patient"]
        if len(changes) == 80 or time.monotonic() > give_up_at:
            break
    begun = {line["n"] for line in changes if line["outcome"] == "begun"}
    assert begun == {line["of"] for line in changes if line["outcome"] == "ok"} and len(begun) == 40
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["principal"] for line in lines} == {"people:ana"}
    assert not list(folder.glob("audit*"))


def test_each_replica_shows_how_long_postgres_took_and_what_waits_for_it(two: Replicas) -> None:
    assert make(two, 99) == make(two, 100) == "made"
    for ready in two.admin:
        figures = httpx2.get(ready.replace("/readyz", "/metrics"), timeout=PATIENT, trust_env=False).text
        assert 'cliniko_mcp_store_seconds_count{store="postgres"}' in figures
        assert "cliniko_mcp_audit_queue_lines " in figures


def test_without_postgres_nothing_is_changed_and_reads_go_on_and_are_written_down_later(
    two: Replicas, clinic: ClinicApart, folder: Path, about: dict[str, Any], postgres: PostgresServer
) -> None:
    before = len(exported(folder, about))
    postgres.stop()
    clinic.forget_requests()
    refused = [call(two.address, "ben", "create_patient", first_name="Mo", last_name="Never") for _ in range(4)]
    assert {(envelope(one)["code"], envelope(one)["reason"]) for one in refused} == {("not_allowed", "audit")}
    assert "the database of the audit log" in envelope(refused[0])["message"]
    assert clinic.requests("POST") == []
    for _ in range(10):
        assert envelope(call(two.address, "ben", "list_patients", limit=1))["items"]
    postgres.start()
    while make(two, 100) != "made":
        pass
    told = ("export", "--hosted", str(folder / "hosted.toml"), "--clinic", "north")
    while Counter(line["operation"] for line in exported(folder, about)[before:])["list_patients"] < 10:
        pass
    code, printed, complained = ran("verify", "--hosted", told[2], **about)
    assert code == 0, complained
    assert printed.startswith("north: ")


def test_a_server_that_stops_writes_what_waits(two: Replicas, folder: Path, about: dict[str, Any]) -> None:
    """Last, as one is left."""
    before = len(exported(folder, about))
    for _ in range(20):
        envelope(call(two.address, "ana", "list_practitioners", limit=1))
    for process in two.processes:
        process.send_signal(signal.SIGTERM)
    assert [process.wait(PATIENT) for process in two.processes] == [0, 0]
    reads = [line for line in exported(folder, about)[before:] if line["operation"] == "list_practitioners"]
    assert len(reads) == 20


def test_a_server_for_one_clinic_has_one_chain(
    tmp_path: Path, clinic: ClinicApart, about: dict[str, Any], folder: Path
) -> None:
    flags = ("--base-url", clinic.url)
    more = '[audit]\npostgres = "env:AUDIT"\n[admin]\nport = 0\n'
    with replicas(tmp_path, more, *flags, number=1, AUDIT=about["AUDIT"]) as one:
        assert make(one, 1) == "made"
        assert envelope(call(one.address, "ana", "list_businesses", limit=1))["items"]
        one.processes[0].send_signal(signal.SIGTERM)
        assert one.processes[0].wait(PATIENT) == 0
    told = ("export", "--hosted", str(tmp_path / "hosted.toml"), "--clinic", "_server")
    lines = [json.loads(line) for line in ran(*told, **about)[1].splitlines()]
    assert {"create_patient", "list_businesses"} <= {line["operation"] for line in lines}
    code, printed, _ = ran("verify", *told[1:3], **about)
    assert code == 0 and "_server: " in printed and "north: " in printed and printed.endswith("2 chains.\n")
    stream = tmp_path / "stream"
    serving = ("serve", "--hosted", told[2], "--port", "0", *flags)
    with command(*serving, RING=RING, AUDIT=about["AUDIT"], **ACCOUNT) as another:
        stream.write_text(line_with(another.stderr, r"(audit head _server line \d+ seal [0-9a-f]{64})"))
    code, printed, _ = ran("verify", *told[1:], "--anchors", str(stream), **about)
    assert (code, f"{len(lines)} lines, all as they were written. 1 of its heads stand" in printed) == (0, True)
    stream.write_text(f"audit head north line 1 seal {'a' * 64}\n")
    code, printed, complained = ran("verify", *told[1:3], "--anchors", str(stream), **about)
    assert code == 1 and "north line 1 is not the one that the log stream tells of" in complained


def test_what_is_old_is_dropped_by_the_owner_alone_and_an_export_goes_to_a_new_file(
    folder: Path, about: dict[str, Any]
) -> None:
    hosted = ("--hosted", str(folder / "hosted.toml"), "--clinic", "north")
    lines = exported(folder, about)
    assert exported(folder, about, "--since", "2000-01-01") == lines
    assert exported(folder, about, "--since", "2100-01-01") == []
    out = folder / "north.jsonl"
    assert ran("export", *hosted, "--out", str(out), **about)[0] == 0
    assert [json.loads(line) for line in out.read_text().splitlines()] == lines
    assert out.stat().st_mode & 0o777 == 0o600
    assert "cannot be written" in ran("export", *hosted, "--out", str(out), **about)[2]
    close = ("close", *hosted, "--before", "2100-01-01")
    assert "Add --yes" in ran(*close, **about)[2]
    assert "the owner of its tables" in ran(*close, "--yes", **about)[2]
    code, printed, told = ran(*close, "--yes", "--database", "env:OWNER", **about)
    assert (code, told) == (0, "") and f"{len(lines):,} lines dropped" in printed
    code, printed, told = ran("verify", *hosted, **about)
    assert (code, told) == (0, "") and f"{len(lines):,} lines before them were dropped" in printed
    code, _, told = ran("verify", *hosted[:3], "south", **about)
    assert code == 1 and "there is no audit log of south" in told
