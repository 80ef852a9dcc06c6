"""How well words fit a name: accents, case, titles and word order do not count."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

Tier = Literal["exact", "words", "prefixes"]
TIERS: Final[tuple[Tier, ...]] = ("exact", "words", "prefixes")
"""From the closest on: the same words in any order; all of them whole words of the name; each the beginning of one, of
three letters or more."""

_TITLES: Final = frozenset(("dr", "doctor", "mr", "mrs", "ms", "miss", "mx", "prof", "professor"))
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
)
_APOSTROPHES: Final = re.compile(r"['’‘‛`´ʼʻʹˈ′＇]")
_LEAST_PLURAL: Final = 4
_SMALL_WORDS: Final = frozenset(("the", "a", "an", "her", "his", "their", "my", "your", "our", "one", "s"))
_LEAST: Final = 3
"""Letters by which the beginning of a name may stand for it; a name that is shorter has to be said whole."""
_ONE_SIGN_A_WORD: Final = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_BREAKS: Final = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """The text in small letters without accents and apostrophes, its words one space apart."""
    if text.isascii():  # as nearly every name is, and names are folded by the thousand
        return _BREAKS.sub(" ", text.lower().replace("'", "").replace("`", "")).strip()
    found = _folded_once(text)
    # Taking a sign apart can show letters that are still large, such as those in circles and brackets.
    while (again := _folded_once(found)) != found:
        found = again
    return found


def _folded_once(text: str) -> str:
    small = _APOSTROPHES.sub("", text.casefold().translate(_LETTERS))
    if not small.isascii():
        small = "".join(sign for sign in unicodedata.normalize("NFKD", small) if not unicodedata.combining(sign))
    return _BREAKS.sub(" ", small).strip()


def words(text: str) -> list[str]:
    """The folded words of a name; titles are left out where there is anything else."""
    found = fold(text).split()
    return [word for word in found if word not in _TITLES] or found


def fits(spoken: Sequence[str], names: Iterable[str], tier: Tier) -> bool:
    """Whether the words spoken (`words(...)`) fit one of these names at this tier.

    Mc and Mac are one, and it does not matter whether a name of several parts is written as one: `O Brien`, `Obrien`.
    """
    return any(_fits(spoken, words(name), tier) for name in names if name)


def same_name(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two names (`words(...)`) are one: the same words in any order, however they are spelt and spaced."""
    return _fits(one, other, "exact") or _fits(other, one, "exact")


def letters_of(name: Sequence[str]) -> str:
    """What names (`words(...)`) share that `same_name` takes for one: their letters, sorted, without the a of Mac."""
    return "".join(sorted("".join(name).replace("a", "")))


def best_tier(spoken: Sequence[str], names: Iterable[str]) -> int | None:
    """The place in TIERS of the first tier at which the words spoken fit one of these names; None where none does."""
    split = [words(name) for name in names if name]
    return next((place for place, tier in enumerate(TIERS) if any(_fits(spoken, name, tier) for name in split)), None)


def bare_words(spoken: Sequence[str]) -> list[str]:
    """What is said of a thing that no person is called: "the pilates classes", "her shoulder" without the small words,
    in the singular."""
    kept = [word for word in spoken if word not in _SMALL_WORDS]
    return [re.sub(r"(?<=ss|ch|sh)es$|(?<=[^su])s$", "", word) if len(word) > _LEAST_PLURAL else word for word in kept]


def _fits(spoken: Sequence[str], name: Sequence[str], tier: Tier) -> bool:
    if not spoken or not name:
        return False
    spoken_text, name_text = "".join(map(_plain, spoken)), "".join(map(_plain, name))
    if not set(spoken_text) <= set(name_text):
        return False
    if spoken_text == name_text or _plain("".join(spoken)) == _plain("".join(name)):
        return True
    if tier == "exact" and len(spoken_text) not in range(len(name_text) - 2, len(name_text) + 3):
        return False
    if (
        "mac" not in (whole := "".join(spoken))
        and "mc" not in whole
        and not all(map("".join(name).__contains__, spoken))
    ):
        return False  # every word spoken begins a part of the name, or two of them that are written as one
    least = _LEAST if tier == "prefixes" else 0  # "Faye L" joined would be the beginning of a name by one letter
    return any(_fit_as_written(one, other, tier) for one in _written(spoken, least) for other in _written(name))


def _plain(word: str) -> str:
    return f"mc{word[3:]}" if word.startswith("mac") else word


def _written(parts: Sequence[str], least: int = 0) -> Iterator[Sequence[str]]:
    """The same words, and with any two neighbours as one, the second of which has at least so many letters."""
    yield parts
    for place in range(1, min(len(parts), 8)):
        if len(parts[place]) >= least or _ONE_SIGN_A_WORD.match(parts[place]):
            yield [*parts[: place - 1], parts[place - 1] + parts[place], *parts[place + 1 :]]


def _fit_as_written(spoken: Sequence[str], name: Sequence[str], tier: Tier) -> bool:
    if tier == "exact":
        return sorted(map(_plain, spoken)) == sorted(map(_plain, name))
    left = [_plain(part) for part in name]
    for word in sorted(spoken, key=len, reverse=True):
        start, begins = _plain(word), tier == "prefixes" and _is_beginning(word)
        found = next((part for part in left if part == start), None)
        if found is None and begins:
            found = next((part for part in left if part.startswith(start)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is_beginning(word: str) -> bool:
    return len(word) >= _LEAST or _ONE_SIGN_A_WORD.match(unicodedata.normalize("NFC", word)) is not None


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
    if other.startswith(word):
        return max(ratio, 95.0 if len(word) > 1 else 88.0)  # an initial alone comes near, and never fits
    return max(ratio, 88.0) if len(word) > 2 and word in other else ratio
