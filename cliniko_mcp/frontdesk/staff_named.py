"""Several practitioners at once: by names ("Mei and Tom"), and all of a profession ("all the physios") by what their
records have as designation."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import NoSuchName, NotFound
from cliniko_mcp.frontdesk.matching import bare_words, fold
from cliniko_mcp.frontdesk.roster import Known, Roster

_AND: Final = re.compile(r"[,;&+/]|\band\b|\bor\b", re.IGNORECASE)
_ALL_OF: Final = re.compile(r"(?P<all>(?:all|every|each|both)(?: of)?(?: the| our)? )?(?:the |our )?(?P<whom>.+)")
_IN_FULL: Final[Mapping[str, str]] = {
    short: full
    for full, shorts in (
        ("physiotherapist", "physio phys"),
        ("osteopath", "osteo"),
        ("chiropractor", "chiro"),
        ("psychologist", "psych"),
        ("podiatrist", "pod pods"),
        ("dietitian", "dietician"),
        ("massage therapist", "masseur masseuse"),
        ("exercise physiologist", "ep eps"),
        ("occupational therapist", "ot ots"),
        ("speech pathologist", "speechie"),
    )
    for short in shorts.split()
}


def staff_named(roster: Roster, queries: Collection[str]) -> list[Known[Practitioner]]:
    """The practitioners of these names, ids or professions, each once; "Mei and Tom" are two.

    Raises as `Roster.practitioner` does; where a profession is said that nobody has, with what to say instead.
    """
    found = {person.id: person for query in queries for person in _one_or_more(roster, query)}
    return list(found.values())


def with_profession(roster: Roster, queries: Collection[str]) -> bool:
    """Whether one of these stands for all of a profession."""
    return any(_of_profession(roster, part) for query in queries for part in _AND.split(query))


def _one_or_more(roster: Roster, query: str) -> list[Known[Practitioner]]:
    """The practitioner of this name, or where nobody is called so all of this profession, or those of the names in
    it."""
    try:
        return [roster.practitioner(query)]
    except NotFound as none:
        if group := _of_profession(roster, query):
            return group
        parts = [part.strip() for part in _AND.split(query) if part.strip()]
        if len(parts) > 1:
            return [person for part in parts for person in _one_or_more(roster, part)]
        match = _ALL_OF.fullmatch(fold(query))
        if match is None or not match["all"]:
            raise
        here = [f'"{known.name}"' for known in roster.practitioners.values() if not known.gone][:2]
        fix = f"Name each of them, as in practitioner: [{', '.join(here)}], or say everyone. {none.fix}"
        raise NoSuchName(none.message, fix, **none.details) from None


def _of_profession(roster: Roster, query: str) -> list[Known[Practitioner]]:
    """Those at work here whose designation has all the words of "all the physios" or "physios"; nobody for one of
    them ("a physio")."""
    match = _ALL_OF.fullmatch(fold(query))
    if match is None:
        return []
    spoken = match["whom"].split()
    last = spoken[-1]
    several = bare_words([last]) != [last] or (last.endswith("s") and last[:-1] in _IN_FULL)
    if not match["all"] and not several:
        return []
    whom = _in_full(spoken)
    here = [known for known in roster.practitioners.values() if not known.gone]
    return [known for known in here if whom and whom <= _in_full(fold(known.record.designation or "").split())]


def _in_full(spoken: Collection[str]) -> set[str]:
    """The words in the singular, short ones in full."""
    return {word for bare in bare_words(list(spoken)) for word in _IN_FULL.get(bare, bare).split()}
