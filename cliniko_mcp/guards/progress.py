"""How far a call is, in the clinic's words, for the person who waits."""

from collections.abc import Awaitable, Callable

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.guards.pipeline import Progress


def told_by_page(progress: Progress, call: Call) -> Callable[[int, int, int, int | None], Awaitable[None]]:
    """What tells after each page of a list how many there are; nothing of a list of one page."""
    noun = call.operation.resource.replace("_", " ")

    async def on_page(done_pages: int, of_pages: int, rows: int, total: int | None) -> None:
        if of_pages < 2:
            return
        known = f" of {total:,}" if total is not None else ""
        await progress(done_pages, of_pages, f"{done_pages} of {of_pages} pages, {rows:,}{known} {noun}")

    return on_page
