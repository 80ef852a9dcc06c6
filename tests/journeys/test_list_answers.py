"""What a list says beside its rows: how far it got and why no further, in words, on a slow, broken or moving line."""

import json
from random import Random
from typing import Any

import anyio
import httpx2
import pytest
from conftest import in_process

from cliniko_mcp.results.budget import size
from tests.client.virtual import run
from tests.faults.weather import Forward, Trouble, breaking, followed, under

VISITS = "list_individual_appointments"


def slow(seconds: float, path: str) -> Trouble:
    """Every page of this list takes so long."""

    async def trouble(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        if request.url.path.endswith(path):
            await anyio.sleep(seconds)
        return await forward(request)

    return trouble


def after_pages(count: int, path: str, trouble: Trouble) -> Trouble:
    """Trouble from page `count` + 1 of this list on."""

    async def late(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        page = int(request.url.params.get("page", "1"))
        hit = request.url.path.endswith(path) and page > count
        return await (trouble(request, forward) if hit else forward(request))

    return late


@pytest.mark.long
def test_after_25_seconds_the_rows_so_far_are_given_and_said_to_be_a_part() -> None:
    async def story() -> None:
        async with under(slow(20, "/individual_appointments")) as (assistant, weather):
            # One page alone, four at once: the next would only come after a minute.
            first = await assistant.call(VISITS, limit=1000, fields="id")
            assert 25 <= anyio.current_time() <= 45
            assert first["page"]["complete"] is False
            assert 0 < first["page"]["returned"] == len(first["items"]) < 666
            assert "Stopped early: these are the rows that could be read in time." in first["notes"]
            weather.trouble = slow(0, "")
            ids = await followed(assistant, VISITS, first)
            assert len(ids) == len(set(ids)) == first["page"]["total"]

    run(story)


def test_a_list_that_stops_at_its_limit_is_not_said_to_have_stopped_early() -> None:
    async def story() -> None:
        async with under() as (assistant, _):
            answer = await assistant.call(VISITS, limit=10)
            assert not any("Stopped early" in note for note in answer["notes"])
            assert any("individual appointments are not shown" in note for note in answer["notes"])

    run(story)


@pytest.mark.long
@pytest.mark.parametrize("problem", [httpx2.ConnectError("gone"), httpx2.ReadError("cut")])
def test_an_upstream_that_dies_in_the_middle_leaves_nothing_unsaid_and_no_row_lost(problem: Exception) -> None:
    async def story() -> None:
        trouble = after_pages(3, "/individual_appointments", breaking(problem))
        async with under(trouble) as (assistant, weather):
            first = await assistant.call(VISITS, limit=600, fields="id")
            assert first["page"] | {"next_cursor": "", "total": 0} == {
                "returned": 300, "total": 0, "complete": False, "next_cursor": "",
            }  # fmt: skip
            assert any(note.startswith("Stopped early: ") for note in first["notes"])
            weather.trouble = slow(0, "")
            ids = await followed(assistant, VISITS, first)
            assert len(ids) == len(set(ids)) == first["page"]["total"]

    run(story)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_progress_only_grows_and_says_something_to_a_person(mode: str) -> None:
    told: list[tuple[float, float | None, str]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message or ""))

    async def story() -> None:
        async with under(slow(1, "/individual_appointments"), mode=mode) as (assistant, _):
            await assistant.client.call_tool(VISITS, {"limit": 600, "fields": "id"}, progress_callback=on_progress)
            await anyio.sleep(1)

    run(story)
    assert len(told) >= 4
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})
    assert all(total is not None and done <= total for done, total, _ in told)
    assert told[-1][2].startswith("6 of 6 pages, 600 of ")
    assert all(message.endswith(" individual appointments") for _, _, message in told)


def test_a_cancelled_list_sends_no_further_request() -> None:
    async def story() -> None:
        async with under(slow(3, "/individual_appointments")) as (assistant, weather):
            with anyio.move_on_after(5):
                await assistant.client.call_tool(VISITS, {"limit": 1000, "fields": "id"})
            await anyio.sleep(0.1)
            sent = len(weather.attempts)
            await anyio.sleep(60)
            assert len(weather.attempts) == sent <= 1 + 4 + 1

    run(story)


@pytest.mark.anyio
async def test_a_cursor_goes_with_its_own_query_only_and_by_any_route() -> None:
    async with in_process() as assistant:
        first = await assistant.call("list_patients", limit=3, sort="last_name:desc", detail="concise")
        cursor = first["page"]["next_cursor"]
        others: tuple[dict[str, Any], ...] = (
            {"sort": "last_name"}, {"detail": "full"}, {"fields": "id"}, {"last_name": "Lima"}, {"nonsense": 1},
        )  # fmt: skip
        for other in others:
            answer = await assistant.call("list_patients", cursor=cursor, **other)
            assert answer["code"] == "invalid_arguments", other
            assert "left out or repeated exactly" in answer["message"]
        repeated = await assistant.call(
            "list_patients", cursor=cursor, limit=3, sort="last_name:desc", detail="concise"
        )
        alone = await assistant.call("list_patients", cursor=cursor, limit=3)
        executed = await assistant.call(
            "cliniko_read", operation="list_patients", arguments={"cursor": cursor, "limit": 3}
        )
        assert repeated == alone == executed
        assert not {row["id"] for row in alone["items"]} & {row["id"] for row in first["items"]}
        longer = await assistant.call("list_patients", cursor=cursor, limit=5)
        assert longer["items"][:3] == alone["items"]


@pytest.mark.long
@pytest.mark.anyio
async def test_a_cursor_carries_the_longest_filters_and_the_answer_stays_within_its_size() -> None:
    async with in_process() as assistant:
        ids = [row["id"] for row in await assistant.rows("list_patients", limit=95, fields="id")]
        query = {"id": ",".join(ids), **dict.fromkeys(("first_name", "last_name", "email"), "!=" + "é日🙂" * 600)}
        result = await assistant.client.call_tool("list_patients", {**query, "limit": 60})
        text = result.content[0].text  # pyright: ignore[reportAttributeAccessIssue]
        assert len(text.encode()) / 4 <= 8_000
        seen = await followed(assistant, "list_patients", json.loads(text))
        assert len(seen) == len(set(seen))
        assert set(seen) <= set(ids)


@pytest.mark.anyio
async def test_filters_that_would_make_the_cursor_larger_than_an_answer_are_refused_before_anything_is_asked() -> None:
    chance = Random(1)
    noise = ["!=" + "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(1_900)) for _ in range(3)]
    async with in_process() as assistant:
        assert assistant.app is not None
        query = dict(zip(("first_name", "last_name", "email"), noise, strict=True))
        answer = await assistant.call("list_patients", **query)
        assert answer["code"] == "invalid_arguments"
        assert "too long together" in answer["message"]
        assert not [request for request in assistant.app.sandbox.requests if request.path.endswith("/patients")]


@pytest.mark.anyio
async def test_rows_without_ids_are_continued_too_and_a_booking_in_between_is_noticed() -> None:
    async with in_process() as assistant:
        sites, kinds = await assistant.rows("list_businesses"), await assistant.rows("list_appointment_types")
        who = await assistant.first("list_practitioners")
        query = {
            "business_id": sites[0]["id"], "practitioner_id": who["id"], "appointment_type_id": kinds[0]["id"],
            "from": "2026-11-30", "to": "2026-12-04",
        }  # fmt: skip
        whole = await assistant.rows("list_available_times", **query, limit=200)
        first = await assistant.call("list_available_times", **query, limit=5)
        second = await assistant.call("list_available_times", cursor=first["page"]["next_cursor"], limit=5)
        assert first["items"] + second["items"] == whole[:10]
        patient = await assistant.first("list_patients", limit=1)
        booked = await assistant.call(
            "create_individual_appointment",
            patient_id=patient["id"],
            starts_at=whole[1]["appointment_start"].split(" ")[0],
            **{name: query[name] for name in ("business_id", "practitioner_id", "appointment_type_id")},
        )
        assert "item" in booked
        moved = await assistant.call("list_available_times", cursor=first["page"]["next_cursor"], limit=5)
        assert moved["items"] == whole[5:10]
        assert any("came or went" in note for note in moved["notes"])


@pytest.mark.long
@pytest.mark.anyio
@pytest.mark.parametrize("detail", ["concise", "full"])
async def test_a_single_row_that_is_too_long_is_cut_and_said_to_be(detail: str) -> None:
    async with in_process() as assistant:
        assert assistant.app is not None
        note = await assistant.first("list_treatment_notes", limit=1)
        sections = [
            {
                "name": f"Part {number}",
                "questions": [{"name": "Findings", "type": "paragraph", "answer": "word " * 900}],
            }
            for number in range(12)
        ]
        made = await assistant.call(
            "create_treatment_note",
            patient_id=note["patient_id"],
            draft=True,
            title="Long",
            content={"sections": sections},
        )
        assert "item" in made, made
        result = await assistant.client.call_tool("list_treatment_notes", {"id": made["item"]["id"], "detail": detail})
        body = result.structured_content
        assert body is not None
        assert size(body) <= 8_000
        assert body["page"]["returned"] == 1
        assert any("are not shown" in note for note in body.get("notes", [])) == (detail == "full")
        got = await assistant.call("get_treatment_note", id=made["item"]["id"])
        assert any("are not shown" in note for note in got["notes"])


@pytest.mark.anyio
async def test_wrong_names_of_fields_are_answered_with_all_there_are() -> None:
    async with in_process() as assistant:
        answer = await assistant.call("list_patients", fields="name, phone")
        assert answer["message"] == "There is no field called name, phone here."
        assert "patient_phone_numbers" in answer["fix"]
        assert answer["fix"].endswith("updated_at.")


@pytest.mark.long
@pytest.mark.anyio
async def test_what_lets_anyone_act_as_the_patient_is_shown_only_where_it_is_named() -> None:
    secrets = {"cancellation_url", "telehealth_url", "url"}
    async with in_process() as assistant:
        for name in (VISITS, "list_attendees", "list_patient_forms", "list_bookings"):
            full = {} if name == "list_attendees" else {"detail": "full"}
            for query in ({}, full):
                rows = await assistant.rows(name, limit=100, **query)
                assert not [row for row in rows if secrets & row.keys()], name
        row = await assistant.first("list_patient_forms", limit=1)
        assert not secrets & (await assistant.call("get_patient_form", id=row["id"]))["item"].keys()
        named = await assistant.call("get_patient_form", id=row["id"], fields="url")
        assert {*named["item"]} == {"id", "url"}
        rows = await assistant.rows(
            "list_attendees", limit=100, fields="cancellation_url,telehealth_url", sort="id:desc"
        )
        assert any("cancellation_url" in row for row in rows)


@pytest.mark.anyio
async def test_for_hosts_that_pay_twice_the_answer_stands_in_the_text_alone() -> None:
    async with in_process() as assistant, in_process(output="text") as saving:
        both = await assistant.client.call_tool("list_patients", {"limit": 3})
        text = await saving.client.call_tool("list_patients", {"limit": 3})
        failed = await saving.client.call_tool("list_patients", {"limit": 0})
        assert both.structured_content is not None
        assert text.structured_content is None
        assert failed.structured_content is None
        assert failed.is_error
        shown = json.loads(text.content[0].text)  # pyright: ignore[reportAttributeAccessIssue]
        assert shown["items"] == both.structured_content["items"]
