"""A computer of each system, whose person has blanks and letters of all kinds in the name of their folder."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest
from click.testing import CliRunner, Result
from ruamel.yaml import YAML

from cliniko_mcp.cli.install import install as command
from cliniko_mcp.hosts.jsonc import parse
from cliniko_mcp.hosts.table import Computer, Host, System

SYSTEMS: tuple[System, ...] = ("darwin", "win32", "linux")


KEY = "MS0xLXNlY3JldA-au2"


Run = Callable[..., Result]
Answer = Callable[[httpx2.Request], httpx2.Response]

STAMPS = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
MEI = {"id": "1", "first_name": "Mei", "last_name": "Ng", "role": "practitioner", "active": True, **STAMPS}


def northside(request: httpx2.Request) -> httpx2.Response:
    """Cliniko's answer for a practitioner of the clinic Northside, who may not read the settings."""
    match request.url.path:
        case "/v1/user":
            return httpx2.Response(200, json=MEI)
        case "/v1/settings/public":
            return httpx2.Response(200, json={"account": {"name": "Northside"}})
        case _:
            return httpx2.Response(403, json={})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "Zoë O'Brien 漢字"
    folder.mkdir()
    return folder


def computer(system: System, home: Path) -> Computer:
    environment = {}
    if system == "win32":
        roaming, local = home / "AppData" / "Roaming", home / "AppData" / "Local"
        environment = {"APPDATA": str(roaming), "LOCALAPPDATA": str(local)}
    return Computer(system, home, environment)


def parsed(host: Host, text: str) -> Any:
    """What a host reads in its file, by parsers other than those that change it where there are others."""
    match host.syntax:
        case "toml":
            return tomllib.loads(text)
        case "yaml":
            return YAML(typ="safe", pure=True).load(text)
        case "jsonc":
            return parse(text, comments=True).value
        case "json":
            return json.loads(text)


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> System:
    found: System = request.param
    return found


@pytest.fixture
def machine(system: System, home: Path) -> Computer:
    return computer(system, home)


@pytest.fixture
def run(machine: Computer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`install` and `login` on a computer of this system, whose home folder has blanks and letters of all kinds."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("CLINIKO_API_KEY", "CLINIKO_CONTACT_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("cliniko_mcp.stored_keys.account_file", lambda: home / "kept" / "account.json")
    monkeypatch.setattr("cliniko_mcp.cli.install.this_computer", lambda: machine)

    monkeypatch.setattr("cliniko_mcp.client.transport.Network", lambda: httpx2.MockTransport(northside))

    def call(*arguments: str, typed: str | None = None, of: click.Command = command) -> Result:
        return CliRunner().invoke(of, list(arguments), input=typed)

    return call
