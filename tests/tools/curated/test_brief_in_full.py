"""patient_brief with many visits, their notes and forms, the whole history and a case's sessions, against raw rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cliniko_mcp.results.budget import size

from .raw import shown
from .reception import BOTH, NORTHSIDE, RIVERSIDE, Reception, Row, reception

pytestmark = pytest.mark.anyio
GONE: Row = {"cancelled_at": "2026-11-01T00:00:00Z", "cancellation_reason": 50}
MEI = (NORTHSIDE, "Dr Mei Ng")
LATER = "2026-11-24T01:00:00Z"


def note(clinic: Reception, patient: str, booking: str, title: str, text: str, *, draft: bool = False) -> str:
    content = {"sections": [{"questions": [{"name": "Notes", "type": "paragraph", "answer": text}]}]}
    own: Row = {"patient_id": patient, "booking_id": booking, "attendee_id": clinic.attendee(booking, patient)["id"]}
    return clinic.put("treatment_notes", title=title, draft=draft, content=content, author_name="Mei Ng", **own)


@pytest.mark.long
async def test_each_of_as_many_visits_as_asked_for_has_its_own_note() -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Often")
        days = [f"2026-{month:02d}-{day:02d} 09:00" for month in (9, 10) for day in range(1, 13)]
        booked = [clinic.book(eva, *MEI, day, arrived=True) for day in days]
        for number, booking in enumerate(booked):
            note(clinic, eva, booking, f"Visit {number}", f"What was found {number}. " * 60, draft=number % 2 == 0)
        loose = clinic.put("treatment_notes", patient_id=eva, title="Letter", draft=False, created_at=LATER)
        for visits in (1, 3, 20):
            answer, count = await clinic.counted("patient_brief", patient=eva, notes=True, visits=visits)
            rows = answer["item"]["last_visits"]
            assert [row["appointment_id"] for row in rows] == booked[::-1][:visits]
            for row in rows:
                number = booked.index(row["appointment_id"])
                (own,) = row["free_text"]["treatment_notes"]
                assert own["title"] == f"Visit {number}" and own["text"].startswith(f"Notes: What was found {number}.")
                assert row["note"] == own["state"] == ("draft" if number % 2 == 0 else "final")
            assert loose in {row["id"] for row in answer["item"]["free_text"]["treatment_notes"]}
            assert size(answer) <= 8_000 and count <= 1 + 5 + 7
        plain = await clinic.assistant.call("patient_brief", patient=eva, visits=20)
        assert "What was found" not in str(plain) and len(plain["item"]["last_visits"]) == 20
        wrong = [await clinic.assistant.call("patient_brief", patient=eva, visits=number) for number in (0, 21)]
        assert [answer["code"] for answer in wrong] == ["invalid_arguments"] * 2


async def test_the_coming_visit_has_its_note_whole_and_its_forms_done_and_open() -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Coming")
        before = clinic.book(eva, *MEI, "2026-11-10 09:00", arrived=True)
        coming = clinic.book(eva, *MEI, "2026-11-26 09:00")
        text = "The plan for this visit, told at length. " * 200
        note(clinic, eva, coming, "P" * 120, text, draft=True)
        note(clinic, eva, before, "S" * 121, text)
        own = clinic.attendee(coming)["id"]
        clinic.put("patient_forms", patient_id=eva, name="Pain scale", attendee_id=own, completed_at=None)
        clinic.put("patient_forms", patient_id=eva, name="Intake", attendee_id=own, completed_at="2026-11-20T00:30:00Z")
        clinic.put("patient_forms", patient_id=eva, name="Other", attendee_id=clinic.attendee(before)["id"])
        answer = await clinic.assistant.call("patient_brief", patient=eva, notes=True)
        (row,) = answer["item"]["next_visits"]
        (whole,) = row["free_text"]["treatment_notes"]
        assert whole["text"] == f"Notes: {text.strip()}" and "cut" not in whole and whole["state"] == row["note"]
        assert whole["title"] == "P" * 120
        assert {form["name"]: "completed_at" in form for form in row["forms"]} == {"Pain scale": False, "Intake": True}
        (shortened,) = answer["item"]["last_visits"][0]["free_text"]["treatment_notes"]
        assert "cut" in shortened and shortened["title"] == "S" * 119 + "…"


def by_rows(clinic: Reception, patient: str) -> list[tuple[datetime, str, bool, bool | None]]:
    """Every attendee of a patient whose booking is not archived: start, booking, cancelled, arrived."""
    rows = {row["id"]: row for table in ("individual_appointments", "group_appointments") for row in clinic.rows(table)}
    mine = [row for row in clinic.rows("attendees") if row["patient_id"] == patient and not row.get("archived_at")]
    found = [
        (
            datetime.fromisoformat(rows[row["booking_id"]]["starts_at"]),
            row["booking_id"],
            bool(row.get("cancelled_at")),
            row.get("arrived"),
        )
        for row in mine
        if not rows[row["booking_id"]].get("archived_at")
    ]
    return sorted(found, key=lambda row: row[:3])


VISITS = st.lists(
    st.tuples(
        st.sampled_from(BOTH),
        st.integers(-60, 60).filter(lambda day: day != 0),
        st.booleans(),
        st.booleans(),
        st.sampled_from([True, False, None]),
    ),
    max_size=12,
)


@pytest.mark.long
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=VISITS)
async def test_the_history_is_every_place_ever_taken_in_order_of_time(made: list[Any]) -> None:
    async with reception() as clinic:
        eva, other = clinic.patient("Eva", "History"), clinic.patient("Not", "Eva")
        for (site, name), days, group, cancelled, arrived in made:
            local = f"{datetime(2026, 11, 24) + timedelta(days=days):%Y-%m-%d} 09:00"
            state: Row = GONE if cancelled else {"arrived": arrived if days < 0 else None}
            if group:
                clinic.group([eva, other], site, name, local, states={eva: state})
            else:
                clinic.book(eva, site, name, local, **state)
        answer = await clinic.assistant.call("patient_brief", patient=eva, history=True)
        history = answer["item"]["history"]
        told = [
            (
                shown(row["starts_at"]).astimezone(UTC),
                row["appointment_id"],
                row.get("cancelled", False),
                {"arrived": True, "did not arrive": False}.get(row.get("attendance", "")),
            )
            for row in history
        ]
        assert sorted(told, key=lambda row: row[:3]) == by_rows(clinic, eva)
        assert [row[0] for row in told] == sorted(row[0] for row in told)
        assert all(row["reason"] for row in history if row.get("cancelled"))
        counts = answer["item"]["counts"]
        assert counts["cancelled"] == sum(row[2] for row in told)
        assert counts["no_shows"] == sum(row[3] is False for row in told)
        short = await clinic.assistant.call("patient_brief", patient=eva)
        assert "history" not in short["item"]
        left = [row for row in told if row[2] and row[1] in {r["id"] for r in clinic.rows("group_appointments")}]
        assert any("given-up" in remark for remark in short.get("notes", [])) is bool(left)


async def test_a_long_history_shows_its_end_and_says_how_much_came_before() -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Ever")
        for number in range(230):
            day = datetime(2025, 1, 6) + timedelta(days=2 * number)
            clinic.book(eva, *MEI, f"{day:%Y-%m-%d} 08:30", arrived=True)
        answer = await clinic.assistant.call("patient_brief", patient=eva, history=True, visits=20)
        history = answer["item"]["history"]
        assert size(answer) <= 8_000
        assert f"{230 - len(history)} earlier visits" in " ".join(answer["notes"])
        assert history[-1]["starts_at"].startswith("2026-04-09")


@pytest.mark.parametrize(("counts_missed", "counts_cancelled"), [(False, False), (True, False), (False, True)])
async def test_a_case_tells_every_session_by_its_own_rule(counts_missed: bool, counts_cancelled: bool) -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Case")
        case = clinic.put(
            "patient_cases",
            patient_id=eva,
            name="Care plan",
            max_sessions=4,
            include_dna_attendees=counts_missed,
            include_cancelled_attendees=counts_cancelled,
            expiry_date="2026-12-05",
        )
        clinic.put("patient_cases", patient_id=eva, name="Without a limit")
        own: Row = {"patient_case_id": case}
        clinic.book(eva, *MEI, "2026-11-02 09:00", arrived=True, **own)
        clinic.book(eva, *MEI, "2026-11-09 09:00", arrived=False, **own)
        clinic.book(eva, *MEI, "2026-11-16 09:00", **own, **GONE)
        clinic.group([eva], RIVERSIDE, "Sam Iyer", "2026-11-19 09:00", states={eva: {"arrived": True, **own}})
        clinic.book(eva, *MEI, "2026-11-30 09:00", **own)
        clinic.book(eva, *MEI, "2026-12-07 09:00", **own)
        answer = await clinic.assistant.call("patient_brief", patient=eva)
        sessions = {row["name"]: row["sessions"] for row in answer["item"]["open_cases"]}
        used = 2 + counts_missed + counts_cancelled
        assert sessions["Care plan"] == {
            "max": 4,
            "used": used,
            "booked": 2,
            "left": max(2 - used, 0),
            **({"over": used - 2} if used > 2 else {}),
            "no_shows": 1,
            "no_shows_count": counts_missed,
            "cancelled": 1,
            "cancelled_count": counts_cancelled,
            "last": "2026-11-19T09:00+10:30 Thu",
            "next": "2026-11-30T09:00+11:00 Mon",
            "after_expiry": 1,
        }
        assert sessions["Without a limit"] == {"used": 0, "booked": 0}


@pytest.mark.parametrize("who", ["Eva Brief", "eva brief", "Brief, Eva", "Eva Brief 1990", "ID"])
async def test_the_patient_may_be_said_in_many_ways(who: str) -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Brief", date_of_birth="1990-11-25")
        answer = await clinic.assistant.call("patient_brief", patient=eva if who == "ID" else who)
        assert answer["item"]["id"] == eva


async def test_a_list_of_cancelled_bookings_says_that_places_in_classes_are_not_in_it() -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Left")
        clinic.group([eva], *BOTH[0], "2026-11-26 09:00", states={eva: GONE})
        told = await clinic.assistant.call("list_bookings", patient_ids=eva, cancelled_at="any")
        assert told["items"] == [] and any("places in classes" in remark for remark in told["notes"])
        plain = await clinic.assistant.call("list_bookings", limit=3)
        assert "places in classes" not in str(plain.get("notes"))
