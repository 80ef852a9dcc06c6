"""Patients by a name in any order or misspelt, an email, a date of birth or an id.

Cliniko filters first, last and preferred names apart and compares parts of them (cliniko-api.md#filters), so a name of
two words takes 5 requests at once (3 for one word, at most 13), and one that nothing fits 4 more a word, each of at
most 5 pages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import Contains, Hidden
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import TIERS, fits, likeness, words
from cliniko_mcp.frontdesk.roster import MAX_CANDIDATES, Known, ambiguous, chosen, gone, is_id, missing, name_text
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import person
from cliniko_mcp.sanitize import clean

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients,)
ADVICE: Final = "find_patients looks further: by email, date of birth, phone or a name that is spelt another way."

_MAX_ROWS: Final = 500
_MAX_WORDS: Final = 4
_CLOSE: Final = 76.0
_EDGES: Final = re.compile(r"^[^\w]+|[^\w.]+$")
Filters = Mapping[str, Contains | date]
"""Filters of `list_patients`, all of which have to fit; text is looked for as a part."""


@dataclass(frozen=True, slots=True)
class Found:
    """Patients that fit, the closest first; `close` says that none fits and these only come near; `whole` that every
    row was read which Cliniko has for the words."""

    patients: tuple[Known[Patient], ...]
    close: bool = False
    whole: bool = True


def known_patient(record: Patient) -> Known[Patient]:
    """A patient with the names they go by; archived and merged ones say so."""
    first, preferred, last = map(name_text, (record.first_name, record.preferred_first_name, record.last_name))
    names = [
        f"{last} {first}",
        name_text(record.label),
        *(" ".join(part for part in (given, last) if part) for given in (first, preferred)),
    ]
    name = person(record) or f"patient {record.id}"
    return Known(record.id, name, record, gone(record), tuple(filter(None, names)))


async def patient(clinic: GuardedClinic, query: str) -> Known[Patient]:
    """The one patient of this id, email or name; archived ones are found where no other fits, see `Known.gone`, and
    named beside one that fits, see `Known.note`.

    Raises Ambiguous where several fit equally well and NotFound where none does, both with up to five candidates. An id
    takes one request, kept for a minute.
    """
    query = query.strip()
    if is_id(query):
        if (record := (await clinic.by_id(Patients.list_patients, [query])).get(query)) is not None:
            return known_patient(record)
        raise NotFound(f"There is no patient with the id {query}.", ADVICE)
    shown = clean(query, 80)
    if "@" in query:
        found = await _read(clinic, [Patients.list_patients.call(email=clean(query, 255), archived_at=Hidden.INCLUDED)])
        live = [row for row in found.patients if not row.gone] or list(found.patients)
        if len(live) == 1:
            return replace(live[0], others=tuple(row for row in found.patients if row.id != live[0].id))
        raise ambiguous("patient", shown, live) if live else missing("patient", shown, (), ADVICE)
    found = await by_name(clinic, query)
    if found.close or not found.patients:
        raise missing("patient", shown, found.patients[:MAX_CANDIDATES], ADVICE)
    if not found.whole:  # among those that were not read there may be another who fits as well
        raise ambiguous("patient", shown, found.patients)
    return chosen("patient", query, {row.id: row for row in found.patients}, ADVICE)


async def by_name(clinic: GuardedClinic, query: str) -> Found:
    """Patients whose names hold these words in any order, archived ones too; where none does, those that come near."""
    spelt = _spelt(query)
    if not spelt:
        return Found(())
    found = await listed(clinic, _questions(spelt))
    spoken = words(" ".join(spelt))
    if fitting := _fitting(spoken, found.patients):
        return Found(tuple(_ranked(spoken, fitting)), whole=found.whole)
    more = await listed(clinic, _pieces(spelt))
    near = {row.id: row for row in (*found.patients, *more.patients)}.values()
    if fitting := _fitting(spoken, near):  # Cliniko minds the accents that the query leaves out
        return Found(tuple(_ranked(spoken, fitting)), whole=found.whole and more.whole)
    close = [row for row in near if _closeness(spoken, row) >= _CLOSE]
    return Found(tuple(_ranked(spoken, close)), close=True, whole=found.whole and more.whole)


async def listed(clinic: GuardedClinic, questions: Sequence[Filters]) -> Found:
    """The patients that any of these sets of filters finds, hidden ones too, each once: a request each, all at once."""
    return await _read(
        clinic,
        [Patients.list_patients.where({**filters, "archived_at": Hidden.INCLUDED}) for filters in questions],
    )


async def _read(clinic: GuardedClinic, calls: Sequence[Call[Patient]]) -> Found:
    sweeps = await run_concurrently(*(partial(clinic.rows, call, limit=_MAX_ROWS) for call in calls))
    rows = {row.id: row for sweep in sweeps for row in sweep.rows}
    return Found(tuple(map(known_patient, rows.values())), whole=all(sweep.complete for sweep in sweeps))


def _spelt(query: str) -> list[str]:
    """The words to ask Cliniko for, as they are spelt: no titles, no punctuation at their ends."""
    bare = [_EDGES.sub("", word) for word in clean(query, 200).replace(",", " ").split()]
    kept = [word for word in bare if word and words(word)]
    return [word for word in kept if words(f"{word} x") != ["x"]][:_MAX_WORDS] or kept[:1]


def _questions(spelt: Sequence[str]) -> list[Filters]:
    whole = Contains(" ".join(spelt))
    questions: list[Filters] = [{field: whole} for field in ("first_name", "last_name", "preferred_first_name")]
    if len(spelt) == 1:
        return [*questions, *_unspaced(whole.text)]
    questions = questions[:1]
    for place in range(1, len(spelt)):
        one, other = Contains(" ".join(spelt[:place])), Contains(" ".join(spelt[place:]))
        for first, last in ((one, other), (other, one)):
            questions += [{field: first, "last_name": last} for field in ("first_name", "preferred_first_name")]
    return questions


def _unspaced(whole: str) -> Iterable[Filters]:
    """Names that are written without a space, family name first, as in Chinese and Japanese."""
    if whole.isascii() or not 2 <= len(whole) <= 4 or any(letter.islower() or letter.isupper() for letter in whole):
        return
    for place in range(1, len(whole)):
        yield {"last_name": Contains(whole[:place]), "first_name": Contains(whole[place:])}


def _pieces(spelt: Sequence[str]) -> list[Filters]:
    """Beginnings and ends of the words: a misspelt name has at least one of them right."""
    longest = sorted(spelt, key=len, reverse=True)[:2]
    sizes = [(word, 3 if len(word) > 4 else 2) for word in longest]
    pieces = dict.fromkeys(piece for word, size in sizes for piece in (word[:size], word[-size:]) if len(piece) > 1)
    return [{field: Contains(piece)} for piece in pieces for field in ("last_name", "first_name")]


def _fitting(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    return [row for row in found if fits(spoken, [*row.names, " ".join(row.names)], "prefixes")]


def _closeness(spoken: Sequence[str], known: Known[Patient]) -> float:
    return max((likeness(spoken, name) for name in (*known.names, " ".join(known.names))), default=0.0)


def _ranked(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    def rank(known: Known[Patient]) -> tuple[int, bool, float, str]:
        tier = next((place for place, tier in enumerate(TIERS) if fits(spoken, known.names, tier)), len(TIERS))
        return tier, bool(known.gone), -_closeness(spoken, known), known.id

    return sorted(found, key=rank)
