"""Finding a tool by plain words, and noticing what Cliniko's API does not offer.

A request is compared with what staff say (`tools/requests`). Each of its words counts for a tool by how many times more
often it is said of that tool, of its resource and for its kind of work (list, create, archive, ...) than of everything
together; two words that stand side by side in an example count once more, and so does what people call an argument
where the whole of it is said ("referring doctor", "reference number"). So a request finds its operation even where
no example has its wording: "patient" comes from the resource, "get rid of" from everything that archives.

What the API does not offer is looked up in the same way, as the tools that one would expect for it: `create_invoice`
would belong to the invoices and to what creates.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

from cliniko_mcp.tools.index import Entry
from cliniko_mcp.tools.requests import NotOffered, Requests

_WORD: Final = re.compile(r"[^\W_]+")
_ENDINGS: Final = (
    ("ations", 4), ("ation", 4), ("ments", 4), ("ment", 4), ("ings", 3), ("ing", 3), ("ied", 3), ("ies", 3),
    ("ers", 4), ("ed", 3), ("es", 3), ("er", 4), ("s", 3), ("e", 3), ("y", 3),
)  # fmt: skip
"""Endings that are dropped, each with the fewest letters that have to stay."""
_NUMBER, _START = "0", "^"
"""What stands for every number and time of day, and for the beginning of a request."""
_NAME, _SYNONYMS, _DESCRIPTION, _EXAMPLE, _FIELD = 6, 4, 2, 2, 1
_WHAT, _PHRASE = 4, 2
"""How many times a word is counted, by where it stands."""
_PAIR, _PRESUMED = 10, 3
"""How much a pair of words counts at most, and how many other uses of it are presumed: one use proves little."""
_ARGUMENT_WORD: Final = 1.5
"""How much each word counts of what an argument is called, where all its words are said."""
_CLEARLY: Final = 1.0
"""How far something not offered has to lead before the request is taken to be about it."""
_SAME_KIND: Final = {"delete": "archive"}
_CURATED, _ELSEWHERE = "curated", "elsewhere"


class Found(NamedTuple):
    """What was found for a request."""

    tools: list[str]
    """The names of the tools that share words with it, best first."""
    not_offered: str | None
    """The topic of `not_offered()` that it is about, where it clearly is about one."""


class _Candidate(NamedTuple):
    """What a request may be about: a tool or a topic, and the resource and the kind of work it belongs to."""

    answer: str
    resource: str
    kind: str


@cache
def stem(word: str) -> str:
    """A word without its common English endings, so that booking, booked and books meet."""
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def stems(text: str) -> list[str]:
    """The stems of a text's words in order, with one and the same for all numbers."""
    plain = text.casefold().replace("'", "").replace("’", "").replace("_", " ")
    return [_NUMBER if word[0].isdigit() else stem(word) for word in _WORD.findall(plain)]


_PASSED_OVER: Final = frozenset(stems("a an the this that these my our your his her tsuccessor"))
"""What is passed over in pairs, so that "cancel her appointment" and "cancel the appointment" agree."""


def pairs(text: str) -> Iterable[str]:
    """Each two stems that stand side by side once articles and the like are gone; the first also with the beginning."""
    return dict.fromkeys(f"{one} {other}" for one, other in pairwise([_START, *_telling(text)]))


def _telling(text: str) -> Iterable[str]:
    return (word for word in stems(text) if word not in _PASSED_OVER)


class Lookup:
    """An index over the tools and over what is not offered, made once (0.15 s); a search takes about a millisecond."""

    def __init__(
        self, tools: Iterable[Entry], asked_for: Mapping[str, Requests], elsewhere: Mapping[str, NotOffered]
    ) -> None:
        self._tools = {tool.name: tool for tool in tools if tool.kind != "meta"}
        self._topics = elsewhere
        own: dict[str, Counter[str]] = {}
        resources: dict[str, Counter[str]] = defaultdict(Counter)
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        self._pairs: dict[str, Counter[str]] = defaultdict(Counter)
        self._arguments: dict[frozenset[str], set[str]] = defaultdict(set)
        for name, tool in self._tools.items():
            own[name] = _words_of(tool, asked_for[name])
            resources[_resource(tool)].update(own[name])
            _count(kinds[_kind(tool)], 1, name, *asked_for[name].examples)
            self._count_pairs(name, (name, *asked_for[name].examples))
            for phrase in (phrase for phrases in asked_for[name].fields.values() for phrase in phrases):
                self._arguments[frozenset(_telling(phrase))].add(name)
        for topic, about in elsewhere.items():
            own[topic] = resources[topic] = _words_about(about)
            _count(kinds[_ELSEWHERE], 1, *about.examples)
            self._count_pairs(topic, (*about.examples, *about.phrases))
        all_words = Counter[str]()
        for words in own.values():
            all_words.update(words)
        self._own, self._resources, self._kinds = (_rates(groups, all_words) for groups in (own, resources, kinds))
        self._things = {frozenset(_telling(name.partition("_")[2])) for name in self._tools}
        named = {word for name in own for word in stems(name)}
        self._empty = {word for word in all_words if word not in named and len(self._own[word]) > len(own) / 2}
        """Words such as "the": most tools are spoken of with them, so alone they say nothing."""
        self._candidates = [_Candidate(tool.name, _resource(tool), _kind(tool)) for tool in self._tools.values()]
        self._candidates += self._expected()

    def _count_pairs(self, answer: str, texts: Iterable[str]) -> None:
        for text in texts:
            for pair in pairs(text):
                self._pairs[pair][answer] += 1

    def _expected(self) -> Iterator[_Candidate]:
        """The tools that one would expect for what is not offered, beside those that there are."""
        resources = {name.partition("_")[2]: _resource(tool) for name, tool in self._tools.items()}
        kinds = {name.partition("_")[0]: _kind(tool) for name, tool in self._tools.items() if tool.resource}
        for topic, about in self._topics.items():
            for name in about.names:
                verb, _, noun = name.partition("_")
                yield _Candidate(topic, resources.get(noun, topic), kinds.get(verb, _ELSEWHERE))

    def search(self, request: str) -> Found:
        """The tools for a request, and what it asks for where that is not offered."""
        scores = self._scores(request)
        ranked = sorted(scores, key=lambda answer: (-scores[answer], answer))
        tools = [answer for answer in ranked if answer in self._tools]
        about = next((answer for answer in ranked if answer in self._topics), None)
        if about and tools and scores[about] < scores[tools[0]] + _CLEARLY:
            about = None
        # Who says only "invoices" may want to read them.
        return Found(tools, None if frozenset(_telling(request)) in self._things else about)

    def _scores(self, request: str) -> Mapping[str, float]:
        """How much speaks for each tool and topic, without those of which no word is said."""
        words = [word for word in dict.fromkeys(stems(request)) if word in self._own]
        if self._empty.issuperset(words):
            return {}
        rates = [(self._own[word], self._resources[word], self._kinds.get(word, {})) for word in words]
        scores: dict[str, float] = {}
        for answer, its_resource, its_kind in self._candidates:
            if any(answer in own or its_resource in resources for own, resources, _ in rates):
                score = sum(
                    math.log1p(own.get(answer, 0) + resources.get(its_resource, 0) + kinds.get(its_kind, 0))
                    for own, resources, kinds in rates
                )
                scores[answer] = max(score, scores.get(answer, 0))
        for pair in pairs(request):
            uses = self._pairs.get(pair, Counter[str]())
            presumed = uses.total() + _PRESUMED
            for answer, times in uses.items():
                scores[answer] = scores.get(answer, 0) + math.log1p(_PAIR * times / presumed)
        request_stems = frozenset(_telling(request))
        named: dict[str, int] = {}
        for phrase, answers in self._arguments.items():
            if len(phrase) > 1 and phrase <= request_stems:
                named.update((answer, max(len(phrase), named.get(answer, 0))) for answer in answers)
        for answer, words_named in named.items():
            scores[answer] = scores.get(answer, 0) + _ARGUMENT_WORD * words_named
        for name in scores:
            successor = self._tools[name].replaced_by if name in self._tools else None
            if successor:
                scores[name] = min(scores[name], scores.get(successor, 0)) - 1
        return scores


def _resource(tool: Entry) -> str:
    return tool.resource or tool.name


def _kind(tool: Entry) -> str:
    verb = tool.name.partition("_")[0]
    return _SAME_KIND.get(verb, verb) if tool.resource else _CURATED


def _count(words: Counter[str], times: int, *texts: str) -> None:
    for text in texts:
        for word in stems(text):
            words[word] += times


def _words_of(tool: Entry, requests: Requests) -> Counter[str]:
    words = Counter[str]()
    _count(words, _NAME, tool.name)
    _count(words, _SYNONYMS, requests.synonyms)
    _count(words, _DESCRIPTION, tool.description)
    _count(words, _EXAMPLE, *requests.examples)
    _count(words, _FIELD, *(phrase for phrases in requests.fields.values() for phrase in phrases))
    return words


def _words_about(topic: NotOffered) -> Counter[str]:
    words = Counter[str]()
    _count(words, _WHAT, topic.what)
    _count(words, _PHRASE, *topic.names, *topic.phrases)
    _count(words, _EXAMPLE, *topic.examples)
    return words


def _rates(groups: Mapping[str, Counter[str]], all_words: Counter[str]) -> Mapping[str, Mapping[str, float]]:
    """For each word and group, how many times more often it is said there than in all groups together."""
    total, average = all_words.total(), sum(words.total() for words in groups.values()) / len(groups)
    rates: dict[str, dict[str, float]] = defaultdict(dict)
    for group, words in groups.items():
        # By its full size a group of many fields would lose to one of few; by the root it does not.
        size = math.sqrt(words.total() * average)
        for word, times in words.items():
            rates[word][group] = times / size * total / all_words[word]
    return rates
