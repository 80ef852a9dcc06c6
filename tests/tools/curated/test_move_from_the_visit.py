"""move_appointment reads its time from the visit: what is unsaid stays, and no row but that one changes."""

from datetime import datetime
from typing import Any

import pytest

from .reception import BOTH, NORTHSIDE, ZONES, Reception, reception, stamp, utc

pytestmark = pytest.mark.anyio
TABLES = ("individual_appointments", "group_appointments", "attendees", "unavailable_blocks")
# the visit is on Thursday 26 November 2026 at 10:00
FROM_THE_VISIT = {
    "at 11": "2026-11-26 11:00",
    "14:30": "2026-11-26 14:30",
    "quarter past two": "2026-11-26 14:15",
    "an hour later": "2026-11-26 11:00",
    "half an hour earlier": "2026-11-26 09:30",
    "the day before": "2026-11-25 10:00",
    "Friday": "2026-11-27 10:00",
    "the same time on Friday": "2026-11-27 10:00",
    "next week": "2026-12-03 10:00",
    "a week later": "2026-12-03 10:00",
    "tomorrow": "2026-11-25 10:00",
    "Monday at 9:15": "2026-11-30 09:15",
    "2026-11-27T13:45 Fri": "2026-11-27 13:45",
}


def changed(clinic: Reception, before: dict[str, list[dict[str, Any]]]) -> list[str]:
    return [row["id"] for table in TABLES for row in clinic.rows(table) if row not in before[table]]


@pytest.mark.long
@pytest.mark.parametrize("now", ["2026-11-24T08:30:00+11:00", "2026-11-24T16:30:00+11:00"])
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_what_is_unsaid_stays_as_it_was(now: str, site: str, practitioner: str) -> None:
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        ida = clinic.patient("Ida", "Quill")
        clinic.book(clinic.patient("Other", "One"), site, practitioner, "2026-12-09 10:00")
        for when, local in FROM_THE_VISIT.items():
            own = clinic.book(ida, site, practitioner, "2026-11-26 10:00")
            before = {table: clinic.rows(table) for table in TABLES}
            call = clinic.assistant.call
            text = "Ida Quill's 10 o'clock on Thursday"
            answer = await call("move_appointment", appointment=text, when=when)
            if answer.get("code") == "clash":
                answer = await call("move_appointment", appointment=text, when=when, allow_clash=answer["clash"])
            assert answer.get("done") == "Moved.", (when, answer)
            assert changed(clinic, before) == [own], when
            row = next(row for row in clinic.rows("individual_appointments") if row["id"] == own)
            assert row["starts_at"] == stamp(utc(local, site)), when
            day = datetime.fromisoformat(local)
            assert answer["item"]["starts_at"].startswith(f"{day:%Y-%m-%dT%H:%M}")
            assert answer["item"]["starts_at"].endswith(f"{day:%a}")
            assert answer["was"]["starts_at"].endswith("Thu")
            clinic.empty_diary()


@pytest.mark.long
@pytest.mark.parametrize(("now", "was", "when", "becomes"), [
    ("2026-10-01T08:30:00+10:00", "2026-10-02 10:00", "Monday", "2026-10-05 10:00"),
    ("2026-10-01T16:30:00+10:00", "2026-10-02 10:00", "a week later", "2026-10-09 10:00"),
    ("2027-04-01T08:30:00+11:00", "2027-04-02 10:00", "Monday", "2027-04-05 10:00"),
    ("2027-04-01T16:30:00+11:00", "2027-04-02 10:00", "3 days later", "2027-04-05 10:00"),
])  # fmt: skip
@pytest.mark.parametrize(("site", "practitioner"), BOTH)
async def test_over_a_clock_change_the_time_on_the_clock_stays(
    site: str, practitioner: str, now: str, was: str, when: str, becomes: str
) -> None:
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        own = clinic.book(clinic.patient("Ida", "Quill"), site, practitioner, was, minutes=45)
        call = clinic.assistant.call
        answer = await call("move_appointment", appointment="Ida Quill", when=when)
        if answer.get("code") == "clash":
            answer = await call("move_appointment", appointment=own, when=when, allow_clash=answer["clash"])
        row = next(row for row in clinic.rows("individual_appointments") if row["id"] == own)
        assert row["starts_at"] == stamp(utc(becomes, site)), answer


@pytest.mark.long
async def test_a_move_far_away_and_one_of_a_visit_that_has_begun_are_said() -> None:
    async with reception(sandbox_now="2026-11-24T16:30:00+11:00") as clinic:
        clinic.empty_diary()
        ida = clinic.patient("Ida", "Quill")
        own = clinic.book(ida, NORTHSIDE, "Dr Mei Ng", "2026-11-24 10:00")
        answer = await clinic.assistant.call(
            "move_appointment", appointment="Ida Quill's 10:00 today", when="23 February 2027", dry_run=True
        )
        told = " ".join(answer["notes"])
        assert "91 days later" in told and "It had begun already" in told and answer["item"]["id"] == own
        near = await clinic.assistant.call("move_appointment", appointment=own, when="tomorrow", dry_run=True)
        assert "days later" not in " ".join(near["notes"])


async def test_a_class_is_not_moved_for_one_of_those_in_it() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        people = [clinic.patient("Ida", "Quill"), clinic.patient("Ben", "Quill")]
        group = clinic.group(people, NORTHSIDE, "Priya Nair", "2026-11-27 10:00")
        answer = await clinic.assistant.call("move_appointment", appointment="Ida Quill on Friday", when="at 11")
        assert answer["code"] == "invalid_arguments" and "all 2 in it" in answer["message"]
        assert clinic.assistant.changes() == []
        moved = await clinic.assistant.call(
            "move_appointment", appointment="the Pilates class on Friday at 10", when="at 11", dry_run=True
        )
        assert moved["item"]["id"] == group and "class with 2 patients" in " ".join(moved["notes"])


async def test_at_a_site_of_another_zone_the_time_on_the_clock_stays() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.book(clinic.patient("Ida", "Quill"), NORTHSIDE, "Dr Mei Ng", "2026-11-27 10:00")
        answer = await clinic.assistant.call(
            "move_appointment", appointment="Ida Quill", business="Riverside", practitioner="Jack", dry_run=True
        )
        assert answer["item"]["starts_at"] == "2026-11-27T10:00+10:30 Fri"
        assert ZONES["Riverside"].key == answer["time_zone"]


@pytest.mark.parametrize(("changed_at", "moves"), [("2026-11-23T21:50:00Z", True), ("2026-11-23T21:50:01Z", False)])
async def test_words_move_a_visit_on_that_was_changed_ten_minutes_ago_and_not_one_that_was_after(
    changed_at: str, moves: bool
) -> None:
    async with reception(sandbox_now="2026-11-24T09:00:00+11:00") as clinic:
        clinic.empty_diary()
        ida = clinic.patient("Ida", "Quill")
        times: dict[str, Any] = {"created_at": "2026-11-20T00:00:00Z", "updated_at": changed_at}
        own = clinic.book(ida, NORTHSIDE, "Dr Mei Ng", "2026-12-03 11:00", **times)
        answer = await clinic.assistant.call("move_appointment", appointment=own, when="an hour later")
        if moves:
            assert answer["done"] == "Moved." and answer["item"]["starts_at"] == "2026-12-03T12:00+11:00 Thu"
        else:
            assert answer["message"] == (
                "Nothing was changed: it was changed less than 10 minutes ago and is on 2026-12-03T11:00+11:00 Thu "
                "now. “an hour later” would move it on from there to 2026-12-03T12:00+11:00 Thu."
            )


async def test_of_a_class_that_moves_five_are_named_to_whom_a_message_may_go_and_more_are_counted() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        people = [clinic.patient(first, "Quill") for first in ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus")]
        for held, named in ((5, "Di Quill and Ed Quill"), (7, "Di Quill, Ed Quill and 2 more")):
            group = clinic.group(people[:held], NORTHSIDE, "Priya Nair", "2026-11-27 10:00")
            answer = await clinic.assistant.call("move_appointment", appointment=group, when="at 11", dry_run=True)
            (told,) = [note for note in answer["notes"] if "Ann Quill" in note]
            assert f"Ann Quill, Bo Quill, Cy Quill, {named}" in told and "Flo" not in told, told
