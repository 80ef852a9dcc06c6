"""Whatever lines arrive on standard input: what leaves is JSON-RPC, and the next good request is answered."""

import json
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.process import META, PATIENT

from .standing import FUZZ, told
from .test_calls import SURPRISES, TEXTS

METHODS = st.sampled_from(
    ["initialize", "ping", "tools/list", "tools/call", "resources/list", "resources/read", "prompts/get",
     "completion/complete", "logging/setLevel", "notifications/cancelled", "notifications/initialized",
     "server/discover", "subscriptions/listen", "x"]
) | TEXTS  # fmt: skip
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | SURPRISES,
        "id": st.integers() | TEXTS | SURPRISES,
        "method": METHODS | SURPRISES,
        "params": st.fixed_dictionaries(
            {},
            optional={
                "_meta": st.just(META) | SURPRISES,
                "name": st.sampled_from(["get_patient", "nothing"]) | SURPRISES,
                "arguments": SURPRISES,
                "cursor": SURPRISES,
                "uri": SURPRISES,
                "requestId": SURPRISES,
            },
        )
        | SURPRISES,
        "result": SURPRISES,
        "error": SURPRISES,
    },
).map(lambda frame: json.dumps(frame).encode())
LINES = (
    FRAMES
    | st.lists(FRAMES, max_size=3).map(lambda frames: b"[" + b",".join(frames) + b"]")
    | st.binary(max_size=60)
    | FRAMES.map(lambda frame: frame[: len(frame) // 2])
)


class Wire:
    """A server process over stdio, and the lines it wrote."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.sent = 0
        self.lines = 0
        self.reading = Thread(target=self._drain, daemon=True)
        self.reading.start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for _ in self.process.stderr:
            pass

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
        self.process.stdin.flush()

    def answered(self) -> dict[str, Any]:
        """The answer to a good request sent now; every line before it has to be JSON-RPC."""
        self.sent += 1
        mark = f"good {self.sent}"
        self.write(
            json.dumps(
                {"jsonrpc": "2.0", "id": mark, "method": "tools/call", "params": {"name": "x", "_meta": META}}
            ).encode()
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines += 1
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == mark:
                return message
        raise AssertionError("the server ended")


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    command, pipe = (sys.executable, "-m", "cliniko_mcp", "serve", "--sandbox"), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        found = Wire(process)
        yield found
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENT)
        found.reading.join()


@pytest.mark.long
@FUZZ
@given(lines=st.lists(LINES, min_size=1, max_size=3))
def test_no_line_ends_the_server_or_draws_anything_but_json_rpc_from_it(wire: Wire, lines: list[bytes]) -> None:
    for line in lines:
        wire.write(line)
        told("frames over stdio")
    answer = wire.answered()
    assert answer["error"]["code"] == -32602
