"""Cases, forms, alerts, notes, sources and contacts are those of the rows, at several clocks."""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from cliniko_mcp.sandbox.core import Sandbox

from . import expected_papers as expected
from .demo import CLOCKS, reports
from .over_port import Port
from .recount import DAY, Recount, share, spans, total

pytestmark = [pytest.mark.anyio, pytest.mark.long]


@pytest.mark.parametrize("now", CLOCKS)
async def test_cases(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    open_ = expected.open_cases(recount)
    visits = {row["id"]: expected.sessions(recount, row) for row in open_}
    left = {
        row["id"]: row["max_sessions"] - len(visits[row["id"]]) if row.get("max_sessions") else None for row in open_
    }
    counted = {
        row_id: (sum(start <= recount.now for start in starts), sum(start > recount.now for start in starts))
        for row_id, starts in visits.items()
    }
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("cases")
        assert answer["summary"] == expected.cases(recount, date.min, date.max)
        assert {row["case_id"]: (row["used"], row["booked"]) for row in answer["items"]} == counted
        assert {row["case_id"]: row.get("left") for row in answer["items"]} == left
        shown = [row["left"] for row in answer["items"] if "left" in row]
        assert shown == sorted(shown)
        soon = recount.today, recount.today + 30 * DAY
        answer = await tool.call("cases", when=f"{soon[0]} to {soon[1]}")
        assert answer["summary"] == expected.cases(recount, *soon)


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
            open_ = expected.open_forms(recount, first, last)
            assert answer["summary"] == expected.forms(recount, first, last), when
            waiting = [row["form_id"] for row in answer["items"] if "completed_at" not in row]
            assert set(waiting) == {row["id"] for row, _ in open_}
            done = expected.completed_forms(recount, first, last)
            assert {row["form_id"] for row in answer["items"][len(waiting) :]} == {row["id"] for row in done}
            mei = await tool.call("forms", when=when, practitioner="Mei Ng")
            visits = {visit.booking: visit.who for visit in recount.visits}
            attendee = {row["id"]: row["booking_id"] for row in port.rows("attendees")}
            whose = [
                visits.get(row.get("booking_id") or attendee.get(row.get("attendee_id") or "", "")) for row in done
            ]
            names = [who and recount.name("practitioners", who) for who in whose]
            assert mei["summary"]["forms_completed"] == {"count": names.count("Dr Mei Ng")}
            assert "open_forms_without_a_visit" not in mei["summary"]
            kinds = Counter(row["name"] for row, _ in open_)
            assert {row["name"]: row["count"] for row in answer["by"]["form"]["rows"]} == kinds
            who = Counter(recount.name("practitioners", visit.who) for _, visit in open_)
            assert {row["name"]: row["count"] for row in answer["by"]["practitioner"]["rows"]} == who


@pytest.mark.parametrize("now", CLOCKS)
async def test_alerts(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("alerts", when="more than 300 days ago")
        latest = recount.today - 300 * DAY
        assert answer["summary"] == expected.alerts(recount, date.min, latest)
        old = expected.old_alerts(recount, date.min, latest)
        assert {row["alert_id"] for row in answer["items"]} == {row["id"] for row in old}


@pytest.mark.parametrize("now", [CLOCKS[0], CLOCKS[3]])
async def test_words_in_notes(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    days = recount.today - 365 * DAY, recount.today - DAY
    async with reports(sandbox, recount.now) as tool:
        for words in ("sleeping well", "SLEEPING WELL; exercises", "walk", "no such words"):
            answer = await tool.call("find_in_notes", words=words, by=["practitioner"])
            found = expected.notes_with(recount, *days, words)
            assert found or words == "no such words"
            assert {row["note_id"] for row in answer["items"]} == {row["id"] for row in found}, words
            assert answer["summary"] == expected.find_in_notes(recount, *days, words)
            for row in answer["items"]:
                quote = row["free_text"]["quote"]
                assert expected.plain(words) in expected.plain(quote) and len(quote) <= len(words) + 104
            assert (
                sum(row["of"] for row in answer["by"]["practitioner"]["rows"])
                == answer["summary"]["notes_with_the_words"]["of"]
            )


@pytest.mark.parametrize("now", CLOCKS)
async def test_sources(clinic: tuple[Sandbox, Port], now: str) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(now))
    first, last = recount.today - 90 * DAY, recount.today - DAY
    new = expected.new_patients(recount, first, last)
    source, worth = expected.source_of(recount), expected.worth_of(recount, new)
    groups: dict[str, list[str]] = {}
    for patient in new:
        groups.setdefault(source.get(patient, "no source"), []).append(patient)
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("sources", when="last 90 days", by=["practitioner"])
        assert answer["summary"] == expected.sources(recount, first, last)
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
    async with reports(sandbox, recount.now + timedelta(minutes=1)) as tool:
        answer = await tool.call("missing_contacts")
        assert answer["summary"] == {
            **expected.missing_contacts(recount),
            "emergency_contact_is_their_own": answer["summary"]["emergency_contact_is_their_own"],
        }
        own = "emergency contact other than themselves"
        shown = {row["patient_id"]: {*row["missing"]} - {own} for row in answer["items"]}
        every = {row["id"]: expected.lacking(row) for row in port.rows("patients") if row["id"] in recount.in_use}
        lacking = {patient: one for patient, one in every.items() if one}
        assert {patient: one for patient, one in shown.items() if one} == lacking


async def test_words_in_the_notes_of_one_patient(clinic: tuple[Sandbox, Port]) -> None:
    sandbox, port = clinic
    recount = Recount(port.rows, datetime.fromisoformat(CLOCKS[0]))
    live = [row for row in port.rows("treatment_notes") if not row.get("archived_at")]
    often, _ = Counter(row["patient_id"] for row in live).most_common(1)[0]
    mine = [row for row in live if row["patient_id"] == often]
    holding = {
        row["id"] for row in mine
        if any(" walk" in f" {expected.plain(text)}" for text in expected.answers(row["content"]))
    }  # fmt: skip
    recent = {row["id"] for row in expected.notes_with(recount, recount.today - 365 * DAY, recount.today - DAY, "walk")}
    async with reports(sandbox, recount.now) as tool:
        answer = await tool.call("find_in_notes", words="walk", patient=often)
        assert holding and {row["note_id"] for row in answer["items"]} == holding
        assert answer["summary"]["notes_with_the_words"] == share(len(holding), len(mine))
        assert answer["when"] == "all time" and answer["patient"] == answer["items"][0]["patient"]
        answer = await tool.call("find_in_notes", words="walk", patient=often, when="last 365 days")
        assert {row["note_id"] for row in answer["items"]} == holding & recent
        assert (await tool.error("no_shows", patient=often))["code"] == "invalid_arguments"
