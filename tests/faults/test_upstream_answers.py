"""Answers that are none: bursts of 5xx, HTML, nothing, wrong types, half a body. Reads say so; writes never lie."""

import gzip
from typing import Any

import anyio
import httpx2
import pytest
from conftest import YES

from tests.client.virtual import run

from .weather import Forward, Trouble, answering, fair, some, under, until

HTML = b"<!DOCTYPE html><html><body><h1>We're sorry</h1></body></html>"
JSON = "application/json; charset=utf-8"
BURSTS: Any = pytest.mark.parametrize("status", [502, 503, 504])


def unpackable() -> Trouble:
    return answering(200, gzip.compress(b'{"id":"1"}')[:-9] + b"damaged!!", content_type=JSON, content_encoding="gzip")


NO_ANSWERS: dict[str, Trouble] = {
    "500": answering(500, HTML, content_type="text/html"),
    "599 with JSON": answering(599, b'{"id":"1"}', content_type=JSON),
    "200 HTML": answering(200, HTML, content_type="text/html"),
    "200 HTML called JSON": answering(200, HTML, content_type=JSON),
    "200 JSON called HTML": answering(200, b'{"id":"1"}', content_type="text/html"),
    "200 bytes": answering(200, bytes(range(256)), content_type="application/octet-stream"),
    "200 empty": answering(200, b"", content_type=JSON),
    "200 blank": answering(200, b" \n", content_type=JSON),
    "204": answering(204),
    "200 half a body": answering(200, b'{"patients":[{"id":"1","first_na', content_type=JSON),
    "200 null": answering(200, b"null", content_type=JSON),
    "200 array": answering(200, b"[]", content_type=JSON),
    "200 number": answering(200, b"NaN", content_type=JSON),
    "200 UTF-16": answering(200, '{"id":"1"}'.encode("utf-16"), content_type=JSON),
    "200 deep": answering(200, b"[" * 100_000, content_type=JSON),
    "200 unpackable": unpackable(),
    "302 elsewhere": answering(302, location="https://evil.example/steal"),
    "101": answering(101),
}


@BURSTS
def test_a_short_burst_is_not_noticed_by_a_reader(status: int) -> None:
    async def story() -> None:
        async with under(some(2, answering(status, HTML, content_type="text/html"))) as (assistant, weather):
            assert (await assistant.call("list_practitioners"))["items"]
            assert weather.attempts.count("GET /practitioners") == 3
            assert anyio.current_time() < 5

    run(story)


@BURSTS
def test_a_long_burst_is_told_and_forgotten_once_it_is_over(status: int) -> None:
    async def story() -> None:
        async with under(until(60, answering(status))) as (assistant, weather):
            answer = await assistant.call("list_practitioners")
            assert answer["code"] == "unavailable"
            assert str(status) in answer["message"]
            assert len(weather.attempts) == 4
            await anyio.sleep(60)
            assert (await assistant.call("list_practitioners"))["items"]

    run(story)


@pytest.mark.long
@pytest.mark.parametrize("name", ["list_patients", "get_public_settings", "count_records"])
def test_a_read_without_a_usable_answer_says_so_and_the_next_one_works(name: str) -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            arguments = {"operation": "list_patients"} if name == "count_records" else {}
            good = await assistant.call(name, **arguments)
            assert "code" not in good
            for what, trouble in NO_ANSWERS.items():
                weather.trouble = trouble
                answer = await assistant.call(name, **arguments)
                assert answer["code"] == "unavailable", (what, answer)
                assert "steal" not in str(answer)
                weather.trouble = fair
                after = await assistant.call(name, **arguments)
                assert after["now"] >= good["now"]
                assert after | {"now": ""} == good | {"now": ""}, what

    run(story)


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
def test_a_write_without_a_usable_answer_is_sent_once_and_of_unknown_outcome(done: bool) -> None:
    def swallowed(trouble: Trouble) -> Trouble:
        async def instead(request: httpx2.Request, forward: Forward) -> httpx2.Response:
            if request.method == "GET":
                return await forward(request)
            if done:
                await forward(request)
            return await trouble(request, forward)

        return instead

    async def story() -> None:
        async with under() as (assistant, weather):
            for number, (what, trouble) in enumerate(NO_ANSWERS.items(), 1):
                weather.trouble = swallowed(trouble)
                answer = await assistant.call("create_patient", first_name=f"M{number}", last_name="Made")
                assert answer["code"] == "outcome_unknown", (what, answer)
                assert "list_patients" in answer["fix"]
                assert len(weather.writes()) == number
                found = await assistant.call("list_patients", last_name="Made")
                assert found["page"]["total"] == (number if done else 0)

    run(story)


@pytest.mark.long
def test_an_approved_archive_without_a_usable_answer_never_passes_for_done() -> None:
    async def story() -> None:
        async with under(answer=YES) as (assistant, weather):
            patients = await assistant.rows("list_patients", limit=len(NO_ANSWERS))
            for number, (patient, (what, trouble)) in enumerate(zip(patients, NO_ANSWERS.items(), strict=True), 1):
                weather.trouble = some(1, trouble, method="POST")
                answer = await assistant.call("archive_patient", id=patient["id"])
                # An archive answers with nothing at all, so nothing at all with a good status is its good answer.
                if what in ("204", "200 empty", "200 blank"):
                    assert answer["done"]
                else:
                    assert answer["code"] == "outcome_unknown", (what, answer)
                assert len(weather.writes()) == number

    run(story)


REFUSALS = [
    (answering(401, b"HTTP Basic: Access denied.\n", content_type="text/plain"), "key_refused"),
    (answering(403, b"", content_type="text/plain"), "permission_missing"),
    (answering(403, HTML, content_type="text/html"), "permission_missing"),
    (answering(404, HTML, content_type="text/html"), "not_found"),
    (answering(400, HTML, content_type="text/html"), "rejected"),
    (answering(422, b"<", content_type=JSON), "rejected"),
    (answering(418), "rejected"),
]


def test_a_refusal_in_any_dress_keeps_its_meaning_and_quotes_no_page() -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            await assistant.call("list_practitioners")
            for trouble, code in REFUSALS:
                weather.trouble = trouble
                before = len(weather.attempts)
                for name, arguments in (("get_patient", {"id": "1"}), ("create_patient", NAMES)):
                    answer = await assistant.call(name, **arguments)
                    assert answer["code"] == code
                    assert "<" not in str(answer)
                assert len(weather.attempts) == before + 2

    run(story)


NAMES = {"first_name": "A", "last_name": "B"}


def test_an_answer_larger_than_any_list_is_cut_off() -> None:
    async def story() -> None:
        async with under() as (assistant, weather):
            await assistant.call("get_public_settings")
            weather.trouble = answering(200, b'{"x":"' + b"x" * 21_000_000 + b'"}', content_type=JSON)
            answer = await assistant.call("get_public_settings")
            assert answer["code"] == "unavailable"
            assert "too large" in answer["message"]

    run(story)


def test_names_that_cannot_be_looked_up_leave_their_ids_in_the_rows() -> None:
    async def story() -> None:
        async def nameless(request: httpx2.Request, forward: Forward) -> httpx2.Response:
            wanted = request.url.path.endswith(("/patients", "/practitioners", "/appointment_types"))
            return await (answering(500) if wanted else fair)(request, forward)

        async with under(nameless) as (assistant, _):
            rows = await assistant.rows("list_individual_appointments", limit=5)
            assert all(row["patient_id"] and row["practitioner_id"] and "patient" not in row for row in rows)
            assert all(row["business"] for row in rows)

    run(story)


@pytest.mark.parametrize("after", [0, 1], ids=["nothing is read again", "the site is known"])
def test_a_write_that_was_done_is_never_told_as_a_failure_because_of_what_is_read_after_it(after: int) -> None:
    done = False

    async def broken_afterwards(request: httpx2.Request, forward: Forward) -> httpx2.Response:
        nonlocal done
        if done:
            return httpx2.Response(500)
        done = request.method != "GET"
        return await forward(request)

    async def story() -> None:
        async with under() as (assistant, weather):
            visit = await assistant.first(
                "list_individual_appointments", starts_at=">2026-11-24", limit=1, detail="full"
            )
            await anyio.sleep(after * 10_000)
            weather.trouble = broken_afterwards
            answer = await assistant.call("update_individual_appointment", id=visit["id"], notes="Seen")
            assert answer["item"]["id"] == visit["id"]
            assert len(weather.writes()) == 1

    run(story)
