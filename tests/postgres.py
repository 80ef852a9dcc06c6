"""A Postgres of the tests' own, on a free port, in a folder of its own, run by a user without rights.

A room's conftest takes the fixture with `from tests.postgres import postgres as postgres`; `postgres.database()` is the
address of a new, empty database.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = "nobody"
"""Who runs it where the tests are run by root, whom Postgres refuses."""
WHY_NOT = "needs PostgreSQL's programs, which this machine has not"


def programs() -> dict[str, str]:
    """Where the programs are; empty where one is missing. Debian keeps them out of the usual path."""
    folders = [os.environ.get("PATH", ""), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)]
    path = os.pathsep.join(folders)
    found = {name: shutil.which(name, path=path) for name in ("postgres", "pg_ctl", "initdb", "psql")}
    return {name: where for name, where in found.items() if where} if all(found.values()) else {}


class PostgresServer:
    """A process on a port of this computer, whose tables outlast it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._programs, self._folder = programs(), folder
        self._root = os.name == "posix" and os.geteuid() == 0
        if self._root:
            shutil.chown(folder, USER)
        self._control = ("-D", str(folder / "data"), "-s")
        self._made = 0
        self._run("initdb", "--pgdata", str(folder / "data"), "--username", "tests", "--auth", "trust", "--no-sync")

    def _run(self, name: str, *arguments: str) -> None:
        # A pipe would stay open for as long as the server runs.
        with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
            done = subprocess.run(
                [self._programs[name], *arguments],
                user=USER if self._root else None,
                cwd=self._folder,
                stdout=told,
                stderr=told,
                check=False,
            )
            told.seek(0)
            assert done.returncode == 0, told.read()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        chosen = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options = " ".join(f"-c {name}='{value}'" for name, value in chosen.items())
        self._run("pg_ctl", *self._control, "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self) -> None:
        """End it at once, with every connection."""
        self._run("pg_ctl", *self._control, "-m", "immediate", "stop")

    def database(self) -> str:
        """The address of a new database."""
        self._made += 1
        self._run("psql", *self._psql("postgres"), "-c", f"CREATE DATABASE tests_{self._made}")
        return f"postgresql://tests@127.0.0.1:{self.port}/tests_{self._made}"

    def do(self, url: str, text: str) -> None:
        """Run these statements as the owner of everything."""
        self._run("psql", *self._psql(url.rpartition("/")[2]), "-c", text)

    def _psql(self, database: str) -> list[str]:
        return ["-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tests", "-v", "ON_ERROR_STOP=1", database]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server."""
    if not programs():
        pytest.skip(WHY_NOT)
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        server.start()
        yield server
        server.stop()
