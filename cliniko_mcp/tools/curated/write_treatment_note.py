"""write_treatment_note: a note filled in from its template by question name, as a draft unless told otherwise.

Requests: 14 cold, 9 warm (with the set-up in memory) for a usual call. In general one for the templates, one for the
note, and what finding the patient takes (1 by id, up to 13 by name). With a visit, 5 for the roster where memory has
none and one a hundred bookings of that time (1 or 2 by id), one for its attendee. One for a hundred notes that may be
the same. Going on with a draft takes two, and those of a visit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from cliniko_mcp.cliniko.arguments import refused_arguments
from cliniko_mcp.cliniko.fields import Id
from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.models import Body, complaints
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.treatment_note_templates import TreatmentNoteTemplate, TreatmentNoteTemplates
from cliniko_mcp.cliniko.resources.treatment_notes import (
    TreatmentNote,
    TreatmentNoteBody,
    TreatmentNoteChanges,
    TreatmentNotes,
)
from cliniko_mcp.cliniko.shapes.content import TreatmentNoteContent
from cliniko_mcp.cliniko.shapes.written_answers import Document, document_of
from cliniko_mcp.errors import Ambiguous, InvalidArguments, NotAllowed, NotFound, NotUnderstood
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import LocalTime, NoteState, PatientRow, VisitRow
from cliniko_mcp.frontdesk.find_booking import NEEDS as BOOKING_NEEDS
from cliniko_mcp.frontdesk.find_booking import Looking, which_visit
from cliniko_mcp.frontdesk.notes import QuestionRow, fill, in_own_words, listed, unanswered
from cliniko_mcp.frontdesk.notices import NO_MESSAGE
from cliniko_mcp.frontdesk.patients import NEEDS as PATIENT_NEEDS
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import (
    ROSTER_NEEDS,
    Known,
    Roster,
    candidate,
    chosen,
    known_record,
    name_text,
    remarks,
)
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.frontdesk.written_notes import NoteSource, held, replaced_answers, same_note
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import parse_when
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

_DAY: Final = timedelta(days=1)
_TITLE_LENGTH: Final = 120
_DRAFT: Final = "This is a draft. The practitioner reads it over and finalises it; a final note cannot be changed."
_LINES: Final = "Line breaks became spaces in answers of type text, which hold one line."


class WriteTreatmentNote(Body):
    """Whose note, from which template or draft, with which answers; `final` finalises it for good."""

    patient: str | None = Field(default=None, description="Name or id.")
    template: str | None = None
    answers: dict[str, object] = Field(default_factory=dict, description="By question; none lists them.")
    visit: str | None = Field(default=None, description="Id, or today at 9.")
    note: Id | None = Field(default=None, description="Draft to edit.")
    final: bool = False


class WrittenNote(PatientRow):
    """A treatment note as it was written."""

    id: str = Field(description="The note's id.")
    title: str = Field(description="Its title.")
    state: NoteState = Field(description="Draft or final.")
    answered: list[str] = Field(description="Questions answered in this call.")
    unanswered: list[str] = Field(description="Questions without an answer.")
    visit: VisitRow | None = Field(default=None, description="The visit it is about.")
    author: str | None = Field(default=None, description="Who wrote it.")
    finalized_at: LocalTime | None = Field(default=None, description="When it was made final.")


class NoteAnswer(AnswerModel):
    """The note that was written, or the questions there are."""

    title: str | None = Field(default=None, description="Title of the template or draft.")
    questions: list[QuestionRow] | None = Field(default=None, description="Its questions, where none was answered.")
    item: WrittenNote | None = Field(default=None, description="The note.")


@dataclass(frozen=True, slots=True)
class _Source:
    """What is filled in: the document, what it is called, and the template or the draft that it comes from."""

    document: Document
    title: str
    draft: TreatmentNote | None = None
    template: Known[TreatmentNoteTemplate] | None = None


@dataclass(frozen=True, slots=True)
class _PlacedVisit:
    """The visit that a note is about, with the zone of its site."""

    visit: Visit
    zone: ZoneInfo
    roster: Roster
    patient: Known[Patient] | None = None
    note: str = ""
    """What has to be said of how it was found, if anything."""


async def write_treatment_note(clinic: GuardedClinic, arguments: WriteTreatmentNote) -> Answer:
    """The note that was written, or the questions there are where no answers were given."""
    source = await _source(clinic, arguments)
    finishing = source.draft is not None and (arguments.final or arguments.visit)
    if not arguments.answers and not finishing:
        return Answer(
            NoteAnswer(title=source.title, questions=listed(source.document)),
            ["Nothing was written. Call again with answers: question name to answer."],
        )
    patient = await _patient(clinic, arguments, source.draft)
    placed = await _visit(clinic, arguments, patient)
    if patient is None:
        whose = placed.visit.patient_id if placed else ""
        patient = (placed and placed.patient) or await find_patient(clinic, whose)
    zone = placed.zone if placed else await clinic.zone()
    before = held(source.document)
    answered = _filled(source.document, arguments, zone, clinic)
    if source.draft is None:
        there = await same_note(
            clinic,
            NoteSource(source.document, source.title, source.template.id if source.template else ""),
            patient.id,
            placed.visit.booking_id if placed else None,
            final=arguments.final,
        )
        if there is not None:
            again = f"Already there, id {there.id}: no second note was written."
            return _answer(arguments, source, patient, placed, there, answered, zone, [again])
    replaced = replaced_answers(before, source.document)
    if source.draft is not None and (
        _check_draft(arguments, source.draft, before, source.document)
        or _is_as_it_stands(arguments, source.draft, before, source.document, placed)
    ):
        again = f"Already there, id {source.draft.id}: nothing was changed."
        return _answer(arguments, source, patient, placed, source.draft, answered, zone, [again])
    written = await _written(clinic, arguments, source, patient, placed.visit if placed else None)
    return _answer(arguments, source, patient, placed, written, answered, zone, replaced)


async def _source(clinic: GuardedClinic, arguments: WriteTreatmentNote) -> _Source:
    if arguments.note is not None:
        return await _draft(clinic, arguments.note)
    rows = await clinic.collect(TreatmentNoteTemplates.list_treatment_note_templates, archived_at=Hidden.INCLUDED)
    templates = {row.id: known_record(row) for row in rows}
    if arguments.template is None:
        live = [template for template in templates.values() if not template.gone]
        raise Ambiguous(
            "The template is missing.",
            "Give the template's name; without one, use create_treatment_note.",
            candidates=[candidate(template) for template in live[:15]],
        )
    advice = "list_treatment_note_templates has them."
    template = chosen("treatment note template", arguments.template, templates, advice)
    if template.gone:
        raise NotFound(f"The template {template.note}", f"Choose one in use; {advice}")
    return _Source(document_of(template.record.content), template.name, template=template)


async def _draft(clinic: GuardedClinic, note_id: str) -> _Source:
    note = await clinic.perform(TreatmentNotes.get_treatment_note, id=note_id)
    document = document_of(note.content)
    if document.left_out:
        raise NotAllowed(
            f"The draft holds questions that cannot be written here: {', '.join(document.left_out[:5])}.",
            "Ask the practitioner to go on with it in Cliniko itself.",
        )
    return _Source(document, clean(note.title or "", _TITLE_LENGTH), draft=note)


def _check_draft(arguments: WriteTreatmentNote, note: TreatmentNote, before: Mapping[str, str], now: Document) -> bool:
    """Whether a note was finished by this very call before. Raises NotAllowed for any other that is final."""
    if note.draft is not False:
        return False
    if arguments.final and held(now) == before:
        return True
    raise NotAllowed(
        f"The note {note.id} is final; it cannot be changed.",
        "Write a new note for the patient, with a template.",
        note=note.id,
    )


async def _patient(
    clinic: GuardedClinic, arguments: WriteTreatmentNote, draft: TreatmentNote | None
) -> Known[Patient] | None:
    """The patient whom the note is about, None where only the visit says it. Raises InvalidArguments where nothing
    does, and where a draft is about somebody else."""
    whose = draft.patient_id if draft is not None else None
    if arguments.patient is None and whose is None:
        if arguments.visit is not None:
            return None
        raise refused_arguments("write_treatment_note", {"patient": "is needed: a name or an id"}, ())
    patient = await find_patient(clinic, arguments.patient or str(whose))
    if whose is not None and patient.id != whose:
        raise InvalidArguments(
            f"The draft {arguments.note} is not about {patient.name}.", "Check the note's id, or leave patient out."
        )
    return patient


async def _visit(
    clinic: GuardedClinic, arguments: WriteTreatmentNote, patient: Known[Patient] | None
) -> _PlacedVisit | None:
    if arguments.visit is None:
        return None
    roster = await Roster.load(clinic)
    which = await which_visit(clinic, roster, arguments.visit, Looking.PAST, patient)
    visit = await visits.visit_of(clinic, which)
    return _PlacedVisit(visit, roster.zone(visit.business_id), roster, which.patient, which.note)


def _filled(document: Document, arguments: WriteTreatmentNote, zone: ZoneInfo, clinic: GuardedClinic) -> list[str]:
    """Fill the answers into the document; the names of the questions answered. Raises InvalidArguments."""

    def read_day(phrase: str) -> str:
        try:
            when = parse_when(phrase, now=clinic.now, zone=zone)
        except NotUnderstood as problem:
            raise ValueError(f"must be one day, such as 2026-11-24: {problem.message.rstrip('.')}") from None
        if when.weekdays or when.times or when.end - when.start != _DAY:
            raise ValueError("must be one day, such as 2026-11-24")
        return when.start.date().isoformat()

    answered, wrong = fill(document, arguments.answers, read_day)
    if wrong:
        placed = {f"answers.{name}": problem for name, problem in wrong.items()}
        raise refused_arguments("write_treatment_note", placed, ())
    return answered


def _is_as_it_stands(
    arguments: WriteTreatmentNote,
    draft: TreatmentNote,
    before: Mapping[str, str],
    now: Document,
    placed: _PlacedVisit | None,
) -> bool:
    """Whether a draft holds all of this already, and is not to be finished."""
    linked = placed is None or draft.booking_id == placed.visit.booking_id
    return not arguments.final and linked and held(now) == before


async def _written(
    clinic: GuardedClinic,
    arguments: WriteTreatmentNote,
    source: _Source,
    patient: Known[Patient],
    visit: Visit | None,
) -> TreatmentNote:
    if source.draft is not None:
        changes = TreatmentNoteChanges.partial()
        _fill_in(changes, arguments, source, visit)
        if arguments.final:
            changes.draft = False
        return await clinic.perform(TreatmentNotes.update_treatment_note, changes, id=source.draft.id)
    body = TreatmentNoteBody(
        patient_id=patient.id,
        draft=not arguments.final,
        treatment_note_template_id=source.template.id if source.template else None,
    )
    _fill_in(body, arguments, source, visit)
    return await clinic.perform(TreatmentNotes.create_treatment_note, body)


def _fill_in(body: TreatmentNoteChanges, arguments: WriteTreatmentNote, source: _Source, visit: Visit | None) -> None:
    if arguments.answers:
        body.content = _content(source)
    if visit is not None:
        body.booking_id = visit.booking_id
        if visit.attendee_id:
            body.attendee_id = visit.attendee_id


def _content(source: _Source) -> TreatmentNoteContent:
    """The filled document as it is sent. Raises NotAllowed where its template holds what cannot be written here."""
    try:
        return TreatmentNoteContent.model_validate(source.document.content)
    except ValidationError as refused:
        wrong = "; ".join(f"{path} {problem}" for path, problem in complaints(refused))
        raise NotAllowed(
            f"{source.title} cannot be written here: {wrong}.", "Ask the practitioner to write it in Cliniko itself."
        ) from None


def _answer(
    arguments: WriteTreatmentNote,
    source: _Source,
    patient: Known[Patient],
    placed: _PlacedVisit | None,
    note: TreatmentNote,
    answered: list[str],
    zone: ZoneInfo,
    more: Sequence[str],
) -> Answer:
    item = WrittenNote(
        id=note.id,
        title=clean(note.title or source.title, _TITLE_LENGTH),
        state="draft" if note.draft is not False else "final",
        patient=patient.name,
        patient_id=patient.id,
        answered=answered,
        unanswered=unanswered(source.document),
        visit=placed.visit.row(placed.roster) if placed else None,
        author=name_text(note.author_name) or None,
        finalized_at=local_text(note.finalized_at, zone) if note.finalized_at else None,
    )
    notes = [*more, _DRAFT if note.draft is not False else "This note is final."]
    notes += [placed.note] if placed and placed.note else []
    if placed is None and source.draft is None:
        notes.append("It is not linked to a visit; give visit to link it, here with note.")
    notes += remarks(patient, source.template)
    if own := [name for name in in_own_words(source.document) if name in answered]:
        notes.append(f"Not one of the choices, so written as other: {', '.join(own)}.")
    if source.document.left_out:
        left = ", ".join(source.document.left_out[:5])
        notes.append(f"Questions of the template that cannot be written here were left out: {left}.")
    if _lines_lost(source.document, arguments):
        notes.append(_LINES)
    return Answer(NoteAnswer(item=item), [*notes, NO_MESSAGE], zone)


def _lines_lost(document: Document, arguments: WriteTreatmentNote) -> bool:
    texts = [str(value).strip() for value in arguments.answers.values()]
    broken = {" ".join(text.split()) for text in texts if "\n" in text}
    return any(question.type == "text" and question.answer in broken for _, question in document.questions())


tool = curated(
    "write_treatment_note",
    "Write up a visit: fill a treatment note (SOAP, progress note) from its template by question name. A draft unless "
    "final is true. Choices as listed, several in a list. Without a template: create_treatment_note; to read notes: "
    "list_treatment_notes.",
    WriteTreatmentNote,
    write_treatment_note,
    answer=NoteAnswer,
    risk=Risk.WRITE,
    repeatable=True,
    needs=[
        TreatmentNoteTemplates.list_treatment_note_templates,
        TreatmentNotes.list_treatment_notes,
        TreatmentNotes.get_treatment_note,
        TreatmentNotes.create_treatment_note,
        TreatmentNotes.update_treatment_note,
        *PATIENT_NEEDS,
        *ROSTER_NEEDS,
        *visits.NEEDS,
        *BOOKING_NEEDS,
    ],
)
