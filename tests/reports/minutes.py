"""The time of practitioners in rows, minute by minute: worked, blocked out, booked and delivered."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from .over_port import Row
from .recount import DAY, Recount

MINUTE = timedelta(minutes=1)
Minute = tuple[str, int]
"""A practitioner's id, and a minute since 1970."""


class Minutes:
    """The minutes of some local days: worked, by site, blocked out, booked, and booked by visits kept and over."""

    def __init__(self, recount: Recount, first: date, last: date) -> None:
        self.recount, self.first, self.last = recount, first, last
        people = {row["id"] for row in recount.rows("practitioners")}
        self.work: dict[Minute, str] = {}
        weekly: dict[tuple[str, int], list[Row]] = {}
        for row in recount.rows("daily_availabilities"):
            weekly.setdefault((row["business_id"], row["day_of_week"] % 7), []).append(row)
        for site, zone in recount.zones.items():
            at = datetime.combine(first - DAY, datetime.min.time(), UTC)
            while at < datetime.combine(last + 2 * DAY, datetime.min.time(), UTC):
                local = at.astimezone(zone)
                if first <= local.date() <= last:
                    clock = f"{local:%H:%M}"
                    for row in weekly.get((site, local.isoweekday() % 7), []):
                        if any(span["starts_at"] <= clock < span["ends_at"] for span in row["availabilities"]):
                            self.work.setdefault((row["practitioner_id"], minute(at)), site)
                at += MINUTE
        for who, site, step in self.of("availability_blocks"):
            self.work.setdefault((who, step), site)
        self.work = {key: site for key, site in self.work.items() if key[0] in people}
        blocks = recount.rows("unavailable_blocks")
        self.blocked = {(row["practitioner_id"], step) for row in blocks for step in covered(row)}
        self.booked: set[Minute] = set()
        self.delivered: set[Minute] = set()
        self.entries: Counter[str] = Counter()
        for table in ("individual_appointments", "group_appointments"):
            for row in self.rows(table):
                if row.get("cancelled_at"):
                    continue
                self.entries[row["practitioner_id"]] += 1
                taken = {(row["practitioner_id"], step) for step in covered(row)}
                self.booked |= taken
                if not row.get("did_not_arrive") and datetime.fromisoformat(row["ends_at"]) <= recount.now:
                    self.delivered |= taken

    def rows(self, table: str) -> Iterator[Row]:
        """The rows that begin on these days of their site and are not archived."""
        for row in self.recount.rows(table):
            begins = datetime.fromisoformat(row["starts_at"]).astimezone(self.recount.zones[row["business_id"]])
            if not row.get("archived_at") and self.first <= begins.date() <= self.last:
                yield row

    def of(self, table: str) -> Iterator[tuple[str, str, int]]:
        for row in self.rows(table):
            yield from ((row["practitioner_id"], row["business_id"], step) for step in covered(row))

    def mine(self, found: set[Minute], who: str) -> int:
        return sum(key[0] == who for key in found)


def minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def covered(row: Row) -> range:
    return range(minute(datetime.fromisoformat(row["starts_at"])), minute(datetime.fromisoformat(row["ends_at"])))


def hours(minutes: int) -> float:
    return round(minutes / 60, 2)
