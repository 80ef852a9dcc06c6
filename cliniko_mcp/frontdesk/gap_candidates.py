"""Patients who could take a free time: those who come later anyway, and those who cancelled and did not book again.

Cliniko's API knows no waitlist, so this is the nearest thing to one. Pure: the rows come from the caller.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.phrases import local_day
from cliniko_mcp.sanitize import counted

Why = Literal["later", "cancelled"]
_NEAR: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Gap:
    """A free time in UTC. `type_id` is empty where any type will do; `left_by` are the ids of those who gave it up."""

    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    type_id: str = ""
    left_by: frozenset[str] = frozenset()
    booking_id: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient who could take the gap, the appointment that suggests it, and reasons."""

    patient_id: str
    entry: Entry
    why: Why
    reasons: tuple[str, ...]


def candidates(
    gap: Gap,
    live: Sequence[Entry],
    cancelled: Iterable[Entry],
    roster: Roster,
    now: datetime,
    reach: timedelta,
    booked: Collection[str] = (),
) -> list[Candidate]:
    """The patients who could take the gap, each once: those whose appointment is or was due nearest to it first.

    `live` are the coming entries of the practitioner, and of everyone on the day of the gap; `cancelled` the
    practitioner's cancelled appointments; both count within `reach` of the gap. `booked` are the ids of patients who
    have something else to come. Times are told by the clocks of the sites.
    """
    mine = _by_patient(live)
    found: dict[str, Candidate] = {}
    for entry in sorted(live, key=lambda entry: entry.starts):
        if not suits(gap, entry) or entry.starts < gap.ends or entry.starts - gap.starts > reach:
            continue
        patient = entry.patient_ids[0]
        if patient in found or patient in gap.left_by:
            continue
        if not _sooner(gap, mine[patient]) and not _busy(gap, mine[patient]):
            found[patient] = _later(gap, entry, mine[patient], roster)
    for entry in sorted(cancelled, key=lambda entry: abs(entry.starts - gap.starts)):
        if not suits(gap, entry) or abs(entry.starts - gap.starts) > reach:
            continue
        patient = entry.patient_ids[0]
        if patient not in found and patient not in gap.left_by and patient not in mine and patient not in booked:
            found[patient] = _cancelled(gap, entry, roster, now)
    return sorted(
        found.values(), key=lambda candidate: (abs(candidate.entry.starts - gap.starts), candidate.patient_id)
    )


def _by_patient(live: Iterable[Entry]) -> dict[str, list[Entry]]:
    mine: dict[str, list[Entry]] = {}
    for entry in live:
        for patient in entry.patient_ids:
            mine.setdefault(patient, []).append(entry)
    return mine


def suits(gap: Gap, entry: Entry) -> bool:
    """Whether an entry is an appointment with the practitioner that fits into the gap and is of its type."""
    return (
        entry.kind == "appointment"
        and bool(entry.patient_ids)
        and entry.practitioner_id == gap.practitioner_id
        and (not gap.type_id or entry.type_id == gap.type_id)
        and entry.ends - entry.starts <= gap.ends - gap.starts
    )


def _sooner(gap: Gap, entries: Iterable[Entry]) -> bool:
    """Whether one of these appointments comes before the gap and suits it as well."""
    return any(suits(gap, entry) and entry.starts < gap.starts for entry in entries)


def _busy(gap: Gap, entries: Iterable[Entry]) -> bool:
    return any(entry.meets(gap.starts, gap.ends) for entry in entries)


def _later(gap: Gap, entry: Entry, others: Sequence[Entry], roster: Roster) -> Candidate:
    zone = roster.zone(gap.business_id)
    days = (local_day(entry.starts, zone) - local_day(gap.starts, zone)).days
    later = f"comes {_days(days)} later" if days else "comes later that day"
    reasons = [f"{later} for the same" if gap.type_id else later]
    alike = _alike(gap, entry, roster)
    day = local_day(gap.starts, zone)
    if any(other.id != entry.id and local_day(other.starts, zone) == day for other in others):
        alike.append("has another appointment that day")
    return Candidate(entry.patient_ids[0], entry, "later", (*reasons, *alike))


def _cancelled(gap: Gap, entry: Entry, roster: Roster, now: datetime) -> Candidate:
    stamp, reason = entry.record.cancelled_at, entry.record.cancellation_reason_description
    ago = max((now - stamp).days, 0) if stamp is not None else 0
    cancelled = f"cancelled {_days(ago)} ago" + (f" ({reason.lower()})" if reason else "")
    alike = _alike(gap, entry, roster)
    return Candidate(entry.patient_ids[0], entry, "cancelled", (cancelled, "has not booked again", *alike))


def _alike(gap: Gap, entry: Entry, roster: Roster) -> list[str]:
    """What an appointment has in common with the gap, or not: site, time of day, weekday."""
    local = gap.starts.astimezone(roster.zone(gap.business_id))
    other = entry.starts.astimezone(roster.zone(entry.business_id))
    minutes = abs((local.hour * 60 + local.minute) - (other.hour * 60 + other.minute))
    reasons = list[str]()
    if entry.business_id != gap.business_id:
        reasons.append("is booked at another site")
    if timedelta(minutes=minutes) <= _NEAR:
        reasons.append("same time of day")
    if local.weekday() == other.weekday():
        reasons.append("same weekday")
    return reasons


def _days(days: int) -> str:
    return counted(days, "day")
