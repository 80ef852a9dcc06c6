"""server.json says what the registry asks for; the container runs as nobody special and asks for a token."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cliniko_mcp import __version__
from cliniko_mcp.protocol.draining import DRAIN_SECONDS
from cliniko_mcp.settings import Settings, variable

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SERVER: dict[str, Any] = json.loads((PACKAGING / "server.json").read_text("utf-8"))
DOCKERFILE = (PACKAGING / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((PACKAGING / "compose.yaml").read_text("utf-8"))


def test_server_json_is_of_this_version_and_within_the_registrys_limits() -> None:
    (package,) = SERVER["packages"]
    assert SERVER["version"] == package["version"] == __version__
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", SERVER["name"])
    assert 1 <= len(SERVER["description"]) <= 100 and 1 <= len(SERVER["title"]) <= 100
    assert package["registryType"] == "pypi" and package["transport"] == {"type": "stdio"}


def test_server_json_names_variables_that_the_server_reads_and_hides_the_key() -> None:
    variables = {variable["name"]: variable for variable in SERVER["packages"][0]["environmentVariables"]}
    assert variables.keys() <= {variable(name) for name in Settings.model_fields}
    assert variables["CLINIKO_API_KEY"]["isSecret"] is True
    defaults = {name: variable["default"] for name, variable in variables.items() if "default" in variable}
    assert Settings.load({}, defaults) == Settings.load({}, {})


@pytest.mark.skipif("MCP_SERVER_SCHEMA" not in os.environ, reason="set MCP_SERVER_SCHEMA to the registry's schema file")
def test_server_json_is_valid_against_the_registrys_schema() -> None:
    import jsonschema

    schema = json.loads(Path(os.environ["MCP_SERVER_SCHEMA"]).read_text("utf-8"))
    assert schema["$id"] == SERVER["$schema"]
    jsonschema.Draft7Validator(schema).validate(SERVER)


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return [line.removeprefix(name).strip() for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_the_container_runs_as_a_user_without_rights_and_writes_only_to_its_volume() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("VOLUME") == ['["/data"]']
    assert COMPOSE["services"]["cliniko-mcp"]["read_only"] is True
    assert COMPOSE["services"]["cliniko-mcp"]["cap_drop"] == ["ALL"]


def test_the_container_is_slim_and_pinned_and_has_a_health_check() -> None:
    assert all(re.fullmatch(r"python:3\.\d+-slim( AS build)?", image) for image in instructions("FROM"))
    (check,) = instructions("HEALTHCHECK")
    assert "8000" in check and "8000" in instructions("EXPOSE")


def test_what_the_container_copies_is_let_through_to_it() -> None:
    let_through = (PACKAGING / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for instruction in instructions("COPY"):
        if not instruction.startswith("--from"):
            assert all(f"!{name}" in let_through for name in instruction.split()[:-1])
    assert let_through[0] == "*"


def test_the_settings_of_the_container_are_settings_of_the_server() -> None:
    named = dict(re.findall(r"\b(CLINIKO_[A-Z_]+)=(\S+)", DOCKERFILE))
    environment: dict[str, str] = COMPOSE["services"]["cliniko-mcp"]["environment"]
    assert {*named, *environment} <= {variable(name) for name in Settings.model_fields}
    settings = Settings.load({}, {**named, **environment, "CLINIKO_MCP_HTTP_TOKEN": "0123456789abcdef"})
    assert settings.transport == "http" and settings.sandbox and settings.host == "0.0.0.0"


def test_the_compose_file_demands_a_token_and_listens_on_this_computer_alone() -> None:
    service = COMPOSE["services"]["cliniko-mcp"]
    assert ":?" in service["environment"]["CLINIKO_MCP_HTTP_TOKEN"]
    assert service["ports"] == ["127.0.0.1:8000:8000"]


def test_a_stop_leaves_more_time_than_the_calls_under_way_are_allowed() -> None:
    grace = str(COMPOSE["services"]["cliniko-mcp"]["stop_grace_period"])
    assert int(grace.removesuffix("s")) >= DRAIN_SECONDS + 15
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_no_secret_is_written_into_the_image() -> None:
    assert not re.search(r"API_KEY|HTTP_TOKEN", DOCKERFILE)
