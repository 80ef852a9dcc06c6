"""Patients by what people say of them: a name in any order or misspelt, an email, a date of birth, an id.

Cliniko filters first, last and preferred names apart and compares parts of them (api.md 1.5), so a name of two words
takes 5 requests at once (3 for one word, at most 13), and one that nothing fits 4 more a word, each of at most 5 pages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import NotFound
from cliniko_mcp.frontdesk.concurrency import together
from cliniko_mcp.frontdesk.matching import TIERS, fits, likeness, words
from cliniko_mcp.frontdesk.people import MOST_CANDIDATES, Known, ambiguous, chosen, missing
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import person, text_of
from cliniko_mcp.sanitize import clean

NEEDS: Final = ("list_patients",)
ADVICE: Final = "find_patients looks further: by email, date of birth, phone or a name that is spelt another way."

_MOST_ROWS: Final = 500
_MOST_WORDS: Final = 4
_CLOSE: Final = 76.0
_ID: Final = re.compile(r"[0-9]{1,20}")
_EDGES: Final = re.compile(r"^[^\w]+|[^\w.]+$")


@dataclass(frozen=True, slots=True)
class Found:
    """Patients that fit, the closest first; `close` says that none fits and these only come near; `whole` that every
    row was read which Cliniko has for the words."""

    patients: tuple[Known, ...]
    close: bool = False
    whole: bool = True


def known_patient(record: Record) -> Known:
    """A patient with the names they go by; archived and merged ones say so."""
    first, preferred = text_of(record, "first_name"), text_of(record, "preferred_first_name")
    last = text_of(record, "last_name")
    every = [
        f"{last} {first}",
        text_of(record, "label"),
        *(" ".join(part for part in (given, last) if part) for given in (first, preferred)),
    ]
    record_id = str(getattr(record, "id", ""))
    return Known(record_id, person(record) or f"patient {record_id}", record, _gone(record), tuple(filter(None, every)))


def _gone(record: Record) -> str:
    if (into := getattr(record, "merged_with_patient_id", None)) is not None:
        return f"merged into patient {into}"
    hidden = getattr(record, "archived_at", None) or getattr(record, "deleted_at", None)
    return "archived" if hidden is not None else ""


async def patient(clinic: GuardedClinic, said: str) -> Known:
    """The one patient of this id, email or name; archived ones are found where no other fits, see `Known.gone`, and
    named beside one that fits, see `Known.note`.

    Raises Ambiguous where several fit equally well and NotFound where none does, both with up to five candidates. An id
    takes one request, kept for a minute.
    """
    asked = said.strip()
    if _ID.fullmatch(asked):
        if (record := (await clinic.by_id_named("list_patients", [asked])).get(asked)) is not None:
            return known_patient(record)
        raise NotFound(f"There is no patient with the id {asked}.", ADVICE)
    if "@" in asked:
        found = await listed(clinic, [{"email": f"={asked}"}])
        live = [each for each in found.patients if not each.gone] or list(found.patients)
        if len(live) == 1:
            return replace(live[0], others=tuple(each for each in found.patients if each.id != live[0].id))
        raise ambiguous("patient", clean(asked, 80), live) if live else missing("patient", clean(asked, 80), (), ADVICE)
    found = await by_name(clinic, asked)
    if found.close or not found.patients:
        raise missing("patient", clean(asked, 80), found.patients[:MOST_CANDIDATES], ADVICE)
    if not found.whole:  # among those that were not read there may be another who fits as well
        raise ambiguous("patient", clean(asked, 80), found.patients)
    return chosen("patient", asked, {each.id: each for each in found.patients}, ADVICE)


async def by_name(clinic: GuardedClinic, said: str) -> Found:
    """Patients whose names hold these words in any order, archived ones too; where none does, those that come near."""
    spoken = _spoken(said)
    if not spoken:
        return Found(())
    found = await listed(clinic, _questions(spoken))
    asked = words(" ".join(spoken))
    if fitting := _fitting(asked, found.patients):
        return Found(tuple(_ranked(asked, fitting)), whole=found.whole)
    more = await listed(clinic, _pieces(spoken))
    near = {each.id: each for each in (*found.patients, *more.patients)}.values()
    if fitting := _fitting(asked, near):  # Cliniko minds the accents that the words said leave out
        return Found(tuple(_ranked(asked, fitting)), whole=found.whole and more.whole)
    close = [each for each in near if _closeness(asked, each) >= _CLOSE]
    return Found(tuple(_ranked(asked, close)), close=True, whole=found.whole and more.whole)


async def listed(clinic: GuardedClinic, questions: Sequence[Mapping[str, str]]) -> Found:
    """The patients that any of these sets of filters finds, hidden ones too, each once: a request each, all at once."""
    calls = [clinic.call("list_patients", archived_at="all", **filters) for filters in questions]

    sweeps = await together([partial(clinic.rows, call, limit=_MOST_ROWS) for call in calls])
    rows = {str(getattr(row, "id", "")): row for sweep in sweeps for row in sweep.rows}
    return Found(tuple(map(known_patient, rows.values())), whole=all(sweep.complete for sweep in sweeps))


def _spoken(said: str) -> list[str]:
    """The words to ask Cliniko for, as they are spelt: no titles, no punctuation at their ends."""
    bare = [_EDGES.sub("", word) for word in clean(said, 200).replace(",", " ").split()]
    kept = [word for word in bare if word and words(word)]
    return [word for word in kept if words(f"{word} x") != ["x"]][:_MOST_WORDS] or kept[:1]


def _questions(spoken: Sequence[str]) -> list[dict[str, str]]:
    whole = " ".join(spoken)
    asked = [{field: f"~{whole}"} for field in ("first_name", "last_name", "preferred_first_name")]
    if len(spoken) == 1:
        return [*asked, *_unspaced(whole)]
    asked = asked[:1]
    for place in range(1, len(spoken)):
        one, other = " ".join(spoken[:place]), " ".join(spoken[place:])
        for given, family in ((one, other), (other, one)):
            asked += [
                {field: f"~{given}", "last_name": f"~{family}"} for field in ("first_name", "preferred_first_name")
            ]
    return asked


def _unspaced(whole: str) -> Iterable[dict[str, str]]:
    """Names that are written without a space, family name first, as in Chinese and Japanese."""
    if whole.isascii() or not 2 <= len(whole) <= 4 or any(letter.islower() or letter.isupper() for letter in whole):
        return
    for place in range(1, len(whole)):
        yield {"last_name": f"~{whole[:place]}", "first_name": f"~{whole[place:]}"}


def _pieces(spoken: Sequence[str]) -> list[dict[str, str]]:
    """Beginnings and ends of the words: a misspelt name has at least one of them right."""
    longest = sorted(spoken, key=len, reverse=True)[:2]
    sizes = [(word, 3 if len(word) > 4 else 2) for word in longest]
    pieces = dict.fromkeys(piece for word, size in sizes for piece in (word[:size], word[-size:]) if len(piece) > 1)
    return [{field: f"~{piece}"} for piece in pieces for field in ("last_name", "first_name")]


def _fitting(asked: Sequence[str], found: Iterable[Known]) -> list[Known]:
    return [each for each in found if fits(asked, [*each.names, " ".join(each.names)], "prefixes")]


def _closeness(asked: Sequence[str], known: Known) -> float:
    return max((likeness(asked, name) for name in (*known.names, " ".join(known.names))), default=0.0)


def _ranked(asked: Sequence[str], found: Iterable[Known]) -> list[Known]:
    def rank(known: Known) -> tuple[int, bool, float, str]:
        tier = next((place for place, tier in enumerate(TIERS) if fits(asked, known.names, tier)), len(TIERS))
        return tier, bool(known.gone), -_closeness(asked, known), known.id

    return sorted(found, key=rank)
