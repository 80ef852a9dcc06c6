"""The diary: eighteen months back and three ahead, as it stands at the clinic's present.

Recent weeks and the next four are as busy as a clinic is; further back it thins out, and further ahead only those are
booked who come back after some weeks or months.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from cliniko_mcp.sandbox.seed.builder import FIRST_DAY, SYDNEY, Soil, at, minutes
from cliniko_mcp.sandbox.seed.offer import OFFERS, RETIRED, RETIRED_SINCE, Offer
from cliniko_mcp.sandbox.seed.patients import FORMER
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, RIVERSIDE, ZONES, Person
from cliniko_mcp.sandbox.seed.time_off import is_holiday, on_leave, plant_time_off
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
    """The plan as it grows: every visit so far, and who may be booked where."""

    def __init__(self, soil: Soil) -> None:
        self.soil = soil
        self.dice = soil.dice("diary")
        self.visits: list[Visit] = []
        live = [row for row in soil.context.store.table("patients").live.values() if row.get("label") != "Ana Lima"]
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

    def someone(self, site: str, starts: datetime) -> Row:
        """A patient of this site who was one by then."""
        pool = self._pools[site]
        limit = at(min(starts, self.soil.now))
        for _ in range(8):
            row = pool[int(len(pool) * self.dice.random() ** 1.4)]
            if str(row["created_at"]) < limit:
                return row
        return pool[0]

    def offer(self, person: Person, site: str) -> Offer:
        """What they come for: half of them for the usual visit."""
        given = self._offers[person.name, site]
        return given[0] if self.dice.random() < 0.5 else self.dice.choice(given)

    def add(self, patient: Row, person: Person, site: str, offer: Offer, starts: datetime) -> Visit:
        """A visit booked some days before, or just now if it is further ahead than that."""
        dice = self.dice
        made = min(self.soil.now, starts) - timedelta(
            days=1 + int(dice.random() * 20), minutes=int(dice.random() * 600)
        )
        visit = planned(self.soil, patient, person, site, offer, starts, made)
        self.visits.append(visit)
        return visit


def plan_diary(soil: Soil) -> list[Visit]:
    """Every individual visit, in no particular order; lunch, holidays, leave and extra openings are planted already."""
    diary = Diary(soil)
    plant_time_off(soil, DAYS, LUNCH)
    for days, likely in STRETCHES:
        for day in days:
            for person in PRACTITIONERS:
                _plan_day(diary, person, day, likely)
    _plan_for_ana(diary)
    _plan_for_former(diary)
    _plan_series(diary)
    _plan_clock_change_sundays(diary)
    _squeeze_in(diary)
    return diary.visits


def _plan_day(diary: Diary, person: Person, days: int, likely: float) -> None:
    soil, dice = diary.soil, diary.dice
    day = soil.day(days)
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
            if dice.random() < likely and not teaching:
                offer = diary.offer(person, site)
                over_lunch = start < LUNCH[1] and LUNCH[0] < start + offer.minutes
                if start + offer.minutes <= end and not over_lunch:
                    starts = soil.utc(day, start, zone)
                    _settle(diary, diary.add(diary.someone(site, starts), person, site, offer, starts))
                    length = max(offer.minutes, _SPELL)
            start += length


def _settle(diary: Diary, visit: Visit) -> None:
    """How it went, or what is known of it beforehand."""
    soil, dice = diary.soil, diary.dice
    roll, past = dice.random(), visit.starts < soil.now
    if roll < 0.08:
        visit.shared.update(cancellation(soil, visit, dice))
    elif past:
        visit.arrived = roll > 0.13 if roll < 0.97 else None
    elif roll > 0.98:
        visit.shared["notes"] = "First visit after surgery."


def cancellation(soil: Soil, visit: Visit, dice: Random) -> Json:
    """A cancellation with its reason, at some moment between booking and visit."""
    when = visit.made + (min(visit.starts, soil.now) - visit.made) * dice.random()
    reason = dice.choice(_REASONS)
    if visit.starts < soil.now - timedelta(days=500):
        reason = _COVID
    note = dice.choice(("Called this morning.", None))
    return {"cancelled_at": at(when), "cancellation_reason": reason, "cancellation_note": note}


def _plan_for_ana(diary: Diary) -> None:
    """Ana Lima: one visit behind her and three to come, each with someone who works that day."""
    soil = diary.soil
    ana = soil.row("patients", "Ana Lima")
    standard, initial = (_offer(name) for name in ("Standard consult", "Initial consult"))
    mei, tom = _person("Mei"), _person("Tom")
    for days, clock, person, offer in (
        (-8, "09:00", mei, initial),
        (2, "10:00", mei, standard),
        (9, "10:00", mei, standard),
        (16, "08:00", tom, standard),
    ):
        day = _working_day(soil, person, days)
        starts = soil.utc(day, minutes(clock), SYDNEY)
        ends = starts + timedelta(minutes=offer.minutes)
        diary.visits = [
            each for each in diary.visits if each.person is not person or each.ends <= starts or ends <= each.starts
        ]
        visit = diary.add(ana, person, NORTHSIDE, offer, starts)
        visit.arrived = True if starts < soil.now else None


def _plan_for_former(diary: Diary) -> None:
    """Records that lead to hidden ones: a patient, a practitioner and a type who are no longer here."""
    soil = diary.soil
    greta, edith = _person("Greta"), soil.row("patients", FORMER)
    for days in range(FIRST_DAY + 3, -RETIRED_SINCE - 10, 7):
        patient = edith if days % 4 == 0 else None
        starts = soil.utc(soil.day(days), minutes("11:00"), SYDNEY)
        offer = RETIRED if days % 3 else _offer("Standard consult")
        visit = diary.add(patient or diary.someone(NORTHSIDE, starts), greta, NORTHSIDE, offer, starts)
        visit.arrived = True


def _plan_series(diary: Diary) -> None:
    """Weekly series at the end of the day: one over each site's last clock change, one that still goes on."""
    soil = diary.soil
    for name, first, site, start in (
        ("Keiko Yamada", "Mei", NORTHSIDE, None),
        ("Henry Example", "Jack", RIVERSIDE, None),
        ("Maya Rosen", "Tom", NORTHSIDE, -14),
    ):
        person = _person(first)
        begins = start if start is not None else (soil.clock_changes(ZONES[site][0])[-1] - soil.today).days - 16
        day = _working_day(soil, person, begins, site)
        end_of_day = minutes(person.hours[site][day.isoweekday()][1])
        offer, series, original = _offer("Standard consult"), range(6), ""
        for step in series:
            starts = soil.utc(day + timedelta(weeks=step), end_of_day, ZONES[site][0])
            visit = diary.add(soil.row("patients", name), person, site, offer, starts)
            visit.made = soil.utc(day, 0, SYDNEY) - timedelta(days=3)
            visit.arrived = True if starts < soil.now else None
            visit.own["repeat_rule"] = {"repeat_type": "Weekly", "number_of_repeats": 5, "repeating_interval": 1}
            if original:
                visit.own["repeated_from_id"] = original
            original = original or visit.booking_id


def _plan_clock_change_sundays(diary: Diary) -> None:
    """Each site opened on the Sundays on which its clocks changed, so that such a day has visits on it."""
    soil = diary.soil
    for site, first in ((NORTHSIDE, "Marcus"), (RIVERSIDE, "Aroha")):
        person = _person(first)
        for day in soil.clock_changes(ZONES[site][0]):
            opens, closes = (soil.utc(day, minutes(clock), ZONES[site][0]) for clock in ("09:00", "12:00"))
            soil.plant(
                "availability_blocks",
                {
                    "business_id": soil.id("businesses", site),
                    "practitioner_id": soil.id("practitioners", person.name),
                    "starts_at": at(opens),
                    "ends_at": at(closes),
                },
                made=opens - timedelta(days=30),
            )
            for step in (0, 1, 3):
                starts = opens + timedelta(minutes=30 * step)
                visit = diary.add(diary.someone(site, starts), person, site, _offer("Standard consult"), starts)
                visit.arrived = True


def _squeeze_in(diary: Diary) -> None:
    """Double bookings: someone is seen beside another, now and then in the past and twice in the days to come."""
    now = diary.soil.now
    coming = [each for each in diary.visits if each.person.first in ("Lena", "Marcus") and not each.cancelled]
    ahead = [each for each in coming if timedelta(days=2) < each.starts - now < timedelta(days=21)]
    past = [each for each in diary.visits if each.starts < now and each.arrived and not each.own]
    chosen = [*past[:: max(1, len(past) // 40)], *ahead[:: max(1, len(ahead) // 2)][:2]]
    for visit in chosen:
        again = diary.add(diary.someone(visit.site, visit.starts), visit.person, visit.site, visit.offer, visit.starts)
        again.shared["notes"] = "Squeezed in."
        again.arrived = True if visit.starts < now else None


def _offer(name: str) -> Offer:
    return next(each for each in OFFERS if each.name == name)


def _person(first: str) -> Person:
    return next(each for each in PRACTITIONERS if each.first == first)


def _working_day(soil: Soil, person: Person, days: int, site: str = NORTHSIDE) -> date:
    return next(_days_at_work(soil, person, days, site))


def _days_at_work(soil: Soil, person: Person, days: int, site: str) -> Iterator[date]:
    week, step = person.hours[site], 1 if days > 0 else -1
    while True:
        if soil.day(days).isoweekday() in week:
            yield soil.day(days)
        days += step
