"""show_diary and find_times over the demo clinic and made-up days, against the raw rows counted another way."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .raw import Raw, check_free, shown
from .reception import BOTH, NORTHSIDE, RIVERSIDE, ZONES, Reception, Row, reception, utc

pytestmark = pytest.mark.anyio
SUMMER, WINTER = "2026-10-01T08:30:00+10:00", "2027-04-01T16:30:00+11:00"
"""Mornings and afternoons before the two changes of the clock, on 4 October 2026 and 4 April 2027."""


def clock(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def minutes_of(gaps: str | None) -> set[int]:
    """The minutes after midnight that `09:30-10:00, 11:00-24:00` covers."""
    pairs = [gap.split("-") for gap in (gaps or "").split(", ") if gap]
    return {minute for low, high in pairs for minute in range(clock(low), clock(high))}


def free_minutes(raw: Raw, who: str, where: str, day: date) -> set[int]:
    """The free minutes of a day by the clock of the site, minute by minute from the raw rows."""
    zone = raw.zone(where)
    start, end = (datetime.combine(day + timedelta(days=step), time(), zone).astimezone(UTC) for step in (0, 1))
    found: set[int] = set()
    while start < end:
        if raw.working(who, where, start) and not raw.taken(who, start):
            local = start.astimezone(zone)
            found.add(local.hour * 60 + local.minute)
        start += timedelta(minutes=1)
    return found


def expected_patients(raw: Raw, day: date) -> set[str]:
    """Who is booked in on a day by the clocks of the sites: live appointments and live places in live classes."""
    rows = [row for row in raw.on_day(day) if not row.get("cancelled_at")]
    classes = {row["id"] for row in rows if "max_attendees" in row}
    alone = {row["patient_id"] for row in rows if row["id"] not in classes}
    places = {row["patient_id"] for row in raw.live("attendees") if row["booking_id"] in classes}
    return alone | places


def off_by_rows(raw: Raw, day: date) -> dict[str, bool]:
    """The active practitioners not at work on a day, by name, and whether blocked-out time is why."""
    found: dict[str, bool] = {}
    blocks = raw.live("unavailable_blocks")
    for person in raw.live("practitioners"):
        if not person["active"]:
            continue
        worked: set[datetime] = set()
        for site in raw.live("businesses"):
            zone = raw.zone(site["id"])
            at = datetime.combine(day, time(), zone).astimezone(UTC)
            end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
            while at < end:
                if raw.working(person["id"], site["id"], at):
                    worked.add(at)
                at += timedelta(minutes=15)
        mine = [row for row in blocks if row["practitioner_id"] == person["id"]]
        spans = [tuple(datetime.fromisoformat(row[end]) for end in ("starts_at", "ends_at")) for row in mine]
        if not worked:
            found[person["label"]] = False
        elif all(any(low <= at < high for low, high in spans) for at in worked):
            found[person["label"]] = True
    return found


def entries(answer: Row) -> Iterator[Row]:
    for sheet in answer["items"]:
        yield from sheet["entries"]


DAYS = {"yesterday's diary": 23, "today": 24, "tomorrow": 25, "the diary for Friday": 27, "Saturday": 28, "Sunday": 29}


@pytest.mark.long
@pytest.mark.parametrize("when", DAYS)
async def test_a_run_sheet_holds_the_same_entries_in_order_of_time_with_a_head_count(when: str) -> None:
    async with reception() as clinic:
        raw = Raw(clinic.assistant)
        plain = await clinic.assistant.call("show_diary", when=when, limit=400)
        sheet = await clinic.assistant.call("show_diary", when=when, limit=400, run_sheet=True)
        assert {row["id"] for row in entries(plain)} == {row["id"] for row in entries(sheet)}
        assert plain["totals"] == sheet["totals"] and plain.get("off") == sheet.get("off")
        for row in sheet["items"]:
            starts = [entry["at"] for entry in row["entries"]]
            assert starts == sorted(starts) and "practitioner" not in row
            assert all(entry["practitioner"] for entry in row["entries"])
        day = date(2026, 11, DAYS[when])
        assert plain["totals"].get("patients", 0) == len(expected_patients(raw, day))
        off = {row["practitioner"]: row["why"] for row in plain.get("off", [])}
        wanted = off_by_rows(raw, day)
        assert off.keys() == wanted.keys()
        assert all((off[name] != "no working hours") is blocked for name, blocked in wanted.items())
        for item in plain["items"]:
            who, where = raw.id("practitioners", item["practitioner"]), raw.id("businesses", item["business"])
            assert minutes_of(item.get("gaps")) == free_minutes(raw, who, where, day)
        told = await clinic.assistant.call("show_diary", when=plain["when"], limit=400)
        assert told["when"] == plain["when"]


@pytest.mark.parametrize(
    "when", ["yesterday's list", "yesterday", "the diary of yesterday", "yesterday's day sheet", "23 November"]
)
async def test_yesterday_is_read_as_it_is_said_or_as_the_next_such_day(when: str) -> None:
    async with reception() as clinic:
        answer = await clinic.assistant.call("show_diary", when=when)
        year = 2027 if when == "23 November" else 2026
        assert answer["when"].startswith(("Monday 23 November 2026", "Tuesday 23 November 2027")[year - 2026])


async def test_leave_is_named_and_what_is_booked_in_it_is_counted() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        call = clinic.assistant.call
        made = await call("block_time", practitioner="Ng", when="18 to 20 January 2027", type="Leave")
        assert made["items"]
        clinic.book(clinic.patient("Eva", "Kept"), NORTHSIDE, "Dr Mei Ng", "2027-01-19 10:00")
        answer = await call("show_diary", when="18 to 21 January 2027", practitioner=["Ng"])
        (row,) = answer["off"]
        assert row == {
            "practitioner": "Dr Mei Ng", "day": "2027-01-18 Mon", "to": "2027-01-20 Wed", "why": "Leave", "booked": 1,
        }  # fmt: skip
        month = await call("show_diary", when="January 2027", practitioner=["Ng"])
        assert [row["why"] for row in month["off"]] == ["Leave"]
        there = await call("show_diary", when="21 January 2027", practitioner=["Sam"], business=NORTHSIDE)
        assert there["off"] == [{"practitioner": "Sam Iyer", "day": "2027-01-21 Thu", "why": f"at {RIVERSIDE}"}]


async def test_online_booking_that_is_off_and_alerts_are_said() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("medical_alerts")
        eva, tom = clinic.patient("Eva", "Latex"), clinic.patient("Tom", "Well")
        clinic.put("medical_alerts", patient_id=eva, name="Latex allergy")
        clinic.put("medical_alerts", patient_id=tom, name="Resolved", archived_at="2026-11-01T00:00:00Z")
        clinic.book(eva, NORTHSIDE, "Lena Brandt", "2026-11-25 10:00")
        clinic.group([eva, tom], NORTHSIDE, "Priya Nair", "2026-11-25 16:00")
        answer = await clinic.assistant.call("show_diary", when="tomorrow")
        assert answer["online_off"] == ["Lena Brandt"]
        assert answer["totals"]["patients"] == 2 and answer["totals"]["alerts"] == 1
        marked = [row for entry in entries(answer) for row in (entry, *entry.get("attendees", ())) if row.get("alert")]
        assert {row["patient_id"] for row in marked} == {eva} and len(marked) == 2
        assert "Latex allergy" not in str(answer)


@pytest.mark.long
async def test_a_day_a_week_and_a_month_without_entries_say_so() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        for when in ("tomorrow", "Sunday", "next week", "January 2027", "this weekend"):
            answer = await clinic.assistant.call("show_diary", when=when)
            assert answer["page"]["total"] == 0
            assert any("othing is booked or blocked out" in note for note in answer["notes"]), when
        clinic.book(clinic.patient("Eva", "Alone"), NORTHSIDE, "Dr Mei Ng", "2026-12-02 10:00")
        week = await clinic.assistant.call("show_diary", when="30 November to 2 December 2026")
        assert "Nothing is booked or blocked out on Monday 30 November 2026, Tuesday 1 December 2026." in week["notes"]
        month = await clinic.assistant.call("show_diary", when="December 2026")
        assert "On 30 of the 31 days nothing is booked or blocked out." in month["notes"]


@pytest.mark.long
async def test_gaps_stay_with_their_day_where_the_answer_is_cut_in_it() -> None:
    async with reception() as clinic:
        raw = Raw(clinic.assistant)
        for arguments in ({"limit": 5}, {"limit": 5, "run_sheet": True}, {}):
            answer = await clinic.assistant.call("show_diary", when="today", **arguments)
            assert not answer["page"]["complete"]
            for item in answer["items"]:
                where = raw.id("businesses", item["business"])
                shown_gaps = item.get("free") or {item["practitioner"]: item.get("gaps")}
                for name, gaps in shown_gaps.items():
                    who = raw.id("practitioners", name)
                    assert minutes_of(gaps) == free_minutes(raw, who, where, date(2026, 11, 24))
            seen = {row["id"] for row in entries(answer)}
            for call in answer["next"]:
                more = await clinic.assistant.call("show_diary", **call, limit=400)
                assert "code" not in more
                seen |= {row["id"] for row in entries(more)}
            assert len(seen) == answer["page"]["total"]


VISITS = st.lists(
    st.tuples(st.sampled_from(BOTH), st.integers(8 * 12, 17 * 12), st.integers(3, 18), st.booleans()), max_size=8
)


@pytest.mark.long
@pytest.mark.parametrize(("now", "day"), [(SUMMER, "2026-10-05"), (WINTER, "2027-04-05"), (SUMMER, "2026-10-02")])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=VISITS)
async def test_on_any_day_gaps_head_count_and_free_starts_are_those_of_the_rows(
    now: str, day: str, made: list[Any]
) -> None:
    async with reception(sandbox_now=now) as clinic:
        clinic.empty_diary()
        raw = Raw(clinic.assistant)
        patients = [clinic.patient(f"P{number}", "Made") for number in range(3)]
        for number, ((site, name), step, length, cancelled) in enumerate(made):
            state: Row = {"cancelled_at": "2026-09-30T00:00:00Z", "cancellation_reason": 50} if cancelled else {}
            local = f"{day} {step // 12:02d}:{step % 12 * 5:02d}"
            clinic.book(patients[number % 3], site, name, local, minutes=5 * length, **state)
        answer = await clinic.assistant.call("show_diary", when=day, limit=400)
        on = date.fromisoformat(day)
        assert answer["totals"].get("patients", 0) == len(expected_patients(raw, on))
        assert sum(item["patients"] for item in answer["items"]) >= answer["totals"].get("patients", 0)
        for item in answer["items"]:
            who, where = raw.id("practitioners", item["practitioner"]), raw.id("businesses", item["business"])
            assert minutes_of(item.get("gaps")) == free_minutes(raw, who, where, on)
        found = await clinic.assistant.call("find_times", type="Standard consult", when=day, limit=100)
        for row in found["items"]:
            check_free(raw, row, 30)
        for site, name in BOTH:
            who, where = raw.id("practitioners", name), raw.id("businesses", site)
            starts = [shown(row["starts_at"]) for row in found["items"] if row["practitioner"] == name]
            begins = max(utc(f"{day} 00:00", site), datetime.fromisoformat(now))
            ends = begins.astimezone(ZONES[site]).replace(hour=0, minute=0) + timedelta(days=1)
            assert (starts[0] if starts else None) == raw.earliest(who, where, begins, ends.astimezone(UTC), 30)


SOONEST = [
    "as soon as possible", "ASAP", "any time", "next available", "the next one, however far", "earliest", "whenever",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("when", SOONEST)
async def test_the_soonest_is_the_first_free_start_of_the_rows_however_it_is_said(when: str) -> None:
    async with reception() as clinic:
        raw = Raw(clinic.assistant)
        for site, name in BOTH:
            found = await clinic.assistant.call("find_times", type="Initial", practitioner=[name], when=when, limit=1)
            who, where = raw.id("practitioners", name), raw.id("businesses", site)
            now = datetime(2026, 11, 23, 22, tzinfo=UTC)
            assert shown(found["items"][0]["starts_at"]) == raw.earliest(who, where, now, now + timedelta(days=5), 45)
            assert any(note.startswith("Looked from Tuesday 24 November 2026 up to") for note in found["notes"])


@pytest.mark.parametrize(
    ("when", "first"),
    [
        ("the next available Thursday after 3", "2027-01-07T15:00"), ("Thursdays", "2027-01-07T08:30"),
        ("any time, mornings", "2027-01-04T08:30"), ("next free slot", "2027-01-04T08:30"),
        ("ASAP after 4", "2027-01-04T16:00"), ("first available in February", "2027-02-01T08:30"),
    ],
)  # fmt: skip
async def test_it_is_looked_on_past_weeks_of_leave_and_said_how_far(when: str, first: str) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.put(
            "unavailable_blocks",
            practitioner_id=clinic.id("practitioners", "Dr Mei Ng"),
            business_id=clinic.id("businesses", NORTHSIDE),
            starts_at="2026-11-20T00:00:00Z",
            ends_at="2027-01-03T13:00:00Z",
        )
        found, count = await clinic.counted("find_times", type="Standard consult", practitioner=["Ng"], when=when)
        assert found["items"][0]["starts_at"].startswith(first)
        if "February" not in when:
            until = "Tuesday 23 February 2027" if "Thursday" in when else "Tuesday 5 January 2027"
            assert any(f"up to {until}" in note for note in found["notes"])
            assert count <= 5 + 1 + 3 * 3


async def test_nothing_in_a_year_is_said_after_a_bounded_number_of_requests() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("availability_blocks", "daily_availabilities")
        found, count = await clinic.counted(
            "find_times", type="Standard consult", practitioner=["Ng"], when="as soon as possible"
        )
        assert found["items"] == [] and found["why"] == ["Dr Mei Ng has no working hours."]
        assert "Looked from Tuesday 24 November 2026 up to Tuesday 23 November 2027." in found["notes"]
        assert count <= 5 + 1 + 5 * 3 + 3


async def test_leave_full_not_offered_not_at_work_elsewhere_and_online_off_are_told_apart() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        call = clinic.assistant.call
        await call("block_time", practitioner="Ng", when="21 January 2027", type="Leave")
        clinic.book(clinic.patient("All", "Day"), NORTHSIDE, "Tom Okafor", "2027-01-21 07:00", minutes=510)
        names = ["Ng", "Okafor", "Nair", "Aroha"]
        kind = next(row for row in clinic.rows("appointment_types") if row["name"] == "Standard consult")
        left = [giver for giver in kind["practitioner_ids"] if giver != clinic.id("practitioners", "Aroha Tane")]
        clinic.store.put("appointment_types", {**kind, "practitioner_ids": left})
        arguments = {"type": "Standard consult", "practitioner": names, "when": "21 January 2027"}
        found = await call("find_times", **arguments)
        assert found["items"] == []
        assert sorted(found["why"]) == [
            "Aroha Tane does not offer Standard consult.",
            "Dr Mei Ng is away (Leave): the time is blocked out.",
            "Priya Nair is not at work then.",
            "Tom Okafor is full.",
        ]
        nexts = [row for row in found["alternatives"] if row["differs"] == "the next time of this practitioner"]
        assert [row["practitioner"] for row in nexts] == ["Dr Mei Ng", "Tom Okafor", "Priya Nair"]
        for row in nexts:
            check_free(Raw(clinic.assistant), row, 30)
            assert row["starts_at"][:16] in ("2027-01-22T08:30", "2027-01-22T07:00", "2027-01-22T12:00")
        sam = await call("find_times", type="Standard consult", practitioner=["Sam"], when="Thursday", business="North")
        assert sam["why"] == [f"Sam Iyer ({NORTHSIDE}) is not at work there then, but at {RIVERSIDE}."]
        some = await call("find_times", **{**arguments, "practitioner": ["Ng", "Lena"]})
        assert {row["practitioner"] for row in some["items"]} == {"Lena Brandt"}
        assert [row["practitioner"] for row in some["alternatives"]] == ["Dr Mei Ng"]
        online = await call(
            "find_times", type="Standard consult", practitioner=["Lena"], when="tomorrow", kind="online"
        )
        assert "Online booking is off for Lena Brandt." in online["why"]


@pytest.mark.parametrize(("type_", "site"), [
    ("massage", "north"), ("Remedial", "River"), ("remedial mass", "Northside"), ("REMEDIAL", "riverside"),
    ("Remedial massage", None),
])  # fmt: skip
async def test_parts_of_names_of_types_and_sites_are_enough(type_: str, site: str | None) -> None:
    async with reception() as clinic:
        arguments = {"type": type_, "when": "next 14 days"} | ({"business": site} if site else {})
        found = await clinic.assistant.call("find_times", **arguments)
        assert found["type"] == "Remedial massage" and found["items"]
        vague = await clinic.assistant.call("find_times", type="class")
        assert {row["name"] for row in vague["candidates"]} == {"Pilates class", "Balance class"}


@pytest.mark.parametrize("tables", [("daily_availabilities",), ("practitioners",), ("businesses",)])
async def test_a_clinic_without_hours_staff_or_sites_is_told_of(tables: tuple[str, ...]) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("availability_blocks", *tables)
        for arguments in ({}, {"when": "next week", "run_sheet": True}, {"when": "yesterday's diary"}):
            answer = await clinic.assistant.call("show_diary", **arguments)
            assert answer["page"]["total"] == 0 and answer["notes"]
            assert Reception.rows(clinic, "practitioners") or "off" not in answer
