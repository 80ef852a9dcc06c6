"""The demo clinic's raw rows, counted minute by minute: another way to the same answers, for tests to compare with."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conftest import Assistant

Span = tuple[datetime, datetime]
MINUTE = timedelta(minutes=1)
BOOKED = ("individual_appointments", "group_appointments")


def stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shown(text: str) -> datetime:
    """The instant of a time as an answer shows it: `2026-11-24T09:30+11:00 Tue`, the weekday checked."""
    moment, weekday = text.split(" ")
    at = datetime.fromisoformat(moment)
    assert f"{at:%a}" == weekday
    return at


class Raw:
    """What the sandbox's store holds, without any of the code under test."""

    def __init__(self, assistant: Assistant) -> None:
        assert assistant.app is not None
        self.sandbox = assistant.app.sandbox
        self.store = self.sandbox.context.store
        self._parsed: dict[tuple[tuple[str, ...], str, str], tuple[tuple[int, ...], list[Span]]] = {}

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.store.table(table).rows.values()]

    def live(self, table: str) -> list[dict[str, Any]]:
        hidden = ("archived_at", "deleted_at", "cancelled_at")
        return [row for row in self.rows(table) if not any(row.get(name) for name in hidden)]

    def get(self, table: str, row_id: str) -> dict[str, Any]:
        return dict(self.store.table(table).rows[row_id])

    def id(self, table: str, name: str) -> str:
        keys = ("label", "business_name", "name")
        found = [row["id"] for row in self.live(table) if any(row.get(key) == name for key in keys)]
        assert len(found) == 1, (table, name, found)
        return found[0]

    def zone(self, business_id: str) -> ZoneInfo:
        return ZoneInfo(str(self.store.table("businesses").rows[business_id]["time_zone_identifier"]))

    def _spans(self, tables: tuple[str, ...], practitioner_id: str, business_id: str = "") -> list[Span]:
        """The live times of this practitioner in these tables; parsed once while no row changes."""
        version = tuple(self.store.table(table).version for table in tables)
        key = (tables, practitioner_id, business_id)
        if self._parsed.get(key, ((), []))[0] != version:
            spans = [
                (stamp(row["starts_at"]), stamp(row["ends_at"]))
                for table in tables
                for row in self.live(table)
                if row["practitioner_id"] == practitioner_id and business_id in ("", row["business_id"])
            ]
            self._parsed[key] = (version, spans)
        return self._parsed[key][1]

    def taken(self, practitioner_id: str, at: datetime) -> bool:
        """Whether anything live of this practitioner covers this minute, at any site."""
        return any(low <= at < high for low, high in self._spans((*BOOKED, "unavailable_blocks"), practitioner_id))

    def working(self, practitioner_id: str, business_id: str, at: datetime) -> bool:
        """Whether the practitioner is at work at this site in this minute, by weekly hours or an extra opening."""
        local = at.astimezone(self.zone(business_id))
        clock = f"{local:%H:%M}"
        rows = self.store.table("daily_availabilities").rows.values()
        weekly: list[dict[str, Any]] = [
            span
            for row in rows
            if row["practitioner_id"] == practitioner_id and row["business_id"] == business_id
            if row["day_of_week"] % 7 == local.isoweekday() % 7  # type: ignore[operator]
            for span in row["availabilities"]  # type: ignore[union-attr]
        ]
        if any(span["starts_at"] <= clock < span["ends_at"] for span in weekly):
            return True
        extra = self._spans(("availability_blocks",), practitioner_id, business_id)
        return any(low <= at < high for low, high in extra)

    def free(self, practitioner_id: str, business_id: str, starts: datetime, length: int) -> bool:
        """Whether all of these minutes are worked and free."""
        minutes = (starts.astimezone(UTC) + step * MINUTE for step in range(length))
        return all(
            self.working(practitioner_id, business_id, at) and not self.taken(practitioner_id, at) for at in minutes
        )

    def earliest(
        self, practitioner_id: str, business_id: str, starts: datetime, ends: datetime, length: int
    ) -> datetime | None:
        """The first minute in the stretch from which an appointment fits into it."""
        run = 0
        at = starts.astimezone(UTC)
        while at < ends:
            here = self.working(practitioner_id, business_id, at) and not self.taken(practitioner_id, at)
            run = run + 1 if here else 0
            at += MINUTE
            if run == length:
                return at - length * MINUTE
        return None

    def on_day(self, day: date, tables: Iterable[str] = BOOKED) -> Iterator[dict[str, Any]]:
        """Rows, cancelled ones too, that begin on this local day of their own site; archived ones never."""
        for table in tables:
            for row in self.rows(table):
                begins = stamp(row["starts_at"]).astimezone(self.zone(row["business_id"]))
                if not row.get("archived_at") and begins.date() == day:
                    yield row

    def log(self) -> list[str]:
        """The requests so far as `METHOD path`, ids left out."""
        cut = (request.path.removeprefix("/v1/").split("/") for request in self.sandbox.requests)
        paths = ["/".join(part for part in parts if not part.isdigit()) for parts in cut]
        return [f"{request.method} {path}" for request, path in zip(self.sandbox.requests, paths, strict=True)]

    def forget(self) -> None:
        self.sandbox.requests.clear()


def check_free(raw: Raw, row: dict[str, Any], length: int) -> None:
    """Assert that the raw rows leave a start that an answer shows free, in the zone of its site."""
    who, where = raw.id("practitioners", row["practitioner"]), raw.id("businesses", row["business"])
    starts = shown(row["starts_at"])
    assert starts.utcoffset() == starts.astimezone(raw.zone(where)).utcoffset()
    assert raw.free(who, where, starts, length), row
