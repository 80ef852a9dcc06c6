"""How a value is cut to fit: whole rows, whole list items, whole paragraphs or sentences, and what is said of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.results.budget import ENVELOPE_TOKENS, MAX_TOKENS, Row, size
from cliniko_mcp.sanitize import are

KEEP: Final = "Never send a text that ends in … back in an update: it is not whole."
MARK: Final = " …"
"""Stands where a text was cut."""
_STEP: Final = re.compile(r"[A-Za-z_-][A-Za-z0-9_-]*")
_SHOWN: Final = 4
"""Cuts that have a note of their own."""
_WHOLE: Final = 60
"""Tokens of a text, such as an id, a name or a time, that is never cut."""
_ENDS: Final = ("\n\n", "\n", "。", ". ", "؟ ", " ")
"""Where a text may end, best first: after a paragraph, a line, a sentence, a word."""
_LONGEST_PIECE: Final = 9
"""Characters of a token, at most: text beyond that many for each token of the room is not even counted."""
_NEAR: Final = 0.7
"""A better end is taken where it keeps so much of the room."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left out of one place in an answer: `left` of `total` of its units, such as characters or questions."""

    place: str
    left: int
    total: int
    unit: str
    at: str = ""
    """The field and the place in it from which the rest is read."""

    def sentence(self, how: str) -> str:
        """What is not shown, and how to get it."""
        return left_out(self.left, self.total, f"{self.unit} of {self.place}" if self.place else self.unit, how)


def left_out(left: int, total: int | None, what: str, how: str) -> str:
    """The one sentence about what an answer leaves out: `18 of 80 questions of content are not shown: <how>.`"""
    count = f"{left:,} of {total:,} {what}" if total is not None else f"More {what}"
    return f"{count} {are(2 if total is None else left)} not shown: {how}."


def text_within(text: str, room: int) -> str:
    """The beginning of the text that costs at most `room` tokens, up to the end of a paragraph, sentence or word."""
    kept = text[: max(room, 0) * _LONGEST_PIECE]
    while (cost := size(kept)) > room and kept:
        kept = kept[: min(len(kept) * room // cost, len(kept) - 1)]
    if kept == text:
        return text
    for end in _ENDS:
        place = kept.rfind(end)
        if place > len(kept) * _NEAR or (end == " " and place > 0 and kept.isascii()):
            return kept[: place + len(end)].rstrip()
    return kept


def shortened(text: str, room: int) -> str:
    """The text in at most `room` tokens, cut at a good end and marked where it was cut."""
    kept = text_within(text, room)
    return text if kept == text else f"{text_within(text, room - 2)}{MARK}"


def fitted(item: Row, room: int = MAX_TOKENS - ENVELOPE_TOKENS) -> tuple[Row, list[Cut]]:
    """One record in at most `room` tokens, and what was cut: its longest texts and lists first, at last whole fields.

    What is short, such as an id, a name or a time, is never cut.
    """
    if size(item) <= room:
        return item, []
    low, high = _WHOLE, room
    while high - low > max(low // 16, 4):
        middle = (low + high) // 2
        if size(_cut_row(item, middle, [])) <= room:
            low = middle
        else:
            high = middle
    cuts: list[Cut] = []
    row = _cut_row(item, low, cuts)
    dropped: list[str] = []
    while size(row) > room and len(row) > 1:
        name, value = row.popitem()
        dropped = [*(value if name == "free_text" and isinstance(value, dict) else [name]), *dropped]
    if dropped:
        cuts = [cut for cut in cuts if cut.at.partition(".")[0].partition(":")[0] not in dropped]
        cuts.append(Cut("", len(dropped), number_of_fields(item), "fields", ", ".join(dropped)))
    return row, list(_merged(cuts))


def number_of_fields(row: Row) -> int:
    """How many fields a record shows, those whose texts are set apart as well."""
    free = row.get("free_text")
    return len(row) - 1 + len(free) if isinstance(free, dict) else len(row)


def step_to(value: Mapping[str, JsonValue], name: str) -> str:
    """The step to a member of an object: its name, or its number where the name could be taken for something else."""
    return name if _STEP.fullmatch(name) else str([*value].index(name))


def _cut_row(row: Row, longest: int, cuts: list[Cut], at: str = "", place: str = "") -> Row:
    def below(name: str, to: str, step: str) -> str:
        return f"{to}.{step}" if to else "" if name == "free_text" else step

    return {
        name: _cut(value, longest, cuts, below(name, at, name), below(name, place, step_to(row, name)))
        for name, value in row.items()
    }


def _cut(value: JsonValue, longest: int, cuts: list[Cut], at: str, place: str) -> JsonValue:
    match value:
        case str():
            kept = shortened(value, longest) if len(value) > _WHOLE else value
            if kept != value:
                end = len(kept.removesuffix(MARK))
                cuts.append(Cut(at, len(value) - end, len(value), "characters", f"{place}:{end}"))
            return kept
        case list():
            return _cut_list(value, longest, cuts, at, place)
        case dict():
            return _cut_row(value, longest, cuts, at, place)
        case _:
            return value


def _cut_list(values: list[JsonValue], longest: int, cuts: list[Cut], at: str, place: str) -> list[JsonValue]:
    kept: list[JsonValue] = []
    taken = 0
    for value in values:
        shown = value if kept else _cut(value, longest, cuts, at, f"{place}.0")
        taken += size(shown) + 1
        if taken > longest and kept:
            break
        kept.append(shown)
    if len(kept) < len(values):
        whose, _, unit = at.rpartition(".")
        left = len(values) - len(kept)
        cuts.append(Cut(whose.partition(".")[0], left, len(values), unit.replace("_", " "), f"{place}.{len(kept)}"))
    return kept


def _merged(cuts: Iterable[Cut]) -> Iterator[Cut]:
    """Yield the cuts with those of one place and unit added up."""
    found: dict[tuple[str, str], Cut] = {}
    for cut in cuts:
        key = cut.place, cut.unit
        before = found.get(key)
        found[key] = replace(before, left=cut.left + before.left, total=cut.total + before.total) if before else cut
    yield from found.values()


def cut_notes(cuts: Iterable[Cut], how: Callable[[str], str]) -> list[str]:
    """The notes on what was cut, at most five, and a warning where a text was cut inside.

    `how` is how the rest is read from a place on.
    """
    cuts = list(cuts)
    notes = [cut.sentence(how(cut.at)) for cut in cuts[:_SHOWN]]
    if len(cuts) > _SHOWN:
        more = {cut.at.partition(".")[0].partition(":")[0]: cut.at for cut in reversed(cuts[_SHOWN:])}
        notes.append(left_out(len(cuts) - _SHOWN, len(cuts), "parts", how(", ".join(reversed(more.values())))))
    return [*notes, *([KEEP] if any(cut.unit == "characters" for cut in cuts) else [])]
