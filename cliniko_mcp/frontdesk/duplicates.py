"""Which patients may be one person with two files: the same name and birthday, the same email, the same phone."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import cast

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.frontdesk.matching import likeness, words
from cliniko_mcp.frontdesk.people import Known
from cliniko_mcp.results.names import text_of

_ALIKE = 85.0
_ENOUGH = 8


def digits(text: str) -> str:
    """The digits of a phone number."""
    return "".join(letter for letter in text if letter.isascii() and letter.isdigit())


def numbers_of(patient: Known) -> list[str]:
    """The last nine digits of a patient's phone numbers: what stays the same with and without a country code."""
    listed = getattr(patient.record, "patient_phone_numbers", None)
    rows = cast("Sequence[Record]", listed) if isinstance(listed, list) else ()
    numbers = (digits(text_of(each, "normalized_number", "number")) for each in rows)
    return [number[-9:] for number in numbers if len(number) >= _ENOUGH]


def born(patient: Known) -> date | None:
    """A patient's birthday, where the file has one."""
    day = getattr(patient.record, "date_of_birth", None)
    return day if isinstance(day, date) else None


def why_same(one: Known, other: Known) -> str:
    """What makes two files look like one person, or empty: a guess for people to check."""
    alike = likeness(words(one.name), other.name) >= _ALIKE and likeness(words(other.name), one.name) >= _ALIKE
    shared: list[str] = []
    if born(one) is not None and born(one) == born(other):
        shared.append("birthday")
    email = text_of(one.record, "email").casefold()
    if email and email == text_of(other.record, "email").casefold():
        shared.append("email")
    if set(numbers_of(one)) & set(numbers_of(other)):
        shared.append("phone")
    if alike and shared:
        return f"alike names and the same {' and '.join(shared)}"
    # Families share phones and emails, and twins a birthday: two of them without a like name are no more than that.
    return ""


def duplicates(patients: Iterable[Known]) -> list[tuple[Known, Known, str]]:
    """Pairs that look like one person, with the reason; merged files are left out."""
    kept = [each for each in patients if not each.gone.startswith("merged")]
    pairs = ((one, other) for place, one in enumerate(kept) for other in kept[place + 1 :])
    return [(one, other, why) for one, other in pairs if (why := why_same(one, other))]
