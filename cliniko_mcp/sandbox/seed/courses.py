"""Who comes next: new patients on their way to a first visit, courses of treatment, and patients who stay for long."""

from datetime import datetime, timedelta
from heapq import heappop, heappush
from math import log
from random import Random
from typing import Final

from cliniko_mcp.sandbox.seed import shape
from cliniko_mcp.sandbox.seed.builder import FIRST_DAY, SeedBuilder
from cliniko_mcp.sandbox.seed.patients import NAMES
from cliniko_mcp.sandbox.seed.staff import ZONES
from cliniko_mcp.sandbox.store import Row

_APART: Final = 4
"""The least number of days between two visits of a regular."""

_FIRST_MINUTES: Final = 45
_EAST: Final = timedelta(hours=11)
"""What makes of an instant in UTC the local day: both sites lie east of Greenwich."""

_MINUTE: Final = timedelta(minutes=1)
_LONG: Final = timedelta(days=21)


class Course:
    """One patient's way through the clinic: how many visits are left, how many days apart, and when the last one was.

    `left` is -1 for a regular, who has no end. `last` is the end of the latest visit, `last_day` its day from today.
    """

    __slots__ = ("created", "first", "gap", "last", "last_day", "left", "lost_on", "new", "patient", "regular")

    def __init__(self, patient: Row, created: datetime, *, new: bool, regular: bool) -> None:
        self.patient = patient
        self.created = created
        self.new = new
        self.first = new
        self.regular = regular
        self.left = -1
        self.gap = 7
        self.last: datetime | None = None
        self.last_day = FIRST_DAY - 30
        self.lost_on = 1000


class Courses:
    """Everyone who may be booked, by site and practitioner. Days are counted from today."""

    def __init__(self, builder: SeedBuilder, rng: Random) -> None:
        self._rng = rng
        self._due: dict[tuple[str, str], list[tuple[int, int, Course]]] = {}
        self._count = 0
        self._regulars: dict[str, list[Course]] = {site: [] for site in ZONES}
        self._arrivals: dict[str, list[tuple[int, int, Course]]] = {site: [] for site in ZONES}
        self.long_known: dict[str, list[Row]] = {site: [] for site in ZONES}
        """Patients from before the diary, by site."""
        sites = {zone: site for site, (zone, _) in ZONES.items()}
        live = [row for row in builder.context.store.table("patients").live.values() if row.get("label") != "Ana Lima"]
        begins = builder.ago(-FIRST_DAY)
        for number, row in enumerate(live):
            site = sites[str(row["time_zone"])]
            created = datetime.fromisoformat(str(row["created_at"])[:-1])
            new = str(row["created_at"]) >= begins
            if new:
                self._expect(builder, site, row, created)
            else:
                # The best known patients, who stand first, come to both sites.
                for here in ZONES if number < len(NAMES) else (site,):
                    self.long_known[here].append(row)
                self._continue(site, row, created, named=number < len(NAMES))

    def _expect(self, builder: SeedBuilder, site: str, row: Row, created: datetime) -> None:
        """A new patient, who comes some days after the file was made, or never."""
        rng = self._rng
        if rng.random() < shape.NEVER_BOOKED.aim / shape.NEW_FILES.aim:
            return
        lead = 1 + int(-log(1 - rng.random()) * 0.6 * shape.BOOKING_TO_VISIT.aim)
        day = (created + _EAST).date() - builder.today
        course = Course(row, created, new=True, regular=rng.random() < shape.REGULARS_SINCE.aim)
        self._count += 1
        heappush(self._arrivals[site], (day.days + lead, self._count, course))

    def _continue(self, site: str, row: Row, created: datetime, *, named: bool) -> None:
        """A patient from before the diary: a regular, or in the middle of a course, or back after some time."""
        rng = self._rng
        course = Course(row, created, new=False, regular=named or rng.random() < shape.REGULARS_BEFORE.aim)
        if course.regular:
            # Some stop coming in the course of the time.
            course.lost_on = 1000 if named or rng.random() < 0.6 else FIRST_DAY + int(rng.random() * -FIRST_DAY)
            self._regulars[site].append(course)
            return
        course.left = self._visits()
        early = rng.random() < 0.35
        self._put(site, "", course, FIRST_DAY + int(rng.random() * (14 if early else -FIRST_DAY)))

    def next_for(self, name: str, site: str, day: int, room: int) -> Course | None:
        """Who is seen in the next free time of this practitioner, which is so many minutes long; None for nobody."""
        arrivals = self._arrivals[site]
        if arrivals and arrivals[0][0] <= day and room >= _FIRST_MINUTES:
            return heappop(arrivals)[2]
        for key in ((site, name), (site, "")):
            due = self._due.get(key)
            if due and due[0][0] <= day:
                return heappop(due)[2]
        regulars, rng = self._regulars[site], self._rng
        for _ in range(12):
            if not regulars:
                break
            course = regulars[int(len(regulars) * rng.random())]
            if course.last_day + _APART <= day < course.lost_on:
                return course
        return None

    def booked(self, course: Course, name: str, site: str, day: int, ends: datetime, *, came: bool) -> None:
        """Go on with a course after its visit on this day; `came` is false for cancellations and no-shows."""
        rng = self._rng
        was_first, course.first = course.first, False
        course.last, course.last_day = ends, day
        if was_first and course.regular and came:
            course.lost_on = 1000 if rng.random() < 0.6 else day + 40 + int(rng.random() * 300)
            self._regulars[site].append(course)
            return
        if was_first:
            course.regular = course.regular and came
            course.left = self._visits()
        if course.regular:
            return
        if not came:
            if rng.random() < shape.REBOOKED.aim:
                course.first = was_first
                self._put(site, name, course, day + 1 + int(rng.random() * 8))
            return
        course.left -= 1
        if course.left > 0:
            self._put(site, name, course, day + max(2, round(course.gap * (0.7 + 0.6 * rng.random()))))
            course.gap = min(course.gap + 2, 28)
        elif rng.random() < shape.RETURNS.aim:
            course.left, course.gap = self._visits(), 7
            self._put(site, "", course, day + 50 + int(rng.random() * 200))

    def _put(self, site: str, name: str, course: Course, day: int) -> None:
        self._count += 1
        heappush(self._due.setdefault((site, name), []), (day, self._count, course))

    def _visits(self) -> int:
        """The length of a course: mostly short, some long."""
        rng = self._rng
        if rng.random() < 0.22:
            return 1
        return 2 + int(-log(1 - rng.random()) * (shape.COURSE.aim - 2))


def when_made(course: Course, starts: datetime, now: datetime, rng: Random) -> datetime:
    """When a visit was booked: as the file was made, at the end of the visit before, or some days ahead."""
    latest = min(starts, now)
    if course.last is None and course.new:
        soon = course.created + _MINUTE * (1 + int(rng.random() * 9))
        if rng.random() < shape.FILE_TO_BOOKING.aim:  # who had first to ask at home
            soon += timedelta(hours=int(rng.random() * 60))
        return min(soon, latest)
    earliest = max(course.created, latest - _LONG)
    if course.last is not None and course.last < latest:
        at_desk = course.last + _MINUTE * 5
        if starts - course.last < 2 * _LONG and at_desk < latest and rng.random() < 0.6:
            return at_desk
        earliest = max(earliest, course.last)
    return earliest + timedelta(minutes=int((latest - earliest) / _MINUTE * rng.random()))
