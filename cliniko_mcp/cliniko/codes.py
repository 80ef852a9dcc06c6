"""The whole-number codes of Cliniko's records with the words people use for them, and closed lists however they are
spelt.

Source: cliniko-api.md#enumerations. A record names the codes among its fields (`Record.codes`): short rows say their
words, and filters take them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

CANCELLATION_REASONS: Final = {
    10: "Feeling better",
    20: "Condition worse",
    30: "Sick",
    40: "Away",
    50: "Other",
    60: "Work",
}
INVOICE_STATUSES: Final = {10: "Open", 20: "Paid", 30: "Closed", 40: "Open credit"}
NOTE_STATUSES: Final = {10: "Draft", 90: "Final"}

_WORD: Final = re.compile(r"[^\W_]+")
_SPELT: Final = re.compile(r"[\w\s&'./-]*[^\W\d_][\w\s&'./-]*")
"""A word or words, with the signs that people write between them; digits alone are a number."""
_ENDINGS: Final = ("ches", "shes", "sses", "xes")
"""Plurals that end in es; of all others the s alone is dropped."""
_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "attended": ("arrived",),
    "call": ("phone call",),
    "checked in": ("arrived",),
    "dna": ("did not arrive", "no shows"),
    "failed to attend": ("did not arrive", "no shows"),
    "fta": ("did not arrive", "no shows"),
    "gp": ("general practitioner",),
    "no show": ("did not arrive",),
    "did not attend": ("did not arrive", "no shows"),
    "did not arrive": ("no shows",),
    "text message": ("sms",),
    "third party payer": ("3rd party payer",),
    "unpaid": ("open",),
    "utilization": ("utilisation",),
}
"""Words for a choice that share no letters with its name; each stands for one choice of any list that has several."""


def fold(text: str) -> str:
    """A word of a closed list without what spellings differ in: case, spaces, hyphens, underscores and plurals."""
    return "".join(_singular(word) for word in _WORD.findall(text.casefold()) if word != "and")


def _singular(word: str) -> str:
    if len(word) <= 3 or word.endswith(("ss", "us", "is")) or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word.removesuffix("ies") + "y"
    return word[:-2] if word.endswith(_ENDINGS) else word[:-1]


_MEANT: Final = {fold(word): frozenset(map(fold, choices)) for word, choices in _SYNONYMS.items()}


def choice_of(text: str, choices: Iterable[str]) -> str | None:
    """The one of these choices that a text stands for, however it is spelt; None where it is none or not surely one."""
    listed = tuple(choices)
    if text.strip() in listed:
        return text.strip()
    if not _SPELT.fullmatch(text):
        return None
    spelt = fold(text)
    found = [choice for choice in listed if fold(choice) == spelt]
    if not found:
        found = [choice for choice in listed if fold(choice) in _MEANT.get(spelt, ())]
    return found[0] if len(found) == 1 else None


def code_of(text: str, words: Mapping[int, str]) -> int | None:
    """The code for a word, however it is spelt; None where the word is none of these."""
    word = choice_of(text, words.values())
    return next((code for code, known in words.items() if known == word), None)
