"""A clinic as raw rows: what a generated example consists of, and the rows that every clinic needs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
HIDDEN_AT = "2026-01-05T00:00:00Z"
SINCE = "2025-11-01T00:00:00Z"
KEY_OWNER = "10"


@dataclass
class Clinic:
    """A clinic at a moment: the time now, the zone of the key's user, and its rows by table.

    The repr is what a failing example prints; it can be pasted into a test.
    """

    now: datetime
    home: str | None
    tables: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def add(self, table: str, **values: Any) -> Row:
        """A new row, with an id that no other row has; fields that are None are left out, as the wire form does."""
        row_id = str(1001 + sum(map(len, self.tables.values())))
        row = {"id": row_id, "created_at": SINCE, "updated_at": SINCE}
        row |= {name: value for name, value in values.items() if value is not None}
        self.tables.setdefault(table, []).append(row)
        return row

    def rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    @property
    def sites(self) -> list[Row]:
        return self.rows("businesses")

    @property
    def staff(self) -> list[Row]:
        return self.rows("practitioners")

    @property
    def types(self) -> list[Row]:
        return self.rows("appointment_types")

    @property
    def patients(self) -> list[Row]:
        return self.rows("patients")

    def whole(self) -> dict[str, list[Row]]:
        """All tables, with the account's own rows."""
        owner: Row = {
            "id": KEY_OWNER,
            "created_at": SINCE,
            "updated_at": SINCE,
            "first_name": "Key",
            "last_name": "Owner",
            "role": "administrator",
            "active": True,
            "user_active": True,
            "email": "owner@clinic.example",
        }
        account: Row = {"id": "settings", "shown": {"account": {"name": "Generated"}, "online_bookings": {}}}
        if self.home is not None:
            owner["time_zone_identifier"] = account["time_zone_identifier"] = self.home
        return {**self.tables, "users": [owner], "settings": [account]}

    def book(
        self,
        patient: Row | None,
        practitioner: Row,
        site: Row,
        kind: Row,
        starts: datetime,
        minutes: int,
        state: str = "",
        **more: Any,
    ) -> Row:
        """An appointment with its attendee; `state` as `marks` has it."""
        whose: Row = {"patient_id": patient["id"], "patient_name": patient.get("label")} if patient else {}
        row = self.add(
            "individual_appointments",
            business_id=site["id"],
            practitioner_id=practitioner["id"],
            appointment_type_id=kind["id"],
            patient_ids=[patient["id"]] if patient else [],
            **whose,
            **span(starts, minutes),
            **{name: value for name, value in marks(state, starts).items() if name != "arrived"},
            **more,
        )
        if patient:
            self.add("attendees", booking_id=row["id"], patient_id=patient["id"], **marks(state, starts))
        return row

    def gather(
        self,
        places: list[tuple[Row, str]],
        practitioner: Row,
        site: Row,
        kind: Row,
        starts: datetime,
        minutes: int,
        room: int,
    ) -> Row:
        """A class with these patients in it, each with the state of their place."""
        holding = [patient["id"] for patient, state in places if state not in ("cancelled", "archived")]
        row = self.add(
            "group_appointments",
            business_id=site["id"],
            practitioner_id=practitioner["id"],
            appointment_type_id=kind["id"],
            patient_ids=holding,
            max_attendees=max(room, len(holding)),
            **span(starts, minutes),
        )
        for patient, state in places:
            self.add("attendees", booking_id=row["id"], patient_id=patient["id"], **marks(state, starts))
        return row


def span(starts: datetime, minutes: int) -> Row:
    return {"starts_at": stamp(starts), "ends_at": stamp(starts + timedelta(minutes=minutes))}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def marks(state: str, starts: datetime) -> Row:
    """The fields of an appointment or attendee that is cancelled, archived, arrived or missed; none otherwise."""
    match state:
        case "cancelled":
            return {"cancelled_at": stamp(starts - timedelta(hours=30)), "cancellation_reason": 50}
        case "archived":
            return {"archived_at": HIDDEN_AT, "deleted_at": HIDDEN_AT}
        case "arrived":
            return {"arrived": True, "patient_arrived": True, "did_not_arrive": False}
        case "missed":
            return {"arrived": False, "patient_arrived": False, "did_not_arrive": True}
        case _:
            return {}
