"""Whatever is sent over HTTP and SSE: a status that blames the sender, JSON-RPC, and service for the next one."""

import json
from collections.abc import Iterator
from itertools import count

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.faults.process import BEARER, META, PATIENT, Stream, listening

from .standing import FUZZ, told
from .test_frames import LINES, METHODS

GOOD_ONES = count(1)
GOOD = {"name": "x", "_meta": META}
USUAL = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "x",
}
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20).map(str.strip)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "accept": st.sampled_from(["*/*", "application/json", "text/event-stream", ""]) | PRINTABLE,
        "content-type": st.sampled_from(["application/json; charset=utf-8", "text/plain", ""]) | PRINTABLE,
        "mcp-protocol-version": st.sampled_from(["2025-11-25", "2024-11-05", "2026-07-28, 2026-07-28"]) | PRINTABLE,
        "mcp-method": METHODS.filter(str.isascii).filter(str.isprintable).map(str.strip) | PRINTABLE,
        "mcp-name": st.sampled_from(["get_patient", "nothing"]) | PRINTABLE,
        "mcp-session-id": PRINTABLE,
        "last-event-id": PRINTABLE,
        "content-encoding": st.sampled_from(["gzip", "identity"]),
    },
)
VERBS = st.sampled_from(["POST", "POST", "POST", "GET", "DELETE", "PUT", "HEAD", "OPTIONS"])


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx2.Client, str]]:
    with (
        listening(tmp_path_factory.mktemp("http") / "audit.jsonl") as (process, address, _),
        httpx2.Client(trust_env=False, timeout=PATIENT, headers=BEARER) as client,
    ):
        yield client, address
        assert process.poll() is None


def answers_good(stream: Stream) -> None:
    number = f"good {next(GOOD_ONES)}"
    stream.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": GOOD})
    assert stream.answer(number)["error"]["code"] == -32602


@pytest.fixture(scope="module")
def sse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    with listening(tmp_path_factory.mktemp("sse") / "audit.jsonl", "sse") as (process, address, _):
        with Stream(address) as stream:
            # The first message decides for which revision the stream is.
            answers_good(stream)
            yield stream
        assert process.poll() is None


def blames_the_sender(response: httpx2.Response) -> None:
    assert 200 <= response.status_code < 500, (response.status_code, response.text)
    if response.content and response.headers.get("content-type", "").startswith("application/json"):
        assert json.loads(response.content)["jsonrpc"] == "2.0"


@pytest.mark.long
@FUZZ
@given(verb=VERBS, body=LINES, headers=HEADERS, usual=st.booleans())
def test_no_request_over_http_ends_the_server_or_is_its_fault(
    http: tuple[httpx2.Client, str], verb: str, body: bytes, headers: dict[str, str], usual: bool
) -> None:
    client, address = http
    # A stream may stay open for as long as its client likes: this one goes away at once.
    with client.stream(verb, address, content=body, headers=(USUAL if usual else {}) | headers) as response:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.read()
            blames_the_sender(response)
        assert response.status_code < 500
    told("frames over HTTP")
    frame = {"jsonrpc": "2.0", "id": "good", "method": "tools/call", "params": GOOD}
    answer = client.post(address, json=frame, headers=USUAL).json()
    assert (answer["id"], answer["error"]["code"]) == ("good", -32602)


@pytest.mark.long
@FUZZ
@example(bodies=[b'{"jsonrpc": "2.0", "id": "\\u0085\\u2028", "method": "ping"}'], headers={})
@given(bodies=st.lists(LINES, min_size=1, max_size=3), headers=HEADERS)
def test_no_request_over_sse_ends_its_stream_or_the_server(
    sse: Stream, bodies: list[bytes], headers: dict[str, str]
) -> None:
    for body in bodies:
        blames_the_sender(sse.post(body, **headers))
        told("frames over SSE")
    answers_good(sse)
