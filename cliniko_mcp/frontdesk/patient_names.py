"""Patients by a name, in any order, however it is spelt or misspelt.

Cliniko filters first, last and preferred names apart and compares letters exactly (cliniko-api.md#filters), so a name
is asked for by patterns that every spelling fits, and compared here: 3 requests, up to 6 for two words, and one for
each further hundred rows, up to 1,000 in all, above which it is asked more narrowly. A name that nothing fits takes up
to 2 more.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import Contains, FilterValue, Hidden, Like
from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import TIERS, best_tier, fits, likeness, words
from cliniko_mcp.frontdesk.name_patterns import covers, one_sign_more, patterns
from cliniko_mcp.frontdesk.roster import Known, gone, name_text
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

_PAGE: Final = 100
_MAX_ROWS: Final = 1_000
"""Rows that the questions for one name may have together before they are asked more narrowly."""
_MIN_ROWS: Final = 200
"""Rows that each of them may have."""
_MAX_PIECES: Final = 2
"""Questions for parts of a name that nobody has."""
_MAX_WORDS: Final = 4
_MAX_RESPELT: Final = 10
"""Questions for other spellings of the name of one patient."""
_CLOSE: Final = 76.0
_EDGES: Final = re.compile(r"^[^\w]+|[^\w.]+$")
Filters = Mapping[str, FilterValue]
"""Filters of `list_patients`, all of which have to fit."""
_Question = tuple[tuple[str, str], ...]
"""Names, each with the field that should hold it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Patients that fit, the closest first; `close` says that none fits and these only come near; `whole` that every
    row was read which Cliniko has for the words, `folded` that they were asked for in every spelling; `questions` is
    how many requests that took."""

    patients: tuple[Known[Patient], ...]
    close: bool = False
    whole: bool = True
    folded: bool = True
    questions: int = 0
    everyone: bool = False
    """Whether all patients of the clinic were looked through."""
    covered: tuple[tuple[str, str], ...] = ()
    """Fields, each with a pattern by which everyone was read who fits it."""
    missed: tuple[str, ...] = ()
    """What was said besides the name and does not fit the first of them."""
    read: tuple[Known[Patient], ...] = ()
    """All who were read on the way, those that do not fit too."""
    beside: tuple[Known[Patient], ...] = ()
    """Everyone who was born on the day or in the year that was said, where they were asked for."""


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


async def by_name(clinic: GuardedClinic, query: str) -> Found:
    """Patients whose names hold these words in any order, archived ones too; where none does, those that come near."""
    spelt = _spelt(query)
    if not spelt:
        return Found((), close=True)
    found = await _answers(clinic, _questions(spelt))
    spoken = words(" ".join(spelt))
    if fitting := with_name(spoken, found.patients):
        return replace(found, patients=tuple(ranked(spoken, fitting)), read=found.patients)
    # Fewer requests than before, a page each, and none for what was read.
    pieces = [] if found.everyone else _pieces(spelt)[: min(max(found.questions - 1, 2), _MAX_PIECES)]
    filters = [{field: Contains(piece)} for field, piece in pieces if not _was_read(field, piece, found)]
    more = await _read(clinic, _calls(filters), limit=_PAGE)
    near = {row.id: row for row in (*found.patients, *more.patients)}.values()
    if fitting := with_name(spoken, near):
        return replace(found, patients=tuple(ranked(spoken, fitting)), read=tuple(near))
    close = [row for row in near if _closeness(spoken, row) >= _CLOSE]
    return replace(found, patients=tuple(ranked(spoken, close)), close=True)


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
    """Everyone whose names hold what is asked for however it is spelt; see `_narrowed`. Equal questions are one.

    Those in which a last name has to hold the same letters are one question for these, as long as it has few rows.
    """
    first = {frozenset(next(patterns(question))[1].items()): question for question in questions}
    lasts = {question: dict(key).get("last_name", "") for key, question in first.items()}
    sharing: dict[str, list[_Question]] = {}
    for question, last in lasts.items():
        widest = min((other for other in lasts.values() if other and covers(other, last)), key=len, default="")
        sharing.setdefault(widest, []).append(question)
    alone = sharing.pop("", [])
    most = max(_MAX_ROWS // (len(sharing) + len(alone)), _MIN_ROWS)
    return _joined(
        await run_concurrently(
            *(partial(_narrowed, clinic, question, most) for question in alone),
            *(partial(_shared, clinic, last, some, most) for last, some in sharing.items()),
        )
    )


async def _shared(clinic: GuardedClinic, last: str, questions: Sequence[_Question], most: int) -> Found:
    """The answer to questions that this pattern of a last name covers: to that alone, unless each takes fewer pages."""
    sent = 0
    (call,) = _calls([{"last_name": Like(last)}])
    if len(questions) > 1:
        page = await clinic.rows(call, limit=_PAGE)
        rows, whole, sent = page.rows, page.complete, 1
        if page.next_position is not None and (page.total or _MAX_ROWS) <= _PAGE * len(questions):
            rest = await clinic.rows(call, limit=_MAX_ROWS, start=page.next_position)
            rows, whole, sent = (*rows, *rest.rows), rest.complete, 1 + rest.pages
        if whole:
            return Found(tuple(map(known_patient, rows)), questions=sent, covered=(("last_name", last),))
    found = _joined(await run_concurrently(*(partial(_narrowed, clinic, question, most) for question in questions)))
    return replace(found, questions=found.questions + sent)


def _joined(answers: Sequence[Found]) -> Found:
    rows = {row.id: row for answer in answers for row in answer.patients}
    return Found(
        tuple(rows.values()),
        whole=all(answer.whole for answer in answers),
        folded=all(answer.folded for answer in answers),
        questions=sum(answer.questions for answer in answers),
        everyone=any(answer.everyone for answer in answers),
        covered=tuple(pattern for answer in answers for pattern in answer.covered),
    )


async def _narrowed(clinic: GuardedClinic, question: _Question, most: int) -> Found:
    """The answer to the widest pattern that has not too many rows; `folded` says that it was the widest of all."""
    found, sent = Found((), whole=False, folded=False), 0
    for widest, fields in patterns(question):
        filters = {field: Like(pattern) for field, pattern in fields.items()}
        (call,) = _calls([filters])
        page = await clinic.rows(call, limit=_PAGE)
        rows, whole = page.rows, page.complete
        sent += 1
        if not whole and (page.total or 0) <= most and page.next_position is not None:
            rest = await clinic.rows(call, limit=most - _PAGE, start=page.next_position)
            rows, whole = (*rows, *rest.rows), rest.complete
            sent += rest.pages
        found = Found(
            tuple(map(known_patient, rows)),
            whole=whole,
            folded=widest and whole,
            questions=sent,
            everyone=whole and not fields,
            covered=tuple(fields.items()) if whole and len(fields) == 1 else (),
        )
        if whole:
            break
    return found


async def spelt_otherwise(clinic: GuardedClinic, one: Known[Patient]) -> dict[str, Known[Patient]]:
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


def _was_read(field: str, piece: str, found: Found) -> bool:
    """Whether everyone with this piece in a name was read by a pattern of it."""
    return any(field == name and covers(pattern, piece.lower()) for name, pattern in found.covered)


def _pieces(spelt: Sequence[str]) -> list[tuple[str, str]]:
    """Beginnings and ends of the words: a misspelt name has at least one of them right."""
    longest = sorted(spelt, key=len, reverse=True)[:2]
    sizes = [(word, 3 if len(word) > 4 else 2) for word in longest]
    pieces = dict.fromkeys(piece for word, size in sizes for piece in (word[:size], word[-size:]) if len(piece) > 1)
    return [(field, piece) for field in ("last_name", "first_name") for piece in pieces]


def with_name(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    """Those of them whose names hold the beginnings of these words, in any order."""
    return [row for row in found if fits(spoken, [*row.names, " ".join(row.names)], "prefixes")]


def _closeness(spoken: Sequence[str], known: Known[Patient]) -> float:
    return max((likeness(spoken, name) for name in (*known.names, " ".join(known.names))), default=0.0)


def ranked(spoken: Sequence[str], found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    """The same, those whose names fit best first, hidden ones after those in use."""

    def rank(known: Known[Patient]) -> tuple[int, bool, float, str]:
        tier = best_tier(spoken, known.names)
        return len(TIERS) if tier is None else tier, bool(known.gone), -_closeness(spoken, known), known.id

    return sorted(found, key=rank)
