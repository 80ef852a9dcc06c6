"""The diary of generated clinics against their raw rows, and against what other tools say of the same time."""

from datetime import UTC, timedelta
from typing import Any

import pytest
from clinics import expected
from clinics.rows import Clinic, Row
from clinics.strategies import clinics, days
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from cliniko_mcp.frontdesk.reports.facts import GROUPINGS

Stretch = tuple[int, int]


def stretches(minutes: set[int]) -> list[Stretch]:
    """Minutes as half-open stretches, in order."""
    found: list[Stretch] = []
    for step in sorted(minutes):
        if found and found[-1][1] == step:
            found[-1] = (found[-1][0], step + 1)
        else:
            found.append((step, step + 1))
    return found


def local(stretch: Stretch, clinic: Clinic, site: Row) -> tuple[str, str]:
    """A stretch within a day as `09:00`, `24:00`."""
    first, last = (expected.at(step).astimezone(expected.zone_of(site, clinic)) for step in stretch)
    return f"{first:%H:%M}", f"{last:%H:%M}" if last.date() == first.date() else "24:00"


def parts(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.split("-")) for part in text.split(", ")] if text else []


async def whole(tools: Tools, **arguments: Any) -> list[Row]:
    """Every sheet of a diary, with what the calls under `next` show too; sheets that were cut are put together."""
    answer = await tools.call("show_diary", **arguments)
    assert "items" in answer, answer
    found = list(answer["items"])
    assert answer["page"]["complete"] is ("next" not in answer)
    for call in answer.get("next", []):
        found += await whole(tools, **call)
    return found


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=35)
def test_a_day_shows_exactly_the_entries_of_the_rows_each_once(clinic: Clinic, data: st.DataObject) -> None:
    site = data.draw(st.sampled_from([site for site in clinic.sites if expected.in_use(site)]))
    day = data.draw(days(clinic, expected.zone_of(site, clinic)))

    async def act(tools: Tools) -> None:
        sheets = await whole(tools, when=day.isoformat(), business=site["id"])
        shown = [entry["id"] for sheet in sheets for entry in sheet["entries"]]
        assert sorted(shown) == sorted(expected.entries(clinic, site, day))
        over = [entry["id"] for sheet in sheets for entry in sheet.get("began_before", [])]
        assert sorted(over) == sorted(expected.running_over(clinic, site, day))
        assert all(sheet["day"] == f"{day} {day:%a}" for sheet in sheets)

    play(clinic, act)


@given(clinics(), st.data())
@settings(max_examples=25)
def test_hours_and_gaps_of_a_sheet_are_what_the_rows_leave(clinic: Clinic, data: st.DataObject) -> None:
    site = data.draw(st.sampled_from([site for site in clinic.sites if expected.in_use(site)]))
    person = data.draw(st.sampled_from(clinic.staff))
    day = data.draw(days(clinic, expected.zone_of(site, clinic)))
    minutes = expected.worked(clinic, person["id"], site, day)
    free = expected.free(clinic, person["id"], site, day)

    async def act(tools: Tools) -> None:
        asked = {"when": day.isoformat(), "business": site["id"], "practitioner": [person["id"]]}
        answer = await tools.call("show_diary", **asked, limit=400)
        sheet: Row = next(iter(answer["items"]), {})
        assert len(answer["items"]) <= 1
        assert parts(sheet.get("hours", "")) == [local(part, clinic, site) for part in stretches(minutes)]
        assert parts(sheet.get("gaps", "")) == [local(part, clinic, site) for part in stretches(free)]
        assert answer["totals"]["free_minutes"] == len(free)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=25)
def test_what_the_diary_calls_a_gap_find_times_offers_and_nothing_else(clinic: Clinic, data: st.DataObject) -> None:
    kind = clinic.types[0]
    site = clinic.sites[0]
    day = data.draw(days(clinic, expected.zone_of(site, clinic), 1))

    async def act(tools: Tools) -> None:
        asked = {"when": day.isoformat(), "business": site["id"]}
        sheets = await whole(tools, **asked)
        found = await tools.call("find_times", type=kind["id"], minutes=5, **asked, limit=100)
        gaps = [(sheet["practitioner"], part) for sheet in sheets for part in parts(sheet.get("gaps", ""))]
        for row in found["items"]:
            at = row["starts_at"].split(" ")[0][11:16]
            assert any(who == row["practitioner"] and low <= at < high for who, (low, high) in gaps), (row, gaps)
        if expected.offered(kind, site) and not found["items"]:
            for who in kind["practitioner_ids"]:
                free = expected.free(clinic, who, site, day)
                assert not any(last - first >= 5 for first, last in stretches(free)), (who, found)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=25)
def test_diary_and_reports_count_the_same_attendance_as_the_rows(clinic: Clinic, data: st.DataObject) -> None:
    last = clinic.now.astimezone(UTC).date()
    first = last - timedelta(days=data.draw(st.integers(1, 4)))
    counts = expected.attendance(clinic, first, last)
    due = counts["arrived"] + counts["missed"] + counts["not marked"]

    async def act(tools: Tools) -> None:
        when = f"{first} to {last}"
        diary = (await tools.call("show_diary", when=when))["totals"]
        missed = await tools.call("report", kind="no_shows", when=when, limit=200, by=["practitioner", "site", "hour"])
        cancelled = await tools.call("report", kind="cancellations", when=when, limit=200, by=["type", "weekday"])
        summary = missed["summary"]
        assert (summary["no_shows"]["count"], summary["no_shows"]["of"]) == (counts["missed"], due)
        assert summary["visits_not_marked"]["count"] == counts["not marked"]
        assert sum(row["no_shows"] for row in missed["items"]) == counts["missed"]
        share = cancelled["summary"]["cancelled"]
        assert (share["count"], share["of"]) == (counts["cancelled"], counts.total())
        assert len(cancelled["items"]) == counts["cancelled"]
        assert diary.get("no_shows", 0) == counts["missed"]
        assert diary.get("arrived", 0) == counts["arrived"]
        assert diary.get("cancelled", 0) == counts["cancelled"]
        for report in (missed, cancelled):
            breakdowns(report)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=25)
def test_utilisation_is_the_minutes_of_the_rows_and_its_rows_sum_to_the_whole(
    clinic: Clinic, data: st.DataObject
) -> None:
    first = data.draw(days(clinic, expected.zone_of(clinic.sites[0], clinic), -3, 2))
    stretch = [first, first + timedelta(days=1)]
    wanted = {
        row["id"]: [len(minutes) for minutes in expected.hours_of(clinic, row["id"], stretch)] for row in clinic.staff
    }

    async def act(tools: Tools) -> None:
        answer = await tools.call("report", kind="utilisation", when=f"{stretch[0]} to {stretch[-1]}", limit=200)
        shown = sorted((row["open_hours"], row["booked_hours"], row["free_hours"]) for row in answer["items"])
        told = [(open_, booked, open_ - inside) for open_, booked, inside in wanted.values() if open_ or booked]
        assert shown == sorted(tuple(round(minutes / 60, 2) for minutes in row) for row in told)
        for place, name in enumerate(("open_hours", "booked_hours", "free_hours")):
            assert answer["summary"][name]["count"] == round(sum(row[place] for row in told) / 60, 2)

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=25)
def test_visits_without_a_bill_or_a_note_are_those_that_took_place(clinic: Clinic, data: st.DataObject) -> None:
    last = clinic.now.astimezone(UTC).date()
    first = last - timedelta(days=data.draw(st.integers(1, 4)))
    counts = expected.attendance(clinic, first, last)
    came = counts["arrived"] + counts["not marked"]

    async def act(tools: Tools) -> None:
        for kind, name in (("unbilled", "unbilled_visits"), ("missing_notes", "visits_without_final_note")):
            answer = await tools.call("report", kind=kind, when=f"{first} to {last}", limit=200, by=["practitioner"])
            share = answer["summary"][name]
            assert share["count"] == share["of"] == came == len(answer["items"])
            breakdowns(answer)
        assert answer["summary"]["visits_without_any_note"]["count"] == came

    play(clinic, act)


def breakdowns(report: Row) -> None:
    """The parts of each breakdown of a report sum to its first figure."""
    first = next(iter(report["summary"].values()))
    for name, found in report["by"].items():
        assert sum(row["count"] for row in found["rows"]) == first["count"], name
        if name in GROUPINGS:
            assert sum(row["of"] for row in found["rows"]) == first["of"], name
