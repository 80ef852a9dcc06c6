"""Archive, delete, cancel and an added place: the answer says who, what and when, and what stays behind."""

from typing import Any

import pytest
from conftest import YES, in_process

from tools.curated.reception import NORTHSIDE, Reception

pytestmark = pytest.mark.anyio


async def done(reception: Reception, tool: str, **arguments: Any) -> tuple[str, int]:
    """The notes of a deed as one text, and how many more times than the question the clinic was read for it."""
    answer, requests = await reception.counted(tool, **arguments)
    assert "code" not in answer, answer
    assert answer["done"].endswith(f" {arguments['id']}.")
    return " ".join(answer["notes"]), requests


async def test_an_archived_file_says_whose_it_is_and_what_stays_behind() -> None:
    async with in_process(answer=YES) as assistant:
        reception = Reception(assistant)
        own = reception.patient("Wanda", "Quill", date_of_birth="1984-05-06")
        for day in ("2026-12-10 10:00", "2026-12-17 10:00"):
            reception.book(own, NORTHSIDE, "Dr Mei Ng", day)
        notes, _ = await done(reception, "archive_patient", id=own)
        assert notes.startswith("Archived. Patient: Wanda Quill, born 1984.")
        assert "2 coming appointments" in notes and "It can be brought back" in notes
        # what the model reads is what the person read
        (question,) = assistant.asked
        read = " ".join(line if line.endswith(".") else f"{line}." for line in question.splitlines() if line)
        assert notes.removeprefix("Archived. ") in read


async def test_cancelled_and_deleted_entries_say_who_what_and_when() -> None:
    async with in_process(answer=YES) as assistant:
        reception = Reception(assistant)
        own, other = reception.patient("Wanda", "Quill"), reception.patient("Otto", "Zimt")
        visit = reception.book(own, NORTHSIDE, "Dr Mei Ng", "2026-12-10 10:00")
        group = reception.group([own, other], NORTHSIDE, "Tom Okafor", "2026-12-11 09:00")
        place = reception.attendee(group, own)["id"]
        due = {
            "cancel_individual_appointment": (visit, "Wanda Quill", "Thu 10 Dec, 10:00 to 10:30 am"),
            "cancel_attendee": (place, "Wanda Quill", "Fri 11 Dec, 9:00 to 10:00 am"),
        }
        for tool, (record_id, who, when) in due.items():
            notes, _ = await done(reception, tool, id=record_id, cancellation_reason="50")
            assert notes.startswith("Cancelled. Patient: ") and who in notes and when in notes
            assert "Standard consult" in notes or "Pilates class" in notes


async def test_nothing_is_read_for_it_beyond_what_the_question_took() -> None:
    counts: list[int] = []
    for allowed in ((), ("archive_patient",)):
        async with in_process(answer=YES, allow_destroy=allowed) as assistant:
            reception = Reception(assistant)
            own = reception.patient("Wanda", "Quill")
            answer, requests = await reception.counted("archive_patient", id=own)
            assert answer["done"] == f"Archived patient {own}."
            assert bool(answer.get("notes")) is not bool(allowed)
            paths = [request.method for request in reception.sandbox.requests[-requests:]]
            assert paths.count("POST") == 1
            counts.append(requests)
    # asked: the file and its coming bookings, twice, and once whose clinic it is, by account and user; then the deed,
    # and the zone for the answer's clock
    assert counts[0] <= 8 and counts[1] <= 2


async def test_a_place_that_is_added_says_whose_in_what_and_when() -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        own, other = reception.patient("Wanda", "Quill"), reception.patient("Otto", "Zimt")
        group = reception.group([other], NORTHSIDE, "Tom Okafor", "2026-12-11 09:00")
        answer, requests = await reception.counted("create_attendee", booking_id=group, patient_id=own)
        row = answer["item"]
        assert (row["patient"], row["booking"]) == ("Wanda Quill", "Pilates class, 2026-12-11T09:00+11:00 Fri")
        # the write, then one batch each of patients, bookings, types and sites (whose clock the time is by), and the
        # zone of the key's user
        assert requests <= 6
