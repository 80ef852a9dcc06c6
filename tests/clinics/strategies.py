"""Hypothesis strategies for whole clinics: sites in odd zones, staff and patients of any name, a diary of all kinds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .expected import zone_of
from .rows import HIDDEN_AT, Clinic, Row, span

NOWS = (
    "2026-11-24T09:00:00+11:00",  # a Tuesday
    "2026-10-03T08:58:30+10:00",  # the day before clocks go forward in Sydney and Adelaide
    "2026-04-03T16:02:00+11:00",  # two days before they go back
    "2026-03-27T10:00:00+00:00",  # two days before they go forward in London, and at midnight in Beirut
    "2026-10-23T10:01:00+01:00",  # two days before they go back
)
HOMES = ("Australia/Sydney", "Australia/Adelaide", "Europe/London", "Asia/Tokyo")
KNOWN_ZONES = (
    ("Australia/Sydney", "Sydney"),
    ("Australia/Adelaide", None),
    (None, "Perth"),
    ("Europe/London", "London"),
    ("Asia/Beirut", "Beirut"),
    ("Australia/Lord_Howe", None),
    (None, "Newfoundland"),
)
"""(identifier, label) pairs that name a zone, by either."""
ODD_ZONES = ((None, None), ("Australia", None), ("Nowhere/Else", "Hobart"), ("", ""), ("Nowhere/Else", "Nowhere"))
"""Pairs of which the identifier names none; of one the label does."""
NAMES = (
    ("José", "Peña"),
    ("Jose", "Pena"),
    ("Ana", "Lima"),
    ("Ana", "Lima"),
    ("Ana María", "Lima"),
    ("Łukasz", "Żak"),
    ("さくら", "山田"),
    ("محمد", "العلي"),
    ("Ольга", "Иванова"),
    ("Mary", "O’Brien"),
    ("Dr", "No"),
    ("Rosa", None),
    (None, "Kaur"),
    (None, None),
)
"""First and last names in four scripts: some fold to the same, some are halves, one is none at all."""
SITE_NAMES = ("Northside", "Riverside", "北の診療所", "Northside", None)
TYPE_NAMES = ("Standard consult", "Initial consult", "Pilates", "施術", "Standard consult", None)
LENGTHS = (30, 15, 45, 60, 5, 7, 25, 90, 0, None)
STATES = ("", "", "", "cancelled", "archived", "arrived", "missed")
SPANS = (
    (("09:00", "17:00"),),
    (("08:30", "12:00"), ("13:00", "17:15")),
    (("06:07", "07:02"), ("12:00", "00:00")),
    (("16:00", "16:20"),),
    (("09:00", "12:00"), ("11:00", "14:00")),
)


@st.composite
def clinics(draw: st.DrawFn, *, odd: bool = False, nows: Sequence[str] = NOWS) -> Clinic:
    """A clinic in which things happen from three days before now, which is one of `nows`, to six days after.

    Unless `odd`, there is at least one site, practitioner, type and patient in use, and every zone is known.
    """
    least = 0 if odd else 1
    homes = (*HOMES, None, "Nowhere/Else") if odd else HOMES
    clinic = Clinic(datetime.fromisoformat(draw(st.sampled_from(nows))), draw(st.sampled_from(homes)))
    zones = (*KNOWN_ZONES, *ODD_ZONES) if odd else KNOWN_ZONES
    for _ in range(draw(st.integers(least, 3))):
        identifier, label = draw(st.sampled_from(zones))
        name = draw(st.sampled_from(SITE_NAMES))
        clinic.add(
            "businesses",
            business_name=name,
            label=name,
            time_zone_identifier=identifier,
            time_zone=label,
            archived_at=_sometimes(draw, HIDDEN_AT) if len(clinic.sites) >= least else None,
        )
    for _ in range(draw(st.integers(least, 5))):
        gone = len(clinic.staff) >= least and draw(st.integers(0, 4)) == 4
        clinic.add("practitioners", **_person(draw), active=not gone, show_in_online_bookings=True)
    for _ in range(draw(st.integers(least, 6))):
        hidden = len(clinic.patients) >= least and draw(st.integers(0, 5)) == 5
        merged = clinic.patients[0]["id"] if hidden and clinic.patients and draw(st.booleans()) else None
        clinic.add(
            "patients",
            **_person(draw),
            date_of_birth=draw(st.sampled_from((None, "1984-03-17", "1951-12-01"))),
            archived_at=HIDDEN_AT if hidden else None,
            merged_at=HIDDEN_AT if merged else None,
            merged_with_patient_id=merged,
        )
    for _ in range(draw(st.integers(least, 4))):
        _add_type(draw, clinic, least)
    _list_offers(draw, clinic)
    _add_hours(draw, clinic)
    _add_diary(draw, clinic)
    return clinic


def _sometimes(draw: st.DrawFn, value: str) -> str | None:
    return value if draw(st.integers(0, 5)) == 5 else None


def _person(draw: st.DrawFn) -> Row:
    first, last = (None, None) if draw(st.integers(0, 6)) == 6 else draw(st.sampled_from(NAMES))
    label = " ".join(part for part in (first, last) if part) or None
    return {"first_name": first, "last_name": last, "label": label}


def _add_type(draw: st.DrawFn, clinic: Clinic, least: int) -> None:
    first = len(clinic.types) < least
    clinic.add(
        "appointment_types",
        name=draw(st.sampled_from(TYPE_NAMES)),
        duration_in_minutes=draw(st.sampled_from(LENGTHS)),
        max_attendees=1 if first else draw(st.sampled_from((1, 1, None, 0, 2, 8))),
        practitioner_ids=[one["id"] for one in clinic.staff if first or draw(st.integers(0, 3)) < 3],
        archived_at=None if first else _sometimes(draw, HIDDEN_AT),
    )


def _list_offers(draw: st.DrawFn, clinic: Clinic) -> None:
    """Some sites list what they offer; one that lists nothing at all offers everything."""
    for site in clinic.sites:
        if draw(st.booleans()):
            site["appointment_type_ids"] = [kind["id"] for kind in clinic.types if draw(st.integers(0, 3)) < 3]


def _add_hours(draw: st.DrawFn, clinic: Clinic) -> None:
    for person in clinic.staff:
        for site in clinic.sites:
            if draw(st.integers(0, 3)) == 3:
                continue
            spans = draw(st.sampled_from(SPANS))
            for weekday in draw(st.sampled_from(((1, 2, 3, 4, 5), (2, 6, 0), (0, 1, 2, 3, 4, 5, 6), (3, 7)))):
                clinic.add(
                    "daily_availabilities",
                    practitioner_id=person["id"],
                    business_id=site["id"],
                    day_of_week=weekday,
                    availabilities=[{"starts_at": first, "ends_at": last} for first, last in spans],
                    time_zone_identifier=site.get("time_zone_identifier"),
                    time_zone=site.get("time_zone"),
                )


def _add_diary(draw: st.DrawFn, clinic: Clinic) -> None:
    if not (clinic.sites and clinic.staff):
        return
    for _ in range(draw(st.integers(0, 2))):
        where = _place(clinic, draw)
        clinic.add("availability_blocks", **where, **span(_moment(draw, clinic, where), draw(st.sampled_from(_LONG))))
    for _ in range(draw(st.integers(0, 3))):
        where = _place(clinic, draw)
        starts, minutes = _moment(draw, clinic, where), draw(st.sampled_from(_LONG))
        repeats = draw(st.sampled_from((1, 1, 3)))
        for step in range(repeats):
            rule = {"number_of_repeats": repeats - 1, "repeat_type": "Daily", "repeating_interval": 1}
            clinic.add(
                "unavailable_blocks",
                **where,
                **span(starts + timedelta(days=step), minutes),
                repeat_rule=rule if repeats > 1 else None,
                archived_at=_sometimes(draw, HIDDEN_AT),
            )
    if not (clinic.types and clinic.patients):
        return
    for _ in range(draw(st.integers(0, 8))):
        _add_booking(draw, clinic)


_LONG = (15, 30, 60, 137, 600, 1_500)


def _add_booking(draw: st.DrawFn, clinic: Clinic) -> None:
    person, site = draw(st.sampled_from(clinic.staff)), draw(st.sampled_from(clinic.sites))
    kind = draw(st.sampled_from(clinic.types))
    starts = _moment(draw, clinic, {"business_id": site["id"]})
    minutes = draw(st.sampled_from((30, 15, 45, 60, 20, 300)))
    past = starts < clinic.now
    states = STATES if past else STATES[:-2]
    if (kind.get("max_attendees") or 1) > 1:
        chosen = draw(st.lists(st.sampled_from(clinic.patients), max_size=4, unique_by=lambda row: row["id"]))
        places = [(patient, draw(st.sampled_from(states))) for patient in chosen]
        clinic.gather(places, person, site, kind, starts, minutes, kind["max_attendees"])
        return
    patient, state = draw(st.sampled_from(clinic.patients)), draw(st.sampled_from(states))
    for step in range(draw(st.sampled_from((1, 1, 1, 1, 3)))):  # a series, day by day
        at = starts + timedelta(days=step)
        clinic.book(patient, person, site, kind, at, minutes, state if at < clinic.now or state in STATES[:-2] else "")


def _place(clinic: Clinic, draw: st.DrawFn) -> Row:
    person, site = draw(st.sampled_from(clinic.staff)), draw(st.sampled_from(clinic.sites))
    return {"practitioner_id": person["id"], "business_id": site["id"]}


def _moment(draw: st.DrawFn, clinic: Clinic, where: Row) -> datetime:
    """A local wall time of the site within the days that are filled, as an instant; late ones cross midnight."""
    zone = site_zone(clinic, where["business_id"])
    minute = draw(st.one_of(st.sampled_from((540, 570, 600, 660, 780)), st.integers(72, 287).map(lambda at: at * 5)))
    wall = datetime.combine(draw(days(clinic, zone)), datetime.min.time()) + timedelta(minutes=minute)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def site_zone(clinic: Clinic, site_id: str) -> ZoneInfo:
    return zone_of(next(row for row in clinic.sites if row["id"] == site_id), clinic)


def days(clinic: Clinic, zone: ZoneInfo, first: int = -3, last: int = 5) -> st.SearchStrategy[date]:
    """A local day near now; today the likeliest."""
    today = clinic.now.astimezone(zone).date()
    return st.integers(first, last).map(lambda step: today + timedelta(days=step))
