"""Patterns for Cliniko's text filter that every spelling of a name fits, whatever its accents and marks.

Cliniko compares letters exactly (cliniko-api.md#filters), so `Kit O'Brien` does not find a curly apostrophe, nor `Zoe`
a Zoë. A pattern keeps the letters that are written in one way only, in their order, and leaves all else open.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

from cliniko_mcp.frontdesk.matching import fold

_VOWELS: Final = frozenset("aeiouy")
_OFTEN_MARKED: Final = frozenset("clnsz")
_BARE: Final = frozenset("cdglnrstz")
_BASES: Final = frozenset("иеуіаоэыαεηιουωاويه")
"""Letters of other alphabets that are written with a sign as well."""


class Openness(Enum):
    """How much a pattern leaves open, from what no spelling escapes to the letters as they were spelt."""

    ANY_SPELLING = _VOWELS | _BARE | _BASES
    COMMON_SPELLINGS = _VOWELS | _OFTEN_MARKED
    VOWELS = _VOWELS
    AS_SPELT = frozenset[str]()


def patterns(parts: Sequence[tuple[str, str]]) -> Iterator[tuple[bool, dict[str, str]]]:
    """Patterns by field for the names asked for in these fields, the widest first, each set once.

    The first of a pair says that every spelling fits. A field of whose name nothing is left is left out.
    """
    seen: list[dict[str, str]] = []
    for openness in Openness:
        found = {field: pattern for field, name in parts if (pattern := _pattern(name, openness))}
        if found not in seen:
            seen.append(found)
            yield len(seen) == 1, found


def covers(pattern: str, other: str) -> bool:
    """Whether everything that fits the other pattern fits this one: its letters are among those, in their order."""
    letters = iter(other.replace("%", ""))
    return all(letter in letters for letter in pattern.replace("%", ""))


def one_sign_more(parts: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Patterns by field that names fit which differ from these in their vowels and in the sign on one other letter."""
    spelt = {field: [letter for letter in _letters(name) if letter not in _VOWELS] for field, name in parts}
    found: list[dict[str, str]] = []
    for field, letters in spelt.items():
        for place, letter in enumerate(letters):
            if letter in _BARE:
                open_one = {**spelt, field: letters[:place] + letters[place + 1 :]}
                fields = {name: pattern for name, kept in open_one.items() if (pattern := _around(kept))}
                if fields and fields not in found:
                    found.append(fields)
    return found


def _pattern(name: str, openness: Openness) -> str:
    return _around([letter for letter in _letters(name) if letter not in openness.value])


def _around(kept: Sequence[str]) -> str:
    return f"%{'%'.join(kept)}%" if kept else ""


def _letters(name: str) -> Iterator[str]:
    text = unicodedata.normalize("NFC", name.casefold())
    for word in text.split():
        plain = re.sub(r"\bmac", "mc", word)
        yield from (letter for letter in plain.replace("th", "") if _is_kept(letter))  # þ is folded to th


def _is_kept(letter: str) -> bool:
    """Whether names that are equal when folded all hold this letter as it is, unless openness leaves it out."""
    return letter.isalnum() and (fold(letter) == letter or _is_syllable(letter))


def _is_syllable(letter: str) -> bool:
    return "\uac00" <= letter <= "\ud7af"
