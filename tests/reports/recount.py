"""The figures of reports by another way: from rows alone, with nothing of the package under test.

A visit is a row with its local day and hour; spans are first and last days by the calendar of the clinic's home.
"""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
DAY = timedelta(days=1)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def share(part: float, whole: float) -> Row:
    return {"count": part, "of": whole, **({"rate": f"{100 * part / whole:.1f}%"} if whole else {})}


def total(amounts: Iterable[Decimal]) -> str:
    return f"{sum(amounts, Decimal()):.2f}"


@dataclass(frozen=True)
class Visit:
    booking: str
    patient: str
    starts: datetime
    ends: datetime
    day: date
    hour: int
    who: str
    site: str
    kind: str
    in_class: bool
    arrived: bool | None
    cancelled: datetime | None
    billed: bool
    note: int | None
    made: datetime | None
    reason: str

    @property
    def left(self) -> timedelta:
        """The notice of a cancellation."""
        assert self.cancelled is not None
        return self.starts - self.cancelled


class Recount:
    """A clinic's rows, by table, at a moment.

    Figures keep to the practitioner `who` and the site `site`; what comes before and after is the whole clinic's.
    """

    who: str | None = None
    site: str | None = None

    def __init__(
        self,
        rows: Callable[[str], list[Row]],
        now: datetime,
        home: str = "Australia/Sydney",
        zones: dict[str, ZoneInfo] | None = None,
    ) -> None:
        self.rows = rows
        self.now = now
        self.home = ZoneInfo(home)
        self.today = now.astimezone(self.home).date()
        self.zones = zones or {row["id"]: ZoneInfo(row["time_zone_identifier"]) for row in rows("businesses")}

    def of(self, who: str | None = None, site: str | None = None) -> "Recount":
        """The same of one practitioner, at one site, or the two."""
        found = copy(self)
        found.who, found.site = who, site
        if site is not None:
            found.today = self.now.astimezone(self.zones[site]).date()  # a site that is named has its own calendar
        return found

    def mine(self, who: str | None, site: str | None) -> bool:
        """Whether what is with this practitioner and at this site counts."""
        return self.who in (None, who) and self.site in (None, site)

    def keeps(self, visit: Visit) -> bool:
        return self.mine(visit.who, visit.site)

    @property
    def calendar(self) -> ZoneInfo:
        """The zone that all open sites share; else that of the clinic's home."""
        shared = {self.zones[row["id"]] for row in self.rows("businesses") if not row.get("archived_at")}
        return shared.pop() if len(shared) == 1 else self.home

    @cached_property
    def visits(self) -> list[Visit]:
        """Every place in every appointment and class that is not archived, by start."""
        found: list[Visit] = []
        places: dict[str, list[Row]] = {}
        for place in self.rows("attendees"):
            places.setdefault(place["booking_id"], []).append(place)
        for table in ("individual_appointments", "group_appointments"):
            for row in self.rows(table):
                if row.get("archived_at"):
                    continue
                starts = datetime.fromisoformat(row["starts_at"])
                local = starts.astimezone(self.zones[row["business_id"]])
                for place in places.get(row["id"], []):
                    if place.get("archived_at"):
                        continue
                    found.append(
                        Visit(
                            booking=row["id"],
                            patient=place["patient_id"],
                            starts=starts.astimezone(UTC),
                            ends=datetime.fromisoformat(row["ends_at"]),
                            day=local.date(),
                            hour=local.hour,
                            who=row["practitioner_id"],
                            site=row["business_id"],
                            kind=row["appointment_type_id"],
                            in_class=table == "group_appointments",
                            arrived=place.get("arrived"),
                            cancelled=moment(place.get("cancelled_at")),
                            billed=place.get("invoice_status") is not None,
                            note=place.get("treatment_note_status"),
                            made=moment(place.get("created_at")),
                            reason=place.get("cancellation_reason_description") or "no reason",
                        )
                    )
        return sorted(found, key=lambda visit: visit.starts)

    def within(self, first: date, last: date) -> list[Visit]:
        return [visit for visit in self.visits if first <= visit.day <= last and self.keeps(visit)]

    def begun(self, visits: Iterable[Visit]) -> list[Visit]:
        return [visit for visit in visits if visit.cancelled is None and visit.starts <= self.now]

    def kept(self, visits: Iterable[Visit]) -> list[Visit]:
        return [visit for visit in self.begun(visits) if visit.arrived is not False]

    def ahead(self, patient: str) -> list[Visit]:
        live = (visit for visit in self.visits if visit.cancelled is None and visit.patient == patient)
        return [visit for visit in live if visit.starts > self.now]

    @cached_property
    def first_kept(self) -> dict[str, Visit]:
        found: dict[str, Visit] = {}
        for visit in self.kept(self.visits):
            found.setdefault(visit.patient, visit)
        return found

    @cached_property
    def last_kept(self) -> dict[str, Visit]:
        return {visit.patient: visit for visit in self.kept(self.visits)}

    @property
    def patients(self) -> list[Row]:
        return self.rows("patients")

    @cached_property
    def in_use(self) -> set[str]:
        hiding = ("archived_at", "merged_at", "merged_with_patient_id")
        return {row["id"] for row in self.rows("patients") if not any(row.get(name) for name in hiding)}

    @cached_property
    def theirs(self) -> dict[str, list[Visit]]:
        """The visits of each patient that were kept, are not marked, or are still to come."""
        found: dict[str, list[Visit]] = {}
        for visit in self.visits:
            if visit.cancelled is None and visit.arrived is not False:
                found.setdefault(visit.patient, []).append(visit)
        return found

    def returns(self, visit: Visit) -> bool:
        """Whether the patient has a visit after this one that was kept or is still to come."""
        return any(other.starts > visit.starts for other in self.theirs.get(visit.patient, []))

    def name(self, table: str, row_id: str) -> str:
        former = self.rows("practitioners/inactive") if table == "practitioners" else []
        row = next(row for row in [*self.rows(table), *former] if row["id"] == row_id)
        return row.get("label") or row.get("business_name") or row.get("name") or row_id


def spans(today: date) -> dict[str, tuple[date, date]]:
    """Phrases with the first and last day that they mean, looking back."""
    month = today.replace(day=1)
    earlier = (month - DAY).replace(day=1)
    return {
        "this month": (month, today),
        "last month": (earlier, month - DAY),
        "last 30 days": (today - 30 * DAY, today - DAY),
        "today": (today, today),
        "last week": (today - (today.weekday() + 7) * DAY, today - (today.weekday() + 1) * DAY),
    }
