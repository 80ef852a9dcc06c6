"""Places inside a field, by which what did not fit is read on: `notes:4000`, `content.sections.0.questions.62`.

A place is a field, the names and numbers that lead on from it, and how many characters of a text come before it. Read
from a place on, a field is shown in its order: what comes before is left out, and what does not fit ends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.results.budget import Row, size
from cliniko_mcp.results.cutting import MARK, Cut, number_of_fields, step_to, text_within

_EVERYTHING: Final = 10**9
_CONTEXT: Final = 60
"""Tokens of what stands beside a place, such as the name of a question, and is shown again with it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a field to begin: the steps into it, and the characters of a text that come before."""

    steps: tuple[str, ...] = ()
    offset: int = 0

    def __str__(self) -> str:
        path = "".join(f".{step}" for step in self.steps)
        return f"{path}:{self.offset}" if self.offset else path

    def under(self, step: str) -> "Place":
        """The same place, seen from one step further out."""
        return Place((step, *self.steps), self.offset)


START: Final = Place()


def place_in(text: str) -> tuple[str, Place]:
    """A field's name and the place in it: `content.sections.0:12` -> content, sections 0 from character 12."""
    path, _, offset = text.strip().partition(":")
    field, *steps = path.split(".")
    return field, Place(tuple(steps), int(offset) if offset.strip().isdecimal() else 0)


def _read(value: JsonValue, start: Place, room: int, whole: int) -> tuple[JsonValue, Place | None]:
    """The value from a place on, in at most `room` tokens, and the place at which it ends; None where it is at its end.

    What fits into `whole` tokens, the room of an answer of its own, is not cut inside.
    """
    if start == START and size(value) <= room:
        return value, None
    match value:
        case str():
            rest = value[start.offset :]
            kept = rest if size(rest) <= room else text_within(rest, room - 3)
            if len(kept) == len(rest):
                return rest, None
            return kept + MARK, Place((), start.offset + len(kept))
        case list():
            return _read_list(value, start, room, whole)
        case dict():
            return _read_object(value, start, room, whole)
        case _:
            return value, None


def _read_list(values: Sequence[JsonValue], start: Place, room: int, whole: int) -> tuple[JsonValue, Place | None]:
    first = int(start.steps[0]) if start.steps and start.steps[0].isdecimal() else 0
    kept: list[JsonValue] = []
    for number in range(first, len(values)):
        inner = Place(start.steps[1:], start.offset) if number == first and start.steps else START
        left = room - size(kept)
        shown, end = _read(values[number], inner, left, whole)
        fits = end is None and size(shown) < left
        if not fits and ((kept and size(values[number]) <= whole) or left < _CONTEXT):
            return kept, Place((str(number), *inner.steps), inner.offset)
        kept.append(shown)
        if end is not None:
            return kept, end.under(str(number))
    return kept, None


def _read_object(value: Mapping[str, JsonValue], start: Place, room: int, whole: int) -> tuple[JsonValue, Place | None]:
    names = [*value]
    first = next((name for name in names if start.steps and step_to(value, name) == start.steps[0]), None)
    at = names.index(first) if first is not None else 0
    kept: dict[str, JsonValue] = {
        name: value[name] for name in names[:at] if not isinstance(value[name], list | dict) and _is_short(value[name])
    }
    for name in names[at:]:
        inner = Place(start.steps[1:], start.offset) if name == first else START
        left = room - size(kept) - size(name) - 2
        shown, end = _read(value[name], inner, left, whole)
        if end is None and size(shown) > max(left, _CONTEXT):
            return kept, inner.under(step_to(value, name))
        kept[name] = shown
        if end is not None:
            return kept, end.under(step_to(value, name))
    return kept, None


def _is_short(value: JsonValue) -> bool:
    return size(value) <= _CONTEXT


def _cuts_at(field: str, value: JsonValue, end: Place) -> list[Cut]:
    """What is not shown of a field from this place on: whole list items, and characters of the text that it is in."""
    at = f"{field}{end}"
    inner: JsonValue = value
    path = [field]
    noun = ""
    for step in end.steps:
        if isinstance(inner, list):
            place, noun = int(step), path[-1]
            inner = inner[place] if place < len(inner) else None
        elif isinstance(inner, dict):
            name = next((name for name in inner if step_to(inner, name) == step), "")
            path.append(name)
            inner = inner.get(name)
    found: list[Cut] = []
    if noun:
        rest, _ = _read(value, end, _EVERYTHING, _EVERYTHING)
        left, total = (_count(part, noun) if noun != field else _length(part) for part in (rest, value))
        found.append(Cut(field if noun != field else "", left, total, noun.replace("_", " "), at))
    if isinstance(inner, str) and end.offset:
        found.append(Cut(".".join(path), len(inner) - end.offset, len(inner), "characters", at))
    return found or [Cut(field, 1, 1, "part", at)]


def _length(value: JsonValue) -> int:
    return len(value) if isinstance(value, list) else 0


def _count(value: JsonValue, name: str) -> int:
    """How many items all lists of this name hold, at any depth."""
    match value:
        case list():
            return sum(_count(part, name) for part in value)
        case dict():
            own = _length(value.get(name))
            return own + sum(_count(part, name) for part in value.values())
        case _:
            return 0


def resumed(row: Row, starts: Mapping[str, Place], room: int) -> tuple[Row, list[Cut]]:
    """One record in at most `room` tokens, its long fields each from a place on and in their order, and what is left.

    What is short, such as an id, a name or a time, is never cut.
    """
    free = row.get("free_text")
    fields = {**row, **(free if isinstance(free, dict) else {})}
    fields.pop("free_text", None)
    long = [name for name, value in fields.items() if name in starts or not _is_short(value)]
    whole = room - size({name: value for name, value in fields.items() if name not in long}) - _CONTEXT
    left = whole
    cuts: list[Cut] = []
    dropped: list[str] = []
    for name in long:
        start = starts.get(name, START)
        if left < _CONTEXT < size(fields[name]):
            dropped.append(f"{name}{start}")
            del fields[name]
            continue
        shown, end = _read(fields[name], start, left, whole)
        if end is not None:
            cuts += _cuts_at(name, fields[name], end)
        left -= size(shown)
        fields[name] = shown
    if dropped:
        cuts.append(Cut("", len(dropped), number_of_fields(row), "fields", ", ".join(dropped)))
    kept: Row = {name: fields[name] for name in row if name in fields}
    if isinstance(free, dict) and (texts := {name: fields[name] for name in free if name in fields}):
        kept["free_text"] = texts
    return kept, cuts
