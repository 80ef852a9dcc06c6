"""The statistics of a clinic, counted from its raw rows alone: nothing of the seed's code is imported."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

Rows = list[Any]
Span = tuple[datetime, datetime]

DAY = timedelta(days=1)


class Measured:
    """A clinic's tables at `now`: shares from 0 to 1, spans in days, everything over the time before `now`."""

    def __init__(self, tables: Any, now: datetime) -> None:
        # The rows are JSON of many tables; each test reads the fields it knows.
        self.now = now
        self.tables = tables
        self.visits: Rows = [
            {**row, "starts": at(row["starts_at"]), "ends": at(row["ends_at"])}
            for row in tables["individual_appointments"]
        ]
        self.begun = [row for row in self.visits if row["starts"] < now]
        self.kept = [row for row in self.begun if "cancelled_at" not in row]
        self.cancelled = [row for row in self.begun if "cancelled_at" in row]
        self.held = [row for row in self.kept if row.get("patient_arrived")]
        self.begins = min(row["starts"] for row in self.visits)
        self.patients: Rows = [row for row in tables["patients"] if "archived_at" not in row]
        self.types = {row["id"]: row["name"] for row in tables["appointment_types"]}
        self.people = {row["id"]: row["first_name"] for row in tables["practitioners"]}
        self._classes = {row["id"]: row for row in tables["group_appointments"]}
        own = {row["id"]: row for row in self.visits} | self._classes
        self.seats: Rows = [{**row, "booking": own[row["booking_id"]]} for row in tables["attendees"]]

    def no_shows(self) -> float:
        """Of the visits begun whose attendance is recorded."""
        recorded = [row for row in self.kept if "patient_arrived" in row]
        return share(not row["patient_arrived"] for row in recorded)

    def unrecorded(self) -> float:
        """Of the visits begun that were not cancelled."""
        return share("patient_arrived" not in row for row in self.kept)

    def cancellations(self) -> float:
        """Of the visits that would have begun."""
        return share("cancelled_at" in row for row in self.begun)

    def late_cancellations(self) -> float:
        """Of the cancellations: with less than 24 hours' notice."""
        return share(row["starts"] - at(row["cancelled_at"]) < DAY for row in self.cancelled)

    def refilled(self) -> float:
        """Of the times given up a day or more before: another visit with the same practitioner lies in it."""
        taken: dict[str, list[Span]] = defaultdict(list)
        for row in self.kept:
            taken[row["practitioner_id"]].append((row["starts"], row["ends"]))
        return share(
            any(starts < row["ends"] and row["starts"] < ends for starts, ends in taken[row["practitioner_id"]])
            for row in self.cancelled
            if row["starts"] - at(row["cancelled_at"]) >= DAY
        )

    def rebooked(self) -> float:
        """Of those who cancelled more than 60 days ago: another booking that was made since."""
        made: dict[str, list[str]] = defaultdict(list)
        for row in self.seats:
            made[row["patient_id"]].append(row["created_at"])
        old = [row for row in self.cancelled if row["starts"] < self.now - 60 * DAY]
        return share(any(when >= row["cancelled_at"] for when in made[row["patient_id"]]) for row in old)

    def first_bookings(self) -> dict[str, Any]:
        """The booking that was made first, by patient, classes in."""
        first: dict[str, Any] = {}
        for seat in self.seats:
            who = seat["patient_id"]
            if who not in first or (seat["created_at"], seat["booking"]["starts_at"]) < (
                first[who]["created_at"],
                first[who]["booking"]["starts_at"],
            ):
                first[who] = seat
        return first

    def new_files(self) -> Rows:
        """Patients whose file was made since the diary began."""
        return [row for row in self.patients if at(row["created_at"]) > self.begins]

    def file_to_booking(self) -> list[float]:
        """Days from the file to the first booking made, for new files that have one, sorted."""
        first = self.first_bookings()
        return sorted(
            (at(first[row["id"]]["created_at"]) - at(row["created_at"])) / DAY
            for row in self.new_files()
            if row["id"] in first
        )

    def booking_to_visit(self) -> list[float]:
        """Days from the first booking of a new file to the visit, sorted."""
        first = self.first_bookings()
        seats = [first[row["id"]] for row in self.new_files() if row["id"] in first]
        return sorted((at(seat["booking"]["starts_at"]) - at(seat["created_at"])) / DAY for seat in seats)

    def first_is_initial(self) -> float:
        """Of the new files with a booking: the first is an Initial consult."""
        first = self.first_bookings()
        return share(
            self.types[first[row["id"]]["booking"]["appointment_type_id"]] == "Initial consult"
            for row in self.new_files()
            if row["id"] in first
        )

    def initial_again(self) -> float:
        """Of the visits that are not a patient's first booking: Initial consults."""
        first = {seat["booking_id"] for seat in self.first_bookings().values()}
        return share(
            self.types[row["appointment_type_id"]] == "Initial consult" for row in self.visits if row["id"] not in first
        )

    def without_booking(self) -> float:
        """Of the live patients: never booked."""
        first = self.first_bookings()
        return share(row["id"] not in first for row in self.patients)

    def new_by_quarter(self) -> list[int]:
        """New files in each whole stretch of 91 days since the diary began."""
        count = Counter((at(row["created_at"]) - self.begins) // (91 * DAY) for row in self.new_files())
        return [count[number] for number in range((self.now - self.begins) // (91 * DAY))]

    def seen(self) -> dict[str, int]:
        """Visits held, classes in, by patient."""
        return dict(
            Counter(
                seat["patient_id"]
                for seat in self.seats
                if seat.get("arrived") and at(seat["booking"]["starts_at"]) < self.now
            )
        )

    def visits_a_person(self) -> list[int]:
        """Visits held, a number for each person seen, sorted."""
        return sorted(self.seen().values())

    def came_back(self) -> float:
        """Of the new files seen first more than 90 days ago: seen on another day too."""
        days: dict[str, set[date]] = defaultdict(set)
        for seat in self.seats:
            if seat.get("arrived"):
                days[seat["patient_id"]].add(at(seat["booking"]["starts_at"]).date())
        limit = (self.now - 90 * DAY).date()
        own = [days[row["id"]] for row in self.new_files() if row["id"] in days and min(days[row["id"]]) < limit]
        return share(len(theirs) > 1 for theirs in own)

    def weeks(self) -> list[date]:
        """The Mondays of the whole weeks from the diary's second week to the last before now."""
        first = self.begins.date() + timedelta(days=7 + (7 - self.begins.weekday()) % 7)
        found: list[date] = []
        while first + timedelta(days=8) < self.now.date():
            found.append(first)
            first += timedelta(days=7)
        return found

    def hours(self) -> dict[tuple[str, date], tuple[float, float]]:
        """Open and booked-within-open hours by first name and Monday: working hours less blocked-out time."""
        zones = {row["id"]: ZoneInfo(row["time_zone_identifier"]) for row in self.tables["businesses"]}
        busy: dict[tuple[str, date], list[Span]] = defaultdict(list)
        blocked: dict[tuple[str, date], list[Span]] = defaultdict(list)
        for target, rows in (
            (busy, [*(row for row in self.visits if "cancelled_at" not in row), *self._classes.values()]),
            (blocked, self.tables["unavailable_blocks"]),
        ):
            for row in rows:
                span = at(row["starts_at"]), at(row["ends_at"])
                target[row["practitioner_id"], span[0].astimezone(zones[row["business_id"]]).date()].append(span)
        found: dict[tuple[str, date], tuple[float, float]] = {}
        for monday in self.weeks():
            for row in self.tables["daily_availabilities"]:
                day = monday + timedelta(days=row["day_of_week"] - 1)
                who, zone = row["practitioner_id"], zones[row["business_id"]]
                work = [
                    tuple(
                        datetime.combine(day, time.fromisoformat(part[end]), zone).astimezone(UTC)
                        for end in ("starts_at", "ends_at")
                    )
                    for part in row["availabilities"]
                ]
                free = without([(part[0], part[1]) for part in work], blocked[who, day])
                left = without(free, busy[who, day])
                open_, booked = found.get((self.people[who], monday), (0.0, 0.0))
                found[self.people[who], monday] = open_ + length(free), booked + length(free) - length(left)
        return found

    def utilisation(self) -> dict[str, float]:
        """Booked of open hours over all weeks, by first name."""
        return self._rates(lambda who, _: who)

    def utilisation_by_week(self) -> dict[date, float]:
        """Booked of open hours of everyone, by week, for weeks with half of the usual hours or more."""
        hours = self.hours()
        open_ = Counter[date]()
        for (_, monday), (free, _) in hours.items():
            open_[monday] += int(free)
        usual = median(open_.values())
        rates = self._rates(lambda _, monday: monday)
        return {monday: rate for monday, rate in rates.items() if open_[monday] >= usual / 2}

    def _rates(self, key: Any) -> dict[Any, float]:
        totals: dict[Any, list[float]] = {}
        for (who, monday), (open_, booked) in self.hours().items():
            total = totals.setdefault(key(who, monday), [0.0, 0.0])
            total[0] += open_
            total[1] += booked
        return {name: booked / open_ for name, (open_, booked) in totals.items() if open_}

    def without_note(self) -> float:
        """Of the individual visits held: no live note, draft or final."""
        noted = {row.get("booking_id") for row in self.tables["treatment_notes"] if "archived_at" not in row}
        return share(row["id"] not in noted for row in self.held)

    def phones(self) -> dict[str, float]:
        """Of the live patients: with no phone, with a landline only."""
        kinds = [{phone["phone_type"] for phone in row.get("patient_phone_numbers", ())} for row in self.patients]
        return {
            "none": share(not own for own in kinds),
            "landline": share(bool(own) and "Mobile" not in own for own in kinds),
        }

    def without_email(self) -> float:
        """Of the live patients."""
        return share("email" not in row for row in self.patients)

    def by_website(self) -> float:
        """Of all individual bookings."""
        return share("booking_ip_address" in row for row in self.visits)

    def sources(self) -> tuple[float, dict[str, float]]:
        """Live patients with a referral source, and the shares of the types."""
        rows = self.tables["referral_sources"]
        names = {row["id"]: row["name"] for row in self.tables["referral_source_types"]}
        live = {row["id"] for row in self.patients}
        kinds = Counter(names[row["referral_source_type_id"]] for row in rows if row["patient_id"] in live)
        whole = sum(kinds.values())
        return whole / len(live), {name: count / whole for name, count in kinds.items()}

    def referrers(self) -> dict[str, int]:
        """How many patients each contact has sent, by name."""
        names = {
            row["id"]: " ".join(row[part] for part in ("title", "first_name", "last_name") if part in row)
            for row in self.tables["contacts"]
        }
        rows = self.tables["referral_sources"]
        return dict(Counter(names[row["referrer_id"]] for row in rows if row.get("referrer_type") == "Contact"))

    def source_to_file(self) -> list[float]:
        """Days from the file to the referral source, sorted."""
        made = {row["id"]: at(row["created_at"]) for row in self.tables["patients"]}
        return sorted(
            (at(row["created_at"]) - made[row["patient_id"]]) / DAY for row in self.tables["referral_sources"]
        )

    def cases(self) -> dict[str, int]:
        """Open cases with a limit: how many are used up, nearly so, and past their last day."""
        used = Counter(
            seat["patient_case_id"]
            for seat in self.seats
            if "patient_case_id" in seat and "cancelled_at" not in seat and at(seat["booking"]["starts_at"]) < self.now
        )
        live = [row for row in self.tables["patient_cases"] if not row.get("closed") and "archived_at" not in row]
        left = [row["max_sessions"] - used[row["id"]] for row in live if "max_sessions" in row]
        today = self.now.date().isoformat()
        return {
            "open": len(live),
            "used up": sum(rest <= 0 for rest in left),
            "one or two left": sum(0 < rest <= 2 for rest in left),
            "expired": sum(row.get("expiry_date", "9999") < today for row in live),
        }

    def invoices(self) -> Rows:
        """Invoices that are no credit and not archived."""
        return [row for row in self.tables["invoices"] if row["status"] != 40 and "archived_at" not in row]

    def billed(self) -> float:
        """Of the individual visits held more than a week ago: invoiced."""
        own = {row["appointment_id"] for row in self.invoices()}
        return share(row["id"] in own for row in self.held if row["ends"] < self.now - 7 * DAY)

    def visit_to_invoice(self) -> list[float]:
        """Days from the end of a visit to its invoice, sorted."""
        ends = {row["id"]: row["ends"] for row in self.visits}
        return sorted(
            (at(row["created_at"]) - ends[row["appointment_id"]]) / DAY
            for row in self.invoices()
            if row.get("appointment_id") in ends
        )

    def unpaid(self) -> list[float]:
        """Share of the invoices that are open, by their age: under 8, 31, 61 and 91 days, and older."""
        bands: list[list[bool]] = [[], [], [], [], []]
        for row in self.invoices():
            days = (self.now - at(row["created_at"])) / DAY
            bands[sum(days >= limit for limit in (8, 31, 61, 91))].append(row["status"] == 10)
        return [share(band) for band in bands]

    def reminded(self) -> dict[str, float]:
        """Of the visits kept: reminded, by what the patient asks for."""
        wishes = {row["id"]: row.get("reminder_type", "None") for row in self.tables["patients"]}
        rows = [row for row in self.kept if row["starts"] > self.now - 500 * DAY]
        return {
            wish: share(
                row["email_reminder_sent"] or row["sms_reminder_sent"]
                for row in rows
                if wishes[row["patient_id"]] == wish
            )
            for wish in sorted(set(wishes.values()))
        }

    def wishes(self) -> dict[str, float]:
        """The shares of the ways in which live patients want to be reminded."""
        count = Counter(row.get("reminder_type", "None") for row in self.patients)
        return {wish: number / len(self.patients) for wish, number in count.items()}

    def reminded_without_address(self) -> list[str]:
        """Ids of visits with a reminder that could not be sent: no mobile for the SMS, no address for the email."""
        people = {row["id"]: row for row in self.tables["patients"]}
        mobile = {
            row["id"]
            for row in people.values()
            if any(phone["phone_type"] == "Mobile" for phone in row.get("patient_phone_numbers", ()))
        }
        return [
            row["id"]
            for row in self.visits
            if (row["sms_reminder_sent"] and row["patient_id"] not in mobile)
            or (row["email_reminder_sent"] and "email" not in people[row["patient_id"]])
        ]

    def made_early(self) -> float:
        """Bookings that were made before their patient's file was."""
        made = {row["id"]: row["created_at"] for row in self.tables["patients"]}
        return share(seat["created_at"] < made[seat["patient_id"]] for seat in self.seats)


def at(text: str) -> datetime:
    """The instant of a timestamp."""
    return datetime.fromisoformat(text)


def share(facts: Iterable[bool]) -> float:
    """The share of what is true; 0 of nothing."""
    whole = [*facts]
    return sum(whole) / len(whole) if whole else 0.0


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which this part of the sorted values lies."""
    return values[min(len(values) - 1, int(part * len(values)))]


def length(spans: Iterable[Span]) -> float:
    """The hours of these spans."""
    return sum((ends - starts) / timedelta(hours=1) for starts, ends in spans)


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is left of the spans."""
    for from_, to in taken:
        spans = [
            part
            for starts, ends in spans
            for part in ((starts, min(ends, from_)), (max(starts, to), ends))
            if part[0] < part[1]
        ]
    return spans
