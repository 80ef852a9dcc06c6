"""The key, its shard, the address and the name given to Cliniko."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp import __version__
from cliniko_mcp.client.credentials import Credentials, parse_base_url, user_agent
from cliniko_mcp.errors import ConfigurationError

KEY = "MS0xMjM0NTY3ODkwLWFiY2RlZg"


@pytest.mark.parametrize(
    ("key", "shard"),
    [
        (KEY, "au1"),
        (f"{KEY}-au2", "au2"),
        (f"{KEY}-UK1", "uk1"),
        (f"{KEY}-zz42", "zz42"),
        (f"a-b-{KEY}-ca1", "ca1"),
        ("demo-au1", "au1"),
    ],
)
def test_the_shard_is_what_follows_the_last_hyphen_by_form_and_au1_without_one(key: str, shard: str) -> None:
    credentials = Credentials.parse(f"  {key}\n")
    assert (credentials.key, credentials.shard) == (key, shard)
    assert credentials.base_url == f"https://api.{shard}.cliniko.com/v1"


@pytest.mark.parametrize("ending", ["", "a1", "au", "au123", "au1/x", "au1.evil.com", "au 1", "äu1", "au1-"])
def test_an_ending_that_is_no_shard_is_refused(ending: str) -> None:
    with pytest.raises(ConfigurationError):
        Credentials.parse(f"{KEY}-{ending}x" if ending == "au1" else f"{KEY}-{ending}")


@pytest.mark.parametrize("key", ["", "   ", "a key", "a:b-au1", "kéy-au1", "line\nbreak-au1", "nul\x00-au1"])
def test_a_key_that_cannot_be_one_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError):
        Credentials.parse(key)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_no_message_and_no_repr_ever_shows_the_key(key: str) -> None:
    try:
        shown = repr(Credentials.parse(f"secret{key}"))
    except ConfigurationError as refused:
        shown = f"{refused} {refused.fix} {refused.as_json()}"
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.au1.cliniko.com/v1", "https://api.au1.cliniko.com/v1"),
        (" https://proxy.example.org:8443/cliniko/v1/ ", "https://proxy.example.org:8443/cliniko/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("http://localhost:1/v1", "http://localhost:1/v1"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_a_base_url_is_https_anywhere_and_http_on_this_computer(text: str, url: str) -> None:
    assert parse_base_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.au1.cliniko.com/v1",
        "http://api.au1.cliniko.com/v1",
        "http://127.0.0.1.evil.com/v1",
        "http://localhost.evil.com/v1",
        "http://127.0.0.1@evil.com/v1",
        "https://user:word@api.au1.cliniko.com/v1",
        "https://api.au1.cliniko.com",
        "https://api.au1.cliniko.com/v2",
        "https://api.au1.cliniko.com/v1?x=1",
        "https://api.au1.cliniko.com/v1?",
        "https://api.au1.cliniko.com/v1#",
        "https://api.au1.cliniko.com:port/v1",
        "https://api.au1\n.cliniko.com/v1",
        "https:\\\\api.au1.cliniko.com/v1",
        "ftp://api.au1.cliniko.com/v1",
        "file:///v1",
        "https:///v1",
        "https://[::1/v1",
    ],
)
def test_any_other_base_url_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_base_url(text)


def test_the_user_agent_names_the_program_and_whom_to_write_to() -> None:
    assert user_agent(" desk@clinic.example ") == f"cliniko-mcp/{__version__} (desk@clinic.example)"


@pytest.mark.parametrize(
    "email",
    [
        "",
        "desk",
        "desk@clinic",
        "a b@clinic.example",
        "a@b.example\r\nX-Evil: 1",
        "a@b.example\n",
        "a@b.example)",
        "ä@b.example",
        "a@@b.example",
        "a@b..example",
        "x" * 250 + "@b.example",
    ],
)
def test_an_email_that_is_none_or_would_break_the_header_is_refused(email: str) -> None:
    with pytest.raises(ConfigurationError):
        user_agent(email)


@pytest.mark.long_but_one
@pytest.mark.parametrize("module", ["credentials", "clinic", "responses", "pagination"])
def test_looking_at_the_key_does_not_load_the_http_client(module: str) -> None:
    code = f"import sys, cliniko_mcp.client.{module}; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
