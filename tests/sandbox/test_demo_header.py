"""The demo clinic says of itself what it is, through both faces, and a client believes nothing else."""

from datetime import UTC, datetime

import httpx2
import pytest

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.cliniko.resources.users import Users
from cliniko_mcp.errors import KeyRefused
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.port import asgi_app
from cliniko_mcp.sandbox.transport import SandboxTransport

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FACES = {
    "server": SandboxTransport,
    "port": lambda sandbox: httpx2.ASGITransport(app=asgi_app(sandbox)),
}


@pytest.mark.long
@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("key", ["demo-au1", "nobody-au1"])
async def test_a_client_knows_it_after_the_first_answer_whatever_that_says(face: str, key: str) -> None:
    sandbox = Sandbox(now=NOW, frozen=True)
    transport = FACES[face](sandbox)
    async with Clinic.open(
        base_url=sandbox.base_url, key=key, user_agent="tests (a@b.example)", now=lambda: NOW, transport=transport
    ) as clinic:
        assert not clinic.demo
        try:
            await clinic.perform(Users.get_authenticated_user.call())
        except KeyRefused:
            assert key == "nobody-au1"
        assert clinic.demo


async def test_a_clinic_on_this_computer_that_does_not_say_so_is_none() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "1"}))
    async with Clinic.open(
        base_url="http://127.0.0.1:9000/v1", key="a", user_agent="t (a@b.example)", now=lambda: NOW, transport=transport
    ) as clinic:
        await clinic.perform(Users.get_authenticated_user.call())
        assert not clinic.demo
