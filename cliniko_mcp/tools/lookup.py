"""Finding an operation by plain words: BM25 over names, descriptions and the synonyms kept beside each operation."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from cliniko_mcp.tools.index import Entry

_WORD: Final = re.compile(r"[a-z0-9]+")
_STOP: Final = frozenset(
    _WORD.findall(
        "a about all also an and any anyone are as at be been being but by can could do does dr each every "
        "everyone for from get give go going has have he her here him his how i id if im in is it its just know "
        "let like make me more mr mrs ms my need needs of on one or other our out please put see she should show "
        "so some someone still tell than that the their them then there these they things this to too up us ve "
        "want wants was we were what when where which who whom will with would you your"
    )
)
_ENDINGS: Final = (
    ("ations", 4), ("ation", 4), ("ments", 4), ("ment", 4), ("ings", 3), ("ing", 3), ("ied", 3), ("ies", 3),
    ("ers", 4), ("ed", 3), ("es", 3), ("er", 4), ("s", 3), ("e", 3), ("y", 3),
)  # fmt: skip
"""Endings that are dropped, each with the fewest letters that have to stay."""
_MEANT: Final = {
    kind: frozenset(_WORD.findall(verbs))
    for kind, verbs in {
        "read": "any are did do does find has have how is list look open print read search show was what when "
        "where which who",
        "create": "add attach book buy create enrol establish give join launch link log new open record register run "
        "save schedule set start store upload write",
        "update": "adjust amend bring change complete correct double edit extend finalise finish fix increase mark "
        "move push raise rename reopen replace reschedule restore reword shift shorten sign swap tick turn update",
        "archive": "archive bin cancel close delete discontinue drop pull remove retire scrap shut stop take unblock "
        "unlink",
    }.items()
}
"""What kind of work the words of a request ask for; words of reading count only where they begin it."""
_KIND: Final = {"list": "read", "get": "read", "create": "create", "update": "update", "unarchive": "update"}
_FITS, _READS_INSTEAD, _NAME_SAID = 1.4, 0.8, 0.3
_SATURATION, _LENGTH_PENALTY = 1.2, 0.2
_NAME_WEIGHT, _SYNONYM_WEIGHT, _DESCRIPTION_WEIGHT, _SIBLING_WEIGHT = 5.0, 3.0, 1.0, 0.5


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
    return list(_stems(text, _STOP))


def _stems(text: str, without: frozenset[str] = frozenset()) -> Iterator[str]:
    plain = text.casefold().replace("'", "").replace("’", "")
    return (stem(word) for word in _WORD.findall(plain) if word not in without)


def meant(query: str) -> frozenset[str]:
    """The kinds of work that a request asks for: read, create, update, archive; none where its words do not say."""
    plain = _WORD.findall(query.casefold())
    return frozenset(
        kind for kind, verbs in _MEANT.items() if not verbs.isdisjoint(plain[:1] if kind == "read" else plain)
    )


def fit(name: str, kinds: frozenset[str]) -> float:
    """How much likelier a tool becomes by the kinds of work that were asked for."""
    kind = _KIND.get(name.partition("_")[0], "archive")
    likelier = _FITS if kind in kinds else 1.0
    return likelier * (_READS_INSTEAD if "read" in kinds and kind != "read" else 1.0)


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _bag(tool: Entry, shared: Iterable[str]) -> dict[str, float]:
    """How much each word speaks for a tool; a few of its resource's words are its own by right, the rest a little."""
    bag = dict.fromkeys(shared if tool.resource else (), _SIBLING_WEIGHT)
    for weight, text in (
        (_NAME_WEIGHT, _spaced(tool.name)),
        (_SYNONYM_WEIGHT, tool.synonyms),
        (_DESCRIPTION_WEIGHT, tool.description),
    ):
        for word in words(text):
            bag[word] = bag.get(word, 0.0) + weight
    return bag


class Lookup:
    """An index over tools, built once; a search takes well under a millisecond for a few hundred of them."""

    def __init__(self, tools: Iterable[Entry]) -> None:
        found = [tool for tool in tools if tool.kind != "meta"]
        shared = {tool.resource: set[str]() for tool in found}
        for tool in found:
            shared[tool.resource].update(words(f"{_spaced(tool.name)} {tool.synonyms}"))
        self._bags = {tool.name: _bag(tool, shared[tool.resource]) for tool in found}
        self._names = {tool.name: frozenset(_stems(tool.name)) for tool in found}
        self._penalty = {tool.name: 0.6 if tool.deprecated else 1.0 for tool in found}
        sizes = {name: sum(bag.values()) for name, bag in self._bags.items()}
        average = sum(sizes.values()) / max(len(sizes), 1)
        self._length = {name: 1 - _LENGTH_PENALTY + _LENGTH_PENALTY * size / average for name, size in sizes.items()}
        spread = Counter(word for bag in self._bags.values() for word in bag)
        total = len(self._bags)
        self._rarity = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in spread.items()}

    def search(self, query: str, most: int) -> list[str]:
        """Names of the tools that fit these words, best first, at most `most`; empty where no word is known."""
        asked = tuple(dict.fromkeys(words(query)))
        kinds, plain = meant(query), frozenset(_stems(query))
        scores = {
            name: self._score(name, asked)
            * self._penalty[name]
            * fit(name, kinds)
            * (1 + _NAME_SAID * len(plain & said) / len(said))
            for name, said in self._names.items()
        }
        ranked = sorted((name for name, score in scores.items() if score > 0), key=lambda name: (-scores[name], name))
        return ranked[:most]

    def _score(self, name: str, asked: Iterable[str]) -> float:
        bag, score = self._bags[name], 0.0
        for word in asked:
            if weight := bag.get(word):
                score += self._rarity[word] * weight * (_SATURATION + 1) / (weight + _SATURATION * self._length[name])
        return score
