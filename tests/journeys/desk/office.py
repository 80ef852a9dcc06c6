"""A desk of a small practice behind one server process: told over stdio, looked at from outside over the clinic's port.

A scene is a clock (08:30 or 16:30), a site and a season; now is always a Thursday, so that "Monday" is four days on, in
two of three seasons over a clock change. Every wording of a point is told in the next scene of the six, which cross
clocks, sites and seasons pairwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx2
from clinics.rows import KEY_OWNER, Clinic, Row
from conftest import Assistant

NORTHSIDE, RIVERSIDE = "Northside", "Riverside"
ZONES: Final = {NORTHSIDE: "Australia/Sydney", RIVERSIDE: "Australia/Adelaide"}
SEASONS: Final = {"summer": "2026-11-26", "into summer time": "2026-10-01", "out of summer time": "2027-04-01"}
STAFF: Final = {NORTHSIDE: ("Mei", "Ng"), RIVERSIDE: ("Jack", "Whitfield")}
SECOND: Final = {NORTHSIDE: ("Tom", "Okafor"), RIVERSIDE: ("Aroha", "Tane")}
TYPES: Final = (("Standard consult", 30, 1), ("Initial consult", 45, 1), ("Massage", 60, 1), ("Pilates class", 60, 4))
BLOCK_TYPES: Final = ("Lunch", "Leave", "Admin", "Meeting")
Told = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Where and when a point is told."""

    clock: str
    site: str
    season: str

    def __str__(self) -> str:
        return f"{self.clock} {self.site} {self.season}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.site])

    @property
    def now(self) -> datetime:
        """The present, aware, by the clock of the site."""
        return self.at(0, self.clock)

    def at(self, days: int, clock: str) -> datetime:
        """This clock time so many days from today, aware, by the clock of the site."""
        day = datetime.fromisoformat(SEASONS[self.season]).date() + timedelta(days=days)
        return datetime.combine(day, time.fromisoformat(clock), self.zone)

    def date(self, days: int) -> str:
        """The day so many days from today, as a desk writes it: `5 October`."""
        return f"{self.at(days, '12:00'):%-d %B}"


SCENES: Final = (
    Scene("08:30", NORTHSIDE, "summer"), Scene("16:30", RIVERSIDE, "summer"),
    Scene("08:30", RIVERSIDE, "into summer time"), Scene("16:30", NORTHSIDE, "into summer time"),
    Scene("08:30", NORTHSIDE, "out of summer time"), Scene("16:30", RIVERSIDE, "out of summer time"),
)  # fmt: skip


MIDNIGHT: Final = tuple(Scene("00:01", scene.site, scene.season) for scene in SCENES)
"""A minute into the day: at the other site it is half past twelve, or still the day before."""


def told(wordings: Sequence[Any], scenes: Sequence[Scene] = SCENES) -> list[tuple[Scene, Any]]:
    """Each wording in the next of the scenes, so that five or more meet both clocks, both sites and every season."""
    return [(scenes[place % len(scenes)], wording) for place, wording in enumerate(wordings)]


class Practice(Clinic):
    """A clinic whose rows have ids of their own in every story: the server remembers names by id for a minute."""

    story: int = 0

    def add(self, table: str, **values: Any) -> Row:
        row = super().add(table, **values)
        row["id"] = str(int(row["id"]) + 1_000 * self.story)
        return row


class Story:
    """One story: a practice in a scene, what was told to the assistant, and what became of the clinic's rows."""

    def __init__(self, scene: Scene, assistant: Assistant, outside: httpx2.AsyncClient, story: int) -> None:
        self.scene, self.assistant, self._outside = scene, assistant, outside
        self.clinic = Practice(scene.now, ZONES[NORTHSIDE])
        self.sites = {name: self._site(name, zone) for name, zone in ZONES.items()}
        self.staff = {
            " ".join(name): self._practitioner(name, site)
            for names in (STAFF, SECOND)
            for site, name in names.items()
        }  # fmt: skip
        everyone = [row["id"] for row in self.clinic.staff]
        self.types = {
            name: self.clinic.add(
                "appointment_types", name=name, duration_in_minutes=minutes, max_attendees=most,
                practitioner_ids=everyone, show_in_online_bookings=True,
            )
            for name, minutes, most in TYPES
        }  # fmt: skip
        for name in BLOCK_TYPES:
            self.clinic.add("unavailable_block_types", name=name)
        for site in self.sites.values():
            site["appointment_type_ids"] = [kind["id"] for kind in self.types.values()]
        self.clinic.story = story
        self._open = False

    def _site(self, name: str, zone: str) -> Row:
        return self.clinic.add(
            "businesses", business_name=name, label=name, display_name=name, time_zone_identifier=zone,
            country_code="AU", appointment_reminders_enabled=True, show_in_online_bookings=True,
        )  # fmt: skip

    def _practitioner(self, name: tuple[str, str], site: str) -> Row:
        own = KEY_OWNER if name == STAFF[NORTHSIDE] else None
        row = self.clinic.add(
            "practitioners", first_name=name[0], last_name=name[1], label=" ".join(name), active=True,
            show_in_online_bookings=True, user_id=own, business_ids=[self.sites[site]["id"]],
        )  # fmt: skip
        for day in range(1, 6):
            self.clinic.add(
                "daily_availabilities", practitioner_id=row["id"], business_id=self.sites[site]["id"], day_of_week=day,
                availabilities=[{"starts_at": "08:00", "ends_at": "18:00"}],
            )  # fmt: skip
        return row

    @property
    def who(self) -> str:
        """The practitioner at the scene's site whose visits the stories are about."""
        return " ".join(STAFF[self.scene.site])

    @property
    def second(self) -> str:
        """The other practitioner there."""
        return " ".join(SECOND[self.scene.site])

    def patient(self, name: str, **more: Any) -> Row:
        first, _, last = name.rpartition(" ")
        return self.clinic.add("patients", first_name=first, last_name=last, label=name, **more)

    def visit(self, patient: Row, days: int, clock: str, kind: str = "Standard consult", **more: Any) -> Row:
        """A visit at the scene's site with its practitioner, unless `who` names another one."""
        who = self.staff[more.pop("who", self.who)]
        minutes = more.pop("minutes", self.types[kind]["duration_in_minutes"])
        starts = self.scene.at(days, clock).astimezone(ZoneInfo("UTC"))
        return self.clinic.book(patient, who, self.sites[self.scene.site], self.types[kind], starts, minutes, **more)

    def session(self, patients: Sequence[Row], days: int, clock: str, room: int = 4) -> Row:
        """A Pilates class at the scene's site with these patients in it."""
        starts = self.scene.at(days, clock).astimezone(ZoneInfo("UTC"))
        places = [(patient, "") for patient in patients]
        site, kind = self.sites[self.scene.site], self.types["Pilates class"]
        return self.clinic.gather(places, self.staff[self.who], site, kind, starts, 60, room)

    def add(self, table: str, **values: Any) -> Row:
        return self.clinic.add(table, **values)

    async def tell(self, tool: str, /, **arguments: Any) -> Told:
        """What the assistant answers; the practice is put in place first."""
        await self.open()
        return await self.assistant.call(tool, **arguments)

    async def open(self) -> None:
        """Put the practice as it was prepared behind the server, once."""
        if self._open:
            return
        self._open = True
        tables = self.clinic.whole()
        tables["users"][0] |= dict(zip(("first_name", "last_name"), STAFF[NORTHSIDE], strict=True))
        state = {"now": self.scene.now.isoformat(), "ids": 0, "tables": tables}
        await self._control("POST", "snapshot", state)
        await self._control("DELETE", "requests")
        self.assistant.asked.clear()

    async def cut(self, kind: str, method: str, table: str) -> None:
        """Let the connection break once: `drop` before the next such request does anything, `drop_after` after it."""
        fault = {"kind": kind, "method": method, "path": f"/v1/{table}", "times": 1}
        await self.open()
        await self._control("POST", "faults", {"faults": [fault]})

    async def rows(self, table: str) -> list[Row]:
        """The raw rows of a table as they are now, hidden ones too."""
        return (await self._control("GET", "snapshot"))["tables"].get(table, [])

    async def row(self, table: str, row_id: str) -> Row:
        return next(row for row in await self.rows(table) if row["id"] == row_id)

    async def new(self, table: str) -> list[Row]:
        """The rows that were not there when the story began."""
        before = {row["id"] for row in self.clinic.rows(table)}
        return [row for row in await self.rows(table) if row["id"] not in before]

    async def wrote(self) -> list[str]:
        """The requests that could change the clinic, in order: `PATCH individual_appointments`, ids left out."""
        entries = (await self._control("GET", "requests"))["requests"]
        return [
            f"{entry['method']} {'/'.join(part for part in entry['path'].split('/')[2:] if not part.isdigit())}"
            for entry in entries
            if entry["method"] != "GET"
        ]

    def local(self, text: str) -> str:
        """A raw instant by the clock of the scene's site, as `days hh:mm` from today: `4 09:15`."""
        moment = datetime.fromisoformat(text).astimezone(self.scene.zone)
        return f"{(moment.date() - self.scene.now.date()).days} {moment:%H:%M}"

    async def _control(self, method: str, route: str, body: object = None) -> Any:
        answer = (await self._outside.request(method, f"/_sandbox/{route}", json=body)).raise_for_status()
        return answer.json() if answer.content else None
