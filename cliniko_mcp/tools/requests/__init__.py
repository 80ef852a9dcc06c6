"""What staff say when they want something done, as the TOML files in this folder hold it.

A file for each resource and `curated.toml` have a table for each operation or tool, `elsewhere.toml` one for each thing
that Cliniko's API does not offer.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

_ELSEWHERE: Final = "elsewhere.toml"


class Requests(BaseModel):
    """How one operation or curated tool is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    synonyms: str
    """Single words that speak for it."""
    examples: tuple[str, ...]
    """Whole requests."""
    fields: Mapping[str, tuple[str, ...]] = {}
    """A few words for each argument."""


class NotOffered(BaseModel):
    """Something that staff ask for and Cliniko's API does not offer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    says: str
    """The answer to give."""
    instead: tuple[str, ...]
    """The tools that come nearest."""
    instead_says: str
    """How those tools help."""
    names: tuple[str, ...]
    """Tools that one would expect for it; none of them exists."""
    phrases: tuple[str, ...]
    """Ways to ask for it in a few words."""
    examples: tuple[str, ...]
    """Whole requests."""


@cache
def requests() -> Mapping[str, Requests]:
    """How each operation and curated tool is asked for, by its name."""
    tables = TypeAdapter(dict[str, Requests])
    return {name: table for text in _texts() for name, table in _read(tables, text).items()}


@cache
def not_offered() -> Mapping[str, NotOffered]:
    """What Cliniko's API does not offer, by topic."""
    text = files(__name__).joinpath(_ELSEWHERE).read_text("utf-8")
    return _read(TypeAdapter(dict[str, NotOffered]), text)


T = TypeVar("T")


def _read(tables: TypeAdapter[dict[str, T]], text: str) -> dict[str, T]:
    return tables.validate_python(tomllib.loads(text))


def _texts() -> Iterator[str]:
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.name != _ELSEWHERE:
            yield file.read_text("utf-8")
