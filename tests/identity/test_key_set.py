"""An issuer's keys: found by its metadata, fetched when one is missing, used while it is away."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.issuer_metadata import MAX_BYTES, checked_address
from cliniko_mcp.identity.key_set import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS, KeySet
from cliniko_mcp.identity.person import IssuerUnavailable, TokenRefused
from tests.identity.issuer import Issuer, public_row

KEYS = "/realms/clinics/keys"


def played(issuer: Issuer, story: Callable[[KeySet], Awaitable[None]]) -> None:
    async def run() -> None:
        async with issuer.client() as client:
            await story(issuer.keys(client))

    anyio.run(run)


def test_a_key_that_the_issuer_added_is_fetched_once_for_all_who_wait_and_not_again_within_seconds() -> None:
    issuer = Issuer()

    async def story(keys: KeySet) -> None:
        await keys.key("RSA0")
        issuer.rows.append(public_row("RSA", 1))
        with pytest.raises(TokenRefused):
            await keys.key("RSA1")
        issuer.clock.pass_by(PAUSE_SECONDS)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(keys.key, "RSA1")
        assert issuer.asked.count(KEYS) == 2

    played(issuer, story)


def test_keys_are_used_for_a_day_while_the_issuer_is_away_and_no_longer() -> None:
    issuer = Issuer()

    async def story(keys: KeySet) -> None:
        await keys.key("RSA0")
        issuer.away = True
        for seconds in (FRESH_SECONDS, KEPT_SECONDS - FRESH_SECONDS - 1):
            issuer.clock.pass_by(seconds)
            await keys.key("RSA0")
        with pytest.raises(TokenRefused):
            await keys.key("RSA1")
        issuer.clock.pass_by(1)
        with pytest.raises(IssuerUnavailable):
            await keys.key("RSA0")
        assert not keys.ready
        issuer.away = False
        issuer.clock.pass_by(PAUSE_SECONDS)
        await keys.key("RSA0")
        assert keys.ready

    played(issuer, story)


def test_a_key_that_the_issuer_took_back_ends_within_the_hour() -> None:
    issuer = Issuer()

    async def story(keys: KeySet) -> None:
        await keys.key("RSA0")
        issuer.rows = [public_row("EC")]
        issuer.clock.pass_by(FRESH_SECONDS)
        with pytest.raises(TokenRefused):
            await keys.key("RSA0")

    played(issuer, story)


@pytest.mark.parametrize("trouble", ["another issuer", "too long", "no keys", "a secret", "for encryption", "away"])
def test_what_is_no_key_set_of_this_issuer_lets_nobody_in(trouble: str) -> None:
    issuer = Issuer()
    match trouble:
        case "another issuer":
            issuer.named = "https://evil.example.org"
        case "too long":
            issuer.extra = b" " * MAX_BYTES
        case "no keys":
            issuer.rows = []
        case "a secret":
            issuer.rows = [{"kty": "oct", "k": "AAAA", "kid": "RSA0"}]
        case "for encryption":
            issuer.rows = [public_row("RSA") | {"use": "enc"}]
        case _:
            issuer.away = True

    async def story(keys: KeySet) -> None:
        with pytest.raises(IssuerUnavailable):
            await keys.key("RSA0")

    played(issuer, story)


@pytest.mark.parametrize("address", ["http://login.example.org", "login.example.org", "ftp://x", "https://"])
def test_an_issuer_is_asked_over_tls_alone(address: str) -> None:
    with pytest.raises(ConfigurationError):
        checked_address(address)
    assert checked_address("http://127.0.0.1:3000") == "http://127.0.0.1:3000"
