"""The rows of a clinic as any client sees them over HTTP: nothing here is the package's but the server itself."""

import json
import socket
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import uvicorn

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.port import asgi_app

Row = dict[str, Any]
_HIDING = {
    **dict.fromkeys(("individual_appointments", "attendees"), ("archived_at", "cancelled_at")),
    **dict.fromkeys(("group_appointments", "patients", "invoices", "businesses", "contacts"), ("archived_at",)),
    **dict.fromkeys(("appointment_types", "billable_items", "products"), ("archived_at",)),
}
"""The stamps by which lists leave rows out unless they are asked for."""
_KEY = b64encode(b"demo-au1:").decode()


@contextmanager
def served(sandbox: Sandbox) -> Generator[str]:
    """The base URL at which the clinic answers for as long as this lasts."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(asgi_app(sandbox), log_config=None, lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


class Port:
    """Whole tables, hidden rows too, each read once; a link to one record stands as its id."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._read: dict[str, list[Row]] = {}

    def rows(self, table: str) -> list[Row]:
        """The rows of a table: `individual_appointments`, `patients`, ..."""
        if table not in self._read:
            self._read[table] = [with_ids(row) for row in self._pages(table)]
        return self._read[table]

    def _pages(self, table: str) -> Generator[Row]:
        filters = "".join(f"&q[]={name}:*" for name in _HIDING.get(table, ()))
        number, seen, total = 0, 0, 1
        while seen < total:
            number += 1
            page = self._get(f"{self._url}/{table}?per_page=100&page={number}{filters}")
            rows = page[table.partition("/")[0]]
            yield from rows
            seen, total = seen + len(rows), page["total_entries"]

    def _get(self, address: str) -> Row:
        headers = {
            "Authorization": f"Basic {_KEY}",
            "Accept": "application/json",
            "User-Agent": "Recount (a@b.example)",
        }
        with urlopen(Request(address, headers=headers)) as answer:
            return json.load(answer)


def with_ids(row: Row) -> Row:
    """A row with `patient_id` in place of a link to a patient, and so for every link to one record."""
    found = dict(row)
    for name, value in row.items():
        address = value.get("links", {}).get("self", "") if isinstance(value, dict) else ""
        last = str(address).rsplit("/", 1)[-1]
        if last.isdigit():
            found[f"{name}_id"] = last
    return found
