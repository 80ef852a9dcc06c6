"""The clashes of a booking, looked for before it is made: Cliniko takes every booking (cliniko-api.md#appointments).

A booking with clashes is refused with all of them, and with a short text that stands for exactly these. Only a call
that repeats this text goes through: so nothing is overridden that was not shown, and nothing that has changed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.errors import Clash, InvalidArguments, JsonValue
from cliniko_mcp.frontdesk.appointment_offers import offered_at
from cliniko_mcp.frontdesk.availability import starts_in
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.roster import Known, Roster, merged, name_text, named
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import are, counted, label

_SHOWN_BYTES: Final = 480
_NEAREST: Final = 3
_TRIED: Final = 40
"""Starts that are tried for a plan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A booking to be made or moved: whose, with whom, where, what, and the times (UTC) of it and its repeats.

    `moved` is the id of the entry that it replaces, which is no clash with itself.
    """

    patients: tuple[Known[Patient], ...]
    practitioner: Known[Practitioner]
    business: Known[Business]
    kind: Known[AppointmentType]
    times: tuple[Stretch, ...]
    moved: str = ""

    @property
    def length(self) -> timedelta:
        """How long the booking lasts; its repeats last as long."""
        return self.times[0].length

    def at(self, time: Stretch) -> "Plan":
        """Only this one of its times."""
        return replace(self, times=(time,))

    def shifted(self, by: timedelta, zone: ZoneInfo) -> "Plan":
        """All of its times so much later by the clock of a zone, whatever that clock does meanwhile."""

        def later(starts: datetime) -> datetime:
            return (starts.astimezone(zone).replace(tzinfo=None) + by).replace(tzinfo=zone).astimezone(UTC)

        moved = (Stretch(later(time.starts), later(time.starts) + time.length) for time in self.times)
        return replace(self, times=tuple(moved))

    def days(self, roster: Roster) -> tuple[datetime, datetime]:
        """From the first midnight to the last one, at the site, around all of its times."""
        zone = roster.zone(self.business.id)
        first, last = (moment.astimezone(zone).date() for moment in (self.times[0].starts, self.times[-1].ends))
        return day_bounds(first, zone)[0], day_bounds(last, zone)[1]


def check_live(plan: Plan, fields: Collection[str] = ("patient", "practitioner", "business", "type")) -> None:
    """Raise InvalidArguments where one of these is archived or left: Cliniko books none of them.

    So too where the zone of the site is not known: a time by its clock would be a guess.
    """
    ways = {"patient": "unarchive_patient brings a file back", "business": "unarchive_business opens a site again"}
    named_by: list[tuple[str, Known]] = [("patient", patient) for patient in plan.patients]
    named_by += [("practitioner", plan.practitioner), ("business", plan.business), ("type", plan.kind)]
    for field, known in named_by:
        if known.gone and field in fields:
            fix = ways.get(field, "Choose another one; clinic_overview lists them")
            if isinstance(known.record, Patient) and merged(known.record):
                fix = "Use the file that it was merged into"
            raise InvalidArguments(f"{known.note.removesuffix('.')} and cannot be booked.", f"{fix}.", field=field)
    if "business" in fields:
        check_zone(plan.business)


def check_zone(site: Known[Business]) -> None:
    """Raise InvalidArguments where the zone of a site is not known, by its identifier or its label."""
    if zone_of(site.record) is not None:
        return
    name = site.record.time_zone_identifier or site.record.time_zone
    why = f"is {label(name)}, which is not known here" if name else "is not set"
    raise InvalidArguments(
        f"Nothing was changed: the time zone of {named(site)} {why}, so a time there could be the wrong hour.",
        "Set the zone of the site in Cliniko, or with update_business time_zone_identifier such as Australia/Sydney.",
        field="business",
    )


def concerns(
    plan: Plan, roster: Roster, diary: Diary, others: Iterable[Entry], offering: Collection[str], now: datetime
) -> list[str]:
    """A sentence for each clash of a plan.

    `diary` is the practitioner's over the days of the plan, `others` the entries of its patients then, `offering` the
    ids of those who offer the type.
    """
    found = _objections(plan, offering, now)
    others = list(others)
    for time in plan.times:
        found += concerns_at(plan, time, roster, diary, others)
    return found


def _objections(plan: Plan, offering: Collection[str], now: datetime) -> list[str]:
    """A sentence for each thing that speaks against a plan whatever its later times are."""
    found: list[str] = []
    if plan.practitioner.id not in offering:
        found.append(f"{plan.practitioner.name} does not offer {plan.kind.name}.")
    if not offered_at(plan.business, plan.kind):
        found.append(f"{plan.kind.name} is not offered at {plan.business.name}.")
    if is_past(plan, now):
        found.append("That time is past.")
    return found


def is_past(plan: Plan, now: datetime) -> bool:
    """Whether a plan begins before now; a few minutes late is still now."""
    return plan.times[0].starts < now - timedelta(minutes=5)


def concerns_at(plan: Plan, time: Stretch, roster: Roster, diary: Diary, others: Iterable[Entry]) -> list[str]:
    """A sentence for each clash at one of the times of a plan; arguments as in `concerns`."""
    who, where = plan.practitioner, plan.business
    found: list[str] = []
    if not diary.at_work(who.id, time.starts, time.ends, where.id):
        found.append(_outside(plan, roster, diary, time))
    found += [
        _taken(who.name, entry, roster)
        for entry in diary.entries
        if entry.practitioner_id == who.id and entry.id != plan.moved and entry.meets(*time)
    ]
    own = [entry for entry in others if entry.practitioner_id != who.id]
    found += patient_concerns(plan, time, roster, own)
    if any(other != time and other.starts < time.ends and time.starts < other.ends for other in plan.times):
        found.append(f"{local_text(time.starts, roster.zone(where.id))} overlaps another visit of the series.")
    return found


def patient_concerns(plan: Plan, time: Stretch, roster: Roster, others: Iterable[Entry]) -> list[str]:
    """A sentence for each of these entries that the patients of a plan have at one of its times."""
    patients = {patient.id: named(patient) for patient in plan.patients}
    found: list[str] = []
    for entry in others:
        names = [patients[key] for key in entry.patient_ids if key in patients]
        if names and entry.id != plan.moved and entry.meets(*time):
            found.append(_taken(", ".join(names), entry, roster))
    return found


def _outside(plan: Plan, roster: Roster, diary: Diary, time: Stretch) -> str:
    zone = roster.zone(plan.business.id)
    day = time.starts.astimezone(zone).date()
    there = within(diary.work.get((plan.practitioner.id, plan.business.id), ()), [day_bounds(day, zone)])
    hours = ", ".join(f"{stretch.starts.astimezone(zone):%H:%M} to {end_of(*stretch, zone)}" for stretch in there)
    elsewhere = [
        site.name
        for site in roster.sites
        if within(diary.work.get((plan.practitioner.id, site.id), ()), [day_bounds(day, zone)])
    ]
    usual = f"works {hours} that day" if hours else "does not work there that day"
    if not hours and elsewhere:
        usual += f", but at {' and '.join(elsewhere)}"
    return f"{local_text(time.starts, zone)} is outside hours: {plan.practitioner.name} {usual}."


def _taken(name: str, entry: Entry, roster: Roster) -> str:
    zone = roster.zone(entry.business_id)
    span = f"{local_text(entry.starts, zone)} to {end_of(entry.starts, entry.ends, zone)}"
    if entry.kind == "block":
        return f"{name} is blocked out {span} (block {entry.id})."
    kind = roster.name("appointment_type_id", entry.type_id) or "an appointment"
    patient = name_text(entry.record.patient_name) if entry.kind == "appointment" else ""
    whose = f" of {label(patient)}" if patient and label(patient) != name else ""
    return f"{name} has {kind}{whose} {span} (booking {entry.id})."


def clash_text(plan: Plan, found: Sequence[str]) -> str:
    """The text that stands for this booking with these objections and no others."""
    ids = [*(patient.id for patient in plan.patients), plan.practitioner.id, plan.business.id, plan.kind.id]
    times = [f"{time.starts.isoformat()}/{time.ends.isoformat()}" for time in plan.times]
    return f"clash-{digest(plan.moved, *ids, *times, *sorted(found))[:10]}"


def nearest(
    plan: Plan,
    roster: Roster,
    diary: Diary,
    offering: Collection[str],
    now: datetime,
    others: Iterable[Entry] = (),
) -> list[str]:
    """Up to three starts on the same day at which nothing speaks against the plan, the nearest first chosen, in order.

    The start that the plan has is never among them. A series keeps its days: a start counts where every visit is free
    at that hour. None where what is asked for is not offered by them or there (arguments as in `concerns`).
    """
    if plan.practitioner.id not in offering or not offered_at(plan.business, plan.kind):
        return []
    zone = roster.zone(plan.business.id)
    wanted = plan.times[0].starts
    staying = replace(diary, entries=[entry for entry in diary.entries if entry.id != plan.moved])
    free = staying.free(plan.practitioner.id, plan.business.id)
    starts = starts_in(free, [day_bounds(wanted.astimezone(zone).date(), zone)], plan.length, now)
    others = list(others)
    chosen: list[datetime] = []
    for at in sorted(starts, key=lambda at: abs(at - wanted))[:_TRIED]:
        by = at.astimezone(zone).replace(tzinfo=None) - wanted.astimezone(zone).replace(tzinfo=None)
        moved = plan.shifted(by, zone)
        if at != wanted and not any(concerns_at(moved, time, roster, diary, others) for time in moved.times):
            chosen.append(at)
        if len(chosen) == _NEAREST:
            break
    return [local_text(at, zone) for at in sorted(chosen)]


def shown(found: Sequence[str], room: int = _SHOWN_BYTES) -> list[JsonValue]:
    """As many of the sentences as fit into an error, at least one, and how many more there are."""
    kept: list[JsonValue] = []
    for sentence in found:
        room -= len(sentence.encode()) + 3
        if room < 0 and kept:
            break
        kept.append(sentence)
    more = len(found) - len(kept)
    return [*kept, f"... and {more} more; dry_run shows all."] if more else kept


def _there_are(number: int) -> str:
    return f"there {are(number)} {counted(number, 'clash', 'clashes')}"


def refuse_clash(
    plan: Plan, found: Sequence[str], allowed: str | None, free: Sequence[str], dates: str | None = None
) -> None:
    """Raise Clash with everything found, unless there is nothing or `allowed` repeats the text that stands for it.

    `dates` are those of a series, in short.
    """
    if not found or allowed == clash_text(plan, found):
        return
    changed = "The clashes are no longer the ones that were shown. " if allowed else ""
    listed = shown(found, max(_SHOWN_BYTES - len(dates or ""), _SHOWN_BYTES // 2))
    # The text that allows it is given only with everything it allows.
    whole = len(listed) == len(found) and listed[-1] == found[-1]
    go_on = "allow_clash set to the text under clash." if whole else "dry_run first, which shows all of it."
    other = "leave dates out with skip" if dates else "offer another time (nearest, or find_times)"
    raise Clash(
        f"{changed}Nothing was changed: {_there_are(len(found))}.",
        f"Tell the user and {other}. Only if they still want it, call again with {go_on}",
        dates=dates,
        clash=clash_text(plan, found) if whole else None,
        clashes=listed,
        nearest=[*free] or None,
    )
