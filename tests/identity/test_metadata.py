"""The metadata that tells clients where tokens are given: its address, and the resource as the client typed it."""

import json

import pytest

from cliniko_mcp.identity.metadata import Metadata, Resource, clinic_in
from tests.identity.requests import Behind, ask

ADDRESS = Resource("https://mcp.example.org/mcp")
WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("", "https://mcp.example.org/mcp"),
        ("/mcp", "https://mcp.example.org/mcp"),
        ("/mcp/", "https://mcp.example.org/mcp/"),
        ("/mcp/north", "https://mcp.example.org/mcp/north"),
        ("/mcp/north/", "https://mcp.example.org/mcp/north/"),
    ],
)
def test_the_resource_is_what_the_client_typed(path: str, resource: str) -> None:
    app = Metadata(Behind(), ADDRESS, ["https://login.example.org/realms/clinics"])
    answer = ask(app, WELL_KNOWN + path, method="GET")
    assert json.loads(answer.body) == {
        "resource": resource,
        "authorization_servers": ["https://login.example.org/realms/clinics"],
        "scopes_supported": ["cliniko:read", "cliniko:write", "cliniko:destroy"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Cliniko",
    }
    assert ADDRESS.accepts(resource)


@pytest.mark.parametrize("path", ["/mcp/a/b", "/other", "/mcp//", "/mcpx", "x"])
def test_no_other_address_has_metadata(path: str) -> None:
    behind = Behind()
    assert ask(Metadata(behind, ADDRESS, ["https://i"]), WELL_KNOWN + path, method="GET").body == b"through"


def test_the_metadata_is_only_read() -> None:
    app = Metadata(Behind(), ADDRESS, ["https://i"])
    assert ask(app, WELL_KNOWN, method="POST").status == 405
    assert ask(app, WELL_KNOWN, method="OPTIONS").status == 204


@pytest.mark.parametrize("path", ["/mcp", "/mcp/north"])
def test_the_challenge_names_an_address_that_answers(path: str) -> None:
    named = ADDRESS.metadata_of(path).removeprefix(ADDRESS.origin)
    answer = ask(Metadata(Behind(), ADDRESS, ["https://i"]), named, method="GET")
    assert json.loads(answer.body)["resource"] == ADDRESS.of(path)


@pytest.mark.parametrize(
    "audience", ["https://mcp.example.org", "https://mcp.example.org/mcp/a/b", "https://mcp.example.org/mcpx", "x", ""]
)
def test_another_audience_is_not_ours(audience: str) -> None:
    assert not ADDRESS.accepts(audience)


def test_the_clinic_is_one_segment_below_the_protocols_path() -> None:
    paths = ["/mcp", "/mcp/", "/mcp/north", "/mcp/north/", "/mcp/a/b", "/mcpx", "/healthz"]
    assert [clinic_in(path) for path in paths] == [None, None, "north", "north", None, None, None]
