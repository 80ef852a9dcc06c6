"""Several clinics behind one address: whose is whose, and nothing of one in another."""

import json
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
    in_modern,
    replicas,
)
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long

MARKS = {"north": "Northmark", "south": "Southmark"}
PEOPLE: dict[str, dict[str, Any]] = {"ana": {"clinic": "north"}, "ben": {}, "cyd": {}, "eve": {}}


@pytest.fixture(scope="module")
def clinic_pair() -> Iterator[dict[str, ClinicApart]]:
    with clinic_apart("--rate-limit", "0") as north, clinic_apart("--rate-limit", "0") as south:
        found = {"north": north, "south": south}
        for name, clinic in found.items():
            agent = {"user-agent": "clinics (t@example.org)"}
            with httpx2.Client(base_url=clinic.url, auth=("demo-au1", ""), headers=agent, trust_env=False) as http:
                patient = {"first_name": "Mo", "last_name": MARKS[name]}
                http.post("/patients", json=patient, timeout=PATIENT).raise_for_status()
                (site, *_) = http.get("/businesses", timeout=PATIENT).json()["businesses"]
                told = {"business_name": MARKS[name]}
                http.put(f"/businesses/{site['id']}", json=told, timeout=PATIENT).raise_for_status()
                (kind, *_) = http.get("/appointment_types", timeout=PATIENT).json()["appointment_types"]
                told = {"name": f"{MARKS[name]} visit"}
                http.put(f"/appointment_types/{kind['id']}", json=told, timeout=PATIENT).raise_for_status()
        yield found


def clinics(folder: Path, *arguments: str, key: str = "") -> str:
    """What `clinics` prints."""
    told = ("clinics", *arguments, "--hosted", str(folder / "hosted.toml"))
    with command(*told, RING=RING, **ACCOUNT) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(f"{key}\n".encode())
        process.stdin.close()
        printed, complained = process.stdout.read().decode(), process.stderr.read().decode()
        assert process.wait(PATIENT) == 0, complained
        return printed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clinics")


@pytest.fixture(scope="module")
def hosted(folder: Path, redis: RedisServer, clinic_pair: dict[str, ClinicApart]) -> Iterator[Replicas]:
    file = folder / "clinics.toml"
    (folder / "hosted.toml").write_text(f'keys = ["env:RING"]\nclinics = "{file}"\n')
    for name, clinic in clinic_pair.items():
        people = {"north": "cyd", "south": "cyd,ben"}[name]
        told = clinics(folder, "add", name, "--base-url", clinic.url, "--people", people, "--key-stdin", key="demo-au1")
        assert "the key of" in told and f"/mcp/{name}" in told
    for entry in read_clinics(file).clinic:
        redis.trusted(entry.account)
    more = f'clinics = "{file}"\n[redis]\nurl = "{redis.url}"\n'
    with replicas(folder, more, people=PEOPLE, CLINIKO_API_KEY="") as found:
        yield found


def sites(address: str, who: str) -> set[str]:
    items = envelope(call(address, who, "list_businesses", detail="full"))["items"]
    return {str(item["business_name"]) for item in items}


def test_the_keys_are_sealed_in_the_file_and_the_list_says_whose_clinic_it_is(hosted: Replicas, folder: Path) -> None:
    text = (folder / "clinics.toml").read_text()
    assert "demo-au1" not in text
    assert [line.split() for line in clinics(folder, "list").splitlines()] == [
        ["north", "cyd"],
        ["south", "cyd,", "ben"],
    ]


def test_each_person_reaches_their_clinic_by_the_address_of_all_and_by_its_own(hosted: Replicas) -> None:
    address = hosted.address
    assert MARKS["north"] in sites(address, "ana") & sites(f"{address}/north", "ana")
    assert MARKS["south"] in sites(address, "ben") & sites(f"{address}/south", "ben")
    assert MARKS["north"] in sites(f"{address}/north", "cyd")
    assert MARKS["south"] in sites(f"{address}/south", "cyd")


@pytest.mark.parametrize(
    ("who", "clinic", "status"),
    [
        ("ana", "/south", 401),  # her token is for the other clinic
        ("ben", "/north", 403),
        ("cyd", "", 403),  # of two, which?
        ("eve", "", 403),
        ("eve", "/north", 403),
        ("cyd", "/west", 403),
        ("cyd", "/north/south", 404),
    ],
)
def test_nobody_reaches_another(hosted: Replicas, who: str, clinic: str, status: int) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"authorization": f"Bearer cmp_{who}", "host": "mcp.example.org"}
    accept = {"accept": "application/json, text/event-stream"}
    answer = httpx2.post(
        f"{hosted.address}{clinic}", json=message, headers=headers | accept, timeout=PATIENT, trust_env=False
    )
    assert answer.status_code == status
    assert not [mark for mark in MARKS.values() if mark in answer.text]


def test_of_interleaved_calls_none_holds_anything_of_the_other_clinic(hosted: Replicas) -> None:
    """The same person asks both, so that nothing but the address tells the clinics apart."""

    def asked(number: int) -> tuple[str, str]:
        name = ("north", "south")[number % 2]
        address = f"{hosted.address}/{name}"
        match number // 2 % 5:
            case 0:
                found: Any = call(address, "cyd", "find_patients", patient="Mo")
            case 1:
                found = call(address, "cyd", "clinic_overview")
            case 2:
                completed = {"name": "business", "value": MARKS[name][:1]}
                ref = {"type": "ref/prompt", "name": "morning_brief"}
                found = in_modern(address, "cyd", "completion/complete", ref=ref, argument=completed)
            case 3:
                found = call(address, "cyd", "list_patients", last_name="~mark", limit=5)
            case _:
                found = call(address, "cyd", "list_appointment_types", limit=3)
        return name, json.dumps(found)

    with ThreadPoolExecutor(12) as calls:
        answers = list(calls.map(asked, range(80)))
    seen = {name: sum(MARKS[name] in text for one, text in answers if one == name) for name in MARKS}
    foreign = [(name, text) for name, text in answers if MARKS[{"north": "south", "south": "north"}[name]] in text]
    assert min(seen.values()) >= 20, seen
    assert foreign == []


def test_a_cursor_and_an_answer_of_one_clinic_are_nothing_in_the_other(hosted: Replicas) -> None:
    north, south = f"{hosted.address}/north", f"{hosted.address}/south"
    first = envelope(call(north, "cyd", "list_patients", limit=1))
    cursor = {"cursor": first["page"]["next_cursor"]}
    assert envelope(call(south, "cyd", "list_patients", **cursor))["code"] == "invalid_cursor"
    assert envelope(call(north, "cyd", "list_patients", **cursor))["items"]
    patient = first["items"][0]["id"]
    asked = call(north, "cyd", "archive_patient", id=patient)
    yes = {next(iter(asked["inputRequests"])): {"action": "accept", "content": {"approve": True}}}
    answer = {"requestState": asked["requestState"], "inputResponses": yes}
    assert call(south, "cyd", "archive_patient", id=patient, **answer)["error"]["code"] == -32602
    assert "code" not in envelope(call(south, "cyd", "get_patient", id=patient))
    assert envelope(call(north, "cyd", "archive_patient", id=patient, **answer))["done"]


def test_each_clinic_has_a_log_of_its_own(hosted: Replicas) -> None:
    for name, people in (("north", {"people:ana", "people:cyd"}), ("south", {"people:ben", "people:cyd"})):
        log = hosted.audit.with_name(f"audit-{name}.jsonl")
        assert {json.loads(line)["principal"] for line in log.read_text().splitlines()} == people
    assert not hosted.audit.exists()


def test_another_key_is_taken_and_a_clinic_that_is_removed_is_closed_while_the_server_runs(
    hosted: Replicas, folder: Path
) -> None:
    clinics(folder, "rotate", "--ring")
    clinics(folder, "rotate", "north", "--unchecked", "--key-stdin", key="nobody-au1")
    while envelope(found := call(f"{hosted.address}/north", "cyd", "list_patients", limit=1)).get("code") is None:
        pass
    assert "is not accepted any more" in envelope(found)["message"]
    clinics(folder, "rotate", "north", "--key-stdin", key="demo-au1")
    north = f"{hosted.address}/north"
    while any("code" in envelope(call(north, "cyd", "list_patients", limit=1)) for _ in range(2)):  # at both replicas
        pass
    clinics(folder, "remove", "south")
    told = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"authorization": "Bearer cmp_ben", "host": "mcp.example.org", "accept": "application/json"}
    while httpx2.post(hosted.address, json=told, headers=headers, trust_env=False).status_code != 403:
        pass
    assert MARKS["north"] in sites(hosted.address, "ana")
