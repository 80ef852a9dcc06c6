"""The file of a server for many: what it must say, and secrets that are only ever named in it."""

import os
from pathlib import Path

import pytest

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.hosted_file import HostedFile, hosted_by, read_hosted
from cliniko_mcp.settings import Settings, secret_at

WHOLE = """
public_url = "https://mcp.example.org/mcp"
allow_origin = ["https://clinic.example.org"]
people = "people.toml"

[[issuer]]
url = "https://login.example.org/realms/clinics"
plain_type = true
scope_names = {"cliniko.read" = "cliniko:read"}

[issuer.introspection]
url = "https://login.example.org/introspect"
client_id = "cliniko-mcp"
client_secret = "env:INTROSPECTION"
"""


PAGE = '[issuer.page]\nclient_id = "a"\nclient_secret = "env:A"\n'


def test_there_is_a_page_where_somebody_can_log_in_at_it() -> None:
    address = {"public_url": "https://mcp.example.org/mcp", "keys": ("env:RING",)}
    issuer = {"url": "https://login.example.org"}
    page = {"client_id": "a", "client_secret": "env:A"}
    assert HostedFile.model_validate({**address, "people": "p.toml"}).has_page
    assert HostedFile.model_validate({**address, "issuer": [{**issuer, "page": page}]}).has_page
    assert not HostedFile.model_validate({**address, "issuer": [issuer]}).has_page
    assert not HostedFile.model_validate({"keys": ("env:RING",), "people": "p.toml"}).has_page


def test_the_file_says_who_vouches_for_people(tmp_path: Path) -> None:
    path = tmp_path / "hosted.toml"
    path.write_text(WHOLE)
    settings = Settings.load({"hosted": str(path)}, {})
    assert settings.transport == "http"
    hosted = hosted_by(settings)
    assert hosted.issuer[0].scope_names == {"cliniko.read": "cliniko:read"}
    assert hosted.issuer[0].subject_claims == ("sub",)
    assert hosted.ask_scopes == ("cliniko:read", "cliniko:write", "cliniko:destroy")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"env:INTROSPECTION"', '"hunter2"', "issuer.0.introspection.client_secret"),
        ("plain_type", "plain_typ", "issuer.0.plain_typ"),
        ('public_url = "https://mcp.example.org/mcp"', "", "name it"),
        ("https://login.example.org/realms", "login.example.org/realms", "issuer.0.url"),
        ("[[issuer]]", "[issuer", "is not TOML"),
        ("[issuer.introspection]", f"{PAGE}[issuer.introspection]", "keys"),
        (
            "[issuer.introspection]",
            f"{PAGE}parameters = {{ state = '1' }}\n[issuer.introspection]",
            "state cannot be set",
        ),
        ("[[issuer]]", 'approve_by = "third"\n[[issuer]]', "approve_by"),
    ],
)
def test_a_file_that_cannot_be_meant_so_is_refused_with_the_place_and_without_what_stands_there(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    path = tmp_path / "hosted.toml"
    path.write_text(WHOLE.replace(before, after))
    with pytest.raises(ConfigurationError, match=told) as refused:
        read_hosted(path)
    assert "hunter2" not in refused.value.message


def test_who_approves_is_not_said_where_it_would_hold_for_no_clinic(tmp_path: Path) -> None:
    path = tmp_path / "hosted.toml"
    told = 'keys = ["env:RING"]\npublic_url = "https://mcp.example.org/mcp"\npeople = "p.toml"\napprove_by = "second"\n'
    path.write_text(told)
    assert read_hosted(path).approve_by == "second"
    path.write_text(f'{told}clinics = "clinics.toml"\n')
    with pytest.raises(ConfigurationError, match="approve_by stands under it"):
        read_hosted(path)


@pytest.mark.parametrize(
    "flags",
    [
        {"hosted": "h.toml", "transport": "stdio"},
        {"people": "p.toml", "transport": "sse"},
        {"people": "p.toml", "http_token_file": "token"},
        {"hosted": "h.toml", "people": "p.toml"},
        {"hosted": "h.toml", "public_url": "https://mcp.example.org"},
    ],
)
def test_what_contradicts_the_file_is_said_at_the_start(flags: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Settings.load(flags, {})


def test_an_address_on_the_command_line_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="--public-url"):
        hosted_by(Settings.load({"people": "p.toml", "public_url": "mcp.example.org"}, {}))


def test_a_secret_is_read_where_it_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("a-long-secret\n")
    file.chmod(0o600)
    assert secret_at(f"file:{file}", {}).get_secret_value() == "a-long-secret"
    assert secret_at("env:THERE", {"THERE": " another-secret "}).get_secret_value() == "another-secret"
    for missing in ("env:THERE", f"file:{tmp_path / 'none'}"):
        with pytest.raises(ConfigurationError):
            secret_at(missing, {})
    if os.name == "posix":
        file.chmod(0o644)
        with pytest.raises(ConfigurationError, match="chmod 600"):
            secret_at(f"file:{file}", {})
