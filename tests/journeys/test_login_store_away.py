"""Servers that share their logins in Postgres: what one gives another takes, and while it is away all say so."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.identity.real_issuer import Keeps
from tests.journeys.login_people import DESK, Person
from tests.journeys.test_builtin_login import CALL, assistant, served_login
from tests.journeys.test_http import PLAIN
from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.fixture
def origin(postgres: PostgresServer, tmp_path: Path) -> Iterator[str]:
    with served_login(tmp_path, postgres.database()) as origin:
        yield origin


async def test_while_the_store_is_away_assistants_are_told_to_try_again_and_nothing_is_lost(
    origin: str, postgres: PostgresServer
) -> None:
    keeps = Keeps()
    async with assistant(origin, Person(DESK), keeps, "2026-07-28") as client:
        await client.list_tools()
    assert keeps.tokens is not None
    headers = PLAIN | {"authorization": f"Bearer {keeps.tokens.access_token}", "mcp-protocol-version": "2026-07-28"}
    headers |= {"mcp-method": "tools/list"}
    async with httpx2.AsyncClient(base_url=origin, timeout=300, trust_env=False) as http:
        assert (await http.post("/mcp", json=CALL, headers=headers)).status_code == 200
        postgres.stop()
        for answer in (
            await http.post("/mcp", json=CALL, headers=headers),
            await http.get("/connections"),
            await http.get("/login/unknown"),
            await http.post("/token", data={"grant_type": "refresh_token", "refresh_token": "x", "client_id": "y"}),
        ):
            assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True), answer.text
        postgres.start()
        assert (await http.post("/mcp", json=CALL, headers=headers)).status_code == 200
