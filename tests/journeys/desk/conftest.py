"""One server process for all that a desk tells in a module."""

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count

import httpx2
import pytest
from conftest import YES, over_stdio

from .office import Scene, Story

OpenStory = Callable[[Scene], Story]


@asynccontextmanager
async def practice() -> AsyncGenerator[OpenStory]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    async with (
        over_stdio(
            "--sandbox-port", port, "--rate-limit", "0", "--requests-per-minute", "60000", answer=YES
        ) as assistant,
        httpx2.AsyncClient(base_url=url, trust_env=False, timeout=120) as outside,
    ):
        await assistant.client.list_tools()
        stories = count(1)
        yield lambda scene: Story(scene, assistant, outside, next(stories))


@pytest.fixture(scope="module")
async def desk_in() -> AsyncGenerator[OpenStory]:
    """A desk in a scene."""
    async with practice() as opened:
        yield opened


@pytest.fixture
async def new_desk_in() -> AsyncGenerator[OpenStory]:
    """A desk in a scene whose server remembers nothing: for stories in which the set-up itself is another."""
    async with practice() as opened:
        yield opened
