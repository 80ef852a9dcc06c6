"""A server for many in a process of its own: its metrics, the traces that it sends and its log, all of one run."""

import json
import re
import signal
from pathlib import Path
from threading import Thread

import httpx2
import pytest

from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from cliniko_mcp.telemetry.limit_use import account_digest
from tests import warm
from tests.faults.process import PATIENT
from tests.hosted.replicas import (
    ACCOUNT,
    PUBLIC,
    RING,
    call,
    clinic_apart,
    command,
    envelope,
    people_file,
    post,
    replicas,
)
from tests.shared_state.redis_server import RedisServer
from tests.telemetry.collector import collecting
from tests.telemetry.test_nobody_is_named import EMAIL, FIRST, KEY, LAST, RECORD, named_in

pytestmark = pytest.mark.long

HOSTED = """
public_url = "{public}"
people = "{people}"
keys = ["env:RING"]
log_format = "json"
[admin]
port = 0
"""


@pytest.mark.parametrize("extra", [True, False])
def test_metrics_traces_and_log_of_a_whole_run_name_nobody(tmp_path: Path, extra: bool) -> None:
    hosted = tmp_path / "hosted.toml"
    hosted.write_text(HOSTED.format(public=PUBLIC, people=people_file(tmp_path, {"ana": {}})))
    flags = ("serve", "--hosted", str(hosted), "--port", "0", "--audit-file", str(tmp_path / "audit.jsonl"))
    lines: list[str] = []
    with collecting() as collector:
        named = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_UNKNOWN": "is not ours"} if extra else {}
        with command(*flags, *warm.DEMO, RING=RING, **named, **ACCOUNT) as server:
            assert server.stderr is not None
            for raw in server.stderr:
                lines.append(raw.decode())
                if "listening on" in lines[-1]:
                    break
            rest = Thread(target=lambda: lines.extend(raw.decode() for raw in server.stderr or ()))
            rest.start()
            started = "".join(lines)
            address = found(started, r"listening on (http://[^\"]+)")
            metrics = found(started, r"(http://\S+)/readyz") + "/metrics"

            made = [
                envelope(call(address, "ana", "cliniko_write", operation="create_patient", arguments=RECORD))
                for _ in range(2)
            ]
            assert envelope(call(address, "ana", "patient_brief", patient=f"{FIRST} {LAST}"))["code"] == "ambiguous"
            call(address, "ana", f"{FIRST} {LAST}")
            call(address, "ana", "archive_patient", id=made[0]["item"]["id"])
            assert post(address, KEY, {"jsonrpc": "2.0", "id": LAST, "method": EMAIL}).status_code == 401
            post(address, "ana", {"jsonrpc": "2.0", "id": LAST, "method": EMAIL, "params": {FIRST: KEY}})
            post(address, "ana", {LAST: FIRST})

            figures = httpx2.get(metrics, timeout=PATIENT, trust_env=False).text
            assert httpx2.get(address.replace("/mcp", "/metrics"), trust_env=False).status_code == 401
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENT) == 0
            rest.join()

    assert 'cliniko_mcp_calls_total{outcome="ambiguous",tool="patient_brief"} 1.0' in figures
    assert 'cliniko_mcp_refused_total{reason="ended",status="401"} 1.0' in figures
    assert 'cliniko_mcp_approvals_total{event="asked"} 1.0' in figures
    assert "cliniko_mcp_open_apps 1.0" in figures
    objects = [json.loads(line) for line in lines]
    assert all({"time", "level", "logger", "message"} <= {*one} for one in objects)
    assert named_in(re.sub(r" \S+$", "", figures, flags=re.MULTILINE)) == []
    assert named_in("".join(lines)) == []
    if extra:
        assert {"tools/call patient_brief", "tools/call other", "create_patient"} <= collector.names()
        assert named_in(re.sub(r"time_unix_nano: \d+", "", collector.text())) == []
    else:
        assert collector.bodies == []


def test_replicas_show_one_digest_of_an_account_and_how_long_redis_took(tmp_path: Path, redis: RedisServer) -> None:
    shared = f'[redis]\nurl = "{redis.url}"\n[admin]\nport = 0\n'
    with clinic_apart() as clinic:
        account = account_of(Settings.load({"base_url": clinic.url}, ACCOUNT))
        redis.trusted(account)
        with replicas(tmp_path, shared, "--base-url", clinic.url) as two:
            for _ in range(4):
                assert envelope(call(two.address, "ana", "list_patients", limit=1))["items"]
            pages = [ready.replace("/readyz", "/metrics") for ready in two.admin]
            told = [httpx2.get(page, timeout=PATIENT, trust_env=False).text for page in pages]
    for figures in told:
        assert f'cliniko_mcp_limit_requests{{account="{account_digest(account)}"}}' in figures
        assert float(found(figures, r'store_seconds_count\{store="redis"\} (\S+)')) > 0
        assert account not in figures


def found(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match.group(1)


def test_a_start_that_cannot_be_is_told_as_json_too(tmp_path: Path) -> None:
    hosted = tmp_path / "hosted.toml"
    hosted.write_text('log_format = "json"\n[redis]\nurl = "redis://127.0.0.1:9"\n')
    with command("serve", "--hosted", str(hosted), "--log-format", "json", **ACCOUNT) as server:
        assert server.stderr is not None
        told = [json.loads(line) for line in server.stderr]
        assert server.wait(PATIENT) == 1
    assert told[-1]["level"] == "ERROR" and "keys" in told[-1]["message"]
