"""Another program's day: the clinic on its port, asked with nothing but the standard library."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

NOW = "2026-11-24T09:00+11:00"
FLAGS = ("--port", "0", "--sandbox-now", NOW, "--sandbox-clock", "frozen")


class Office:
    """Asks the clinic at an address with one of the keys it printed."""

    def __init__(self, output: list[str]) -> None:
        self.keys = {line.split()[-1]: " ".join(line.split()[1:-1]) for line in output if line.startswith("key ")}
        self.url = next(line.split()[1] for line in output if line.startswith("url "))
        self.curl = next(line for line in output if line.startswith("curl "))
        self.key = next(iter(self.keys))

    def request(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any, Message]:
        url = path if path.startswith("http") else f"{self.url}{path}"
        if query:
            url += "?" + urlencode({"q[]" if name == "q" else name: value for name, value in query.items()}, doseq=True)
        request = Request(url, json.dumps(body).encode() if body is not None else None, method=method)
        request.add_header("Authorization", "Basic " + b64encode(f"{self.key}:".encode()).decode())
        request.add_header("User-Agent", "An outside office (office@mail.example)")
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=300) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None, answer.headers
        except HTTPError as refused:
            with refused:
                text = refused.read()
            return refused.code, json.loads(text) if text.startswith(b"{") else text, refused.headers

    def get(self, path: str, **query: Any) -> Any:
        status, body, _ = self.request("GET", path, **query)
        assert status == 200, body
        return body

    def send(self, method: str, path: str, body: Any = None) -> Any:
        status, answer, _ = self.request(method, path, body)
        assert status in (200, 201, 204), answer
        return answer

    def control(self, method: str, name: str, body: Any = None) -> Any:
        return self.send(method, self.url.replace("/v1", f"/_sandbox/{name}"), body)


def served(*flags: str) -> Iterator[Office]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cliniko_mcp", "sandbox", *FLAGS, *flags], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        output: list[str] = []
        for line in iter(process.stdout.readline, ""):
            output.append(line.strip())
            if line.startswith("curl "):
                break
        yield Office(output)
    finally:
        process.terminate()
        process.wait(300)
        process.stdout.close()


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    yield from served()


@pytest.mark.long
def test_what_is_printed_is_enough_to_begin(office: Office) -> None:
    assert office.key == "demo-au1" and office.keys["demo-au1"] == "administrator" and len(office.keys) == 6
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", office.url)
    assert office.curl.startswith("curl ") and office.key in office.curl and office.url in office.curl


@pytest.mark.long
def test_a_front_desk_day(office: Office) -> None:
    office.control("POST", "reset")
    me = office.get("/user")
    assert me["role"] == "administrator" and me["time_zone_identifier"] == "Australia/Sydney"
    site = next(row for row in office.get("/businesses")["businesses"] if row["label"] == "Northside")
    mei = next(row for row in office.get("/practitioners")["practitioners"] if row["label"] == "Dr Mei Ng")
    kinds = office.get(f"/practitioners/{mei['id']}/appointment_types", per_page=100)["appointment_types"]
    usual = next(row for row in kinds if row["name"] == "Standard consult")
    # A new patient rings: is she known, and when is there time?
    assert office.get("/patients", q=["last_name:=Newcomer"])["total_entries"] == 0
    phone = [{"phone_type": "Mobile", "number": "0491 570 156"}]
    name = {"first_name": "Nia", "last_name": "Newcomer", "patient_phone_numbers": phone}
    status, patient, headers = office.request("POST", "/patients", name)
    assert status == 201 and headers["Location"] == patient["links"]["self"]
    free = f"/businesses/{site['id']}/practitioners/{mei['id']}/appointment_types/{usual['id']}/available_times"
    times = office.get(free, **{"from": "2026-11-25", "to": "2026-11-27"})["available_times"]
    first, second = (times[number]["appointment_start"] for number in (0, 1))
    booking = {
        "patient_id": patient["id"],
        "practitioner_id": mei["id"],
        "business_id": site["id"],
        "appointment_type_id": usual["id"],
        "starts_at": first,
    }
    booked = office.send("POST", "/individual_appointments", booking)
    length = datetime.fromisoformat(booked["ends_at"]) - datetime.fromisoformat(booked["starts_at"])
    assert length.total_seconds() == usual["duration_in_minutes"] * 60
    assert office.get(booked["conflicts"]["links"]["self"]) == {"conflicts": {"exist": False}}
    left = office.get(free, **{"from": "2026-11-25", "to": "2026-11-27"})["available_times"]
    assert first not in [row["appointment_start"] for row in left]
    # She would rather come later that day, and then not at all.
    own = f"/individual_appointments/{booked['id']}"
    assert office.send("PATCH", own, {"starts_at": second, "ends_at": None})["starts_at"] == second
    status, refused, _ = office.request("PATCH", f"{own}/cancel", {"cancellation_reason": 99})
    assert status == 422 and "cancellation_reason" in refused["errors"]
    office.send("PATCH", f"{own}/cancel", {"cancellation_reason": 30, "cancellation_note": "Rang"})
    assert office.request("GET", own)[0] == 404
    shown = office.get(own, q=["cancelled_at:?"])
    assert shown["cancellation_reason_description"] == "Sick"
    # Today's list, page by page; one of them has come.
    day = ["starts_at:>=2026-11-23T13:00:00Z", "starts_at:<2026-11-24T13:00:00Z"]
    page = office.get("/individual_appointments", q=day, sort="starts_at", per_page=10)
    today = list(page["individual_appointments"])
    while following := page["links"].get("next"):
        page = office.get(following)
        today += page["individual_appointments"]
    assert len(today) == page["total_entries"] > 10
    assert [row["starts_at"] for row in today] == sorted(row["starts_at"] for row in today)
    seat = office.get(today[0]["attendees"]["links"]["self"])["attendees"][0]
    assert office.send("PATCH", f"/attendees/{seat['id']}", {"arrived": True})["arrived"] is True
    assert office.get(today[0]["links"]["self"])["patient_arrived"] is True
    # An alert, a memo, and a way back for a patient archived by mistake.
    office.send("POST", "/medical_alerts", {"patient_id": patient["id"], "name": "Latex"})
    memo = {
        "type_code": 3,
        "direction_code": 2,
        "from": "Nia",
        "to": "RequestContext",
        "content": "Rang",
        "confidential": False,
    }
    assert office.send("POST", "/communications", {**memo, "patient_id": patient["id"]})["category"] == "Memo"
    office.send("POST", f"/patients/{patient['id']}/archive")
    assert office.request("GET", f"/patients/{patient['id']}")[0] == 404
    assert office.send("POST", f"/patients/{patient['id']}/unarchive")["archived_at"] is None


@pytest.mark.long
def test_the_control_routes(office: Office) -> None:
    office.control("POST", "reset")
    before = office.control("GET", "snapshot")
    office.send("POST", "/concession_types", {"name": "Member"})
    log = office.control("GET", "requests")["requests"]
    assert [(entry["method"], entry["path"], entry["origin"]) for entry in log] == [
        ("POST", "/v1/concession_types", "port")
    ]
    assert office.control("POST", "clock", {"advance": 3600})["now"] == "2026-11-23T23:00:00Z"
    assert office.control("POST", "clock", {"now": "2027-01-01T00:00:00Z"}) == {
        "now": "2027-01-01T00:00:00Z",
        "frozen": True,
    }
    office.control("POST", "faults", {"faults": [{"kind": "error", "path": "/user", "times": 1, "status": 503}]})
    assert [office.request("GET", "/user")[0] for _ in range(2)] == [503, 200]
    assert office.control("DELETE", "faults") == {"faults": []}
    office.control("POST", "snapshot", before)
    assert office.control("GET", "snapshot") == before
    office.control("DELETE", "requests")
    assert office.control("GET", "requests")["total"] == 0
    office.control("POST", "reset")
    assert office.control("GET", "clock")["now"] == "2026-11-23T22:00:00Z"


@pytest.mark.long
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:8123"}, 200),
        ({"Host": "clinic:8123"}, 200),
        ({}, 200),
    ],
)
def test_a_page_of_a_website_reaches_no_control_route(office: Office, headers: dict[str, str], status: int) -> None:
    for method, name in (("POST", "reset"), ("GET", "snapshot")):
        request = Request(office.url.replace("/v1", f"/_sandbox/{name}"), method=method, headers=headers)
        try:
            with urlopen(request, timeout=300) as answer:
                found = answer.status
        except HTTPError as refused:
            with refused:
                found = refused.code
        assert (found == 403) is (status == 403)


@pytest.mark.long
def test_the_flags_of_the_command_reach_the_port() -> None:
    for office in served("--rate-limit", "2", "--faults", "503:/settings,dropped:/taxes", "--seed", "3"):
        assert office.request("GET", "/settings/public")[0] == 503
        assert [office.request("GET", "/user")[0] for _ in range(3)] == [200, 200, 429]
        with pytest.raises((OSError, HTTPException)):
            office.request("GET", "/taxes")
        assert office.control("GET", "snapshot")["seed"] == 3


@pytest.mark.long
def test_undocumented_routes_answer_on_the_port_when_their_flags_are_given() -> None:
    for office in served("--legacy-routes", "--newer-routes"):
        assert office.get("/contacts/archived")["total_entries"] > 0
        assert office.get("/recalls")["recalls"] == []


@pytest.mark.long
def test_the_ledger_is_shown_and_nothing_is_served() -> None:
    command = [sys.executable, "-m", "cliniko_mcp", "sandbox", "--ledger"]
    output = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()
    found = [line.split() for line in output[:-1]]
    counts = [sum(kind == fidelity for _, kind in found) for fidelity in ("rule", "shape")]
    assert len(found) >= 211
    assert output[-1] == f"{counts[0]} by rule, {counts[1]} by shape, {len(found)} in all"
    assert all(f"`{name}`" in PAGE for name, _ in found)


@pytest.mark.long
def test_faults_and_files_that_cannot_be_are_reported_at_start() -> None:
    for flags, words in (
        (("--faults", "rain"), "--faults: kind"),
        (("--sandbox-file", "/nowhere/x.db"), "cannot be used"),
    ):
        command = [sys.executable, "-m", "cliniko_mcp", "sandbox", "--port", "0", *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode != 0 and words in done.stderr and "Traceback" not in done.stderr


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text("utf-8")
CURLS = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("line", CURLS)
def test_a_curl_line_of_the_page_works_as_written(office: Office, line: str) -> None:
    address = office.url.removesuffix("/v1")
    command = [*shlex.split(line.replace("http://127.0.0.1:8123", address)), "--silent", "--show-error", "--fail"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.long
def test_the_page_shows_what_is_printed(office: Office) -> None:
    assert len(CURLS) >= 4
    for key, role in office.keys.items():
        assert f"key {role} {key}" in PAGE
    port = re.findall(r":(\d+)/v1", office.url)[0]
    assert office.curl.replace(port, "8123") in PAGE
