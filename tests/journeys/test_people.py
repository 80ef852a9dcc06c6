"""Several people behind one clinic's key: what is one's is nobody else's, and each may do what their token grants."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import YES, callback_for
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from cliniko_mcp.identity.people_file import digest_of
from cliniko_mcp.tools.index import entries
from tests.faults.process import META, PATIENT
from tests.journeys.test_http import INITIALIZE, PLAIN, listening

PUBLIC = "https://mcp.example.org/mcp"
PAGE = "https://clinic.example.org"
TIERS = {"read": ["cliniko:read"], "write": ["cliniko:write"], "destroy": ["cliniko:destroy"]}
PEOPLE = {"ana": "destroy", "ben": "destroy", "rea": "read", "wim": "write"}
FORMS = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}


def entry(name: str) -> str:
    scopes = json.dumps(TIERS[PEOPLE[name]])
    return f'[[person]]\nid = "{name}"\ntoken = "{digest_of(f"cmp_{name}")}"\nscopes = {scopes}\n'


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("people") / "people.toml"
    path.write_text("".join(map(entry, PEOPLE)))
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def audit(people: Path) -> Path:
    return people.parent / "audit.jsonl"


@pytest.fixture(scope="module")
def address(people: Path, audit: Path) -> Iterator[str]:
    flags = ("--people", str(people), "--public-url", PUBLIC, "--allow-origin", PAGE, "--audit-file", str(audit))
    with listening("--transport", "http", "--host", "0.0.0.0", *flags, CLINIKO_MCP_HTTP_TOKEN="") as address:
        yield address.replace("0.0.0.0", "127.0.0.1")


def headers(name: str, **more: str) -> dict[str, str]:
    return PLAIN | {"authorization": f"Bearer cmp_{name}", "host": "mcp.example.org"} | more


def post(address: str, name: str, method: str, params: dict[str, Any], **more: str) -> httpx2.Response:
    """One message of the era without a handshake."""
    told = {"mcp-protocol-version": "2026-07-28", "mcp-method": method}
    if "name" in params:
        told["mcp-name"] = params["name"]
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": FORMS, **params}}
    return httpx2.post(address, json=message, headers=headers(name, **told) | more, timeout=PATIENT)


def message_in(answer: httpx2.Response) -> dict[str, Any]:
    text = answer.text
    if answer.headers["content-type"].startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data:")][-1].removeprefix("data:")
    return json.loads(text)


def call(address: str, name: str, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """What a tool answers this person: its result, or the error of the protocol."""
    retried = {key: arguments.pop(key) for key in ("inputResponses", "requestState") if key in arguments}
    message = message_in(post(address, name, "tools/call", {"name": tool, "arguments": arguments, **retried}))
    return message.get("result", message)


def envelope(result: dict[str, Any]) -> dict[str, Any]:
    return json.loads(result["content"][0]["text"])


def test_a_cursor_is_useless_to_anybody_else(address: str) -> None:
    page = envelope(call(address, "ana", "list_patients", limit=2))["page"]
    again = {"limit": 2, "cursor": page["next_cursor"]}
    assert envelope(call(address, "ben", "list_patients", **again))["code"] == "invalid_cursor"
    assert len(envelope(call(address, "ana", "list_patients", **again))["items"]) == 2


@pytest.mark.long
def test_a_question_an_answer_and_a_no_are_those_of_whoever_was_asked(address: str, audit: Path) -> None:
    patient = envelope(call(address, "ana", "list_patients", limit=1))["items"][0]["id"]
    asked = call(address, "ana", "archive_patient", id=patient)
    key = next(iter(asked["inputRequests"]))
    yes = {key: {"action": "accept", "content": {"approve": True}}}
    stolen = call(address, "ben", "archive_patient", id=patient, requestState=asked["requestState"], inputResponses=yes)
    assert stolen["error"]["code"] == -32602
    no = {key: {"action": "decline"}}
    declined = call(
        address, "ana", "archive_patient", id=patient, requestState=asked["requestState"], inputResponses=no
    )
    assert envelope(declined)["code"] == "declined"
    assert envelope(call(address, "ana", "archive_patient", id=patient))["code"] == "declined"
    assert "inputRequests" in call(address, "ben", "archive_patient", id=patient)
    assert "code" not in envelope(call(address, "ben", "get_patient", id=patient))
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    found = {(line["principal"], line["name"], line["outcome"]) for line in lines if line["tool"] == "archive_patient"}
    assert {("people:ana", "ana", "declined"), ("people:ben", "ben", "asked")} <= found


def test_a_session_answers_only_the_person_who_opened_it(address: str) -> None:
    opened = httpx2.post(address, json=INITIALIZE, headers=headers("ana"), timeout=PATIENT)
    session = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    statuses = [
        httpx2.post(address, json=ping, headers=headers(name) | session, timeout=PATIENT).status_code
        for name in ("ben", "ana")
    ]
    assert statuses == [404, 200]


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("name", ["rea", "wim", "ana"])
async def test_each_person_is_shown_what_they_may_call_and_can_do_no_more(address: str, name: str, mode: str) -> None:
    asked: list[str] = []
    async with (
        httpx2.AsyncClient(headers=headers(name), timeout=PATIENT) as http,
        Client(
            streamable_http_client(address, http_client=http), mode=mode, elicitation_callback=callback_for(YES, asked)
        ) as client,
    ):
        listed = {tool.name for tool in (await client.list_tools()).tools}
        risks = {entries()[tool].highest_risk.value for tool in listed}
        may = ["read", "write", "destructive"][: {"rea": 1, "wim": 2, "ana": 3}[name]]
        assert risks == set(may)
        found = await client.call_tool("list_patients", {"limit": 1})
        assert not found.is_error


@pytest.mark.long
def test_what_only_a_reading_shows_is_told_as_the_scope_that_is_missing(address: str) -> None:
    """By its name an update; by what it does to a site one that a person is asked about."""
    site = envelope(call(address, "rea", "list_businesses", limit=1))["items"][0]["id"]
    refused = envelope(call(address, "wim", "update_business", id=site, time_zone_identifier="Asia/Tokyo"))
    assert (refused["code"], refused["scope"]) == ("not_allowed", "cliniko:destroy")
    assert "inputRequests" in call(address, "ana", "update_business", id=site, time_zone_identifier="Asia/Tokyo")
    changed = envelope(call(address, "wim", "update_business", id=site, contact_information="Ring the bell"))
    assert "code" not in changed


@pytest.mark.long
def test_a_name_in_the_header_that_is_not_the_tool_called_opens_nothing(address: str) -> None:
    """In the older era nothing compares the two: the guards hold what the gate was told wrongly."""
    opened = httpx2.post(address, json=INITIALIZE, headers=headers("rea"), timeout=PATIENT)
    session = {"mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
    wrong = session | {"mcp-method": "tools/call", "mcp-name": "list_patients"}
    for tool, arguments in (
        ("create_patient", {"first_name": "Eve", "last_name": "Moss"}),
        ("cliniko_write", {"operation": "create_patient", "arguments": {"first_name": "Eve", "last_name": "Moss"}}),
        ("get_attachment_presigned_post", {"patient_id": "1"}),
        ("archive_patient", {"id": "1"}),
    ):
        params = {"name": tool, "arguments": arguments}
        message = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params}
        answer = httpx2.post(address, json=message, headers=headers("rea") | wrong, timeout=PATIENT)
        told = envelope(message_in(answer)["result"])
        needed = "cliniko:destroy" if tool == "archive_patient" else "cliniko:write"
        assert (told["code"], told["scope"]) == ("not_allowed", needed), tool


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("host", "127.0.0.1", 421),
        ("host", "evil.example", 421),
        ("host", "mcp.example.org:443", 200),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "https://mcp.example.org", 200),
        ("origin", PAGE, 200),
    ],
)
def test_on_a_wildcard_address_host_and_origin_are_those_of_the_public_address(
    address: str, header: str, value: str, status: int
) -> None:
    answer = post(address, "rea", "tools/list", {}, **{header: value})
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (PAGE if value == PAGE else None)


def test_a_page_that_is_allowed_may_ask_first_and_no_other(address: str) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    told = {
        page: httpx2.options(address, headers={"origin": page, **asks}, timeout=PATIENT).status_code
        for page in (PAGE, "https://evil.example")
    }
    assert told == {PAGE: 200, "https://evil.example": 400}


def test_without_a_token_or_with_one_that_was_revoked_nothing_is_answered(address: str, people: Path) -> None:
    assert httpx2.post(address, json=INITIALIZE, headers=PLAIN, timeout=PATIENT).status_code == 401
    told = post(address, "eve", "tools/list", {})
    assert (told.status_code, told.text) == (401, "The token was refused: it was revoked.\n")
