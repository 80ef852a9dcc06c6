"""The report on patient forms: those still open for the visits of a time, and those completed in it.

Requests: one a hundred open forms and forms completed in the time, and those of the visits of the time.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between, Given
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.attendees import Attendee, Attendees
from cliniko_mcp.cliniko.resources.bookings import Bookings
from cliniko_mcp.cliniko.resources.patient_forms import PatientForm, PatientForms
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.attendance import visit_row
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure, parts
from cliniko_mcp.frontdesk.reports.figures import Findable, ReportVisitRow
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import name_text
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.rows import local_text

NEEDS: Final[tuple[Operation, ...]] = (PatientForms.list_patient_forms, *visits.NEEDS)


class OpenFormRow(ReportVisitRow):
    """A form that is not completed, with the visit that it is for."""

    form_id: str = Field(description="The form's id.")
    form: str = Field(description="The form's name.")
    given_at: LocalTime | None = Field(default=None, description="When it was given to the patient.")


class CompletedFormRow(Findable):
    """A form that was completed in the time."""

    form_id: str = Field(description="The form's id.")
    form: str = Field(description="The form's name.")
    completed_at: LocalTime = Field(description="When it was completed.")


async def forms(question: ReportQuestion) -> Finding:
    """Forms that are not completed, the earliest visit first, then those that were completed, the latest first."""
    low, high = question.time.bounds
    listing = partial(question.clinic.collect, PatientForms.list_patient_forms)
    found, waiting, done = await run_concurrently(
        question.visits,
        partial(listing, completed_at=Given.NO),
        partial(listing, completed_at=Between(low, high)),
    )
    bookings = await _bookings_of(question, waiting)
    placed = {(visit.booking_id, visit.patient_id): visit for visit in found}
    open_ = [
        (form, visit)
        for form in waiting
        if (visit := placed.get((bookings.get(form.id, ""), form.patient_id))) is not None
    ]
    open_.sort(key=lambda one: (one[1].starts, one[0].id))
    facts = Facts(Measure.COUNT, [question.fact(visit) for _, visit in open_])
    named: dict[str, list[Fact]] = {}
    for (form, _), fact in zip(open_, facts.found, strict=True):
        named.setdefault(_name(form), []).append(fact)
    completed = await _kept_to(
        question,
        [
            form
            for form in done
            if form.completed_at and question.holds_moment(form.completed_at, form.business_id or "")
        ],
    )
    completed.sort(key=lambda form: (form.completed_at or low, form.id), reverse=True)
    loose = sum(form.id not in bookings and _at_site(question, form) for form in waiting)
    with_one = {(visit.booking_id, visit.patient_id) for _, visit in open_}
    return Finding(
        "Open is a form of a visit of that time that is not completed; cancelled visits are left out. Groupings are "
        "those of the visits. Completed is every form that was completed in that time, whatever visit it is for; they "
        "are the last rows. Forms that belong to no visit are told apart, and archived ones left out.",
        {
            "open_forms": facts.figure,
            "visits_with_an_open_form": figures.share(len(with_one), len(found)),
            "forms_completed": figures.count(len(completed)),
            **({} if question.practitioner else {"open_forms_without_a_visit": figures.count(loose)}),
        },
        [*(_row(question, form, visit) for form, visit in open_), *(_done(question, form) for form in completed)],
        facts,
        by={"form": parts(named, facts)},
    )


async def _kept_to(question: ReportQuestion, found: Sequence[PatientForm]) -> list[PatientForm]:
    """The forms of these at the site asked about, for visits with the practitioner asked about."""
    here = [form for form in found if _at_site(question, form)]
    if question.practitioner is None:
        return here
    bookings = await _bookings_of(question, here)
    rows = await question.clinic.by_id(Bookings.list_bookings, sorted({*bookings.values()}))
    theirs = {row_id for row_id, row in rows.items() if row.practitioner_id == question.practitioner.id}
    return [form for form in here if bookings.get(form.id) in theirs]


def _at_site(question: ReportQuestion, form: PatientForm) -> bool:
    return question.business is None or form.business_id == question.business.id


async def _bookings_of(question: ReportQuestion, found: Sequence[PatientForm]) -> dict[str, str]:
    """The id of the booking that each form belongs to, by the form's id; through its attendee where it names none."""
    attendees = {form.attendee_id for form in found if form.attendee_id and not form.booking_id}
    places = await question.clinic.by_id(Attendees.list_attendees, sorted(attendees))
    return {
        form.id: booking
        for form in found
        if (booking := form.booking_id or _booking(places.get(form.attendee_id or ""))) is not None
    }


def _booking(place: Attendee | None) -> str | None:
    return place.booking_id if place else None


def _name(form: PatientForm) -> str:
    return name_text(form.name) or form.id


def _row(question: ReportQuestion, form: PatientForm, visit: Visit) -> OpenFormRow:
    zone = question.roster.zone(visit.business_id)
    more = {
        "form_id": form.id,
        "form": _name(form),
        "given_at": local_text(form.created_at, zone) if form.created_at else None,
    }
    return OpenFormRow.model_validate({**dict(visit_row(question, visit)), **more})


def _done(question: ReportQuestion, form: PatientForm) -> CompletedFormRow:
    zone = question.roster.zone(form.business_id) if form.business_id else question.roster.home
    return CompletedFormRow(
        patient_id=form.patient_id,
        form_id=form.id,
        form=_name(form),
        completed_at=local_text(form.completed_at or question.now, zone),
    )
