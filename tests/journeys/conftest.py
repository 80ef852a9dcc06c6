"""What journeys share: an assistant for all that only reads."""

from collections.abc import AsyncGenerator

import pytest
from conftest import Assistant, in_process


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Assistant]:
    async with in_process() as assistant:
        yield assistant
