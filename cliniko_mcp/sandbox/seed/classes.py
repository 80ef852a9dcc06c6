"""Classes: Pilates with Priya on Tuesdays, a smaller class on Fridays, both at 16:30, with who came and who did not."""

from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import FIRST_DAY, SYDNEY, SeedBuilder, minutes, stamp
from cliniko_mcp.sandbox.seed.diary import DAYS, cancellation
from cliniko_mcp.sandbox.seed.offer import GROUPS, OFFERS
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS
from cliniko_mcp.sandbox.seed.time_off import is_holiday, on_leave
from cliniko_mcp.sandbox.seed.visits import Visit

TUESDAY, FRIDAY = 2, 5
_ROSTER: Final = 14


def plan_classes(builder: SeedBuilder) -> list[Visit]:
    """The places of patients in classes; the classes themselves are added here."""
    rng = builder.rng("classes")
    priya = next(person for person in PRACTITIONERS if person.first == "Priya")
    # Those who attend classes: long-standing patients, the best known among them, and mostly the same ones.
    known = [
        row
        for row in builder.context.store.table("patients").live.values()
        if str(row["created_at"]) < builder.ago(-FIRST_DAY) and row.get("label") != "Ana Lima"
    ]
    rosters = {weekday: rng.sample(known, _ROSTER) for weekday in (TUESDAY, FRIDAY)}
    places: list[Visit] = []
    for days in sorted(DAYS):
        day = builder.day(days)
        if day.isoweekday() not in rosters or is_holiday(day) or on_leave(priya, days):
            continue
        offer = next(offer for offer in OFFERS if offer.name == GROUPS[0 if day.isoweekday() == TUESDAY else 1])
        starts = builder.utc(day, minutes("16:30"), SYDNEY)
        roster = rosters[day.isoweekday()]
        taken = rng.sample(roster, rng.randint(3, offer.places - 1))
        if rng.random() < 0.15:
            roster[rng.randrange(_ROSTER)] = rng.choice([row for row in known if row not in roster])
        group = builder.context.ids.next()
        made = min(builder.now, starts) - timedelta(days=50)
        seats = [
            Visit(
                group, builder.context.ids.next(), row, priya, NORTHSIDE, offer, starts, made + timedelta(days=10), True
            )
            for row in taken
        ]
        for seat in seats:
            if rng.random() < shape.CANCELLED.aim:
                seat.shared.update(cancellation(builder, seat, rng))
            elif starts < builder.now:
                seat.arrived = rng.random() > shape.NO_SHOWS.aim
        builder.add(
            "group_appointments",
            {
                "id": group,
                "appointment_type_id": builder.id("appointment_types", offer.name),
                "business_id": builder.id("businesses", NORTHSIDE),
                "practitioner_id": builder.id("practitioners", priya.name),
                "starts_at": stamp(starts),
                "ends_at": stamp(starts + timedelta(minutes=offer.minutes)),
                "max_attendees": offer.places,
                "notes": "Bring your own mat." if days % 3 == 0 else None,
                "patient_ids": [seat.patient["id"] for seat in seats if not seat.cancelled],
            },
            made=made,
        )
        places += seats
    return places
