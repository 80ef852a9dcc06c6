"""Curated tools whose write was done and whose further requests all fail: never told as if nothing had happened."""

from typing import Any

import httpx2
import pytest
from conftest import YES, Assistant

from tests.client.virtual import run

from .weather import Forward, Weather, under

FREE: dict[str, Any] = {"practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00"}


def silent_after_the_first_write(status: int | None) -> Any:
    """All is well until a write was done; after it every request fails, with this status or without an answer."""
    done = False

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        nonlocal done
        if done:
            if status is None:
                raise httpx2.ReadError("gone")
            return httpx2.Response(status)
        done = request.method != "GET"
        return await forward(request)

    return trouble


async def booking(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    return "book_appointment", {"patient": "Ana Lima", **FREE}


async def series(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    return "book_appointment", {"patient": "Ana Lima", **FREE, "repeat": "weekly, 3 times"}


async def moving(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    booked = await assistant.call("book_appointment", patient="Ana Lima", **FREE)
    return "move_appointment", {"appointment": booked["item"]["id"], "when": "20 January 2027 at 11:00"}


async def cancelling(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    booked = await assistant.call("book_appointment", patient="Ana Lima", **FREE)
    return "cancel_appointment", {"appointment": booked["item"]["id"], "reason": "sick"}


async def blocking(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    return "block_time", {"practitioner": "Ng", "when": "20 January 2027 from 12 to 1pm"}


async def arriving(assistant: Assistant) -> tuple[str, dict[str, Any]]:
    visits = await assistant.rows("list_individual_appointments", starts_at="2026-11-24", sort="starts_at", limit=50)
    waited_for = next(row["id"] for row in visits if not row.get("patient_arrived") and not row.get("did_not_arrive"))
    return "set_attendance", {"appointment": waited_for, "state": "arrived"}


@pytest.mark.long
@pytest.mark.parametrize("status", [None, 429, 500], ids=["no answer", "429", "500"])
@pytest.mark.parametrize(
    "prepared", [booking, series, moving, cancelling, blocking, arriving], ids=lambda prepare: prepare.__name__
)
def test_a_curated_tool_never_says_that_nothing_was_changed_once_something_was(prepared: Any, status: Any) -> None:
    async def told() -> tuple[dict[str, Any], Weather]:
        async with under(answer=YES) as (assistant, weather):
            name, arguments = await prepared(assistant)
            weather.attempts.clear()
            weather.trouble = silent_after_the_first_write(status)
            return await assistant.call(name, **arguments), weather

    answer, weather = run(told)
    assert weather.writes(), answer
    text = f"{answer.get('message', '')} {answer.get('fix', '')}"
    assert "Nothing was changed" not in text, answer
    assert answer.get("code") not in ("unavailable", "rate_limited", "internal"), answer
