"""docs/hosting.md as it stands: from an empty folder to a booked appointment, through a client that logs in."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW
from mcp.client.client import Client

from tests.identity.real_issuer import Keeps
from tests.journeys.login_people import DESK, KEY, Browser, Person
from tests.journeys.test_builtin_login import assistant, free_port

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "hosting.md").read_text("utf-8")
ANA = "1104000000422323183"
NAME = "https://assistants.clinic.example"


def commands(origin: str) -> list[list[str]]:
    """The page's two commands, for the demo clinic at this address."""
    lines = re.findall(r"^ *cliniko-mcp ((?:logins setup|serve) .*)$", PAGE, re.MULTILINE)
    assert len(lines) == 2
    port = origin.rpartition(":")[2]
    demo = f"--port {port} --sandbox --sandbox-now {NOW}"
    return [line.replace(NAME, origin).replace("--port 8000", demo).split() for line in lines]


async def said(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer
    assert answer.structured_content is not None
    return answer.structured_content


@pytest.fixture
def started(tmp_path: Path) -> Generator[tuple[str, str]]:
    """The server as the page starts it, from an empty folder: its origin, and the link that sets it up."""
    origin = f"http://127.0.0.1:{free_port()}"
    home = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")} | home
    ours = [sys.executable, "-m", "cliniko_mcp"]
    setup, serve = commands(origin)
    link = subprocess.run([*ours, *setup], env=surroundings, capture_output=True, text=True, check=True).stdout.strip()
    with subprocess.Popen([*ours, *serve], env=surroundings, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            assert any("people give their assistants" in line for line in iter(server.stderr.readline, ""))
            yield origin, link
        finally:
            server.terminate()
            server.wait(60)


@pytest.mark.long
@pytest.mark.anyio
async def test_the_ten_minutes_end_in_a_booked_appointment(started: tuple[str, str]) -> None:
    origin, link = started
    manager = Browser()
    await manager.open(link)
    await manager.send(step="key", key=KEY)
    assert "Ready" in (await manager.send(step="yes")).text
    async with assistant(origin, Person(DESK, "cliniko:write"), Keeps(), "2026-07-28") as client:
        found = await said(client, "find_times", type="Standard consult", when="next week", limit=1)
        (free,) = found["items"]
        at, who = free["starts_at"].split("+")[0], free["practitioner"]
        booked = {"starts_at": at, "patient_id": ANA}
        assert (await said(client, "list_individual_appointments", **booked))["items"] == []
        wish = {"type": "Standard consult", "patient": ANA, "practitioner": who, "when": at}
        await said(client, "book_appointment", **wish)
        assert len((await said(client, "list_individual_appointments", **booked))["items"]) == 1
