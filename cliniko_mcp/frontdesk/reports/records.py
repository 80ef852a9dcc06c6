"""Reports on patients' records: likely duplicates, and missing contact details.

Requests: one a hundred patients of the clinic; with a time, practitioner or site those of their visits too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import combinations
from typing import Final

from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk.concurrency import gathered
from cliniko_mcp.frontdesk.matching import fold, likeness, words
from cliniko_mcp.frontdesk.reports.asked import Asked, Finding, Json
from cliniko_mcp.results.names import person

_NEVER = datetime.max.replace(tzinfo=UTC)
_ALIKE: Final = 85.0
_LARGEST: Final = 30
"""People sharing one date of birth, email or phone that are compared; more is a placeholder such as 1900-01-01."""
Keys = Callable[[Patient], list[str]]


async def duplicates(asked: Asked) -> Finding:
    """Records that seem to be of one person, the surest first."""
    seen = await _seen(asked)
    patients = await _patients(asked)
    pairs: dict[tuple[str, str], tuple[bool, str]] = {}
    for one, other, sure, why in _pairs(patients):
        key = (min(one.id, other.id), max(one.id, other.id))
        if key not in pairs or (sure and not pairs[key][0]):
            pairs[key] = (sure, why)
    groups = [each for each in _groups(patients, pairs) if seen is None or any(one.id in seen for one in each[0])]
    groups.sort(key=lambda each: (not each[1], person(each[0][0])))
    sure = sum(likely for _, likely, _ in groups)
    return Finding(
        "Likely: the same name and date of birth, or the same email or phone and a like name. Possible: the same date "
        "of birth and a like name (twins too), the same email or phone and first name (a new surname), or the same "
        "name, one without date of birth. "
        f"Archived and merged records are left out.{_ONLY if asked.narrowed else ''}",
        {"groups": len(groups), "likely": sure, "possible": len(groups) - sure, "patients": len(patients)},
        [_group(*each) for each in groups],
        ["Cliniko's API cannot merge records; a person does that in Cliniko itself."],
    )


_ONLY: Final = " Only those of whom someone has a visit in the time, with the practitioner, at the site asked about."


def _pairs(patients: Sequence[Patient]) -> Iterator[tuple[Patient, Patient, bool, str]]:
    names = {each.id: " ".join(words(_name(each))) for each in patients}
    for some in _sharing(patients, lambda each: [str(each.date_of_birth)] if each.date_of_birth else []):
        for one, other in combinations(some, 2):
            if sorted(names[one.id].split()) == sorted(names[other.id].split()):
                yield one, other, True, "same name and date of birth"
            elif _alike(one, other):
                yield one, other, False, "same date of birth, like names"
    reached: tuple[tuple[str, Keys], ...] = (("email", _emails), ("phone", _numbers))
    for what, keys in reached:
        for some in _sharing(patients, keys):
            for one, other in combinations(some, 2):
                if _alike(one, other):
                    yield one, other, True, f"same {what}, like names"
                elif _alike_first(one, other):
                    yield one, other, False, f"same {what} and first name"
    for some in _sharing(patients, lambda each: [names[each.id]] if names[each.id] else []):
        for one, other in combinations(some, 2):
            if one.date_of_birth is None or other.date_of_birth is None:
                yield one, other, False, "same name, date of birth not known"


def _sharing(patients: Iterable[Patient], keys: Keys) -> Iterator[list[Patient]]:
    found: dict[str, list[Patient]] = {}
    for each in patients:
        for key in keys(each):
            found.setdefault(key, []).append(each)
    yield from (some for some in found.values() if 1 < len(some) <= _LARGEST)


def _name(patient: Patient) -> str:
    return " ".join(part for part in (patient.first_name, patient.last_name) if part)


def _numbers(patient: Patient) -> list[str]:
    found = patient.patient_phone_numbers or ()
    digits = ("".join(filter(str.isdigit, each.normalized_number or each.number or "")) for each in found)
    return [each for each in dict.fromkeys(digits) if len(each) > 5]


def _emails(patient: Patient) -> list[str]:
    return [email] if (email := (patient.email or "").casefold().strip()) else []


def _alike(one: Patient, other: Patient) -> bool:
    """Whether first (or preferred) and last names are nearly the same."""
    return _near(one.last_name, other.last_name) and _alike_first(one, other)


def _alike_first(one: Patient, other: Patient) -> bool:
    firsts = [each for each in (one.first_name, one.preferred_first_name) if each]
    others = [each for each in (other.first_name, other.preferred_first_name) if each]
    return any(_near(mine, theirs) for mine in firsts for theirs in others)


def _near(one: str | None, other: str | None) -> bool:
    mine, theirs = words(one or ""), words(other or "")
    if not mine or not theirs:
        return False
    return mine == theirs or min(likeness(mine, fold(other or "")), likeness(theirs, fold(one or ""))) >= _ALIKE


def _groups(
    patients: Sequence[Patient], pairs: dict[tuple[str, str], tuple[bool, str]]
) -> list[tuple[list[Patient], bool, list[str]]]:
    known = {each.id: each for each in patients}
    root = {each.id: each.id for each in patients}

    def top(one: str) -> str:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one, other in pairs:
        root[top(one)] = top(other)
    members: dict[str, list[str]] = {}
    for each in {one for pair in pairs for one in pair}:
        members.setdefault(top(each), []).append(each)
    found: list[tuple[list[Patient], bool, list[str]]] = []
    for ids in members.values():
        mine = [verdict for pair, verdict in pairs.items() if pair[0] in ids]
        some = sorted((known[each] for each in ids), key=lambda patient: patient.created_at or _NEVER)
        found.append((some, any(sure for sure, _ in mine), sorted({why for _, why in mine})))
    return found


def _group(some: Sequence[Patient], sure: bool, why: Sequence[str]) -> Json:
    return {
        "confidence": "likely" if sure else "possible",
        "why": "; ".join(why),
        "patients": [_one(each) for each in some],
    }


def _one(patient: Patient) -> Json:
    row: Json = {"id": patient.id, "name": person(patient)}
    if isinstance(patient.date_of_birth, date):
        row["born"] = patient.date_of_birth.isoformat()
    return row


async def missing_contacts(asked: Asked) -> Finding:
    """Patients without a phone number or an email, those without either first."""
    seen = await _seen(asked)
    patients = await _patients(asked)
    if seen is not None:
        patients = [each for each in patients if each.id in seen]
    rows: list[tuple[int, str, Json]] = []
    phones = emails = neither = 0
    for each in patients:
        missing = [*(["phone"] if not _numbers(each) else []), *(["email"] if not (each.email or "").strip() else [])]
        phones += "phone" in missing
        emails += "email" in missing
        neither += len(missing) == 2
        if missing:
            row: Json = {"patient_id": each.id, "missing": [*missing]}
            reminder = (each.reminder_type or "").lower()
            if ("sms" in reminder and "phone" in missing) or ("email" in reminder and "email" in missing):
                row["reminders"] = f"set to {each.reminder_type}, which cannot reach them"
            rows.append((-len(missing), person(each), row))
    rows.sort(key=lambda each: each[:2])
    return Finding(
        f"Patients who are not archived and have no phone number at all, or no email.{_ONLY if asked.narrowed else ''}",
        {"patients": len(patients), "no_phone": phones, "no_email": emails, "neither": neither},
        [row for _, _, row in rows],
    )


async def _patients(asked: Asked) -> list[Patient]:
    rows = await gathered(asked.clinic.all_named("list_patients"))
    return [each for each in rows if isinstance(each, Patient) and each.merged_at is None]


async def _seen(asked: Asked) -> set[str] | None:
    """The patients with a live visit in the time, with the practitioner, at the site; None where nothing is named."""
    if not asked.narrowed:
        return None
    if asked.span is None:
        raise InvalidArguments(
            "Patients have no practitioner or site of their own, only those of their visits, and no time is said.",
            "Give when too, such as past 12 months: patients with a visit then are looked at.",
            field="when",
        )
    return {each.patient_id for each in await asked.visits()}
