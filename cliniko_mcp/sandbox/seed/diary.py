"""The diary: eighteen months back and three ahead of the clinic's present, as full as `shape` says.

Behind the present the load is level. Ahead it thins out: after some weeks only patients are booked who return later.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import FIRST_DAY, SYDNEY, SeedBuilder, minutes, stamp
from cliniko_mcp.sandbox.seed.courses import Course, Courses, when_made
from cliniko_mcp.sandbox.seed.offer import OFFERS, RETIRED, RETIRED_SINCE, Offer
from cliniko_mcp.sandbox.seed.patients import FORMER
from cliniko_mcp.sandbox.seed.staff import NORTHSIDE, PRACTITIONERS, RIVERSIDE, ZONES, Person
from cliniko_mcp.sandbox.seed.time_off import ELSEWHERE, build_time_off, is_holiday, on_leave
from cliniko_mcp.sandbox.seed.visits import Visit, planned
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.wire import Json

STRETCHES: Final = (
    (range(FIRST_DAY, 7), 1),
    (range(7, 14), 0.75),
    (range(14, 28), 0.5),
    (range(28, 49), 0.2),
    (range(49, 54), 0.12),
    # A week with nothing but lunch and classes: there is always one in which anyone can be booked without a clash.
    (range(54, 61), 0),
    (range(61, 93), 0.12),
)
"""Days from today, and how much of the usual load is booked on them."""

DAYS: Final = frozenset(day for days, _ in STRETCHES for day in days)
LUNCH: Final = (minutes("12:30"), minutes("13:00"))
_QUIET: Final = range(54, 61)
_GAP: Final = 30
_CLASSES: Final = (minutes("16:30"), minutes("17:30"))
_REASONS: Final = (10, 20, 30, 40, 50, 60)
_COVID: Final = 31
_DAY: Final = timedelta(days=1)
_ADDRESSES: Final = ("203.0.113.", "198.51.100.", "192.0.2.")
"""Networks that documentation may use (RFC 5737)."""


class Diary:
    """Every visit that is planned so far, who comes next, and the types of each practitioner, the usual ones often."""

    def __init__(self, builder: SeedBuilder) -> None:
        self.builder = builder
        self.rng = builder.rng("diary")
        self.courses = Courses(builder, builder.rng("courses"))
        self.visits: list[Visit] = []
        self._offers = {(person.name, site): _offers_of(person, site) for person in PRACTITIONERS for site in ZONES}

    def random_patient(self, site: str) -> Row:
        """A random patient of this site from before the diary."""
        pool = self.courses.long_known[site]
        return pool[int(len(pool) * self.rng.random())]

    def offer_for(self, course: Course, person: Person, site: str, room: int) -> Offer:
        """A type of this practitioner that fits into so many minutes: for a first visit mostly the Initial consult."""
        initial, later = self._offers[person.name, site]
        if course.first and room >= initial.minutes and self.rng.random() < shape.FIRST_IS_INITIAL.aim:
            return initial
        offer = later[int(len(later) * self.rng.random())]
        return offer if offer.minutes <= room else later[0]

    def book(self, course: Course, person: Person, site: str, offer: Offer, starts: datetime) -> Visit:
        """The next visit of a course, by the website where that is open."""
        rng, now = self.rng, self.builder.now
        visit = planned(self.builder, course.patient, person, site, offer, starts, when_made(course, starts, now, rng))
        online = shape.ONLINE_FIRST if course.first else shape.ONLINE_LATER
        if offer.online and person.online and rng.random() < online.aim:
            visit.shared["booking_ip_address"] = f"{_ADDRESSES[len(self.visits) % 3]}{1 + int(rng.random() * 254)}"
            visit.shared["online_booking_policy_accepted"] = True
        self.visits.append(visit)
        return visit

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
    build_time_off(builder, DAYS, LUNCH, quiet=_QUIET)
    for days, load in STRETCHES:
        if not load:
            continue
        for day in days:
            for person in PRACTITIONERS:
                _plan_day(diary, person, day, load)
    _plan_for_ana(diary)
    _plan_for_former(diary)
    _plan_series(diary)
    _plan_clock_change_sundays(diary)
    _plan_double_bookings(diary)
    return diary.visits


def _offers_of(person: Person, site: str) -> tuple[Offer, Sequence[Offer]]:
    """The Initial consult and the types of later visits, as often as they are booked; the first of them fits always."""
    own = [
        offer
        for offer in OFFERS
        if offer.places == 1 and site in offer.sites and any(word in person.designation for word in offer.designations)
    ]
    return _offer("Initial consult"), [
        offer for offer in own if offer.name != "Initial consult" for _ in range(_OFTEN.get(offer.name, 2))
    ]


_OFTEN: Final = {
    "Standard consult": 6,
    "Extended consult": 4,
    "Post-surgical rehab": 4,
    "Remedial massage": 8,
    "Short review": 1,
}
"""How often a type is booked for a later visit, against the others of the same practitioner; 2 for the rest."""


def _plan_day(diary: Diary, person: Person, days: int, load: float) -> None:
    builder, rng, courses = diary.builder, diary.rng, diary.courses
    day = builder.day(days)
    weekday = day.isoweekday()
    if is_holiday(day) or on_leave(person, days):
        return
    likely = load * _likely(shape.PART_TIME if person.first == shape.PART_TIMER else shape.UTILISATION)
    for site, week in person.hours.items():
        if weekday not in week:
            continue
        zone = ZONES[site][0]
        for start, end in _stretches(person.first, weekday, *week[weekday]):
            refill = False
            while end - start >= _GAP:
                course = None
                if refill or rng.random() < likely:
                    course = courses.next_for(person.name, site, days, end - start)
                refill = False
                if course is None:
                    start += _GAP
                    continue
                offer = diary.offer_for(course, person, site, end - start)
                visit = diary.book(course, person, site, offer, builder.utc(day, start, zone))
                refill = _set_outcome(diary, visit)
                came = not visit.cancelled and visit.arrived is not False
                courses.booked(course, person.name, site, days, visit.ends, came=came)
                if not refill:
                    start += offer.minutes


def _likely(utilisation: shape.Figure) -> float:
    """How likely a free half hour has to be booked for this share, with visits of 42 minutes, a tenth cancelled."""
    return _GAP * utilisation.aim / (42 - 12 * utilisation.aim) / (1 - 0.6 * shape.CANCELLED.aim)


@cache
def _stretches(name: str, weekday: int, opens: str, closes: str) -> list[tuple[int, int]]:
    """The minutes after midnight between which patients are seen: not over lunch, class or work elsewhere."""
    elsewhere = (span for first, on, *span, _ in ELSEWHERE if (first, on) == (name, weekday))
    closed = [LUNCH, *((minutes(starts), minutes(ends)) for starts, ends in elsewhere)]
    if name == "Priya":
        closed.append(_CLASSES)
    left = [(minutes(opens), minutes(closes))]
    for starts, ends in closed:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, starts)), (max(start, ends), end))
            if part[0] < part[1]
        ]
    return left


def _set_outcome(diary: Diary, visit: Visit) -> bool:
    """Set whether the patient cancelled, came or did not; true where the time was given up early and is refilled."""
    builder, rng = diary.builder, diary.rng
    past = visit.starts < builder.now
    if rng.random() < shape.CANCELLED.aim * (1 if past else 0.5):
        given_up = cancellation(builder, visit, rng)
        visit.shared.update(given_up)
        early = str(given_up["cancelled_at"]) < stamp(visit.starts - _DAY)
        return early and past and rng.random() < shape.REFILLED.aim
    roll = rng.random()
    if past:
        visit.arrived = None if roll < shape.UNRECORDED.aim else roll > shape.UNRECORDED.aim + shape.NO_SHOWS.aim
    elif roll > 0.98:
        visit.shared["notes"] = "First visit after surgery."
    return False


def cancellation(builder: SeedBuilder, visit: Visit, rng: Random) -> Json:
    """A cancellation with its reason, at some moment between booking and visit: in the last 24 hours for some."""
    latest = min(visit.starts, builder.now)
    eve = visit.starts - _DAY
    late = rng.random() < shape.LATE.aim or eve <= visit.made
    if late:
        earliest = max(visit.made, min(eve, latest))
    else:
        earliest, latest = visit.made, min(eve, latest)
    when = earliest + timedelta(seconds=int((latest - earliest).total_seconds() * rng.random()))
    reason = _REASONS[int(len(_REASONS) * rng.random())]
    if visit.starts < builder.now - timedelta(days=500) and reason == _REASONS[0]:
        reason = _COVID
    note = "Called this morning." if late and rng.random() < 0.5 else None
    return {
        "cancelled_at": stamp(when),
        "cancellation_reason": reason,
        **({"cancellation_note": note} if note is not None else {}),
    }


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
        visit = diary.add(patient or diary.random_patient(NORTHSIDE), greta, NORTHSIDE, offer, starts)
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
                visit = diary.add(diary.random_patient(site), person, site, _offer("Standard consult"), starts)
                visit.arrived = True


def _plan_double_bookings(diary: Diary) -> None:
    """Double bookings: some in the past and two in the coming days."""
    now = diary.builder.now
    coming = [visit for visit in diary.visits if visit.person.first in ("Lena", "Marcus") and not visit.cancelled]
    ahead = [visit for visit in coming if timedelta(days=2) < visit.starts - now < timedelta(days=21)]
    past = [visit for visit in diary.visits if visit.starts < now and visit.arrived and not visit.own]
    chosen = [*past[:: max(1, len(past) // 40)], *ahead[:: max(1, len(ahead) // 2)][:2]]
    for visit in chosen:
        again = diary.add(diary.random_patient(visit.site), visit.person, visit.site, visit.offer, visit.starts)
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
