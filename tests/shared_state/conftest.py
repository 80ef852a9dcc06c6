"""The services that tests of what is shared need, one of each for a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.postgres import postgres as postgres
from tests.shared_state.redis_server import PROGRAM, WHY_NOT, RedisServer


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["SQLite", pytest.param("Postgres", marks=pytest.mark.long)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store of logins may be: the path of a file, and the address of a database."""
    if request.param == "SQLite":
        return str(tmp_path / "logins.sqlite")
    server = request.getfixturevalue("postgres")
    assert isinstance(server, PostgresServer)
    return server.database()
