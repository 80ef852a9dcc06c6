"""What an app shares and what it has for itself: keys, connections, tokens, the log, and names by account."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import httpx2
import mcp_types as types
import pytest

from cliniko_mcp.app import App
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.parts import LocalKeys, Parts, local_parts
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.limit_share import NOBODYS, Share, Taken
from cliniko_mcp.protocol.completions import Completions
from cliniko_mcp.results.cursor import Cursors, Position, Query
from tests.conftest import in_process

pytestmark = pytest.mark.anyio
SECRET = bytes(range(32))


def test_a_key_is_for_one_purpose_and_one_account_and_the_same_each_time() -> None:
    keys = LocalKeys(SECRET)
    wanted = [("cursor", "a"), ("cursor", "b"), ("state", "a"), ("cursora", ""), ("cursor", "")]
    made = [keys.derived(*one) for one in wanted]
    assert made == [LocalKeys(SECRET).derived(*one) for one in wanted]
    assert len(set(made)) == len(wanted)
    assert all(len(key) == 32 for ring in made for key in ring)
    assert LocalKeys(bytes(32)).derived("cursor") != keys.derived("cursor")


def test_a_cursor_of_an_older_key_is_opened_and_new_ones_are_sealed_with_the_first() -> None:
    at = Position(Query.of("list_patients", {"limit": 3}), 3, (1, 2, 3))
    old, new, both = Cursors(b"old"), Cursors(b"new"), Cursors(b"new", b"old")
    assert both.open(old.seal(at, "p"), "list_patients", "p") == at
    assert both.open(new.seal(at, "p"), "list_patients", "p") == at
    assert both.seal(at, "p") == new.seal(at, "p") != old.seal(at, "p")


def test_parts_are_one_accounts_of_many_where_they_name_it() -> None:
    alone = local_parts(SECRET)
    assert not alone.hosted and replace(alone, account="a").hosted
    assert (alone.tokens, alone.ledger, alone.log, alone.network) == (None, None, None, None)


class Counted:
    """Tokens that are always there, and the log that keeps lines in memory."""

    place = "memory"

    def __init__(self) -> None:
        self.taken, self.back = 0, 0
        self.lines: list[Mapping[str, JsonValue]] = []

    async def take(self, *, sweep: bool, ahead: Callable[[], int], share: Share = NOBODYS) -> Taken:
        self.taken += 1
        return Taken(0.0, str(self.taken))

    async def answered(self, token: str, *, pause: float = 0.0) -> None:
        self.back += 1

    async def give_back(self, token: str) -> None:
        self.back += 1

    async def closed(self) -> float:
        return 0.0

    async def append(self, entry: Mapping[str, JsonValue]) -> int:
        self.lines.append(entry)
        return len(self.lines)

    async def note(self, entry: Mapping[str, JsonValue]) -> None:
        self.lines.append(entry)

    def room(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


async def test_an_app_takes_its_tokens_and_keeps_its_log_where_its_parts_say() -> None:
    counted = Counted()
    parts = Parts(LocalKeys(SECRET), "a", tokens=counted, log=counted)
    async with in_process(parts=parts) as assistant:
        await assistant.call("create_patient", first_name="Demo", last_name="Term")
    assert counted.taken == counted.back > 0
    assert [line["outcome"] for line in counted.lines if line["operation"] == "create_patient"] == ["begun", "ok"]


async def test_lists_may_be_kept_by_everybody_where_one_person_is_served_and_by_each_alone_where_many_are() -> None:
    for account, transport, scope in (("", "stdio", "public"), ("", "http", "private"), ("a", "stdio", "private")):
        async with in_process(parts=Parts(LocalKeys(SECRET), account), transport=transport) as assistant:
            client = assistant.client
            lists = (
                await client.list_tools(),
                await client.list_prompts(),
                await client.list_resources(),
                await client.list_resource_templates(),
            )
            assert [(found.ttl_ms, found.cache_scope) for found in lists] == [(300_000, scope)] * 4


class _Account(httpx2.AsyncBaseTransport):
    """The network of many accounts: practitioners are called after the key that asks."""

    def __init__(self) -> None:
        self.closed = False
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.keys.append(request.headers["Authorization"])
        row: dict[str, Any] = {"id": "1", "label": f"Dr {request.headers['Authorization'][6:18]}", "active": True}
        return httpx2.Response(200, json={"practitioners": [row], "total_entries": 1, "links": {}})

    async def aclose(self) -> None:
        self.closed = True


async def test_two_accounts_on_one_network_and_one_memory_of_names_never_see_each_others() -> None:
    network, completions = _Account(), Completions()
    asked = types.CompletionArgument(name="practitioner", value="")
    params = types.CompleteRequestParams(ref=types.PromptReference(name="morning_huddle"), argument=asked)
    names: dict[str, set[str]] = {"A": set(), "B": set()}
    for _ in range(2):
        for letter in names:
            parts = Parts(LocalKeys(SECRET), letter, network=network)
            settings: dict[str, Any] = {
                "sandbox": False,
                "api_key": f"{letter * 40}-au1",
                "contact_email": "a@example.org",
            }
            async with in_process(parts=parts, **settings) as assistant:
                app = assistant.app
                assert app is not None
                found = await completions.answer(params, partial(_clinic, app))
            names[letter].update(found.completion.values)
    assert not network.closed
    assert len(network.keys) == len(set(network.keys)) == 2
    assert len(names["A"]) == len(names["B"]) == 1 and names["A"].isdisjoint(names["B"])


async def _clinic(app: App, tool: str) -> GuardedClinic:
    return await app.guarded_clinic(tool, Caller())
