"""What holds under load, in small: the whole of it is `python -m benchmarks.hosted`."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from benchmarks.hosted import apart, issuers, questions, rings, stops
from benchmarks.hosted.verdict import Verdict
from cliniko_mcp.protocol.hosting import account_of
from cliniko_mcp.settings import Settings
from tests.hosted.replicas import ACCOUNT, call, clinic_apart, envelope, replicas
from tests.shared_state.redis_server import PROGRAM, WHY_NOT, RedisServer

pytestmark = [pytest.mark.long, pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)]


@pytest.mark.parametrize(
    "played",
    [
        pytest.param(partial(apart.interleaved, 1_000, 10), id="of two clinics' mixed calls none holds the other's"),
        pytest.param(partial(questions.raced, 9), id="approvals that three replicas race for are acted on once"),
        pytest.param(partial(stops.rolling, 25.0), id="a replica that is stopped and started loses no call"),
        pytest.param(partial(rings.changed, 2), id="the ring is changed in the documented order without a failure"),
        pytest.param(partial(issuers.rotated_and_away, 10.0), id="an issuer changes its keys and goes away"),
    ],
)
def test_under_load(played: Callable[[], Verdict]) -> None:
    verdict = played()
    assert verdict.met, verdict


def test_a_write_under_way_when_a_replica_is_told_to_stop_ends_with_its_answer(
    tmp_path: Path, redis: RedisServer
) -> None:
    with clinic_apart("--rate-limit", "0") as clinic:
        redis.trusted(account_of(Settings.load({"base_url": clinic.url}, ACCOUNT)))
        shared = f'[redis]\nurl = "{redis.url}"\n'
        with replicas(tmp_path, shared, "--base-url", clinic.url, number=1) as one, ThreadPoolExecutor(1) as calls:
            clinic.trouble(kind="slow", path="/patients", method="POST", seconds=5)
            told = calls.submit(call, one.address, "ana", "create_patient", first_name="Demo", last_name="Term")
            while not clinic.requests("POST"):
                pass
            one.processes[0].send_signal(signal.SIGTERM)
            answer = envelope(told.result())
            assert "code" not in answer and "Term" in str(answer)
            assert one.processes[0].wait(300) in (0, -signal.SIGTERM)
        assert clinic.requests("POST") == ["/v1/patients"]
