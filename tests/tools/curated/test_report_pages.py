"""The rows of a report come in pages of one answer: of one moment, in one order, each row once."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import in_process

from cliniko_mcp.guards.pipeline import Caller

from .reception import NORTHSIDE, Reception, reception

pytestmark = pytest.mark.anyio
ASKED: dict[str, Any] = {"kind": "not_rebooked", "when": "last 90 days", "by": ["practitioner"], "phones": True}


async def pages(clinic: Reception, first: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """The first answer and those that follow it."""
    found = [first]
    while not found[-1]["page"]["complete"]:
        cursor = found[-1]["page"]["next_cursor"]
        found.append(await clinic.assistant.call("report", kind=first["kind"], cursor=cursor, limit=limit))
    return found


@pytest.mark.long
@pytest.mark.parametrize("limit", [1, 7, 13])
async def test_pages_of_any_size_are_one_answer(limit: int) -> None:
    async with reception() as clinic:
        whole = await clinic.assistant.call("report", **ASKED, limit=20)
        some = await clinic.assistant.call("report", **ASKED, limit=limit)
        found = [some] if limit > 1 else []
        cursor = some["page"]["next_cursor"]
        rows = [*some["items"]]
        while len(rows) < 20:
            page = await clinic.assistant.call("report", cursor=cursor, limit=limit)
            rows, cursor = [*rows, *page["items"]], page["page"].get("next_cursor")
            found.append(page)
        assert rows[:20] == whole["items"]
        for page in found:
            assert (page["summary"], page["by"], page["when"]) == (whole["summary"], whole["by"], whole["when"])
            assert page["page"]["total"] == whole["page"]["total"]


@pytest.mark.long
async def test_the_last_page_has_no_cursor_and_every_row_comes_once() -> None:
    async with reception() as clinic:
        found = await pages(clinic, await clinic.assistant.call("report", **ASKED, limit=40), 40)
        rows = [row["patient_id"] for page in found for row in page["items"]]
        assert len(set(rows)) == len(rows) == found[0]["page"]["total"] > 40
        assert "next_cursor" not in found[-1]["page"]


@pytest.mark.long
async def test_pages_after_midnight_are_of_the_day_of_the_first_and_say_so() -> None:
    async with reception(sandbox_now="2026-11-30T23:50:00+11:00") as clinic:
        first = await clinic.assistant.call("report", kind="no_shows", when="this month")
        clinic.sandbox.clock.set(clinic.sandbox.clock.now() + timedelta(minutes=20))
        clinic.forget()
        second = await clinic.assistant.call("report", kind="no_shows", cursor=first["page"]["next_cursor"])
        assert (second["when"], second["summary"]) == (first["when"], first["summary"])
        assert any("as at 2026-11-30T23:50+11:00 Mon" in note for note in second["notes"])
        again = await clinic.assistant.call("report", kind="no_shows", when="this month")
        assert again["when"] != first["when"]


@pytest.mark.long
async def test_the_pages_that_follow_read_no_long_list_again() -> None:
    async with reception() as clinic:
        first = await clinic.assistant.call("report", kind="lapsed", limit=40)
        before = len(clinic.sandbox.requests)
        second = await clinic.assistant.call("report", cursor=first["page"]["next_cursor"], limit=50)
        assert second["page"]["returned"] > 0
        diary = [seen for seen in clinic.sandbox.requests[before:] if seen.path.endswith("/bookings")]
        assert diary == []


@pytest.mark.long
@pytest.mark.parametrize("gone", [1, 3])
async def test_rows_that_come_or_go_meanwhile_are_said_and_none_comes_twice(gone: int) -> None:
    async with reception() as clinic:
        first = await clinic.assistant.call("report", **ASKED, limit=10)
        expected = await clinic.assistant.call(
            "report", kind="not_rebooked", cursor=first["page"]["next_cursor"], limit=10
        )
        for row in first["items"][:gone]:  # they book meanwhile, and are no longer among these rows
            clinic.book(row["patient_id"], NORTHSIDE, "Dr Mei Ng", "2026-12-14 08:30")
        clinic.forget()
        second = await clinic.assistant.call("report", cursor=first["page"]["next_cursor"], limit=10)
        assert second["items"] == expected["items"]
        assert any("came or went" in note for note in second["notes"])


@pytest.mark.long
async def test_a_cursor_is_of_one_report_one_caller_and_one_run() -> None:
    async with reception() as clinic:
        call = clinic.assistant.call
        cursor = (await call("report", **ASKED, limit=2))["page"]["next_cursor"]
        for wrong in (cursor[:-2] + "AA", "x", cursor[5:], cursor * 2):
            assert (await call("report", kind="not_rebooked", cursor=wrong))["code"] == "invalid_cursor"
        assert (await call("list_patients", cursor=cursor))["code"] == "invalid_cursor"
        listed = (await call("list_patients", limit=2))["page"]["next_cursor"]
        assert (await call("report", cursor=listed))["code"] == "invalid_cursor"
        for other in ({"kind": "no_shows"}, {"when": "this month"}, {"practitioner": "Mei Ng"}, {"by": ["site"]}):
            assert (await call("report", cursor=cursor, **other))["code"] == "invalid_arguments"
        assert (await call("report", **ASKED, cursor=cursor))["items"]
        for blank in ("", None, "null"):
            assert (await call("report", **ASKED, limit=2, cursor=blank))["page"]["returned"] == 2
        assert clinic.assistant.app is not None
        with pytest.raises(Exception, match="not one that this server gave"):
            await clinic.assistant.app.call("report", {"cursor": cursor}, Caller("token:0011223344556677", "http"))
    async with in_process() as another:
        assert (await another.call("report", cursor=cursor))["code"] == "invalid_cursor"
