"""`doctor --hosted` names what would not work, and what to do."""

import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cliniko_mcp.doctor.streams import examine_stream
from tests import warm
from tests.hosted.issuer_stage import PAGE, SECRET, token_of
from tests.hosted.replicas import ACCOUNT, PUBLIC, RING, clinic_apart, people_file, replicas
from tests.identity.real_issuer import provider
from tests.journeys.test_issuer import free_port
from tests.postgres import PostgresServer
from tests.shared_state.audit_at import audit_database
from tests.shared_state.redis_server import RedisServer


def examined(folder: Path, text: str, *flags: str, **environ: str) -> dict[str, dict[str, Any]]:
    """The checks by name; of several of one name the last."""
    hosted = folder / "hosted.toml"
    hosted.write_text(text)
    env = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")} | environ
    done = warm.run("doctor", "--json", "--hosted", str(hosted), *flags, env=env)
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_what_is_shared_and_sealed_is_looked_at(tmp_path: Path, redis: RedisServer) -> None:
    people = people_file(tmp_path, {"ana": {"expires": "2020-01-01T00:00:00Z"}, "ben": {}})
    people.write_text(people.read_text().replace('"2020-01-01T00:00:00Z"', "2020-01-01T00:00:00Z"))
    text = f'people = "{people}"\nkeys = ["env:RING"]\n[redis]\nurl = "{redis.url}"\n'
    found = examined(tmp_path, text, RING=RING)
    assert {name: found[name]["status"] for name in ("key ring", "people", "shared state", "address")} == {
        "key ring": "ok",
        "people": "warning",
        "shared state": "ok",
        "address": "warning",
    }
    assert "ana" in found["people"]["detail"]
    redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    found = examined(tmp_path, text, RING="too short")
    redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert found["key ring"]["status"] == found["shared state"]["status"] == "failed"
    assert "noeviction" in found["shared state"]["fix"] and "openssl" in found["key ring"]["fix"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('clinics = "clinics.toml"', "hosted file"),
        ('keys = ["env:RING"]\nclinics = "none.toml"', "clinics"),
        ('keys = ["env:RING"]\npeople = "none.toml"', "people"),
        ('public_url = "http://127.0.0.1:9/mcp"', "address"),
        ('keys = ["env:RING"]\n[redis]\nurl = "redis://127.0.0.1:9/0"', "shared state"),
    ],
)
def test_each_thing_that_is_wrong_comes_with_what_to_do(tmp_path: Path, text: str, name: str) -> None:
    found = examined(tmp_path, text, RING=RING)
    assert found[name]["status"] == "failed" and found[name]["fix"]


@pytest.mark.long
def test_a_log_that_the_server_could_change_or_cannot_write_is_named_and_it_does_not_start(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    app, owner = audit_database(postgres)
    text = 'keys = ["env:RING"]\n[audit]\npostgres = "env:AUDIT"\n'
    found = examined(tmp_path, text, RING=RING, AUDIT=app)["audit log"]
    assert found["status"] == "ok" and "may only add lines" in found["detail"]
    for address, words in (
        (owner, "could change"),
        (postgres.database(), "no tables yet"),
        ("postgresql://ana:secret@127.0.0.1:9/x", "does not take it"),
    ):
        found = examined(tmp_path, text, RING=RING, AUDIT=address)["audit log"]
        assert found["status"] == "failed" and found["fix"] and words in found["detail"]
        assert "secret" not in json.dumps(found)
        people = people_file(tmp_path, {"ana": {}})
        (tmp_path / "hosted.toml").write_text(f'people = "{people}"\n{text}')
        env = {name: value for name, value in os.environ.items() if not name.startswith("CLINIKO_")}
        env |= {"RING": RING, "AUDIT": address, **ACCOUNT}
        done = warm.run("serve", "--hosted", str(tmp_path / "hosted.toml"), "--port", "0", env=env)
        assert done.returncode == 1 and words in done.stderr and "secret" not in done.stderr


def test_an_issuer_is_reached_and_has_to_be_named_as_it_names_itself(tmp_path: Path) -> None:
    port = free_port()
    with provider(tmp_path, free_port(), {f"http://127.0.0.1:{port}/mcp": "jwt"}) as issuer:
        for url, status in ((issuer, "ok"), (f"{issuer}/", "failed")):
            text = f'public_url = "http://127.0.0.1:{port}/mcp"\n[[issuer]]\nurl = "{url}"\n'
            found = examined(tmp_path, text)
            assert found["issuer"]["status"] == status, found["issuer"]


def test_the_login_of_the_approvals_page_is_looked_at(tmp_path: Path) -> None:
    port = free_port()
    with provider(tmp_path, free_port(), {f"http://127.0.0.1:{port}/mcp": "jwt"}) as issuer:
        text = f'public_url = "http://127.0.0.1:{port}/mcp"\nkeys = ["env:RING"]\n[[issuer]]\nurl = "{issuer}"\n'
        found = examined(tmp_path, text, RING=RING)["approvals page"]
        assert found["status"] == "warning" and f"http://127.0.0.1:{port}/login/callback" in found["fix"]
        assert examined(tmp_path, text + PAGE, RING=RING)["approvals page"]["status"] == "failed"  # without its secret
        assert examined(tmp_path, text + PAGE, RING=RING, **SECRET)["approvals page"]["status"] == "ok"
        strong = f'{PAGE}acr_values = ["unheard-of"]\n'
        found = examined(tmp_path, text + strong, RING=RING, **SECRET)["approvals page"]
        assert found["status"] == "failed" and "strong" in found["fix"]


def test_a_real_token_is_told_what_would_refuse_it_and_what_mends_that(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/mcp"
    with provider(tmp_path, free_port(), {address: "jwt"}) as issuer:
        token = {"TOKEN": token_of(issuer, "ana", address)}
        text = f'public_url = "{address}"\n[[issuer]]\nurl = "{issuer}"\n'

        def told(more: str = "", **environ: str) -> dict[str, dict[str, Any]]:
            return examined(tmp_path, text + more, "--token", "env:TOKEN", **token | environ)

        found = told()
        names = ("token audience", "token subject", "token scopes", "token")
        assert [found[name]["status"] for name in names] == ["ok"] * 4
        assert found["token audience"]["detail"] == address
        assert f"{issuer}|ana" in found["token subject"]["detail"]
        assert "cliniko:destroy" in found["token scopes"]["detail"]
        assert token["TOKEN"] not in json.dumps(found)
        found = told('audiences = ["elsewhere"]\nsubject_claims = ["oid"]\nscope_claim = "scp"\n')
        assert [found[name]["status"] for name in names] == ["failed"] * 4
        assert f'audiences = ["{address}"]' in found["token audience"]["fix"]
        assert "sub" in found["token subject"]["fix"] and 'scope_claim = "scope"' in found["token scopes"]["fix"]
        text = text.replace(issuer, "http://127.0.0.1:9")
        assert f'url = "{issuer}"' in told()["token"]["fix"]
        assert told(TOKEN="garbage")["token"]["status"] == "failed"


class ByName(httpx2.AsyncHTTPTransport):
    """Leads what goes to the public address to this one instead."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = httpx2.URL(address)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = self._address.copy_with(path=request.url.path)
        return await super().handle_async_request(request)


@pytest.mark.long
@pytest.mark.anyio
async def test_a_proxy_that_keeps_back_what_the_server_streams_is_told_from_one_that_does_not(tmp_path: Path) -> None:
    with clinic_apart() as clinic, replicas(tmp_path, "", "--base-url", clinic.url, number=1) as found:

        async def told(token: str) -> dict[str, str]:
            return (await examine_stream(PUBLIC, token, ByName(found.address))).as_json()

        first = await told("cmp_ana")
        assert first["status"] == "ok", first
        assert (await told("cmp_nobody"))["status"] == "warning"
        found.balancer.buffering = True
        kept = await told("cmp_ana")
        assert kept["status"] == "failed" and "proxy_buffering off" in kept["fix"]
