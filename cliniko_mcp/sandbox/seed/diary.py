"""The diary: eighteen months back and three ahead of the clinic's present.

Recent weeks and the next four are as busy as in a real clinic; the months before are less so, and further ahead only
patients are booked who return after some weeks or months.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from cliniko_mcp.sandbox.seed.builder import FIRST_DAY, SYDNEY, SeedBuilder, minutes, stamp
from cliniko_mcp.sandbox.seed.offer import OFFERS, RETIRED, RETIRED_SINCE, Offer
from cliniko_mcp.sandbox.seed.patients import FORMER
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, RIVERSIDE, ZONES, Person
from cliniko_mcp.sandbox.seed.time_off import build_time_off, is_holiday, on_leave
from cliniko_mcp.sandbox.seed.visits import Visit, planned
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

STRETCHES: Final = (
    (range(FIRST_DAY, -21), 0.14),
    (range(-21, 29), 0.45),
    (range(29, 49), 0.12),
    (range(49, 54), 0.08),
    # A week with nothing but lunch and classes: there is always one in which anyone can be booked without a clash.
    (range(54, 61), 0),
    (range(61, 93), 0.08),
)
"""Days from today, and how likely a free half hour is to be booked on them."""

DAYS: Final = frozenset(day for days, _ in STRETCHES for day in days)
LUNCH: Final = (minutes("12:30"), minutes("13:00"))
_SPELL: Final = 30
_CLASSES: Final = range(minutes("16:00"), minutes("18:00"))
_REASONS: Final = (10, 20, 30, 40, 50, 60)
_COVID: Final = 31


class Diary:
    """Every visit that is planned so far, the patients of each site and the types of each practitioner."""

    def __init__(self, builder: SeedBuilder) -> None:
        self.builder = builder
        self.rng = builder.rng("diary")
        self.visits: list[Visit] = []
        live = [row for row in builder.context.store.table("patients").live.values() if row.get("label") != "Ana Lima"]
        zones = {site: zone for site, (zone, _) in ZONES.items()}
        # The best known patients, who stand first, come to both sites and most often.
        self._pools = {
            site: [row for number, row in enumerate(live) if number < 39 or row.get("time_zone") == zone]
            for site, zone in zones.items()
        }
        self._offers = {
            (person.name, site): [
                offer
                for offer in OFFERS
                if offer.places == 1
                and site in offer.sites
                and any(word in person.designation for word in offer.designations)
            ]
            for person in PRACTITIONERS
            for site in ZONES
        }

    def random_patient(self, site: str, starts: datetime) -> Row:
        """A random patient of this site who had been entered by then."""
        pool = self._pools[site]
        limit = stamp(min(starts, self.builder.now))
        for _ in range(8):
            row = pool[int(len(pool) * self.rng.random() ** 1.4)]
            if str(row["created_at"]) < limit:
                return row
        return pool[0]

    def random_offer(self, person: Person, site: str) -> Offer:
        """A random type of this practitioner at this site: the usual visit half of the time."""
        offers = self._offers[person.name, site]
        return offers[0] if self.rng.random() < 0.5 else self.rng.choice(offers)

    def add(self, patient: Row, person: Person, site: str, offer: Offer, starts: datetime) -> Visit:
        """A visit that was booked some days before, or some days ago if it is still ahead."""
        rng = self.rng
        made = min(self.builder.now, starts) - timedelta(
            days=1 + int(rng.random() * 20), minutes=int(rng.random() * 600)
        )
        visit = planned(self.builder, patient, person, site, offer, starts, made)
        self.visits.append(visit)
        return visit


def plan_diary(builder: SeedBuilder) -> list[Visit]:
    """Every individual visit, in no particular order. Lunch, holidays, leave and extra openings are added here."""
    diary = Diary(builder)
    build_time_off(builder, DAYS, LUNCH)
    for days, likely in STRETCHES:
        for day in days:
            for person in PRACTITIONERS:
                _plan_day(diary, person, day, likely)
    _plan_for_ana(diary)
    _plan_for_former(diary)
    _plan_series(diary)
    _plan_clock_change_sundays(diary)
    _plan_double_bookings(diary)
    return diary.visits


def _plan_day(diary: Diary, person: Person, days: int, likely: float) -> None:
    builder, rng = diary.builder, diary.rng
    day = builder.day(days)
    weekday = day.isoweekday()
    if is_holiday(day) or on_leave(person, days):
        return
    for site, week in person.hours.items():
        hours = week.get(weekday)
        if hours is None:
            continue
        start, end = minutes(hours[0]), minutes(hours[1])
        zone = ZONES[site][0]
        while start < end:
            length = _SPELL
            teaching = person.first == "Priya" and weekday in (2, 5) and start in _CLASSES
            if rng.random() < likely and not teaching:
                offer = diary.random_offer(person, site)
                over_lunch = start < LUNCH[1] and LUNCH[0] < start + offer.minutes
                if start + offer.minutes <= end and not over_lunch:
                    starts = builder.utc(day, start, zone)
                    _set_outcome(diary, diary.add(diary.random_patient(site, starts), person, site, offer, starts))
                    length = max(offer.minutes, _SPELL)
            start += length


def _set_outcome(diary: Diary, visit: Visit) -> None:
    """Whether the patient cancelled, came or did not, or what is noted beforehand."""
    builder, rng = diary.builder, diary.rng
    roll, past = rng.random(), visit.starts < builder.now
    if roll < 0.08:
        visit.shared.update(cancellation(builder, visit, rng))
    elif past:
        visit.arrived = roll > 0.13 if roll < 0.97 else None
    elif roll > 0.98:
        visit.shared["notes"] = "First visit after surgery."


def cancellation(builder: SeedBuilder, visit: Visit, rng: Random) -> Json:
    """A cancellation with its reason, at some moment between booking and visit."""
    when = visit.made + (min(visit.starts, builder.now) - visit.made) * rng.random()
    reason = rng.choice(_REASONS)
    if visit.starts < builder.now - timedelta(days=500):
        reason = _COVID
    note = rng.choice(("Called this morning.", None))
    return {"cancelled_at": stamp(when), "cancellation_reason": reason, "cancellation_note": note}


def _plan_for_ana(diary: Diary) -> None:
    """Ana Lima: one past and three coming visits, with practitioners who work on those days."""
    builder = diary.builder
    ana = builder.row("patients", "Ana Lima")
    standard, initial = (_offer(name) for name in ("Standard consult", "Initial consult"))
    mei, tom = _person("Mei"), _person("Tom")
    for days, clock, person, offer in (
        (-8, "09:00", mei, initial),
        (2, "10:00", mei, standard),
        (9, "10:00", mei, standard),
        (16, "08:00", tom, standard),
    ):
        day = _working_day(builder, person, days)
        starts = builder.utc(day, minutes(clock), SYDNEY)
        ends = starts + timedelta(minutes=offer.minutes)
        diary.visits = [
            visit
            for visit in diary.visits
            if visit.person is not person or visit.ends <= starts or ends <= visit.starts
        ]
        visit = diary.add(ana, person, NORTHSIDE, offer, starts)
        visit.arrived = True if starts < builder.now else None


def _plan_for_former(diary: Diary) -> None:
    """Visits that link to hidden records: a patient, a practitioner and a type who are no longer here."""
    builder = diary.builder
    greta, edith = _person("Greta"), builder.row("patients", FORMER)
    for days in range(FIRST_DAY + 3, -RETIRED_SINCE - 10, 7):
        patient = edith if days % 4 == 0 else None
        starts = builder.utc(builder.day(days), minutes("11:00"), SYDNEY)
        offer = RETIRED if days % 3 else _offer("Standard consult")
        visit = diary.add(patient or diary.random_patient(NORTHSIDE, starts), greta, NORTHSIDE, offer, starts)
        visit.arrived = True


def _plan_series(diary: Diary) -> None:
    """Weekly series at the end of the day: one over each site's last clock change, one that still goes on."""
    builder = diary.builder
    for name, first, site, start in (
        ("Keiko Yamada", "Mei", NORTHSIDE, None),
        ("Henry Example", "Jack", RIVERSIDE, None),
        ("Maya Rosen", "Tom", NORTHSIDE, -14),
    ):
        person = _person(first)
        begins = start if start is not None else (builder.clock_changes(ZONES[site][0])[-1] - builder.today).days - 16
        day = _working_day(builder, person, begins, site)
        end_of_day = minutes(person.hours[site][day.isoweekday()][1])
        offer, series, original = _offer("Standard consult"), range(6), ""
        for step in series:
            starts = builder.utc(day + timedelta(weeks=step), end_of_day, ZONES[site][0])
            visit = diary.add(builder.row("patients", name), person, site, offer, starts)
            visit.made = builder.utc(day, 0, SYDNEY) - timedelta(days=3)
            visit.arrived = True if starts < builder.now else None
            visit.own["repeat_rule"] = {"repeat_type": "Weekly", "number_of_repeats": 5, "repeating_interval": 1}
            if original:
                visit.own["repeated_from_id"] = original
            original = original or visit.booking_id


def _plan_clock_change_sundays(diary: Diary) -> None:
    """Visits at each site on the Sundays on which its clocks changed, within extra openings."""
    builder = diary.builder
    for site, first in ((NORTHSIDE, "Marcus"), (RIVERSIDE, "Aroha")):
        person = _person(first)
        for day in builder.clock_changes(ZONES[site][0]):
            opens, closes = (builder.utc(day, minutes(clock), ZONES[site][0]) for clock in ("09:00", "12:00"))
            builder.add(
                "availability_blocks",
                {
                    "business_id": builder.id("businesses", site),
                    "practitioner_id": builder.id("practitioners", person.name),
                    "starts_at": stamp(opens),
                    "ends_at": stamp(closes),
                },
                made=opens - timedelta(days=30),
            )
            for step in (0, 1, 3):
                starts = opens + timedelta(minutes=30 * step)
                visit = diary.add(diary.random_patient(site, starts), person, site, _offer("Standard consult"), starts)
                visit.arrived = True


def _plan_double_bookings(diary: Diary) -> None:
    """Double bookings: some in the past and two in the coming days."""
    now = diary.builder.now
    coming = [visit for visit in diary.visits if visit.person.first in ("Lena", "Marcus") and not visit.cancelled]
    ahead = [visit for visit in coming if timedelta(days=2) < visit.starts - now < timedelta(days=21)]
    past = [visit for visit in diary.visits if visit.starts < now and visit.arrived and not visit.own]
    chosen = [*past[:: max(1, len(past) // 40)], *ahead[:: max(1, len(ahead) // 2)][:2]]
    for visit in chosen:
        again = diary.add(
            diary.random_patient(visit.site, visit.starts), visit.person, visit.site, visit.offer, visit.starts
        )
        again.shared["notes"] = "Squeezed in."
        again.arrived = True if visit.starts < now else None


def _offer(name: str) -> Offer:
    return next(offer for offer in OFFERS if offer.name == name)


def _person(first: str) -> Person:
    return next(person for person in PRACTITIONERS if person.first == first)


def _working_day(builder: SeedBuilder, person: Person, days: int, site: str = NORTHSIDE) -> date:
    return next(_days_at_work(builder, person, days, site))


def _days_at_work(builder: SeedBuilder, person: Person, days: int, site: str) -> Iterator[date]:
    week, step = person.hours[site], 1 if days > 0 else -1
    while True:
        if builder.day(days).isoweekday() in week:
            yield builder.day(days)
        days += step
