"""Each report says what the raw rows say, counted here in another way, and how it understood time and words."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from conftest import over_stdio

from cliniko_mcp.frontdesk.reports.kinds import KINDS
from cliniko_mcp.phrases import Facing

from .reception import BOTH, NORTHSIDE, RIVERSIDE, ZONES, Reception, Row, reception, stamp, utc

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)
GONE: Row = {"cancelled_at": "2026-11-20T00:00:00Z", "cancellation_reason": 30}
HIDDEN: Row = {"archived_at": "2026-11-01T00:00:00Z", "deleted_at": "2026-11-01T00:00:00Z"}


def of(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


def raw_visits(clinic: Reception, first: str, last: str) -> Iterator[Row]:
    """Every place in an appointment or class, cancelled ones too, that begins on these local days of its site."""
    zones = {clinic.id("businesses", site): zone for site, zone in ZONES.items()}
    places: dict[str, list[Row]] = {}
    for attendee in clinic.rows("attendees"):
        places.setdefault(attendee["booking_id"], []).append(attendee)
    for table in ("individual_appointments", "group_appointments"):
        for booking in clinic.rows(table):
            day = of(booking["starts_at"]).astimezone(zones[booking["business_id"]]).date()
            if booking.get("archived_at") or not date.fromisoformat(first) <= day <= date.fromisoformat(last):
                continue
            for attendee in places.get(booking["id"], []):
                if not attendee.get("archived_at"):
                    yield {**attendee, "booking": booking}


def live(found: Iterator[Row]) -> list[Row]:
    return [visit for visit in found if not visit.get("cancelled_at")]


def due(found: Iterator[Row]) -> list[Row]:
    return [visit for visit in live(found) if of(visit["booking"]["starts_at"]) <= NOW]


FIRST, LAST = "2026-11-09", "2026-11-24"
WHEN = f"{FIRST} to {LAST}"


async def whole(clinic: Reception, **arguments: Any) -> tuple[Row, list[Row]]:
    """The first answer and all rows, page after page."""
    first = answer = await clinic.assistant.call("report", limit=200, **arguments)
    rows = list(answer["items"])
    while not answer["page"]["complete"]:
        answer = await clinic.assistant.call("report", limit=200, cursor=answer["page"]["next_cursor"])
        rows += answer["items"]
        assert answer["summary"] == first["summary"]
    assert len(rows) == first["page"]["total"]
    return first, rows


@pytest.mark.long
async def test_no_shows_are_those_of_the_raw_rows_with_groups_and_without_cancelled_ones() -> None:
    async with reception() as clinic:
        answer, rows = await whole(clinic, kind="no_shows", when=WHEN)
        visits = due(raw_visits(clinic, FIRST, LAST))
        missed = Counter(visit["patient_id"] for visit in visits if visit.get("arrived") is False)
        assert len(visits) > 200 and any("max_attendees" in visit["booking"] for visit in visits)
        assert {row["patient_id"]: row["no_shows"] for row in rows} == missed
        percent = f"{100 * missed.total() / len(visits):.1f}%"
        assert answer["summary"]["no_shows"] == {"count": missed.total(), "of": len(visits), "rate": percent}
        assert [row["no_shows"] for row in rows] == sorted(missed.values(), reverse=True)
        assert all(len(row["dates"]) == min(row["no_shows"], 6) for row in rows)
        assert "class" in answer["definition"] and "9 November 2026" in answer["when"]
        mei = await clinic.assistant.call("report", kind="no_shows", when=WHEN, practitioner="Mei Ng")
        own = [
            visit for visit in visits if visit["booking"]["practitioner_id"] == clinic.id("practitioners", "Dr Mei Ng")
        ]
        assert mei["summary"]["no_shows"]["of"] == len(own) and mei["practitioner"] == "Dr Mei Ng"


@pytest.mark.long
async def test_cancellations_carry_their_notice() -> None:
    async with reception() as clinic:
        answer, rows = await whole(clinic, kind="cancellations", when=WHEN)
        every = list(raw_visits(clinic, FIRST, LAST))
        gone = [visit for visit in every if visit.get("cancelled_at")]
        told = answer["summary"]["cancelled"]
        assert gone and (told["count"], told["of"]) == (len(gone), len(every))
        hours = {
            visit["booking_id"]: (of(visit["booking"]["starts_at"]) - of(visit["cancelled_at"])).total_seconds() / 3600
            for visit in gone
        }
        assert {row["appointment_id"]: row["notice_hours"] for row in rows} == {
            key: pytest.approx(value, abs=0.06) for key, value in hours.items()
        }
        notices = {row["name"]: row["count"] for row in answer["by"]["notice"]["rows"]}
        assert notices["under 24 h"] == sum(0 <= notice < 24 for notice in hours.values())
        assert sum(notices.values()) == len(gone)
        assert told["count"] >= answer["summary"]["cancelled_late"]["count"] == sum(n < 24 for n in hours.values())


@pytest.mark.long
async def test_a_cancelled_place_in_a_class_counts_and_the_others_in_it_do_not() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        people = [clinic.patient("Class", f"P{number}") for number in range(4)]
        late: Row = {"cancelled_at": stamp(utc("2026-11-20 12:30", NORTHSIDE)), "cancellation_reason": 30}
        clinic.group(people, NORTHSIDE, "Priya Nair", "2026-11-20 16:30", states={people[1]: late})
        answer = await clinic.assistant.call("report", kind="cancellations", when="last Friday")
        assert [row["patient_id"] for row in answer["items"]] == [people[1]]
        assert answer["items"][0]["notice_hours"] == 4.0 and answer["summary"]["cancelled"]["of"] == 4
        assert [(row["name"], row["count"]) for row in answer["by"]["reason"]["rows"]] == [("Sick", 1)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "field"), [("unbilled", "invoice_status"), ("missing_notes", "treatment_note_status")]
)
async def test_visits_without_a_bill_or_a_final_note(kind: str, field: str) -> None:
    async with reception() as clinic:
        for number, attendee in enumerate(clinic.rows("attendees")):
            if number % 3 == 0:  # some written up, some begun
                state = 90 if number % 2 else 10
                for table, row_id in (
                    ("attendees", attendee["id"]),
                    ("individual_appointments", attendee["booking_id"]),
                ):
                    if row := clinic.store.get(table, row_id):
                        clinic.store.put(table, {**row, "treatment_note_status": state})
        answer, rows = await whole(clinic, kind=kind, when=WHEN)
        came = [visit for visit in due(raw_visits(clinic, FIRST, LAST)) if visit.get("arrived") is not False]
        open_ = [
            visit for visit in came if (visit.get(field) is None if kind == "unbilled" else visit.get(field) != 90)
        ]
        told = answer["summary"]["unbilled_visits" if kind == "unbilled" else "visits_without_final_note"]
        assert open_ and (told["count"], told["of"]) == (len(open_), len(came))
        assert Counter((row["appointment_id"], row["patient_id"]) for row in rows) == Counter(
            (visit["booking_id"], visit["patient_id"]) for visit in open_
        )
        starts = [row["starts_at"][:16] for row in rows if row["business"] == NORTHSIDE]
        assert starts == sorted(starts)
        if kind == "missing_notes":
            drafts = sum(visit.get(field) == 10 for visit in open_)
            assert drafts and answer["summary"]["visits_with_a_draft"]["count"] == drafts


@pytest.mark.long
async def test_unpaid_invoices_with_their_age() -> None:
    async with reception() as clinic:
        eva = clinic.patient("Eva", "Owes")
        for number, (status, day, more) in enumerate(
            [(10, "2026-11-01", {}), (10, "2026-08-01", {}), (20, "2026-11-01", {}), (30, "2026-11-01", {}),
             (40, "2026-11-01", {}), (10, "2026-11-02", HIDDEN)]
        ):  # fmt: skip
            clinic.put(
                "invoices", patient_id=eva, number=number, status=status, issue_date=day, total_amount="10.10", **more
            )
        answer, rows = await whole(clinic, kind="unpaid")
        raw = [row for row in clinic.rows("invoices") if row["status"] == 10 and not row.get("archived_at")]
        total = sum(Decimal(row["total_amount"]) for row in raw)
        assert answer["summary"]["unpaid_invoices"] == {"count": len(raw), "total": f"{total:.2f}"}
        people = {row["patient_id"]: [one for one in raw if one["patient_id"] == row["patient_id"]] for row in raw}
        assert {row["patient_id"]: row["invoices"] for row in rows} == {key: len(some) for key, some in people.items()}
        sums = [sum(Decimal(one["total_amount"]) for one in people[row["patient_id"]]) for row in rows]
        assert [Decimal(row["total"]) for row in rows] == sums == sorted(sums, reverse=True)
        old = [Decimal(row["total_amount"]) for row in raw if row["issue_date"] < "2026-08-26"]
        assert answer["by"]["age"]["rows"][3] == {
            "name": "over 90 days", "count": len(old), "total": f"{sum(old):.2f}"
        }  # fmt: skip
        mine = next(row for row in rows if row["patient_id"] == eva)
        assert (mine["oldest"], mine["days"], mine["total"]) == ("2026-08-01", 115, "20.20")
        august = await clinic.assistant.call("report", kind="unpaid", when="2026-08-01 to 2026-08-31")
        assert august["summary"]["unpaid_invoices"]["count"] == sum(
            row["issue_date"].startswith("2026-08") for row in raw
        )


@pytest.mark.long
async def test_lapsed_patients_have_been_and_have_nothing_ahead() -> None:
    async with reception() as clinic:
        answer, rows = await whole(clinic, kind="lapsed", when=WHEN)
        ever = list(raw_visits(clinic, "2020-01-01", "2030-01-01"))
        last: dict[str, datetime] = {}
        for visit in due(iter(ever)):
            if visit.get("arrived") is not False:
                start = of(visit["booking"]["starts_at"])
                last[visit["patient_id"]] = max(start, last.get(visit["patient_id"], start))
        ahead = {visit["patient_id"] for visit in live(iter(ever)) if of(visit["booking"]["starts_at"]) > NOW}
        low = utc(f"{FIRST} 00:00", NORTHSIDE)
        shown = {row["id"] for row in clinic.rows("patients") if not row.get("archived_at")}
        wanted = {one for one, start in last.items() if start >= low and one not in ahead and one in shown}
        assert {row["patient_id"] for row in rows} == wanted
        clinic.empty_diary()
        people = {name: clinic.patient("L", name) for name in ("out", "ahead", "since", "missed", "class", "before")}
        old = clinic.patient("L", "archived", **HIDDEN)
        for name in ("out", "ahead", "since"):
            clinic.book(people[name], RIVERSIDE, "Jack Whitfield", "2026-09-30 23:30", arrived=True)
        clinic.book(old, RIVERSIDE, "Jack Whitfield", "2026-09-10 23:30", arrived=True)
        clinic.book(people["ahead"], NORTHSIDE, "Dr Mei Ng", "2027-06-01 08:30")
        clinic.book(people["since"], NORTHSIDE, "Dr Mei Ng", "2026-10-10 08:30", arrived=True)
        clinic.book(people["missed"], NORTHSIDE, "Dr Mei Ng", "2026-09-11 08:30", arrived=False)
        clinic.group([people["class"]], NORTHSIDE, "Priya Nair", "2026-09-01 00:30")
        clinic.book(people["before"], NORTHSIDE, "Dr Mei Ng", "2026-08-31 23:30", arrived=True)
        clinic.book(people["out"], NORTHSIDE, "Dr Mei Ng", "2026-12-01 08:30", **GONE)
        answer, rows = await whole(clinic, kind="lapsed", when="2026-09-01 to 2026-09-30")
        assert [row["patient_id"] for row in rows] == [people["out"], people["class"]]
        assert rows[0]["last_visit"] == "2026-09-30T23:30+09:30 Wed" and rows[0]["days_ago"] == 55
        assert any("1 archived" in note for note in answer["notes"])
        jack = await clinic.assistant.call(
            "report", kind="lapsed", when="2026-09-01 to 2026-09-30", practitioner="Whitfield"
        )
        assert [row["patient_id"] for row in jack["items"]] == [people["out"]]


async def test_new_patients_are_those_first_seen_and_files_made_stand_apart() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.empty("patients")
        made = stamp(utc("2026-11-02 00:10", NORTHSIDE))
        people = {
            name: clinic.patient("N", name, created_at=made)
            for name in ("twice", "same day", "booked", "once", "missed", "never", "cancelled", "missed first")
        }
        clinic.patient("N", "before", created_at=stamp(utc("2026-11-01 23:50", NORTHSIDE)))
        old = clinic.patient("N", "old", created_at=stamp(utc("2025-11-01 23:50", NORTHSIDE)))
        hidden = clinic.patient("N", "gone", created_at=made, **HIDDEN)
        for name in ("twice", "same day", "booked", "once", "missed", "cancelled"):
            clinic.book(people[name], NORTHSIDE, "Dr Mei Ng", "2026-11-03 08:30", arrived=True)
        clinic.book(people["missed first"], NORTHSIDE, "Dr Mei Ng", "2026-11-03 08:30", arrived=False)
        clinic.book(people["missed first"], NORTHSIDE, "Dr Mei Ng", "2026-11-10 08:30", arrived=True)
        clinic.book(hidden, RIVERSIDE, "Jack Whitfield", "2026-11-08 23:30", arrived=True)
        clinic.book(old, NORTHSIDE, "Dr Mei Ng", "2025-11-03 08:30", arrived=True)
        clinic.book(old, NORTHSIDE, "Dr Mei Ng", "2026-11-03 08:30", arrived=True)
        clinic.book(people["same day"], NORTHSIDE, "Dr Mei Ng", "2026-11-03 15:30", arrived=True)
        clinic.group([people["twice"]], NORTHSIDE, "Priya Nair", "2026-11-10 16:30")
        clinic.book(people["booked"], RIVERSIDE, "Jack Whitfield", "2027-05-03 08:30")
        clinic.book(people["missed"], NORTHSIDE, "Dr Mei Ng", "2026-11-10 08:30", arrived=False)
        clinic.book(people["cancelled"], NORTHSIDE, "Dr Mei Ng", "2026-11-10 09:30", **GONE)
        answer, rows = await whole(clinic, kind="retention", when="2026-11-02 to 2026-11-08")
        new = {*(people[name] for name in ("twice", "same day", "booked", "once", "missed", "cancelled")), hidden}
        assert {row["patient_id"] for row in rows} == new
        assert answer["summary"] == {
            "new_patients_who_came_back": {"count": 1, "of": 7, "rate": "14.3%"},
            "new_patients_who_booked_again": {"count": 2, "of": 7, "rate": "28.6%"},
            "new_patients": {"count": 7},
            "visits_kept_per_new_patient": {"count": 1.29},
            "patient_visit_average_pva": {"count": 1.29},
            "rebook_rate": {"count": 3, "of": 9, "rate": "33.3%"},
            "patient_files_made": {"count": 9},
        }
        never, waiting = await whole(clinic, kind="never_seen", when="2026-11-02 to 2026-11-08")
        assert {row["patient"] for row in waiting} == {"N never"}
        assert never["summary"]["patients_never_seen"] == {"count": 1, "of": 8, "rate": "12.5%"}
        left, rows = await whole(clinic, kind="not_rebooked", when="2026-11-02 to 2026-11-08")
        assert {row["patient"] for row in rows} == {"N same day", "N once", "N missed", "N cancelled", "N old"}
        assert left["summary"]["patients_without_next_booking"] == {"count": 5, "of": 7, "rate": "71.4%"}


@pytest.mark.parametrize(("site", "practitioner"), BOTH)
@pytest.mark.parametrize("day", ["2026-10-04", "2026-04-05", "2026-11-23"])
async def test_the_first_and_last_visits_of_a_local_day_belong_to_it(site: str, practitioner: str, day: str) -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        eva = clinic.patient("Eva", "Edges")
        before = date.fromisoformat(day) - timedelta(days=1)
        after = date.fromisoformat(day) + timedelta(days=1)
        wanted = {clinic.book(eva, site, practitioner, f"{day} {clock}") for clock in ("00:00", "08:30", "23:30")}
        clinic.book(eva, site, practitioner, f"{before} 23:30")
        clinic.book(eva, site, practitioner, f"{after} 00:00")
        answer = await clinic.assistant.call("report", kind="unbilled", when=day, business=site)
        assert {row["appointment_id"] for row in answer["items"]} == wanted
        everywhere = await clinic.assistant.call("report", kind="unbilled", when=day)
        assert {row["appointment_id"] for row in everywhere["items"]} == wanted


@pytest.mark.long
async def test_requests_grow_with_pages_and_never_with_rows() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        people = [clinic.patient("Many", f"P{number}") for number in range(60)]
        for number in range(250):
            minute = f"{8 + number % 8:02d}:{15 * (number % 4):02d}"
            day = f"2026-11-{2 + number % 20:02d}"
            clinic.book(people[number % 60], NORTHSIDE, "Dr Mei Ng", f"{day} {minute}", arrived=number % 2 == 0)
        for number in range(12):
            clinic.group(people[:5], NORTHSIDE, "Priya Nair", f"2026-11-{2 + number:02d} 16:30")
        pages = 3
        most = {
            "no_shows": pages + 1,
            "cancellations": pages + 1,
            "not_rebooked": pages + 1 + 1,
            "never_seen": pages + 1 + -(-len(clinic.rows("patients")) // 100),
            "unbilled": pages + 1 + 5,
            "missing_notes": pages + 1,
            "unpaid": -(-len(clinic.rows("invoices")) // 100) + 2,
            "activity": pages + 1,
            "new_bookings": pages,
            "new_cancellations": 2 + pages + 1,
            "cases": 2 + -(-len(clinic.rows("attendees")) // 95),
            "forms": pages + 1 + 3,
            "lapsed": pages + 1 + 1,
            "utilisation": pages + 2,
            "retention": 2 + pages + 1,
            "duplicates": -(-len(clinic.rows("patients")) // 100),
            "missing_contacts": 1 + -(-len(clinic.rows("patients")) // 100),
        }
        await clinic.assistant.call("report", kind="unpaid")
        for kind, count in most.items():
            answer, seen = await clinic.counted(
                "report",
                kind=kind,
                when="2026-11-01 to 2026-11-23" if KINDS[kind].usual else None,
            )
            assert "summary" in answer, answer
            assert seen <= 5 + count + 1, kind


@pytest.mark.long
async def test_every_kind_stays_within_its_tokens_and_says_what_is_left() -> None:
    async with reception() as clinic:
        for kind, found in KINDS.items():
            words = {"words": "well"} if found.words else {}
            for arguments, most in (({}, 2_000), ({"limit": 200}, 8_000)):
                result = await clinic.assistant.client.call_tool("report", {"kind": kind, **arguments, **words})
                text = result.content[0].text  # pyright: ignore[reportAttributeAccessIssue]
                assert len(text.encode()) / 4 <= most, kind
                body = json.loads(text)
                left = body["page"]["total"] - body["page"]["returned"]
                assert body["page"]["complete"] == (left == 0)
                more = f"{left:,} more row{'s' if left > 1 else ''}:"
                assert left == 0 or any(more in note for note in body["notes"])
                assert body["definition"] and body["when"]


@pytest.mark.long
async def test_unclear_names_times_and_far_too_long_spans_are_answers() -> None:
    async with reception() as clinic:
        call = clinic.assistant.call
        assert (await call("report", kind="no_shows", practitioner="Nobody"))["code"] == "not_found"
        assert (await call("report", kind="no_shows", when="soonish"))["code"] == "not_understood"
        assert (await call("report", kind="no_shows", when="2020-01-01 to 2026-01-01"))["code"] == "not_understood"
        assert (await call("report", kind="profit"))["code"] == "invalid_arguments"
        for kind in ("duplicates", "missing_contacts"):
            told = await call("report", kind=kind, practitioner="Mei Ng")
            assert told["code"] == "invalid_arguments" and "when" in told["fix"]
        for wrong in ({"limit": 0}, {"limit": 201}, {"skip": 10}, {"begun_at": "2026-11-24"}):
            assert (await call("report", kind="no_shows", **wrong))["code"] == "invalid_arguments"
        former = await call("report", kind="no_shows", when=WHEN, practitioner="Greta Holm")
        assert former["summary"]["no_shows"] == {"count": 0, "of": 0} and any(
            "no longer" in note for note in former["notes"]
        )
        for kind in (name for name, found in KINDS.items() if found.facing is Facing.BACK):
            words = {"words": "well"} if KINDS[kind].words else {}
            for ahead in ("tomorrow", "next month", "2026-12-01 to 2026-12-31"):
                assert (await call("report", kind=kind, when=ahead, **words))["code"] == "not_understood"
        for by in ("gossip", "source"):
            told = await call("report", kind="utilisation", by=[by])
            assert told["code"] == "invalid_arguments" and "practitioner" in told["message"] + told["fix"]
        assert (await call("report", kind="unpaid", compare="previous"))["code"] == "invalid_arguments"
        assert (await call("report", kind="find_in_notes"))["code"] == "invalid_arguments"
        for wrong in ({"kind": "alerts", "practitioner": "Mei Ng"}, {"kind": "unpaid", "words": "well"}):
            assert (await call("report", **wrong))["code"] == "invalid_arguments"


@pytest.mark.long
async def test_over_stdio() -> None:
    async with over_stdio() as assistant:
        answer = await assistant.call("report", kind="utilisation", when="last week", practitioner="Mei Ng")
        assert answer["items"][0]["open_hours"] > 20 and answer["items"][0]["practitioner"] == "Dr Mei Ng"
