"""Classes: Pilates with Priya on Tuesdays, a smaller class on Fridays, both at 16:30, with who came and who did not."""

from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox.seed.builder import SYDNEY, Soil, at, minutes
from cliniko_mcp.sandbox.seed.diary import DAYS, cancellation
from cliniko_mcp.sandbox.seed.offer import GROUPS, OFFERS
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS
from cliniko_mcp.sandbox.seed.time_off import is_holiday
from cliniko_mcp.sandbox.seed.visits import Visit

TUESDAY, FRIDAY = 2, 5
_RECENT: Final = range(-190, 93)


def plan_classes(soil: Soil) -> list[Visit]:
    """The places of patients in classes; the classes themselves are planted already."""
    dice = soil.dice("classes")
    priya = next(each for each in PRACTITIONERS if each.first == "Priya")
    # Those who attend classes: long-standing patients, the best known among them.
    regulars = [
        row
        for row in soil.context.store.table("patients").live.values()
        if str(row["created_at"]) < soil.ago(_RECENT.stop + 100) and row.get("label") != "Ana Lima"
    ][:120]
    places: list[Visit] = []
    for days in sorted(DAYS):
        day = soil.day(days)
        if days not in _RECENT or day.isoweekday() not in (TUESDAY, FRIDAY) or is_holiday(day):
            continue
        offer = next(each for each in OFFERS if each.name == GROUPS[0 if day.isoweekday() == TUESDAY else 1])
        starts = soil.utc(day, minutes("16:30"), SYDNEY)
        taken = dice.sample(regulars, dice.randint(2, offer.places - 1))
        group = soil.context.ids.next()
        made = min(soil.now, starts) - timedelta(days=50)
        seats = [
            Visit(group, soil.context.ids.next(), row, priya, NORTHSIDE, offer, starts, made + timedelta(days=10), True)
            for row in taken
        ]
        for seat in seats:
            if dice.random() < 0.06:
                seat.shared.update(cancellation(soil, seat, dice))
            elif starts < soil.now:
                seat.arrived = dice.random() > 0.12
        soil.plant(
            "group_appointments",
            {
                "id": group,
                "appointment_type_id": soil.id("appointment_types", offer.name),
                "business_id": soil.id("businesses", NORTHSIDE),
                "practitioner_id": soil.id("practitioners", priya.name),
                "starts_at": at(starts),
                "ends_at": at(starts + timedelta(minutes=offer.minutes)),
                "max_attendees": offer.places,
                "notes": "Bring your own mat." if days % 3 == 0 else None,
                "patient_ids": [seat.patient["id"] for seat in seats if not seat.cancelled],
            },
            made=made,
        )
        places += seats
    return places
