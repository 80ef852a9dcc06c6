"""The services that tests of what is shared need, one of each for a module."""

from collections.abc import Iterator

import pytest

from tests.shared_state.redis_server import PROGRAM, WHY_NOT, RedisServer


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip(WHY_NOT)
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
