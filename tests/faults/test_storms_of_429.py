"""Storms of 429: nobody hammers, nothing is done twice, every caller is told, and it goes on when the storm is over."""

from typing import Any

import anyio
import pytest
from conftest import YES

from tests.client.virtual import run

from .weather import followed, refusing, reset_in, some, under, until

STORMS: Any = pytest.mark.parametrize("headers", [reset_in(4), dict], ids=["with the reset header", "without it"])


@STORMS
def test_a_read_waits_a_short_storm_out_without_hammering(headers: Any) -> None:
    async def story() -> None:
        async with under(until(4, refusing(headers))) as (assistant, weather):
            answer = await assistant.call("list_practitioners")
            assert answer["page"]["returned"] >= 8
            assert len(weather.attempts) <= 6
            assert anyio.current_time() < 20

    run(story)


@pytest.mark.long_but_one
@STORMS
def test_in_an_endless_storm_fifty_callers_are_all_told_how_long_to_wait_and_few_requests_leave(headers: Any) -> None:
    async def story() -> None:
        answers: list[dict[str, Any]] = []
        async with under(refusing(headers)) as (assistant, weather):

            async def ask() -> None:
                answers.append(await assistant.call("get_authenticated_user"))

            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(ask)
            assert len(answers) == 50
            assert {answer["code"] for answer in answers} == {"rate_limited"}
            assert all(1 <= answer["retry_after"] <= 60 for answer in answers)
            assert anyio.current_time() <= 30
            # The first wave was under way when the storm was noticed; after it the gate is closed for all at once.
            assert len(weather.attempts) <= 50 * 4 + 50
            weather.trouble = some(0, refusing())
            await anyio.sleep(answers[-1]["retry_after"])
            assert (await assistant.call("list_practitioners"))["items"]

    run(story)


@STORMS
def test_a_write_in_a_storm_is_done_once_or_not_at_all(headers: Any) -> None:
    async def story(minutes: float) -> tuple[dict[str, Any], int]:
        async with under() as (assistant, weather):
            await assistant.call("list_practitioners")
            weather.trouble = until(minutes * 60, refusing(headers))
            answer = await assistant.call("create_patient", first_name="Storm", last_name="Petrel")
            weather.trouble = some(0, refusing())
            await anyio.sleep(60)
            found = await assistant.call("list_patients", last_name="Petrel")
            return answer, found["page"]["total"]

    answer, made = run(lambda: story(0.05))
    assert (answer["item"]["first_name"], made) == ("Storm", 1)
    answer, made = run(lambda: story(10))
    assert (answer["code"], made) == ("rate_limited", 0)


def test_an_approved_archive_that_meets_the_storm_happens_once_and_only_when_it_says_so() -> None:
    async def story() -> None:
        async with under(answer=YES) as (assistant, weather):
            patient = await assistant.first("list_patients", last_name="Lima")
            weather.trouble = some(1, refusing(reset_in(2)), method="POST")
            answer = await assistant.call("archive_patient", id=patient["id"])
            assert "done" in answer
            assert weather.writes() == [f"POST /patients/{patient['id']}/archive"] * 2
            assert assistant.changes() == [f"POST /v1/patients/{patient['id']}/archive"]

    run(story)


@pytest.mark.long
def test_a_long_list_that_a_storm_interrupts_gives_what_it_has_and_goes_on_where_it_stopped() -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            arguments = {"fields": "id", "limit": 1000, "cancelled_at": "all"}
            whole = await assistant.call("list_individual_appointments", **arguments)
            expected = await followed(assistant, "list_individual_appointments", whole)
            assert len(expected) > 200
            weather.trouble = some(1000, refusing(), after=1)
            first = await assistant.call("list_individual_appointments", **arguments)
            assert first["page"]["complete"] is False
            assert first["page"]["returned"] == 100
            assert any("Stopped early" in note for note in first["notes"])
            weather.trouble = some(0, refusing())
            await anyio.sleep(60)
            assert await followed(assistant, "list_individual_appointments", first) == expected

    run(story)


@pytest.mark.long
def test_the_clinics_own_limit_is_never_run_into_however_many_call_at_once() -> None:
    async def story() -> None:
        answers: list[str] = []
        async with under(rate_limit=200, requests_per_minute=200) as (assistant, weather):

            async def ask() -> None:
                body = await assistant.call("get_public_settings")
                answers.append(body.get("code", "ok"))

            async with anyio.create_task_group() as group:
                for _ in range(300):
                    group.start_soon(ask)
            assert assistant.app is not None
            seen = [request.status for request in assistant.app.sandbox.requests]
            assert len(answers) == 300
            assert 429 not in seen
            assert answers.count("ok") >= 195
            assert answers.count("ok") + answers.count("rate_limited") == 300
            assert len(weather.attempts) <= 200

    run(story)


@STORMS
def test_a_front_desk_tool_in_an_endless_storm_ends_with_the_seconds_to_wait_and_does_not_sit_it_out(
    headers: Any,
) -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            await assistant.call("list_practitioners")
            weather.trouble = refusing(headers)
            began = anyio.current_time()
            answer = await assistant.call("show_diary", when="tomorrow")
            assert answer["code"] == "rate_limited" and 1 <= answer["retry_after"] <= 60
            assert anyio.current_time() - began <= 50

    run(story)
