"""A patient's visits as rows of a brief, each with its own notes and forms, within what an answer may cost."""

from collections.abc import Sequence
from typing import Final

from cliniko_mcp.cliniko.resources.patient_forms import PatientForm
from cliniko_mcp.cliniko.resources.treatment_notes import TreatmentNote
from cliniko_mcp.cliniko.shapes.answers import answer_text
from cliniko_mcp.frontdesk.answer_rows import ATTENDANCE, NOTE_STATES, NoteState
from cliniko_mcp.frontdesk.brief_rows import BriefVisit, FormRow, NoteRow, VisitText
from cliniko_mcp.frontdesk.patient_file import PatientFile
from cliniko_mcp.frontdesk.roster import Roster, name_text
from cliniko_mcp.frontdesk.visits import Visit
from cliniko_mcp.results.budget import size
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean

_WHOLE: Final = 14_000
"""Characters of the coming visit's own note, which is shown whole: no more fit into an answer."""
_ROOM_TOKENS: Final = 6_000
"""Tokens of the visits, their notes and the history together."""
_ROW_TOKENS: Final = 85
"""Tokens of a visit without what was written."""
_HEAD: Final = 300
"""What a note costs beside its text, as characters."""
_CHARACTERS_A_TOKEN: Final = 3
_NOTE_LENGTH: Final = 4_000
_SHORTEST: Final = 300
_TITLE_LENGTH: Final = 120
_OTHER_NOTES: Final = 3


class VisitRows:
    """Makes the rows; a note that is shown with a visit is shown nowhere else."""

    def __init__(self, file: PatientFile, roster: Roster, visits: int) -> None:
        """The rows of so many visits, for which room is kept."""
        self._file = file
        self._roster = roster
        self._room = (_ROOM_TOKENS - visits * _ROW_TOKENS) * _CHARACTERS_A_TOKEN
        self._shown: set[str] = set()

    def coming(self, visits: Sequence[Visit]) -> list[BriefVisit]:
        """The visits to come with their forms; the first with its own notes whole."""
        return [self._row(visit, _WHOLE if visit is visits[0] else _SHORTEST, coming=True) for visit in visits]

    def past(self, visits: Sequence[Visit]) -> list[BriefVisit]:
        """Visits that are over, each with its own notes, which share the room that is left."""
        written = sum(len(self._file.notes_of(visit)) for visit in visits) + _OTHER_NOTES
        length = self._length(written)
        return [self._row(visit, length) for visit in visits]

    def other_notes(self) -> list[NoteRow]:
        """The latest notes that no visit shown so far has, a few."""
        rest = [note for note in self._file.treatment_notes or () if note.id not in self._shown]
        length = self._length(_OTHER_NOTES)
        return [self._note(note, length) for note in rest[:_OTHER_NOTES]]

    def history(self) -> tuple[list[BriefVisit], int]:
        """Every visit in order of time, cancelled ones too, and how many of the earliest do not fit."""
        rows: list[BriefVisit] = []
        room = self._room // _CHARACTERS_A_TOKEN
        visits = self._file.history()
        for visit in reversed(visits):
            row = self._bare(visit)
            room -= size(row.as_json()) + 1
            if room < 0:
                break
            rows.append(row)
        return rows[::-1], len(visits) - len(rows)

    def _length(self, notes: int) -> int:
        """The characters of each of so many notes."""
        return min(max(self._room // notes - _HEAD, _SHORTEST), _NOTE_LENGTH)

    def _bare(self, visit: Visit) -> BriefVisit:
        place, cancelled = visit.row(self._roster), visit.cancelled is not None
        return BriefVisit(
            appointment_id=place.appointment_id,
            starts_at=place.starts_at,
            practitioner=place.practitioner,
            type=place.type,
            business=place.business,
            attendance=None if visit.arrived is None else ATTENDANCE[visit.arrived],
            cancelled=True if cancelled else None,
            reason=(visit.reason or None) if cancelled else None,
        )

    def _row(self, visit: Visit, length: int, *, coming: bool = False) -> BriefVisit:
        notes = [self._note(note, length) for note in self._file.notes_of(visit)]
        state: NoteState = NOTE_STATES.get(visit.written or 0, "none")
        if notes and state == "none":
            state = notes[0].state
        forms = [form_row(form, self._roster) for form in self._file.forms_of(visit)] if coming else []
        return self._bare(visit).model_copy(
            update={
                "note": None if coming and not notes else state,
                "forms": forms or None,
                "free_text": VisitText(treatment_notes=notes) if notes else None,
            }
        )

    def _note(self, note: TreatmentNote, length: int) -> NoteRow:
        # Content in another form than the documented one is shown as well.
        content = note.content or note.unexpected.get("content")
        answers = answer_text(content, length, lines=True)
        self._shown.add(note.id)
        self._room = max(self._room - len(answers.text) - _HEAD, 0)
        return NoteRow(
            id=note.id,
            title=clean(note.title or "", _TITLE_LENGTH),
            written_at=local_text(note.created_at, self._roster.home) if note.created_at else None,
            author=name_text(note.author_name),
            state="draft" if note.draft is not False else "final",
            text=answers.text,
            cut="get_treatment_note has the whole." if answers.cut else None,
        )


def form_row(form: PatientForm, roster: Roster) -> FormRow:
    """A form by name, with when it was given and completed, by the clock of its site."""
    zone = roster.zone(form.business_id)
    return FormRow(
        id=form.id,
        name=clean(form.name or "", _TITLE_LENGTH),
        given_at=local_text(form.created_at, zone) if form.created_at else None,
        completed_at=local_text(form.completed_at, zone) if form.completed_at else None,
    )
