"""Two replicas whose clinics and people's keys are in Postgres: people work in keys of their own, whoever is taken out
is refused at both within a minute, and each clinic's address says what it is."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from cliniko_mcp.shared_state.directory import KeyRow
from tests.directory.stores import directory_at
from tests.faults.process import PATIENT
from tests.hosted.issuer_apart import IssuerApart, issuer_apart
from tests.hosted.own_keys import PRACTITIONER, RECEPTIONIST
from tests.hosted.replicas import (
    ACCOUNT,
    PUBLIC,
    RING,
    ClinicApart,
    Replicas,
    call,
    clinic_apart,
    command,
    envelope,
    people_file,
    replicas,
)
from tests.postgres import PostgresServer
from tests.shared_state.redis_server import RedisServer

pytestmark = pytest.mark.long

ORIGIN = "https://mcp.example.org"
METADATA = f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"
ALL = "cliniko:read cliniko:write cliniko:destroy"
PEOPLE: dict[str, dict[str, Any]] = {"ana": {}, "ben": {}, "cyd": {}, "eve": {"clinic": "south"}}
WITHIN = 60.0
"""Seconds within which whoever is taken out is refused everywhere."""
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture(scope="module")
def clinic() -> Iterator[ClinicApart]:
    with clinic_apart("--rate-limit", "0") as found:
        yield found


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerApart]:
    with issuer_apart() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("connect")


def clinics(folder: Path, database: str, *arguments: str, key: str = "") -> str:
    """What `clinics` prints."""
    told = ("clinics", *arguments, "--hosted", str(folder / "hosted.toml"))
    with command(*told, RING=RING, DATABASE=database, **ACCOUNT) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(f"{key}\n".encode())
        process.stdin.close()
        printed, complained = process.stdout.read().decode(), process.stderr.read().decode()
        assert process.wait(PATIENT) == 0, complained
        return printed


@pytest.fixture(scope="module")
def hosted(
    folder: Path, redis: RedisServer, clinic: ClinicApart, database: str, issuer: IssuerApart
) -> Iterator[Replicas]:
    (folder / "hosted.toml").write_text('keys = ["env:RING"]\nclinics = "env:DATABASE"\n')
    add = ("--base-url", clinic.url, "--key-stdin")
    told = clinics(folder, database, "add", "north", "--people", "ana,ben", "--keys", "person", *add, key="demo-au1")
    assert "the key of Mei Ng" in told and "/connect/north" in told
    clinics(folder, database, "add", "south", "--people", f"cyd,{issuer.url}|7", *add, key="demo-au1")
    for account in accounts(database):
        redis.trusted(account)
    more = (
        f'clinics = "env:DATABASE"\n[redis]\nurl = "{redis.url}"\n[admin]\nport = 0\n[[issuer]]\nurl = "{issuer.url}"\n'
    )
    with replicas(folder, more, people=PEOPLE, CLINIKO_API_KEY="", DATABASE=database) as found:
        yield found


def accounts(database: str) -> list[str]:
    async def read() -> list[str]:
        async with directory_at(database) as directory:
            clinics = [entry.account for entry in await directory.store.all()]
            return clinics + [row.account for row in await directory.directory.keys()]

    return anyio.run(read)


def keys(database: str) -> Sequence[KeyRow]:
    async def read() -> Sequence[KeyRow]:
        async with directory_at(database) as directory:
            return await directory.directory.keys()

    return anyio.run(read)


class Browser:
    """Somebody's browser, each of whose requests is on a connection of its own, so that it meets the next replica."""

    def __init__(self, address: str) -> None:
        self._origin = address.removesuffix("/mcp")
        self._cookie = ""
        self.text = ""

    def open(self, path: str) -> str:
        return self._sent("GET", path)

    def send(self, path: str, **fields: str) -> str:
        hidden = dict(re.findall(r'<input type=hidden name="(\w+)" value="([^"]*)"', self.text))
        return self._sent("POST", path, **hidden, **fields)

    def _sent(self, method: str, path: str, **fields: str) -> str:
        headers = {"host": "mcp.example.org", "connection": "close", "cookie": self._cookie, "origin": ORIGIN}
        answer = httpx2.request(
            method, f"{self._origin}{path}", data=fields or None, headers=headers, timeout=PATIENT, trust_env=False
        )
        if answer.status_code == 303:
            self._cookie = answer.headers.get("set-cookie", "").partition(";")[0] or self._cookie
            return self.open(answer.headers["location"])
        self.text = answer.text
        return self.text

    def give(self, who: str, key: str) -> str:
        self.open("/connect/north")
        self.send("/login", code=f"code of {who}")
        self.send("/connect/north", key=key)
        assert "Is this right?" in self.text, self.text
        return self.send("/connect/north", step="yes")


def at_each(hosted: Replicas, path: str = "") -> list[str]:
    """The address of each replica itself."""
    return [f"http://127.0.0.1:{port}/mcp{path}" for port in hosted.balancer.ports]


def status(address: str, token: str, message: Any = PING, **headers: str) -> httpx2.Response:
    usual = {"host": "mcp.example.org", "accept": "application/json, text/event-stream", "connection": "close"}
    usual |= {"authorization": f"Bearer {token}"} if token else {}
    return httpx2.post(address, json=message, headers=usual | headers, timeout=PATIENT, trust_env=False)


def statuses(addresses: Sequence[str], token: str) -> list[int]:
    return [status(one, token).status_code for one in addresses]


def refused_within(holds: Callable[[], bool]) -> float:
    """The seconds after which this holds, at most a minute."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < WITHIN
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_person_without_a_key_is_told_where_to_give_one_and_works_in_it_at_either_replica(
    hosted: Replicas, database: str, redis: RedisServer, clinic: ClinicApart
) -> None:
    address = f"{hosted.address}/north"
    for _ in range(2):
        told = envelope(call(address, "ana", "list_patients", limit=1))
        assert (told["code"], f"{ORIGIN}/connect/north" in told["fix"]) == ("not_linked", True)
    browser = Browser(hosted.address)
    assert "Your key is kept" in browser.give("ana", PRACTITIONER)
    assert "Your key is kept" in Browser(hosted.address).give("ben", RECEPTIONIST)
    for account in accounts(database):
        redis.trusted(account)
    for _ in range(2):
        assert envelope(call(address, "ana", "list_patients", limit=1))["items"]
        assert envelope(call(address, "ben", "list_patients", limit=1))["items"]
    assert "Tom Okafor" in browser.open("/connect/north")
    lines = [json.loads(line) for line in hosted.audit.with_name("audit-north.jsonl").read_text().splitlines()]
    assert {line["principal"] for line in lines} == {"people:ana", "people:ben"}
    stored = repr(keys(database))
    assert PRACTITIONER not in stored and RECEPTIONIST not in stored
    assert "own keys: 2" in clinics(hosted.audit.parent, database, "list")


def test_a_question_of_one_person_is_answered_by_them_at_either_replica_and_by_nobody_else(hosted: Replicas) -> None:
    address = f"{hosted.address}/north"
    patient = envelope(call(address, "ana", "list_patients", limit=1))["items"][0]["id"]
    asked = call(address, "ana", "archive_patient", id=patient)
    yes = {next(iter(asked["inputRequests"])): {"action": "accept", "content": {"approve": True}}}
    answer = {"requestState": asked["requestState"], "inputResponses": yes}
    assert call(address, "ben", "archive_patient", id=patient, **answer)["error"]["code"] == -32602
    ended = [envelope(call(address, "ana", "archive_patient", id=patient, **answer)) for _ in range(2)]
    assert ["done" in one for one in ended] == [True, True], ended


def test_each_clinics_metadata_is_about_the_address_that_was_typed(hosted: Replicas, issuer: IssuerApart) -> None:
    for address in at_each(hosted):
        origin = address.removesuffix("/mcp")
        for typed in ("", "/mcp", "/mcp/north", "/mcp/north/", "/mcp/south"):
            path = f"{origin}/.well-known/oauth-protected-resource{typed}"
            answer = httpx2.get(path, headers={"host": "mcp.example.org"}, trust_env=False)
            assert answer.status_code == 200
            assert answer.json() == {
                "resource": f"{ORIGIN}{typed or '/mcp'}",
                "authorization_servers": [issuer.url],
                "scopes_supported": ALL.split(),
                "bearer_methods_supported": ["header"],
                "resource_name": "Cliniko",
            }


def test_the_challenges_are_these_byte_for_byte(hosted: Replicas, issuer: IssuerApart) -> None:
    read = issuer.token("7", PUBLIC, "cliniko:read")
    other = issuer.token("7", "https://other.example/mcp", ALL)
    destroy = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "archive_patient", "arguments": {"id": "1"}},
    }
    for path, metadata in (("", METADATA), ("/south", f"{METADATA}/south"), ("/north", f"{METADATA}/north")):
        for address in at_each(hosted, path):
            expected = {
                "": (401, f'Bearer resource_metadata="{metadata}", scope="{ALL}"'),
                other: (401, f'Bearer error="invalid_token", resource_metadata="{metadata}", scope="{ALL}"'),
                "nonsense": (401, f'Bearer error="invalid_token", resource_metadata="{metadata}", scope="{ALL}"'),
            }
            for token, challenge in expected.items():
                answer = status(address, token)
                assert (answer.status_code, answer.headers["www-authenticate"]) == challenge
            answer = status(address, read, destroy)
            scopes = f'Bearer error="insufficient_scope", resource_metadata="{metadata}", scope="{ALL}"'
            assert (answer.status_code, answer.headers["www-authenticate"]) == (403, scopes), answer.text


def test_a_token_for_one_clinics_address_is_good_there_alone(hosted: Replicas, issuer: IssuerApart) -> None:
    for audience, expected in ((f"{PUBLIC}/south", (401, 200, 200)), (f"{PUBLIC}/north", (200, 401, 200))):
        token = issuer.token("9", audience, ALL)
        found = [status(f"{hosted.address}{path}", token).status_code for path in ("/north", "/south", "")]
        assert tuple(found) == expected, audience
    claimed = issuer.token("9", PUBLIC, ALL, clinic="south")
    assert [status(f"{hosted.address}{path}", claimed).status_code for path in ("/north", "/south")] == [401, 200]
    nobody = issuer.token("8", PUBLIC, ALL)
    assert [status(f"{hosted.address}{path}", nobody).status_code for path in ("/north", "/south", "")] == [403] * 3
    known = issuer.token("7", PUBLIC, ALL)
    assert [status(f"{hosted.address}{path}", known).status_code for path in ("/north", "/south", "")] == [
        403,
        200,
        200,
    ]


def test_a_person_who_is_erased_is_asked_for_a_key_at_every_replica_and_taken_out_of_the_clinic(
    hosted: Replicas, folder: Path, database: str
) -> None:
    assert "1 key erased; taken out of north" in clinics(folder, database, "forget", "ben")
    took = refused_within(lambda: statuses(at_each(hosted, "/north"), "cmp_ben") == [403] * 2)
    assert took < WITHIN
    assert [row.person for row in keys(database)] == ["people|ana"]


def test_a_person_taken_out_of_the_people_or_of_the_clinic_is_refused_at_every_replica(
    hosted: Replicas, folder: Path, database: str, issuer: IssuerApart
) -> None:
    token = issuer.token("7", PUBLIC, ALL)
    assert statuses(at_each(hosted, "/south"), token) == [200] * 2
    clinics(folder, database, "change", "south", "--people", "cyd")
    refused_within(lambda: statuses(at_each(hosted, "/south"), token) == [403] * 2)
    assert statuses(at_each(hosted, "/south"), "cmp_cyd") == [200] * 2
    people_file(folder, {who: more for who, more in PEOPLE.items() if who != "cyd"})
    refused_within(lambda: statuses(at_each(hosted, "/south"), "cmp_cyd") == [401] * 2)


def test_another_key_of_a_clinic_is_taken_by_every_replica(
    hosted: Replicas, folder: Path, database: str, clinic: ClinicApart
) -> None:
    def codes(*of: str | None) -> bool:
        found = [envelope(call(one, "eve", "list_patients", limit=1)).get("code") for one in at_each(hosted, "/south")]
        return found == [*of]

    assert codes(None, None)
    clinics(folder, database, "rotate", "south", "--unchecked", "--key-stdin", key="nobody-au1")
    refused_within(partial(codes, "key_refused", "key_refused"))
    clinics(folder, database, "rotate", "south", "--key-stdin", key="demo-au1")
    refused_within(partial(codes, None, None))
    assert "3 sealed" in clinics(folder, database, "rotate", "--ring")
    assert codes(None, None)
    assert envelope(call(f"{hosted.address}/north", "ana", "list_patients", limit=1))["items"]


def test_a_removed_clinic_is_refused_at_every_replica_and_nothing_of_its_keys_is_left(
    hosted: Replicas, folder: Path, database: str, redis: RedisServer
) -> None:
    told = clinics(folder, database, "remove", "north", "--audit-file", str(hosted.audit))
    assert str(hosted.audit.with_name("audit-north.jsonl")) in told
    refused_within(lambda: statuses(at_each(hosted, "/north"), "cmp_ana") == [403] * 2)
    assert keys(database) == []


def test_while_postgres_is_away_calls_go_on_with_the_clinics_key_and_with_their_own_wait(
    hosted: Replicas, postgres: PostgresServer
) -> None:
    """Last, as the minute after which nobody is let in is not waited for here."""
    postgres.stop()
    assert envelope(call(f"{hosted.address}/south", "eve", "list_patients", limit=1))["items"]
    assert hosted.ready(0)[1]["clinics"] is True
    postgres.start()
