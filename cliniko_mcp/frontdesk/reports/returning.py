"""Reports on who comes back: lapsed patients, and new patients with their return rate.

Requests: one a hundred bookings of the whole clinic from the beginning of the time on, however far ahead, one each 95
classes, and for the patients one each 95 (lapsed) or a hundred (new).
"""

from collections.abc import Sequence
from datetime import datetime

from cliniko_mcp.cliniko.fields import utc_text
from cliniko_mcp.frontdesk.concurrency import gathered
from cliniko_mcp.frontdesk.patients import known_patient
from cliniko_mcp.frontdesk.reports.asked import Asked, Finding, Json, rate
from cliniko_mcp.frontdesk.visits import Visit, visits_since
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.rows import local_text


async def lapsed(asked: Asked) -> Finding:
    """Patients whose last visit was in the time and who have nothing booked, the latest visit first."""
    mine = _by_patient(await visits_since(asked.clinic, asked.time.bounds[0]))
    last = {patient: came for patient, theirs in mine.items() if (came := _last(asked, theirs)) is not None}
    coming = {patient for patient, theirs in mine.items() if any(not each.begun(asked.now) for each in theirs)}
    found = {
        patient: visit
        for patient, visit in last.items()
        if patient not in coming and asked.holds(visit) and asked.keeps(visit)
    }
    records = await asked.clinic.by_id_named("list_patients", sorted(found))
    here = {patient for patient, record in records.items() if not known_patient(record).gone}
    rows = [_lapsed(asked, found[patient]) for patient in sorted(here, key=lambda one: found[one].starts, reverse=True)]
    gone = len(found) - len(here)
    return Finding(
        "Lapsed is a patient whose last visit (not cancelled, not a no-show) was in the time, who has not been since "
        "and has no live booking ahead with anyone. Practitioner and site are those of that last visit. Archived "
        "patients are left out.",
        {
            "lapsed": len(here),
            "seen_since": len(last),
            "by_practitioner": asked.by_practitioner(found[p] for p in here),
        },
        rows,
        [f"{gone} archived patients are left out."] if gone else [],
    )


def _by_patient(found: Sequence[Visit]) -> dict[str, list[Visit]]:
    mine: dict[str, list[Visit]] = {}
    for each in found:
        mine.setdefault(each.patient_id, []).append(each)
    return mine


def _last(asked: Asked, theirs: Sequence[Visit]) -> Visit | None:
    came = [each for each in theirs if each.begun(asked.now) and each.arrived is not False]
    return came[-1] if came else None


def _lapsed(asked: Asked, visit: Visit) -> Json:
    zone = asked.roster.zone(visit.business_id)
    return {
        "patient_id": visit.patient_id,
        "last_visit": local_text(visit.starts, zone),
        "days_ago": (local_day(asked.now, zone) - local_day(visit.starts, zone)).days,
        "practitioner": asked.roster.name("practitioner_id", visit.practitioner_id),
        "type": asked.roster.name("appointment_type_id", visit.type_id),
    }


async def new_patients(asked: Asked) -> Finding:
    """Patients registered in the time, with their visits, the newest first, and how many came back."""
    low, high = asked.time.bounds
    rows = await gathered(
        asked.clinic.all_named("list_patients", created_at=f"{utc_text(low, None)}..{utc_text(high, None)}")
    )
    zone = asked.time.zone
    windows = [(start, end) for start, end in asked.time.at(asked.business.id if asked.business else None).windows()]
    made = {
        str(getattr(each, "id", "")): stamp
        for each in rows
        if isinstance(stamp := getattr(each, "created_at", None), datetime)
        and any(start <= stamp < end for start, end in windows)
    }
    mine = _by_patient(await visits_since(asked.clinic, low)) if made else {}
    real = {patient: [each for each in mine.get(patient, ()) if each.arrived is not False] for patient in made}
    kept = [patient for patient, theirs in real.items() if _asked_for(asked, theirs)]
    kept.sort(key=lambda patient: made[patient], reverse=True)
    visiting = [patient for patient in kept if real[patient]]
    back = [patient for patient in kept if len(real[patient]) > 1]
    return Finding(
        "New is a patient whose record was made in the time (archived ones are left out). The return rate is the share "
        "of those with a visit, had or booked, who have a second one, had or booked; cancelled visits and no-shows do "
        "not count. Practitioner and site are those of the first visit.",
        {
            "new": len(kept),
            "with_a_visit": len(visiting),
            "returned": len(back),
            "return_rate": rate(len(back), len(visiting)),
            "by_practitioner": asked.by_practitioner(real[patient][0] for patient in visiting),
        },
        [_new(asked, patient, local_text(made[patient], zone), real[patient]) for patient in kept],
    )


def _asked_for(asked: Asked, theirs: Sequence[Visit]) -> bool:
    if asked.practitioner is None and asked.business is None:
        return True
    return bool(theirs) and asked.keeps(theirs[0])


def _new(asked: Asked, patient_id: str, since: str, theirs: Sequence[Visit]) -> Json:
    row: Json = {"patient_id": patient_id, "since": since, "visits": len(theirs)}
    if theirs:
        first = theirs[0]
        row["first_visit"] = local_text(first.starts, asked.roster.zone(first.business_id))
        row["practitioner"] = asked.roster.name("practitioner_id", first.practitioner_id)
    return row
