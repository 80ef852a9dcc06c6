"""Reads are tried again, writes only when Cliniko provably did not perform them."""

import gzip
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from random import Random

import anyio
import httpx2
import pytest

from cliniko_mcp.client.rate_limit import Throttle
from cliniko_mcp.client.retry import MAX_ANSWER_BYTES, AnswerTooLarge, Retry, backoff
from cliniko_mcp.errors import RateLimited

from .virtual import run

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
Outcome = httpx2.Response | Exception
UNSENT = [httpx2.ConnectError("x"), httpx2.ConnectTimeout("x"), httpx2.PoolTimeout("x"), httpx2.ProxyError("x")]
DOUBTFUL = [
    httpx2.ReadTimeout("x"),
    httpx2.WriteTimeout("x"),
    httpx2.ReadError("x"),
    httpx2.WriteError("x"),
    httpx2.RemoteProtocolError("x"),
]
WRITES = ["POST", "PATCH", "DELETE"]


def wall() -> datetime:
    return NOON + timedelta(seconds=anyio.current_time())


class Script(httpx2.AsyncBaseTransport):
    """Plays its outcomes one by one and then the last for ever; remembers when it was asked."""

    def __init__(self, *outcomes: Callable[[], Outcome], latency: float = 0.0) -> None:
        self.outcomes = outcomes
        self.latency = latency
        self.asked: list[float] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(anyio.current_time())
        await anyio.sleep(self.latency)
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes)) - 1]()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def status(code: int, **headers: str) -> Callable[[], Outcome]:
    return lambda: httpx2.Response(code, headers={name.replace("_", "-"): text for name, text in headers.items()})


def send(script: Script, method: str = "GET", *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> httpx2.Response:
    async def story() -> httpx2.Response:
        throttle = Throttle(script, per_minute=200, wall=wall)
        retry = Retry(throttle, rng=Random(1), wall=wall, max_answer_bytes=max_answer_bytes)
        return await retry.handle_async_request(httpx2.Request(method, "https://api.example/v1/patients"))

    return run(story)


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_read_is_tried_again_after_a_passing_fault(code: int) -> None:
    script = Script(status(code), status(200))
    assert send(script).status_code == 200
    assert len(script.asked) == 2


@pytest.mark.parametrize("problem", [*UNSENT, *DOUBTFUL], ids=lambda problem: type(problem).__name__)
def test_a_read_is_tried_again_after_a_broken_connection(problem: Exception) -> None:
    script = Script(lambda: problem, status(200))
    assert send(script).status_code == 200


@pytest.mark.parametrize("code", [200, 400, 401, 403, 404, 422, 500])
def test_a_read_that_would_fail_again_is_not_repeated(code: int) -> None:
    script = Script(status(code))
    assert send(script).status_code == code
    assert len(script.asked) == 1


def test_a_read_is_given_up_after_three_retries_with_the_last_failure() -> None:
    script = Script(status(503))
    assert send(script).status_code == 503
    assert len(script.asked) == 4
    pauses = [after - before for before, after in zip(script.asked, script.asked[1:], strict=False)]
    assert all(low <= pause <= 2 * low for low, pause in zip([0.25, 0.5, 1.0], pauses, strict=True))


def test_no_attempt_begins_later_than_twenty_seconds() -> None:
    script = Script(lambda: httpx2.ReadError("x"), latency=9)
    with pytest.raises(httpx2.ReadError):
        send(script)
    assert len(script.asked) == 3
    assert script.asked[-1] < 20


def test_a_pause_longer_than_the_bound_is_not_begun() -> None:
    script = Script(status(503, retry_after="40"), status(200))
    assert send(script).status_code == 503
    assert script.asked == [0.0]


def test_a_short_pause_that_the_server_asks_for_is_kept() -> None:
    script = Script(status(503, retry_after="7"), status(200))
    assert send(script).status_code == 200
    assert script.asked == [0.0, 7.0]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_write_is_never_repeated_after_a_server_error(method: str, code: int) -> None:
    script = Script(status(code), status(201))
    assert send(script, method).status_code == code
    assert len(script.asked) == 1


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("problem", DOUBTFUL, ids=lambda problem: type(problem).__name__)
def test_a_write_that_may_have_arrived_is_never_repeated(method: str, problem: Exception) -> None:
    script = Script(lambda: problem, status(201))
    with pytest.raises(type(problem)):
        send(script, method)
    assert len(script.asked) == 1


@pytest.mark.parametrize("problem", UNSENT, ids=lambda problem: type(problem).__name__)
def test_a_write_that_never_left_is_tried_again(problem: Exception) -> None:
    script = Script(lambda: problem, status(201))
    assert send(script, "POST").status_code == 201


def test_a_write_refused_by_the_limit_waits_for_it_once() -> None:
    opens = str(int(NOON.timestamp()) + 15)
    script = Script(status(429, x_ratelimit_reset=opens), status(201))
    assert send(script, "POST").status_code == 201
    assert script.asked == pytest.approx([0, 15], abs=0.01)
    script = Script(status(429, retry_after="1"))
    assert send(script, "POST").status_code == 429
    assert len(script.asked) == 2


def test_a_limit_that_opens_too_late_is_reported_with_the_seconds_to_wait() -> None:
    opens = str(int(NOON.timestamp()) + 45)
    script = Script(status(429, x_ratelimit_reset=opens))
    with pytest.raises(RateLimited) as limit:
        send(script)
    assert len(script.asked) == 1
    assert limit.value.details["retry_after"] in (44, 45)


class Stream(httpx2.AsyncByteStream):
    """A body in parts, that may break off or drip."""

    def __init__(self, *parts: bytes, pause: float = 0.0, breaks: bool = False) -> None:
        self.parts, self.pause, self.breaks, self.closed = parts, pause, breaks, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            await anyio.sleep(self.pause)
            yield part
        if self.breaks:
            raise httpx2.RemoteProtocolError("incomplete")

    async def aclose(self) -> None:
        self.closed = True


def test_a_body_that_breaks_off_counts_as_a_failed_attempt() -> None:
    broken = Stream(b'{"id":', breaks=True)
    script = Script(lambda: httpx2.Response(200, stream=broken), lambda: httpx2.Response(200, json={"id": "1"}))
    assert send(script).json() == {"id": "1"}
    assert broken.closed
    with pytest.raises(httpx2.RemoteProtocolError):
        send(Script(lambda: httpx2.Response(201, stream=Stream(b"{", breaks=True))), "POST")


def test_a_body_that_drips_is_cut_off() -> None:
    drip = Stream(*[b" "] * 1000, pause=20)
    with pytest.raises(httpx2.ReadTimeout):
        send(Script(lambda: httpx2.Response(200, stream=drip)))
    assert drip.closed


def test_a_body_over_the_limit_is_cut_off_while_it_streams() -> None:
    long = Stream(*[b"x" * 600] * 1000)
    script = Script(lambda: httpx2.Response(200, stream=long))
    with pytest.raises(AnswerTooLarge):
        send(script, max_answer_bytes=1000)
    assert (len(script.asked), long.closed) == (1, True)


def test_a_small_body_that_unpacks_to_a_large_one_is_cut_off() -> None:
    packed = gzip.compress(b"0" * 30_000_000)
    assert len(packed) < 100_000
    headers = {"Content-Encoding": "gzip"}
    script = Script(lambda: httpx2.Response(200, headers=headers, stream=Stream(packed)))
    with pytest.raises(AnswerTooLarge):
        send(script)


def test_a_packed_body_is_passed_on_unpacked_and_cookies_are_not() -> None:
    headers = {"Content-Encoding": "gzip", "Set-Cookie": "a=b", "Content-Type": "application/json"}
    answer = send(Script(lambda: httpx2.Response(200, headers=headers, stream=Stream(gzip.compress(b"{}")))))
    assert answer.content == b"{}"
    assert "content-encoding" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"] == "application/json"


def test_backoff_grows_is_capped_and_is_never_less_than_half() -> None:
    rng = Random(7)
    for attempt in range(12):
        full = min(8.0, 0.5 * 2**attempt)
        assert full / 2 <= backoff(attempt, rng) <= full
