"""Reports on who comes back: lapsed patients, and new patients with their return rate.

Requests: one a hundred bookings of the whole clinic from the beginning of the time on, however far ahead, one each 95
classes, and for the patients one each 95 (lapsed) or a hundred (new).
"""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime, PatientRow, Rate, rate
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import gone
from cliniko_mcp.frontdesk.visits import Visit, visits_since
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients, *visits.NEEDS)


class LapsedSummary(AnswerModel):
    """How many patients have lapsed."""

    lapsed: int = Field(description="Lapsed patients.")
    seen_since: int = Field(description="Patients who came at all since the beginning of the time.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")


class LapsedRow(PatientRow):
    """A patient who has lapsed."""

    last_visit: LocalTime = Field(description="Start of the last visit.")
    days_ago: int = Field(description="Days since then.")
    practitioner: str = Field(description="The practitioner's name.")
    type: str = Field(description="The appointment type's name.")


class NewSummary(AnswerModel):
    """How many patients are new, and how many came back."""

    new: int = Field(description="New patients.")
    returned: Rate = Field(description="Those with a second visit, of those with a visit.")
    by_practitioner: dict[str, int] = Field(description="How many by practitioner, the most first.")


class NewRow(PatientRow):
    """A new patient."""

    since: LocalTime = Field(description="When the file was made.")
    visits: int = Field(description="Visits, had or booked.")
    first_visit: LocalTime | None = Field(default=None, description="Start of the first visit.")
    practitioner: str | None = Field(default=None, description="The practitioner's name.")


async def lapsed(question: ReportQuestion) -> Finding:
    """Patients whose last visit was in the time and who have nothing booked, the latest visit first."""
    mine = _by_patient(await visits_since(question.clinic, question.time.bounds[0]))
    last = {patient: came for patient, theirs in mine.items() if (came := _last(question, theirs)) is not None}
    coming = {patient for patient, theirs in mine.items() if any(not visit.begun(question.now) for visit in theirs)}
    found = {
        patient: visit
        for patient, visit in last.items()
        if patient and patient not in coming and question.holds(visit) and question.keeps(visit)
    }
    records = await question.clinic.by_id(Patients.list_patients, sorted(found))
    here = [patient for patient in sorted(found) if patient in records and not gone(records[patient])]
    latest = sorted(here, key=lambda patient: found[patient].starts, reverse=True)
    archived = len(found) - len(here)
    return Finding(
        "Lapsed is a patient whose last visit (not cancelled, not a no-show) was in the time, who has not been since "
        "and has no live booking ahead with anyone. Practitioner and site are those of that last visit. Archived "
        "patients are left out.",
        LapsedSummary(
            lapsed=len(here),
            seen_since=len(last),
            by_practitioner=question.by_practitioner(found[patient] for patient in here),
        ),
        [_lapsed(question, found[patient]) for patient in latest],
        [f"{archived} archived patients are left out."] if archived else [],
    )


def _by_patient(found: Sequence[Visit]) -> dict[str, list[Visit]]:
    mine: dict[str, list[Visit]] = {}
    for visit in found:
        mine.setdefault(visit.patient_id, []).append(visit)
    return mine


def _last(question: ReportQuestion, theirs: Sequence[Visit]) -> Visit | None:
    came = [visit for visit in theirs if visit.begun(question.now) and visit.arrived is not False]
    return came[-1] if came else None


def _lapsed(question: ReportQuestion, visit: Visit) -> LapsedRow:
    zone = question.roster.zone(visit.business_id)
    return LapsedRow(
        patient_id=visit.patient_id,
        last_visit=local_text(visit.starts, zone),
        days_ago=(local_day(question.now, zone) - local_day(visit.starts, zone)).days,
        practitioner=question.roster.name("practitioner_id", visit.practitioner_id),
        type=question.roster.name("appointment_type_id", visit.type_id),
    )


async def new_patients(question: ReportQuestion) -> Finding:
    """Patients registered in the time, with their visits, the newest first, and how many came back."""
    low, high = question.time.bounds
    records = await question.clinic.collect(Patients.list_patients, created_at=Between(low, high))
    zone = question.time.zone
    site = question.business.id if question.business else None
    windows = list(question.time.at(site).windows())
    made = {
        patient.id: patient.created_at
        for patient in records
        if patient.created_at is not None and any(start <= patient.created_at < end for start, end in windows)
    }
    mine = _by_patient(await visits_since(question.clinic, low)) if made else {}
    real = {patient: [visit for visit in mine.get(patient, ()) if visit.arrived is not False] for patient in made}
    kept = [patient for patient, theirs in real.items() if _asked_for(question, theirs)]
    kept.sort(key=lambda patient: made[patient], reverse=True)
    visiting = [patient for patient in kept if real[patient]]
    back = [patient for patient in kept if len(real[patient]) > 1]
    return Finding(
        "New is a patient whose record was made in the time (archived ones are left out). The return rate is the share "
        "of those with a visit, had or booked, who have a second one, had or booked; cancelled visits and no-shows do "
        "not count. Practitioner and site are those of the first visit.",
        NewSummary(
            new=len(kept),
            returned=rate(len(back), len(visiting)),
            by_practitioner=question.by_practitioner(real[patient][0] for patient in visiting),
        ),
        [_new(question, patient, local_text(made[patient], zone), real[patient]) for patient in kept],
    )


def _asked_for(question: ReportQuestion, theirs: Sequence[Visit]) -> bool:
    if question.practitioner is None and question.business is None:
        return True
    return bool(theirs) and question.keeps(theirs[0])


def _new(question: ReportQuestion, patient_id: str, since: str, theirs: Sequence[Visit]) -> NewRow:
    first = theirs[0] if theirs else None
    return NewRow(
        patient_id=patient_id,
        since=since,
        visits=len(theirs),
        first_visit=local_text(first.starts, question.roster.zone(first.business_id)) if first else None,
        practitioner=question.roster.name("practitioner_id", first.practitioner_id) if first else None,
    )
