"""How many requests a curated tool takes: stated in its module, and the same whatever the rows of a page hold."""

import re
from base64 import b64encode
from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from conftest import YES

from cliniko_mcp.tools import curated

from .reception import NORTHSIDE, RIVERSIDE, Reception, reception

pytestmark = pytest.mark.anyio

ROSTER = Counter(
    {
        "GET practitioners": 1,
        "GET practitioners/inactive": 1,
        "GET businesses": 1,
        "GET appointment_types": 1,
        "GET user": 1,
    }
)
AROUND = Counter({"GET daily_availabilities": 1, "GET availability_blocks": 1, "GET bookings": 2})
CALLS: dict[str, dict[str, Any]] = {
    "clinic_overview": {},
    "find_patients": {"query": "Otto Zimt"},
    "find_times": {"type": "Standard consult", "when": "this week"},
    "book_appointment": {
        "patient": "Otto Zimt", "practitioner": "Ng", "type": "Standard consult", "when": "Friday at 16:00",
    },
    "move_appointment": {"appointment": "OWN", "when": "Friday at 13:00", "practitioner": "Okafor"},
    "cancel_appointment": {"appointment": "OWN", "reason": "sick"},
    "show_diary": {"when": "this week", "limit": 400},
    "block_time": {"practitioner": "Ng", "when": "Friday 16:00 to 16:30", "type": "lunch"},
    "register_patient": {"first_name": "Jo", "last_name": "Park", "born": "3 May 1984", "case": "Knee"},
    "write_treatment_note": {
        "patient": "Otto Zimt", "template": "Visit in short", "visit": "today", "answers": {"Notes": "Fine."},
    },
    "upload_patient_attachment": {
        "patient": "Otto Zimt", "content": b64encode(b"x").decode(), "filename": "a.txt",
    },
    "read_patient_attachment": {"id": "FILE"},
    "set_attendance": {"patient": "Otto Zimt", "state": "arrived"},
    "patient_brief": {"patient": "Otto Zimt", "notes": True},
    "fill_gap": {"practitioner": "Ng", "when": "tomorrow 10 to 10:30"},
    "report": {"kind": "no_shows", "when": "2026-11-16 to 2026-11-24"},
}  # fmt: skip


WARMING: dict[str, dict[str, Any]] = {
    "clinic_overview": {},
    "show_diary": {"when": "today"},
    "find_times": {"type": "Standard consult", "when": "today"},
}
"""The calls that leave the set-up of the clinic in memory."""


def prepared(clinic: Reception, others: int) -> dict[str, str]:
    """A clinic in which Otto has a visit today and one to come, and as many other rows of everything; ids by word."""
    clinic.empty_diary()
    clinic.empty("patient_attachments", "treatment_notes", "patient_forms", "invoices")
    otto = clinic.patient("Otto", "Zimt")
    clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-24 08:30")
    own = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-26 15:00")
    note = {"questions": [{"name": "Notes", "type": "paragraph"}]}
    clinic.put("treatment_note_templates", name="Visit in short", content={"sections": [note]})
    kept = {
        "patient_id": otto,
        "filename": "b.png",
        "content_type": "image/png",
        "size": 9,
        "processed_at": "2026-11-01",
    }
    file = clinic.put("patient_attachments", **{**kept, "processed_at": "2026-11-01T00:00:00Z"})
    clinic.group([otto], NORTHSIDE, "Tom Okafor", "2026-11-18 09:00")
    clinic.book(otto, RIVERSIDE, "Jack Whitfield", "2026-11-20 08:30", arrived=False)
    for number in range(others):
        patient = clinic.patient(f"P{number}", "Other")
        for day in ("2026-11-20 08:30", "2026-11-27 08:30"):
            arrived = False if day < "2026-11-24" else None
            clinic.book(patient, RIVERSIDE, "Jack Whitfield", day, arrived=arrived)
        clinic.book(patient, NORTHSIDE, "Dr Mei Ng", "2026-11-30 09:00")
        clinic.group([patient, otto], NORTHSIDE, "Tom Okafor", "2026-11-19 09:00")
        clinic.put("medical_alerts", patient_id=otto, name=f"Alert {number}")
        clinic.put("patient_forms", patient_id=otto, name=f"Form {number}", completed_at=None)
        clinic.put("patient_attachments", patient_id=otto, filename="a.txt", content_type="text/plain", size=1)
        clinic.put("treatment_notes", patient_id=otto, title=f"Note {number}", draft=True, content=None)
    return {"OWN": own, "FILE": file}


def taken(clinic: Reception) -> Counter[str]:
    """The requests so far, ids left out."""
    paths = (request.path.removeprefix("/v1/").split("/") for request in clinic.sandbox.requests)
    cut = ["/".join(part for part in parts if not part.isdigit()) for parts in paths]
    return Counter(f"{request.method} {path}" for request, path in zip(clinic.sandbox.requests, cut, strict=True))


async def requests_of(clinic: Reception, tool: str, **arguments: Any) -> Counter[str]:
    """The requests of one call that does what it should."""
    clinic.sandbox.requests.clear()
    answer = await clinic.assistant.call(tool, **arguments)
    assert "code" not in answer, answer
    return taken(clinic)


@pytest.mark.long_but_one
@pytest.mark.parametrize("tool", curated.NAMES)
async def test_the_module_states_it_and_rows_of_a_page_change_nothing(tool: str) -> None:
    stated = import_module(f"cliniko_mcp.tools.curated.{tool}").__doc__ or ""
    assert "Requests:" in stated
    counts: list[Counter[str]] = []
    for others in (1, 20):
        async with reception(answer=YES) as clinic:
            ids = prepared(clinic, others)
            arguments = {name: ids.get(str(value), value) for name, value in CALLS[tool].items()}
            counts.append(await requests_of(clinic, tool, **arguments))
    assert counts[0] == counts[1]


@pytest.mark.long_but_one
@pytest.mark.parametrize("tool", curated.NAMES)
async def test_the_module_states_what_its_example_costs_cold_and_with_the_set_up_in_memory(tool: str) -> None:
    stated = re.search(r"\b(\d+) cold, (\d+) warm\b", import_module(f"cliniko_mcp.tools.curated.{tool}").__doc__ or "")
    found: list[int] = []
    for warm in (False, True):
        async with reception(answer=YES) as clinic:
            ids = prepared(clinic, 3)
            for before, arguments in WARMING.items() if warm else ():
                await requests_of(clinic, before, **arguments)
            arguments = {name: ids.get(str(value), value) for name, value in CALLS[tool].items()}
            found.append((await requests_of(clinic, tool, **arguments)).total())
    assert stated is not None, f"{tool}: {found[0]} cold, {found[1]} warm"
    assert found == [int(number) for number in stated.groups()]


async def test_a_move_reads_the_roster_the_booking_its_patient_and_the_diary_around_once_each() -> None:
    async with reception() as clinic:
        ids = prepared(clinic, 5)
        move = Counter(
            {
                "GET bookings": 1,
                "GET patients": 1,
                "PATCH individual_appointments": 1,
                "GET individual_appointments/conflicts": 1,
            }
        )
        found = await requests_of(clinic, "move_appointment", appointment=ids["OWN"], when="Friday at 16:00")
        assert found == ROSTER + AROUND + move
        found = await requests_of(
            clinic, "move_appointment", appointment=ids["OWN"], when="Friday at 13:00", practitioner="Okafor"
        )
        other = ROSTER + AROUND + move + Counter({"GET appointment_types/practitioners": 1})
        assert found == other - ROSTER  # remembered for a while


@pytest.mark.long
async def test_a_booking_takes_what_its_module_states_a_series_its_conflicts_and_a_class_its_place() -> None:
    async with reception() as clinic:
        prepared(clinic, 5)
        clinic.group([], NORTHSIDE, "Priya Nair", "2027-01-21 09:00")
        looked_at = ROSTER + AROUND + Counter({"GET appointment_types/practitioners": 1, "GET patient_cases/active": 1})
        arguments = {**CALLS["book_appointment"], "patient": "Ana Lima"}
        found = await requests_of(clinic, "book_appointment", **arguments, dry_run=True)
        names = Counter({"GET patients": found["GET patients"]})
        assert found == looked_at + names
        looked_at -= ROSTER
        series = await requests_of(clinic, "book_appointment", **arguments, repeat="weekly x3")
        written = Counter({"POST individual_appointments": 1, "GET individual_appointments/conflicts": 3})
        assert series - names == looked_at + written + Counter({"GET bookings": 1})
        place = {"patient": "Ana Lima", "type": "Pilates class", "when": "21 January 2027 at 9"}
        found = await requests_of(clinic, "book_appointment", **place)
        own = Counter({"GET patient_cases/active": 1, "GET bookings": 3, "POST attendees": 1})
        assert found - names == own


async def test_a_class_moves_with_all_who_are_in_it_in_one_request_for_their_files() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        everyone = [clinic.patient(f"P{number}", "Class") for number in range(8)]
        own = clinic.group(everyone, NORTHSIDE, "Priya Nair", "2026-11-26 09:00")
        arguments = {"when": "Friday at 9:00", "dry_run": True}
        found = await requests_of(clinic, "move_appointment", appointment=own, **arguments)
        assert found == ROSTER + AROUND + Counter({"GET bookings": 1, "GET patients": 1})


@pytest.mark.parametrize("group", [False, True])
async def test_a_cancellation_reads_what_is_cancelled_and_asks_on_the_way(group: bool) -> None:
    async with reception(mode="legacy", answer=YES) as clinic:
        clinic.empty_diary()
        otto = clinic.patient("Otto", "Zimt")
        starts = "2026-11-26 15:00"
        others = [clinic.patient(f"P{number}", "Class") for number in range(7)]
        booking = (
            clinic.group([otto, *others], NORTHSIDE, "Priya Nair", starts)
            if group
            else clinic.book(otto, NORTHSIDE, "Dr Mei Ng", starts)
        )
        place = {"patient": otto} if group else {}
        found = await requests_of(clinic, "cancel_appointment", appointment=booking, reason="sick", **place)
        read = Counter({"GET bookings": 1, "GET patients": 1}) + Counter({"GET attendees": 1} if group else {})
        kind = "attendees" if group else "individual_appointments"
        stays = Counter({"GET bookings": 1, "GET invoices": 1})
        own = ROSTER + read + stays + Counter({f"PATCH {kind}/cancel": 1})
        assert own <= found
        # The guard reads what is cancelled before the question and after it, each time with the records named there;
        # once the settings. Staff, site, type and user are known from the roster; without repeats no series is read.
        named = ["patients", *(["bookings"] if group else [])]
        question = Counter(f"GET {name}" for name in [kind, *named])
        assert found - own == question + question + Counter(["GET settings/public"])


async def test_blocking_out_reads_once_and_writes_a_block_for_each_stretch() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        hours = Counter({"GET daily_availabilities": 1, "GET availability_blocks": 1, "GET bookings": 1})
        kinds = Counter({"GET unavailable_block_types": 1})
        one = await requests_of(clinic, "block_time", practitioner="Ng", when="20 January 2027 12 to 1", type="lunch")
        assert one == ROSTER + hours + kinds + Counter({"POST unavailable_blocks": 1})
        many = await requests_of(clinic, "block_time", practitioner="Ng", when="1 to 5 February 2027 mornings")
        assert many == hours + Counter({"POST unavailable_blocks": 5})
