"""The notice of a newer version: off unless switched on, one request a day at most, nothing of the clinic in it."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cliniko_mcp import __version__
from cliniko_mcp.doctor import DoctorContext, examine
from cliniko_mcp.doctor.update import newer_version
from cliniko_mcp.hosts.table import Computer
from cliniko_mcp.settings import Settings

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@dataclass
class Index:
    """A package index on this computer, and what it was asked."""

    body: str = json.dumps({"info": {"version": "99.1"}})
    status: int = 200
    heads: list[str] = field(default_factory=list)
    address: str = ""


@contextmanager
def index(index: Index) -> Generator[Index]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.heads.append(f"{self.path}\n{self.headers}")
            self.send_response(index.status)
            self.end_headers()
            self.wfile.write(index.body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    index.address = f"http://127.0.0.1:{server.server_address[1]}/pypi/cliniko-mcp/json"
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def context(folder: Path, page: str, now: datetime = NOON, **flags: object) -> DoctorContext:
    settings = Settings.load({"sandbox": True, **flags}, {})
    return DoctorContext(
        settings, Computer("linux", folder), folder / "state", lambda: now, lambda: None, (3, 11, 0), index_page=page
    )


@pytest.mark.anyio
async def test_a_newer_version_is_named_with_how_to_get_it_and_asked_for_once_a_day(tmp_path: Path) -> None:
    with index(Index()) as pypi:
        first = await newer_version(context(tmp_path, pypi.address))
        later = await newer_version(context(tmp_path, pypi.address, NOON + timedelta(hours=23)))
        assert len(pypi.heads) == 1
        await newer_version(context(tmp_path, pypi.address, NOON + timedelta(hours=24)))
        assert len(pypi.heads) == 2
    assert first == later and first.status == "warning"
    assert first.detail == f"version 99.1 is published, and this is {__version__}" and "pipx upgrade" in first.fix


@pytest.mark.anyio
async def test_the_request_says_nothing_but_the_name_of_the_program(tmp_path: Path) -> None:
    with index(Index()) as pypi:
        await newer_version(context(tmp_path, pypi.address))
    [head] = pypi.heads
    assert head.startswith("/pypi/cliniko-mcp/json\n") and "user-agent: cliniko-mcp\n" in head.lower()
    names = {line.partition(":")[0].lower() for line in head.splitlines()[1:] if line}
    assert names <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


@pytest.mark.anyio
@pytest.mark.parametrize("version", [__version__, "0.0.1"])
async def test_the_newest_version_passes(version: str, tmp_path: Path) -> None:
    with index(Index(json.dumps({"info": {"version": version}}))) as pypi:
        check = await newer_version(context(tmp_path, pypi.address))
    assert check.status == "ok" and "is the newest version" in check.detail


@pytest.mark.anyio
@pytest.mark.parametrize("body", ["", "<html>", '{"message": "Not Found"}', '{"info": {"version": "newest"}}'])
async def test_an_index_that_cannot_say_is_a_warning_and_not_asked_again_that_day(body: str, tmp_path: Path) -> None:
    with index(Index(body, 404)) as pypi:
        checks = [await newer_version(context(tmp_path, pypi.address)) for _ in range(2)]
        assert len(pypi.heads) == 1
    assert {check.detail for check in checks} == {
        "the package index could not say which version of cliniko-mcp is the newest"
    }
    nobody = await newer_version(context(tmp_path / "x", "http://127.0.0.1:9/"))
    assert nobody.status == "warning"


@pytest.mark.long
@pytest.mark.anyio
async def test_nobody_is_asked_unless_it_is_switched_on(tmp_path: Path) -> None:
    with index(Index()) as pypi:
        names = [check.name async for check in examine(context(tmp_path, pypi.address))]
        assert "update" not in names and pypi.heads == []
        told = [check.name async for check in examine(context(tmp_path, pypi.address, update_notice=True))]
        assert told[0] == "update" and len(pypi.heads) == 1


def test_it_is_off_and_no_command_but_doctor_knows_it() -> None:
    from cliniko_mcp.cli import COMMANDS, commands

    assert Settings.load({}, {}).update_notice is False
    knowing: list[str] = []
    for name in COMMANDS:
        command = commands.get_command(commands.make_context("x", ["serve"]), name)
        if command and any("--update-notice" in option.opts for option in command.params):
            knowing.append(name)
    assert knowing == ["doctor"]
