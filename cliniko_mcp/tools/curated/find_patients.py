"""find_patients: patients by whatever is known of them, with likely duplicates.

Requests: 5 cold, 4 warm (with the set-up in memory) for a usual call. In general a name as in `frontdesk.patients`, an
email, a birthday or an id one, also beside a name that does not suffice, and one more for the birthday of the best
match; a phone number, unless somebody has the name beside it, one for each hundred patients, up to 3,000, the latest
changed first, because Cliniko cannot be asked for it (cliniko-api.md#filters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.filters import Contains, FilterValue
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk import patient_names, patients
from cliniko_mcp.frontdesk.answer_rows import Duplicates, Page, PersonRow
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.duplicates import MIN_DIGITS, born, digits, duplicates
from cliniko_mcp.frontdesk.patient_phrase import PatientPhrase, read_phrase
from cliniko_mcp.frontdesk.roster import Known, name_text, named, person_row, preferred_first_name
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean, counted
from cliniko_mcp.tools.tool import curated

_MAX_QUERY: Final = 200
_ID: Final = re.compile(r"[0-9]{1,20}")
_YEAR: Final = re.compile(r"(?:18|19|20)[0-9]{2}")


class FindPatients(Body):
    """Whatever is known of a patient, in one text, and how many to show."""

    query: str = Field(min_length=1, max_length=_MAX_QUERY)
    limit: int = Field(default=10, ge=1, le=50)


@dataclass(slots=True)
class _Result:
    """Who was found, how it was looked for, and remarks; `close` says that none fits and these only come near."""

    by: str
    patients: Sequence[Known[Patient]]
    close: bool = False
    notes: list[str] = field(default_factory=list[str])
    whole: bool = True
    beside: Sequence[Known[Patient]] = ()
    """Others who were read and among whom is everyone with the birthday of those who fit; none where that is open."""


class FoundRow(PersonRow):
    """A patient who was found."""

    preferred_first_name: str | None = Field(default=None, description="First name they go by, where it is another.")
    email: str | None = Field(default=None, description="Email.")
    phones: list[str] | None = Field(default=None, description="Phone numbers, mobile first.")
    hidden: str | None = Field(default=None, serialization_alias="is", description="Why the file is hidden: archived.")


class PatientsFound(AnswerModel):
    """The patients that fit, and files that may be one person's."""

    by: str = Field(description="What was looked for: name, email, phone, id.")
    items: list[FoundRow] = Field(description="Patients, the closest first.")
    page: Page = Field(description="How many of how many are shown.")
    duplicates: list[Duplicates] | None = Field(default=None, description="Files that may be one person's.")


async def find_patients(clinic: GuardedClinic, arguments: FindPatients) -> Answer:
    """The patients that fit, the closest first, archived ones too; where none does, those that come near."""
    found = await _look(clinic, clean(arguments.query, _MAX_QUERY))
    shown = list(found.patients[: arguments.limit])
    notes = found.notes
    if found.close and shown:
        notes.append("Nobody fits exactly: these come near. Ask before using one of them.")
    if not shown:
        notes.append("Nobody was found. Try part of the name, another spelling, the email or the date of birth.")
    if len(shown) < len(found.patients):
        notes.append(f"{len(found.patients) - len(shown)} more fit: say more of the name, or give a larger limit.")
    twins = await _duplicates(clinic, shown, found)
    if twins:
        notes.append("duplicates are guesses for a person to check; files are merged in Cliniko itself.")
    total = len(found.patients)
    body = PatientsFound(
        by=found.by,
        items=[_row(patient) for patient in shown],
        page=Page(returned=len(shown), total=total, complete=found.whole and len(shown) == total),
        duplicates=twins or None,
    )
    return Answer(body, notes)


async def _look(clinic: GuardedClinic, query: str) -> _Result:
    if _ID.fullmatch(query) and not query.startswith("0"):
        record = (await clinic.by_id(Patients.list_patients, [query])).get(query)
        if record is not None:
            return _Result("id", [patients.known_patient(record)])
    phrase = await read_phrase(clinic, query)
    alone = not phrase.name and len(phrase.parts) == 1
    if alone and phrase.email:
        return await _where(clinic, "email", email=Contains(phrase.email))
    if alone and phrase.day is not None:
        return await _where(clinic, f"date of birth {phrase.day.isoformat()}", date_of_birth=phrase.day)
    number = phrase.phone or phrase.number
    if alone and len(number) >= MIN_DIGITS:
        return await _by_phone(clinic, number)
    if digits(query) == query:
        if _YEAR.fullmatch(query):
            found = await patients.by_phrase(clinic, PatientPhrase(year=int(query)))
            return _Result(
                f"year of birth {query}", _live_first(found.patients), notes=_partly(found), whole=found.whole
            )
        raise InvalidArguments(
            f"There is no patient with the id {query}, and it is too short for a phone number.",
            "Give the whole number, or a name, email or date of birth.",
            field="query",
        )
    found = await patients.by_phrase(clinic, phrase)
    notes = _partly(found)
    if found.missed and found.patients:
        notes.append(
            f"This does not fit {named(found.patients[0])}: {', '.join(found.missed)}. Ask before using a file."
        )
    whole = found.whole and found.folded
    return _Result(_ways(phrase), found.patients, found.close, notes, whole, found.beside)


def _ways(phrase: PatientPhrase) -> str:
    ways = [part.removeprefix("the ") for part in phrase.parts]
    return " and ".join(["name", *ways] if phrase.name or not ways else ways)


async def _where(clinic: GuardedClinic, by: str, **filters: FilterValue) -> _Result:
    """The patients that these filters find, hidden ones too, those in use first: a request for each hundred."""
    found = await patient_names.listed(clinic, filters)
    return _Result(by, _live_first(found.patients), notes=_partly(found), whole=found.whole)


def _live_first(found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    return sorted(found, key=lambda patient: (bool(patient.gone), patient.name, patient.id))


def _partly(found: patient_names.Found) -> list[str]:
    if not found.whole:
        return ["Very many patients fit and not all were read: say more, such as the full name."]
    if not found.folded:
        return ["Too many patients to compare every spelling: others may be written otherwise. Say more of the name."]
    return []


async def _by_phone(clinic: GuardedClinic, number: str) -> _Result:
    """Patients with this number, looked for in a bounded sweep; the remark says what it covered."""
    swept = await patients.by_phone(clinic, number)
    total = counted(swept.total, "patient was", "patients were")
    covered = (
        f"Phone numbers cannot be searched in Cliniko: all {total} looked through."
        if swept.whole
        else f"Phone numbers cannot be searched in Cliniko: the {swept.covered:,} latest changed of {swept.total:,} "
        "patients were looked through, so somebody may be missing. Try the name or the date of birth."
    )
    found = _live_first(swept.patients)
    return _Result("phone", found, notes=[covered], whole=swept.whole, beside=swept.everyone)


async def _duplicates(clinic: GuardedClinic, shown: Sequence[Known[Patient]], found: _Result) -> list[Duplicates]:
    """Pairs among those shown, and other files with the birthday of the best match."""
    pool = {patient.id: patient for patient in shown}
    ids = frozenset(pool)
    day = born(shown[0]) if shown and not found.close else None
    if day is not None:
        same = found.beside or (await _where(clinic, "", date_of_birth=day)).patients
        pool |= {patient.id: patient for patient in same if born(patient) == day}
    return [
        Duplicates(
            confidence="likely" if verdict.likely else "possible",
            why=verdict.why,
            patients=[person_row(one), person_row(other)],
        )
        for one, other, verdict in duplicates(pool.values())
        if one.id in ids or other.id in ids
    ]


def _row(patient: Known[Patient]) -> FoundRow:
    row = person_row(patient)
    return FoundRow(
        id=row.id,
        name=row.name,
        preferred_first_name=preferred_first_name(patient),
        born=row.born,
        email=name_text(patient.record.email) or None,
        phones=phones_of(patient) or None,
        hidden=patient.gone or None,
    )


tool = curated(
    "find_patients",
    "Find a patient (client) by name in any order or misspelt, part of a name, email, date of birth, phone or id, "
    "archived ones too. Shows likely duplicates. Whole file: get_patient; new one: register_patient.",
    FindPatients,
    find_patients,
    answer=PatientsFound,
    needs=patients.NEEDS,
)
