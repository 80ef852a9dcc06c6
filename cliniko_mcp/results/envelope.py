"""The one envelope of every result.

`{"items"|"item": ..., "page": {...}, "names": {...}, "notes": [...], "now": ..., "time_zone": ...}`, compact, the same
in structured content and text, because hosts read one or the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from cliniko_mcp.errors import ClinikoMcpError, ClinikoRefused, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, MAX_ERROR_TOKENS, MAX_TOKENS, size, tokens
from cliniko_mcp.results.cutting import cut_notes, fitted, shortened
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean, counted

_MESSAGE_TOKENS: Final = 150
_FIX_TOKENS: Final = 4
"""What the name of the fix costs."""
_MAX_NOTES_TOKENS: Final = 1_500
"""Tokens of all notes: each is a sentence of ours, and there may be many."""
_MAX_TOKENS_A_BYTE: Final = 1.5
"""A token is a byte at the least; a few signs of two bytes are estimated at three tokens."""
_CUT_HOW: Final = "ask for less at once, or read the record itself"
_ENDS_EARLY: Final = "Where a text ends in …, the rest of it is not shown: read the record itself."
_A_MOMENT: Final = timedelta(seconds=1)
_NOTHING: Final = "There is nothing to show: no record fits what was asked for."
_OURS: Final = ("page", "names")
"""Parts of an answer that are never cut: they were counted where they were made."""


@dataclass(slots=True)
class Answer:
    """What a tool says: its own fields, remarks for the reader, and the zone its times are in."""

    body: dict[str, JsonValue] | AnswerModel
    notes: list[str] = field(default_factory=list[str])
    zone: ZoneInfo | None = None
    room: int | None = None
    """The most tokens it may take, where what is shown has been counted by the tool itself."""
    counted: int = 0
    """The tokens of its rows, where the tool has counted them."""

    @property
    def fields(self) -> dict[str, JsonValue]:
        """What the tool says, as JSON, without the notes and the time."""
        return self.body.as_json() if isinstance(self.body, AnswerModel) else self.body

    async def finished(self, clinic: GuardedClinic, room: int = MAX_TOKENS) -> "Envelope":
        """The whole envelope in at most `room` tokens, with the time now in the zone of the answer.

        A note says where that zone is a guess, and what was cut.
        """
        zone, guess = self.zone, None
        try:
            home = await clinic.zone()
            if zone is None or zone == home:
                zone, guess = home, await clinic.zone_note()
        except ClinikoRefused:  # what was found, or even changed, is told all the same
            if zone is None:
                zone, guess = ZoneInfo("UTC"), "The clinic's time zone could not be read, so the time now is in UTC."
        body = self.fields
        text = compact(body)
        remarks = [*self.notes, *clinic.course.missing, *([guess] if guess else []), *_as_at(clinic, zone)]
        if "…" in text and _ends_early(body) and not any("not shown" in note for note in remarks):
            remarks.append(_ENDS_EARLY)
        if body.get("items") == [] and not remarks:
            remarks.append(_NOTHING)
        notes = _fewer([*dict.fromkeys(remarks)])
        clock: dict[str, JsonValue] = {"now": local_text(clinic.now, zone), "time_zone": str(zone)}
        room = self.room or room
        ours = _ours(notes, clock)
        if not body.keys() & ours.keys():  # the body's JSON is made once, and what stands around it joined to it
            text = f"{text[:-1]}{',' if body else ''}{compact(ours)[1:]}"
            if len(text.encode()) * _MAX_TOKENS_A_BYTE <= room or self._tokens(text, body, ours) <= room:
                return Envelope({**body, **ours}, text)
        body, notes = _cut(body, notes, room)
        return Envelope.of({**body, **_ours(notes, clock)})

    def _tokens(self, text: str, body: dict[str, JsonValue], ours: dict[str, JsonValue]) -> int:
        return self.counted + size({**body, **ours, "items": []}) if self.counted else tokens(text)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole answer, and its JSON."""

    body: dict[str, JsonValue]
    text: str

    @classmethod
    def of(cls, body: dict[str, JsonValue]) -> "Envelope":
        """With its JSON made."""
        return cls(body, compact(body))


def _as_at(clinic: GuardedClinic, zone: ZoneInfo) -> list[str]:
    """A remark where long lists came from memory and are not of this very moment."""
    at = clinic.course.swept_at
    if at is None or clinic.now - at < _A_MOMENT:
        return []
    return [f"Long lists are from memory, as at {at.astimezone(zone):%H:%M}."]


def _ends_early(value: JsonValue) -> bool:
    """Whether a text in the answer ends in the mark of what is cut."""
    if isinstance(value, str):
        return value.endswith("…")
    if isinstance(value, list):
        return any(map(_ends_early, value))
    return isinstance(value, dict) and any(map(_ends_early, value.values()))


def _ours(notes: list[str], clock: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What stands around the body of an answer: the notes, where there are any, and the time."""
    remarks: dict[str, JsonValue] = {"notes": list[JsonValue](notes)} if notes else {}
    return {**remarks, **clock}


def _cut(body: dict[str, JsonValue], notes: list[str], room: int) -> tuple[dict[str, JsonValue], list[str]]:
    """The body and the notes of an answer that did not fit, cut by whole rows, list items and paragraphs."""
    kept = {name: value for name, value in body.items() if name in _OURS}
    rest = {name: value for name, value in body.items() if name not in _OURS}
    cut, cuts = fitted(rest, room - size([kept, notes]) - ENVELOPE_TOKENS)
    items, page = cut.get("items"), kept.get("page")
    if isinstance(items, list) and isinstance(page, dict):
        kept["page"] = {**page, "returned": len(items), "complete": items == body["items"] and page.get("complete")}
    return {**cut, **kept}, [*notes, *cut_notes(cuts, lambda _: _CUT_HOW)]


def _fewer(notes: list[str]) -> list[str]:
    """The notes that fit, the first first, with a word on those that do not."""
    room = _MAX_NOTES_TOKENS
    for place, note in enumerate(notes):
        room -= size(note) + 1
        if room < 0:
            return [*notes[:place], f"{counted(len(notes) - place, 'more note is', 'more notes are')} not shown."]
    return notes


def compact(value: object) -> str:
    """JSON without spaces, in plain Unicode."""
    return to_json(value).decode()


_CHOICES: Final = frozenset(("candidates", "sessions"))
"""Details of errors that are lists to choose from."""


def error_body(error: ClinikoMcpError) -> dict[str, JsonValue]:
    """An error as the model reads it, under 300 tokens: code, message, fix, then as many details as fit.

    Of what there is to choose from the first that fit are shown, with how many are not.
    """
    message = shortened(clean(error.message, lines=True), _MESSAGE_TOKENS)
    body: dict[str, JsonValue] = {"code": error.code, "message": message}
    if error.fix:
        body["fix"] = shortened(clean(error.fix, lines=True), MAX_ERROR_TOKENS - size(body) - _FIX_TOKENS)
    for name, detail in error.details.items():
        value = cleaned(detail)
        if value not in ({}, []) and size({**body, name: value}) <= MAX_ERROR_TOKENS:
            body[name] = value
        elif name in _CHOICES and isinstance(value, list):
            body |= _first_choices(name, value, body)
    return body


def _first_choices(name: str, choices: list[JsonValue], body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    for number in range(len(choices) - 1, 0, -1):
        shown: dict[str, JsonValue] = {name: choices[:number], "left_out_for_room": len(choices) - number}
        if size({**body, **shown}) <= MAX_ERROR_TOKENS:
            return shown
    return {}


def cleaned(value: JsonValue) -> JsonValue:
    """The value with every text in it, names of fields too, as it is fit to show; see `clean`."""
    if isinstance(value, str):
        return clean(value, lines=True)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): cleaned(item) for name, item in value.items()}
    return value
