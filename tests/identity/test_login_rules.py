"""Who may connect, on the manager's page; and what became of logins, in the audit log."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.directory.login_log import LoginLog
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.pages.setup import setup_link
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.settings import Settings
from tests.identity.asking import DESK, KEY, ORIGIN
from tests.identity.login_stage import Stage, staged

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return demo_clinic(Settings(sandbox=True, rate_limit=0))


@pytest.fixture
async def stage(tmp_path: Path, sandbox: Sandbox) -> AsyncGenerator[Stage]:
    """A server that an administrator has set up."""
    log = LocalLog(HashChain(tmp_path / "audit.jsonl"))
    async with staged(tmp_path, sandbox, admit=(), told=LoginLog(log, lambda: 1_800_000_000.0, "builtin")) as stage:
        link = await setup_link(stage.logins, ORIGIN, "terminal", 1_800_000_000.0)
        second = await stage.send(await stage.http.get(link), step="key", key=KEY)
        await stage.send(second, step="yes")
        yield stage


def lines(folder: Path) -> list[tuple[object, ...]]:
    entries = HashChain(folder / "audit.jsonl").entries()
    return [(entry["outcome"], entry.get("principal"), entry.get("program"), entry.get("why")) for entry in entries]


@pytest.mark.long
async def test_a_manager_lets_in_by_role_and_email_and_takes_it_back(stage: Stage) -> None:
    client, tokens = await stage.tokens(DESK)
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=KEY)
    assert "Who may connect" in shown.text
    assert "Of the clinic with the account <strong>4711</strong>" in shown.text
    alone = await stage.send(shown, step="admit", rule="role:practitioner")
    assert (alone.status_code, "shut you out" in alone.text) == (422, True)
    for rule in ("role:administrator", "role:practitioner"):
        assert "Added." in (await stage.send(shown, step="admit", rule=rule)).text
    page = await stage.page(client["client_id"])
    assert (await stage.send(page, step="key", key=DESK)).status_code == 422, "no receptionist any more"
    now = await stage.send(shown, step="unadmit", rule="role:practitioner")
    assert re.findall(r'name="rule" value="([^"]+)"', now.text) == ["role:administrator"]
    assert (await stage.send(shown, step="admit", email="not an address at all")).status_code == 422
    assert (await stage.send(shown, step="unadmit", rule="account:4711")).status_code == 403
    assert ("account", "4711") in await stage.logins.admitted()
    assert tokens


@pytest.mark.long
async def test_the_list_is_the_managers_alone(stage: Stage) -> None:
    await stage.tokens(DESK)
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=DESK)
    assert "Who may connect" not in shown.text
    for step in ("admit", "unadmit"):
        assert (await stage.send(shown, step=step, rule="role:receptionist")).status_code == 403


async def test_what_became_of_logins_stands_in_the_audit_log(stage: Stage, tmp_path: Path) -> None:
    client, tokens = await stage.tokens(DESK, "cliniko:write")
    await stage.send(await stage.page(client["client_id"]), step="key", key="wrong-au1")
    await stage.send(await stage.page(client["client_id"]), step="no", key="")
    await stage.refresh(client, tokens["refresh_token"])
    stage.clock[0] += 121
    assert (await stage.refresh(client, tokens["refresh_token"])).status_code == 400
    _, again = await stage.tokens(DESK)
    form = {"token": again["access_token"], "client_id": client["client_id"]}
    await stage.http.post("/revoke", data=form)
    who, what = "builtin:au1:4711:", "A program on this computer"
    found = [(outcome, str(by or "")[: len(who)], program, why) for outcome, by, program, why in lines(tmp_path)]
    assert found == [
        ("rule_added", "", None, "account:4711"),
        ("rule_added", "", None, "shard:au1"),
        ("granted", who, what, "cliniko:read cliniko:write"),
        ("refused", "", None, None),
        ("declined", "", None, None),
        ("used_again", who, what, "a refresh token was used again"),
        ("granted", who, what, "cliniko:read"),
        ("ended", who, what, "the program gave it back"),
    ]
    assert HashChain(tmp_path / "audit.jsonl").verify().problem is None


@pytest.mark.long
async def test_who_is_let_in_by_an_email_is_let_in_as_cliniko_writes_it(stage: Stage, sandbox: Sandbox) -> None:
    proof = stage.site.parts.proof
    desk, manager = await proof.whose(DESK), await proof.whose(KEY)
    assert re.fullmatch(r"[^@“”]+@[^@“”]+", desk.email)
    assert (desk.clinic, manager.role) == ("Northside & Riverside Allied Health", "administrator")
    shown = await stage.send(await stage.http.get("/connections"), step="key", key=KEY)
    for email in (manager.email, desk.email.upper()):
        assert "Added." in (await stage.send(shown, step="admit", email=email)).text
    _, tokens = await stage.tokens(DESK)
    assert await stage.good(tokens["access_token"])
    await stage.send(shown, step="unadmit", rule=f"email:{desk.email.lower()}")
    page = await stage.page((await stage.program())["client_id"])
    assert (await stage.send(page, step="key", key=DESK)).status_code == 422


async def test_a_login_whose_program_never_came_for_it_is_in_the_audit_log(stage: Stage, tmp_path: Path) -> None:
    client = await stage.program()
    code = (await stage.agreed(await stage.page(client["client_id"]), DESK))["code"]
    await stage.page(client["client_id"])
    stage.clock[0] += 61
    before = lines(tmp_path)
    await stage.page(client["client_id"])
    (line,) = lines(tmp_path)[len(before) :]
    assert (line[0], line[3]) == ("ended", "its program never fetched the code")
    assert (await stage.exchange(client, code)).json()["error"] == "invalid_grant"
