"""Every write says what may be sent to the patient, by what and when: now, or before the visit; by both roads to it."""

from collections.abc import AsyncGenerator

import pytest
from conftest import YES

from .reception import BOTH, Reception, Row, reception

pytestmark = pytest.mark.anyio
SITE, WHO = BOTH[0]
SMS = "reminders by SMS before the visit"
EMAIL = "a confirmation by email now"
WISHES: dict[str, tuple[Row, list[str], str]] = {
    "SMS": ({"reminder_type": "SMS"}, [SMS], "gets no email about it"),
    "email": (
        {"reminder_type": "Email", "email": "p@mail.example"},
        [EMAIL, "reminders by email before the visit"],
        "may email",
    ),
    "all": (
        {"reminder_type": "SMS & Email", "email": "p@mail.example"},
        [EMAIL, "reminders by SMS and email before the visit"],
        "may email",
    ),
    "confirmation": ({"reminder_type": "None", "email": "p@mail.example"}, [EMAIL], "may email"),
    "nothing": (
        {
            "reminder_type": "None", "email": "p@mail.example", "receives_confirmation_emails": False,
            "receives_cancellation_emails": False,
        },
        ["nothing"],
        "gets no email about it",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
async def desk() -> AsyncGenerator[Reception]:
    async with reception(answer=YES) as found:
        for name in ("Standard consult", "Pilates class"):
            kind = found.store.table("appointment_types").rows[found.id("appointment_types", name)]
            none: Row = {"appointment_confirmation_template_ids": None, "appointment_reminder_template_ids": None}
            found.store.put("appointment_types", {**kind, **none, "appointment_follow_up_template_ids": []})
        yield found


def told(answer: Row) -> str:
    """The sentence on messages, of which there is one."""
    assert "code" not in answer, answer
    (sentence,) = [
        note
        for note in answer["notes"]
        if note.startswith(("Cliniko may", "By the settings", "Cliniko sends")) or "gets no email" in note
    ]
    return sentence


def prepared(desk: Reception, wish: str) -> tuple[str, list[str], str]:
    wishes, due, cancelled = WISHES[wish]
    desk.empty_diary()
    name = f"P{wish.title()}"
    return desk.patient(name, "Wish", **wishes), due, cancelled


@pytest.mark.parametrize("wish", WISHES)
async def test_book_move_and_cancel_say_what_goes_out_and_when(desk: Reception, wish: str) -> None:
    patient, due, cancelled = prepared(desk, wish)
    call = desk.assistant.call
    visit = {"patient": patient, "practitioner": WHO, "type": "Standard consult", "business": SITE}
    booked = await call("book_appointment", **visit, when="Monday at 10")
    moved = await call("move_appointment", appointment=booked["item"]["id"], when="11:00")
    gone = await call("cancel_appointment", appointment=booked["item"]["id"], reason="sick")
    assert all(part in told(answer) for answer in (booked, moved) for part in due)
    assert cancelled in told(gone) and "reminder" not in told(gone)


@pytest.mark.parametrize("wish", WISHES)
async def test_the_operations_themselves_say_the_same(desk: Reception, wish: str) -> None:
    patient, due, cancelled = prepared(desk, wish)
    call = desk.assistant.call
    ids = {
        "patient_id": patient,
        "practitioner_id": desk.id("practitioners", WHO),
        "business_id": desk.id("businesses", SITE),
        "appointment_type_id": desk.id("appointment_types", "Standard consult"),
    }
    booked = await call("create_individual_appointment", **ids, starts_at="2026-11-30T10:00")
    own = booked["item"]["id"]
    times = {"starts_at": "2026-11-30T11:00", "ends_at": "2026-11-30T11:30"}
    moved = await call("update_individual_appointment", id=own, **times)
    noted = await call("update_individual_appointment", id=own, notes="Brings an X-ray.")
    past = await call("create_individual_appointment", **ids, starts_at="2026-11-20T10:00")
    gone = await call("cancel_individual_appointment", id=own, cancellation_reason=30)
    assert all(part in told(answer) for answer in (booked, moved) for part in due)
    assert "notes" not in noted and "reminder" not in told(past)
    assert cancelled in told(gone)


@pytest.mark.parametrize("wish", WISHES)
async def test_a_place_in_a_class_says_the_same_by_both_roads(desk: Reception, wish: str) -> None:
    patient, due, cancelled = prepared(desk, wish)
    group = desk.group([], SITE, "Priya Nair", "2026-12-01 16:30")
    call = desk.assistant.call
    placed = await call("book_appointment", patient=patient, type="Pilates", when="1 December 16:30", dry_run=True)
    added = await call("create_attendee", booking_id=group, patient_id=patient)
    gone = await call("cancel_attendee", id=added["item"]["id"], cancellation_reason=30)
    assert all(part in told(answer) for answer in (placed, added) for part in due)
    assert cancelled in told(gone)


@pytest.mark.parametrize("wish", WISHES)
async def test_a_new_file_says_that_nothing_goes_out_now_and_by_what_reminders_will(desk: Reception, wish: str) -> None:
    reminded = str(WISHES[wish][0]["reminder_type"])
    due = (
        "off"
        if reminded == "None"
        else f"by {reminded.replace('SMS & Email', 'SMS and email')}".replace("Email", "email")
    )
    made = await desk.assistant.call(
        "create_patient", first_name=f"New{wish.title()}", last_name="File", reminder_type=reminded
    )
    registered = await desk.assistant.call("register_patient", first_name=f"Reg{wish.title()}", last_name="File")
    assert told(made) == f"Cliniko sends nothing when a file is made; reminders of visits are {due} in it."
    assert told(registered).startswith("Cliniko sends nothing when a file is made; reminders of visits are ")


async def test_what_nobody_looked_at_before_it_was_cancelled_says_what_may_follow() -> None:
    async with reception(allow_destroy=("cancel_individual_appointment",)) as desk:
        visit = desk.book(desk.patient("Un", "Asked"), SITE, WHO, "2026-11-30 10:00")
        gone = await desk.assistant.call("cancel_individual_appointment", id=visit, cancellation_reason=30)
        assert gone["notes"] == ["Depending on the clinic's settings, the patient may get a message."]


async def test_it_costs_one_request_after_a_cancellation_and_none_otherwise(desk: Reception) -> None:
    patient, _, _ = prepared(desk, "all")
    ids = {
        "patient_id": patient,
        "practitioner_id": desk.id("practitioners", WHO),
        "business_id": desk.id("businesses", SITE),
        "appointment_type_id": desk.id("appointment_types", "Standard consult"),
    }
    booked, _ = await desk.counted("create_individual_appointment", **ids, starts_at="2026-11-30T12:00")
    desk.sandbox.requests.clear()
    await desk.assistant.call("create_individual_appointment", **ids, starts_at="2026-11-30T13:00")
    read = [request.path for request in desk.sandbox.requests if request.method == "GET"]
    assert read == ["/v1/patients"]  # for the patient's name
    desk.sandbox.requests.clear()
    await desk.assistant.call("cancel_individual_appointment", id=booked["item"]["id"], cancellation_reason=30)
    after = [request.method for request in desk.sandbox.requests]
    assert len(after) - after.index("PATCH") <= 2
