"""Lists through a real client: what is left over is said, and a cursor goes on exactly where the answer stopped."""

import json

import pytest
from conftest import in_process
from tools.curated.raw import Raw

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_following_the_cursor_gives_every_row_once_in_order() -> None:
    async with in_process() as assistant:
        whole: list[str] = []
        answer = await assistant.call("list_individual_appointments", limit=90, cancelled_at="all", sort="starts_at")
        total = answer["page"]["total"]
        assert total > 200
        while True:
            whole += [row["id"] for row in answer["items"]]
            assert answer["page"]["complete"] == ("next_cursor" not in answer["page"])
            if answer["page"]["complete"]:
                break
            assert any("individual appointments are not shown" in note for note in answer["notes"])
            answer = await assistant.call(
                "list_individual_appointments", cursor=answer["page"]["next_cursor"], limit=90
            )
        assert len(whole) == len(set(whole)) == total


@pytest.mark.long
async def test_rows_that_come_or_go_before_the_place_are_neither_repeated_nor_skipped() -> None:
    async with in_process() as assistant:
        names = [f"Row{number:03}" for number in range(30)]
        made = [
            (await assistant.call("create_patient", first_name=name, last_name="Listed"))["item"]["id"]
            for name in names
        ]
        query = {"last_name": "Listed", "sort": "first_name", "limit": 10}
        first = await assistant.call("list_patients", **query)
        # Two rows appear before the place and one after it; one that was already given is gone.
        for name in ("Row000a", "Row003a", "Row020a"):
            await assistant.call("create_patient", first_name=name, last_name="Listed")
        assert assistant.app is not None
        second = await assistant.call("list_patients", cursor=first["page"]["next_cursor"])
        seen = [row["label"] for row in (*first["items"], *second["items"])]
        assert [label for label in seen if "a " not in label] == [f"{name} Listed" for name in names]
        assert len(seen) == len(set(seen))
        assert any("came or went" in note for note in second["notes"])
        assert made


async def test_names_that_no_row_shows_are_not_paid_for() -> None:
    async with in_process() as assistant:
        bare = await assistant.call("list_individual_appointments", fields="id,starts_at", limit=2)
        assert "names" not in bare
        assert {*bare["items"][0]} == {"id", "starts_at"}
        some = await assistant.call("list_individual_appointments", fields=["practitioner"], limit=2)
        assert {*some["names"]} == {"practitioner_id"}


async def test_no_more_pages_are_read_than_an_answer_can_hold() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("list_individual_appointments", limit=1000, cancelled_at="all")
        assert answer["page"]["total"] > 1000
        assert answer["page"]["returned"] > 60
        assert assistant.app is not None
        paths = [request.path for request in assistant.app.sandbox.requests]
        assert 2 <= len([path for path in paths if path.endswith("/individual_appointments")]) <= 3


async def test_a_tampered_or_foreign_cursor_is_an_error_and_never_page_one() -> None:
    async with in_process() as assistant:
        cursor = (await assistant.call("list_patients", limit=2))["page"]["next_cursor"]
        for wrong in (cursor[:-2] + "AA", "x", "AAAA", cursor[5:], cursor.swapcase(), cursor * 3, "ümlaut"):
            assert (await assistant.call("list_patients", cursor=wrong))["code"] == "invalid_cursor"
        assert (await assistant.call("list_practitioners", cursor=cursor))["code"] == "invalid_cursor"
        other = await assistant.call("list_patients", cursor=cursor, last_name="Lima")
        assert other["code"] == "invalid_arguments"
    async with in_process() as another:
        assert (await another.call("list_patients", cursor=cursor))["code"] == "invalid_cursor"


async def test_an_answer_stays_within_its_token_budget() -> None:
    async with in_process() as assistant:
        usual = await assistant.client.call_tool("list_individual_appointments", {})
        assert len(usual.content[0].text.encode()) / 4 <= 2_000  # pyright: ignore[reportAttributeAccessIssue]
        most = await assistant.client.call_tool("list_individual_appointments", {"limit": 1000, "detail": "full"})
        assert len(most.content[0].text.encode()) / 4 <= 8_000  # pyright: ignore[reportAttributeAccessIssue]


async def test_what_is_left_empty_counts_as_left_out() -> None:
    async with in_process() as assistant:
        empty = dict.fromkeys(("limit", "cursor", "detail", "fields", "sort", "last_name"))
        assert await assistant.call("list_patients", **empty) == await assistant.call("list_patients")


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"cursor": 5}, {"detail": "short"}, {"fields": {"id": True}}], ids=str)
async def test_what_shapes_a_list_is_corrected_with_advice(wrong: dict[str, object]) -> None:
    async with in_process() as assistant:
        answer = await assistant.call("list_patients", **wrong)
        assert answer["code"] == "invalid_arguments"
        assert answer["message"].startswith(*wrong)
        assert answer["fix"].endswith(".")
        assert answer["schema"].keys() == wrong.keys()


async def test_names_stand_beside_ids_without_a_request_for_each_row() -> None:
    async with in_process() as assistant:
        assert assistant.app is not None
        answer = await assistant.call("list_individual_appointments", limit=100, starts_at="2026-11-20..2026-11-27")
        assert all(row["patient"] and row["practitioner"] and row["business"] for row in answer["items"])
        assert answer["names"]["practitioner_id"]["Dr Mei Ng"].isdigit()
        assert len(assistant.app.sandbox.requests) <= 1 + 1 + 4 + 1


@pytest.mark.long
async def test_a_concise_appointment_row_costs_at_most_70_tokens() -> None:
    async with in_process() as assistant:
        for when in (">2026-11-24", "<2026-11-24"):
            rows = await assistant.rows("list_individual_appointments", limit=75, starts_at=when)
            plain = [row for row in rows if len(row["id"]) == len(row["patient_id"]) == 19 and "free_text" not in row]
            assert len(plain) > 40
            for row in plain:
                assert len(json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode()) / 4 <= 70
                assert row["patient"] and row["practitioner"] and row["appointment_type"] and row["business"]


async def test_what_short_rows_leave_out_is_there_when_it_is_named() -> None:
    async with in_process() as assistant:
        closed = next(row for row in Raw(assistant).live("individual_appointments") if row.get("invoice_status") == 30)
        since = {"starts_at": f">={closed['starts_at']}", "sort": "starts_at", "limit": 60}
        fields = "invoice_status,treatment_note_status"
        rows = await assistant.rows("list_individual_appointments", fields=fields, **since)
        assert {"Paid", "Closed"} <= {row.get("invoice_status") for row in rows}
        assert "Final" in {row.get("treatment_note_status") for row in rows}
