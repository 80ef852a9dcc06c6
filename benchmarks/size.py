"""What lists and answers cost a model: tokens and bytes of every view and of typical results.

    python -m benchmarks.size [--json]

Tokens are o200k_base where bpe-openai (in the extra `bench`, with its vocabulary inside) or tiktoken (which downloads
it) is installed, else bytes/4.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import anyio

from benchmarks.report import Row, report
from cliniko_mcp.app import App
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.protocol.apps.offer import meta_of
from cliniko_mcp.protocol.server import INSTRUCTIONS
from cliniko_mcp.results.envelope import compact
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import Entry, entries
from cliniko_mcp.tools.views import view_of

NOW = "2026-11-24T09:00:00+11:00"
VIEWS: dict[str, dict[str, Any]] = {
    "core": {},
    "core, read-only": {"read_only": True},
    "patients and bookings": {"resources": ("patients", "bookings")},
    "all": {"view": "all"},
    "all, read-only": {"view": "all", "read_only": True},
}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "diary of a day": ("list_bookings", {"starts_at": "2026-11-24"}),
    "50 appointments": ("list_individual_appointments", {}),
    "10 appointments": ("list_individual_appointments", {"limit": 10}),
    "10 coming appointments": ("list_individual_appointments", {"limit": 10, "starts_at": ">2026-11-24"}),
    "20 patients": ("list_patients", {"limit": 20}),
    "practitioners": ("list_practitioners", {}),
    "sites": ("list_businesses", {}),
    "who am I": ("get_authenticated_user", {}),
    "describe: book an appointment": ("cliniko_describe", {"query": "book an appointment"}),
    "describe: add an allergy": ("cliniko_describe", {"query": "add a latex allergy to a patient's file"}),
}


def counter() -> tuple[str, Callable[[str], int]]:
    """How tokens are counted here, and the function that counts them."""
    for library in ("bpe_openai", "tiktoken"):
        try:
            encoding: Any = import_module(library).get_encoding("o200k_base")
        except (ImportError, OSError):  # not installed, or no way to the vocabulary
            continue
        encode: Callable[[str], list[int]] = encoding.encode
        return "o200k_base", lambda text, encode=encode: len(encode(text))
    return "bytes/4", lambda text: len(text.encode()) // 4


def views(count: Callable[[str], int]) -> list[Row]:
    """A row for each view: tools, bytes, tokens, tokens a tool, its largest tool, and the list with all it carries."""
    rows: list[Row] = []
    for name, flags in VIEWS.items():
        listed = [entries()[name] for name in view_of(Settings(**flags)).listed]
        told = [compact(counted(entry)) for entry in listed]
        costs = [count(text) for text in told]
        rows.append(
            {
                "view": name,
                "tools": len(told),
                "bytes": sum(len(text.encode()) for text in told),
                "tokens": sum(costs),
                "a tool": round(sum(costs) / len(costs)),
                "largest": max(costs),
                "whole list": sum(count(compact(whole(entry))) for entry in listed),
            }
        )
    return rows


def counted(entry: Entry) -> dict[str, object]:
    """What the budgets count of a tool."""
    return {"name": entry.name, "description": entry.description, "inputSchema": entry.input_schema}


def whole(entry: Entry) -> dict[str, object]:
    """What `tools/list` carries of a tool, output schema apart."""
    meta = meta_of(entry.name)
    page = {"_meta": meta} if meta else {}
    return {**counted(entry), "title": entry.title, "annotations": entry.annotations, **page}


async def results(count: Callable[[str], int]) -> list[Row]:
    """A row for each typical call on the demo clinic: bytes, tokens, rows, tokens a row."""
    rows: list[Row] = []
    settings = Settings.load(
        {
            "sandbox": True,
            "sandbox_now": NOW,
            "sandbox_clock": "frozen",
            "rate_limit": 0,
            "requests_per_minute": 60_000,
        },
        {},
    )
    async with AsyncExitStack() as stack:
        app = App(settings, view_of(settings), stack)
        for name, (tool, arguments) in CALLS.items():
            body = await app.call(tool, arguments, Caller(route="terminal"))
            items = body.get("items")
            shown = len(items) if isinstance(items, list) else 1
            text = compact(body)
            tokens = count(text)
            sizes = [count(compact(item)) for item in items] if isinstance(items, list) and items else [tokens]
            rows.append(
                {
                    "result": name,
                    "rows": shown,
                    "bytes": len(text.encode()),
                    "tokens": tokens,
                    "a row": round(sum(sizes) / len(sizes)),
                    "largest row": max(sizes),
                }
            )
    return rows


def main() -> None:
    """Measure and print."""
    kind, count = counter()
    facts = {"tokens by": kind, "instructions": f"{count(INSTRUCTIONS)} tokens, {len(INSTRUCTIONS)} characters"}
    report("Lists", views(count), facts)
    report("Results on the demo clinic", anyio.run(results, count))


if __name__ == "__main__":
    main()
