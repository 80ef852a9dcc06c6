"""The pages of the built-in login: only our own form counts, every wrong key is answered alike, the first set-up, and
what is ended stays ended."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.directory.admission import admits, parse_rule
from cliniko_mcp.directory.keys import Keys
from cliniko_mcp.directory.whose import Proof, Whose, WrongKey
from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.pages.setup import setup_link
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.keys import KeyRing
from tests.identity.asking import DESK, KEY, ORIGIN
from tests.identity.login_stage import Chance, Stage, staged

pytestmark = pytest.mark.anyio
ANA = Whose("au1", "4711", "7", "Ana Lima", "ana@clinic.example", "receptionist", "Northside")


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return demo_clinic(Settings(sandbox=True, rate_limit=0))


@pytest.fixture
async def stage(tmp_path: Path, sandbox: Sandbox) -> AsyncGenerator[Stage]:
    async with staged(tmp_path, sandbox) as stage:
        yield stage


async def test_the_page_says_who_asks_for_which_clinic_before_anything_is_typed(stage: Stage) -> None:
    client = await stage.program(client_name="Claude <b>")
    page = await stage.page(client["client_id"])
    assert "A program on this computer that calls itself “Claude &lt;b&gt;”" in page.text
    assert "the clinic with the account number 4711" in page.text
    assert "this computer" in page.text
    assert "<script" not in page.text
    headers = page.headers
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "form-action 'self'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    (cookie,) = headers.get_list("set-cookie")
    assert cookie.startswith("__Host-cm-")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie


@pytest.mark.long
async def test_reading_is_chosen_beforehand_and_no_more_is_offered_than_was_asked_for(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"], scope="cliniko:read cliniko:write")
    assert re.findall(r'name=may value="([^"]+)"( checked)?', page.text) == [
        ("cliniko:read", " checked"),
        ("cliniko:write", ""),
    ]
    second = await stage.send(page, step="key", key=KEY, may="cliniko:destroy")
    assert "Look things up" in second.text


async def test_a_form_counts_only_from_our_own_page_in_the_same_browser(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"])
    for origin in ("https://evil.example", "null", ""):
        assert (await stage.send(page, origin, step="key", key=KEY)).status_code == 403
    assert (await stage.send(page, csrf="x", step="key", key=KEY)).status_code == 403
    stage.http.cookies.clear()
    assert (await stage.send(page, step="key", key=KEY)).status_code == 403
    assert (await stage.http.get(str(page.url))).status_code == 403


async def test_a_request_lives_ten_minutes(stage: Stage) -> None:
    client = await stage.program()
    page = await stage.page(client["client_id"])
    stage.clock[0] += 601
    assert "has ended" in (await stage.send(page, step="key", key=KEY)).text


@pytest.mark.long
async def test_every_key_that_is_not_taken_is_answered_alike(stage: Stage, sandbox: Sandbox, tmp_path: Path) -> None:
    await stage.logins.admit("role", "administrator")
    client = await stage.program()
    page = await stage.page(client["client_id"])
    answers: list[str] = []
    for key in ("wrong-au1", DESK, "not a key"):
        answer = await stage.send(page, step="key", key=key)
        assert answer.status_code == 422
        answers.append(re.sub(r'nonce="[^"]+"', "", answer.text))
        assert key not in answer.text
    assert len(set(answers)) == 1


@pytest.mark.long
async def test_five_wrong_keys_end_a_request_and_ten_an_address(stage: Stage) -> None:
    client = await stage.program()
    for _ in range(2):
        page = await stage.page(client["client_id"])
        found = [(await stage.send(page, step="key", key="wrong-au1")).status_code for _ in range(6)]
        assert found == [422] * 5 + [429]
    page = await stage.page(client["client_id"])
    assert (await stage.send(page, step="key", key=KEY)).status_code == 429
    stage.clock[0] += 901
    page = await stage.page(client["client_id"])
    assert (await stage.send(page, step="key", key=KEY)).status_code == 200


@pytest.mark.long
async def test_a_person_ends_their_own_connections_and_nobody_else_s(stage: Stage) -> None:
    _, mine = await stage.tokens(DESK)
    stage.clock[0] += 1
    _, hers = await stage.tokens(KEY)
    page = await stage.http.get("/connections")
    shown = await stage.send(page, step="key", key=DESK)
    (grant,) = re.findall(r'name="grant" value="([^"]+)"', shown.text)
    other = next(row for row in await stage.logins.grants(stage.clock[0]) if row.id != grant)
    assert (await stage.send(shown, step="end", grant=other.id)).status_code == 403
    ended = await stage.send(shown, step="end_all")
    assert "1 ended" in ended.text
    assert not await stage.good(mine["access_token"])
    assert await stage.good(hers["access_token"])


@pytest.mark.long
async def test_a_new_key_goes_on_with_everything_and_a_forgotten_one_ends_it_for_good(stage: Stage) -> None:
    client, tokens = await stage.tokens(DESK)
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=DESK)
    assert "That is the key of somebody else" in (await stage.send(shown, step="new", key=KEY)).text
    assert "new key is used" in (await stage.send(shown, step="new", key=DESK)).text
    assert await stage.good(tokens["access_token"])
    await stage.send(shown, step="forget")
    assert not await stage.good(tokens["access_token"])
    assert (await stage.refresh(client, tokens["refresh_token"])).json()["error"] == "invalid_grant"
    _, again = await stage.tokens(DESK)
    assert await stage.good(again["access_token"])
    assert not await stage.good(tokens["access_token"])


@pytest.mark.long
async def test_the_first_set_up_takes_an_administrator_and_one_link(tmp_path: Path, sandbox: Sandbox) -> None:
    async with staged(tmp_path, sandbox, admit=()) as stage:
        client = await stage.program()
        assert "not set up yet" in (await stage.authorize(client["client_id"])).text
        link = await setup_link(stage.logins, ORIGIN, "terminal", stage.clock[0])
        assert (await stage.http.get("/setup/guessed")).status_code == 404
        page = await stage.http.get(link)
        assert "administrator" in (await stage.send(page, step="key", key=DESK)).text
        second = await stage.send(page, step="key", key=KEY)
        assert "Northside &amp; Riverside Allied Health" in second.text
        assert "Ready" in (await stage.send(second, step="yes")).text
        assert (await stage.http.get(link)).status_code == 404
        assert ("account", "4711") in await stage.logins.admitted()
        page = await stage.page(client["client_id"])
        assert "Northside &amp; Riverside Allied Health" in page.text
        shown = await stage.send(await stage.http.get("/connections"), step="key", key=KEY)
        assert "Everybody else’s" in shown.text


async def test_a_link_for_the_set_up_ends_after_half_an_hour(tmp_path: Path, sandbox: Sandbox) -> None:
    async with staged(tmp_path, sandbox, admit=()) as stage:
        link = await setup_link(stage.logins, ORIGIN, "terminal", stage.clock[0])
        stage.clock[0] += 1801
        assert (await stage.http.get(link)).status_code == 404


async def test_nothing_that_opens_anything_lies_in_the_file(stage: Stage, tmp_path: Path) -> None:
    client = await stage.program("http://127.0.0.1/x", token_endpoint_auth_method="client_secret_post")
    _, tokens = await stage.tokens(DESK)
    await stage.send(await stage.page(client["client_id"], "http://127.0.0.1/x"), step="key", key=DESK)
    names = ("logins.sqlite", "logins.sqlite-wal")
    held = b"".join((tmp_path / name).read_bytes() for name in names)
    assert b"Finn" in held, "the people's names are there, so this looks in the right place"
    for secret in (DESK, tokens["access_token"], tokens["refresh_token"], client["client_secret"]):
        assert secret.encode() not in held
        assert quote(secret).encode() not in held


class Said(Proof):
    """Cliniko, saying this."""

    def __init__(self, answer: Whose | Exception) -> None:
        super().__init__("a@b.example", None, None, lambda: datetime.now(UTC))
        self.answer = answer

    async def whose(self, text: str) -> Whose:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "ends"),
    [(WrongKey(), True), (Unavailable("403"), False), (Unavailable("503"), False), (ANA, False)],
)
async def test_only_a_refusal_that_is_proven_ends_a_key(stage: Stage, answer: Whose | Exception, ends: bool) -> None:
    _, tokens = await stage.tokens(DESK)
    (row,) = await stage.logins.people()
    assert await stage.keys.refused(row.id, row.version, Said(answer)) is ends
    assert await stage.good(tokens["access_token"]) is not ends


async def test_a_refusal_of_the_key_before_ends_nothing_of_the_new_one(stage: Stage) -> None:
    _, tokens = await stage.tokens(DESK)
    (row,) = await stage.logins.people()
    await stage.keys.keep(await stage.site.parts.proof.whose(DESK), f"{DESK[:-4]}-new-au1")
    assert not await stage.keys.refused(row.id, row.version, Said(WrongKey()))
    assert await stage.good(tokens["access_token"])


@pytest.mark.parametrize(
    ("change", "kept"),
    [({}, True), ({"role": "practitioner"}, False), ({"account": "1"}, False), ({"user": "8"}, False)],
)
async def test_a_day_later_a_person_is_looked_at_again(stage: Stage, change: dict[str, str], kept: bool) -> None:
    row = await stage.keys.keep(ANA, DESK)
    rules = [("account", "4711")]
    proof = Said(replace(ANA, **change))
    assert await stage.keys.still_admitted(row, Said(WrongKey()), lambda whose: False), "not before"
    stage.clock[0] += 86_401
    assert await stage.keys.still_admitted(row, proof, lambda whose: admits(rules, whose)) is kept
    found = await stage.logins.person(row.id)
    assert found is not None
    assert bool(found.sealed) is kept


async def test_a_ring_that_cannot_open_the_store_is_said_at_the_start(stage: Stage) -> None:
    old, new = b"a ring for tests of forty characters or so", b"another ring, of forty characters or so too"
    chance = Chance()

    def keys(*secrets: bytes) -> Keys:
        return Keys(stage.logins, KeyRing(secrets, chance.bytes), lambda: 0.0)

    await stage.keys.keep(ANA, DESK)
    with pytest.raises(ConfigurationError, match="does not open this file of logins"):
        await keys(new).check_ring()
    (row,) = await stage.logins.people()
    for order in ((old, new), (new, old)):
        await keys(*order).check_ring()
        assert keys(*order).open(row) == DESK


async def test_a_seal_opens_for_its_own_person_alone(stage: Stage) -> None:
    row = await stage.keys.keep(ANA, DESK)
    assert stage.keys.open(row) == DESK
    assert stage.keys.open(replace(row, id="au1:4711:8")) is None
    assert stage.keys.open(replace(row, sealed=row.sealed[:-1] + b"x")) is None


@pytest.mark.parametrize(
    ("rules", "in_"),
    [
        ("", False),
        ("account:4711", True),
        ("account:1", False),
        ("role:receptionist", False),
        ("account:4711 role:practitioner", False),
        ("account:4711 role:practitioner role:receptionist", True),
        ("account:4711 email:ANA@clinic.example", True),
        ("account:4711 email:ben@clinic.example role:receptionist", False),
        ("account:4711 shard:uk1", False),
    ],
)
def test_kinds_of_rules_join_with_and_and_those_of_one_kind_with_or(rules: str, in_: bool) -> None:
    assert admits([parse_rule(rule) for rule in rules.split()], ANA) is in_


@pytest.mark.parametrize("rule", ["", "account", "account:x", "role:boss", "name:ana", "email:"])
def test_a_rule_that_is_none_is_said(rule: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_rule(rule)
