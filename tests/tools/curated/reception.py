"""A demo clinic to prepare by name and local time, and its raw rows to check answers against."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conftest import Assistant, in_process

NORTHSIDE, RIVERSIDE = "Northside", "Riverside"
ZONES = {NORTHSIDE: ZoneInfo("Australia/Sydney"), RIVERSIDE: ZoneInfo("Australia/Adelaide")}
BOTH = ((NORTHSIDE, "Dr Mei Ng"), (RIVERSIDE, "Jack Whitfield"))
Row = dict[str, Any]


class Reception:
    """Prepares the clinic through its store, past the tools under test."""

    def __init__(self, assistant: Assistant) -> None:
        assert assistant.app is not None
        self.assistant = assistant
        self.sandbox = assistant.app.sandbox
        self.store = self.sandbox.context.store

    def rows(self, table: str) -> list[Row]:
        """The raw rows of a table, hidden ones too."""
        return [dict(row) for row in self.store.table(table).rows.values()]

    def id(self, table: str, name: str) -> str:
        fields = ("label", "display_name", "name")
        rows = self.store.table(table).rows.values()
        return next(str(row["id"]) for row in rows if name in [row.get(field) for field in fields])

    def put(self, table: str, **values: Any) -> str:
        """A row as it is, hidden or not."""
        stamp = self.sandbox.clock.stamp()
        row = {"id": self.sandbox.context.ids.next(), "created_at": stamp, "updated_at": stamp, **values}
        self.store.put(table, row)
        return row["id"]

    def forget(self) -> None:
        """Let the server remember nothing: what is put here after it has read the set-up is a change made elsewhere."""
        assert self.assistant.app is not None
        self.assistant.app.forget()

    def patient(self, first: str, last: str, **more: Any) -> str:
        return self.put("patients", first_name=first, last_name=last, label=f"{first} {last}", **more)

    def book(
        self,
        patient: str,
        site: str,
        practitioner: str,
        local: str,
        kind: str = "Standard consult",
        minutes: int = 30,
        **state: Any,
    ) -> str:
        """An individual appointment with its attendee; `local` by the site's clock; `arrived` as on an attendee."""
        starts = utc(local, site)
        arrived = state.pop("arrived", None)
        booking = self.put(
            "individual_appointments",
            patient_id=patient,
            patient_ids=[patient],
            business_id=self.id("businesses", site),
            practitioner_id=self.id("practitioners", practitioner),
            appointment_type_id=self.id("appointment_types", kind),
            starts_at=stamp(starts),
            ends_at=stamp(starts + timedelta(minutes=minutes)),
            patient_arrived=arrived,
            did_not_arrive=None if arrived is None else not arrived,
            **state,
        )
        self.put("attendees", booking_id=booking, patient_id=patient, arrived=arrived, **state)
        return booking

    def group(
        self,
        patients: Iterable[str],
        site: str,
        practitioner: str,
        local: str,
        kind: str = "Pilates class",
        states: dict[str, Row] | None = None,
    ) -> str:
        """A class with these patients in it; `states` holds what differs on the attendee of a patient."""
        starts = utc(local, site)
        found = states or {}
        everyone = list(patients)
        booking = self.put(
            "group_appointments",
            business_id=self.id("businesses", site),
            practitioner_id=self.id("practitioners", practitioner),
            appointment_type_id=self.id("appointment_types", kind),
            starts_at=stamp(starts),
            ends_at=stamp(starts + timedelta(minutes=60)),
            max_attendees=8,
            patient_ids=[patient for patient in everyone if "cancelled_at" not in found.get(patient, {})],
        )
        for patient in everyone:
            self.put("attendees", booking_id=booking, patient_id=patient, **found.get(patient, {}))
        return booking

    def empty(self, *tables: str) -> None:
        """Take the seed's rows of these tables away."""
        for table in tables:
            self.store.clear(table)

    def empty_diary(self) -> None:
        self.empty("individual_appointments", "group_appointments", "unavailable_blocks", "attendees")

    def attendee(self, booking: str, patient: str | None = None) -> Row:
        return next(
            row
            for row in self.rows("attendees")
            if row["booking_id"] == booking and patient in (None, row["patient_id"])
        )

    async def counted(self, name: str, **arguments: Any) -> tuple[Row, int]:
        """The answer of a tool and how many requests it took."""
        seen = len(self.sandbox.requests)
        answer = await self.assistant.call(name, **arguments)
        return answer, len(self.sandbox.requests) - seen


def utc(local: str, site: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZONES[site]).astimezone(UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def local_of(text: str, site: str) -> datetime:
    """A raw instant by the clock of a site."""
    return datetime.fromisoformat(text).astimezone(ZONES[site])


@asynccontextmanager
async def reception(**settings: Any) -> AsyncGenerator[Reception]:
    async with in_process(**settings) as assistant:
        yield Reception(assistant)
