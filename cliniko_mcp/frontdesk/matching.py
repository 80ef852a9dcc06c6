"""How well words fit a name: accents, case, titles and word order do not count."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Literal

Tier = Literal["exact", "words", "prefixes"]
TIERS: Final[tuple[Tier, ...]] = ("exact", "words", "prefixes")
"""From the closest on: the same words in any order; all of them whole words of the name; each the beginning of one."""

_TITLES: Final = frozenset(("dr", "doctor", "mr", "mrs", "ms", "miss", "mx", "prof", "professor"))
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
)
_APOSTROPHES: Final = re.compile(r"['’‘`´]")
_BREAKS: Final = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """The text in small letters without accents and apostrophes, its words one space apart."""
    found = _folded_once(text)
    # Taking a sign apart can show letters that are still large, such as those in circles and brackets.
    while (again := _folded_once(found)) != found:
        found = again
    return found


def _folded_once(text: str) -> str:
    small = _APOSTROPHES.sub("", text.casefold().translate(_LETTERS))
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", small) if not unicodedata.combining(letter))
    return _BREAKS.sub(" ", bare).strip()


def words(text: str) -> list[str]:
    """The folded words of a name; titles are left out where there is anything else."""
    found = fold(text).split()
    return [word for word in found if word not in _TITLES] or found


def fits(spoken: Sequence[str], names: Iterable[str], tier: Tier) -> bool:
    """Whether the words spoken (`words(...)`) fit one of these names at this tier."""
    return any(_fits(spoken, words(name), tier) for name in names if name)


def _fits(spoken: Sequence[str], name: Sequence[str], tier: Tier) -> bool:
    if not spoken:
        return False
    if sorted(spoken) == sorted(name) or "".join(spoken) == "".join(name):
        return True
    if tier == "exact":
        return False
    left = list(name)
    for word in sorted(spoken, key=len, reverse=True):
        found = next((part for part in left if part == word or (tier == "prefixes" and part.startswith(word))), None)
        if found is None:
            return False
        left.remove(found)
    return True


def likeness(spoken: Sequence[str], name: str) -> float:
    """How alike words and a name are, 0 to 100: the mean over the words spoken of the best match of each."""
    from rapidfuzz import fuzz

    there = words(name)
    if not spoken or not there:
        return 0.0
    best = (max(_alike(word, other, fuzz.ratio(word, other)) for other in there) for word in spoken)
    return sum(best) / len(spoken)


def _alike(word: str, other: str, ratio: float) -> float:
    if word == other:
        return 100.0
    if len(word) > 1 and other.startswith(word):
        return max(ratio, 95.0)
    return max(ratio, 88.0) if len(word) > 2 and word in other else ratio
