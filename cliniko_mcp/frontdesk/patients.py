"""Patients by a name in any order or misspelt, an email, a date of birth or an id.

A birth date, a year, an email or an id beside a name is asked for first, the name only where nobody there has it; what
a name takes stands in `patient_names`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from cliniko_mcp.cliniko.filters import Between, Contains, Hidden
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import Ambiguous, NotFound
from cliniko_mcp.frontdesk import roster
from cliniko_mcp.frontdesk.duplicates import MIN_DIGITS, doubles_of, duplicates, in_words
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.patient_names import (
    Found,
    by_name,
    known_patient,
    listed,
    ranked,
    spelt_otherwise,
    with_name,
)
from cliniko_mcp.frontdesk.patient_phrase import PatientPhrase, has_number, read_phrase
from cliniko_mcp.frontdesk.roster import (
    MAX_CANDIDATES,
    Known,
    best_fitting,
    chosen,
    is_id,
    merged,
    missing,
    named,
)
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients,)
ADVICE: Final = "find_patients looks further: by email, date of birth, phone or a name that is spelt another way."

MAX_SWEPT: Final = 3_000
"""Patients looked through for a phone number."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Patients with a phone number, how many of how many patients were looked through, and whether those were all;
    `everyone` are all of them then."""

    patients: list[Known[Patient]]
    covered: int
    total: int
    whole: bool
    everyone: Sequence[Known[Patient]] = ()


async def patient(clinic: GuardedClinic, query: str) -> Known[Patient]:
    """The one patient of this id, or of this name, email, date of birth or phone number in any mixture; archived ones
    are found where no other fits, see `Known.gone`, and named beside one that fits, see `Known.note`.

    Raises Ambiguous where several fit equally well and NotFound where none fits all that was said, both with up to five
    candidates. An id takes one request, kept for a minute.
    """
    query = query.strip()
    if is_id(query):
        if (record := (await clinic.by_id(Patients.list_patients, [query])).get(query)) is not None:
            return known_patient(record)
        if len(query) < MIN_DIGITS or not query.startswith("0"):
            raise NotFound(f"There is no patient with the id {query}.", ADVICE)
    shown = clean(query, 80)
    phrase = await read_phrase(clinic, clean(query, 255))
    found = await by_phrase(clinic, phrase)
    if found.close or found.missed or not found.patients:
        unfit = f"Of {named(found.patients[0])} this did not fit: {', '.join(found.missed)}. " if found.missed else ""
        raise missing("patient", shown, found.patients[:MAX_CANDIDATES], f"{unfit}{ADVICE}")
    if not found.whole:  # among those that were not read there may be another who fits as well
        raise ambiguous(shown, found.patients)
    if phrase.name:
        rows = {row.id: row for row in found.patients}
        one = _chosen(phrase.name, rows)
        if not found.folded and not phrase.parts:
            one = _chosen(phrase.name, rows | await spelt_otherwise(clinic, one))
        return _with_doubles(one, found.read)
    live = [row for row in found.patients if not row.gone] or list(found.patients)
    if len(live) > 1:
        raise ambiguous(shown, live)
    return replace(live[0], others=tuple(row for row in found.patients if row.id != live[0].id))


def ambiguous(query: str, found: Sequence[Known[Patient]]) -> Ambiguous:
    """The error that several patients fit, which says who of them may be one person; the caller raises it."""
    return _telling_doubles(roster.ambiguous("patient", query, found), found)


def _chosen(name: str, rows: Mapping[str, Known[Patient]]) -> Known[Patient]:
    try:
        return chosen("patient", name, rows, ADVICE)
    except Ambiguous as problem:
        raise _telling_doubles(problem, best_fitting(words(name), rows.values())) from None


def _telling_doubles(problem: Ambiguous, found: Sequence[Known[Patient]]) -> Ambiguous:
    told = in_words(duplicates(found[:MAX_CANDIDATES]))
    return Ambiguous(problem.message, f"{problem.fix} {told}".strip(), **problem.details)


def _with_doubles(one: Known[Patient], read: Iterable[Known[Patient]]) -> Known[Patient]:
    """The same with what is to be said of other files that are likely the same person's, among those that were read."""
    told = {one.id, *(other.id for other in one.others)}
    others = (row for row in read if row.id not in told and not merged(row.record))
    return replace(one, doubles=in_words(doubles_of(one, others)))


async def by_phrase(clinic: GuardedClinic, phrase: PatientPhrase) -> Found:
    """Patients of this name who fit most of the rest that was said, `missed` what the best of them did not fit.

    Where nobody has the name, those who fit the rest come near. What Cliniko can be asked for besides a name is asked
    for first, a request or a few, and the name only where nobody there has it, as in `by_name`; a phone number takes a
    sweep where nobody has the name, see `by_phone`.
    """
    parts = phrase.parts
    if not phrase.name:
        return _most_fitting(await _by_part(clinic, phrase), phrase)
    if not parts:
        return await by_name(clinic, phrase.name)
    spoken = words(phrase.name)
    others = await _by_part(clinic, phrase.asked_for) if phrase.is_asked_for else None
    if others is not None and others.whole:
        # Whoever fits all of it is among these: nobody else has to be looked for by name.
        fitting = _most_fitting(replace(others, patients=tuple(with_name(spoken, others.patients))), phrase)
        if fitting.patients and not fitting.missed:
            born_then = others.patients if phrase.asked_for.day or phrase.asked_for.year else ()
            return replace(
                fitting, patients=tuple(ranked(spoken, fitting.patients)), read=others.patients, beside=born_then
            )
    found = await by_name(clinic, phrase.name)
    if found.close or not found.whole or not found.folded:
        if others is None:
            others = await _by_part(clinic, phrase) if found.close else Found(())
        fitting = with_name(spoken, others.patients)
        if found.close and fitting:  # none of the others has the name
            return _most_fitting(replace(others, patients=tuple(ranked(spoken, fitting))), phrase)
        rows = {row.id: row for row in (*found.patients, *(fitting or (others.patients if found.close else ())))}
        narrowed = phrase.is_asked_for and others.whole
        found = replace(
            found,
            patients=tuple(rows.values()),
            whole=found.whole or narrowed,
            folded=found.folded or narrowed,
        )
    return _most_fitting(found, phrase)


def _most_fitting(found: Found, phrase: PatientPhrase) -> Found:
    """Those who fit as many parts as the best does; of equal ones first whom the rest contradicts least."""
    parts = phrase.parts
    fits_of = {row.id: [part for part, fits_part in parts.items() if fits_part(row)] for row in found.patients}
    most = max((len(fitting) for fitting in fits_of.values()), default=0)
    best = [row for row in found.patients if len(fits_of[row.id]) == most]
    if most < len(parts):
        best.sort(key=lambda row: -phrase.likeness(row))
    slip = phrase.slip(best[0]) if best else ""
    missed = tuple(
        f"{part} ({slip})" if slip and part.startswith("the date of birth") else part
        for part in parts
        if best and part not in fits_of[best[0].id]
    )
    return replace(found, patients=tuple(best), missed=missed)


async def _by_part(clinic: GuardedClinic, phrase: PatientPhrase) -> Found:
    """The patients that the surest part besides the name finds."""
    if record_id := phrase.id or phrase.number:
        record = (await clinic.by_id(Patients.list_patients, [record_id])).get(record_id)
        if record is not None or phrase.id:
            return Found((known_patient(record),) if record is not None else ())
    if phrase.email:
        return await listed(clinic, {"email": Contains(phrase.email)})
    if phrase.day is not None:
        return await listed(clinic, {"date_of_birth": phrase.day})
    if number := phrase.phone or phrase.number:
        swept = await by_phone(clinic, number)
        return Found(tuple(swept.patients), whole=swept.whole)
    if (year := phrase.year) is not None and 1 <= year < date.max.year:
        return await listed(clinic, {"date_of_birth": Between(date(year, 1, 1), date(year + 1, 1, 1))})
    return Found(())


async def by_phone(clinic: GuardedClinic, number: str) -> Swept:
    """Patients with this number, looked for in the 3,000 latest changed: a request for each hundred."""
    call = Patients.list_patients.call(archived_at=Hidden.INCLUDED, sort="updated_at:desc")
    sweep = await clinic.rows(call, limit=MAX_SWEPT)
    known = [known_patient(row) for row in sweep.rows]
    # Before nobody is said to have it, what came from memory is read once more.
    if not any(has_number(row, number) for row in known) and clinic.course.swept_at and clinic.look_again():
        sweep = await clinic.rows(call, limit=MAX_SWEPT)
        known = [known_patient(row) for row in sweep.rows]
    total = len(known) if sweep.complete or sweep.total is None else sweep.total
    having = [row for row in known if has_number(row, number)]
    return Swept(having, len(known), total, sweep.complete, known if sweep.complete else ())
