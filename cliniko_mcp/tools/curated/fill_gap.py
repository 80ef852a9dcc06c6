"""fill_gap: whom to ring when a time becomes free, ranked, with reasons.

Requests: 5 for the roster, 2 or 3 for the appointment whose time it is (or 1 for where the practitioner works), one a
hundred coming bookings of the clinic, one a hundred cancelled ones of the practitioner, and one each 95 patients.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotAllowed, NotUnderstood
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.appointment_offers import minutes_of
from cliniko_mcp.frontdesk.bookings import EVER, Entry, bookings, entry_of
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.concurrency import collect, run_concurrently
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.gap_candidates import LOOK_BACK, Candidate, Gap, candidates
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import known_patient
from cliniko_mcp.frontdesk.roster import ROSTER_NEEDS, Known, Roster, candidate, remarks
from cliniko_mcp.frontdesk.spans import point_of, read_span
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.tools.tool import curated

USUAL: Final = 8
MOST: Final = 50
_OPEN_ENDED: Final = timedelta(hours=4)
_DAY: Final = timedelta(days=1)
_RULE: Final = (
    "Who comes later to the same practitioner gains by days (up to 28); who cancelled in the last 60 days without "
    "booking again by how recently; same site, time of day and weekday add to it. Classes are left out. Cliniko's API "
    "has no waitlist, so it is not looked at."
)


class FillGap(Body):
    appointment: str | None = Field(default=None, description="Id of the one cancelled; or say practitioner and when.")
    practitioner: str | None = None
    when: str | None = Field(default=None, description="E.g. Thursday 10 to 10:45.")
    type: str | None = None
    business: str | None = None
    phones: bool = False
    limit: int | None = None


async def work(clinic: GuardedClinic, given: FillGap) -> Answer:
    """The patients who could take the time, the best first."""
    roster = await Roster.load(clinic)
    kind = roster.type(given.type) if given.type else None
    who = roster.practitioner(given.practitioner) if given.practitioner else None
    place = roster.business(given.business) if given.business else None
    gap, said = await _gap(clinic, given, roster, kind, who, place)
    live, gone = await run_concurrently(
        partial(bookings, clinic, clinic.now, EVER), partial(_cancelled, clinic, gap.practitioner_id, clinic.now)
    )
    notes = [_RULE, *remarks(who, place, kind)]
    gap = _closed(gap, live)
    if gap.booking_id in {each.id for each in live}:
        notes.insert(0, f"The appointment {gap.booking_id} is not cancelled yet.")
    taken = [
        each
        for each in live
        if each.practitioner_id == gap.practitioner_id
        and each.id != gap.booking_id
        and each.meets(gap.starts, max(gap.ends, gap.starts + timedelta(minutes=1)))
    ]
    if taken:
        notes.insert(0, _taken(taken, roster))
    ranked = candidates(gap, live, gone, roster, clinic.now)
    limit = min(max(given.limit or USUAL, 1), MOST)
    shown, archived = await _named(clinic, ranked, limit)
    total = len(ranked) - archived
    zone = roster.zone(gap.business_id)
    body: dict[str, JsonValue] = {
        "gap": {
            "starts_at": local_text(gap.starts, zone),
            "ends_at": end_of(gap.starts, gap.ends, zone),
            "practitioner": roster.name("practitioner_id", gap.practitioner_id),
            "business": roster.name("business_id", gap.business_id),
            "type": roster.name("appointment_type_id", gap.type_id) or "any that fits",
        },
        "items": [_row(one, who, roster, phones=given.phones) for one, who in shown],
        "page": {"returned": len(shown), "total": total, "complete": len(shown) >= total},
    }
    if said:
        body["when"] = said
    if not shown:
        notes.insert(0, "Nobody fits: nobody comes later for this, and nobody who cancelled has yet to book again.")
    elif len(shown) < total:
        notes.append(f"{total - len(shown):,} more could take it; give a larger limit (up to {MOST}) or a type.")
    if archived:
        notes.append(f"{archived} archived patients are left out.")
    return Answer(body, notes, zone)


async def _gap(
    clinic: GuardedClinic, given: FillGap, roster: Roster, kind: Known | None, who: Known | None, place: Known | None
) -> tuple[Gap, str]:
    """The time that is free, and the phrase as it was understood; a point in time still lacks its end."""
    if given.appointment is not None:
        visit = await visits.visit_by_id(clinic, given.appointment.strip(), None)
        if visit.group:
            raise NotAllowed(
                "That is a class, whose places are filled with create_attendee.",
                "fill_gap is for one-to-one appointments; list_attendees shows who has a place.",
            )
        found = Gap(
            visit.starts,
            visit.ends,
            visit.practitioner_id,
            visit.business_id,
            kind.id if kind else visit.type_id,
            visit.patient_id,
            visit.booking_id,
        )
        return _coming(found, clinic.now), ""
    if who is None or not given.when:
        raise InvalidArguments(
            "Which time is free is not said.", "Give the cancelled appointment's id, or practitioner and when."
        )
    site = place or await _site(clinic, roster, who, given.when)
    span = read_span(given.when, clinic.now, roster, [site])
    windows = list(span.windows(site.id))
    if len(windows) != 1 or windows[0][1] - windows[0][0] > _DAY + timedelta(hours=1):
        raise NotUnderstood(
            f"A gap is one stretch of time within a day, not: {span.description}.",
            'Give a day and hours, such as "Thursday 10 to 10:45".',
            examples=["Thursday 10 to 10:45", "tomorrow at 9", "24 November 14:00 to 15:00"],
        )
    starts, ends = windows[0]
    if point_of(span.at(site.id)) is not None:
        ends = starts + timedelta(minutes=minutes_of(kind)) if kind else starts
    found = Gap(starts, ends, who.id, site.id, kind.id if kind else "")
    return _coming(found, clinic.now), span.description


def _coming(gap: Gap, now: datetime) -> Gap:
    if max(gap.ends, gap.starts) <= now:
        raise NotAllowed("That time is over.", "Give a time that is still to come.")
    return gap


async def _site(clinic: GuardedClinic, roster: Roster, person: Known, when: str) -> Known:
    """Where the practitioner works on that day; where nothing says so, their only site. Raises Ambiguous."""
    rows = await collect(clinic.all_named("list_daily_availabilities", practitioner_id=person.id))
    days: dict[str, set[int]] = {}
    for row in rows:
        site, day = str(getattr(row, "business_id", "")), getattr(row, "day_of_week", None)
        if site in roster.businesses and not roster.businesses[site].gone and isinstance(day, int):
            days.setdefault(site, set()).add(day % 7)
    sites = [roster.businesses[each] for each in days] or roster.sites
    if len(sites) > 1:
        that_day = [
            each
            for each in sites
            if read_span(when, clinic.now, roster, [each]).at(each.id).start.isoweekday() % 7
            in days.get(each.id, set())
        ]
        sites = that_day if len(that_day) == 1 else sites
    if len(sites) == 1:
        return sites[0]
    raise Ambiguous(
        f"{person.name} works at {len(sites)} sites.",
        "Say at which one the gap is, in business.",
        candidates=[candidate(each) for each in sites[:5]],
    )


async def _cancelled(clinic: GuardedClinic, practitioner_id: str, now: datetime) -> list[Entry]:
    rows = clinic.all_named(
        "list_bookings",
        practitioner_id=practitioner_id,
        cancelled_at="any",
        starts_at=f">{utc_text(now - LOOK_BACK, None)}",
    )
    return [entry async for row in rows if (entry := entry_of(row)) is not None and entry.cancelled]


def _closed(gap: Gap, live: Sequence[Entry]) -> Gap:
    """The gap with an end: where only its start was said, the practitioner's next entry ends it, at most 4 hours on."""
    if gap.ends > gap.starts:
        return gap
    nexts = [each.starts for each in live if each.practitioner_id == gap.practitioner_id and each.starts > gap.starts]
    ends = min([*nexts, gap.starts + _OPEN_ENDED])
    return Gap(gap.starts, ends, gap.practitioner_id, gap.business_id, gap.type_id, gap.patient_id, gap.booking_id)


def _taken(taken: Sequence[Entry], roster: Roster) -> str:
    first = taken[0]
    zone = roster.zone(first.business_id)
    what = roster.name("appointment_type_id", first.type_id) or "blocked-out time"
    return (
        f"That time is not free: {what} from {first.starts.astimezone(zone):%H:%M} to "
        f"{end_of(first.starts, first.ends, zone)} is in the diary."
    )


async def _named(
    clinic: GuardedClinic, ranked: Sequence[Candidate], limit: int
) -> tuple[list[tuple[Candidate, Known]], int]:
    """The first so many who are not archived, with their names, and how many archived ones there are in all."""
    records = await clinic.by_id_named("list_patients", [each.patient_id for each in ranked])
    known = {key: known_patient(record) for key, record in records.items()}
    here = [(each, known[each.patient_id]) for each in ranked if each.patient_id in known]
    live = [(each, who) for each, who in here if not who.gone]
    return live[:limit], len(ranked) - len(live)


def _row(one: Candidate, who: Known, roster: Roster, *, phones: bool) -> dict[str, JsonValue]:
    entry = one.entry
    row: dict[str, JsonValue] = {
        "patient": who.name,
        "patient_id": who.id,
        "reasons": list[JsonValue](one.reasons),
        "appointment_id": entry.id,
        "starts_at": local_text(entry.starts, roster.zone(entry.business_id)),
        "type": roster.name("appointment_type_id", entry.type_id),
    }
    if one.why == "cancelled":
        row["cancelled"] = True
    if phones:
        row["phones"] = list[JsonValue](phones_of(who))
    return row


tool = curated(
    "fill_gap",
    "Who could take a free time after a cancellation: patients booked later for the same, or who cancelled and did not "
    "book again, ranked with reasons. Books nothing.",
    FillGap,
    work,
    needs=(*ROSTER_NEEDS, *PATIENT_NEEDS, "list_bookings"),
    synonyms="waitlist waiting list short notice fill cancellation bring forward earlier appointment call last minute",
)
