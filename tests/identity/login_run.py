"""The built-in login of a run as `serve` puts it together, in this process, with a program that asks."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette

from cliniko_mcp.app import open_app
from cliniko_mcp.protocol.builtin_login import Login, builtin_login
from cliniko_mcp.settings import Settings
from tests.identity.asking import ORIGIN, URL, Asking


def login_settings(folder: Path, **changes: Any) -> Settings:
    """Those of a server in this folder, before the demo clinic."""
    secret = folder / "login.key"
    if not secret.exists():
        secret.write_text("a secret of a good forty characters, for tests")
        secret.chmod(0o600)
    flags = {"login": "builtin", "public_url": URL, "admit": "account:4711", "sandbox": True, "rate_limit": 0}
    flags |= {"login_file": str(folder / "logins.sqlite"), "login_key": f"file:{secret}"}
    return Settings.load(flags | {"audit_file": str(folder / "audit.jsonl")} | changes, {})


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[tuple[Login, Asking]]:
    """The login, and a program that asks at it. Raises ConfigurationError as the start of a server does."""
    announced: list[str] = []
    async with open_app(settings) as app, builtin_login(app, announced.append) as login:
        transport = httpx2.ASGITransport(app=Starlette(routes=login.routes))
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as http:
            yield login, Asking(http)
