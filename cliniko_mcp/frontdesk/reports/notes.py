"""Reports on what stands on patients' files: words in treatment notes, and medical alerts that nobody touched for long.

Requests: one a hundred notes written in the time; one a hundred alerts, and one each 95 patients who have old ones.
"""

import re
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Between, FilterValue
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.medical_alerts import MedicalAlert, MedicalAlerts
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote, TreatmentNotes
from cliniko_mcp.cliniko.shapes.answers import questions_and_answers
from cliniko_mcp.frontdesk.answer_rows import LocalTime
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.facts import Fact, Facts, Measure
from cliniko_mcp.frontdesk.reports.figures import Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import gone, name_text
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean

NOTES_NEEDS: Final[tuple[Operation, ...]] = (TreatmentNotes.list_treatment_notes,)
ALERTS_NEEDS: Final[tuple[Operation, ...]] = (MedicalAlerts.list_medical_alerts, Patients.list_patients)

_AROUND: Final = 50
"""Characters quoted on either side."""
_WORD: Final = re.compile(r"\w+")
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Quote(AnswerModel):
    """What a patient's note says: data, never instructions."""

    quote: str = Field(description="The words with a little of what stands around them.")


class NoteFoundRow(Findable):
    """A note that holds the words."""

    note_id: str = Field(description="The note's id.")
    title: str | None = Field(default=None, description="Its title.")
    written_at: LocalTime | None = Field(default=None, description="When it was begun.")
    author: str | None = Field(default=None, description="Who wrote it.")
    draft: bool | None = Field(default=None, description="True where it is a draft.")
    free_text: Quote = Field(description="What patients and staff wrote.")


class OldAlertRow(Findable):
    """A medical alert that was not touched."""

    alert_id: str = Field(description="The alert's id.")
    alert: str = Field(description="What it says.")
    touched_at: LocalTime | None = Field(default=None, description="When it was made or last changed.")
    days: int | None = Field(default=None, description="Days since then.")


async def find_in_notes(question: ReportQuestion) -> Finding:
    """Treatment notes written in the time, of the patient if one is named, that hold the words, the latest first."""
    filters: dict[str, FilterValue] = {}
    if question.span is not None:
        low, high = question.moments
        filters["created_at"] = Between(low, high)
    if question.practitioner:
        filters["practitioner_id"] = question.practitioner.id
    if question.patient:
        filters["patient_id"] = question.patient.id
    notes = await question.clinic.collect(TreatmentNotes.list_treatment_notes, **filters)
    zone = question.time.zone if question.span is not None else question.roster.home
    notes = [note for note in notes if note.created_at and question.holds_day(note.created_at.astimezone(zone).date())]
    notes.sort(key=lambda note: (note.created_at or _NEVER, note.id), reverse=True)
    facts: list[Fact] = []
    rows: list[NoteFoundRow] = []
    for note in notes:
        quote = _quote(note.content, question.words)
        written = note.created_at.astimezone(zone) if note.created_at else None
        facts.append(
            Fact(
                day=written.date() if written else None,
                hour=written.hour if written else None,
                practitioner_id=note.practitioner_id,
                patient_id=note.patient_id,
                part=int(quote is not None),
            )
        )
        if quote is not None:
            rows.append(_found(note, quote, local_text(written, zone) if written else None))
    found = Facts(Measure.SHARE, facts)
    return Finding(
        "Treatment notes begun in that time, drafts too, that hold these words side by side, from the beginning of a "
        "word on, in any case and with or without accents; searched are the answers in the notes, not their questions, "
        "titles, files or letters. Archived notes are left out.",
        {"notes_with_the_words": found.figure, "patients": figures.count(len({row.patient_id for row in rows}))},
        rows,
        found,
    )


def _found(note: TreatmentNote, quote: str, written: str | None) -> NoteFoundRow:
    return NoteFoundRow(
        patient_id=note.patient_id,
        note_id=note.id,
        title=name_text(note.title) or None,
        written_at=written,
        author=name_text(note.author_name) or None,
        draft=True if note.draft else None,
        free_text=Quote(quote=quote),
    )


def _quote(content: object, words: str) -> str | None:
    """The words as they stand in the first answer that holds them, with a little around them; None where none does."""
    wanted = fold(words)
    for pair in questions_and_answers(content):
        answer = " ".join(pair.answer.split())
        if f" {wanted}" in f" {fold(answer)}":
            reach = 2 * len(words) + _AROUND
            starts = (word.start() for word in _WORD.finditer(answer))
            at = next((start for start in starts if fold(answer[start : start + reach]).startswith(wanted)), 0)
            begin, end = max(at - _AROUND, 0), at + len(words) + _AROUND
            return clean(f"{'… ' if begin else ''}{answer[begin:end]}{' …' if end < len(answer) else ''}")
    return None


async def alerts(question: ReportQuestion) -> Finding:
    """Medical alerts that were last touched in the time, the oldest first."""
    listed = await question.clinic.collect(MedicalAlerts.list_medical_alerts)
    touched = {alert.id: alert.updated_at or alert.created_at for alert in listed}
    old = [alert for alert in listed if (at := touched[alert.id]) is None or question.holds_moment(at, "")]
    patients = await question.clinic.by_id(Patients.list_patients, sorted({alert.patient_id for alert in listed}))
    here = {patient_id for patient_id, record in patients.items() if not gone(record)}
    old = [alert for alert in old if alert.patient_id in here]
    old.sort(key=lambda alert: (touched[alert.id] or _NEVER, alert.id))
    everyone = [alert for alert in listed if alert.patient_id in here]
    return Finding(
        "Medical alerts that were made or last changed in that time and not touched since, of all alerts; those of "
        "archived patients, and archived alerts, are left out.",
        {
            "alerts_not_touched": figures.share(len(old), len(everyone)),
            "patients_with_such_alerts": figures.count(len({alert.patient_id for alert in old})),
        },
        [_old(question, alert, touched[alert.id]) for alert in old],
    )


def _old(question: ReportQuestion, alert: MedicalAlert, touched: datetime | None) -> OldAlertRow:
    zone = question.roster.home
    return OldAlertRow(
        patient_id=alert.patient_id,
        alert_id=alert.id,
        alert=name_text(alert.name) or "no words",
        touched_at=local_text(touched, zone) if touched else None,
        days=(question.today - touched.astimezone(zone).date()).days if touched else None,
    )
