"""cancel_appointment: asked first, the reason in Cliniko's codes, places in classes, and what happens after a no."""

from typing import Any

import pytest
from conftest import DECLINE, YES, Assistant, in_process

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.frontdesk.reasons import read_reason

from .raw import Raw, stamp

pytestmark = pytest.mark.anyio
ERAS = ("legacy", "2026-07-28")
OPEN, PAID = 10, 20


async def coming(assistant: Assistant) -> dict[str, Any]:
    answer = await assistant.call("cancel_appointment", appointment="Ana Lima", reason="sick")
    assert answer["code"] == "ambiguous"
    return answer["candidates"][0]


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ERAS)
async def test_a_yes_cancels_once_with_the_reason_and_the_words(mode: str) -> None:
    async with in_process(mode=mode, answer=YES) as assistant:
        own = (await coming(assistant))["id"]
        answer = await assistant.call("cancel_appointment", appointment=own, reason="has the flu", note="called at 8")
        assert answer["done"] == "Cancelled."
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["cancellation_reason"], row["cancellation_note"]) == (50, "has the flu. called at 8")
        assert assistant.changes() == [f"PATCH /v1/individual_appointments/{own}/cancel"]
        assert len(assistant.asked) == 1 and "Ana Lima, born 1984" in assistant.asked[0]
        assert answer["item"]["starts_at"].startswith("2026-11-26T10:00+11:00")
        assert any("fill_gap" in note for note in answer["notes"])
        again = await assistant.call("cancel_appointment", appointment=own, reason="sick")
        assert again["code"] == "not_found" and "cancelled already" in again["message"]


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ERAS)
async def test_after_a_no_or_with_nobody_to_ask_nothing_is_changed(mode: str) -> None:
    async with in_process(mode=mode, answer=DECLINE) as assistant:
        own = (await coming(assistant))["id"]
        assert (await assistant.call("cancel_appointment", appointment=own, reason="away"))["code"] == "declined"
        assert assistant.changes() == []
    async with in_process(mode=mode, approval_wait=0) as assistant:
        own = (await coming(assistant))["id"]
        assert (await assistant.call("cancel_appointment", appointment=own, reason="away"))["code"] == "approval_needed"
        assert assistant.changes() == []


async def test_an_appointment_with_a_practitioner_who_left_can_still_be_cancelled() -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        own = (await coming(assistant))["id"]
        row = raw.get("individual_appointments", own)
        raw.store.put("individual_appointments", {**row, "practitioner_id": raw.id("practitioners", "Greta Holm")})
        answer = await assistant.call("cancel_appointment", appointment=own, reason="other")
        assert answer["item"]["practitioner"] == "Greta Holm"


async def test_a_place_in_a_class_is_cancelled_for_one_patient_and_the_others_stay() -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        group = next(row for row in raw.live("group_appointments") if row["starts_at"] > "2026-12-01")
        answer = await assistant.call("cancel_appointment", appointment=group["id"], reason="work")
        assert answer["code"] == "invalid_arguments"
        assert f"{len(group['patient_ids'])} of {group['max_attendees']} places" in answer["message"]
        gone, *stay = group["patient_ids"]
        answer = await assistant.call("cancel_appointment", appointment=group["id"], patient=gone, reason="work")
        assert answer["done"] == "Cancelled."
        assert raw.get("group_appointments", group["id"])["patient_ids"] == stay
        places = [row for row in raw.rows("attendees") if row["booking_id"] == group["id"] and row.get("cancelled_at")]
        assert [(row["patient_id"], row["cancellation_reason"]) for row in places] == [(gone, 60)]
        assert any("book_appointment gives it" in note for note in answer["notes"])
        assert not any("fill_gap" in note for note in answer["notes"])
        again = await assistant.call("cancel_appointment", appointment=group["id"], patient=gone, reason="work")
        assert again["done"].startswith("Done: Cancelled at ")
        reworded = await assistant.call("cancel_appointment", appointment=group["id"], patient=gone, reason="away")
        assert reworded["code"] == "not_found"


@pytest.mark.long
@pytest.mark.parametrize(("series", "goes"), [
    (None, [1]), ("one", [1]), (False, [1]), ("rest", [1, 2, 3]), (True, [1, 2, 3]), ("whole", [0, 1, 2, 3]),
])  # fmt: skip
async def test_of_a_series_one_the_rest_or_the_whole_goes_as_it_is_said(series: str | None, goes: list[int]) -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        paid = next(row for row in raw.live("invoices") if row["patient_id"] == "4211" and row["status"] == PAID)
        raw.store.put("invoices", {**paid, "status": OPEN})
        usual = {"patient": "4211", "practitioner": "Ng", "type": "Standard consult", "repeat": "weekly x3"}
        first = await assistant.call("book_appointment", **usual, when="20 January 2027 at 10:00")
        own = first["item"]["id"]
        mine = [row for row in raw.live("individual_appointments") if row.get("repeated_from_id") == own]
        ids = [own, *(row["id"] for row in sorted(mine, key=lambda row: row["starts_at"]))]
        before = {row["id"] for row in raw.live("individual_appointments")}
        said = {} if series is None else {"series": series}
        text = "Ben Adeyemi, 27 January 2027 at 10:00"
        answer = await assistant.call("cancel_appointment", appointment=text, reason="away", **said)
        after = {row["id"] for row in raw.live("individual_appointments")}
        wanted = [ids[number] for number in goes if number < len(ids)]
        assert before - after == set(wanted) and answer["item"]["id"] == wanted[0]
        assert len(answer.get("also", [])) == len(wanted) - 1
        assert len([line for line in assistant.changes() if "/cancel" in line]) == 1
        told = " ".join(answer["notes"])
        assert "stay" in told and "open invoice" in told
        for row in mine:
            shown = f"{stamp(row['starts_at']).astimezone(raw.zone(row['business_id'])):%Y-%m-%dT%H:%M}"
            assert shown in f"{answer['item']['starts_at']} {answer.get('also')} {told}"
        assert ("will be cancelled too" in assistant.asked[0]) == (len(wanted) > 1)


@pytest.mark.long_but_one
@pytest.mark.parametrize("text", [
    "Ana Lima on Thursday", "Ana Lima's 10 o'clock on Thursday", "Lima, Ana (born 1984) Thursday 10:00",
    "Ana Lima's next one", "the 10am for Ana Lima on Thursday", "Ana Lima 2026-11-26T10:00+11:00 Thu",
])  # fmt: skip
async def test_the_visit_is_said_as_a_desk_says_it(text: str) -> None:
    async with in_process(answer=YES) as assistant:
        raw = Raw(assistant)
        before = {row["id"]: row for row in raw.rows("individual_appointments")}
        answer = await assistant.call("cancel_appointment", appointment=text, reason="sick")
        assert answer["item"]["starts_at"].startswith("2026-11-26T10:00"), answer
        changed = [row["id"] for row in raw.rows("individual_appointments") if row != before[row["id"]]]
        assert changed == [answer["item"]["id"]]


async def test_another_patient_named_beside_the_id_stops_it() -> None:
    async with in_process(answer=YES) as assistant:
        own = (await coming(assistant))["id"]
        answer = await assistant.call("cancel_appointment", appointment=own, patient="4211", reason="sick")
        assert answer["code"] == "ambiguous"
        whose = "is for Ana Lima (born 1984), not for Ben Adeyemi (born 1990)."
        assert answer["message"] == f"The appointment {own} {whose}"
        assert assistant.changes() == []


TURNED_ROUND = (
    "hasn't recovered, still can't walk",
    "hasn't improved",
    "doesn't feel better",
    "wasn't sick, just late",
    "don't want to work with this practitioner",
)


@pytest.mark.long_but_one
@pytest.mark.parametrize("reason", TURNED_ROUND)
async def test_a_reason_in_words_is_never_turned_round(reason: str) -> None:
    async with in_process(answer=YES) as assistant:
        own = (await coming(assistant))["id"]
        answer = await assistant.call("cancel_appointment", appointment=own, reason=reason)
        assert (answer["reason"], answer["note"]) == ("Other", reason)
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["cancellation_reason"], row["cancellation_note"]) == (50, reason)


@pytest.mark.long_but_one
@pytest.mark.parametrize("code", CANCELLATION_REASONS)
async def test_one_of_cliniko_s_reasons_is_kept_as_it_is_with_the_note_beside_it(code: int) -> None:
    async with in_process(answer=YES) as assistant:
        own = (await coming(assistant))["id"]
        word = CANCELLATION_REASONS[code].casefold()
        answer = await assistant.call("cancel_appointment", appointment=own, reason=word, note="rang at 8")
        assert (answer["reason"], answer["note"]) == (CANCELLATION_REASONS[code], "rang at 8")
        row = Raw(assistant).get("individual_appointments", own)
        assert (row["cancellation_reason"], row["cancellation_note"]) == (code, "rang at 8")


async def test_the_schema_offers_cliniko_s_reasons_as_the_operation_does() -> None:
    async with in_process(view="all") as assistant:
        schemas = {tool.name: tool.input_schema for tool in (await assistant.client.list_tools()).tools}
        offered = schemas["cancel_appointment"]["properties"]["reason"]["enum"]
        operation = schemas["cancel_individual_appointment"]["properties"]["cancellation_reason"]["enum"]
        assert offered == operation == [word.casefold() for word in CANCELLATION_REASONS.values()]


@pytest.mark.parametrize(("reason", "code", "note"), [
    ("sick", 30, ""), ("Sick", 30, ""), (" sick ", 30, ""), ("30", 30, ""), ("feeling better", 10, ""),
    ("Condition worse", 20, ""), ("away", 40, ""), ("other", 50, ""), ("Work", 60, ""),
    ("got covid", 50, "got covid"), ("flu", 50, "flu"), ("better", 50, "better"), ("worse", 50, "worse"),
    ("sick and at work", 50, "sick and at work"), ("31", 50, "31"), ("feeling\u202e better", 10, ""),
    *((reason, 50, reason) for reason in TURNED_ROUND),
])  # fmt: skip
def test_only_cliniko_s_own_words_and_codes_are_read_and_all_others_kept(reason: str, code: int, note: str) -> None:
    assert read_reason(reason) == (code, note)


def test_a_long_reason_is_kept_as_far_as_a_note_may_go() -> None:
    code, note = read_reason("x" * 900)
    assert code == 50 and len(note) == 500
