"""The diary: three weeks back and four ahead: lunch, cancellations, no-shows, arrivals, classes, Ana's bookings."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.sandbox.moments import moment, stamp
from cliniko_mcp.sandbox.rules.attendees import fresh_counts, refresh_latest
from cliniko_mcp.sandbox.seed.offer import GROUPS, OFFERS, Offer
from cliniko_mcp.sandbox.seed.soil import SYDNEY, Soil
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, ZONES, Person
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

_FIRST_DAY: Final = -21
_LAST_DAY: Final = 28
_LUNCH: Final = ("12:30", "13:00")
_SPELL: Final = timedelta(minutes=30)


def plant_diary(soil: Soil) -> None:
    """Everything between the first and the last day."""
    for days in range(_FIRST_DAY, _LAST_DAY + 1):
        for person in PRACTITIONERS:
            _plant_day(soil, person, days)
    _plant_classes(soil)
    _plant_for_ana(soil)
    for patient in tuple(soil.desk.store.table("patients").rows):
        refresh_latest(soil.desk, patient)


def _plant_day(soil: Soil, person: Person, days: int) -> None:
    day = soil.day(days)
    for site, week in person.hours.items():
        hours = week.get(day.isoweekday())
        if hours is None:
            continue
        zone = ZONES[site][0]
        _plant_lunch(soil, person, site, day)
        starts, ends = soil.at(day, hours[0], zone), soil.at(day, hours[1], zone)
        lunch = soil.at(day, _LUNCH[0], zone), soil.at(day, _LUNCH[1], zone)
        while starts < ends:
            offer = _choice(soil, person, site)
            length = timedelta(minutes=offer.minutes)
            over_lunch = starts < lunch[1] and lunch[0] < starts + length
            if (
                soil.dice.random() < 0.45
                and starts + length <= ends
                and not over_lunch
                and not _class_time(person, starts)
            ):
                plant_booking(soil, person, site, offer, starts, _someone(soil))
                starts += max(length, _SPELL) if length > _SPELL else _SPELL
            else:
                starts += _SPELL


def _choice(soil: Soil, person: Person, site: str) -> Offer:
    given = [
        each
        for each in OFFERS
        if each.places == 1 and site in each.sites and any(word in person.designation for word in each.designations)
    ]
    return given[0] if soil.dice.random() < 0.5 else soil.dice.choice(given)


def _someone(soil: Soil) -> Row:
    live = [row for row in soil.desk.store.table("patients").live.values() if row["label"] != "Ana Lima"]
    return soil.dice.choice(live)


def _plant_lunch(soil: Soil, person: Person, site: str, day: date) -> None:
    zone = ZONES[site][0]
    soil.plant(
        "unavailable_blocks",
        {
            "business_id": soil.id("businesses", site),
            "practitioner_id": soil.id("practitioners", person.name),
            "starts_at": stamp(soil.at(day, _LUNCH[0], zone)),
            "ends_at": stamp(soil.at(day, _LUNCH[1], zone)),
            "unavailable_block_type_id": soil.id("unavailable_block_types", "Lunch"),
        },
        days_ago=60,
    )


def plant_booking(
    soil: Soil, person: Person, site: str, offer: Offer, starts: datetime, patient: Row, state: Json | None = None
) -> str:
    """An individual appointment with its attendee, as it stands at the clinic's present; its id.

    `state` says what both share (arrival as `arrived`, cancellation, notes); without it, the dice do.
    """
    now = soil.desk.clock.now()
    made = min(now, starts) - timedelta(days=soil.dice.randint(1, 20), minutes=soil.dice.randint(0, 600))
    shared = {"patient_id": patient["id"], **(_state(soil, starts, made) if state is None else state)}
    arrived = shared.pop("arrived", None)
    days_ago = (now - made).total_seconds() / 86400
    booking = soil.plant(
        "individual_appointments",
        {
            "appointment_type_id": soil.id("appointment_types", offer.name),
            "business_id": soil.id("businesses", site),
            "practitioner_id": soil.id("practitioners", person.name),
            "starts_at": stamp(starts),
            "ends_at": stamp(starts + timedelta(minutes=offer.minutes)),
            "patient_name": patient["label"],
            "patient_ids": [patient["id"]],
            "email_reminder_sent": starts < now,
            "sms_reminder_sent": starts < now,
            "online_booking_policy_accepted": False,
            "patient_arrived": arrived,
            "did_not_arrive": None if arrived is None else not arrived,
            **shared,
        },
        days_ago=days_ago,
    )
    soil.plant("attendees", {"booking_id": booking, **fresh_counts(), "arrived": arrived, **shared}, days_ago=days_ago)
    return booking


def _state(soil: Soil, starts: datetime, made: datetime) -> Json:
    roll, past = soil.dice.random(), starts < soil.desk.clock.now()
    if roll < 0.08:
        when = made + (min(starts, soil.desk.clock.now()) - made) * soil.dice.random()
        note = soil.dice.choice(("Called this morning.", None))
        reason = soil.dice.choice((10, 20, 30, 40, 50, 60))
        return {"cancelled_at": stamp(when), "cancellation_reason": reason, "cancellation_note": note}
    if past:
        return {"arrived": roll > 0.13} if roll < 0.97 else {}
    return {"notes": "First visit after surgery."} if roll > 0.98 else {}


def _class_time(person: Person, starts: datetime) -> bool:
    local = starts.astimezone(ZoneInfo(SYDNEY))
    return person.first == "Priya" and local.isoweekday() in (2, 5) and 16 <= local.hour < 18


def _plant_classes(soil: Soil) -> None:
    """Pilates with Priya on Tuesdays and a smaller class on Fridays, both at 16:30."""
    priya = next(each for each in PRACTITIONERS if each.first == "Priya")
    patients = list(soil.desk.store.table("patients").live.values())
    for days in range(_FIRST_DAY, _LAST_DAY + 1):
        weekday = soil.day(days).isoweekday()
        if weekday not in (2, 5):
            continue
        offer = next(each for each in OFFERS if each.name == GROUPS[0 if weekday == 2 else 1])
        starts = soil.at(soil.day(days), "16:30", SYDNEY)
        taken = soil.dice.sample(patients, soil.dice.randint(2, offer.places - 1))
        _plant_class(soil, priya, offer, starts, [row for row in taken if row["label"] != "Ana Lima"])


def _plant_class(soil: Soil, person: Person, offer: Offer, starts: datetime, patients: list[Row]) -> None:
    past = starts < soil.desk.clock.now()
    group = soil.plant(
        "group_appointments",
        {
            "appointment_type_id": soil.id("appointment_types", offer.name),
            "business_id": soil.id("businesses", NORTHSIDE),
            "practitioner_id": soil.id("practitioners", person.name),
            "starts_at": stamp(starts),
            "ends_at": stamp(starts + timedelta(minutes=offer.minutes)),
            "max_attendees": offer.places,
            "patient_ids": [row["id"] for row in patients],
        },
        days_ago=50,
    )
    for row in patients:
        came = soil.dice.random() > 0.15 if past else None
        soil.plant(
            "attendees",
            {
                "booking_id": group,
                "patient_id": row["id"],
                **fresh_counts(),
                "arrived": came,
            },
            days_ago=40,
        )


def _plant_for_ana(soil: Soil) -> None:
    """Ana Lima: one visit behind her and three to come, each with someone who works that day."""
    ana = soil.row("patients", "Ana Lima")
    standard, initial = (
        next(each for each in OFFERS if each.name == name) for name in ("Standard consult", "Initial consult")
    )
    mei, tom = PRACTITIONERS[0], PRACTITIONERS[1]
    for days, clock, person, offer in (
        (-8, "09:00", mei, initial),
        (2, "10:00", mei, standard),
        (9, "10:00", mei, standard),
        (16, "08:00", tom, standard),
    ):
        day = _working_day(soil, person, days)
        starts = soil.at(day, clock, SYDNEY)
        _make_room(soil, person, starts, starts + timedelta(minutes=offer.minutes))
        state: Json = {"arrived": True} if starts < soil.desk.clock.now() else {}
        plant_booking(soil, person, NORTHSIDE, offer, starts, ana, state)


def _working_day(soil: Soil, person: Person, days: int) -> date:
    week = person.hours[NORTHSIDE]
    step = 1 if days > 0 else -1
    while soil.day(days).isoweekday() not in week:
        days += step
    return soil.day(days)


def _make_room(soil: Soil, person: Person, starts: datetime, ends: datetime) -> None:
    practitioner = soil.id("practitioners", person.name)
    for row in tuple(soil.desk.where("individual_appointments", "practitioner_id", practitioner)):
        if moment(row["starts_at"]) < ends and starts < moment(row["ends_at"]):
            for attendee in tuple(soil.desk.where("attendees", "booking_id", str(row["id"]))):
                soil.desk.store.remove("attendees", str(attendee["id"]))
            soil.desk.store.remove("individual_appointments", str(row["id"]))
