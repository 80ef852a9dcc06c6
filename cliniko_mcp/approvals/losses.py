"""What an update takes away: values read from the clinic, each the loss of one field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.shapes.answers import answer_text, questions_and_answers
from cliniko_mcp.errors import InvalidArguments, JsonValue
from cliniko_mcp.sanitize import MAX_CHARACTERS, clean, first_few, plain

SHOWN: Final = 200
"""Characters of a text that is lost that a person is shown; how long it is in all is said beside them."""
FEW: Final = 5
"""How many things of a list are shown; how many more there are is said beside them."""
_WHOLE: Final = 1_000_000
_LABELS: Final[Mapping[str, str]] = {
    "arrived": "Arrival",
    "date_of_birth": "Date of birth",
    "ends_at": "End",
    "patient_phone_numbers": "Phone numbers",
    "sex": "Sex",
    "starts_at": "Start",
    "to": "To",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One field that an update empties or puts something else into, with what it held."""

    label: str
    """The field in plain words, `Date of birth`."""
    before: str
    """What it holds now, fit for a sentence."""
    after: str = ""
    """What it would hold; empty where nothing would be left."""
    rule: str = ""
    """The name of the rule in the table of effects by which a person is asked."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the same caller took from the same record in the last hour, unasked: many small losses are a large one."""

    emptied: frozenset[str] = field(default_factory=frozenset[str])
    """The fields that were emptied, and of a patient's own fields each answer, as `custom_fields.` and its token."""
    text: int = 0
    """The most letters and digits that its text had."""


NOTHING_EARLIER: Final = Earlier()


def changed(call: Call) -> Mapping[str, object]:
    """What an update sends, by the name of the field in Python; None or an empty list for what it empties."""
    body = call.body
    return {name: body.__dict__.get(name) for name in body.model_fields_set} if body is not None else {}


def empties(value: object) -> bool:
    """Whether a field that is sent so says nothing afterwards: it is empty, text without a letter or a digit, or a
    patient's own fields without an answer."""
    if isinstance(value, Record | Body):
        return _without_answers(as_json(value))
    return value is None or value == [] or (isinstance(value, str) and amount([value]) == 0)


def _without_answers(found: JsonValue) -> bool:
    sections = found.get("sections") if isinstance(found, dict) else None
    if not isinstance(sections, list) or not any(isinstance(part, dict) and "fields" in part for part in sections):
        return False
    return not any(written(found))


def field_words(name: str) -> str:
    """A field in plain words: `Referring doctor` for referring_doctor_id."""
    if name in _LABELS:
        return _LABELS[name]
    words = name.removesuffix("_id")
    words = words.removesuffix("_ids") + "s" if words.endswith("_ids") else words
    return words.replace("_", " ").capitalize()


def value_words(value: object) -> str:
    """What a field holds, fit for a sentence, long texts cut short with their length; empty where it holds nothing."""
    match value:
        case str():
            return text_words(value)
        case list():
            items: list[object] = [*value]
            shown = [words for item in items[:FEW] if (words := _item_words(item))]
            return first_few(shown, FEW, len(items))
        case Record() | Body():
            found = value.as_json() if isinstance(value, Record) else value.wire()
            if "sections" in found:
                return text_words(answer_text(found, _WHOLE).text)
            return text_words(" / ".join(leaves(found)))
        case _:
            return str(plain_value) if (plain_value := as_json(value)) is not None else ""


def _item_words(item: object) -> str:
    from cliniko_mcp.cliniko.shapes.phones import PhoneNumberRecord

    if isinstance(item, PhoneNumberRecord):
        return clean(f"{item.phone_type or ''} {item.number or ''}", 60)
    return value_words(item)


def text_words(text: str) -> str:
    """A text that somebody wrote, in quotes, at most 200 characters of it and its whole length beside them."""
    words = " ".join(plain(text).split())
    if not words:
        return ""
    return text_in_quotes(clean(words, SHOWN)) + (f" ({len(words):,} characters in all)" if len(words) > SHOWN else "")


def text_in_quotes(words: str) -> str:
    """Words of somebody else in quotes, which none of their own can end."""
    return "“" + words.replace("“", "'").replace("”", "'") + "”"


def text_to_be(texts: Iterable[str]) -> str:
    """Texts that will be written, whole and with their line breaks; in quotes where they are one line.

    Raises InvalidArguments where they are too long to be shown whole.
    """
    written_texts = list(texts)
    check_shown_whole(len("\n".join(written_texts)))
    words = clean("\n".join(map(plain, written_texts)), lines=True)
    return words if "\n" in words or not words else text_in_quotes(words)


def check_shown_whole(length: int) -> None:
    """Raise InvalidArguments for a text of so many characters where a person cannot be shown the whole of it."""
    if length > MAX_CHARACTERS:
        raise InvalidArguments(
            f"Not done, and nobody was asked: the text to be written has {length:,} characters. A person approves only "
            f"what they were shown, and is shown {MAX_CHARACTERS:,} at most.",
            "Send a shorter text, or tell the person that they can do it in Cliniko itself.",
        )


def to_be(value: object) -> str:
    """What a field will hold, whole and with its line breaks, answers after their questions; empty for nothing.

    Raises InvalidArguments where that is too long to be shown whole.
    """
    match value:
        case str():
            return text_to_be([value])
        case list():
            items: list[object] = [*value]
            return "; ".join(filter(None, map(to_be, items)))
        case Body():
            found = value.wire()
            if "sections" in found:
                return text_to_be([answer_text(found, _WHOLE, lines=True).text])
            return ", ".join(f"{name.replace('_', ' ')} {to_be(part)}" for name, part in found.items())
        case _:
            return value_words(value)


def as_json(value: object) -> JsonValue:
    """Any field of a record or a body as JSON; None for what holds nothing."""
    match value:
        case Record():
            return value.as_json()
        case Body():
            return value.wire()
        case str() | bool() | int() | float():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case list():
            items: list[object] = [*value]
            return [as_json(item) for item in items]
        case dict():
            parts: dict[object, object] = {**value}
            return {str(name): as_json(part) for name, part in parts.items()}
        case _:
            return None


def written(content: JsonValue) -> Iterator[str]:
    """Yield what a field holds that was written: a text as it is, and the answers of structured content, in order."""
    if isinstance(content, str):
        yield content
    elif content is not None:
        yield from (pair.written for pair in questions_and_answers(content) if pair.written)


def amount(texts: Iterable[str]) -> int:
    """How many letters and digits these texts have, markup left out: a row of dots says nothing."""
    pieces = (text[at : at + MAX_CHARACTERS] for text in texts for at in range(0, len(text), MAX_CHARACTERS))
    return sum(character.isalnum() for piece in pieces for character in plain(piece))


def leaves(value: JsonValue) -> Iterator[str]:
    """Yield each text in it, in order."""
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from leaves(part)
        case list():
            for part in value:
                yield from leaves(part)
        case _:
            return
