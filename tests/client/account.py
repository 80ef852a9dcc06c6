"""A small account upstream: it answers for one path after another and remembers what it was asked."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import unquote

import anyio
import httpx2

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.registry import find

KEY = "MS0xLWFiYw-au2"
BASE = "https://api.au2.cliniko.com/v1"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


class Account:
    """`answers` maps "METHOD /path" to what comes back; anything else is not found."""

    def __init__(self, answers: Mapping[str, Answer | dict[str, Any]] | None = None, latency: float = 0.01) -> None:
        self.answers = dict(answers or {})
        self.latency = latency
        self.requests: list[httpx2.Request] = []
        self.transport = httpx2.MockTransport(self._answer)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        await anyio.sleep(self.latency)
        path = request.url.path.removeprefix("/v1")
        answer = self.answers.get(f"{request.method} {path}", httpx2.Response(404))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            return httpx2.Response(200, json=answer)
        return answer if isinstance(answer, httpx2.Response) else answer(request)

    @property
    def asked(self) -> list[str]:
        """The requests so far as "METHOD /path", without queries."""
        return [f"{request.method} {request.url.path.removeprefix('/v1')}" for request in self.requests]

    def query(self, number: int = -1) -> list[str]:
        """The query of one request as decoded pairs `name=value`."""
        return [unquote(pair.replace("+", " ")) for pair in self.requests[number].url.query.decode().split("&") if pair]

    @asynccontextmanager
    async def clinic(self, per_minute: int = 200, base_url: str = BASE) -> AsyncGenerator[Clinic]:
        """The clinic whose account this is."""
        async with Clinic.open(
            base_url=base_url,
            key=KEY,
            user_agent="cliniko-mcp/0 (desk@clinic.example)",
            transport=self.transport,
            per_minute=per_minute,
            now=lambda: NOON + timedelta(seconds=anyio.current_time()),
            rng=Random(1),
        ) as clinic:
            yield clinic


def call(name: str, /, **arguments: object) -> Call[Any]:
    """A call of a registered operation."""
    operation = find(name)
    assert operation is not None, name
    return operation.parse(arguments)


def listed(plural: str, rows: list[dict[str, Any]]) -> Callable[[httpx2.Request], httpx2.Response]:
    """A list upstream that knows `page`, `per_page` and `q[]=id:=`, as Cliniko's lists do.

    Source: cliniko-api.md#pagination and #filters.
    """

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = rows
        for text in request.url.params.get_list("q[]"):
            if text.startswith("id:="):
                found = [row for row in rows if row["id"] in text.removeprefix("id:=").split(",")]
        number, per_page = int(request.url.params["page"]), int(request.url.params["per_page"])
        shown = found[(number - 1) * per_page : number * per_page]
        links = {"self": "u"} | ({"next": "u"} if number * per_page < len(found) else {})
        return httpx2.Response(200, json={plural: shown, "total_entries": len(found), "links": links})

    return answer


def person(number: int, **fields: Any) -> dict[str, Any]:
    """A record with what every record has."""
    stamp = "2026-01-05T00:00:00Z"
    return {"id": str(1897453889804840000 + number), "created_at": stamp, "updated_at": stamp, **fields}
