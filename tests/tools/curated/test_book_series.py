"""book_appointment with repeat: every date in preview, refusal and answer, and the raw rows are those dates."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cliniko_mcp.sandbox.faults import Fault
from cliniko_mcp.sandbox.wire import SandboxRequest

from .reception import NORTHSIDE, RIVERSIDE, Reception, Row, local_of, reception, stamp, utc

pytestmark = pytest.mark.anyio
BASE: dict[str, Any] = {
    "patient": "Otto Zimt", "practitioner": "Ng", "type": "Standard consult", "when": "20 January 2027 at 10:00",
}  # fmt: skip
DAYS = ["20.01.", "27.01.", "03.02.", "10.02."]


class OfRepeats(Fault):
    """A fault of the one request that reads the repeats of a series."""

    def strikes(self, request: SandboxRequest, path: str) -> bool:
        return super().strikes(request, path) and any("repeated_from_id" in value for _, value in request.query)


def empty(clinic: Reception) -> str:
    clinic.empty_diary()
    return clinic.patient("Otto", "Zimt")


def local(clinic: Reception, patient: str, site: str = NORTHSIDE) -> list[str]:
    """The raw starts of a patient by the clock of a site, in order."""
    rows = [row for row in clinic.rows("individual_appointments") if row["patient_id"] == patient]
    return [
        f"{local_of(row['starts_at'], site):%d.%m. %H:%M}" for row in sorted(rows, key=lambda row: row["starts_at"])
    ]


def shown(answer: Row) -> list[str]:
    return [f"{datetime.fromisoformat(row['starts_at'][:22]):%d.%m.}" for row in answer["visits"]]


@pytest.mark.long
@pytest.mark.parametrize("repeat", [
    "weekly x4", "Weekly, 4 visits", "4 weekly visits", "once a week for four weeks",
    "every Wednesday until 10 February", "weekly, 3 more", "Wednesdays for 4 weeks",
])  # fmt: skip
async def test_four_visits_are_four_rows_however_they_are_said(repeat: str) -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        preview = await clinic.assistant.call("book_appointment", **BASE, repeat=repeat, dry_run=True)
        assert shown(preview) == DAYS
        assert local(clinic, otto) == []
        answer = await clinic.assistant.call("book_appointment", **BASE, repeat=repeat)
        assert local(clinic, otto) == [f"{day} 10:00" for day in DAYS]
        assert shown(answer) == DAYS
        rows = {row["id"]: row for row in clinic.rows("individual_appointments")}
        for visit in answer["visits"]:
            stamp = f"{local_of(rows[visit['id']]['starts_at'], NORTHSIDE):%Y-%m-%dT%H:%M}"
            assert visit["starts_at"].startswith(stamp) and visit["conflict"] is False
        assert clinic.assistant.changes() == ["POST /v1/individual_appointments"]
        assert [row.get("repeated_from_id") for row in rows.values()] == [None, *[answer["item"]["id"]] * 3]


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("site", "who", "first"),
    [
        (NORTHSIDE, "Ng", "25 March 2027"),
        (RIVERSIDE, "Whitfield", "24 March 2027"),
        (NORTHSIDE, "Ng", "23 September 2027"),
    ],
)
async def test_every_visit_keeps_its_local_time_over_a_change_of_the_clocks(site: str, who: str, first: str) -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        arguments = {**BASE, "practitioner": who, "when": f"{first} at 10:00", "repeat": "weekly x4"}
        answer = await clinic.assistant.call("book_appointment", **arguments)
        assert answer.get("done") == "Booked.", answer
        times = local(clinic, otto, site)
        assert len(times) == 4 and all(time.endswith("10:00") for time in times)
        assert len({row["starts_at"][-9:] for row in clinic.rows("individual_appointments")}) == 2


@pytest.mark.long
@pytest.mark.parametrize("way", ["skip", "repeat"])
async def test_a_clashing_date_is_shown_and_left_out_and_the_rest_are_single_visits(way: str) -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        taken = clinic.book(clinic.patient("Ben", "Ash"), NORTHSIDE, "Dr Mei Ng", "2027-01-27 10:00")
        refusal = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x4")
        assert refusal["code"] == "clash" and taken in refusal["clashes"][0]
        assert refusal["dates"] == "2027 Jan 20, 27*; Feb 3, 10 (* clash)"
        preview = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x4", dry_run=True)
        assert [bool(row.get("clashes")) for row in preview["visits"]] == [False, True, False, False]
        assert preview["clash"] == refusal["clash"]
        change = {"repeat": "weekly x4", "skip": ["27 January"]}
        if way == "repeat":
            change = {"repeat": "weekly x4 except 27 January"}
        answer = await clinic.assistant.call("book_appointment", **BASE, **change)
        assert local(clinic, otto) == [f"{day} 10:00" for day in ("20.01.", "03.02.", "10.02.")]
        assert [row.get("state") for row in answer["visits"]] == [None, "left out", None, None]
        assert any("cannot be cancelled as one series" in note for note in answer["notes"])
        assert not any(row.get("repeat_rule") for row in clinic.rows("individual_appointments"))


@pytest.mark.long
async def test_a_clashing_date_is_moved_on_its_own_to_a_time_that_the_preview_offers() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        clinic.book(clinic.patient("Ben", "Ash"), NORTHSIDE, "Dr Mei Ng", "2027-01-27 10:00")
        preview = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x4", dry_run=True)
        offered = preview["visits"][1]["nearest"][0]
        answer = await clinic.assistant.call(
            "book_appointment", **BASE, repeat="weekly x4", skip=[f"27 January -> {offered}"]
        )
        moved = f"{datetime.fromisoformat(offered[:22]):%d.%m. %H:%M}"
        assert local(clinic, otto) == ["20.01. 10:00", moved, "03.02. 10:00", "10.02. 10:00"]
        assert answer["visits"][1]["was"].startswith("2027-01-27T10:00")
        assert answer["conflicts"] is False


@pytest.mark.long
async def test_nearest_never_holds_what_was_refused_and_suits_every_visit() -> None:
    async with reception() as clinic:
        empty(clinic)
        other = clinic.patient("Ben", "Ash")
        for day, time in (("2027-01-27", "10:00"), ("2027-02-03", "10:30"), ("2027-02-10", "09:30")):
            clinic.book(other, NORTHSIDE, "Dr Mei Ng", f"{day} {time}")
        refusal = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x4")
        assert refusal["nearest"]
        for text in refusal["nearest"]:
            assert text[11:16] not in ("10:00", "10:30", "09:30")
            when = f"{text[:10]} at {text[11:16]}"
            checked = await clinic.assistant.call(
                "book_appointment", **{**BASE, "when": when}, repeat="weekly x4", dry_run=True
            )
            assert checked["clashes"] == []


async def test_nearest_leaves_out_when_the_patient_is_elsewhere() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        clinic.book(otto, NORTHSIDE, "Priya Nair", "2027-01-20 10:00", minutes=60)
        refusal = await clinic.assistant.call("book_appointment", **BASE)
        assert refusal["code"] == "clash"
        assert not {text[11:16] for text in refusal["nearest"]} & {"10:00", "10:30"}


async def test_nearest_is_looked_for_among_the_forty_starts_that_come_next_to_it() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        clinic.put(
            "availability_blocks",
            practitioner_id=clinic.id("practitioners", "Dr Mei Ng"),
            business_id=clinic.id("businesses", NORTHSIDE),
            starts_at=stamp(utc("2027-01-20 00:00", NORTHSIDE)),
            ends_at=stamp(utc("2027-01-21 00:00", NORTHSIDE)),
        )
        # Of the starts every half hour the fortieth is at 19:30, and only it and the later ones are free.
        clinic.book(otto, NORTHSIDE, "Priya Nair", "2027-01-20 00:00", minutes=39 * 30)
        refusal = await clinic.assistant.call("book_appointment", **{**BASE, "when": "20 January 2027 at 00:00"})
        assert refusal["code"] == "clash" and refusal["nearest"] == ["2027-01-20T19:30+11:00 Wed"]


@pytest.mark.long
async def test_conflicts_are_told_of_each_and_never_false_while_one_has_one() -> None:
    async with reception() as clinic:
        empty(clinic)
        clinic.book(clinic.patient("Ben", "Ash"), NORTHSIDE, "Dr Mei Ng", "2027-02-03 10:00")
        refusal = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x4")
        answer = await clinic.assistant.call(
            "book_appointment", **BASE, repeat="weekly x4", allow_clash=refusal["clash"]
        )
        assert [row["conflict"] for row in answer["visits"]] == [False, False, True, False]
        assert answer["conflicts"] is True


async def test_visits_that_cannot_be_read_back_are_never_said_to_be_free_of_conflicts() -> None:
    async with reception() as clinic:
        empty(clinic)
        clinic.sandbox.faults.set(Fault("error", path="/individual_appointments/", method="GET", status=500))
        answer = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x2")
        assert answer["done"] == "Booked." and "conflicts" not in answer


@pytest.mark.long
async def test_a_series_whose_repeats_cannot_be_read_is_booked_all_the_same() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        clinic.sandbox.faults.set(OfRepeats("forbidden", path="/bookings"))
        answer = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x2")
        assert answer["done"] == "Booked." and len(local(clinic, otto)) == 2, answer
        assert "It is done, but the repeats could not be read; look with show_diary." in answer["notes"]
        assert "conflicts" not in answer


@pytest.mark.long
async def test_a_series_of_a_year_is_listed_whole_before_and_after() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        answer = await clinic.assistant.call("book_appointment", **{**BASE, "repeat": "weekly x52"})
        assert len(answer["visits"]) == len(local(clinic, otto)) == 52
        refusal = await clinic.assistant.call(
            "book_appointment", **{**BASE, "repeat": "weekly x52", "patient": "Ana Lima"}
        )
        assert refusal["dates"].endswith("(all clash)")
        days = [datetime(2027, 1, 20) + timedelta(weeks=week) for week in range(52)]
        assert all(f"{day.day}" in refusal["dates"] for day in days)


@pytest.mark.long
async def test_what_fails_half_way_is_told_and_the_same_call_books_the_rest_once() -> None:
    async with reception() as clinic:
        otto = empty(clinic)
        change = {"repeat": "weekly x4", "skip": ["27 January"]}
        posts = "/v1/individual_appointments"
        await clinic.assistant.call("book_appointment", **BASE)
        clinic.sandbox.faults.set(Fault("error", path=posts, method="POST", status=500))
        failed = await clinic.assistant.call("book_appointment", **BASE, **change)
        assert "code" in failed and local(clinic, otto) == ["20.01. 10:00"]
        clinic.sandbox.faults.set()
        answer = await clinic.assistant.call("book_appointment", **BASE, **change)
        assert local(clinic, otto) == [f"{day} 10:00" for day in ("20.01.", "03.02.", "10.02.")]
        assert [row.get("state") for row in answer["visits"]] == ["already there", "left out", None, None]


@pytest.mark.long
async def test_skip_without_a_series_and_a_date_that_is_none_of_it_are_refused() -> None:
    async with reception() as clinic:
        empty(clinic)
        alone = await clinic.assistant.call("book_appointment", **BASE, skip=["27 January"])
        other = await clinic.assistant.call("book_appointment", **BASE, repeat="weekly x2", skip=["28 January"])
        assert (alone["code"], other["code"]) == ("invalid_arguments", "invalid_arguments")
        assert "2027-01-20, 2027-01-27" in other["fix"]
        assert clinic.assistant.changes() == []
        assert utc("2027-01-20 10:00", NORTHSIDE).hour == 23
