"""Reports on who comes back: lapsed patients, those who left without a next booking, and new patients.

Requests: one a hundred bookings of the clinic (from the beginning of the time on for those without a next booking),
one each 95 classes, one each 95 patients found, and for files made a request a hundred.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between, Hidden
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime, Rate, rate
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.cohorts import cohorts, first_days
from cliniko_mcp.frontdesk.reports.facts import Facts, Measure
from cliniko_mcp.frontdesk.reports.figures import Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion, by_patient
from cliniko_mcp.frontdesk.roster import gone
from cliniko_mcp.frontdesk.spans import Span
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.phrases import local_day
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import are, counted

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients, *visits.NEEDS)


class LastVisitRow(Findable):
    """A patient with the last visit that they kept."""

    last_visit: LocalTime = Field(description="Its start.")
    days_ago: int = Field(description="Days since then.")
    visits: int = Field(description="Visits kept, as far as they were read.")
    practitioner: str = Field(description="The practitioner's name.")
    type: str = Field(description="The appointment type's name.")


class NewPatientRow(Findable):
    """A patient whose first visit was in the time."""

    first_visit: LocalTime = Field(description="Its start.")
    practitioner: str = Field(description="Its practitioner's name.")
    visits_kept: int = Field(description="Visits kept so far, this one too.")
    next_booking: LocalTime | None = Field(default=None, description="Start of the next visit booked ahead.")


class NeverSeenRow(Findable):
    """A patient on file who has not been yet."""

    file_made: LocalTime | None = Field(default=None, description="When the file was made.")
    next_booking: LocalTime | None = Field(default=None, description="Start of the next visit booked ahead.")


class RebookingRow(AnswerModel):
    """How often the patients of one practitioner come."""

    practitioner: str = Field(description="The practitioner's name.")
    appointments_kept: int = Field(description="Appointments kept in the time.")
    rebook_rate: Rate = Field(description="Those after which the patient has a later visit.")
    new_patients: int = Field(description="Patients whose first visit ever was with them, in the time.")
    patient_visit_average_pva: float | None = Field(
        default=None, description="Appointments for each new patient; left out where there is none."
    )


@dataclass(frozen=True, slots=True)
class _Person:
    """A patient's visits that were not cancelled: those kept, by start, and those still to come."""

    kept: Sequence[Visit]
    ahead: Sequence[Visit]


def _people(question: ReportQuestion, found: Iterable[Visit]) -> dict[str, _Person]:
    people = by_patient(found)
    people.pop("", None)
    return {
        patient: _Person(
            [*filter(question.kept, theirs)],
            [visit for visit in theirs if not visit.begun(question.now)],
        )
        for patient, theirs in people.items()
    }


async def lapsed(question: ReportQuestion) -> Finding:
    """Patients whose last visit was in the time and who have nothing booked, the latest visit first."""
    people = _people(question, await question.history())
    quiet = {
        patient: person
        for patient, person in people.items()
        if person.kept and not person.ahead and question.keeps(person.kept[-1])
    }
    found = {patient: person for patient, person in quiet.items() if question.holds(person.kept[-1])}
    starts = question.span.home.start.date() if isinstance(question.span, Span) else date.min
    before = {patient: person for patient, person in quiet.items() if question.day(person.kept[-1]) < starts}
    here, notes = await _not_archived(question, found)
    longer = {"last_seen_before_that_time": figures.count(len((await _not_archived(question, before))[0]))}
    facts = Facts(Measure.COUNT, [question.fact(found[patient].kept[-1]) for patient in here])
    return Finding(
        "Lapsed is a patient whose last kept visit (not cancelled, not a no-show) was in that time and who has no "
        "visit booked ahead with anyone. Last seen before that time is whose last kept visit was earlier still. "
        "Practitioner, site and type are those of that last visit. Archived patients are left out.",
        {"lapsed_patients": facts.figure, **(longer if isinstance(question.span, Span) else {})},
        [_last_visit(question, found[patient].kept) for patient in here],
        facts,
        notes=notes,
    )


async def not_rebooked(question: ReportQuestion) -> Finding:
    """Patients seen in the time who have no visit after it, the latest visit first."""
    since = await question.visits_since(question.time.bounds[0])
    people = _people(question, (visit for visit in since if visit.cancelled is None))
    last = {
        patient: here[-1]
        for patient, person in people.items()
        if (here := [visit for visit in person.kept if question.holds(visit) and question.keeps(visit)])
    }
    left = {
        patient: people[patient]
        for patient, visit in last.items()
        if not people[patient].ahead and people[patient].kept[-1].starts <= visit.starts
    }
    here, notes = await _not_archived(question, left)
    kept = set(here)
    seen = [patient for patient in last if patient in kept or patient not in left]
    facts = Facts(Measure.SHARE, [question.fact(last[patient], part=patient in kept) for patient in seen])
    return Finding(
        "Patients with a kept visit in that time (not cancelled, not a no-show) who have neither been since nor have a "
        "visit booked ahead with anyone, of all patients seen in that time. Practitioner, site and type are those of "
        "the last visit in it. Archived patients are left out.",
        {"patients_without_next_booking": facts.figure},
        [_last_visit(question, left[patient].kept) for patient in here],
        facts,
        notes=notes,
    )


async def _not_archived(question: ReportQuestion, found: dict[str, _Person]) -> tuple[list[str], list[str]]:
    """The patients of these whose file is in use, the latest last visit first, and a sentence about the others."""
    records = await question.clinic.by_id(Patients.list_patients, sorted(found))
    here = [patient for patient in sorted(found) if patient in records and not gone(records[patient])]
    here.sort(key=lambda patient: found[patient].kept[-1].starts, reverse=True)
    archived = len(found) - len(here)
    return here, [f"{counted(archived, 'archived patient')} {are(archived)} left out."] if archived else []


def _last_visit(question: ReportQuestion, kept: Sequence[Visit]) -> LastVisitRow:
    visit = kept[-1]
    zone = question.roster.zone(visit.business_id)
    return LastVisitRow(
        patient_id=visit.patient_id,
        last_visit=local_text(visit.starts, zone),
        days_ago=(local_day(question.now, zone) - local_day(visit.starts, zone)).days,
        visits=len(kept),
        practitioner=question.roster.name("practitioner_id", visit.practitioner_id),
        type=question.roster.name("appointment_type_id", visit.type_id),
    )


async def retention(question: ReportQuestion) -> Finding:
    """Patients whose first visit ever was in the time, the newest first, and how many came or booked again."""
    people = _people(question, await question.history())
    new = _new_people(question, people)
    back = {patient for patient, person in new.items() if _days(question, person.kept) > 1}
    again = {patient for patient, person in new.items() if patient in back or person.ahead}
    visits_kept = sum(len(person.kept) for person in new.values())
    held = _appointments(question, people)
    rebooked = sum(is_rebooked for _, is_rebooked in held)
    facts = Facts(
        Measure.SHARE, [question.fact(person.kept[0], part=patient in back) for patient, person in new.items()]
    )
    kept_to = question.practitioner or question.business  # whose a file is, only visits tell
    files = {} if kept_to else {"patient_files_made": figures.count(await _files_made(question))}
    firsts = [first_days(map(question.day, person.kept)) for person in new.values()]
    newest = sorted(new, key=lambda patient: (new[patient].kept[0].starts, patient), reverse=True)
    return Finding(
        "New is a patient whose first kept visit ever (not cancelled, not a no-show) was in that time; archived "
        "patients are counted too. Came back means kept a visit on another day by now; booked again means that, or a "
        "visit booked ahead. Practitioner, site and type are those of the first visit. Files made is every patient "
        "file made in that time, whether the patient has come or not. As in Cliniko's practitioner performance report, "
        "the patient visit average (PVA) is appointments kept in that time for each new patient, and the rebook rate "
        "is the share of those appointments after which the patient has a later visit, kept or booked.",
        {
            "new_patients_who_came_back": facts.figure,
            "new_patients_who_booked_again": figures.share(len(again), len(new)),
            "new_patients": figures.count(len(new)),
            **figures.mean("visits_kept_per_new_patient", visits_kept, len(new)),
            **figures.mean("patient_visit_average_pva", len(held), len(new)),
            "rebook_rate": figures.share(rebooked, len(held)),
            **files,
        },
        [_new(question, new[patient]) for patient in newest],
        facts,
        cohorts=cohorts(firsts, question.today) if "month" in question.by else [],
    )


def _new_people(question: ReportQuestion, people: Mapping[str, _Person]) -> dict[str, _Person]:
    """Those whose first kept visit ever was in the time, with the practitioner, at the site asked about."""
    return {
        patient: person
        for patient, person in people.items()
        if person.kept and question.holds(person.kept[0]) and question.keeps(person.kept[0])
    }


def _appointments(question: ReportQuestion, people: Mapping[str, _Person]) -> list[tuple[Visit, bool]]:
    """The appointments kept in the time, places in classes left out, and whether the patient has a later visit."""
    return [
        (visit, (*person.kept, *person.ahead)[-1].starts > visit.starts)
        for person in people.values()
        for visit in person.kept
        if not visit.group and question.holds(visit) and question.keeps(visit)
    ]


async def rebooking(question: ReportQuestion) -> Finding:
    """Appointments kept in the time, and after how many there is another, with each practitioner's own figures."""
    people = _people(question, await question.history())
    held, new = _appointments(question, people), _new_people(question, people)
    facts = Facts(Measure.SHARE, [question.fact(visit, part=is_rebooked) for visit, is_rebooked in held])
    rows = [
        _performance(
            question,
            who,
            [is_rebooked for visit, is_rebooked in held if visit.practitioner_id == who],
            sum(person.kept[0].practitioner_id == who for person in new.values()),
        )
        for who in {visit.practitioner_id for visit, _ in held}
    ]
    rows.sort(key=lambda row: (-row.appointments_kept, row.practitioner))
    return Finding(
        "As in Cliniko's practitioner performance report: the rebook rate is the share of appointments kept in that "
        "time (not cancelled, not a no-show, no classes) after which the patient has a later visit, kept or booked, "
        "with anyone. The patient visit average (PVA) is those appointments for each new patient. New is a patient "
        "whose first kept visit ever was in that time, with the practitioner whom that visit was with.",
        {
            "rebook_rate": facts.figure,
            **figures.mean("patient_visit_average_pva", len(held), len(new)),
            "new_patients": figures.count(len(new)),
        },
        rows,
        facts,
    )


def _performance(question: ReportQuestion, who: str, rebooked: Sequence[bool], new: int) -> RebookingRow:
    return RebookingRow(
        practitioner=question.roster.name("practitioner_id", who),
        appointments_kept=len(rebooked),
        rebook_rate=rate(sum(rebooked), len(rebooked)),
        new_patients=new,
        patient_visit_average_pva=round(len(rebooked) / new, 2) if new else None,
    )


def _days(question: ReportQuestion, kept: Iterable[Visit]) -> int:
    return len({question.day(visit) for visit in kept})


async def _files_made(question: ReportQuestion) -> int:
    """The patient files made in the time by the clock of the report, archived ones too."""
    low, high = question.moments
    records = await question.clinic.collect(
        Patients.list_patients, created_at=Between(low, high), archived_at=Hidden.INCLUDED
    )
    return sum(question.holds_day(made) for record in records if (made := _made(question, record)) is not None)


def _made(question: ReportQuestion, record: Patient) -> date | None:
    zone = question.span.home.zone if question.span else question.roster.home
    return local_day(record.created_at, zone) if record.created_at else None


def _new(question: ReportQuestion, person: _Person) -> NewPatientRow:
    first = person.kept[0]
    return NewPatientRow(
        patient_id=first.patient_id,
        first_visit=local_text(first.starts, question.roster.zone(first.business_id)),
        practitioner=question.roster.name("practitioner_id", first.practitioner_id),
        visits_kept=len(person.kept),
        next_booking=_next(question, person),
    )


def _next(question: ReportQuestion, person: _Person | None) -> str | None:
    if person is None or not person.ahead:
        return None
    return local_text(person.ahead[0].starts, question.roster.zone(person.ahead[0].business_id))


async def never_seen(question: ReportQuestion) -> Finding:
    """Patients on file who have not kept a visit yet, the newest file first."""
    records = await question.clinic.collect(Patients.list_patients)
    files = [
        record
        for record in records
        if not gone(record)
        and (question.span is None or ((made := _made(question, record)) is not None and question.holds_day(made)))
    ]
    people = _people(question, await question.history())
    found = [record for record in files if record.id not in people or not people[record.id].kept]
    found.sort(key=lambda record: (str(record.created_at or ""), record.id), reverse=True)
    waiting = sum(record.id in people and bool(people[record.id].ahead) for record in found)
    return Finding(
        "Patients whose file was made in that time and who have not kept a visit (cancelled visits and no-shows are "
        "none), of all files made in it. Archived patients are left out.",
        {
            "patients_never_seen": figures.share(len(found), len(files)),
            "of_them_with_a_visit_booked": figures.share(waiting, len(found)),
        },
        [
            NeverSeenRow(
                patient_id=record.id,
                file_made=local_text(record.created_at, question.roster.home) if record.created_at else None,
                next_booking=_next(question, people.get(record.id)),
            )
            for record in found
        ],
    )
