"""What writes say of the messages that may go out: by the patient's choices, the type's templates and the site."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from conftest import YES

from .reception import Reception, reception

pytestmark = pytest.mark.anyio
VISIT = {"practitioner": "Mei Ng", "type": "Standard consult", "business": "Northside"}


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception(answer=YES) as found:
        yield found


def change(desk: Reception, table: str, name: str, **values: Any) -> None:
    row = desk.store.table(table).rows[desk.id(table, name)]
    desk.store.put(table, {**row, **values})
    desk.forget()


@pytest.mark.parametrize(("wanted", "templates", "enabled", "due"), [
    ("SMS", None, True, "reminders by SMS before the visit"),
    ("Email", ["1"], True, "a reminder by email before the visit"),
    ("SMS & Email", ["1", "2"], True, "2 reminders by SMS and email before the visit"),
    ("None", ["1", "2"], True, ""), ("SMS", ["1"], False, ""),
])  # fmt: skip
async def test_how_many_reminders_by_what_and_before_or_after_what(
    desk: Reception, wanted: str, templates: list[str] | None, enabled: bool, due: str
) -> None:
    change(desk, "appointment_types", "Standard consult", appointment_reminder_template_ids=templates)
    change(desk, "businesses", "Northside", appointment_reminders_enabled=enabled)
    patient = desk.patient("Otis", "Bramble", reminder_type=wanted)
    for when, words in (("next Wednesday 11am", due), ("2026-11-20 10:00", "")):
        answer = await desk.assistant.call("book_appointment", patient=patient, **VISIT, when=when, dry_run=True)
        (told,) = [note for note in answer["notes"] if "By the settings seen" in note or "may send" in note]
        assert words in told and ("reminder" in told) is bool(words)
    change(desk, "businesses", "Northside", appointment_reminders_enabled=True)


async def test_a_reminder_that_has_gone_out_is_told_when_its_time_changes(desk: Reception) -> None:
    patient = desk.patient("Vera", "Quill", email="vera@mail.example", receives_cancellation_emails=True)
    late = desk.book(patient, "Northside", "Dr Mei Ng", "2026-11-27T18:00", sms_reminder_sent=True)
    moved = await desk.assistant.call("move_appointment", appointment=late, when="18:30", dry_run=True)
    assert "A reminder of it has gone out by SMS, with the time that it had." in moved["notes"]
    cancelled = await desk.assistant.call("cancel_appointment", appointment=late, reason="sick")
    assert "Cliniko may email Vera Quill now that it is cancelled" in cancelled["notes"][0]
    assert cancelled["notes"][1].startswith("A reminder of it has gone out by SMS")


async def test_what_sends_nothing_says_so(desk: Reception) -> None:
    patient = desk.patient("Zofia", "Marsh")
    visit = desk.book(patient, "Northside", "Dr Mei Ng", "2026-11-23T18:00")
    told = [
        await desk.assistant.call("set_attendance", appointment=visit, state="arrived"),
        await desk.assistant.call("block_time", practitioner="Jack", when="20 January 2027 7pm to 8pm"),
        await desk.assistant.call("block_time", practitioner="Jack", when="20 January 2027 7pm to 8pm", lift=True),
    ]
    assert all("Cliniko sends patients nothing about this." in answer["notes"] for answer in told)
    change(desk, "appointment_types", "Standard consult", appointment_follow_up_template_ids=["5"])
    after = await desk.assistant.call("set_attendance", appointment=visit, state="did_not_arrive")
    assert any("may send a follow-up after the visit" in note for note in after["notes"])
