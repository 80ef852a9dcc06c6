"""cancel_appointment: a patient's appointment, or their place in a class, cancelled with a reason after a person's yes.

Requests: 16 cold, 9 warm (with the set-up in memory) for a usual call. In general 5 for the roster where memory has
none, those that find the appointment, one for its patients, for a class one for the patient's place; then the question
to a person, for which the guard reads the booking and its patient, the cancellation, and two for what stays behind.
A client that is asked in rounds has all but the last read again when it answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.attendees import AttendeeCancellation, Attendees
from cliniko_mcp.cliniko.resources.individual_appointments import (
    IndividualAppointmentCancellation,
    IndividualAppointments,
)
from cliniko_mcp.cliniko.resources.invoices import Invoices
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import InvalidArguments, NotFound
from cliniko_mcp.frontdesk import find_booking, patients, visit_choices
from cliniko_mcp.frontdesk.answer_rows import LocalTime, PatientRow
from cliniko_mcp.frontdesk.booking_answers import BookingRow
from cliniko_mcp.frontdesk.bookings import Entry, bookings
from cliniko_mcp.frontdesk.clock_text import end_of
from cliniko_mcp.frontdesk.find_booking import AHEAD, Looking, WhichVisit, which_visit
from cliniko_mcp.frontdesk.notices import cancelling_notices, reminded_already
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.reasons import read_reason
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    named,
    patient_row,
    remarks,
)
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

_OPEN: Final = 10
_SHOWN: Final = 6
"""Dates that one sentence names."""
_REASONS: Final = [reason.casefold() for reason in CANCELLATION_REASONS.values()]


Series = Literal["one", "rest", "whole"]


def _as_series(value: object) -> object:
    """Earlier versions took true for the rest of a series."""
    return ("rest" if value else "one") if isinstance(value, bool) else value


class CancelAppointment(Body):
    """What to cancel and why; `patient` says whose place in a class, `series` what of a series goes with it.

    A `reason` that is none of Cliniko's, as earlier versions took it, is kept as a note to Other.
    """

    appointment: str = Field(description="Id, or Faye's 9:15 on Monday.")
    # Only the schema is closed: Cliniko has no word for every reason, and none may be refused or turned round.
    reason: Annotated[str, WithJsonSchema({"type": "string", "enum": _REASONS})]
    note: str | None = None
    patient: str | None = Field(default=None, description="Whose place in a class.")
    series: Annotated[Series, BeforeValidator(_as_series)] = Field(default="one", description="Of a series.")


class Cancelled(AnswerModel):
    """What was cancelled and why."""

    done: str = Field(description="What was changed.")
    item: BookingRow = Field(description="The appointment, or the patient's place in a class.")
    also: list[LocalTime] | None = Field(default=None, description="Later ones of its series, cancelled with it.")
    reason: str = Field(description="The reason that Cliniko keeps.")
    note: str | None = Field(default=None, description="What was kept beside the reason, in their words.")


async def cancel_appointment(clinic: GuardedClinic, arguments: CancelAppointment) -> Answer:
    """What was cancelled and who could be offered the gap. A person is asked first; see the confirm layer."""
    roster = await Roster.load(clinic)
    beside = await patients.patient(clinic, arguments.patient) if arguments.patient else None
    which = await which_visit(clinic, roster, arguments.appointment, Looking.COMING, beside)
    entry, patient = which.entry, which.patient
    if entry.kind == "block":
        raise InvalidArguments(
            f"{entry.id} is blocked-out time, not an appointment.",
            "Use archive_unavailable_block.",
            field="appointment",
        )
    if entry.kind == "group" and patient is None:
        raise _nobody_in_class(entry, roster)
    code, words = read_reason(arguments.reason)
    note = ". ".join(part for part in (words, arguments.note) if part)
    series = await _series(clinic, entry, patient) if visit_choices.in_series(entry) else [entry]
    if arguments.series == "whole":
        entry = next((row for row in series if row.starts > clinic.now), entry)
    later = [row for row in series if row.starts >= entry.starts and row.id != entry.id]
    taken = later if arguments.series != "one" else []
    if entry.kind == "group" and patient is not None:
        place = await _place(clinic, entry, patient)
        cancellation = AttendeeCancellation(cancellation_reason=code)
        _complete(cancellation, note, series=bool(taken))
        await clinic.perform(Attendees.cancel_attendee, cancellation, id=place)
    else:
        cancellation = IndividualAppointmentCancellation(cancellation_reason=code)
        _complete(cancellation, note, series=bool(taken))
        await clinic.perform(IndividualAppointments.cancel_individual_appointment, cancellation, id=entry.id)
    notes = _remarks(clinic, which, entry, patient, roster)
    zone = roster.zone(entry.business_id)
    reads = PartialReads(notes, changed=True)
    left = await reads.read("Later visits of the series", partial(_series, clinic, entry, patient)) if taken else []
    gone = [row for row in taken if left is not None and row.id not in {one.id for one in left}]
    body = Cancelled(
        done="Cancelled.",
        item=_row(entry, roster, patient),
        also=[local_text(row.starts, zone) for row in gone] or None,
        reason=CANCELLATION_REASONS[code],
        note=clean(note, lines=True) if note else None,
    )
    if left is not None and (len(series) > 1 or arguments.series != "one"):
        notes.append(_of_series(arguments.series, [row for row in series if row.id != entry.id], taken, left, roster))
    if patient is not None:
        notes += await _staying(clinic, patient, entry, roster)
    return Answer(body, notes, zone)


def _complete(
    cancellation: AttendeeCancellation | IndividualAppointmentCancellation, note: str, *, series: bool
) -> None:
    if note:
        cancellation.cancellation_note = note
    if series:
        cancellation.apply_to_repeats = True


def _nobody_in_class(entry: Entry, roster: Roster) -> InvalidArguments:
    type_name = roster.name("appointment_type_id", entry.type_id) or "This"
    return InvalidArguments(
        f"{type_name} is a class with {len(entry.patient_ids)} of {entry.places} places taken.",
        "Say whose place to cancel in patient. To call off the whole class use archive_group_appointment.",
        field="patient",
    )


async def _series(clinic: GuardedClinic, entry: Entry, patient: Known[Patient] | None) -> list[Entry]:
    """The live visits of a series, of a class those in which the patient has a place."""
    found = await visit_choices.series_of(clinic, entry)
    return [row for row in found if entry.kind != "group" or (patient is not None and patient.id in row.patient_ids)]


async def _place(clinic: GuardedClinic, entry: Entry, patient: Known[Patient]) -> str:
    """The id of a patient's live place in a class: one request."""
    rows = await clinic.collect(Attendees.list_attendees, booking_id=entry.id, patient_id=patient.id)
    if not rows:
        raise NotFound(
            f"{named(patient)} has no place in that class, or it is cancelled already.",
            "show_diary says who is in it.",
        )
    return rows[0].id


def _row(entry: Entry, roster: Roster, patient: Known[Patient] | None) -> BookingRow:
    zone = roster.zone(entry.business_id)
    whose = patient_row(patient) if patient else PatientRow()
    return BookingRow(
        id=entry.id,
        starts_at=local_text(entry.starts, zone),
        ends_at=end_of(entry.starts, entry.ends, zone),
        patient=whose.patient,
        patient_id=whose.patient_id,
        born=whose.born,
        practitioner=roster.name("practitioner_id", entry.practitioner_id),
        business=roster.name("business_id", entry.business_id),
        type=roster.name("appointment_type_id", entry.type_id),
    )


def _remarks(
    clinic: GuardedClinic, which: WhichVisit, entry: Entry, patient: Known[Patient] | None, roster: Roster
) -> list[str]:
    notes = [cancelling_notices(patient), *reminded_already(entry), *remarks(patient)] if patient else []
    notes += [which.note] if which.note else []
    zone = roster.zone(entry.business_id)
    if entry.starts > clinic.now:
        freed, fills = "time", "fill_gap finds patients who could take it"
        if entry.kind == "group":
            freed, fills = "place", "book_appointment gives it to another patient"
        notes.append(f"The {freed} on {local_text(entry.starts, zone)} is free again: {fills}.")
    else:
        notes.append(f"It had begun already: {local_text(entry.starts, zone)}.")
    return notes


def _of_series(
    series: Series, others: Sequence[Entry], taken: Sequence[Entry], left: Sequence[Entry], roster: Roster
) -> str:
    """What became of the rest of a series, by what is in the diary now."""
    if not others:
        return "It was not one of a series, or the last of one."
    stay = [row for row in taken if row.id in {one.id for one in left}]
    if stay:
        return f"Cliniko left {len(stay)} of the series in the diary: {_dates(stay, roster)}."
    rest = [row for row in others if row not in taken]
    if series == "one":
        return f"It was one of a series; {_number(rest)}: {_dates(rest, roster)}."
    gone = "All that is to come of its series is" if series == "whole" else "The later ones of its series are"
    return f"{gone} cancelled too." + (f" Of the series {_number(rest)}: {_dates(rest, roster)}." if rest else "")


def _number(rest: Sequence[Entry]) -> str:
    return "the other one stays" if len(rest) == 1 else f"the other {len(rest)} stay"


def _dates(entries: Sequence[Entry], roster: Roster) -> str:
    shown = [local_text(row.starts, roster.zone(row.business_id)) for row in entries[:_SHOWN]]
    more = [f"and {len(entries) - _SHOWN} more"] if len(entries) > _SHOWN else []
    return ", ".join([*shown, *more])


async def _staying(clinic: GuardedClinic, patient: Known[Patient], entry: Entry, roster: Roster) -> list[str]:
    """What the patient still has: other coming bookings and open invoices; what cannot be read is said."""
    notes: list[str] = []
    reads = PartialReads(notes, changed=True)
    every = await reads.read(
        "Other coming bookings", partial(bookings, clinic, clinic.now, clinic.now + AHEAD, patient=patient.id)
    )
    if coming := [row for row in every or () if row.id != entry.id]:
        verb = "stays" if len(coming) == 1 else "stay"
        noun = "other coming booking" if len(coming) == 1 else "other coming bookings"
        notes.append(f"{len(coming)} {noun} of {named(patient)} {verb}: {_dates(coming, roster)}.")
    open_ones = Invoices.list_invoices.call(patient_id=patient.id, status=_OPEN)
    if count := await reads.read("Open invoices", partial(clinic.count, open_ones)):
        verb = "invoice stays" if count == 1 else "invoices stay"
        notes.append(f"{count} open {verb} with {named(patient)}; list_invoices has them.")
    return notes


tool = curated(
    "cancel_appointment",
    "Cancel a patient's appointment, or their place in a class, with the reason. A person is asked first. It cannot be "
    "undone. Another time: move_appointment; booked by mistake: archive_individual_appointment; a whole class: "
    "archive_group_appointment.",
    CancelAppointment,
    cancel_appointment,
    answer=Cancelled,
    risk=Risk.DESTRUCTIVE,
    needs=[
        IndividualAppointments.cancel_individual_appointment,
        Attendees.cancel_attendee,
        Attendees.list_attendees,
        *find_booking.NEEDS,
        *ROSTER_NEEDS,
    ],
)
