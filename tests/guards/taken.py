"""What an update took away, found by comparing the record before and after it: written without the table of effects."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.guards.gate import SYDNEY

_TEXTS = {
    "treatment_notes": "content",
    "patient_forms": "content",
    "medical_alerts": "name",
    "communications": "content",
}
_LISTS = ("appointment_type_ids", "attendee_ids", "patient_attachment_ids")
_LINKS = ("billable_item_id", "product_id")
_NOT_COUNTED = {"id", "created_at", "updated_at"}


@dataclass
class Before:
    """What a record held before the updates that nobody was asked about."""

    fields: set[str] = field(default_factory=set[str])
    """The fields that were emptied since."""
    letters: int = 0
    """The most letters that its text had."""


def letters(resource: str, record: Mapping[str, Any]) -> int:
    """How many letters the written text of this record has."""
    text = record.get(_TEXTS.get(resource, ""), "")
    if isinstance(text, dict):
        answers = [question.get("answer") or "" for part in text["sections"] for question in part["questions"]]
        text = "".join(answers)
    return len("".join(text.split()))


def takes_away(resource: str, old: Mapping[str, Any], new: Mapping[str, Any], now: datetime, before: Before) -> bool:
    """Whether a person has to be asked about an update that makes `new` of `old`."""
    if any(old.get(name) != new.get(name) for name in ("patient_id", "related_patient_id", "time_zone_identifier")):
        return True
    if any(old.get(name) and not new.get(name) for name in (*_LISTS, *_LINKS, "completed_at")):
        # A form that is completed again has a new date, which takes nothing away.
        return True
    if any(len(old.get(name) or ()) > 1 and not {*old[name]} & {*new[name]} for name in _LISTS):
        return True
    return _out_of_the_diary(old, new, now) or _shortened(resource, old, new, before) or _emptied(old, new, before)


def _out_of_the_diary(old: Mapping[str, Any], new: Mapping[str, Any], now: datetime) -> bool:
    if old.get("starts_at") == new.get("starts_at"):
        return False
    day = datetime.fromisoformat(new["starts_at"]).astimezone(SYDNEY).date()
    today = now.astimezone(SYDNEY).date()
    return day < today or day > today + timedelta(days=731)


def _shortened(resource: str, old: Mapping[str, Any], new: Mapping[str, Any], before: Before) -> bool:
    held, left = letters(resource, old), letters(resource, new)
    return left < held and left * 5 < max(held, before.letters)


def _emptied(old: Mapping[str, Any], new: Mapping[str, Any], before: Before) -> bool:
    held, left = ({name for name, value in record.items() if value} - _NOT_COUNTED for record in (old, new))
    going = held - left
    gone = going | (before.fields - held)
    return bool(going) and len(gone) > 1 and 2 * len(gone) > len(held | before.fields)


def remember(
    resource: str, old: Mapping[str, Any], new: Mapping[str, Any], before: Before, sent: Collection[str]
) -> None:
    """Add an update of these fields that nobody was asked about; of the text only where it writes the text."""
    if _TEXTS.get(resource) in sent:
        before.letters = max(before.letters, letters(resource, old))
    before.fields |= {name for name, value in old.items() if value and not new.get(name)}
