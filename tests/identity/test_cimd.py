"""Client ID metadata documents: fetched from where anybody can reach, within bounds; what lies is not used."""

import json
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from cliniko_mcp.identity.cimd import Documents, NotUsable, is_document_address, reachable_by_all

pytestmark = pytest.mark.anyio
ID = "https://claude.ai/oauth/mcp-oauth-client-metadata"
OWN = "https://assistant.example.org/oauth/client.json"
GOOD: dict[str, Any] = {"client_id": ID, "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"]}
OUTSIDE = "93.184.215.14"


class Web:
    """A host that answers with this document, by these addresses."""

    def __init__(self, body: bytes, kind: str = "application/json", cache: str = "") -> None:
        self.answer = (body, kind, cache)
        self.addresses: Sequence[str] = (OUTSIDE,)
        self.asked: list[str] = []
        self.now = 0.0
        self.away = False

    async def resolve(self, host: str) -> Sequence[str]:
        return self.addresses

    async def fetch(self, url: str, address: str) -> tuple[bytes, str, str]:
        self.asked.append(address)
        await anyio.lowlevel.checkpoint()
        if self.away:
            raise NotUsable("away")
        return self.answer

    def documents(self, *hosts: str) -> Documents:
        return Documents(hosts, lambda: self.now, self.resolve, self.fetch)


def web(**changes: Any) -> Web:
    return Web(json.dumps(GOOD | changes).encode())


async def test_a_document_is_fetched_once_and_kept_for_as_long_as_it_says() -> None:
    site = web()
    site.answer = (*site.answer[:2], "public, max-age=1000")
    documents = site.documents()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(documents.program, ID)
    assert len(site.asked) == 1
    for now, count in ((999.0, 1), (1001.0, 2)):
        site.now = now
        assert await documents.program(ID) is not None
        assert len(site.asked) == count


@pytest.mark.parametrize(
    ("cache", "fresh", "old"), [("no-store", 299.0, 301.0), ("max-age=9999999", 86_399.0, 86_401.0)]
)
async def test_what_it_says_is_kept_within_bounds(cache: str, fresh: float, old: float) -> None:
    site = web()
    site.answer = (*site.answer[:2], cache)
    documents = site.documents()
    await documents.program(ID)
    for now, count in ((fresh, 1), (old, 2)):
        site.now = now
        await documents.program(ID)
        assert len(site.asked) == count


async def test_an_old_copy_serves_for_a_week_while_the_host_is_away() -> None:
    site = web()
    documents = site.documents()
    await documents.program(ID)
    site.away, site.now = True, 6 * 86_400.0
    assert await documents.program(ID) is not None
    site.now = 8 * 86_400.0
    assert await documents.program(ID) is None
    asked = len(site.asked)
    assert await documents.program(ID) is None
    assert len(site.asked) == asked, "a failure is remembered for a minute"


async def test_ten_a_minute_are_fetched_in_all() -> None:
    site = Web(b"")
    documents = site.documents("a.example.org")
    for number in range(12):
        await documents.program(f"https://a.example.org/{number}")
    assert len(site.asked) == 10


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "https://claude.ai/other"},
        {"client_secret": "x"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"redirect_uris": ["https://evil.example/callback"]},
        {"redirect_uris": ["https://claude.ai/other"]},
        {"redirect_uris": []},
        {"redirect_uris": "x"},
        {"client_name": "x" * 6000},
    ],
)
async def test_a_document_that_lies_or_cannot_serve_is_not_used(changes: dict[str, Any]) -> None:
    assert await web(**changes).documents().program(ID) is None


@pytest.mark.parametrize("kind", ["text/html", "", "application/javascript"])
async def test_a_document_of_another_type_is_not_used(kind: str) -> None:
    site = Web(json.dumps(GOOD).encode(), kind)
    assert await site.documents().program(ID) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 4000])
async def test_what_is_no_document_is_not_used(body: bytes) -> None:
    assert await Web(body).documents().program(ID) is None


async def test_a_host_that_nobody_named_is_not_asked() -> None:
    site = Web(json.dumps({"client_id": OWN, "redirect_uris": ["https://assistant.example.org/back"]}).encode())
    assert await site.documents().program(OWN) is None
    assert site.asked == []
    assert await site.documents("assistant.example.org").program(OWN) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:c0a8:1::",
        "2001:0:7f00:1::",
        "ff02::1",
    ],
)
async def test_a_network_of_one_s_own_is_not_reached_whatever_a_name_says(address: str) -> None:
    assert not reachable_by_all(address)
    site = web()
    site.addresses = (OUTSIDE, address)
    assert await site.documents().program(ID) is None
    assert site.asked == []


async def test_the_address_that_was_looked_at_is_the_one_that_is_asked() -> None:
    site = web()
    answers = iter([(OUTSIDE,), ("127.0.0.1",)])

    async def changing(host: str) -> Sequence[str]:
        return next(answers)

    documents = Documents((), lambda: 0.0, changing, site.fetch)
    assert await documents.program(ID) is not None
    assert site.asked == [OUTSIDE]


@pytest.mark.parametrize(
    "id",
    [
        "http://claude.ai/x",
        "https://claude.ai/",
        "https://claude.ai",
        "https://claude.ai/x?y",
        "https://claude.ai/x#y",
        "https://a@claude.ai/x",
        "https://claude.ai:8443/x",
        "https://claude.ai/a/../x",
        "https://claude.ai/./x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost/x",
        "https://claude.ai/%2e%2e/x",
        "https://claude.ai\\@evil.example/x",
        "https://" + "a" * 500 + ".example/x",
    ],
)
def test_an_address_with_anything_but_a_name_and_a_path_is_no_document(id: str) -> None:
    assert not is_document_address(id)


def test_the_known_documents_are_such_addresses() -> None:
    assert is_document_address(ID)
    assert reachable_by_all(OUTSIDE)
    assert reachable_by_all("2606:2800:220:1::1")
