"""What a run is played on: Redis, something that answers as Cliniko, replicas and a balancer, each a process."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.hosted.upstream import LIMIT, NOW, key_of
from cliniko_mcp.directory.clinics import ClinicEntry, sealed_key
from cliniko_mcp.identity.people_file import digest_of
from cliniko_mcp.shared_state.keys import KeyRing
from tests.shared_state.redis_server import RedisServer

PUBLIC: Final = "https://mcp.example.org/mcp"
RING: Final = "a ring of this run alone, longer than thirty-two bytes"
SCOPES: Final = ["cliniko:read", "cliniko:write", "cliniko:destroy"]
PATIENT: Final = "1104000000422323183"
"""A patient that every clinic has."""
NOTICE: Final = 5
"""Seconds that a replica goes on after SIGTERM, for its balancer to notice."""
_START_SECONDS: Final = 120
_UNLIMITED: Final = (
    "import runpy\nfrom cliniko_mcp import settings\nsettings.REQUESTS_PER_MINUTE = 10_000_000\n"
    "runpy.run_module('cliniko_mcp', run_name='__main__')"
)
"""The server without the limit that it keeps towards a clinic which is not its own demo."""


def clinic_of(number: int) -> str:
    """The id of a clinic."""
    return f"c{number:05}"


def person_of(number: int) -> str:
    """The id of the person who works in this clinic."""
    return f"p{number:05}"


def code_of(who: str) -> str:
    """What opens the approvals page for this person, once."""
    return f"code of {who}"


@dataclass
class Replica:
    """A server in a process of its own, which may end and be started again at the same address."""

    command: Sequence[str]
    environ: Mapping[str, str]
    port: int
    admin: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it answers, past the balancer."""
        return f"http://127.0.0.1:{self.port}/mcp"

    @property
    def said(self) -> str:
        """What it has told its operator."""
        return (self.folder / "said").read_text("utf-8")

    def start(self) -> None:
        """Start it; `listens` tells when it does."""
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(self.command, env=self.environ, stdout=said, stderr=said)

    @property
    def listens(self) -> bool:
        """Whether it takes calls and says so. Raises AssertionError where it ended instead."""
        assert self.process is not None and self.process.poll() is None, self.said
        try:
            answer = httpx2.get(f"http://127.0.0.1:{self.admin}/readyz", trust_env=False, timeout=2)
        except httpx2.TransportError:
            return False
        return answer.status_code == 200

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.process is None or self.process.poll() is not None

    @property
    def kilobytes(self) -> int:
        """The memory that it holds."""
        assert self.process is not None
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1])


@dataclass
class Stage:
    """Everything that is running."""

    folder: Path
    redis: RedisServer
    cliniko: str
    """Where the upstream is."""
    address: str
    """The balancer's."""
    replicas: list[Replica] = field(default_factory=list[Replica])
    accounts: dict[str, str] = field(default_factory=dict[str, str])
    """By the ids of the clinics."""

    def upstream(self, action: str = "count") -> dict[str, Any]:
        """What came with each key; see `upstream.Clinic.control`."""
        answer = httpx2.get(f"{self.cliniko}/_load/{action}", trust_env=False, timeout=60)
        return answer.json()

    def logs(self) -> list[Path]:
        """The audit logs of all replicas."""
        return [path for replica in self.replicas for path in replica.folder.glob("audit*.jsonl*")]


def free_port() -> int:
    """A port of this computer that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def program(module: str, *arguments: str) -> Generator[None]:
    """One of our own programs under way, ready."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.kill()


@contextmanager
def stage(
    clinics: int, *, replicas: int = 3, more: str = "", unlimited: bool = False, shared: Sequence[str] = ()
) -> Generator[Stage]:
    """So many clinics with a person each, and replicas that know all of them.

    `more` stands in their file; `unlimited` ones keep no limit of requests; `shared` are people who work in every
    clinic. The Redis is taken for one that has been up for a minute.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "redis").mkdir()
        redis = RedisServer(folder / "redis", "--appendfsync", "everysec")
        redis.start()
        stack.callback(redis.stop)
        upstream, port, limit = free_port(), free_port(), 10_000_000 if unlimited else LIMIT
        stack.enter_context(program("benchmarks.hosted.upstream", str(upstream), str(limit)))
        found = Stage(folder, redis, f"http://127.0.0.1:{upstream}", f"http://127.0.0.1:{port}/mcp")
        found.accounts = _clinics(folder, clinics, f"{found.cliniko}/v1", shared)
        born = [f"cm:1:{{{account}}}:born" for account in found.accounts.values()]
        redis.ask("EVAL", "for i = 1, #ARGV do redis.call('SET', ARGV[i], '0') end", "0", *born)
        found.replicas = [_replica(folder, name, redis.url, more, unlimited) for name in "abcdefgh"[:replicas]]
        stack.callback(_end, found.replicas)
        for replica in found.replicas:
            replica.start()
        until(lambda: all(replica.listens for replica in found.replicas), _START_SECONDS)
        told = [f"{replica.port}:{replica.admin}" for replica in found.replicas]
        stack.enter_context(program("benchmarks.hosted.balancer", str(port), *told))
        yield found


def until(holds: Any, seconds: float) -> None:
    """Wait until this holds. Raises AssertionError where it does not in so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def _end(replicas: Sequence[Replica]) -> None:
    for replica in replicas:
        if replica.process is not None:
            replica.process.kill()
            replica.process.wait()


def _clinics(folder: Path, number: int, base_url: str, shared: Sequence[str]) -> dict[str, str]:
    """Write the files of clinics and people; the account of each clinic."""
    chance = random.Random(7)
    ring = KeyRing([RING.encode()], chance.randbytes)
    clinics: list[str] = []
    people: list[str] = []
    accounts: dict[str, str] = {}
    for one in range(number):
        account = f"{chance.getrandbits(128):032x}"
        entry = ClinicEntry(id=clinic_of(one), people=tuple(shared), account=account, base_url=base_url, key="")
        told = entry.model_dump(include={"id", "people", "account", "base_url"})
        clinics.append(_entry("clinic", told | {"key": sealed_key(ring, entry, key_of(one))}))
        people.append(_person(person_of(one), clinic_of(one)))
        accounts[entry.id] = account
    people += [_person(who) for who in shared]
    for name, entries in (("clinics.toml", clinics), ("people.toml", people)):
        (folder / name).write_text("".join(entries), "utf-8")
        (folder / name).chmod(0o600)
    return accounts


def _person(who: str, clinic: str | None = None) -> str:
    keys = {"token": digest_of(f"cmp_{who}"), "code": digest_of(code_of(who))}
    return _entry("person", {"id": who, "scopes": SCOPES, **keys} | ({"clinic": clinic} if clinic else {})) + (
        "code_expires = 2099-01-01T00:00:00Z\n"
    )


def _entry(kind: str, values: Mapping[str, Any]) -> str:
    return f"[[{kind}]]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _replica(folder: Path, name: str, redis: str, more: str, unlimited: bool) -> Replica:
    own, port, admin = folder / name, free_port(), free_port()
    own.mkdir(mode=0o700)
    hosted = own / "hosted.toml"
    hosted.write_text(
        f'public_url = "{PUBLIC}"\npeople = "{folder}/people.toml"\nclinics = "{folder}/clinics.toml"\n'
        f'keys = ["env:RING"]\nnotice = {NOTICE}\n{more}\n[redis]\nurl = "{redis}"\n[admin]\nport = {admin}\n',
        "utf-8",
    )
    start = ["-c", _UNLIMITED] if unlimited else ["-m", "cliniko_mcp"]
    pace = ["--requests-per-minute", "10000000"] if unlimited else []
    command = [
        *(sys.executable, *start, "serve", "--hosted", str(hosted), "--port", str(port), *pace),
        *("--audit-file", str(own / "audit.jsonl"), "--sandbox-now", NOW),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
    environ |= {"RING": RING, "NEWER": f"newer: {RING}", "CLINIKO_CONTACT_EMAIL": "load@example.org", "HOME": str(own)}
    environ |= {"XDG_STATE_HOME": str(own), "PYTHONUNBUFFERED": "1"}
    return Replica(command, environ, port, admin, own)
