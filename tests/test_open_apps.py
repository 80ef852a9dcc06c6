"""The apps that a server for many has open: the oldest is closed for the next, and nothing of it stays."""

import gc
import weakref
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx2
import pytest

from cliniko_mcp.app import App
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.parts import LocalKeys, Parts
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.open_apps import OpenApps, opened_apps
from cliniko_mcp.settings import Settings

ACCOUNT = {"CLINIKO_API_KEY": "a-key-of-nobody-au1", "CLINIKO_CONTACT_EMAIL": "t@example.org"}
SITE = {"id": "1", "business_name": "North", "time_zone_identifier": "Australia/Sydney", "country_code": "AU"}


def cliniko(request: httpx2.Request) -> httpx2.Response:
    """One site."""
    body: dict[str, Any] = {"businesses": [SITE], "total_entries": 1, "links": {}}
    return httpx2.Response(200, json=body if request.url.path.endswith("/businesses") else {"id": "2", **SITE})


async def called(apps: OpenApps, folder: Path, number: int) -> "weakref.ref[App]":
    """An app that has answered a call, held by nobody but its pool."""

    def made() -> tuple[Settings, Parts]:
        log = LocalLog(HashChain(folder / f"audit-{number}.jsonl"))
        parts = Parts(LocalKeys(b"k" * 32), str(number), log=log, network=apps.network)
        return Settings.load({"transport": "http"}, ACCOUNT), parts

    app = await apps.app(str(number), 1, made)
    assert (await app.call("list_businesses", {"limit": 1}, Caller("ana", "http")))["items"]
    return weakref.ref(app)


@pytest.mark.long
@pytest.mark.anyio
async def test_of_an_app_that_was_closed_for_another_nothing_stays_not_even_for_a_while(tmp_path: Path) -> None:
    async with opened_apps(httpx2.MockTransport(cliniko), max_open=1) as apps:
        await called(apps, tmp_path, 0)  # what is made once is made
        gc.collect()
        gc.disable()
        try:
            closed = await called(apps, tmp_path, 1)
            await called(apps, tmp_path, 2)
            with anyio.move_on_after(20):
                while closed() is not None:  # noqa: ASYNC110 - it is closed apart from us
                    await anyio.sleep(0.01)
            assert closed() is None
            assert len(apps) == 1
        finally:
            gc.enable()


def test_clinics_that_wait_for_cliniko_keep_no_other_from_asking() -> None:
    async def story() -> None:
        asked: list[str] = []
        all_wait = anyio.Event()

        async def answer(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                asked.append((await stream.receive()).decode().split()[1])
                if len(asked) == 60:
                    all_wait.set()
                if asked[-1].startswith("/slow"):
                    await anyio.sleep_forever()
                await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")

        async def ask(apps: OpenApps, address: str) -> None:
            answered = await apps.network.handle_async_request(httpx2.Request("GET", address))
            assert (answered.status_code, await answered.aread()) == (200, b"{}")
            await answered.aclose()

        async with opened_apps() as apps, await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            at = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
            with anyio.fail_after(20):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(listener.serve, answer)
                    for number in range(60):
                        tasks.start_soon(ask, apps, f"{at}/slow/{number}")
                    await all_wait.wait()
                    await ask(apps, f"{at}/quick")
                    tasks.cancel_scope.cancel()
        assert asked[-1] == "/quick"

    anyio.run(story)
