"""write_treatment_note: a note filled in from its template by question name, as a draft unless told otherwise.

Requests: one for the templates, one for the note, and what finding the patient takes (1 by id, up to 13 by name). With
a visit, 5 for the roster and one a hundred bookings of the time said (3 by id), one for its attendee, one for notes
that it has already. Going on with a draft takes two, and those of a visit.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field

from cliniko_mcp.cliniko.arguments import refused_arguments
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.treatment_note_templates import TreatmentNoteTemplate
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotAllowed, NotFound, NotUnderstood
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.concurrency import collect
from cliniko_mcp.frontdesk.notes import Document, document_of, fill
from cliniko_mcp.frontdesk.patients import patient as find_patient
from cliniko_mcp.frontdesk.roster import Known, Roster, candidate, chosen, remarks
from cliniko_mcp.frontdesk.spans import read_span
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import parse_when
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.names import text_of
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

_DAY: Final = timedelta(days=1)
_DRAFT: Final = "This is a draft. The practitioner reads it over and finalises it; a final note cannot be changed."
_LINES: Final = "Line breaks became spaces in answers of type text, which hold one line."


class WriteTreatmentNote(Body):
    patient: str | None = Field(default=None, description="Name or id.")
    template: str | None = Field(default=None, description="Name or id.")
    answers: dict[str, object] = Field(
        default_factory=dict, description="Question name to answer; none lists the questions."
    )
    visit: str | None = Field(default=None, description="Appointment id or when: today.")
    note: str | None = Field(default=None, description="Draft to go on with.")
    final: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """What is filled in: the document, what it is called, and the draft that it stands in already."""

    document: Document
    title: str
    note: TreatmentNote | None = None
    template: Known | None = None


async def work(clinic: GuardedClinic, given: WriteTreatmentNote) -> Answer:
    """The note that was written, or the questions there are where no answers were given."""
    source = await _source(clinic, given)
    finishing = source.note is not None and (given.final or given.visit)
    if not given.answers and not finishing:
        return Answer(
            {"title": source.title, "questions": source.document.listed()},
            ["Nothing was written. Call again with answers: question name to answer."],
        )
    patient = await _patient(clinic, given, source.note)
    visit = await _visit(clinic, given, patient)
    zone = visit[1] if visit else await clinic.zone()
    done = _filled(source.document, given, zone, clinic)
    if visit is not None and source.note is None:
        await _no_draft_yet(clinic, patient, visit[0], source)
    written = await _written(clinic, given, source, patient, visit[0] if visit else None)
    return _answer(given, source, patient, visit, written, done, zone)


async def _source(clinic: GuardedClinic, given: WriteTreatmentNote) -> _Source:
    if given.note is not None:
        note = await clinic.perform(clinic.call("get_treatment_note", id=given.note))
        assert isinstance(note, TreatmentNote)
        if note.draft is False:
            raise NotAllowed(
                f"The note {given.note} is final; it cannot be changed.",
                "Write a new note for the patient, with a template.",
            )
        document = document_of(note.content)
        if document.left_out:
            raise NotAllowed(
                f"The draft holds questions that cannot be written here: {', '.join(document.left_out[:5])}.",
                "Ask the practitioner to go on with it in Cliniko itself.",
            )
        return _Source(document, clean(note.title, 120), note=note)
    rows = await collect(clinic.all_named("list_treatment_note_templates", archived_at="all"))
    templates = {one.id: one for one in (_template(row) for row in rows if isinstance(row, TreatmentNoteTemplate))}
    if given.template is None:
        live = [each for each in templates.values() if not each.gone]
        raise Ambiguous(
            "Which template is meant is not said.",
            "Give the template's name; without one, use create_treatment_note.",
            candidates=[candidate(each) for each in live[:15]],
        )
    template = chosen("treatment note template", given.template, templates, "list_treatment_note_templates has them.")
    if template.gone:
        raise NotFound(f"The template {template.note}", "Choose one in use; list_treatment_note_templates has them.")
    content = template.record.content if isinstance(template.record, TreatmentNoteTemplate) else None
    return _Source(document_of(content), template.name, template=template)


def _template(row: TreatmentNoteTemplate) -> Known:
    name = text_of(row, "name") or row.id
    return Known(row.id, name, row, "archived" if row.archived_at or row.deleted_at else "", (name,))


async def _patient(clinic: GuardedClinic, given: WriteTreatmentNote, note: TreatmentNote | None) -> Known:
    whose = note.patient_id if note is not None else None
    if given.patient is None and whose is None:
        raise refused_arguments("write_treatment_note", {"patient": "is needed: a name or an id"}, ())
    patient = await find_patient(clinic, given.patient or str(whose))
    if whose is not None and patient.id != whose:
        raise InvalidArguments(
            f"The draft {given.note} is not about {patient.name}.", "Check the note's id, or leave patient out."
        )
    return patient


async def _visit(
    clinic: GuardedClinic, given: WriteTreatmentNote, patient: Known
) -> tuple[Visit, ZoneInfo, Roster] | None:
    if given.visit is None:
        return None
    roster = await Roster.load(clinic)
    said = given.visit.strip()
    if said.isdigit() and len(said) > 2:
        visit = await visits.visit_by_id(clinic, said, patient)
        found = visits.one_of([visit], roster, said, patient.name)
    else:
        span = read_span(said, clinic.now, roster)
        every = await visits.visits(clinic, span, patient=patient.id, cancelled=True)
        found = visits.one_of(every, roster, span.description, patient.name)
    if not found.attendee_id:
        places = await visits.places_of(clinic, found)
        found = next((each for each in places if each.patient_id == patient.id), found)
    return found, roster.zone(found.business_id), roster


def _filled(document: Document, given: WriteTreatmentNote, zone: ZoneInfo, clinic: GuardedClinic) -> list[str]:
    def read_day(said: str) -> str:
        try:
            when = parse_when(said, now=clinic.now, zone=zone)
        except NotUnderstood as problem:
            raise ValueError(f"must be one day, such as 2026-11-24: {problem.message}") from None
        if when.weekdays or when.times or when.end - when.start != _DAY:
            raise ValueError("must be one day, such as 2026-11-24")
        return when.start.date().isoformat()

    done, wrong = fill(document, given.answers, read_day)
    if wrong:
        placed = {f"answers.{name}": problem for name, problem in wrong.items()}
        raise refused_arguments("write_treatment_note", placed, ())
    return done


async def _no_draft_yet(clinic: GuardedClinic, patient: Known, visit: Visit, source: _Source) -> None:
    template = source.template.id if source.template else None
    rows = await collect(clinic.all_named("list_treatment_notes", patient_id=patient.id, booking_id=visit.booking_id))
    for row in rows:
        same = getattr(row, "treatment_note_template_id", None) == template
        if isinstance(row, TreatmentNote) and same and row.draft is not False:
            raise NotAllowed(
                f"This visit has a draft from the template {source.title} already: {row.id}.",
                f"Go on with it: call again with note: {row.id} and without template.",
                note=row.id,
            )


async def _written(
    clinic: GuardedClinic, given: WriteTreatmentNote, source: _Source, patient: Known, visit: Visit | None
) -> TreatmentNote:
    values: dict[str, object] = {}
    if given.answers:
        values["content"] = source.document.content
    if visit is not None:
        values["booking_id"] = visit.booking_id
        if visit.attendee_id:
            values["attendee_id"] = visit.attendee_id
    if source.note is not None:
        if given.final:
            values["draft"] = False
        call = clinic.call("update_treatment_note", id=source.note.id, **values)
    else:
        template = source.template.id if source.template else None
        call = clinic.call(
            "create_treatment_note",
            patient_id=patient.id,
            treatment_note_template_id=template,
            draft=not given.final,
            **values,
        )
    note = await clinic.perform(call)
    assert isinstance(note, TreatmentNote)
    return note


def _answer(
    given: WriteTreatmentNote,
    source: _Source,
    patient: Known,
    visit: tuple[Visit, ZoneInfo, Roster] | None,
    note: TreatmentNote,
    done: list[str],
    zone: ZoneInfo,
) -> Answer:
    item: dict[str, JsonValue] = {
        "id": note.id,
        "title": clean(note.title or source.title, 120),
        "draft": note.draft is not False,
        "patient": patient.name,
        "patient_id": patient.id,
        "answered": list[JsonValue](done),
        "unanswered": list[JsonValue](source.document.open()),
    }
    notes = [_DRAFT] if note.draft is not False else ["This note is final."]
    if visit is not None:
        item["visit"] = visit[0].row(visit[2])
    elif source.note is None:
        notes.append("It is not linked to a visit; give visit to link it, here with note.")
    if note.author_name:
        item["author"] = clean(note.author_name, 80)
    if note.finalized_at is not None:
        item["finalized_at"] = local_text(note.finalized_at, zone)
    notes += remarks(patient, source.template)
    if own := [name for name in source.document.in_own_words() if name in done]:
        notes.append(f"Not one of the choices, so written as other: {', '.join(own)}.")
    if source.document.left_out:
        left = ", ".join(source.document.left_out[:5])
        notes.append(f"Questions of the template that cannot be written here were left out: {left}.")
    if any("\n" in str(value) for value in given.answers.values()) and _lines_lost(source.document, given):
        notes.append(_LINES)
    return Answer({"item": item}, notes, zone)


def _lines_lost(document: Document, given: WriteTreatmentNote) -> bool:
    broken = {" ".join(str(value).split()) for value in given.answers.values() if "\n" in str(value).strip()}
    return any(one.type == "text" and one.answer in broken for _, one in document.questions())


tool = curated(
    "write_treatment_note",
    "Write up a visit: fill a treatment note (SOAP, progress note) from its template by question name. A draft unless "
    "final is true. Choices as listed, several in a list.",
    WriteTreatmentNote,
    work,
    risk=Risk.WRITE,
    needs=("list_treatment_note_templates", "create_treatment_note", "update_treatment_note", "get_treatment_note"),
    synonyms="clinical note document session dictate record what we did soap progress notes draft finish sign off",
)
