"""What somebody who means ill would try at the built-in login."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest
from starlette.requests import Request

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.directory.admission import parse_rule
from cliniko_mcp.identity.builtin import BuiltinLogin, BuiltinTokens, digest_of
from cliniko_mcp.identity.limits import Addresses
from cliniko_mcp.identity.metadata import Resource
from cliniko_mcp.identity.person import TokenRefused
from cliniko_mcp.pages.setup import setup_link
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.logins import RequestRow
from tests.identity.asking import DESK, KEY, ORIGIN
from tests.identity.login_stage import Stage, staged
from tests.identity.test_cimd import ID, web

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return demo_clinic(Settings(sandbox=True, rate_limit=0))


@pytest.fixture
async def stage(tmp_path: Path, sandbox: Sandbox) -> AsyncGenerator[Stage]:
    async with staged(tmp_path, sandbox) as stage:
        yield stage


def asked_by(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.5", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.5", ("198.51.100.1, 203.0.113.9",), "203.0.113.9"),
        ("10.0.0.5", ("198.51.100.1", "203.0.113.9"), "203.0.113.9"),
        ("10.0.0.5", ("198.51.100.1", "203.0.113.9, 10.0.0.6"), "203.0.113.9"),
        ("::ffff:203.0.113.9", (), "203.0.113.9"),
        ("::ffff:10.0.0.5", ("::ffff:203.0.113.9",), "203.0.113.9"),
        ("2001:db8::1", (), "2001:db8::/64"),
    ],
)
def test_an_address_is_what_the_last_proxy_that_is_trusted_saw(
    peer: str, forwarded: tuple[str, ...], found: str
) -> None:
    assert Addresses(("10.0.0.0/8",)).of(asked_by(peer, *forwarded)) == found


@pytest.mark.long
async def test_a_key_that_was_sealed_before_is_not_taken_for_a_newer_one(stage: Stage) -> None:
    await stage.tokens(DESK)
    (first,) = await stage.logins.people()
    whose = await stage.site.parts.proof.whose(DESK)
    second = await stage.keys.keep(whose, f"{DESK[:-4]}-new-au1")
    assert (first.version, second.version) == (1, 2)
    assert stage.keys.open(second) is not None
    assert stage.keys.open(replace(second, sealed=first.sealed)) is None


@pytest.mark.long
async def test_a_token_of_another_address_of_the_same_store_is_not_taken(stage: Stage) -> None:
    client, tokens = await stage.tokens(DESK)
    elsewhere = Resource.parse("https://other.example.org/mcp")
    verifier = BuiltinTokens(stage.logins, elsewhere, lambda: stage.clock[0], stage.logins.person)
    with pytest.raises(TokenRefused):
        await verifier.person_of(tokens["access_token"])
    other = BuiltinLogin(
        *(stage.logins, stage.documents, elsewhere),
        secret_key=b"",
        client_hosts=(),
        token=str,
        now=lambda: stage.clock[0],
    )
    program = await other.get_client(client["client_id"])
    assert program is not None
    assert await other.load_refresh_token(program, tokens["refresh_token"]) is None
    code = (await stage.agreed(await stage.page(client["client_id"])))["code"]
    assert await other.load_authorization_code(program, code) is None
    assert (await stage.exchange(client, code)).status_code == 200


@pytest.mark.long
async def test_requests_that_nobody_answers_do_not_fill_the_store(stage: Stage) -> None:
    client = await stage.program()
    for _ in range(60):
        assert (await stage.authorize(client["client_id"])).status_code == 302
    refused = await stage.authorize(client["client_id"])
    assert "Too many logins were begun from here" in refused.text
    stage.clock[0] += 601
    assert (await stage.authorize(client["client_id"])).status_code == 302
    one_more = RequestRow("one more", "{}", stage.clock[0] + 600)
    assert not await stage.logins.begin_request(one_more, stage.clock[0], 1)
    assert await stage.logins.begin_request(one_more, stage.clock[0], 2), "those that are over are gone"


class Counting(httpx2.AsyncBaseTransport):
    """Cliniko, which takes a while to answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.asked = 0
        self._within = SandboxTransport(sandbox)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += request.url.path.endswith("/user")
        for _ in range(50):
            await anyio.lowlevel.checkpoint()
        return await self._within.handle_async_request(request)


@pytest.mark.long
async def test_keys_tried_at_once_are_no_more_than_keys_tried_in_turn(tmp_path: Path, sandbox: Sandbox) -> None:
    cliniko = Counting(sandbox)
    async with staged(tmp_path, sandbox, transport=cliniko) as stage:
        client = await stage.program()
        pages = [await stage.page(client["client_id"]) for _ in range(15)]
        async with anyio.create_task_group() as group:
            for number, page in enumerate(pages):
                group.start_soon(lambda page=page, number=number: stage.send(page, step="key", key=f"no-{number}-au1"))
    assert cliniko.asked == 10


@pytest.mark.long
async def test_a_right_key_does_not_count_as_a_wrong_one(stage: Stage) -> None:
    client = await stage.program()
    for _ in range(12):
        assert (await stage.send(await stage.page(client["client_id"]), step="key", key=DESK)).status_code == 200


async def test_documents_that_others_make_up_do_not_keep_a_known_one_from_being_fetched() -> None:
    site = web()
    documents = site.documents()
    assert await documents.program(ID) is not None
    for number in range(300):
        site.now += 10
        assert await documents.program(f"https://chatgpt.com/oauth/{number}/client.json") is None
    site.away = True
    site.now += 600
    for number in range(20):
        await documents.program(f"https://chatgpt.com/oauth/x{number}/client.json")
    assert await documents.program(ID) is not None, "the copy is kept"
    site.away, site.now = False, site.now + 61
    asked = len(site.asked)
    for number in range(20):
        await documents.program(f"https://chatgpt.com/oauth/y{number}/client.json")
    await documents.program(ID)
    assert len(site.asked) == asked + 11, "ten that were made up, and the known one"


async def test_a_name_does_not_break_out_of_its_quotes(stage: Stage) -> None:
    names = ("X” of Cliniko, checked. “", '"><script>alert(1)</script>', "<b>Claude</b>")
    for name in names:
        client = await stage.program(client_name=name)
        page = await stage.page(client["client_id"])
        heading = re.search("<h1>(.*?)</h1>", page.text)
        assert heading is not None
        assert (heading.group(1).count("“"), heading.group(1).count("”")) == (1, 1)
        assert re.search(r"<(script|b)\b", page.text) is None


@pytest.fixture
async def managed(tmp_path: Path, sandbox: Sandbox) -> AsyncGenerator[tuple[Stage, httpx2.Response]]:
    """A server with its manager, who has the page of connections open."""
    async with staged(tmp_path, sandbox, admit=()) as stage:
        link = await setup_link(stage.logins, ORIGIN, "terminal", stage.clock[0])
        await stage.send(await stage.send(await stage.http.get(link), step="key", key=KEY), step="yes")
        yield stage, await stage.send(await stage.http.get("/connections"), step="key", key=KEY)


@pytest.mark.long
async def test_who_is_not_admitted_any_more_has_no_page_either(managed: tuple[Stage, httpx2.Response]) -> None:
    stage, page = managed
    await stage.logins.admit(*parse_rule("email:somebody@else.example"))
    email = (await stage.site.parts.proof.whose(KEY)).email
    again = await stage.send(page, step="admit", email=email)
    assert "Who may connect" not in again.text
    assert ("email", email.lower()) not in await stage.logins.admitted()


@pytest.mark.long
async def test_a_manager_who_is_no_administrator_any_more_sees_their_own_alone(
    managed: tuple[Stage, httpx2.Response],
) -> None:
    stage, page = managed
    assert "Everybody else’s" in page.text
    whose = await stage.site.parts.proof.whose(KEY)
    await stage.keys.keep(replace(whose, role="receptionist"), KEY)
    (row,) = await stage.logins.people()
    assert (row.role, row.version) == ("receptionist", 2)
    shown = (await stage.http.get("/connections")).text
    assert "Everybody else’s" not in shown
    assert "Who may connect" not in shown


async def test_a_login_in_another_role_ends_what_was_given_in_the_one_before(stage: Stage) -> None:
    _, before = await stage.tokens(DESK)
    (row,) = await stage.logins.people()
    await stage.keys.keep(replace(await stage.site.parts.proof.whose(DESK), role="practitioner"), DESK)
    assert not await stage.good(before["access_token"])
    _, after = await stage.tokens(DESK)
    (now,) = await stage.logins.people()
    assert (now.role, await stage.good(after["access_token"])) == (row.role, True)


async def test_a_page_of_connections_is_not_opened_in_a_role_of_before(stage: Stage) -> None:
    await stage.tokens(DESK)
    await stage.keys.keep(replace(await stage.site.parts.proof.whose(DESK), role="administrator"), DESK, manager=True)
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=DESK)
    assert "role in Cliniko has changed" in shown.text
    assert "Everybody else’s" not in (await stage.http.get("/connections")).text


async def test_who_is_shut_out_between_the_key_and_the_yes_is_not_connected(
    managed: tuple[Stage, httpx2.Response],
) -> None:
    stage, _ = managed
    client = await stage.program()
    second = await stage.send(await stage.page(client["client_id"]), step="key", key=DESK)
    await stage.logins.admit("role", "administrator")
    answer = await stage.send(second, step="yes")
    assert (answer.status_code, "cannot be used here" in answer.text) == (422, True)
    assert len(await stage.logins.people()) == 1


async def test_what_another_ring_sealed_ends_and_is_no_error_of_the_server(stage: Stage) -> None:
    client, tokens = await stage.tokens(DESK)
    (row,) = await stage.logins.people()
    proof = stage.site.parts.proof
    await stage.logins.reseal(row.id, row.version, bytes(60))
    (forged,) = await stage.logins.people()
    assert not await stage.keys.still_admitted(forged, proof, lambda whose: True)
    assert not await stage.good(tokens["access_token"])
    assert (await stage.refresh(client, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    page = await stage.page(client["client_id"])
    id, now = digest_of(page.url.path.rpartition("/")[2]), stage.clock[0]
    asked = await stage.logins.request(id, now)
    assert asked is not None
    assert await stage.logins.decide(replace(asked, handed=bytes(60), handed_at=now), None, None)
    assert (await stage.http.get(str(page.url))).status_code == 400


async def test_a_program_is_held_to_what_the_person_gave_and_not_to_what_it_registered_with(stage: Stage) -> None:
    client = await stage.program(scope="cliniko:read")
    page = await stage.page(client["client_id"], scope="cliniko:read  cliniko:write offline_access")
    assert re.findall(r'name=may value="([^"]+)"', page.text) == ["cliniko:read", "cliniko:write"]
    code = (await stage.agreed(page, DESK, "cliniko:destroy"))["code"]
    assert (await stage.exchange(client, code)).json()["scope"] == "cliniko:read", "what was not asked for is not given"
    again = await stage.page(client["client_id"], scope="cliniko:write")
    tokens = (await stage.exchange(client, (await stage.agreed(again, DESK, "cliniko:write"))["code"])).json()
    both = "cliniko:read cliniko:write"
    for asked, got in (("cliniko:read offline_access", "cliniko:read"), ("openid", both), (both, both)):
        tokens = (await stage.refresh(client, tokens["refresh_token"], scope=asked)).json()
        assert tokens["scope"] == got, asked
    more = await stage.refresh(client, tokens["refresh_token"], scope="cliniko:destroy")
    assert more.json()["error"] == "invalid_scope"


async def test_what_is_too_large_or_stands_there_twice_is_not_read(stage: Stage) -> None:
    client, tokens = await stage.tokens(DESK)
    large = {"client_id": client["client_id"], "token": tokens["access_token"], "more": "x" * 20_000}
    for path in ("/token", "/revoke", "/register"):
        assert (await stage.http.post(path, data=large)).status_code in (400, 413), path
    assert (await stage.http.post("/authorize", data=large)).status_code == 400
    assert (await stage.http.get("/authorize", params={"state": "x" * 9_000})).status_code == 400
    deep = await stage.http.post("/register", content=b"[" * 16_000, headers={"content-type": "application/json"})
    assert deep.status_code == 400
    page = await stage.page(client["client_id"])
    assert (await stage.send(page, step="key", key="x" * 5_000)).status_code == 403
    twice = f"grant_type=refresh_token&refresh_token=x&refresh_token=y&client_id={client['client_id']}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await stage.http.post("/token", content=twice, headers=form)).status_code in (400, 413)
    assert await stage.good(tokens["access_token"])


async def test_a_browser_of_another_cannot_go_on_with_a_login_or_see_the_key_s_owner(stage: Stage) -> None:
    page = await stage.page((await stage.program())["client_id"])
    await stage.send(page, step="key", key=DESK)
    mine = dict(stage.http.cookies)
    stage.http.cookies.clear()
    seen = await stage.http.get(str(page.url))
    assert (seen.status_code, "Finn" in seen.text) == (403, False)
    stage.http.cookies.update(dict.fromkeys(mine, "planted"))
    assert (await stage.http.get(str(page.url))).status_code == 403
    stage.http.cookies.clear()
    stage.http.cookies.set("__Host-cm-me", "planted")
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=DESK)
    assert shown.status_code in (200, 422)
    assert await stage.logins.session(digest_of("planted"), stage.clock[0]) is None
