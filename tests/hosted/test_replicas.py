"""Two replicas in processes of their own behind a balancer that takes turns: they answer as one server."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from tests.faults.process import PATIENT
from tests.hosted.replicas import ACCOUNT, ClinicApart, Older, Replicas, call, clinic_apart, envelope, post, replicas
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long

LIMIT = 70
"""Requests a minute that the clinic takes."""
YES = {"action": "accept", "content": {"approve": True}}


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", str(LIMIT)) as found:
        yield found


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, clinic: ClinicApart) -> Iterator[Replicas]:
    redis.trusted(account_of(Settings.load({"base_url": clinic.url}, ACCOUNT)))
    shared = f'notice = 60\n[redis]\nurl = "{redis.url}"\n[admin]\nport = 0\n'
    flags = ("--base-url", clinic.url, "--requests-per-minute", str(LIMIT))
    with replicas(tmp_path_factory.mktemp("hosted"), shared, *flags) as found:
        yield found


def asked(two: Replicas) -> tuple[str, dict[str, Any]]:
    """A patient, and the question whether to archive them."""
    address = two.address
    patient = envelope(call(address, "ana", "list_patients", limit=1))["items"][0]["id"]
    return patient, call(address, "ana", "archive_patient", id=patient)


def test_a_call_is_answered_by_either_in_both_eras(two: Replicas) -> None:
    address = two.address
    page = envelope(call(address, "ana", "list_patients", limit=2))["page"]
    for _ in range(3):
        assert envelope(call(address, "ana", "list_patients", cursor=page["next_cursor"]))["items"]
    older = Older(address, "ana", form={})
    assert len(older.request("tools/list")["result"]["tools"]) > 10
    for _ in range(2):
        assert envelope(older.call("list_patients", limit=1))["items"]
    assert min(Counter(two.balancer.came).values()) >= 3


def test_a_session_is_nobody_elses_at_either(two: Replicas) -> None:
    older = Older(two.address, "ana")
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    told = {"mcp-session-id": older.session, "mcp-protocol-version": "2025-11-25"}
    assert {post(two.address, "ben", ping, **told).status_code for _ in range(2)} == {404}
    assert {post(two.address, "ana", ping, **told).status_code for _ in range(2)} == {200}


def test_a_question_of_one_is_answered_at_the_other_and_acted_on_once(two: Replicas, clinic: ClinicApart) -> None:
    patient, question = asked(two)
    key = next(iter(question["inputRequests"]))
    answer = {"requestState": question["requestState"], "inputResponses": {key: YES}}

    def answered(_: int) -> str:
        result = call(two.address, "ana", "archive_patient", id=patient, **answer)
        return "asked" if "inputRequests" in result else str(envelope(result).get("code", "done"))

    with ThreadPoolExecutor(4) as calls:
        ended = list(calls.map(answered, range(4)))
    assert "done" in ended
    assert clinic.requests("POST").count(f"/v1/patients/{patient}/archive") == 1, ended
    stolen = call(two.address, "ben", "archive_patient", id=patient, **answer)
    assert stolen["error"]["code"] == -32602


def test_a_no_at_one_is_a_no_at_the_other(two: Replicas) -> None:
    patient, question = asked(two)
    key = next(iter(question["inputRequests"]))
    no = {"requestState": question["requestState"], "inputResponses": {key: {"action": "decline"}}}
    told = [call(two.address, "ana", "archive_patient", id=patient, **more) for more in (no, {}, {})]
    assert [envelope(one)["code"] for one in told] == ["declined"] * 3


def test_what_was_done_stands_in_the_log_with_its_person(two: Replicas) -> None:
    lines = [json.loads(line) for line in two.audit.read_text().splitlines()]
    done = [line for line in lines if line["operation"] == "archive_patient" and line["outcome"] == "ok"]
    assert done and {line["principal"] for line in done} == {"people:ana"}


def test_without_redis_nothing_is_sent_or_destroyed_and_with_it_all_is_well_again(
    two: Replicas, clinic: ClinicApart, redis: RedisServer
) -> None:
    address = two.address
    assert two.ready(0) == (200, {"serving": True, "shared state": True})
    redis.stop()
    assert two.ready(0) == (503, {"serving": True, "shared state": False})
    clinic.forget_requests()
    assert envelope(call(address, "ben", "list_businesses", limit=1))["code"] == "unavailable"
    assert envelope(call(address, "ben", "archive_patient", id="1"))["code"] == "unavailable"
    assert clinic.requests() == []
    assert envelope(call(address, "ben", "cliniko_describe", query="archive a patient"))
    redis.start()
    assert envelope(call(address, "ben", "list_businesses", limit=1)).get("code") != "unavailable"


def test_over_both_a_minute_sees_no_more_than_the_limit_and_nothing_is_refused_upstream(
    two: Replicas, clinic: ClinicApart
) -> None:
    clinic.forget_requests()

    def counted(_: int) -> str:
        return str(envelope(call(two.address, "ana", "count_records", operation="list_patients")).get("code"))

    with ThreadPoolExecutor(30) as calls:
        ended = Counter(calls.map(counted, range(90)))
    assert set(ended) == {"None", "rate_limited"}, ended
    assert 429 not in clinic.statuses()
    assert ended["None"] <= LIMIT


def test_a_replica_that_is_told_to_stop_says_so_and_loses_no_call(two: Replicas) -> None:
    """Last, as one is left. Calls come meanwhile, and each is answered."""
    with ThreadPoolExecutor(4) as calls:
        under_way = calls.map(
            lambda _: envelope(call(two.address, "ana", "cliniko_describe", query="archive a patient")), range(40)
        )
        two.processes[0].send_signal(signal.SIGTERM)
        while two.ready(0)[0] == 200:
            pass
        two.balancer.ports.pop(0)
        answered = list(under_way)
    assert all("operations" in one or "code" not in one for one in answered)
    two.processes[0].send_signal(signal.SIGTERM)  # the balancer has noticed: it need not go on
    assert two.processes[0].wait(PATIENT) == 0
