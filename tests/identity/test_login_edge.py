"""The built-in login's addresses for programs: what hosts send ends in a token, and what is wrong ends in an error."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.identity.cimd import Documents
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings
from tests.identity.asking import CHALLENGE, DESK, LOOPBACK, ORIGIN, URL, handed, told
from tests.identity.login_stage import Stage, staged

pytestmark = pytest.mark.anyio
CLAUDE = "https://claude.ai/oauth/mcp-oauth-client-metadata"
CODE_CLI = "https://claude.ai/oauth/claude-code-client-metadata"
CHATGPT = "https://chatgpt.com/oauth/client.json"
DOCUMENTS: dict[str, dict[str, Any]] = {
    CLAUDE: {"redirect_uris": ["https://claude.ai/api/mcp/auth_callback"], "token_endpoint_auth_method": "none"},
    CODE_CLI: {"redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"]},
    CHATGPT: {
        "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
    },
}
CURSOR = (
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "http://localhost:8787/callback",
)
VSCODE = (
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
    "http://127.0.0.1/",
    "http://127.0.0.1:33418/",
)
REGISTERED: list[tuple[tuple[str, ...], str]] = [
    (("https://claude.ai/api/mcp/auth_callback",), "https://claude.ai/api/mcp/auth_callback"),
    (("https://claude.com/api/mcp/auth_callback",), "https://claude.com/api/mcp/auth_callback"),
    (("http://localhost:52123/callback",), "http://localhost:61000/callback"),
    (("https://chatgpt.com/connector/oauth/Ab-9_x",), "https://chatgpt.com/connector/oauth/Ab-9_x"),
    (CURSOR, CURSOR[0]),
    (CURSOR, CURSOR[1]),
    (VSCODE, "http://127.0.0.1:51999/"),
    (VSCODE, "http://127.0.0.1:51999"),
    (("http://127.0.0.1:33418/",), "http://127.0.0.1:40001/"),
    (("http://127.0.0.1:8080/callback/c0ffee",), "http://127.0.0.1:9090/callback/c0ffee"),
    (("http://[::1]:1/x",), "http://[::1]:2/x"),
]
"""What hosts register and then ask for."""


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return demo_clinic(Settings(sandbox=True, rate_limit=0))


async def document(url: str, address: str) -> tuple[bytes, str, str]:
    return json.dumps({"client_id": url, **DOCUMENTS[url]}).encode(), "application/json", "max-age=600"


async def outside(host: str) -> list[str]:
    return ["93.184.215.14"]


@pytest.fixture
async def stage(tmp_path: Path, sandbox: Sandbox) -> AsyncGenerator[Stage]:
    documents = Documents((), anyio.current_time, outside, document)
    async with staged(tmp_path, sandbox, documents=documents) as stage:
        yield stage


async def test_the_metadata_is_one_text_at_every_address(stage: Stage) -> None:
    names = ("oauth-authorization-server", "openid-configuration")
    answers = [await stage.http.get(f"/.well-known/{name}{path}") for name in names for path in ("", "/mcp")]
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json() == {
        "issuer": ORIGIN,
        "authorization_endpoint": f"{ORIGIN}/authorize",
        "token_endpoint": f"{ORIGIN}/token",
        "registration_endpoint": f"{ORIGIN}/register",
        "revocation_endpoint": f"{ORIGIN}/revoke",
        "scopes_supported": ["cliniko:read", "cliniko:write", "cliniko:destroy", "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


@pytest.mark.long
@pytest.mark.parametrize(("registered", "asked"), REGISTERED)
async def test_what_a_host_registers_and_asks_for_ends_in_a_token(
    stage: Stage, registered: tuple[str, ...], asked: str
) -> None:
    client = await stage.program(*registered)
    page = await stage.page(client["client_id"], asked, scope="cliniko:read offline_access")
    back = await stage.agreed(page)
    assert back["iss"] == ORIGIN
    assert back["state"] == "s t&te"
    answer = await stage.exchange(client, back["code"], asked)
    assert answer.status_code == 200, answer.text
    assert await stage.good(answer.json()["access_token"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("id", "asked", "shown"),
    [
        (CLAUDE, "https://claude.ai/api/mcp/auth_callback", "Claude"),
        (CODE_CLI, "http://localhost:60123/callback", "Claude Code"),
        (CODE_CLI, "http://127.0.0.1:60123/callback", "Claude Code"),
        (CHATGPT, "https://chatgpt.com/connector_platform_oauth_redirect", "ChatGPT"),
    ],
)
async def test_a_host_known_by_its_document_needs_no_registration(
    stage: Stage, id: str, asked: str, shown: str
) -> None:
    page = await stage.page(id, asked)
    assert f"Connect {shown} to Cliniko" in page.text
    back = await stage.agreed(page)
    answer = await stage.exchange({"client_id": id}, back["code"], asked)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://evil.example/callback",
        "evil://callback",
        "http://127.0.0.1/#x",
        "https://claude.ai/api/mcp/auth_callback/other",
        "https://claude.ai@evil.example/api/mcp/auth_callback",
        "https://chatgpt.com/connector/oauth/a/b",
        "file:///etc/passwd",
    ],
)
async def test_an_address_of_a_stranger_is_not_registered_nor_what_stands_beside_it(stage: Stage, address: str) -> None:
    for addresses in ((address,), (LOOPBACK, address)):
        answer = await stage.register(*addresses)
        assert answer.status_code == 400, answer.text
        assert "evil" not in answer.text


async def test_what_is_too_much_is_not_registered(stage: Stage) -> None:
    assert (await stage.register(LOOPBACK, client_name="x" * 81)).status_code == 400
    assert (await stage.register(LOOPBACK, client_name="Clau\u202ede")).status_code == 400
    assert (await stage.register(*[f"{LOOPBACK}/{number}" for number in range(11)])).status_code == 400
    assert (await stage.register(LOOPBACK, software_id="x" * 20_000)).status_code == 413


@pytest.mark.long
async def test_the_same_registration_twice_is_one_program_and_no_more_than_two_hundred_wait(stage: Stage) -> None:
    one, two = await stage.program(), await stage.program()
    assert one["client_id"] == two["client_id"]
    answers = [await stage.register(f"http://127.0.0.1/{number}") for number in range(220)]
    assert sum(answer.status_code == 201 for answer in answers) == 199
    stage.clock[0] += 3601
    assert (await stage.register("http://127.0.0.1/later")).status_code == 201


@pytest.mark.long
async def test_a_thousand_registrations_leave_two_hundred_rows(stage: Stage) -> None:
    kept: set[str] = set()
    for number in range(1000):
        answer = await stage.register(f"http://127.0.0.1/{number}")
        kept |= {answer.json()["client_id"]} if answer.status_code == 201 else set()
    there = [await stage.logins.client(id) for id in kept]
    assert len([row for row in there if row is not None]) == 200
    stage.clock[0] += 3601
    await stage.register("http://127.0.0.1/later")
    there = [await stage.logins.client(id) for id in kept]
    assert [row for row in there if row is not None] == [], "who was never used is forgotten after an hour"


@pytest.mark.long
@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_a_secret_is_derived_and_has_to_be_sent(stage: Stage, method: str) -> None:
    client = await stage.program(LOOPBACK, token_endpoint_auth_method=method)
    back = await stage.agreed(await stage.page(client["client_id"]))
    bare = await stage.exchange({"client_id": client["client_id"]}, back["code"])
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")
    if method == "client_secret_post":
        good = await stage.exchange(client, back["code"])
    else:
        form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": LOOPBACK}
        form |= {"code_verifier": "v" * 64}
        good = await stage.http.post("/token", data=form, auth=(client["client_id"], client["client_secret"]))
    assert good.status_code == 200, good.text


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"code_challenge": "!" * 43}, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
async def test_a_wrong_request_goes_back_to_the_program_with_who_says_so(
    stage: Stage, asked: dict[str, str], error: str
) -> None:
    client = await stage.program()
    answer = await stage.authorize(client["client_id"], **asked)
    assert answer.status_code == 302
    where = answer.headers["location"]
    assert where.startswith(f"{LOOPBACK}?error={error}")
    assert where.endswith("iss=https%3A%2F%2Fmcp.example.org")


async def test_a_person_is_told_where_the_program_or_its_address_is_unknown(stage: Stage) -> None:
    client = await stage.program()
    for id, redirect in (
        ("nobody", LOOPBACK),
        (client["client_id"], "http://127.0.0.1/other"),
        (client["client_id"], "http://localhost:1/callback"),
    ):
        answer = await stage.authorize(id, redirect)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "<h1>" in answer.text


async def test_a_token_request_is_held_to_what_was_asked_for(stage: Stage) -> None:
    client = await stage.program()
    back = await stage.agreed(await stage.page(client["client_id"]))
    other = await stage.exchange(client, back["code"], resource="https://other.example/mcp")
    assert other.json()["error"] == "invalid_target"
    wrong = await stage.exchange(client, back["code"], code_verifier="w" * 64)
    assert wrong.json()["error"] == "invalid_grant"
    kind = await stage.http.post("/token", data={"grant_type": "password", "client_id": client["client_id"]})
    assert kind.json()["error"] == "unsupported_grant_type"
    unknown = await stage.program("http://127.0.0.1/unknown")
    assert (await stage.exchange(unknown, back["code"])).json()["error"] == "invalid_grant"
    assert (await stage.exchange(client, back["code"])).status_code == 200


async def test_a_code_is_good_once_and_for_a_minute_and_its_second_use_ends_the_first(stage: Stage) -> None:
    client = await stage.program()
    back = await stage.agreed(await stage.page(client["client_id"]))
    first = (await stage.exchange(client, back["code"])).json()
    assert await stage.good(first["access_token"])
    again = await stage.exchange(client, back["code"])
    assert again.json()["error"] == "invalid_grant"
    assert not await stage.good(first["access_token"])
    assert (await stage.refresh(client, first["refresh_token"])).json()["error"] == "invalid_grant"


async def test_of_exchanges_at_once_one_wins(stage: Stage) -> None:
    client = await stage.program()
    back = await stage.agreed(await stage.page(client["client_id"]))
    found: list[int] = []

    async def exchange() -> None:
        found.append((await stage.exchange(client, back["code"])).status_code)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(exchange)
    assert sorted(found) == [200] + [400] * 9


async def test_a_refresh_token_rotates_and_may_be_shown_again_for_two_minutes(stage: Stage) -> None:
    client, tokens = await stage.tokens(may="cliniko:write")
    assert tokens["scope"] == "cliniko:read cliniko:write"
    found = [await stage.refresh(client, tokens["refresh_token"]) for _ in range(8)]
    assert [answer.status_code for answer in found] == [200] * 8
    assert all([await stage.good(answer.json()["access_token"]) for answer in found])
    narrowed = await stage.refresh(client, found[0].json()["refresh_token"], scope="cliniko:read offline_access")
    assert narrowed.json()["scope"] == "cliniko:read"
    more = await stage.refresh(client, narrowed.json()["refresh_token"], scope="cliniko:destroy")
    assert more.json()["error"] == "invalid_scope"
    stage.clock[0] += 121
    late = await stage.refresh(client, tokens["refresh_token"])
    assert late.json()["error"] == "invalid_grant"
    assert not await stage.good(found[0].json()["access_token"])
    (grant,) = await stage.logins.grants(stage.clock[0])
    assert grant.why == "a refresh token was used again"


async def test_a_program_without_a_secret_gives_a_token_back(stage: Stage) -> None:
    client, tokens = await stage.tokens()
    unknown = await stage.program("http://127.0.0.1/unknown")
    for who, good in ((unknown, True), (client, False)):
        form = {"token": tokens["access_token"], "client_id": who["client_id"]}
        assert (await stage.http.post("/revoke", data=form)).status_code == 200
        assert await stage.good(tokens["access_token"]) is good
    assert (await stage.refresh(client, tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_no_refresh_token_goes_to_a_program_that_cannot_use_one(stage: Stage) -> None:
    client = await stage.program(LOOPBACK, grant_types=["authorization_code"])
    back = await stage.agreed(await stage.page(client["client_id"]))
    answer = await stage.exchange(client, back["code"])
    assert "refresh_token" not in answer.json()


async def test_an_access_token_ends_after_eight_hours_and_a_grant_after_ninety_days(stage: Stage) -> None:
    client, tokens = await stage.tokens()
    assert tokens["expires_in"] == 8 * 3600
    stage.clock[0] += 8 * 3600 + 1
    assert not await stage.good(tokens["access_token"])
    answer = await stage.refresh(client, tokens["refresh_token"])
    for _ in range(4):
        if answer.status_code == 200:
            tokens = answer.json()
        stage.clock[0] += 25 * 86400
        answer = await stage.refresh(client, tokens["refresh_token"])
    assert answer.json()["error"] == "invalid_grant"


async def test_the_person_s_no_is_told_the_program(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"])
    back = told(await stage.send(page, step="no", key=""))
    assert back["error"] == "access_denied"
    assert back["iss"] == ORIGIN
    assert back["state"] == "s t&te"


async def test_pressing_yes_twice_shows_the_same_answer_and_for_ten_seconds(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"])
    second = await stage.send(page, step="key", key=DESK, may="cliniko:read")
    one, two = await stage.send(second, step="yes"), await stage.send(second, step="yes")
    assert handed(one) == handed(two)
    stage.clock[0] += 11
    assert "was answered" in (await stage.http.get(str(page.url))).text


async def test_the_resource_may_be_left_out_or_end_in_a_slash(stage: Stage) -> None:
    client = await stage.program()
    for resource in ("", f"{URL}/"):
        assert (await stage.authorize(client["client_id"], resource=resource)).status_code == 302
    assert len(CHALLENGE) == 43
