"""How a server with the built-in login starts: what it refuses and why, and a new secret in place of the old one."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings
from tests.identity.asking import DESK, LOOPBACK, Asking
from tests.identity.login_run import login_settings, running

pytestmark = pytest.mark.anyio
NEW = "another secret of a good forty characters, too"


def readable_by_others(folder: Path) -> dict[str, Any]:
    (folder / "logins.sqlite").touch(mode=0o644)
    return {}


def secret_readable_by_others(folder: Path) -> dict[str, Any]:
    (folder / "open.key").write_text(NEW)
    (folder / "open.key").chmod(0o640)
    return {"login_key": f"file:{folder / 'open.key'}"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (lambda folder: {"admit": ""}, "lets nobody in yet"),
        (lambda folder: {"admit": "role:receptionist"}, "lets nobody in yet"),
        (lambda folder: {"admit": "account:north"}, "account:NUMBER"),
        (lambda folder: {"public_url": None}, "needs --public-url"),
        (lambda folder: {"public_url": "http://mcp.example.org/mcp"}, "http only on this computer"),
        (lambda folder: {"transport": "sse"}, "--login builtin is for http"),
        (lambda folder: {"transport": "stdio"}, "--login builtin is for http"),
        (lambda folder: {"login_lives": "access:1s"}, "from 5m to 24h"),
        (lambda folder: {"login_store": "postgresql://ana:secret@db/x", "login_file": None}, "env:NAME or file:/path"),
        (lambda folder: {"login_key": "file:/nowhere/login.key"}, "cannot be read"),
        (lambda folder: {"trusted_proxies": "everybody"}, "--trusted-proxies"),
        (readable_by_others, "can be read by others"),
        (secret_readable_by_others, "can be read by others"),
    ],
)
async def test_a_server_that_would_not_be_safe_does_not_start_and_says_why(
    tmp_path: Path, changes: Callable[[Path], dict[str, Any]], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        async with running(login_settings(tmp_path, **changes(tmp_path))):
            pass
    assert "secret@" not in str(refused.value)


async def test_a_store_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    async with running(login_settings(tmp_path)):
        assert stat.S_IMODE((tmp_path / "logins.sqlite").stat().st_mode) == 0o600


async def ring(folder: Path, *names: str) -> Settings:
    (folder / "new.key").write_text(NEW)
    (folder / "new.key").chmod(0o600)
    return login_settings(folder, login_key=",".join(f"file:{folder / name}" for name in names))


@pytest.mark.long
async def test_a_new_secret_takes_the_old_one_s_place_without_a_login_lost(tmp_path: Path) -> None:
    method = "client_secret_post"
    async with running(await ring(tmp_path, "login.key")) as (login, asking):
        program, tokens = await asking.tokens(DESK, token_endpoint_auth_method=method)
        (person,) = {(await login.verifier.person_of(tokens["access_token"])).subject}
    with pytest.raises(ConfigurationError, match="does not open this file of logins"):
        async with running(await ring(tmp_path, "new.key")):
            pass
    for names in (("login.key", "new.key"), ("new.key", "login.key"), ("new.key",)):
        async with running(await ring(tmp_path, *names)) as (login, asking):
            found = await login.verifier.person_of(tokens["access_token"])
            assert found.subject == person
            app = await login.pool.app_of(found)
            assert app.settings.api_key is not None
            assert app.settings.api_key.get_secret_value() == DESK, names
            answer = await asking.refresh(program, tokens["refresh_token"])
            assert answer.status_code == 200, (names, answer.text)
            tokens = answer.json()
            assert (await again(asking, program)).status_code == 200, names
    with pytest.raises(ConfigurationError, match="sealed with another") as refused:
        async with running(await ring(tmp_path, "login.key")):
            pass
    assert "the new one first" in refused.value.fix


async def again(asking: Asking, program: dict[str, Any]) -> Any:
    """The same program, with the secret that it was given once, at another login."""
    back = await asking.agreed(await asking.page(program["client_id"], LOOPBACK), DESK)
    return await asking.exchange(program, back["code"])


class Keychain(KeyringBackend):
    """A keychain of the test's own."""

    priority = 5  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.mark.long
async def test_the_secret_can_be_in_the_computer_s_keychain_and_is_made_there(tmp_path: Path) -> None:
    before, chain = keyring.get_keyring(), Keychain()
    keyring.set_keyring(chain)
    try:
        settings = login_settings(tmp_path, login_key="keychain")
        async with running(settings) as (login, asking):
            _, tokens = await asking.tokens(DESK)
        (secret,) = chain.kept.values()
        assert len(secret) >= 64
        async with running(settings) as (login, _):
            assert await login.pool.app_of(await login.verifier.person_of(tokens["access_token"]))
        chain.kept.clear()
        with pytest.raises(ConfigurationError, match="does not open this file of logins"):
            async with running(settings):
                pass
    finally:
        keyring.set_keyring(before)


async def test_without_a_keychain_the_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no keychain"):
        async with running(login_settings(tmp_path, login_key="keychain")):
            pass
