"""What an update takes away without saying so: a list in its body replaces the list that was there
(cliniko-api.md#writes).

Where a body holds a list, the record is read before it is changed, and what is no longer there afterwards is told by
value: "Mobile 0491 570 037".
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.models import Body, Record
from cliniko_mcp.cliniko.registry import reads
from cliniko_mcp.cliniko.shapes.answers import EMPTY, questions_and_answers
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sanitize import are, clean, first_few, label, plain

_SHOWN: Final = 5
_LENGTH: Final = 80
_PHONE: Final = re.compile(r"[A-Za-z]{0,10} ?[0-9 +()./-]{1,40}")


class Entry(NamedTuple):
    """One thing that a list holds: what it is called, where it has a name, and its value."""

    name: str
    value: str
    token: str = ""
    """What a custom field is known by, which may come without its name."""

    @property
    def key(self) -> str:
        """What tells it from others: a number is the same however it is spaced."""
        return re.sub(r"[^\w]", "", f"{self.token or self.name}:{self.value}").casefold()

    @property
    def words(self) -> str:
        """As it is said in a note: what does not look like a number or plain words is in quotes."""
        text = f"{self.name}: {self.value}" if self.name and self.value else self.name or self.value
        return text if _PHONE.fullmatch(text) else label(text, _LENGTH)


def replaced_fields(call: Call) -> tuple[str, ...]:
    """The fields of an update's body that replace a list, under the API's names; one that is emptied replaces none."""
    return tuple(name for name, value in _sent(call).items() if _holds_list(value))


def read_before(call: Call) -> Call[Record] | None:
    """The call that reads the record which this update changes, hidden or not; None where no operation does."""
    operation = call.operation
    found = [read for read in reads(operation.resource) if read.path == operation.path and not read.deprecated]
    return found[0].of(call.ids, include_archived=True) if found else None


def notes_on(call: Call, before: Record | None, after: Record) -> list[str]:
    """What the lists that this update replaced held before and do not hold now; and of which that is not known."""
    fields, sent, new = replaced_fields(call), _sent(call), after.as_json()
    old = before.as_json() if before is not None else {}
    unknown = [name for name in fields if before is None or not _is_told(before, name)]
    notes: list[str] = []
    for name in fields:
        if name in unknown:
            continue
        now = new[name] if _is_told(after, name) and name in new else sent[name]
        if gone := [entry.words for entry in _gone(old.get(name), now)]:
            notes.append(f"Replaced: {first_few(gone, _SHOWN)} {are(len(gone))} no longer there ({name}).")
    if unknown:
        notes.append(f"Replaced: what {', '.join(unknown)} held before is not known, because it could not be read.")
    return notes


def _sent(call: Call) -> dict[str, JsonValue]:
    """The lists, and the objects that may hold some, of an update's body as they are sent."""
    if call.operation.shape != "update" or call.body is None:
        return {}
    body = call.body
    names = {field for field in body.model_fields_set if isinstance(body.__dict__.get(field), list | Body)}
    return body.model_dump(mode="json", by_alias=True, exclude_unset=True, include=names)


def _holds_list(value: JsonValue) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and any(map(_holds_list, value.values())))


def _is_told(record: Record, name: str) -> bool:
    return name in record.model_fields_set or name in record.unexpected


def _gone(before: JsonValue, after: JsonValue) -> Iterator[Entry]:
    """Yield what was there and is not there any more; a question without an answer only where it went as a whole."""
    now = [*_entries(after)]
    left = Counter(entry.key for entry in now)
    questions = {entry.token or entry.name for entry in now}
    for entry in _entries(before):
        if left[entry.key] > 0:
            left[entry.key] -= 1
        elif entry.value or (entry.token or entry.name) not in questions:
            yield entry


def _entries(value: JsonValue) -> Iterator[Entry]:
    """Yield what a list holds: ids and phone numbers, and from sections each answer or, without one, its question."""
    match value:
        case list():
            for item in value:
                yield from _entries(item)
        case {"number": number, **rest}:
            yield Entry("", f"{rest.get('phone_type') or ''} {number}".strip())
        case {"sections": _}:
            for pair in questions_and_answers(value):
                answers = [clean(part, _LENGTH) for part in pair.parts if part not in EMPTY]
                name = clean(pair.question, _LENGTH)
                yield from (Entry(name, answer, pair.token) for answer in answers or ([""] if name else []))
        case {"name": str() as name} if name:
            yield Entry(plain(name, _LENGTH), "")
        case str() | int() | float():
            yield Entry("", str(value))
        case _:
            return
