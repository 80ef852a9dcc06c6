"""The name that people know a record by, whatever its kind, and whether the record is hidden: one decision each."""

from typing import Final

from cliniko_mcp.cliniko.models import Record, value_of
from cliniko_mcp.sanitize import clean

NAME_LENGTH: Final = 80
HIDING: Final = ("archived_at", "deleted_at")
"""The stamps of a record that lists leave out unless asked for it."""
_OTHER_NAMES: Final = ("business_name", "name", "company_name", "filename", "patient_name")
_LAST: Final = ("title", "number")
"""Names of notes and invoices; a person's title is none."""


def name_of(record: Record) -> str:
    """The record's name, cleaned and capped, empty where it has none: its label, its display name, its first (preferred
    where there is one) and last name, else what its kind has."""
    if label := _text(record, "label", "display_name"):
        return label
    first = _text(record, "preferred_first_name", "preferred_name", "first_name")
    if person := " ".join(part for part in (first, _text(record, "last_name")) if part):
        return person
    own = _OTHER_NAMES if "last_name" in type(record).model_fields else (*_OTHER_NAMES, *_LAST)
    return _text(record, *own)


def every_name(record: Record) -> tuple[str, ...]:
    """All the names that the record goes by, the one to show first, cleaned and capped; () where it has none."""
    last = _text(record, "last_name")
    preferred = _text(record, "preferred_first_name", "preferred_name")
    firsts = ([preferred] if preferred and last else []) + [_text(record, "first_name")]
    full = (" ".join(part for part in (first, last) if part) for first in firsts)
    others = (_text(record, name) for name in ("label", "display_name", *_OTHER_NAMES[:3]))
    return tuple(filter(None, dict.fromkeys((name_of(record), *others, *full))))


def is_hidden(record: Record) -> bool:
    """Whether the record is archived or deleted; an empty stamp is none."""
    return any(value_of(record, stamp) not in (None, "") for stamp in HIDING)


def _text(record: Record, *fields: str) -> str:
    for field in fields:
        value = value_of(record, field)
        if field == "number" and isinstance(value, int):  # of an invoice
            value = str(value)
        if isinstance(value, str) and value.strip():
            return clean(value, NAME_LENGTH)
    return ""
