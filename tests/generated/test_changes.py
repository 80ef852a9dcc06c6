"""Bookings, moves, cancellations and blocks in generated clinics: exactly the rows that were meant change."""

from datetime import UTC, datetime, timedelta

import pytest
from clinics import expected
from clinics.rows import Clinic, Row, stamp
from clinics.strategies import clinics, days
from clinics.tools import Change, Tools, play
from hypothesis import assume, given, settings
from hypothesis import strategies as st

APPOINTMENTS = "individual_appointments"


def live(rows: list[Row]) -> list[Row]:
    return [row for row in rows if expected.in_use(row) and not row.get("merged_at")]


def local(moment: datetime) -> str:
    """A time as an argument that means this instant whatever the zone."""
    return moment.isoformat()


def moment(data: st.DataObject, clinic: Clinic, site: Row) -> datetime:
    """An instant, on five minutes, of a day that is filled."""
    zone = expected.zone_of(site, clinic)
    minutes = expected.day_minutes(data.draw(days(clinic, zone, 0)), zone)
    return expected.at(data.draw(st.sampled_from(minutes[300 : 23 * 60 : 15])))


def only(changes: list[Change], table: str) -> list[tuple[Row | None, Row | None]]:
    return [(old, new) for name, old, new in changes if name == table]


def differing(old: Row, new: Row) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


DERIVED = {"updated_at", "latest_booking_id"}


def assert_booked(changes: list[Change], patient: Row, person: Row, site: Row, kind: Row, minutes: range) -> None:
    """One appointment with its attendee is new; of the patient's file only what follows from it changed."""
    ((old, new),) = only(changes, APPOINTMENTS)
    assert old is None and new is not None
    assert (new["patient_id"], new["practitioner_id"]) == (patient["id"], person["id"])
    assert (new["business_id"], new["appointment_type_id"]) == (site["id"], kind["id"])
    assert (new["starts_at"], new["ends_at"]) == tuple(stamp(expected.at(at)) for at in (minutes.start, minutes.stop))
    ((none, attendee),) = only(changes, "attendees")
    assert none is None and attendee is not None
    assert (attendee["booking_id"], attendee["patient_id"]) == (new["id"], patient["id"])
    for before, after in only(changes, "patients"):
        assert before and after and after["id"] == patient["id"] and differing(before, after) <= DERIVED
    assert {table for table, _, _ in changes} <= {APPOINTMENTS, "attendees", "patients"}


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=35)
def test_what_is_offered_is_booked_as_one_visit_and_never_offered_again(clinic: Clinic, data: st.DataObject) -> None:
    day = data.draw(days(clinic, expected.zone_of(clinic.sites[0], clinic), 0))
    kind = clinic.types[0]
    starts = sorted(expected.free_starts(clinic, kind, day))
    patient = data.draw(st.sampled_from(live(clinic.patients)))
    kept = [(at, who, where) for at, who, where in starts if not _busy(clinic, patient, kind, at, who)]
    assume(kept)
    at, who, where = data.draw(st.sampled_from(kept[:100]))  # the most that find_times shows
    person = next(row for row in clinic.staff if row["id"] == who)
    site = next(row for row in clinic.sites if row["id"] == where)

    async def act(tools: Tools) -> None:
        asked = {"type": kind["id"], "when": day.isoformat(), "practitioner": [who], "business": where, "limit": 100}
        found = await tools.call("find_times", **asked)
        slot = next(row for row in found["items"] if expected.minute(row["starts_at"].split(" ")[0]) == at)
        booking = {"patient": patient["id"], "practitioner": who, "type": kind["id"], "business": where}
        answer, changes = await tools.changed("book_appointment", when=slot["starts_at"], **booking)
        assert answer.get("done") == "Booked.", answer
        assert_booked(changes, patient, person, site, kind, range(at, at + expected.length_of(kind)))
        again = await tools.call("find_times", **asked)
        assert slot not in again["items"]
        twice, changes = await tools.changed("book_appointment", when=slot["starts_at"], **booking)
        assert "Already there" in twice.get("done", "") and changes == [], twice

    play(clinic, act)


def _busy(clinic: Clinic, patient: Row, kind: Row, at: int, who: str) -> bool:
    person = next(row for row in clinic.staff if row["id"] == who)
    return bool(expected.elsewhere(clinic, patient["id"], person, range(at, at + expected.length_of(kind))))


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=45)
def test_a_booking_is_made_exactly_where_the_rows_show_nothing_against_it(clinic: Clinic, data: st.DataObject) -> None:
    person, site = (data.draw(st.sampled_from(live(rows))) for rows in (clinic.staff, clinic.sites))
    patient, kind = data.draw(st.sampled_from(live(clinic.patients))), clinic.types[0]
    starts, length = moment(data, clinic, site), data.draw(st.sampled_from((5, 30, 55, 240)))
    against = expected.clashes(clinic, patient["id"], person, site, kind, _range(starts, length))

    async def act(tools: Tools) -> None:
        booking = {"patient": patient["id"], "practitioner": person["id"], "type": kind["id"], "business": site["id"]}
        booking |= {"when": local(starts), "minutes": length}
        checked, changes = await tools.changed("book_appointment", **booking, dry_run=True)
        assert changes == []
        assert len(checked["clashes"]) == len(against), (checked, against)
        answer, changes = await tools.changed("book_appointment", **booking)
        if not against:
            assert_booked(changes, patient, person, site, kind, _range(starts, length))
            return
        assert (answer["code"], changes) == ("clash", [])
        _, changes = await tools.changed("book_appointment", **booking, allow_clash="clash-0123456789")
        assert changes == []
        _, changes = await tools.changed("book_appointment", **booking, allow_clash=checked["clash"])
        assert_booked(changes, patient, person, site, kind, _range(starts, length))

    play(clinic, act)


def _range(starts: datetime, minutes: int) -> range:
    return range(expected.minute(starts), expected.minute(starts) + minutes)


def coming(clinic: Clinic) -> list[Row]:
    return [
        row
        for row in clinic.rows(APPOINTMENTS)
        if expected.live(row) and datetime.fromisoformat(row["starts_at"]) > clinic.now.astimezone(UTC)
    ]


def _by_id(rows: list[Row], row_id: str) -> Row:
    return next(row for row in rows if row["id"] == row_id)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=35)
def test_a_move_changes_the_times_of_one_appointment_and_nothing_else(clinic: Clinic, data: st.DataObject) -> None:
    assume(coming(clinic))
    row = data.draw(st.sampled_from(coming(clinic)))
    person, site = _by_id(clinic.staff, row["practitioner_id"]), _by_id(clinic.sites, row["business_id"])
    kind = _by_id(clinic.types, row["appointment_type_id"])
    assume(expected.in_use(person) and expected.in_use(site))
    starts = moment(data, clinic, site)
    minutes = range(expected.minute(starts), expected.minute(starts) + len(expected.covers(row)))
    assume(minutes != expected.covers(row))
    against = expected.clashes(clinic, row["patient_id"], person, site, kind, minutes, but=row["id"])
    against = [word for word in against if word != "not by them"]

    async def act(tools: Tools) -> None:
        asked = {"appointment": row["id"], "when": local(starts)}
        answer, changes = await tools.changed("move_appointment", **asked)
        if "past" in against:  # no time to move to, so that no text allows it either
            assert (answer["code"], changes) == ("not_understood", []), answer
            return
        if against:
            assert (answer["code"], changes) == ("clash", []), (answer, against)
            checked = await tools.call("move_appointment", **asked, dry_run=True)
            assert len(checked["clashes"]) == len(against), (checked, against)
            answer, changes = await tools.changed("move_appointment", **asked, allow_clash=checked["clash"])
        assert answer.get("done") == "Moved.", answer
        ((old, new),) = only(changes, APPOINTMENTS)
        assert old and new and new["id"] == row["id"]
        assert differing(old, new) - {"updated_at"} <= {"starts_at", "ends_at"}
        assert expected.covers(new) == minutes
        assert {table for table, _, _ in changes} <= {APPOINTMENTS, "patients"}

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=35)
def test_a_cancellation_cancels_one_place_and_nothing_else(clinic: Clinic, data: st.DataObject) -> None:
    places = [
        (booking, place)
        for table in expected.BOOKED
        for booking in clinic.rows(table)
        for place in clinic.rows("attendees")
        if place["booking_id"] == booking["id"] and expected.live(booking) and expected.live(place)
    ]
    assume(places)
    booking, place = data.draw(st.sampled_from(places))
    group = "max_attendees" in booking

    async def act(tools: Tools) -> None:
        whose = {"patient": place["patient_id"]} if group else {}
        asked = {"appointment": booking["id"], "reason": "away", **whose}
        answer, changes = await tools.changed("cancel_appointment", **asked)
        assert answer.get("done") == "Cancelled.", answer
        ((old, new),) = only(changes, "attendees")
        assert old and new and new["id"] == place["id"] and new["cancelled_at"]
        bookings = [*only(changes, APPOINTMENTS), *only(changes, "group_appointments")]
        assert [after and after["id"] for _, after in bookings] == [booking["id"]]
        kept = {"starts_at", "ends_at", "practitioner_id", "business_id", "appointment_type_id", "archived_at"}
        assert all(before and after and not differing(before, after) & kept for before, after in bookings)
        tables = {table for table, _, _ in changes}
        assert tables <= {APPOINTMENTS, "group_appointments", "attendees", "patients"}
        twice, changes = await tools.changed("cancel_appointment", **asked)
        assert "code" in twice and changes == []

    play(clinic, act)


@pytest.mark.long
@given(clinics(), st.data())
@settings(max_examples=35)
def test_blocking_out_makes_exactly_the_blocks_that_it_tells_of(clinic: Clinic, data: st.DataObject) -> None:
    person, site = (data.draw(st.sampled_from(live(rows))) for rows in (clinic.staff, clinic.sites))
    zone = expected.zone_of(site, clinic)
    first = data.draw(days(clinic, zone, 0))
    last = first + timedelta(days=data.draw(st.integers(0, 2)))
    spans = [
        tuple(datetime.combine(day, datetime.min.time(), zone).replace(hour=hour) for hour in (11, 13))
        for day in (first + timedelta(days=step) for step in range((last - first).days + 1))
    ]
    worked = [
        (starts, ends)
        for starts, ends in spans
        if set(range(expected.minute(starts), expected.minute(ends)))
        & expected.worked(clinic, person["id"], site, starts.date())
    ]
    wanted = {(stamp(starts.astimezone(UTC)), stamp(ends.astimezone(UTC))) for starts, ends in worked or spans}
    there = {
        (row["starts_at"], row["ends_at"])
        for row in clinic.rows("unavailable_blocks")
        if not expected.hidden(row) and (row["practitioner_id"], row["business_id"]) == (person["id"], site["id"])
    }

    async def act(tools: Tools) -> None:
        when = f"{first} to {last} 11:00 to 13:00" if first != last else f"{first} 11:00 to 13:00"
        asked = {"practitioner": person["id"], "business": site["id"], "when": when}
        answer, changes = await tools.changed("block_time", **asked)
        if answer.get("code") == "clash":
            assert changes == []
            answer, changes = await tools.changed("block_time", **asked, allow_clash=answer["clash"])
        assert {table for table, _, _ in changes} <= {"unavailable_blocks"}, answer
        made = [new for old, new in only(changes, "unavailable_blocks") if old is None and new is not None]
        assert len(made) == len(changes)
        assert {(row["starts_at"], row["ends_at"]) for row in made} == wanted - there, answer
        assert all((row["practitioner_id"], row["business_id"]) == (person["id"], site["id"]) for row in made)
        assert len(answer["items"]) == len(wanted)
        assert answer["done"]

    play(clinic, act)
