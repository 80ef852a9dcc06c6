"""Which patients may be one person with two files: decided here alone, for lists of patients, new files, reports and
whom a text means.

One score weighs what agrees (name, date of birth, email, phone) against a date of birth that differs and is no slip.
Families share phones and emails, and twins a birthday: without a like name nothing counts. Likely: the same name and
date of birth, or the same email or phone and a like name. Possible: the same date of birth and a like name (twins too),
the same email or phone and first name (a new surname), or the same name where a date of birth is not known.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import Final, NamedTuple

from cliniko_mcp.cliniko.labels import NAME_LENGTH
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.matching import letters_of, likeness, same_name, words
from cliniko_mcp.frontdesk.roster import Known, merged
from cliniko_mcp.frontdesk.short_forms import form_keys, is_short_form
from cliniko_mcp.sanitize import clean, counted

_ALIKE: Final = 85.0
_SAME_NAME: Final = 3.0
"""The same words in any order, so first and last name may be swapped."""
_SHORT_NAME: Final = 2.5
"""The same last name, and a preferred name or a short form of the first."""
_LIKE_NAME: Final = 1.4
"""Names that are written nearly alike, as those of twins may be."""
_FIRST_NAME: Final = 1.0
_SAME_CONTACT: Final = 3.1
_SAME_BIRTHDAY: Final = 3.0
_SWAPPED_BIRTHDAY: Final = 1.5
_SLIPPED_BIRTHDAY: Final = 1.0
_GENERATION: Final = 10
"""Years. Namesakes so far apart are a parent and a child rather than a slip."""
_OTHER_BIRTHDAY: Final = -4.0
_LIKELY: Final = 4.5
_POSSIBLE: Final = 3.0
_LARGEST: Final = 30
"""Patients that share one date of birth, email, phone or name; more is a placeholder, such as 1900-01-01."""
_SHOWN: Final = 3
MIN_DIGITS: Final = 6
_SAME_DIGITS: Final = 9
_RUNS: Final = re.compile(r"\+?[0-9][0-9\s()./\-\u2010-\u2015]*")
_PIECES: Final = re.compile("/")
_NO_DIGITS: Final = re.compile("[^0-9]+")
_APART: Final = re.compile(r"\s/\s|(?=\+)|[\r\n]")
"""Digits at the end of a phone number: what stays the same with and without a country code."""


@dataclass(frozen=True, slots=True)
class SamePerson:
    """Why two files may be one person's: `likely`, or merely possible; `why` is a clause in words, `score` how much
    agrees."""

    likely: bool
    why: str
    score: float


class Pair(NamedTuple):
    """Two files that may be one person's, in the order in which they were given."""

    one: Patient
    other: Patient
    verdict: SamePerson


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a patient is recognised by, folded; names as words."""

    name: tuple[str, ...]
    firsts: tuple[str, ...]
    last: str
    born: date | None
    emails: frozenset[str]
    phones: frozenset[str]


def digits(text: str) -> str:
    """The digits of a phone number."""
    return _NO_DIGITS.sub("", text)


def numbers_of(patient: Known[Patient]) -> list[str]:
    """The last nine digits of a patient's phone numbers: what stays the same with and without a country code."""
    return _numbers(patient.record)


def _numbers(patient: Patient) -> list[str]:
    rows = patient.patient_phone_numbers or ()
    numbers = [number for row in rows for number in _numbers_of_entry(row.number or "", row.normalized_number or "")]
    return list(dict.fromkeys(number[-_SAME_DIGITS:] for number in numbers))


def _numbers_of_entry(text: str, normalized: str) -> list[str]:
    written = numbers_in(text)
    whole = digits(normalized)
    # Cliniko's own form counts only where it adds a country code or an area, not an extension or a remark's digits.
    if len(whole) >= MIN_DIGITS and (not written or (len(written) == 1 and whole.endswith(written[0].lstrip("0")))):
        return [whole]
    return written


def numbers_in(text: str) -> list[str]:
    """The phone numbers that a text holds, as digits; extensions and the digits of remarks are left out.

    A number goes on over spaces, brackets, dots, dashes and strokes; a letter or any other sign ends it, and so does a
    stroke that stands apart, a plus sign, a new line, or any stroke between enough digits for two.
    """
    found: list[str] = []
    for run in (run for part in _APART.split(text) for run in _RUNS.findall(part)):
        number = ""
        for piece in _PIECES.split(run):
            if len(number) >= MIN_DIGITS and len(digits(piece)) >= MIN_DIGITS:
                found.append(number)
                number = ""
            number += digits(piece)
        found.append(number)
    return [number for number in found if len(number) >= MIN_DIGITS]


def born(patient: Known[Patient]) -> date | None:
    """A patient's birthday, where the file has one."""
    return patient.record.date_of_birth


def same_person(one: Patient, other: Patient) -> SamePerson | None:
    """Why these two files may be one person's; None where nothing says so. A guess for people to check."""
    return _judged(_identity(one), _identity(other))


def slip_between(one: date | None, other: date | None) -> str:
    """What slip two dates of birth that differ may be, in words; empty where they are no slip."""
    return _birthdays(one, other)[1]


def pairs(patients: Sequence[Patient]) -> list[Pair]:
    """All pairs of these patients that may be one person, merged files left out; what too many share counts for none.

    Quick for a whole clinic: only patients who share something are compared.
    """
    return [Pair(patients[one], patients[other], verdict) for one, other, verdict in _verdicts(patients)]


def duplicates(patients: Iterable[Known[Patient]]) -> list[tuple[Known[Patient], Known[Patient], SamePerson]]:
    """Pairs that look like one person, with the reason; see `pairs`."""
    known = list(patients)
    verdicts = _verdicts([patient.record for patient in known])
    return [(known[one], known[other], verdict) for one, other, verdict in verdicts]


def doubles_of(
    one: Known[Patient], others: Iterable[Known[Patient]]
) -> list[tuple[Known[Patient], Known[Patient], SamePerson]]:
    """Those of the others that may be this one's person, each with the reason; see `same_person`."""
    own = _identity(one.record)
    verdicts = ((other, _judged(own, _identity(other.record))) for other in others)
    return [(one, other, verdict) for other, verdict in verdicts if verdict is not None]


def in_words(found: Sequence[tuple[Known[Patient], Known[Patient], SamePerson]]) -> str:
    """A sentence on the first few pairs that are likely one person's; empty where none is."""
    likely = [(one, other, verdict) for one, other, verdict in found if verdict.likely]
    shown = "; ".join(f"{one.id} and {other.id} ({verdict.why})" for one, other, verdict in likely[:_SHOWN])
    more = f"; and {counted(len(likely) - _SHOWN, 'more pair')}" if len(likely) > _SHOWN else ""
    return f"These ids are likely one person's files: {shown}{more}." if likely else ""


def _verdicts(patients: Sequence[Patient]) -> Iterator[tuple[int, int, SamePerson]]:
    """The pairs that may be one person, by their places in the sequence, in order."""
    kept = [place for place, patient in enumerate(patients) if not merged(patient)]
    known = _without_placeholders([_identity(patients[place]) for place in kept])
    for one, other in sorted(_sharing(known)):
        if (verdict := _judged(known[one], known[other])) is not None:
            yield kept[one], kept[other], verdict


def _identity(patient: Patient) -> _Identity:
    first, preferred, last = (
        clean(text or "", NAME_LENGTH) for text in (patient.first_name, patient.preferred_first_name, patient.last_name)
    )
    email = (patient.email or "").casefold().strip()
    return _Identity(
        name=tuple(words(f"{first} {last}")),
        firsts=tuple(filter(None, (_folded(first), _folded(preferred)))),
        last=_folded(last),
        born=patient.date_of_birth,
        emails=frozenset((email,) if email else ()),
        phones=frozenset(_numbers(patient)),
    )


def _folded(name: str) -> str:
    return " ".join(words(name))


def _judged(one: _Identity, other: _Identity) -> SamePerson | None:
    name, alike = _names(one, other)
    if not name:
        return None
    contact = "email" if one.emails & other.emails else "phone" if one.phones & other.phones else ""
    if name == _FIRST_NAME and not contact:
        return None
    birthday, slip = _birthdays(one.born, other.born)
    score = name + birthday + (_SAME_CONTACT if contact else 0.0)
    if score < _POSSIBLE:
        return None
    agreeing = [
        word
        for word, agrees in (
            ("name", name == _SAME_NAME),
            ("date of birth", birthday == _SAME_BIRTHDAY),
            (contact, bool(contact)),
            ("first name", name == _FIRST_NAME),
        )
        if agrees
    ]
    same = f"same {' and '.join(filter(None, (', '.join(agreeing[:-1]), *agreeing[-1:])))}" if agreeing else ""
    unknown = "date of birth not known" if agreeing == ["name"] and not slip else ""
    return SamePerson(score >= _LIKELY, ", ".join(filter(None, (same, alike, slip, unknown))), score)


def _names(one: _Identity, other: _Identity) -> tuple[float, str]:
    """How much the names agree, 0 for not at all, and in words what that is besides the same name or first name."""
    if same_name(one.name, other.name):
        return _SAME_NAME, ""
    firsts = [(first, theirs) for first in one.firsts for theirs in other.firsts]
    if one.last and one.last == other.last and any(a == b or is_short_form(a, b) for a, b in firsts):
        return _SHORT_NAME, "a short or preferred first name"
    if any(_like(first, theirs) for first, theirs in firsts):
        return (_LIKE_NAME, "like names") if _like(one.last, other.last) else (_FIRST_NAME, "")
    return 0.0, ""


def _birthdays(one: date | None, other: date | None) -> tuple[float, str]:
    """How much two dates of birth agree, below 0 where they contradict each other, and in words what slip it may be."""
    if one is None or other is None:
        return 0.0, ""
    if one == other:
        return _SAME_BIRTHDAY, ""
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return _SWAPPED_BIRTHDAY, "day and month of birth swapped"
    differing = sum(a != b for a, b in zip(one.isoformat(), other.isoformat(), strict=True))
    if differing == 1 and abs(one.year - other.year) < _GENERATION:
        return _SLIPPED_BIRTHDAY, "dates of birth one digit apart"
    return _OTHER_BIRTHDAY, ""


def _like(one: str, other: str) -> bool:
    return min(likeness(one.split(), other), likeness(other.split(), one)) >= _ALIKE


def _forms(identity: _Identity) -> set[object]:
    """What files share whose first names may be forms of one beside the same last name."""
    return {(identity.last, key) for first in identity.firsts for key in form_keys(first)}


def _without_placeholders(known: Sequence[_Identity]) -> list[_Identity]:
    """The same without what more than so many share: it says nothing of who they are."""
    days = Counter(identity.born for identity in known if identity.born)
    emails = Counter(email for identity in known for email in identity.emails)
    phones = Counter(phone for identity in known for phone in identity.phones)
    return [
        replace(
            identity,
            born=identity.born if identity.born and days[identity.born] <= _LARGEST else None,
            emails=frozenset(email for email in identity.emails if emails[email] <= _LARGEST),
            phones=frozenset(phone for phone in identity.phones if phones[phone] <= _LARGEST),
        )
        for identity in known
    ]


def _sharing(known: Sequence[_Identity]) -> set[tuple[int, int]]:
    """The places of all pairs that share a date of birth, an email, a phone or a name."""
    found: set[tuple[int, int]] = set()
    shared: tuple[Callable[[_Identity], Iterable[object]], ...] = (
        lambda identity: [identity.born] if identity.born else [],
        lambda identity: identity.emails,
        lambda identity: identity.phones,
        lambda identity: [letters_of(identity.name)] if identity.name else [],
        _forms,
    )
    for keys_of in shared:
        groups: dict[object, list[int]] = {}
        for place, identity in enumerate(known):
            for key in keys_of(identity):
                groups.setdefault(key, []).append(place)
        for group in groups.values():
            if len(group) <= _LARGEST:
                found.update(combinations(group, 2))
    return found
