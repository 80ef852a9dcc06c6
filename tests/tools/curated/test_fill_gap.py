"""Who could take a free time: found among raw rows by an independent count, in the right order, and nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from conftest import over_stdio

from .reception import NORTHSIDE, RIVERSIDE, ZONES, Reception, Row, reception, utc

pytestmark = pytest.mark.anyio

GONE: Row = {"cancelled_at": "2026-11-20T00:00:00Z", "cancellation_reason": 30}
REACH = timedelta(days=28)
NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)


def of(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def expected(clinic: Reception, practitioner: str, kind: str, starts: datetime, ends: datetime) -> set[str]:
    """Everyone who could take a gap, worked out from the raw rows in another way."""
    who, what = clinic.id("practitioners", practitioner), clinic.id("appointment_types", kind)
    singles = [row for row in clinic.rows("individual_appointments") if not row.get("archived_at")]
    live = [row for row in singles if not row.get("cancelled_at") and of(row["ends_at"]) > NOW]
    groups = [
        row for row in clinic.rows("group_appointments") if not row.get("archived_at") and of(row["ends_at"]) > NOW
    ]

    def fits(row: dict[str, object]) -> bool:
        length = of(row["ends_at"]) - of(row["starts_at"])
        return row["practitioner_id"] == who and row["appointment_type_id"] == what and length <= ends - starts

    def theirs(patient: str) -> Iterator[dict[str, object]]:
        yield from (row for row in live if row["patient_id"] == patient)
        yield from (row for row in groups if patient in row["patient_ids"])

    found: set[str] = set()
    for patient in clinic.rows("patients"):
        if patient.get("archived_at"):
            continue
        mine = list(theirs(patient["id"]))
        same = sorted(of(row["starts_at"]) for row in mine if row in live and fits(row))
        busy = any(of(row["starts_at"]) < ends and starts < of(row["ends_at"]) for row in mine)
        if same and ends <= same[0] <= starts + REACH and not busy:
            found.add(patient["id"])
        lost = [row for row in singles if row.get("cancelled_at") and row["patient_id"] == patient["id"] and fits(row)]
        left = any(of(row["starts_at"]) < ends and starts < of(row["ends_at"]) for row in lost)
        if not mine and not left and any(abs(of(row["starts_at"]) - starts) <= REACH for row in lost):
            found.add(patient["id"])
    return found


@pytest.mark.long
async def test_the_seeded_clinic_gives_those_whom_the_raw_rows_give() -> None:
    async with reception() as clinic:
        starts = utc("2026-11-27 08:30", NORTHSIDE)
        answer, count = await clinic.counted(
            "fill_gap", practitioner="Mei Ng", when="Friday 8:30 to 9:15", type="Short review", limit=50
        )
        wanted = expected(clinic, "Dr Mei Ng", "Short review", starts, starts + timedelta(minutes=45))
        assert wanted and {row["patient_id"] for row in answer["items"]} == wanted
        assert answer["page"] == {"returned": len(wanted), "total": len(wanted), "complete": True}
        assert "Friday 27 November 2026" in answer["when"] and answer["gap"]["business"] == NORTHSIDE
        future = sum(
            of(row["ends_at"]) > NOW and not row.get("archived_at") and not row.get("cancelled_at")
            for table in ("individual_appointments", "group_appointments", "unavailable_blocks")
            for row in clinic.rows(table)
        )
        assert future > 100 and count <= 5 + 1 + -(-future // 100) + 2 + 1


async def test_sooner_busy_archived_longer_and_other_kinds_are_left_out() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        people = {
            name: clinic.patient("P", name)
            for name in ("near", "sooner", "busy", "long", "other", "elsewhere", "gone", "rebooked", "feeling")
        }
        numbers = {"Home": "03 5550 0001", "Work": "03 5550 0002", "Mobile": "0491 570 006"}
        listed = [{"phone_type": kind, "number": number} for kind, number in numbers.items()]
        people["far"] = clinic.patient("P", "far", patient_phone_numbers=listed)
        people["archived"] = clinic.patient("P", "archived", archived_at="2026-01-01T00:00:00Z")
        better: Row = GONE | {"cancellation_reason": 10}
        mei, tom = (NORTHSIDE, "Dr Mei Ng"), (NORTHSIDE, "Tom Okafor")
        clinic.book(people["far"], *mei, "2026-12-04 10:00")
        clinic.book(people["near"], *mei, "2026-11-30 16:30")
        clinic.book(people["sooner"], *mei, "2026-11-25 10:00")
        clinic.book(people["sooner"], *mei, "2026-12-02 10:00")
        clinic.book(people["busy"], *mei, "2026-12-02 10:30")
        clinic.group([people["busy"]], NORTHSIDE, "Priya Nair", "2026-11-27 09:30")
        clinic.book(people["long"], *mei, "2026-12-02 11:00", minutes=60)
        clinic.book(people["other"], *mei, "2026-12-02 12:00", kind="Initial consult")
        clinic.book(people["elsewhere"], *tom, "2026-12-02 10:00")
        clinic.book(people["archived"], *mei, "2026-12-02 13:00")
        clinic.book(people["gone"], *mei, "2026-11-20 10:00", **GONE)
        clinic.book(people["rebooked"], *mei, "2026-11-20 10:30", **GONE)
        clinic.book(people["rebooked"], *tom, "2027-03-01 10:30")
        clinic.book(people["feeling"], *mei, "2026-11-20 11:00", **better)
        was = clinic.patient("Was", "Booked")
        gap = clinic.book(was, *mei, "2026-11-27 10:00", **GONE)
        answer = await clinic.assistant.call("fill_gap", appointment=gap, phones=True)
        assert [row["patient"] for row in answer["items"]] == ["P far", "P near", "P feeling", "P gone"]
        wanted = {people[name] for name in ("gone", "far", "feeling", "near")}
        starts = utc("2026-11-27 10:00", NORTHSIDE)
        everyone = expected(clinic, "Dr Mei Ng", "Standard consult", starts, starts + timedelta(minutes=30))
        assert wanted == everyone
        far = answer["items"][0]
        assert far["reasons"] == ["comes 7 days later for the same", "same time of day", "same weekday"]
        assert far["starts_at"] == "2026-12-04T10:00+11:00 Fri"
        assert far["phones"] == ["0491 570 006", "03 5550 0001", "03 5550 0002"]
        assert answer["items"][2]["cancelled"] and "has not booked again" in answer["items"][2]["reasons"]
        assert any("archived" in note for note in answer["notes"])
        assert any("waitlist" in note for note in answer["notes"])
        assert clinic.assistant.changes() == []


async def test_late_hours_and_the_other_zone_are_read_at_their_site() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        eva = clinic.patient("Eva", "West")
        clinic.book(eva, RIVERSIDE, "Jack Whitfield", "2026-11-28 08:30")
        answer = await clinic.assistant.call("fill_gap", practitioner="Jack", when="Friday 23:30 to 23:59")
        assert answer["gap"]["starts_at"] == "2026-11-27T23:30+10:30 Fri" and answer["items"] == []
        assert answer["time_zone"] == "Australia/Adelaide"
        point = await clinic.assistant.call("fill_gap", practitioner="Jack", when="Friday at 23:30")
        assert [row["patient_id"] for row in point["items"]] == [eva]
        assert point["items"][0]["reasons"][0] == "comes 1 day later"
        assert ZONES[RIVERSIDE].key == "Australia/Adelaide"


@pytest.mark.long
async def test_a_gap_across_a_clock_change_counts_local_days() -> None:
    async with reception(sandbox_now="2027-04-01T09:00:00+11:00") as clinic:
        clinic.empty_diary()
        eva = clinic.patient("Eva", "Autumn")
        clinic.book(eva, NORTHSIDE, "Dr Mei Ng", "2027-04-05 08:30")
        answer = await clinic.assistant.call(
            "fill_gap", practitioner="Ng", when="Saturday at 8:30", type="Standard consult"
        )
        assert answer["gap"]["starts_at"] == "2027-04-03T08:30+11:00 Sat"
        assert answer["items"][0]["reasons"][:2] == ["comes 2 days later for the same", "same time of day"]


async def test_what_is_taken_over_unclear_or_a_class_is_said() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        eva = clinic.patient("Eva", "Here")
        booked = clinic.book(eva, NORTHSIDE, "Dr Mei Ng", "2026-11-27 10:00")
        call = clinic.assistant.call
        taken = await call("fill_gap", practitioner="Ng", when="Friday at 10", type="Standard consult")
        assert "not free: Standard consult from 10:00 to 10:30" in taken["notes"][0] or any(
            "not free" in note for note in taken["notes"]
        )
        still = await call("fill_gap", appointment=booked)
        assert any("not cancelled yet" in note for note in still["notes"])
        group = clinic.group([eva], NORTHSIDE, "Priya Nair", "2026-11-27 16:30")
        assert (await call("fill_gap", appointment=group))["code"] == "not_allowed"
        assert (await call("fill_gap", practitioner="Ng", when="yesterday"))["code"] == "not_allowed"
        assert "gap" in await call("fill_gap", practitioner="Ng", when="today at 9"), "which is just now"
        assert (await call("fill_gap", practitioner="Ng", when="next week mornings"))["code"] == "not_understood"
        assert (await call("fill_gap", practitioner="Ng"))["code"] == "invalid_arguments"
        both = await call("fill_gap", practitioner="Sam", when="Sunday at 10")
        assert both["code"] == "ambiguous" and {candidate["name"] for candidate in both["candidates"]} == {
            NORTHSIDE,
            RIVERSIDE,
        }
        told = await call("fill_gap", practitioner="Sam", when="Thursday at 10")
        assert told["gap"]["business"] == RIVERSIDE


@pytest.mark.long
async def test_more_than_the_limit_is_said() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        for number in range(120):
            clinic.book(
                clinic.patient("Many", f"P{number}"), NORTHSIDE, "Dr Mei Ng", f"2026-12-{1 + number % 28:02d} 10:00"
            )
        answer, count = await clinic.counted(
            "fill_gap", practitioner="Ng", when="Friday at 10", type="Standard consult", limit=50
        )
        assert answer["page"] == {"returned": 50, "total": 108, "complete": False}
        assert any("58 more" in note for note in answer["notes"])
        assert count <= 5 + 1 + 2 + 1 + 1 + 2


@pytest.mark.long
async def test_over_stdio() -> None:
    async with over_stdio() as assistant:
        answer = await assistant.call("fill_gap", practitioner="Mei Ng", when="Friday at 10", type="Standard consult")
        assert answer["items"] and all(row["reasons"] for row in answer["items"])


@pytest.mark.parametrize(
    ("archived", "note"), [(1, "1 archived patient is left out."), (2, "2 archived patients are left out.")]
)
async def test_archived_patients_who_are_left_out_are_counted(archived: int, note: str) -> None:
    async with reception() as clinic:
        for hour in range(archived):
            gone = clinic.patient("Ivy", f"Gone{hour}", archived_at="2026-11-01T00:00:00Z")
            clinic.book(gone, NORTHSIDE, "Marcus Bell", f"2026-11-28T1{hour}:00")
        answer = await clinic.assistant.call(
            "fill_gap", practitioner="Marcus Bell", when="26 November 2026 14:00 to 14:30", reach=2, limit=1
        )
        assert note in answer["notes"]


async def test_whose_hours_are_not_set_is_asked_for_the_site_unless_the_clinic_has_but_one() -> None:
    async with reception() as clinic:
        clinic.empty("daily_availabilities")
        said = {"practitioner": "Ng", "when": "Friday 10 to 10:30"}
        answer = await clinic.assistant.call("fill_gap", **said)
        assert answer["code"] == "ambiguous" and answer["message"] == "Dr Mei Ng works at 2 sites."
        assert [candidate["name"] for candidate in answer["candidates"]] == [NORTHSIDE, RIVERSIDE]
        (row,) = (row for row in clinic.rows("businesses") if row["id"] == clinic.id("businesses", NORTHSIDE))
        clinic.store.put("businesses", {**row, "archived_at": "2026-11-01T00:00:00Z"})
        clinic.forget()
        answer = await clinic.assistant.call("fill_gap", **said)
        assert (answer["gap"]["business"], answer["gap"]["starts_at"]) == (RIVERSIDE, "2026-11-27T10:00+10:30 Fri")


async def test_of_many_sites_at_which_the_gap_may_be_five_are_named() -> None:
    async with reception() as clinic:
        clinic.empty("daily_availabilities")
        for number in range(4):
            clinic.put("businesses", business_name=f"Branch {number}", time_zone_identifier="Australia/Sydney")
        answer = await clinic.assistant.call("fill_gap", practitioner="Sam", when="Sunday at 10")
        sites = sum(not row.get("archived_at") for row in clinic.rows("businesses"))
        assert sites > 5
        assert answer["message"] == f"Sam Iyer works at {sites} sites."
        assert len(answer["candidates"]) == 5
