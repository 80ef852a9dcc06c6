"""A clinic that lacks sites, practitioners or appointment types: every tool that needs them says so, and none fails."""

from typing import Any

import pytest

from .reception import Reception, reception

pytestmark = pytest.mark.anyio

NO_SITE = "The clinic has no open site."
NOBODY = "No practitioner works at the clinic."
NO_TYPE = "The clinic has no appointment type in use."
HIDDEN = {
    NO_SITE: ("businesses", {"archived_at": "2026-11-01T00:00:00Z"}),
    NOBODY: ("practitioners", {"active": False}),
    NO_TYPE: ("appointment_types", {"archived_at": "2026-11-01T00:00:00Z"}),
}
BOOK = {"patient": "Ana Lima", "practitioner": "Mei Ng", "type": "Standard consult", "when": "Friday at 10"}
REFUSED: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("book_appointment", BOOK, (NO_SITE, NOBODY, NO_TYPE)),
    ("book_appointment", {**BOOK, "business": "Northside"}, (NO_SITE,)),
    ("block_time", {"practitioner": "Mei Ng", "when": "Friday 12 to 1"}, (NO_SITE, NOBODY)),
    ("block_time", {"practitioner": "Mei Ng", "when": "Friday", "type": "Lunch"}, (NO_SITE, NOBODY)),
    ("fill_gap", {"practitioner": "Mei Ng", "when": "Thursday 10 to 10:45"}, (NO_SITE, NOBODY)),
    ("find_times", {"type": "Standard consult"}, (NO_TYPE,)),
]
ANSWERED: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("find_times", {"type": "Standard consult"}, (NO_SITE, NOBODY)),
    ("find_times", {"type": "Standard consult", "kind": "online"}, (NO_SITE, NOBODY)),
    ("find_times", {"type": "Standard consult", "kind": "online", "minutes": 50}, (NO_SITE, NOBODY)),
    ("find_times", {"type": "Pilates class", "when": "this month"}, (NO_SITE, NOBODY)),
    ("show_diary", {"when": "today"}, (NO_SITE, NOBODY)),
    ("clinic_overview", {}, (NO_SITE, NOBODY, NO_TYPE)),
]


def hide(clinic: Reception, sentence: str, *, gone: bool) -> None:
    """Hide everything of one kind, or take it away as if it had never been."""
    table, hidden = HIDDEN[sentence]
    if gone:
        clinic.empty(table)
        return
    for row in clinic.rows(table):
        clinic.store.put(table, {**row, **hidden})


def cases(table: list[tuple[str, dict[str, Any], tuple[str, ...]]]) -> list[tuple[str, dict[str, Any], str]]:
    return [(tool, arguments, sentence) for tool, arguments, sentences in table for sentence in sentences]


@pytest.mark.long_but_one
@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(("tool", "arguments", "sentence"), cases(REFUSED))
async def test_what_cannot_be_done_without_is_named_in_the_refusal(
    tool: str, arguments: dict[str, Any], sentence: str, gone: bool
) -> None:
    async with reception() as clinic:
        hide(clinic, sentence, gone=gone)
        answer = await clinic.assistant.call(tool, **arguments)
        assert (answer["code"], answer["message"]) == ("not_found", sentence)
        assert answer["fix"]
        assert clinic.assistant.changes() == []


@pytest.mark.long_but_one
@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(("tool", "arguments", "sentence"), cases(ANSWERED))
async def test_an_empty_answer_says_what_the_clinic_lacks(
    tool: str, arguments: dict[str, Any], sentence: str, gone: bool
) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        hide(clinic, sentence, gone=gone)
        answer = await clinic.assistant.call(tool, **arguments)
        assert "code" not in answer
        assert sentence in [*answer.get("notes", []), *answer.get("why", [])]
        if tool != "clinic_overview":
            assert answer["items"] == []


async def test_the_overview_shows_what_is_left_of_a_clinic() -> None:
    async with reception() as clinic:
        hide(clinic, NO_SITE, gone=False)
        answer = await clinic.assistant.call("clinic_overview")
        assert answer["sites"] == []
        assert answer["practitioners"] and answer["appointment_types"]
        assert not any(sentence in answer["notes"] for sentence in (NOBODY, NO_TYPE))


async def test_a_diary_without_any_entries_or_hours_says_so() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("daily_availabilities", "availability_blocks")
        answer = await clinic.assistant.call("show_diary", when="tomorrow")
        assert answer["items"] == []
        assert answer["notes"] == ["Nobody is at work in that time, and nothing is booked or blocked out."]


@pytest.mark.long
async def test_what_is_in_the_diary_of_closed_sites_is_still_shown() -> None:
    async with reception() as clinic:
        hide(clinic, NO_SITE, gone=False)
        answer = await clinic.assistant.call("show_diary", when="today")
        assert answer["items"] and NO_SITE in answer["notes"]


async def test_a_type_that_nobody_offers_says_so() -> None:
    async with reception() as clinic:
        kind = clinic.id("appointment_types", "Standard consult")
        for row in clinic.rows("appointment_types"):
            if row["id"] == kind:
                clinic.store.put("appointment_types", {**row, "practitioner_ids": []})
        answer = await clinic.assistant.call("find_times", type="Standard consult")
        assert answer["items"] == []
        assert answer["why"] == ["Nobody who works here offers Standard consult."]


@pytest.mark.parametrize("sentence", [NO_SITE, NOBODY])
async def test_free_times_are_not_read_where_the_set_up_says_that_there_are_none(sentence: str) -> None:
    async with reception() as clinic:
        hide(clinic, sentence, gone=False)
        answer, count = await clinic.counted("find_times", type="Standard consult")
        assert (answer["items"], answer["why"], count) == ([], [sentence], 5)
