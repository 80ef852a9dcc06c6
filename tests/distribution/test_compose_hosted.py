"""The compose file for several clinics: three replicas that nothing tells apart, and what they share."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cliniko_mcp.hosted_file import HostedFile
from cliniko_mcp.protocol.draining import DRAIN_SECONDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
TEXT = (PACKAGING / "compose.hosted.yaml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
REPLICAS = [name for name, service in SERVICES.items() if "build" in service]
HOSTED = HostedFile.model_validate(tomllib.loads((PACKAGING / "hosted" / "hosted.toml").read_text("utf-8")))
CADDY = (PACKAGING / "hosted" / "Caddyfile").read_text("utf-8")


def test_three_replicas_differ_in_nothing_but_where_they_keep_their_own() -> None:
    assert len(REPLICAS) == 3
    own = [{**SERVICES[name], "volumes": SERVICES[name]["volumes"][:-1]} for name in REPLICAS]
    assert own[0] == own[1] == own[2]
    assert len({SERVICES[name]["volumes"][-1] for name in REPLICAS}) == 3
    assert all("ports" not in SERVICES[name] for name in REPLICAS), "people reach them by the proxy alone"


def test_the_proxy_leads_to_every_replica_that_says_it_is_ready() -> None:
    assert f"reverse_proxy {' '.join(f'{name}:8000' for name in REPLICAS)} " in CADDY
    assert "health_uri /readyz" in CADDY
    assert HOSTED.admin is not None and f"health_port {HOSTED.admin.port}" in CADDY


def test_a_stop_leaves_time_for_the_proxy_to_notice_and_for_the_calls_under_way() -> None:
    for name in REPLICAS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= HOSTED.notice + DRAIN_SECONDS + 5
    assert HOSTED.notice > 2, "the proxy looks every second"


@pytest.mark.parametrize("flag", ["--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"])
def test_what_is_shared_is_kept_and_is_for_those_who_have_the_password(flag: str) -> None:
    assert flag in SERVICES["valkey"]["command"]
    assert "ports" not in SERVICES["valkey"] and "ports" not in SERVICES["postgres"]


def test_no_secret_is_in_the_files_and_every_folder_that_they_name_is_there() -> None:
    assert HOSTED.redis is not None and HOSTED.redis.url == "env:REDIS_URL"
    assert all(reference.startswith(("env:", "file:")) for reference in HOSTED.keys)
    for name in REPLICAS:
        assert SERVICES[name]["command"] == ["serve", "--hosted", "/hosted/hosted.toml"]
        assert "./hosted:/hosted:ro" in SERVICES[name]["volumes"]
    assert "packaging/compose.hosted.yaml" in (ROOT / "docs" / "replicas.md").read_text("utf-8")
