"""The built-in login when Cliniko refuses a key, forbids or fails, and when somebody looks for secrets afterwards."""

import base64
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx2
import pytest
from conftest import NOW
from mcp.client.client import Client

from cliniko_mcp.app import demo_clinic
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.settings import Settings
from tests.identity.asking import Asking
from tests.identity.real_issuer import Keeps
from tests.journeys.login_people import DESK, Person
from tests.journeys.test_builtin_login import assistant, free_port, status

pytestmark = [pytest.mark.anyio, pytest.mark.long]
READ = {"operation": "list_businesses", "arguments": {"detail": "full"}}


class Cliniko:
    """The demo clinic on a port, as another program would be; `status` is what it answers instead of its own."""

    def __init__(self) -> None:
        self.status = 0
        sandbox = demo_clinic(Settings(sandbox=True, rate_limit=0))
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer.status, b'{"message": "no"}'
                kind = "application/json; charset=utf-8"
                if not status:
                    request = httpx2.Request("GET", f"{sandbox.base_url}{self.path[3:]}", headers=dict(self.headers))
                    answer = anyio.run(SandboxTransport(sandbox).handle_async_request, request)
                    status, body = answer.status_code, answer.content
                # Of two requests at once the second may be given up after the first.
                with suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("content-type", kind)
                    self.send_header("x-cliniko-sandbox", "demo")
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def server(folder: Path, upstream: str, told: list[str]) -> Generator[str]:
    """The origin of a server in a process of its own before this Cliniko; its standard error is added to `told`."""
    origin = f"http://127.0.0.1:{free_port()}"
    (folder / "login.key").write_text("a secret of a good forty characters, for tests")
    (folder / "login.key").chmod(0o600)
    command = [sys.executable, "-m", "cliniko_mcp", "serve", "--port", origin.rpartition(":")[2], "--login", "builtin"]
    command += ["--public-url", f"{origin}/mcp", "--admit", "account:4711", "--base-url", upstream]
    command += ["--login-file", str(folder / "logins.sqlite"), "--login-key", f"file:{folder / 'login.key'}"]
    command += ["--audit-file", str(folder / "audit" / "audit.jsonl"), "--contact-email", "a@clinic.example"]
    command += ["--sandbox-now", NOW]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    with subprocess.Popen(command, env=surroundings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            assert "listening on" in line, line + process.stderr.read()
            yield origin
        finally:
            process.terminate()
            told.append(process.communicate(timeout=300)[1])


@pytest.fixture
def cliniko() -> Iterator[Cliniko]:
    clinic = Cliniko()
    yield clinic
    clinic.stop()


async def read(client: Client) -> Mapping[str, Any]:
    answer = await client.call_tool("cliniko_read", READ)
    assert answer.structured_content is not None
    return answer.structured_content


async def test_a_refused_key_ends_everything_and_a_failing_cliniko_nothing(tmp_path: Path, cliniko: Cliniko) -> None:
    person, keeps = Person(DESK), Keeps()
    with server(tmp_path, cliniko.url, []) as origin:
        async with assistant(origin, person, keeps, "2026-07-28") as client:
            assert (await read(client))["items"]
            assert keeps.tokens is not None
            tokens = keeps.tokens
            assert tokens.refresh_token is not None
            for trouble in (403, 503):
                cliniko.status = trouble
                assert "items" not in await read(client)
                assert await status(origin, tokens.access_token) == 200, trouble
            cliniko.status = 401
            told = str(await read(client))
            assert "connect" in told
            assert "again" in told
            assert await status(origin, tokens.access_token) == 401
            assert person.provider is not None
            information = person.provider.context.client_info
            assert information is not None
            form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
            async with httpx2.AsyncClient(trust_env=False, timeout=300) as http:
                answer = await http.post(f"{origin}/token", data=form | {"client_id": information.client_id or ""})
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
            cliniko.status = 0
            assert (await read(client))["items"], "the host logs in again by itself, with the person"
            assert person.logins == 2
            assert await status(origin, tokens.access_token) == 401, "and nothing comes back"


def spelled(secret: str) -> Iterator[bytes]:
    """A secret as it may stand in a file: as it is, in base64 wherever it begins, in an address."""
    yield secret.encode()
    yield quote(secret, safe="").encode()
    for before in range(3):
        # Of base64 the characters at both ends depend on what stands beside.
        text = base64.b64encode(b"x" * before + secret.encode()).rstrip(b"=")
        yield text[-(-before * 8 // 6) + (before > 0) : -1]
    yield base64.b64encode(f"{secret}:".encode()).rstrip(b"=")[:-1]


@asynccontextmanager
async def asking(origin: str) -> AsyncGenerator[Asking]:
    async with httpx2.AsyncClient(base_url=origin, trust_env=False, timeout=300) as http:
        yield Asking(http)


async def test_no_secret_is_found_in_what_is_kept_written_or_said(tmp_path: Path, cliniko: Cliniko) -> None:
    told: list[str] = []
    secrets: dict[str, str] = {"key": DESK, "wrong key": "mistyped-secret-au1"}
    with server(tmp_path, cliniko.url, told) as origin:
        here = {"resource": f"{origin}/mcp"}
        async with asking(origin) as program:
            client = await program.program(token_endpoint_auth_method="client_secret_post")
            secrets["program's secret"] = client["client_secret"]
            page = await program.page(client["client_id"], **here)
            wrong = await program.send(page, origin, step="key", key=secrets["wrong key"])
            assert wrong.status_code == 422
            second = await program.send(page, origin, step="key", key=DESK, may="cliniko:write")
            secrets["cookie"] = next(iter(program.http.cookies.values()))
            done = await program.send(second, origin, step="yes")
            found = re.search(r"[?&]code=([^&\"]+)", done.text)
            assert found, done.text
            secrets["code"] = found.group(1)
            tokens = (await program.exchange(client, secrets["code"], **here)).json()
            secrets |= {"token": tokens["access_token"], "refresh token": tokens["refresh_token"]}
            assert await status(origin, tokens["access_token"]) == 200
            more = (await program.refresh(client, tokens["refresh_token"])).json()
            secrets |= {"next token": more["access_token"], "next refresh token": more["refresh_token"]}
            cliniko.status = 503
            await program.http.post("/mcp", headers={"authorization": f"Bearer {more['access_token']}"}, json={})
            cliniko.status = 0
            doctor = run("doctor", "--login", "builtin", "--public-url", f"{origin}/mcp")
            names = (
                "--login-file",
                str(tmp_path / "logins.sqlite"),
                "--audit-file",
                str(tmp_path / "audit" / "audit.jsonl"),
            )
            listed = run("logins", "list", *names)
            assert "(receptionist)" in listed
            # A table that is gone is a fault that nobody expects: what is said of it then is said of secrets, too.
            before = kept(tmp_path)
            with sqlite3.connect(tmp_path / "logins.sqlite") as broken:
                broken.execute("DROP TABLE person")
            broken.close()
            crash = await program.http.post(
                "/token",
                data={
                    "grant_type": "refresh_token",
                    "refresh_token": more["refresh_token"],
                    "client_id": client["client_id"],
                    "client_secret": client["client_secret"],
                },
            )
            assert crash.status_code == 500
    assert "Exception in ASGI application" in told[0], told
    held = kept(tmp_path)
    held |= {"standard error": told[0].encode(), "doctor": doctor.encode(), "list": listed.encode()}
    held |= {"crash": crash.content, "refusal": wrong.content}
    assert b"granted" in held["audit/audit.jsonl"]
    assert b"Finn" in before["logins.sqlite"] + before.get("logins.sqlite-wal", b"")
    held |= {f"{name}, before": text for name, text in before.items()}
    spellings = [(name, spelling) for name, secret in secrets.items() for spelling in spelled(secret)]
    leaks = [(name, where) for name, spelling in spellings for where, text in held.items() if spelling in text]
    assert leaks == []


def kept(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*arguments: str) -> str:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    command = [sys.executable, "-m", "cliniko_mcp", *arguments]
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


def test_every_spelling_of_a_secret_is_looked_for() -> None:
    secret = "cma_0123456789abcdef"
    for text in (secret, f"xy{secret}", f"x{secret}z", f"{secret}:"):
        assert any(spelling in base64.b64encode(text.encode()) for spelling in spelled(secret))
