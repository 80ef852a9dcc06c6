"""What is true of a clinic by its raw rows, counted minute by minute: nothing here comes from the package under test.

Minutes are whole ones since 1970 in UTC. Every time of a generated clinic lies on one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from .rows import Clinic, Row

_LABELS = {
    "Sydney": "Australia/Sydney",
    "Perth": "Australia/Perth",
    "London": "Europe/London",
    "Beirut": "Asia/Beirut",
    "Newfoundland": "America/St_Johns",
    "Hobart": "Australia/Hobart",
}
_WHOLE_ZONES = frozenset(name for name in available_timezones() if "/" in name)
BOOKED = ("individual_appointments", "group_appointments")
_HIDING = ("archived_at", "deleted_at")


def zone_of(site: Row, clinic: Clinic) -> ZoneInfo:
    """The zone of a site by its identifier, else by its label; else that of the key's user."""
    identifier, label = site.get("time_zone_identifier"), site.get("time_zone")
    if identifier in _WHOLE_ZONES:
        return ZoneInfo(identifier)
    if label in _LABELS:
        return ZoneInfo(_LABELS[label])
    return ZoneInfo(clinic.home if clinic.home in _WHOLE_ZONES else "UTC")


def minute(moment: datetime | str) -> int:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return int(at.timestamp()) // 60


def at(minutes: int) -> datetime:
    return datetime.fromtimestamp(minutes * 60, UTC)


def covers(row: Row) -> range:
    """The minutes of an entry of the diary."""
    return range(minute(row["starts_at"]), minute(row["ends_at"]))


def meets(row: Row, minutes: range) -> bool:
    return minute(row["starts_at"]) < minutes.stop and minutes.start < minute(row["ends_at"])


def hidden(row: Row) -> bool:
    return any(row.get(name) for name in _HIDING)


def live(row: Row) -> bool:
    return not hidden(row) and not row.get("cancelled_at")


def in_use(row: Row) -> bool:
    return not hidden(row) and row.get("active") is not False


@lru_cache(maxsize=4096)
def day_minutes(day: date, zone: ZoneInfo) -> range:
    """The minutes at which the clocks of a zone show this day, counted one by one at either end."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) // 60
    around = [step for step in range(noon - 30 * 60, noon + 30 * 60) if at(step).astimezone(zone).date() == day]
    return range(around[0], around[-1] + 1)


def taken(clinic: Clinic, practitioner_id: str) -> set[int]:
    """The minutes in which something live of this practitioner is in the diary, at any site."""
    found: set[int] = set()
    for table in (*BOOKED, "unavailable_blocks"):
        for row in clinic.rows(table):
            if live(row) and row["practitioner_id"] == practitioner_id:
                found.update(covers(row))
    return found


def worked(clinic: Clinic, practitioner_id: str, site: Row, day: date) -> set[int]:
    """The minutes of a day in which this practitioner is at work at this site."""
    zone = zone_of(site, clinic)
    minutes = day_minutes(day, zone)
    person = next(row for row in clinic.staff if row["id"] == practitioner_id)
    if not in_use(person) or hidden(site):
        return set()
    found: set[int] = set()
    for row in _of(clinic.rows("daily_availabilities"), practitioner_id, site):
        if row["day_of_week"] % 7 == day.isoweekday() % 7:
            for hours in row["availabilities"]:
                low, high = _clock(hours["starts_at"]), _clock(hours["ends_at"]) or 1_440
                found.update(step for step, wall in _walls(day, zone) if low <= wall < high)
    for row in _of(clinic.rows("availability_blocks"), practitioner_id, site):
        found.update(set(covers(row)) & set(minutes))
    return found


def _of(rows: Iterable[Row], practitioner_id: str, site: Row) -> Iterator[Row]:
    return (row for row in rows if row["practitioner_id"] == practitioner_id and row["business_id"] == site["id"])


def _clock(text: str) -> int:
    hour, rest = text.split(":")
    return int(hour) * 60 + int(rest)


@lru_cache(maxsize=4096)
def _walls(day: date, zone: ZoneInfo) -> list[tuple[int, int]]:
    """The minutes of a day, each with the minutes after midnight that the clocks show in it."""
    shown = ((step, at(step).astimezone(zone)) for step in day_minutes(day, zone))
    return [(step, local.hour * 60 + local.minute) for step, local in shown]


def free(clinic: Clinic, practitioner_id: str, site: Row, day: date) -> set[int]:
    return worked(clinic, practitioner_id, site, day) - taken(clinic, practitioner_id)


def first_start(now: datetime) -> int:
    """The first minute that can still be booked: now, rounded up to five minutes."""
    seconds = int(now.timestamp())
    return -(-seconds // 300) * 5


def starts(minutes: set[int], length: int, now: datetime) -> list[int]:
    """Starts one after another: the first minute from which the length is free, then on from its end."""
    found: list[int] = []
    step = max(min(minutes, default=0), first_start(now))
    last = max(minutes, default=0)
    while step <= last:
        if all(other in minutes for other in range(step, step + length)):
            found.append(step)
            step += length
        else:
            step += 1
    return found


def length_of(kind: Row) -> int:
    return kind.get("duration_in_minutes") or 30


def is_class(kind: Row) -> bool:
    return (kind.get("max_attendees") or 1) > 1


def offered(kind: Row, site: Row) -> bool:
    listed = site.get("appointment_type_ids")
    return listed is None or kind["id"] in listed


def free_starts(clinic: Clinic, kind: Row, day: date, who: str = "", where: str = "") -> set[tuple[int, str, str]]:
    """(start, practitioner, site) of every start on a day by the clock of its site; for a class the open sessions."""
    found: set[tuple[int, str, str]] = set()
    if hidden(kind):
        return found
    for site in clinic.sites:
        if hidden(site) or not offered(kind, site) or where not in ("", site["id"]):
            continue
        for person in clinic.staff:
            if not in_use(person) or person["id"] not in kind["practitioner_ids"] or who not in ("", person["id"]):
                continue
            if is_class(kind):
                found |= {(begin, person["id"], site["id"]) for begin in _sessions(clinic, kind, person, site, day)}
                continue
            minutes = free(clinic, person["id"], site, day)
            for begin in starts(minutes, length_of(kind), clinic.now):
                found.add((begin, person["id"], site["id"]))
    return found


def _sessions(clinic: Clinic, kind: Row, person: Row, site: Row, day: date) -> Iterator[int]:
    minutes = day_minutes(day, zone_of(site, clinic))
    for row in _of(clinic.rows("group_appointments"), person["id"], site):
        begin = minute(row["starts_at"])
        room = row["max_attendees"] > len(row["patient_ids"])
        if (
            row["appointment_type_id"] == kind["id"]
            and live(row)
            and begin in minutes
            and at(begin) > clinic.now
            and room
        ):
            yield begin


def clashes(
    clinic: Clinic, patient_id: str, person: Row, site: Row, kind: Row, minutes: range, but: str = ""
) -> list[str]:
    """What stands against an appointment, a word for each: nothing means that it can be booked."""
    found: list[str] = []
    if person["id"] not in kind["practitioner_ids"] or not in_use(person):
        found.append("not by them")
    if not offered(kind, site):
        found.append("not there")
    if at(minutes.start) < clinic.now - timedelta(minutes=5):
        found.append("past")
    days = {at(step).astimezone(zone_of(site, clinic)).date() for step in (minutes.start, minutes.stop - 1)}
    open_minutes = set[int]().union(*(worked(clinic, person["id"], site, day) for day in days))
    if not set(minutes) <= open_minutes:
        found.append("outside hours")
    return (
        found
        + ["patient elsewhere" for _ in elsewhere(clinic, patient_id, person, minutes, but)]
        + [
            "taken"
            for table in (*BOOKED, "unavailable_blocks")
            for row in clinic.rows(table)
            if live(row) and row["id"] != but and meets(row, minutes) and row["practitioner_id"] == person["id"]
        ]
    )


def elsewhere(clinic: Clinic, patient_id: str, person: Row, minutes: range, but: str = "") -> list[Row]:
    """What a patient has at this time with others than this practitioner."""
    return [
        row
        for table in BOOKED
        for row in clinic.rows(table)
        if live(row) and row["id"] != but and meets(row, minutes)
        if row["practitioner_id"] != person["id"] and patient_id in _patients(row)
    ]


def _patients(row: Row) -> list[str]:
    return [row["patient_id"]] if row.get("patient_id") else row.get("patient_ids") or []


def entries(clinic: Clinic, site: Row, day: date) -> set[str]:
    """The ids of what stands in the diary of a site on this one day, cancelled appointments too.

    Appointments and classes stand on the day on which they begin; blocked-out time on each day that it touches.
    """
    minutes = day_minutes(day, zone_of(site, clinic))
    found: set[str] = set()
    for table in BOOKED:
        for row in clinic.rows(table):
            if row["business_id"] == site["id"] and not hidden(row) and minute(row["starts_at"]) in minutes:
                found.add(row["id"])
    for row in clinic.rows("unavailable_blocks"):
        if row["business_id"] == site["id"] and not hidden(row) and meets(row, minutes):
            found.add(row["id"])
    return found


def running_over(clinic: Clinic, site: Row, day: date) -> set[str]:
    """The ids of live appointments and classes that began before this day and go on into it."""
    minutes = day_minutes(day, zone_of(site, clinic))
    return {
        row["id"]
        for table in BOOKED
        for row in clinic.rows(table)
        if row["business_id"] == site["id"] and live(row)
        if minute(row["starts_at"]) < minutes.start and meets(row, minutes)
    }


def visits(clinic: Clinic, first: date, last: date) -> list[tuple[Row, Row]]:
    """(booking, attendee) of each place that begins on these days by the clock of its site and is not archived."""
    found: list[tuple[Row, Row]] = []
    sites = {site["id"]: zone_of(site, clinic) for site in clinic.sites}
    for table in BOOKED:
        for row in clinic.rows(table):
            begins = at(minute(row["starts_at"])).astimezone(sites[row["business_id"]]).date()
            if hidden(row) or not first <= begins <= last:
                continue
            places = [one for one in clinic.rows("attendees") if one["booking_id"] == row["id"] and not hidden(one)]
            found += [(row, one) for one in places]
    return found


def attendance(clinic: Clinic, first: date, last: date) -> Counter[str]:
    """How many places of these days are cancelled, still to come, or by now missed, kept or not marked."""
    counts: Counter[str] = Counter()
    for booking, place in visits(clinic, first, last):
        if place.get("cancelled_at") or booking.get("cancelled_at"):
            counts["cancelled"] += 1
        elif at(minute(booking["starts_at"])) > clinic.now:
            counts["to come"] += 1
        else:
            counts[{True: "arrived", False: "missed", None: "not marked"}[place.get("arrived")]] += 1
    return counts


def plain(text: str) -> str:
    """A name without case, accents and marks, its words in order of the alphabet."""
    small = "".join(
        letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter)
    )
    small = re.sub("['’]", "", small).replace("ł", "l")
    return " ".join(sorted(re.sub(r"[\W_]+", " ", small).split()))


def named(rows: Iterable[Row], name: str) -> set[str]:
    """The ids of the people of whom this is the whole name, in whatever case, with or without accents."""
    return {row["id"] for row in rows if row.get("label") and plain(row["label"]) == plain(name)}


def hours_of(clinic: Clinic, practitioner_id: str, days: Iterable[date]) -> tuple[set[int], set[int], set[int]]:
    """The minutes of these days in which a practitioner is open to be booked, has live bookings, or is booked and open.

    Open is being at work at any site less what is blocked out; days are those of the site's own clock.
    """
    work, booked, blocked = set[int](), set[int](), set[int]()
    for site in clinic.sites:
        zone = zone_of(site, clinic)
        for day in days:
            work |= worked(clinic, practitioner_id, site, day)
            minutes = day_minutes(day, zone)
            for table in BOOKED:
                for row in _of(clinic.rows(table), practitioner_id, site):
                    if live(row):
                        booked.update(set(covers(row)) & set(minutes))
    for row in clinic.rows("unavailable_blocks"):
        if live(row) and row["practitioner_id"] == practitioner_id:
            blocked.update(covers(row))
    return work - blocked, booked, (work - blocked) & booked
