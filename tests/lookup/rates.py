"""How often look-up is right: of requests in files, and of examples that are hidden from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from cliniko_mcp.results.cursor import Cursors
from cliniko_mcp.tools.catalogue import Catalogue
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.lookup import Lookup
from cliniko_mcp.tools.requests import not_offered
from cliniko_mcp.tools.requests import requests as asked
from tests.lookup.requests import Spoken, examples, requests, without

FOUND_AMONG = 5


@dataclass(frozen=True)
class Rate:
    """A share of requests. It shows numbers only: who saw which requests fail could not judge by them any more."""

    met: int
    of: int

    @property
    def share(self) -> float:
        return self.met / self.of

    def __str__(self) -> str:
        return f"{self.share:.1%} ({self.met} of {self.of})"


def found(half: str) -> Rate:
    """How many requests find a right operation among the first five."""
    return _rate(bool(request.right & {*operations(request.words)}) for request in requests(half))


def found_in_any_order(half: str, chance: Random, sample: int) -> Rate:
    """How many of a sample of requests find a right operation among the first five with their words shuffled.

    Pairs of words count too, so another order may bring up others beside it.
    """
    return _rate(
        bool(request.right & {*operations(_shuffled(request.words, chance))})
        for request in chance.sample(requests(half), sample)
    )


def told_apart(half: str) -> Rate:
    """How many requests for what is not offered are answered so, with the right topic."""
    return _rate(topic(request.words) in request.right for request in requests(half))


def denied(half: str) -> Rate:
    """How many requests for what there is are answered as not offered."""
    return _rate(topic(request.words) is not None for request in requests(half))


def missed(half: str) -> list[Spoken]:
    """The requests that find no right operation among the first five: for the tuning half alone."""
    return [request for request in requests(half) if not request.right & {*operations(request.words)}]


def hidden(numbers: Iterable[int]) -> tuple[Rate, Rate, Rate]:
    """Of examples left out of the index: operations found among the first five, topics told apart, operations denied.

    One example of each table is left out at a time, those of these numbers.
    """
    operations: list[bool] = []
    topics: list[bool] = []
    denials: list[bool] = []
    for number in numbers:
        lookup = Lookup(entries().values(), without(asked(), number), without(not_offered(), number))
        for name, words in examples(asked(), number):
            names, about = lookup.search(words)
            denials.append(about is not None)
            if entries()[name].kind == "operation":
                results = [result for result in names if entries()[result].kind == "operation"]
                operations.append(name in results[:FOUND_AMONG])
        topics += [lookup.search(words).not_offered == name for name, words in examples(not_offered(), number)]
    return _rate(operations), _rate(topics), _rate(denials)


_CATALOGUE = Catalogue(Cursors(b"key"))
_TOPICS = {table.what: name for name, table in not_offered().items()}


def operations(words: str, catalogue: Catalogue = _CATALOGUE) -> list[str]:
    """The operations that `cliniko_describe` answers with."""
    items = catalogue.describe(None, words).fields["items"]
    assert isinstance(items, list)
    return [str(item["name"]) for item in items if isinstance(item, dict)]


def topic(words: str) -> str | None:
    """The topic of what `cliniko_describe` says is not in the API; None where it says no such thing."""
    about = _CATALOGUE.describe(None, words).fields.get("not_in_cliniko_api")
    return _TOPICS[str(about["what"])] if isinstance(about, dict) else None


def _shuffled(words: str, chance: Random) -> str:
    parts = words.split()
    return " ".join(chance.sample(parts, len(parts)))


def _rate(hits: Iterable[bool]) -> Rate:
    all_of_them = list(hits)
    return Rate(sum(all_of_them), len(all_of_them))
