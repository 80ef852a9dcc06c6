"""What holds of every answer in every clinic, also in one without sites, staff, types, zones or names."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from clinics import expected
from clinics.rows import Clinic, Row
from clinics.strategies import clinics
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.results.budget import MAX_TOKENS, size

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\S*(?: [A-Z][a-z]{2}\b)?")
CODES = ("not_found", "ambiguous", "invalid_arguments", "not_understood", "clash", "not_allowed")


def plays(clinic: Clinic) -> Iterator[tuple[str, Row]]:
    """Calls of every curated tool that reads or only checks, as people make them in any clinic."""
    today = clinic.now.date()
    week = f"{today - timedelta(days=3)} to {today + timedelta(days=6)}"
    site = _id(clinic.sites)
    person, kind, patient = _id(clinic.staff), _id(clinic.types), _id(clinic.patients)
    yield "clinic_overview", {}
    yield "show_diary", {"when": week}
    yield "show_diary", {"when": "today", "phones": True, "limit": 400}
    yield "find_times", {"type": kind, "when": week}
    yield "find_times", {"type": kind, "when": week, "kind": "online"}
    yield "find_times", {"type": kind, "when": "tomorrow morning", "business": site, "practitioner": [person]}
    yield "find_patients", {"query": "Ana Lima"}
    yield "find_patients", {"query": "山田"}
    yield "find_patients", {"query": "Nobody at all"}
    yield "patient_brief", {"patient": patient}
    yield "fill_gap", {"practitioner": person, "when": "tomorrow 10 to 11", "business": site}
    booking = {"patient": patient, "practitioner": person, "type": kind, "when": "tomorrow at 10", "dry_run": True}
    yield "book_appointment", booking
    yield "book_appointment", {**booking, "business": site, "repeat": "weekly x3"}
    for row in (*clinic.rows("individual_appointments")[:2], *clinic.rows("group_appointments")[:1]):
        yield "move_appointment", {"appointment": row["id"], "when": "tomorrow at 11", "dry_run": True}
        yield "fill_gap", {"appointment": row["id"]}
    for report in KINDS:
        if KINDS[report].words:
            yield "report", {"kind": report, "words": "Ana"}
            continue
        yield "report", {"kind": report}
        yield "report", {"kind": report, "when": week, "by": [*KINDS[report].groupings], "phones": True}
        if KINDS[report].compared:
            yield "report", {"kind": report, "compare": "previous"}


def _id(rows: list[Row]) -> str:
    return rows[0]["id"] if rows else "404"


@pytest.mark.long
@given(clinics(odd=True), st.data())
@settings(max_examples=40)
def test_no_tool_fails_and_every_answer_keeps_to_its_form(clinic: Clinic, data: st.DataObject) -> None:
    every = list(plays(clinic))
    turn = data.draw(st.integers(0, 3))  # a quarter of the calls in each clinic

    async def act(tools: Tools) -> None:
        for tool, arguments in every[turn::4]:
            answer, changes = await tools.changed(tool, **arguments)
            told = (tool, arguments, answer)
            assert changes == [], told
            assert size(answer) <= MAX_TOKENS, told
            if "code" in answer:
                assert answer["code"] in CODES and answer["fix"], told
                continue
            assert all(well_told(time) for text in _texts(answer) for time in TIME.findall(text)), told
            if answer.get("items") == []:
                assert answer.get("notes") or answer.get("why") or answer.get("summary"), told
            page = answer.get("page")
            if page and not page["complete"]:
                assert answer.get("notes"), told
            assert not [text for text in _texts(answer) if "None" in text or text != text.strip()], told

    play(clinic, act)


def well_told(time: str) -> bool:
    """Whether a time carries its offset and its own weekday."""
    stamp, _, weekday = time.partition(" ")
    moment = datetime.fromisoformat(stamp)
    return moment.utcoffset() is not None and weekday == f"{moment:%a}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=25)
def test_every_label_of_a_diary_is_taken_back_and_means_the_same_record(clinic: Clinic, data: st.DataObject) -> None:
    async def act(tools: Tools) -> None:
        today = clinic.now.date()
        week = f"{today - timedelta(days=3)} to {today + timedelta(days=6)}"
        answer = await tools.call("show_diary", when=week, limit=400)
        sheets = answer["items"]
        names = answer["names"]
        for sheet in sheets:
            who, where = sheet["practitioner"], sheet["business"]
            assert who in names["practitioner_id"] and where in names["business_id"], (sheet, names)
        for who, row_id in names.get("practitioner_id", {}).items():
            again = await tools.call("show_diary", when=week, practitioner=[who], limit=400)
            assert set(again.get("names", {}).get("practitioner_id", {}).values()) == {row_id}, (who, again)
        for where, row_id in names.get("business_id", {}).items():
            again = await tools.call("show_diary", when=week, business=where, limit=400)
            assert set(again.get("names", {}).get("business_id", {}).values()) == {row_id}, (where, again)
        overview = await tools.call("clinic_overview")
        for kind in overview["appointment_types"]:
            found = await tools.call("find_times", type=kind["name"])
            labels = found.get("names", {}).get("appointment_type_id", {})
            candidates = [row["id"] for row in found.get("candidates", [])]
            assert list(labels.values()) == [kind["id"]] or kind["id"] in candidates, (kind, found)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=30)
def test_what_a_checked_booking_says_of_itself_books_the_same_again(clinic: Clinic, data: st.DataObject) -> None:
    person, site = (
        data.draw(st.sampled_from([*filter(expected.in_use, rows)])) for rows in (clinic.staff, clinic.sites)
    )
    kind = clinic.types[0]
    patient = data.draw(st.sampled_from([*filter(expected.in_use, clinic.patients)]))

    async def act(tools: Tools) -> None:
        ids = {"patient": patient["id"], "practitioner": person["id"], "business": site["id"], "type": kind["id"]}
        first = await tools.call("book_appointment", **ids, when="tomorrow at 10", dry_run=True)
        item = first["item"]
        labels = {"practitioner": item["practitioner"], "business": item["business"], "type": item["type"]}
        again = await tools.call(
            "book_appointment", patient=item["patient_id"], **labels, when=item["starts_at"], dry_run=True
        )
        assert again.get("item") == item, (item, again)
        assert again["clashes"] == first["clashes"]
        brief = await tools.call("patient_brief", patient=item["patient"])
        twins = [row["id"] for row in brief.get("candidates", []) if brief["code"] == "ambiguous"]
        assert brief.get("item", {}).get("id") == patient["id"] or patient["id"] in twins, (item, brief)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=40)
def test_a_patient_s_whole_name_finds_all_of_that_name_and_the_file_of_none_other(
    clinic: Clinic, data: st.DataObject
) -> None:
    named = [row for row in clinic.patients if row.get("label")]
    if not named:
        return
    row = data.draw(st.sampled_from(named))
    spoken = data.draw(st.sampled_from([row["label"], row["label"].upper(), " ".join(reversed(row["label"].split()))]))
    wanted = expected.named(clinic.patients, row["label"])

    async def act(tools: Tools) -> None:
        found = await tools.call("find_patients", query=spoken, limit=50)
        shown = [patient["id"] for patient in found["items"]]
        assert set(shown) >= wanted, (spoken, found)
        assert set(shown[: len(wanted)]) == wanted or any(patient.get("is") for patient in found["items"]), found
        brief = await tools.call("patient_brief", patient=spoken)
        live = {one["id"] for one in clinic.patients if one["id"] in wanted and expected.in_use(one)}
        if len(live or wanted) == 1:
            assert brief["item"]["id"] in (live or wanted), (spoken, brief)
        else:
            assert brief["code"] == "ambiguous"
            assert {one["id"] for one in brief["candidates"]} <= (live or wanted), brief

    play(clinic, act)
