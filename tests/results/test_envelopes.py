"""What stands around every answer: its notes in their order, the time now and its zone, and a body that fits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx2
import pytest

from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.guards.memory import Memory
from cliniko_mcp.guards.pipeline import Caller
from cliniko_mcp.results.budget import MAX_TOKENS, size
from cliniko_mcp.results.cutting import KEEP
from cliniko_mcp.results.envelope import Answer, Envelope, compact
from tests.client.account import Account, person
from tests.client.virtual import run

SYDNEY, PERTH = ZoneInfo("Australia/Sydney"), ZoneInfo("Australia/Perth")
USER = {"GET /user": person(1, time_zone="Sydney", time_zone_identifier="Australia/Sydney")}
CLOCK = {"now": "2026-11-24T23:00+11:00 Tue", "time_zone": "Australia/Sydney"}
READING = 0.01
"""Seconds that it takes to read the user."""
HOW = "ask for less at once, or read the record itself"
ENDS_EARLY = "Where a text ends in …, the rest of it is not shown: read the record itself."


def finished(
    answer: Answer,
    room: int = MAX_TOKENS,
    account: dict[str, Any] | None = None,
    before: Callable[[GuardedClinic], None] = lambda _: None,
) -> dict[str, Any]:
    async def inner() -> Envelope:
        async with Account(USER if account is None else account).clinic() as client:
            clinic = GuardedClinic(client, [], Caller(), "some_tool", Memory(anyio.current_time, client.now))
            before(clinic)
            return await answer.finished(clinic, room)

    envelope: Envelope = run(inner)
    assert envelope.text == compact(envelope.body)
    return envelope.body


def notes_of(answer: Answer, **more: Any) -> list[str]:
    return finished(answer, **more).get("notes", [])


def rows(count: int, words: int = 20) -> list[Any]:
    return [{"id": str(number), "text": "word " * words} for number in range(count)]


def test_an_answer_ends_with_the_time_now_in_the_zone_of_the_clinic() -> None:
    assert finished(Answer({"item": {"id": "1"}})) == {"item": {"id": "1"}, **CLOCK}
    assert finished(Answer({})) == CLOCK


def test_the_time_is_told_in_the_zone_of_the_rows() -> None:
    assert finished(Answer({"a": 1}, zone=SYDNEY)) == {"a": 1, **CLOCK}
    due = {"a": 1, "now": "2026-11-24T20:00+08:00 Tue", "time_zone": "Australia/Perth"}
    assert finished(Answer({"a": 1}, zone=PERTH)) == due


def test_notes_stand_in_their_order_and_once_each() -> None:
    assert notes_of(Answer({"a": 1}, ["b", "a", "b"])) == ["b", "a"]
    assert [*finished(Answer({"a": 1}, ["b"]))] == ["a", "notes", "now", "time_zone"]


def test_what_could_not_be_read_on_the_way_is_told_after_the_notes() -> None:
    def some(clinic: GuardedClinic) -> None:
        clinic.course.missing.append("Alerts are not shown.")

    assert notes_of(Answer({"a": 1}, ["first"]), before=some) == ["first", "Alerts are not shown."]


def test_an_empty_list_without_any_remark_gets_one() -> None:
    assert notes_of(Answer({"items": []})) == ["There is nothing to show: no record fits what was asked for."]
    assert notes_of(Answer({"items": []}, ["Nobody."])) == ["Nobody."]
    assert notes_of(Answer({"items": [{"id": "1"}]})) == []
    assert notes_of(Answer({"item": {}})) == []


@pytest.mark.parametrize(
    "body", [{"item": {"a": "early…"}}, {"items": [{"a": "x"}, {"b": ["early…"]}]}, {"text": "early…"}]
)
def test_a_text_that_ends_early_is_told_to(body: dict[str, Any]) -> None:
    assert notes_of(Answer(body)) == [ENDS_EARLY]
    assert notes_of(Answer(body, ["Something."])) == ["Something.", ENDS_EARLY]
    assert notes_of(Answer(body, ["Parts of a are not shown: so."])) == ["Parts of a are not shown: so."]


@pytest.mark.parametrize("body", [{"a": "in … the middle"}, {"a…": "name"}, {"a": 1, "b": None}])
def test_a_text_that_does_not_end_early_is_not(body: dict[str, Any]) -> None:
    assert notes_of(Answer(body)) == []


@pytest.mark.parametrize(("seconds", "told"), [(None, False), (0, False), (0.999, False), (1, True), (180, True)])
def test_what_long_lists_are_from_memory_is_told_from_a_second_on(seconds: float | None, told: bool) -> None:
    def remembered(clinic: GuardedClinic) -> None:
        if seconds is not None:
            clinic.course.recall("invoices", clinic.now - timedelta(seconds=seconds - READING))

    found = notes_of(Answer({"a": 1}), before=remembered)
    clock = "22:57" if seconds == 180 else "22:59"
    assert found == ([f"Long lists are from memory, as at {clock}."] if told else [])


def test_where_the_clinics_zone_cannot_be_read_the_time_is_told_in_utc() -> None:
    refused = {"GET /user": httpx2.Response(401)}
    body = finished(Answer({"a": 1}, ["Done."]), account=refused)

    assert (body["now"], body["time_zone"]) == ("2026-11-24T12:00+00:00 Tue", "UTC")
    assert body["notes"] == ["Done.", "The clinic's time zone could not be read, so the time now is in UTC."]
    body = finished(Answer({"a": 1}, zone=PERTH), account=refused)
    assert (body["now"], "notes" in body) == ("2026-11-24T20:00+08:00 Tue", False)


def test_the_notes_that_do_not_fit_are_counted() -> None:
    note = "word " * 99 + "end"
    cost = size(f"00 {note}") + 1
    fit = 1500 // cost
    many = [f"{number:02} {note}" for number in range(fit + 3)]

    assert notes_of(Answer({"a": 1}, many[:fit])) == many[:fit]
    assert notes_of(Answer({"a": 1}, many)) == [*many[:fit], "3 more notes are not shown."]


@pytest.mark.parametrize(("words", "left_out"), [(497, 0), (498, 1)])
def test_notes_take_1500_tokens_with_what_stands_between_them(words: int, left_out: int) -> None:
    many = [f"{number:02} note" for number in range(200)]
    last = " word" * words
    cost = sum(size(note) + 1 for note in [*many, last])
    assert cost == 1500 + left_out
    told = notes_of(Answer({"a": 1}, [*many, last]))
    assert told == ([*many, "1 more note is not shown."] if left_out else [*many, last])


def test_an_answer_that_takes_exactly_its_room_is_whole() -> None:
    body: dict[str, Any] = {"items": rows(40)}
    room = size({**body, **CLOCK})

    assert finished(Answer(body), room) == {**body, **CLOCK}
    assert finished(Answer(body, room=room), 100) == {**body, **CLOCK}
    cut = finished(Answer(body), room - 1)
    assert cut["items"] == body["items"][: len(cut["items"])]
    assert cut["notes"] == [f"{40 - len(cut['items'])} of 40 items are not shown: {HOW}."]
    assert 0 < len(cut["items"]) < 40


def test_a_list_that_is_cut_says_on_its_page_how_much_of_it_is_shown() -> None:
    page: Any = {"returned": 40, "total": 40, "complete": True}
    names: Any = {"practitioner_id": {"Mei Ng": "5"}}
    body: dict[str, Any] = {"items": rows(40), "page": page, "names": names}
    cut = finished(Answer(body, ["First."]), 900)

    shown = len(cut["items"])
    assert 0 < shown < 40
    assert cut["page"] == {"returned": shown, "total": 40, "complete": False}
    assert cut["names"] == names
    assert cut["notes"] == ["First.", f"{40 - shown} of 40 items are not shown: {HOW}."]
    assert size(cut) <= 900


def test_where_other_parts_are_cut_the_page_stays_complete() -> None:
    page: Any = {"returned": 1, "total": 1, "complete": True}
    body: dict[str, Any] = {"items": rows(1), "page": page, "text": "word " * 900}
    cut = finished(Answer(body), 900)

    assert (cut["items"], cut["page"]) == (rows(1), page)
    assert cut["notes"][-1] == KEEP


def test_a_body_may_carry_what_usually_stands_around_it() -> None:
    body = finished(Answer({"a": 1, "now": "later"}, ["x"]))
    assert body == {"a": 1, "notes": ["x"], **CLOCK}


def test_rows_that_were_counted_are_not_counted_again() -> None:
    body: dict[str, Any] = {"items": rows(40)}
    assert finished(Answer(body, counted=100), 500) == {**body, **CLOCK}
    assert len(finished(Answer(body, counted=480), 500)["items"]) < 40
