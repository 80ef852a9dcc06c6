"""Time in which nobody is booked: lunch, public holidays, leave, and a weekly meeting."""

from collections.abc import Container, Iterable
from datetime import date, timedelta
from typing import Final

from cliniko_mcp.sandbox.seed.builder import SeedBuilder, minutes, stamp
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, ZONES, Person
from cliniko_mcp.sandbox.wire import Json

HOLIDAYS: Final = frozenset({(1, 1), (1, 26), (4, 25), (12, 25), (12, 26)})
"""Month and day of the holidays on which both sites are closed."""

LEAVE: Final = (
    ("Mei", -505, 14),
    ("Mei", -192, 14),
    ("Tom", -420, 21),
    ("Tom", -150, 14),
    ("Tom", -60, 5),
    ("Priya", -470, 14),
    ("Priya", -214, 21),
    ("Lena", -385, 21),
    ("Lena", -120, 7),
    ("Marcus", -360, 7),
    ("Marcus", -250, 14),
    ("Jack", -448, 14),
    ("Jack", -275, 21),
    ("Aroha", -330, 21),
    ("Aroha", 70, 7),
    ("Sam", -530, 14),
    ("Sam", -100, 21),
)
"""Who is away, from which day counted from today, for how many days."""

ELSEWHERE: Final = (
    ("Mei", 1, "13:00", "17:00", "Admin"),
    ("Mei", 2, "13:00", "17:00", "Off site"),
    ("Mei", 4, "13:00", "17:00", "Off site"),
    ("Tom", 1, "13:00", "15:30", "Off site"),
    ("Tom", 2, "13:00", "15:30", "Off site"),
    ("Tom", 4, "13:00", "15:30", "Off site"),
    ("Tom", 5, "13:00", "15:30", "Admin"),
    ("Jack", 1, "13:00", "16:30", "Off site"),
    ("Jack", 2, "08:00", "12:30", "Off site"),
    ("Jack", 3, "13:00", "16:30", "Admin"),
    ("Jack", 4, "13:00", "16:30", "Off site"),
    ("Jack", 5, "13:00", "16:30", "Admin"),
    ("Sam", 1, "13:00", "17:00", "Off site"),
    ("Sam", 2, "09:00", "12:30", "Off site"),
    ("Sam", 4, "13:00", "17:00", "Off site"),
)
"""Who keeps which hours of which weekday for letters and calls, or for patients in hospital and at home."""

_MEETINGS: Final = 51


_AWAY: Final = frozenset((first, begins + day) for first, begins, length in LEAVE for day in range(length))


def is_holiday(day: date) -> bool:
    """Whether the clinic is closed on this day."""
    return (day.month, day.day) in HOLIDAYS


def on_leave(person: Person, days: int) -> bool:
    """Whether this person is away so many days from today."""
    return (person.first, days) in _AWAY


def build_time_off(builder: SeedBuilder, days: Iterable[int], lunch: tuple[int, int], *, quiet: Container[int]) -> None:
    """The blocks on these days, at the site where the practitioner works then; no work elsewhere on `quiet` ones."""
    rows: list[Json] = []
    for days_ahead in sorted(days):
        day = builder.day(days_ahead)
        for person in PRACTITIONERS:
            for site, week in person.hours.items():
                hours = week.get(day.isoweekday())
                if hours is None:
                    continue
                whole = minutes(hours[0]), minutes(hours[1])
                if is_holiday(day):
                    rows.append(_block(builder, person, site, day, whole, "Public holiday"))
                elif on_leave(person, days_ahead):
                    rows.append(_block(builder, person, site, day, whole, "Leave", "Annual leave."))
                else:
                    rows.append(_block(builder, person, site, day, lunch, "Lunch"))
                    for first, weekday, starts, ends, block_type in ELSEWHERE if days_ahead not in quiet else ():
                        if (first, weekday) == (person.first, day.isoweekday()):
                            span = minutes(starts), minutes(ends)
                            rows.append(_block(builder, person, site, day, span, block_type))
    builder.extend("unavailable_blocks", rows)
    _add_meetings(builder)


def _block(
    builder: SeedBuilder,
    person: Person,
    site: str,
    day: date,
    span: tuple[int, int],
    block_type: str,
    notes: str | None = None,
) -> Json:
    starts, ends = (stamp(builder.utc(day, minute, ZONES[site][0])) for minute in span)
    made = min(builder.now, builder.utc(day, 0, ZONES[site][0])) - timedelta(days=60)
    created = stamp(made)
    row: Json = {
        "created_at": created,
        "updated_at": created,
        "id": builder.context.ids.next(),
        "business_id": builder.id("businesses", site),
        "practitioner_id": builder.id("practitioners", person.name),
        "starts_at": starts,
        "ends_at": ends,
        "unavailable_block_type_id": builder.id("unavailable_block_types", block_type),
    }
    if notes is not None:
        row["notes"] = notes
    return row


def _add_meetings(builder: SeedBuilder) -> None:
    """A year of Monday meetings before Dr Mei Ng's first patient: a series, at the same local time all year."""
    mei = PRACTITIONERS[0]
    monday = builder.today - timedelta(days=builder.today.weekday() + 7 * _MEETINGS)
    original = ""
    for week in range(_MEETINGS + 1):
        day = monday + timedelta(weeks=week)
        starts, ends = (stamp(builder.utc(day, minutes(clock), ZONES[NORTHSIDE][0])) for clock in ("08:00", "08:30"))
        rule: Json = {"repeat_type": "Weekly", "number_of_repeats": _MEETINGS, "repeating_interval": 1}
        row = builder.add(
            "unavailable_blocks",
            {
                "business_id": builder.id("businesses", NORTHSIDE),
                "practitioner_id": builder.id("practitioners", mei.name),
                "starts_at": starts,
                "ends_at": ends,
                "notes": "Team meeting",
                "unavailable_block_type_id": builder.id("unavailable_block_types", "Admin"),
                "repeat_rule": rule,
                "repeated_from_id": original or None,
            },
            made=builder.utc(monday, 0, ZONES[NORTHSIDE][0]) - timedelta(days=10),
        )
        original = original or row
