"""The store of logins in Postgres: servers that start at once, one that goes away, and what it does not let in."""

import anyio
import pytest

from cliniko_mcp.errors import ConfigurationError, Unavailable
from cliniko_mcp.shared_state.logins_postgres import open_logins
from tests.postgres import PostgresServer
from tests.shared_state.logins_at import row_of, sealed

pytestmark = [pytest.mark.anyio, pytest.mark.long]


async def test_servers_that_start_at_once_make_the_tables_once(postgres: PostgresServer) -> None:
    url = postgres.database()

    async def start(name: str) -> None:
        async with open_logins(url) as logins:
            await logins.put_person(row_of(name), sealed)

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(start, f"p{number}")
    async with open_logins(url) as logins:
        assert len(await logins.people()) == 4


async def test_a_store_that_is_away_is_said_and_used_again_when_it_is_back(postgres: PostgresServer) -> None:
    async with open_logins(postgres.database()) as logins:
        await logins.put_person(row_of("ana"), sealed)
        postgres.stop()
        for work in (logins.person("ana"), logins.put_person(row_of("ana"), sealed), logins.token("t", 1.0)):
            with pytest.raises(Unavailable, match="where its logins are kept"):
                await work
        postgres.start()
        assert (await logins.put_person(row_of("ana"), sealed)).version == 2


async def test_an_address_that_is_none_or_lets_nobody_in_is_refused_without_being_repeated(
    postgres: PostgresServer,
) -> None:
    url = postgres.database()
    postgres.do(url, "CREATE ROLE narrow LOGIN; REVOKE CREATE ON DATABASE " + url.rpartition("/")[2] + " FROM PUBLIC")
    wrong = {
        "mysql://ana:secret@127.0.0.1/x": "not one of Postgres",
        f"{url}gone?password=secret": "does not let this server in",
        url.replace("tests@", "nobody:secret@"): "does not let this server in",
        url.replace("tests@", "narrow:secret@"): "the schema clinic_logins",
    }
    for address, words in wrong.items():
        with pytest.raises(ConfigurationError, match=words) as refused:
            async with open_logins(address):
                pass
        assert "secret" not in str(refused.value)


async def test_where_nothing_listens_is_said() -> None:
    with pytest.raises(Unavailable):
        async with open_logins("postgresql://tests@127.0.0.1:1/tests"):
            pass
