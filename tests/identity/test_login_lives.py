"""How long logins last is the operator's to say, within bounds."""

from pathlib import Path

import pytest

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.identity.lives import BOUNDS, Lives, seconds
from cliniko_mcp.settings import Settings
from tests.identity.asking import KEY
from tests.identity.login_stage import staged


def test_what_is_not_named_is_as_usual() -> None:
    assert Lives.parse(()) == Lives(8 * 3600, 30 * 86400, 90 * 86400, 60, 600)
    assert Lives.parse(("access:1h", "code:2m")) == Lives(access=3600, code=120)


@pytest.mark.parametrize("name", BOUNDS)
def test_each_life_has_its_bounds(name: str) -> None:
    least, most = BOUNDS[name]
    for life in (least, most):
        others = ("whole:365d",) if name == "idle" else ("idle:1d",) if name == "whole" else ()
        assert getattr(Lives.parse((f"{name}:{life}", *others)), name) == seconds(life)
    for life in (f"{int(seconds(least)) - 1}s", f"{int(seconds(most)) + 1}s"):
        with pytest.raises(ConfigurationError, match=f"from {least} to {most}"):
            Lives.parse((f"{name}:{life}",))


@pytest.mark.parametrize(
    "text", ["access", "access:", "access:8", "access:8 h", "tokens:1h", "access:-1h", "access:1e9s"]
)
def test_what_is_no_life_is_said(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--login-lives"):
        Lives.parse((text,))


def test_a_life_is_named_once_and_a_connection_is_not_idle_for_longer_than_it_lives() -> None:
    with pytest.raises(ConfigurationError, match="each once"):
        Lives.parse(("access:1h", "access:2h"))
    with pytest.raises(ConfigurationError, match="at most as long"):
        Lives.parse(("idle:20d", "whole:10d"))


@pytest.mark.long
@pytest.mark.anyio
async def test_tokens_codes_requests_and_connections_end_when_the_operator_says(tmp_path: Path) -> None:
    sandbox = demo_clinic(Settings(sandbox=True, rate_limit=0))
    lives = Lives.parse(("access:5m", "idle:1d", "whole:2d", "code:30s", "request:2m"))
    async with staged(tmp_path, sandbox, lives=lives) as stage:
        client, tokens = await stage.tokens()
        assert tokens["expires_in"] == 300
        stage.clock[0] += 299
        assert await stage.good(tokens["access_token"])
        stage.clock[0] += 2
        assert not await stage.good(tokens["access_token"])
        answer = await stage.refresh(client, tokens["refresh_token"])
        for wait, error in ((86_000, None), (80_000, None), (10_000, "invalid_grant")):
            stage.clock[0] += wait
            answer = await stage.refresh(client, answer.json()["refresh_token"])
            assert answer.json().get("error") == error, wait

        page = await stage.page(client["client_id"])
        stage.clock[0] += 121
        assert "has ended" in (await stage.send(page, step="key", key=KEY)).text

        code = (await stage.agreed(await stage.page(client["client_id"])))["code"]
        stage.clock[0] += 31
        assert (await stage.exchange(client, code)).json()["error"] == "invalid_grant"
