"""Patients who could take a free time: those who come later anyway, and those who cancelled and did not book again.

Cliniko's API knows no waitlist, so this is the nearest thing to one. Pure: the rows come from the caller.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.roster import Roster
from cliniko_mcp.phrases import local_day

Why = Literal["later", "cancelled"]
LOOK_BACK: Final = timedelta(days=60)
"""How long ago a cancelled appointment may have been due."""

_NEAR: Final = timedelta(hours=2)
_BETTER: Final = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """A free time in UTC. `type_id` is empty where any type will do; `patient_id` is who gave the time up."""

    starts: datetime
    ends: datetime
    practitioner_id: str
    business_id: str
    type_id: str = ""
    patient_id: str = ""
    booking_id: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient who could take the gap, the appointment that suggests it, a score (higher is better), and reasons."""

    patient_id: str
    entry: Entry
    why: Why
    score: float
    reasons: tuple[str, ...]


def candidates(
    gap: Gap, live: Sequence[Entry], cancelled: Iterable[Entry], roster: Roster, now: datetime
) -> list[Candidate]:
    """The patients who could take the gap, the best first, each once.

    `live` are all coming entries of the clinic, `cancelled` the practitioner's cancelled appointments that were due
    since LOOK_BACK; times are told by the clocks of the sites.
    """
    mine = _by_patient(live)
    found: dict[str, Candidate] = {}
    for entry in sorted(live, key=lambda entry: entry.starts):
        if not _suits(gap, entry) or entry.patient_ids[0] in found or entry.starts < gap.ends:
            continue
        patient = entry.patient_ids[0]
        if patient != gap.patient_id and not _sooner(gap, mine[patient]) and not _busy(gap, mine[patient]):
            found[patient] = _later(gap, entry, mine[patient], roster)
    for entry in sorted(cancelled, key=lambda entry: entry.starts, reverse=True):
        if not _suits(gap, entry) or entry.id == gap.booking_id:
            continue
        patient = entry.patient_ids[0]
        if patient not in found and patient != gap.patient_id and patient not in mine:
            found[patient] = _cancelled(gap, entry, roster, now)
    return sorted(
        found.values(), key=lambda candidate: (-candidate.score, candidate.entry.starts, candidate.patient_id)
    )


def _by_patient(live: Iterable[Entry]) -> dict[str, list[Entry]]:
    mine: dict[str, list[Entry]] = {}
    for entry in live:
        for patient in entry.patient_ids:
            mine.setdefault(patient, []).append(entry)
    return mine


def _suits(gap: Gap, entry: Entry) -> bool:
    return (
        entry.kind == "appointment"
        and bool(entry.patient_ids)
        and entry.practitioner_id == gap.practitioner_id
        and (not gap.type_id or entry.type_id == gap.type_id)
        and entry.ends - entry.starts <= gap.ends - gap.starts
    )


def _sooner(gap: Gap, entries: Iterable[Entry]) -> bool:
    """Whether one of these appointments comes before the gap and suits it as well."""
    return any(_suits(gap, entry) and entry.starts < gap.starts for entry in entries)


def _busy(gap: Gap, entries: Iterable[Entry]) -> bool:
    return any(entry.meets(gap.starts, gap.ends) for entry in entries)


def _later(gap: Gap, entry: Entry, others: Sequence[Entry], roster: Roster) -> Candidate:
    zone = roster.zone(gap.business_id)
    days = (local_day(entry.starts, zone) - local_day(gap.starts, zone)).days
    reasons = [f"comes {_days(days)} later for the same" if gap.type_id else f"comes {_days(days)} later"]
    score, alike = _alike(gap, entry, roster)
    day = local_day(gap.starts, zone)
    if any(other.id != entry.id and local_day(other.starts, zone) == day for other in others):
        alike.append("has another appointment that day")
        score += 2
    return Candidate(entry.patient_ids[0], entry, "later", 50 + min(days, 28) + score, (*reasons, *alike))


def _cancelled(gap: Gap, entry: Entry, roster: Roster, now: datetime) -> Candidate:
    stamp, reason = entry.record.cancelled_at, entry.record.cancellation_reason_description
    ago = max((now - stamp).days, 0) if stamp is not None else 0
    cancelled = f"cancelled {_days(ago)} ago" + (f" ({reason.lower()})" if reason else "")
    score, alike = _alike(gap, entry, roster)
    better = entry.record.cancellation_reason == _BETTER
    score += 60 - min(ago, 60) / 2 - (15 if better else 0)
    return Candidate(entry.patient_ids[0], entry, "cancelled", score, (cancelled, "has not booked again", *alike))


def _alike(gap: Gap, entry: Entry, roster: Roster) -> tuple[float, list[str]]:
    """The score and the reasons of what an appointment has in common with the gap: site, time of day, weekday."""
    local = gap.starts.astimezone(roster.zone(gap.business_id))
    other = entry.starts.astimezone(roster.zone(entry.business_id))
    minutes = abs((local.hour * 60 + local.minute) - (other.hour * 60 + other.minute))
    score, reasons = 0.0, list[str]()
    if entry.business_id == gap.business_id:
        score += 10
    else:
        reasons.append("is booked at another site")
    if timedelta(minutes=minutes) <= _NEAR:
        score += 10
        reasons.append("same time of day")
    if local.weekday() == other.weekday():
        score += 5
        reasons.append("same weekday")
    return score, reasons


def _days(days: int) -> str:
    return "0 days" if days == 0 else f"{days} day{'s' if days > 1 else ''}"
