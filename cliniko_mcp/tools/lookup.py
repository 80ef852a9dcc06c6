"""Finding an operation by plain words: BM25 over names, descriptions and the synonyms kept beside each operation."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Final

from cliniko_mcp.listing import Entry

_WORD: Final = re.compile(r"[a-z0-9]+")
_STOP: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "get",
        "give",
        "has",
        "have",
        "how",
        "i",
        "in",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "please",
        "show",
        "tell",
        "that",
        "the",
        "their",
        "them",
        "there",
        "these",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "with",
        "you",
        "your",
    ]
)
_ENDINGS: Final = (
    ("ations", 4), ("ation", 4), ("ments", 4), ("ment", 4), ("ings", 3), ("ing", 3), ("ied", 3), ("ies", 3),
    ("ers", 4), ("ed", 3), ("es", 3), ("er", 4), ("s", 3), ("e", 3), ("y", 3),
)  # fmt: skip
"""Endings that are dropped, each with the fewest letters that have to stay."""
_SATURATION, _LENGTH_PENALTY = 1.2, 0.5
_NAME_WEIGHT, _SYNONYM_WEIGHT, _DESCRIPTION_WEIGHT = 3, 3, 1


@cache
def stem(word: str) -> str:
    """A word without its common English endings, so that booking, booked and books meet."""
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def words(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order."""
    return [
        stem(word) for word in _WORD.findall(text.casefold().replace("'", "").replace("’", "")) if word not in _STOP
    ]


class Lookup:
    """An index over tools, built once; a search takes well under a millisecond for a few hundred of them."""

    def __init__(self, tools: Iterable[Entry]) -> None:
        self._bags: dict[str, Counter[str]] = {}
        self._penalty: dict[str, float] = {}
        for tool in tools:
            bag: Counter[str] = Counter()
            for weight, text in (
                (_NAME_WEIGHT, tool.name.replace("_", " ")),
                (_SYNONYM_WEIGHT, tool.synonyms),
                (_DESCRIPTION_WEIGHT, "" if tool.kind == "meta" else tool.description),
            ):
                for word in words(text):
                    bag[word] += weight
            if tool.kind != "meta":
                self._bags[tool.name] = bag
                self._penalty[tool.name] = 0.6 if tool.deprecated else 1.0
        self._average = sum(bag.total() for bag in self._bags.values()) / max(len(self._bags), 1)
        spread = Counter(word for bag in self._bags.values() for word in bag)
        total = len(self._bags)
        self._rarity = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in spread.items()}

    def search(self, query: str, most: int) -> list[str]:
        """Names of the tools that fit these words, best first, at most `most`; empty where no word is known."""
        asked = Counter(words(query))
        scores = {name: self._score(bag, asked) * self._penalty[name] for name, bag in self._bags.items()}
        ranked = sorted((name for name, score in scores.items() if score > 0), key=lambda name: (-scores[name], name))
        return ranked[:most]

    def _score(self, bag: Counter[str], asked: Counter[str]) -> float:
        length = 1 - _LENGTH_PENALTY + _LENGTH_PENALTY * bag.total() / self._average
        score = 0.0
        for word in asked:
            if times := bag.get(word):
                score += self._rarity[word] * times * (_SATURATION + 1) / (times + _SATURATION * length)
        return score
