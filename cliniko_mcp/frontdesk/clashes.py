"""The clashes of a booking, looked for before it is made: Cliniko takes every booking (cliniko-api.md#appointments).

A booking with clashes is refused with all of them, and with a short text that stands for exactly these. Only a call
that repeats this text goes through: so nothing is overridden that was not shown, and nothing that has changed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType
from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Clash, InvalidArguments, JsonValue
from cliniko_mcp.frontdesk.appointment_offers import offered_at
from cliniko_mcp.frontdesk.availability import starts_in
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.roster import Known, Roster, merged, name_text, named
from cliniko_mcp.frontdesk.working_hours import Diary, Stretch, within
from cliniko_mcp.phrases import day_bounds
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import label

_SHOWN_BYTES: Final = 480
_NEAREST: Final = 3


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

    def days(self, roster: Roster) -> tuple[datetime, datetime]:
        """From the first midnight to the last one, at the site, around all of its times."""
        zone = roster.zone(self.business.id)
        first, last = (moment.astimezone(zone).date() for moment in (self.times[0].starts, self.times[-1].ends))
        return day_bounds(first, zone)[0], day_bounds(last, zone)[1]


def check_live(plan: Plan, fields: Collection[str] = ("patient", "practitioner", "business", "type")) -> None:
    """Raise InvalidArguments where one of these is archived or left: Cliniko books none of them."""
    ways = {"patient": "unarchive_patient brings a file back", "business": "unarchive_business opens a site again"}
    named_by: list[tuple[str, Known]] = [("patient", patient) for patient in plan.patients]
    named_by += [("practitioner", plan.practitioner), ("business", plan.business), ("type", plan.kind)]
    for field, known in named_by:
        if known.gone and field in fields:
            fix = ways.get(field, "Choose another one; clinic_overview lists them")
            if isinstance(known.record, Patient) and merged(known.record):
                fix = "Use the file that it was merged into"
            raise InvalidArguments(f"{known.note.removesuffix('.')} and cannot be booked.", f"{fix}.", field=field)


def concerns(
    plan: Plan, roster: Roster, diary: Diary, others: Iterable[Entry], offering: Collection[str], now: datetime
) -> list[str]:
    """A sentence for each clash of a plan.

    `diary` is the practitioner's over the days of the plan, `others` the entries of its patients then, `offering` the
    ids of those who offer the type.
    """
    found: list[str] = []
    who, where = plan.practitioner, plan.business
    if who.id not in offering:
        found.append(f"{who.name} does not offer {plan.kind.name}.")
    if not offered_at(where, plan.kind):
        found.append(f"{plan.kind.name} is not offered at {where.name}.")
    if plan.times[0].starts < now - timedelta(minutes=5):
        found.append("That time is past.")
    mine = [entry for entry in diary.entries if entry.practitioner_id == who.id and entry.id != plan.moved]
    patients = {patient.id: named(patient) for patient in plan.patients}
    theirs = [entry for entry in others if entry.id != plan.moved and entry.practitioner_id != who.id]
    for time in plan.times:
        if not diary.at_work(who.id, time.starts, time.ends, where.id):
            found.append(_outside(plan, roster, diary, time))
        found += [_taken(who.name, entry, roster) for entry in mine if entry.meets(*time)]
        for entry in theirs:
            names = [patients[key] for key in entry.patient_ids if key in patients]
            if names and entry.meets(*time):
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


def nearest(plan: Plan, roster: Roster, diary: Diary, offering: Collection[str], now: datetime) -> list[str]:
    """Up to three starts on the same day when this practitioner is free there, the nearest first chosen, in order.

    None where what is asked for is not offered by them or there (`offering` as in `concerns`).
    """
    if plan.practitioner.id not in offering or not offered_at(plan.business, plan.kind):
        return []
    zone = roster.zone(plan.business.id)
    wanted = plan.times[0].starts
    staying = replace(diary, entries=[entry for entry in diary.entries if entry.id != plan.moved])
    free = staying.free(plan.practitioner.id, plan.business.id)
    starts = starts_in(free, [day_bounds(wanted.astimezone(zone).date(), zone)], plan.length, now)
    chosen = sorted(starts, key=lambda at: abs(at - wanted))[:_NEAREST]
    return [local_text(at, zone) for at in sorted(chosen)]


def shown(found: Sequence[str]) -> list[JsonValue]:
    """As many of the sentences as fit into an error, and how many more there are."""
    kept: list[JsonValue] = []
    room = _SHOWN_BYTES
    for sentence in found:
        room -= len(sentence.encode()) + 3
        if room < 0 and kept:
            break
        kept.append(sentence)
    more = len(found) - len(kept)
    return [*kept, f"... and {more} more; dry_run shows all."] if more else kept


def _there_are(number: int) -> str:
    return "there is 1 clash" if number == 1 else f"there are {number} clashes"


def refuse_clash(plan: Plan, found: Sequence[str], allowed: str | None, free: Sequence[str]) -> None:
    """Raise Clash with everything found, unless there is nothing or `allowed` repeats the text that stands for it."""
    if not found or allowed == clash_text(plan, found):
        return
    changed = "The clashes are no longer the ones that were shown. " if allowed else ""
    listed = shown(found)
    # The text that allows it is given only with everything it allows.
    whole = len(listed) == len(found) and listed[-1] == found[-1]
    go_on = "allow_clash set to the text under clash." if whole else "dry_run first, which shows all of it."
    raise Clash(
        f"{changed}Nothing was changed: {_there_are(len(found))}.",
        "Tell the user and offer another time (nearest, or find_times). Only if they still want it, call again with "
        f"{go_on}",
        clash=clash_text(plan, found) if whole else None,
        clashes=listed,
        nearest=[*free] or None,
    )
