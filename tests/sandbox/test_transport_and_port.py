"""Both faces of the demo clinic show the same one, and trouble comes through either on demand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.faults import Fault, Faults
from cliniko_mcp.sandbox.port import asgi_app
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.sandbox.wire import SandboxRequest

from .client import NOW

pytestmark = pytest.mark.anyio


def _client(transport: httpx2.AsyncBaseTransport, **more: Any) -> httpx2.AsyncClient:
    headers = {"User-Agent": "tests (desk@clinic.example)"}
    return httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8123/v1", auth=("demo-au1", ""), headers=headers, **more
    )


def _server(sandbox: Sandbox, **more: Any) -> httpx2.AsyncClient:
    return _client(SandboxTransport(sandbox), **more)


def _port(sandbox: Sandbox) -> httpx2.AsyncClient:
    return _client(httpx2.ASGITransport(app=asgi_app(sandbox)))


async def test_what_the_server_does_is_seen_from_the_port(sandbox: Sandbox) -> None:
    async with _server(sandbox) as server, _port(sandbox) as port:
        made = await server.post("/patients", json={"first_name": "Zoë", "last_name": "Ω"})
        assert (made.status_code, made.headers["Location"]) == (201, made.json()["links"]["self"])
        seen = await port.get("/patients", params={"q[]": "first_name:=zoë", "sort": "id:desc"})
        assert seen.json()["patients"][0] == made.json()
        gone = await port.post(f"/patients/{made.json()['id']}/archive")
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await server.get(f"/patients/{made.json()['id']}")).status_code == 404
        assert (await port.get("/patients/%31")).status_code == 404
        assert (await port.delete("/nowhere")).json() == {"status": "404", "error": "Not Found"}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "POST", "TRACE", "LOCK"])
async def test_a_verb_that_a_path_does_not_know_is_not_found(sandbox: Sandbox, method: str) -> None:
    async with _port(sandbox) as port:
        for path in ("/practitioners", "/users/1", "/nowhere"):
            refused = await port.request(method, path)
            assert refused.status_code == 404
            assert method == "HEAD" or refused.json() == {"status": "404", "error": "Not Found"}
        assert (await port.request(method, "/users", auth=("nobody", ""))).status_code == 401
        assert (sandbox.requests[-1].method, sandbox.requests[-1].status) == (method, 401)
        path = "/%E6%82%A3%E8%80%85?q%5B%5D=x"
        assert (await port.request(method, path)).status_code == 404
        assert sandbox.requests[-1].path == "/v1/%E6%82%A3%E8%80%85"


async def test_the_log_says_who_asked_for_what_and_from_where(sandbox: Sandbox) -> None:
    async with _server(sandbox) as server, _port(sandbox) as port:
        await server.get("/patients", params=[("q[]", "id:=1"), ("sort", "id")])
        await port.get("/user", auth=("demo-receptionist-au1", ""))
        await port.get("/user", auth=("nobody", ""))
        log = (await port.get("http://127.0.0.1:8123/_sandbox/requests")).json()["requests"]
        assert [(entry["origin"], entry["role"], entry["status"]) for entry in log] == [
            ("server", "administrator", 200),
            ("port", "receptionist", 200),
            ("port", None, 401),
        ]
        assert (log[0]["method"], log[0]["path"]) == ("GET", "/v1/patients")
        assert log[0]["query"] == [["q[]", "id:=1"], ["sort", "id"]]
        assert "demo-" not in str(log)
        assert (await port.delete("http://127.0.0.1:8123/_sandbox/requests")).status_code == 204
        assert sandbox.requests == []


@pytest.mark.long
async def test_clock_snapshot_and_reset_are_controlled_from_the_port(sandbox: Sandbox) -> None:
    control = "http://127.0.0.1:8123/_sandbox"
    async with _port(sandbox) as port:
        snapshot = (await port.get(f"{control}/snapshot")).json()
        await port.post("/patients", json={"first_name": "A", "last_name": "B"})
        moved = (await port.post(f"{control}/clock", json={"advance": 3600})).json()
        assert moved == {"now": "2026-11-23T23:00:00Z", "frozen": True}
        assert (await port.post(f"{control}/clock", json={"now": "2027-01-01T00:00:00Z"})).json()[
            "now"
        ] == "2027-01-01T00:00:00Z"
        assert (await port.post(f"{control}/clock", json={"now": "2027-01-01T00:00:00"})).status_code == 400
        assert (await port.post(f"{control}/snapshot", json=snapshot)).status_code == 204
        assert (await port.get(f"{control}/snapshot")).json() == snapshot
        assert (await port.get(f"{control}/clock")).json()["now"] == "2026-11-23T22:00:00Z"
        assert (await port.post(f"{control}/snapshot", json={"tables": []})).status_code == 400
        await port.post("/patients", json={"first_name": "A", "last_name": "B"})
        assert (await port.post(f"{control}/reset")).status_code == 204
        assert (await port.get(f"{control}/snapshot")).json() == snapshot
        assert (await port.get(f"{control}/nothing")).status_code == 404


async def test_faults_are_set_from_the_port_and_struck_by_path_and_number(sandbox: Sandbox) -> None:
    control = "http://127.0.0.1:8123/_sandbox/faults"
    async with _port(sandbox) as port:
        fault = {"kind": "error", "path": "/patients", "method": "GET", "status": 503, "times": 2}
        assert (await port.post(control, json={"faults": [fault]})).status_code == 200
        statuses = [(await port.get("/patients")).status_code for _ in range(3)]
        assert statuses == [503, 503, 200]
        assert (await port.get("/user")).status_code == 200
        assert (await port.get(control)).json()["faults"][0]["times"] == 0
        assert (await port.delete(control)).json() == {"faults": []}
        for wrong in ({"kind": "flood"}, {"kind": "error", "often": 1}, {"kind": "error", "rate": "half"}):
            assert (await port.post(control, json={"faults": [wrong]})).status_code == 400


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("faults", {}, "the body holds faults and nothing else"),
        ("faults", {"fault": [{"kind": "drop"}]}, "the body holds faults and nothing else"),
        ("faults", {"kind": "drop"}, "the body holds faults and nothing else"),
        ("faults", {"faults": {"kind": "drop"}}, "faults is a list of objects"),
        ("faults", {"faults": None}, "faults is a list of objects"),
        ("faults", {"faults": [{"kind": "drop", "path": "bookings"}]}, "path begins with a slash"),
        ("clock", {}, "the body holds now, advance, frozen and nothing else"),
        ("clock", {"hours": 3}, "the body holds now, advance, frozen and nothing else"),
        ("clock", {"frozen": "no"}, "frozen is true or false"),
        ("clock", {"now": "2027-01-01T00:00:00Z", "advance": "1h"}, "advance is a number of seconds"),
        ("clock", {"advance": 1e300}, "advance is a number of seconds"),
        ("clock", {"now": 5}, "isoformat"),
        ("clock", {"now": "9999-12-31T23:00:00-11:00"}, "out of range"),
        ("clock", [1], "the body must be a JSON object"),
        ("snapshot", {}, "a snapshot holds"),
    ],
)
async def test_an_order_that_is_not_understood_changes_nothing_and_says_why(
    sandbox: Sandbox, name: str, body: Any, why: str
) -> None:
    sandbox.faults.set(Fault("error", path="/user"))
    control = "http://127.0.0.1:8123/_sandbox"
    async with _port(sandbox) as port:
        before = [(await port.get(f"{control}/{route}")).json() for route in ("clock", "faults")]
        refused = await port.post(f"{control}/{name}", json=body)
        assert refused.status_code == 400 and why in refused.json()["message"]
        assert [(await port.get(f"{control}/{route}")).json() for route in ("clock", "faults")] == before
        assert (await port.get("/user")).status_code == 500
        assert (await port.post(f"{control}/faults", json={"faults": []})).json() == {"faults": []}
        assert (await port.get("/user")).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("rate_limit", 429, ""),
        ("error", 500, "<html"),
        ("html", 200, "<html"),
        ("forbidden", 403, "Forbidden"),
        ("revoked", 401, "HTTP Basic"),
    ],
)
async def test_trouble_has_the_form_that_clients_have_seen(sandbox: Sandbox, kind: Any, status: int, text: str) -> None:
    sandbox.faults.set(Fault(kind))
    async with _server(sandbox) as server:
        answer = await server.get("/patients")
        assert (answer.status_code, text in answer.text) == (status, True)
        assert ("X-RateLimit-Reset" in answer.headers) is (status == 429)


async def test_a_dropped_connection_did_nothing_or_everything(sandbox: Sandbox) -> None:
    body = {"first_name": "A", "last_name": "B"}
    count = len(sandbox.context.store.table("patients").rows)
    async with _server(sandbox) as server:
        sandbox.faults.set(Fault("drop"))
        with pytest.raises(httpx2.ReadError):
            await server.post("/patients", json=body)
        assert len(sandbox.context.store.table("patients").rows) == count
        sandbox.faults.set(Fault("drop_after"))
        with pytest.raises(httpx2.ReadError):
            await server.post("/patients", json=body)
        assert len(sandbox.context.store.table("patients").rows) == count + 1


async def test_a_slow_answer_runs_into_the_clients_timeout(sandbox: Sandbox) -> None:
    sandbox.faults.set(Fault("slow", seconds=30))
    async with _server(sandbox, timeout=httpx2.Timeout(5, read=0.01)) as server:
        with pytest.raises(httpx2.ReadTimeout):
            await server.get("/patients")
    sandbox.faults.set(Fault("slow", seconds=0.01))
    async with _server(sandbox) as server:
        assert (await server.get("/user")).status_code == 200


async def test_a_rate_strikes_the_same_requests_every_time() -> None:
    def struck() -> list[bool]:
        faults = Faults(seed=7)
        faults.set(Fault("error", rate=0.3))
        return [faults.strike(SandboxRequest("GET", "/x"), "/x") is not None for _ in range(200)]

    assert struck() == struck()
    assert 30 < sum(struck()) < 90


async def test_a_running_clock_follows_the_monotonic_one() -> None:
    elapsed = [0.0]
    clinic = Sandbox(now=NOW, monotonic=lambda: elapsed[0])
    elapsed[0] = 90
    assert clinic.clock.stamp() == "2026-11-23T22:01:30Z"
    clinic.clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    elapsed[0] = 100
    assert clinic.clock.stamp() == "2027-01-01T00:00:10Z"
    clinic.clock.freeze()
    elapsed[0] = 500
    clinic.clock.advance(timedelta(seconds=5))
    assert clinic.clock.stamp() == "2027-01-01T00:00:15Z"
    clinic.clock.run()
    elapsed[0] = 501
    assert clinic.clock.stamp() == "2027-01-01T00:00:16Z"
    clinic.reset()
    assert (clinic.clock.stamp(), clinic.clock.frozen) == ("2026-11-23T22:00:00Z", False)
