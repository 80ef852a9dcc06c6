"""Cases, forms, alerts, notes, sources and contacts are those of the rows, at several clocks."""

import re
import unicodedata
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from .demo import CLOCKS, reports
from .over_port import Port, Row
from .recount import DAY, Recount, share, spans, total

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("now", CLOCKS)
async def test_cases(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    open_ = [
        row
        for row in port.rows("patient_cases")
        if not row.get("closed_at") and not row.get("archived_at")
        if not row.get("expiry_date") or date.fromisoformat(row["expiry_date"]) >= recount.today
    ]
    starts = {
        row["id"]: datetime.fromisoformat(row["starts_at"])
        for table in ("individual_appointments", "group_appointments")
        for row in port.rows(table)
    }
    left: dict[str, int | None] = {}
    counted: dict[str, tuple[int, int]] = {}
    for row in open_:
        places = [
            place
            for place in port.rows("attendees")
            if place.get("patient_case_id") == row["id"] and not place.get("archived_at")
            if not place.get("cancelled_at") or row.get("include_cancelled_attendees")
            if place.get("arrived") is not False or row.get("include_dna_attendees")
        ]
        ahead = sum(starts[place["booking_id"]] > recount.now for place in places)
        counted[row["id"]] = len(places) - ahead, ahead
        left[row["id"]] = row["max_sessions"] - len(places) if row.get("max_sessions") else None
    limited = [number for number in left.values() if number is not None]
    soon = [
        row for row in open_
        if row.get("expiry_date") and date.fromisoformat(row["expiry_date"]) <= recount.today + 30 * DAY
    ]  # fmt: skip
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("cases")
        assert answer["summary"] == {
            "open_cases": {"count": len(open_)},
            "with_a_session_limit": share(len(limited), len(open_)),
            "without_a_session_left": share(sum(number <= 0 for number in limited), len(limited)),
            "with_one_or_two_sessions_left": share(sum(0 < number <= 2 for number in limited), len(limited)),
            "over_their_limit": share(sum(number < 0 for number in limited), len(limited)),
            "expiring_within_30_days": share(len(soon), len(open_)),
        }
        assert {row["case_id"]: (row["used"], row["booked"]) for row in answer["items"]} == counted
        assert {row["case_id"]: row.get("left") for row in answer["items"]} == left
        shown = [row["left"] for row in answer["items"] if "left" in row]
        assert shown == sorted(shown)
        soon_only = await tool.call("cases", when=f"{recount.today} to {recount.today + 30 * DAY}")
        assert {row["case_id"] for row in soon_only["items"]} == {row["id"] for row in soon}


@pytest.mark.parametrize("now", CLOCKS)
async def test_forms(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        for when, first, last in (
            (None, recount.today, recount.today + 6 * DAY),
            ("last month", *spans(recount.today)["last month"]),
        ):
            answer = await tool.call("forms", when=when, by=["practitioner"])
            live = [row for row in port.rows("patient_forms") if not row.get("archived_at")]
            waiting = [row for row in live if not row.get("completed_at")]
            done = [
                row for row in live
                if row.get("completed_at")
                and first
                <= datetime.fromisoformat(row["completed_at"]).astimezone(recount.zones[row["business_id"]]).date()
                <= last
            ]  # fmt: skip
            visits = [visit for visit in recount.within(first, last) if not visit.cancelled]
            mine = {(visit.booking, visit.patient): visit for visit in visits}
            attendee = {row["id"]: row["booking_id"] for row in port.rows("attendees")}
            booked = {row["id"]: attendee.get(str(row.get("attendee_id"))) for row in waiting}
            open_ = [row for row in waiting if (booked[row["id"]], row["patient_id"]) in mine]
            assert answer["summary"] == {
                "open_forms": {"count": len(open_)},
                "visits_with_an_open_form": share(
                    len({(booked[row["id"]], row["patient_id"]) for row in open_}), len(visits)
                ),
                "forms_completed": {"count": len(done)},
                "open_forms_without_a_visit": {"count": sum(not booked[row["id"]] for row in waiting)},
            }, when
            assert {row["form_id"] for row in answer["items"]} == {row["id"] for row in open_}
            who = Counter(
                recount.name("practitioners", mine[str(booked[row["id"]]), row["patient_id"]].who) for row in open_
            )
            assert {row["name"]: row["count"] for row in answer["by"]["practitioner"]["rows"]} == who


@pytest.mark.parametrize("now", CLOCKS)
async def test_alerts(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    live = [row for row in port.rows("medical_alerts") if not row.get("archived_at")]
    live = [row for row in live if row["patient_id"] in recount.in_use]
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("alerts", when="more than 300 days ago")
        latest = recount.today - 300 * DAY
        old = [
            row for row in live
            if datetime.fromisoformat(row["updated_at"]).astimezone(recount.home).date() <= latest
        ]  # fmt: skip
        assert answer["summary"] == {
            "alerts_not_touched": share(len(old), len(live)),
            "patients_with_such_alerts": {"count": len({row["patient_id"] for row in old})},
        }
        assert {row["alert_id"] for row in answer["items"]} == {row["id"] for row in old}


def plain(text: str) -> str:
    """Words in small letters without accents, one space apart."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", re.sub(r"<[^>]*>", " ", bare).replace("'", "")).strip()


def answers(content: Any) -> list[str]:
    """Everything that was answered in a note: texts, and the choices that were taken."""
    found: list[str] = []
    for section in (content or {}).get("sections", []):
        for question in section.get("questions", []):
            found.append(str(question.get("answer") or ""))
            found += [str(one["value"]) for one in question.get("answers") or [] if one.get("selected")]
    return found


@pytest.mark.parametrize("now", [CLOCKS[0], CLOCKS[3]])
async def test_words_in_notes(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    first, last = recount.today - 365 * DAY, recount.today - DAY
    notes = [
        row for row in port.rows("treatment_notes")
        if not row.get("archived_at")
        and first <= datetime.fromisoformat(row["created_at"]).astimezone(recount.home).date() <= last
    ]  # fmt: skip
    async with reports(sandbox, recount.now) as tool:
        for words in ("sleeping well", "SLEEPING WELL; exercises", "walk", "no such words"):
            answer = await tool.call("find_in_notes", words=words, by=["practitioner"])
            found = {
                row["id"] for row in notes
                if any(f" {plain(words)}" in f" {plain(text)}" for text in answers(row.get("content")))
            }  # fmt: skip
            assert found or words == "no such words"
            assert {row["note_id"] for row in answer["items"]} == found, words
            assert answer["summary"]["notes_with_the_words"] == share(len(found), len(notes))
            for row in answer["items"]:
                quote = row["free_text"]["quote"]
                assert plain(words) in plain(quote) and len(quote) <= len(words) + 104
            assert sum(row["of"] for row in answer["by"]["practitioner"]["rows"]) == len(notes)


@pytest.mark.parametrize("now", CLOCKS)
async def test_sources(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    first, last = recount.today - 90 * DAY, recount.today - DAY
    new = {patient for patient, visit in recount.first_kept.items() if first <= visit.day <= last}
    kinds = {row["id"]: row["name"] for row in port.rows("referral_source_types")}
    source = {row["patient_id"]: kinds[row["referral_source_type_id"]] for row in port.rows("referral_sources")}
    invoices = [row for row in port.rows("invoices") if not row.get("archived_at") and row["status"] in (10, 20)]
    worth = {
        patient: sum((Decimal(row["total_amount"]) for row in invoices if row["patient_id"] == patient), Decimal())
        for patient in new
    }
    groups: dict[str, list[str]] = {}
    for patient in new:
        groups.setdefault(source.get(patient, "no source"), []).append(patient)
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("sources", when="last 90 days", by=["practitioner"])
        assert answer["summary"] == {
            "invoiced_to_new_patients": {"count": len(new), "total": total(worth.values())},
            "new_patients_with_a_source": share(len(new & source.keys()), len(new)),
        }
        assert {row.pop("name"): row for row in answer["by"]["source"]["rows"]} == {
            name: {"count": len(some), "total": total(worth[patient] for patient in some)}
            for name, some in groups.items()
        }
        counts: Counter[str] = Counter()
        for row in answer["items"]:
            counts[row["source"]] += row["new_patients"]
        assert counts == {name: len(some) for name, some in groups.items()}


async def test_missing_contacts(clinic: tuple[Sandbox, Port]) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(CLOCKS[0]))
    patients = [row for row in port.rows("patients") if row["id"] in recount.in_use]

    def phones(row: Row) -> list[Row]:
        return [one for one in row.get("patient_phone_numbers") or [] if len(re.sub(r"\D", "", one["number"])) >= 6]

    def missing(row: Row) -> set[str]:
        mobile = any(one["phone_type"] == "Mobile" for one in phones(row))
        lacks = {
            "phone": not phones(row),
            "email": not row.get("email"),
            "mobile for SMS reminders": not mobile and "SMS" in (row.get("reminder_type") or ""),
        }
        return {name for name, lacking in lacks.items() if lacking}

    every = [missing(row) for row in patients]
    async with reports(sandbox, recount.now + timedelta(minutes=1)) as tool:
        answer = await tool.call("missing_contacts")
        wanted = {
            "patients_without_phone": sum("phone" in one for one in every),
            "patients_without_email": sum("email" in one for one in every),
            "patients_without_either": sum({"phone", "email"} <= one for one in every),
            "patients_with_phone_only": sum("email" in one and "phone" not in one for one in every),
            "patients_with_email_only": sum("phone" in one and "email" not in one for one in every),
            "sms_reminders_without_mobile": sum("mobile for SMS reminders" in one for one in every),
        }
        assert {name: answer["summary"][name] for name in wanted} == {
            name: share(number, len(patients)) for name, number in wanted.items()
        }
        own = "emergency contact other than themselves"
        shown = {row["patient_id"]: {*row["missing"]} - {own} for row in answer["items"]}
        lacking = {row["id"]: one for row, one in zip(patients, every, strict=True) if one}
        assert {patient: one for patient, one in shown.items() if one} == lacking
