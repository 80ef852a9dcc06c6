"""Patients by a name in any order or misspelt, an email, a date of birth or an id.

Cliniko filters first, last and preferred names apart and compares letters exactly (cliniko-api.md#filters), so a name
of two words takes 6 questions at once (3 for one word, at most 14), each a pattern that every spelling fits: a request
for each hundred rows, up to 1,000, above which it is asked more narrowly. A name that nothing fits takes at most as
many requests again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import Between, Contains, FilterValue, Hidden, Like
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import Ambiguous, NotFound
from cliniko_mcp.frontdesk import roster
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.duplicates import MIN_DIGITS, duplicates, in_words, same_person
from cliniko_mcp.frontdesk.matching import TIERS, best_tier, fits, likeness, words
from cliniko_mcp.frontdesk.name_patterns import one_sign_more, patterns
from cliniko_mcp.frontdesk.patient_phrase import PatientPhrase, has_number, read_phrase
from cliniko_mcp.frontdesk.roster import (
    MAX_CANDIDATES,
    Known,
    best_fitting,
    chosen,
    gone,
    is_id,
    merged,
    missing,
    name_text,
    named,
    with_birth_year,
)
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients,)
ADVICE: Final = "find_patients looks further: by email, date of birth, phone or a name that is spelt another way."

MAX_SWEPT: Final = 3_000
"""Patients looked through for a phone number."""

_PAGE: Final = 100
_MAX_ROWS: Final = 1_000
"""Rows that one question may have before it is asked more narrowly."""
_MAX_WORDS: Final = 4
_MAX_RESPELT: Final = 10
"""Questions for other spellings of the name of one patient."""
_CLOSE: Final = 76.0
_NAMELESS: Final = re.compile(r"“?patient ([0-9]{1,20})\b")
"""What a patient without any name is called, see `known_patient`."""
_EDGES: Final = re.compile(r"^[^\w]+|[^\w.]+$")
Filters = Mapping[str, FilterValue]
"""Filters of `list_patients`, all of which have to fit."""
_Question = tuple[tuple[str, str], ...]
"""Names, each with the field that should hold it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Patients that fit, the closest first; `close` says that none fits and these only come near; `whole` that every
    row was read which Cliniko has for the words, `folded` that they were asked for in every spelling; `questions` is
    how many were asked."""

    patients: tuple[Known[Patient], ...]
    close: bool = False
    whole: bool = True
    folded: bool = True
    questions: int = 0
    missed: tuple[str, ...] = ()
    """What was said besides the name and does not fit the first of them."""
    read: tuple[Known[Patient], ...] = ()
    """All who were read on the way, those that do not fit too."""


@dataclass(frozen=True, slots=True)
class Swept:
    """Patients with a phone number, how many of how many patients were looked through, and whether those were all."""

    patients: list[Known[Patient]]
    covered: int
    total: int
    whole: bool


def known_patient(record: Patient) -> Known[Patient]:
    """A patient with the names they go by; archived and merged ones say so."""
    first, preferred, last = map(name_text, (record.first_name, record.preferred_first_name, record.last_name))
    names = [
        f"{last} {first}",
        name_text(record.label),
        *(" ".join(part for part in (forename, last) if part) for forename in (first, preferred)),
    ]
    name = name_of(record) or f"patient {record.id}"
    return Known(record.id, name, record, gone(record), tuple(filter(None, names)))


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
    if numbered := _NAMELESS.match(query):
        record = (await clinic.by_id(Patients.list_patients, [numbered[1]])).get(numbered[1])
        known = known_patient(record) if record is not None and not name_of(record) else None
        if known is not None and query in (known.name, named(known), with_birth_year(known)):
            return known
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
            one = _chosen(phrase.name, rows | await _spelt_otherwise(clinic, one))
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
    others = [row for row in read if row.id not in told and not merged(row.record)]
    found = [(one, row, verdict) for row in others if (verdict := same_person(one.record, row.record))]
    return replace(one, doubles=in_words(found))


async def by_phrase(clinic: GuardedClinic, phrase: PatientPhrase) -> Found:
    """Patients of this name who fit most of the rest that was said, `missed` what the best of them did not fit.

    Where nobody has the name, those who fit the rest come near. A name as in `by_name`; the rest takes a request where
    the name does not suffice, and a phone number a sweep where nobody has the name, see `by_phone`.
    """
    parts = phrase.parts
    if not phrase.name:
        return _most_fitting(await _by_part(clinic, phrase), phrase)
    found = await by_name(clinic, phrase.name)
    if not parts:
        return found
    if found.close or not found.patients or not found.whole or not found.folded:
        nobody = found.close or not found.patients
        others = await _by_part(clinic, phrase) if nobody or phrase.is_asked_for else Found(())
        spoken = words(phrase.name)
        fitting = _fitting(spoken, others.patients)
        if found.close and fitting:  # none of the others has the name
            return _most_fitting(replace(others, patients=tuple(_ranked(spoken, fitting))), phrase)
        rows = {row.id: row for row in (*found.patients, *(fitting or (others.patients if found.close else ())))}
        narrowed = phrase.is_asked_for and others.whole
        found = replace(
            found,
            patients=tuple(rows.values()),
            whole=found.whole or narrowed,
            folded=found.folded or narrowed,
            close=found.close or not found.patients,
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
        return await listed(clinic, {"email": phrase.email})
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
    total = len(known) if sweep.complete or sweep.total is None else sweep.total
    return Swept([row for row in known if has_number(row, number)], len(known), total, sweep.complete)


async def by_name(clinic: GuardedClinic, query: str) -> Found:
    """Patients whose names hold these words in any order, archived ones too; where none does, those that come near."""
    spelt = _spelt(query)
    if not spelt:
        return Found(())
    found = await _answers(clinic, _questions(spelt))
    spoken = words(" ".join(spelt))
    if fitting := _fitting(spoken, found.patients):
        return replace(found, patients=tuple(_ranked(spoken, fitting)), read=found.patients)
    # Fewer requests than before, a page each.
    more = await _read(clinic, _calls(_pieces(spelt)[: max(found.questions - 2, 2)]), limit=_PAGE)
    near = {row.id: row for row in (*found.patients, *more.patients)}.values()
    if fitting := _fitting(spoken, near):
        return replace(found, patients=tuple(_ranked(spoken, fitting)), read=tuple(near))
    close = [row for row in near if _closeness(spoken, row) >= _CLOSE]
    return replace(found, patients=tuple(_ranked(spoken, close)), close=True)


async def listed(clinic: GuardedClinic, filters: Filters) -> Found:
    """The patients that fit all these filters, hidden ones too, up to 1,000: a request for each hundred."""
    return await _read(clinic, _calls([filters]), limit=_MAX_ROWS)


def _calls(questions: Sequence[Filters]) -> list[Call[Patient]]:
    return [Patients.list_patients.where({**filters, "archived_at": Hidden.INCLUDED}) for filters in questions]


async def _read(clinic: GuardedClinic, calls: Sequence[Call[Patient]], *, limit: int) -> Found:
    sweeps = await run_concurrently(*(partial(clinic.rows, call, limit=limit) for call in calls))
    rows = {row.id: row for sweep in sweeps for row in sweep.rows}
    return Found(tuple(map(known_patient, rows.values())), whole=all(sweep.complete for sweep in sweeps))


async def _answers(clinic: GuardedClinic, questions: Sequence[_Question]) -> Found:
    """Everyone whose names hold what is asked for however it is spelt; see `_narrowed`. Equal questions are one."""
    first = {frozenset(next(patterns(question))[1].items()): question for question in questions}
    answers = await run_concurrently(*(partial(_narrowed, clinic, question) for question in first.values()))
    rows = {row.id: row for answer in answers for row in answer.patients}
    return Found(
        tuple(rows.values()),
        whole=all(answer.whole for answer in answers),
        folded=all(answer.folded for answer in answers),
        questions=len(answers),
    )


async def _narrowed(clinic: GuardedClinic, question: _Question) -> Found:
    """The answer to the widest pattern that has not too many rows; `folded` says that it was the widest of all."""
    found = Found((), whole=False, folded=False)
    for widest, fields in patterns(question):
        filters = {field: Like(pattern) for field, pattern in fields.items()}
        (call,) = _calls([filters])
        page = await clinic.rows(call, limit=_PAGE)
        rows = page.rows
        whole = page.complete
        if not whole and (page.total or 0) <= _MAX_ROWS and page.next_position is not None:
            rest = await clinic.rows(call, limit=_MAX_ROWS - _PAGE, start=page.next_position)
            rows, whole = (*rows, *rest.rows), rest.complete
        found = Found(tuple(map(known_patient, rows)), whole=whole, folded=widest and whole)
        if whole:
            break
    return found


async def _spelt_otherwise(clinic: GuardedClinic, one: Known[Patient]) -> dict[str, Known[Patient]]:
    """Patients called like this one with one sign more or less, by id: a request for each letter that may have one.

    Where too many have a like name to ask for every spelling, these are who would be taken for one another.
    """
    names = ("first_name", name_text(one.record.first_name)), ("last_name", name_text(one.record.last_name))
    parts = [(field, text) for field, text in names if text]
    questions = one_sign_more(parts)[:_MAX_RESPELT]
    filters = [{field: Like(pattern) for field, pattern in fields.items()} for fields in questions]
    found = await _read(clinic, _calls(filters), limit=_PAGE)
    own = words(" ".join(text for _, text in parts))
    return {row.id: row for row in found.patients if fits(own, row.names, "exact")}


def _spelt(query: str) -> list[str]:
    """The words to ask Cliniko for, as they are spelt: no titles, no punctuation at their ends."""
    bare = [_EDGES.sub("", word) for word in clean(query, 200).replace(",", " ").split()]
    kept = [word for word in bare if word and words(word)]
    return [word for word in kept if words(f"{word} x") != ["x"]][:_MAX_WORDS] or kept[:1]


def _questions(spelt: Sequence[str]) -> list[_Question]:
    whole = " ".join(spelt)
    if len(spelt) == 1:
        single: list[_Question] = [((field, whole),) for field in ("first_name", "last_name", "preferred_first_name")]
        return [*single, *_unspaced(whole)]
    questions: list[_Question] = [((field, whole),) for field in ("first_name", "last_name")]
    for place in range(1, len(spelt)):
        one, other = " ".join(spelt[:place]), " ".join(spelt[place:])
        for first, last in ((one, other), (other, one)):
            questions += [((field, first), ("last_name", last)) for field in ("first_name", "preferred_first_name")]
    return questions


def _unspaced(whole: str) -> Iterable[_Question]:
    """Names that are written without a space, family name first, as in Chinese and Japanese."""
    if whole.isascii() or not 2 <= len(whole) <= 4 or any(letter.islower() or letter.isupper() for letter in whole):
        return
    for place in range(1, len(whole)):
        yield ("last_name", whole[:place]), ("first_name", whole[place:])


def _pieces(spelt: Sequence[str]) -> list[Filters]:
    """Beginnings and ends of the words: a misspelt name has at least one of them right."""
    longest = sorted(spelt, key=len, reverse=True)[:2]
    sizes = [(word, 3 if len(word) > 4 else 2) for word in longest]
    pieces = dict.fromkeys(piece for word, size in sizes for piece in (word[:size], word[-size:]) if len(piece) > 1)
    return [{field: Contains(piece)} for field in ("last_name", "first_name") for piece in pieces]


def _fitting(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    return [row for row in found if fits(spoken, [*row.names, " ".join(row.names)], "prefixes")]


def _closeness(spoken: Sequence[str], known: Known[Patient]) -> float:
    return max((likeness(spoken, name) for name in (*known.names, " ".join(known.names))), default=0.0)


def _ranked(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    def rank(known: Known[Patient]) -> tuple[int, bool, float, str]:
        tier = best_tier(spoken, known.names)
        return len(TIERS) if tier is None else tier, bool(known.gone), -_closeness(spoken, known), known.id

    return sorted(found, key=rank)
