"""Words for what a clinic has set up that are no names: "std consult", "annual leave", "me", "everyone"."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from cliniko_mcp.frontdesk.matching import fold

_IN_FULL: Final[Mapping[str, str]] = {
    short: full
    for full, shorts in (
        ("standard", "std stnd stand"),
        ("initial", "init int inital"),
        ("extended", "ext extd"),
        ("consult", "cons consultation consultations consults conslt"),
        ("review", "rv rvw revw reviews"),
        ("assess", "ax assmt assessment"),
        ("treat", "tx rx treatment"),
        ("rehab", "rehabilitation"),
        ("telehealth", "tele telehlth video"),
        ("pilates", "pil"),
        ("massage", "mass massg"),
        ("needling", "needles"),
        ("surgical", "surgery"),
        ("follow", "fu fup followup"),
        ("meeting", "mtg"),
        ("admin", "administration"),
        ("leave", "al"),
    )
    for short in shorts.split()
}
# words that say nothing of which one is meant
_EMPTY: Final = frozenset(("appointment", "appt", "appts", "apt", "visit", "session", "slot", "booking", "type"))
_EMPTY_OF: Final[Mapping[str, frozenset[str]]] = {
    "kind of block": _EMPTY | {"annual", "paid", "recreation", "rec", "time", "break", "block", "off"},
    "site": frozenset(("clinic", "practice", "site", "branch", "location", "office", "rooms", "place")),
}


def in_full(noun: str, spoken: Sequence[str]) -> list[str]:
    """The folded words in full, without those that say nothing of which `noun` is meant; [] where nothing changes."""
    words = " ".join(spoken)
    for letters in ("f u", "a l", "t x"):
        words = f" {words} ".replace(f" {letters} ", f" {letters.replace(' ', '')} ").strip()
    empty = _EMPTY_OF.get(noun, _EMPTY)
    found = [_IN_FULL.get(word, word) for word in words.split() if word not in empty]
    return found if found != list(spoken) else []


_OWN: Final = re.compile(r"(?:me|my|mine|myself|i|my own|my (?:diary|calendar|schedule|day))", re.I)
_EVERYONE: Final = frozenset(("everyone", "everybody", "all")) | {
    f"{every}{noun}"
    for every in ("all ", "all the ", "all of the ", "every ", "the whole ", "the entire ", "whole ", "entire ")
    for noun in ("practitioner", "practitioners", "team", "staff", "clinicians", "clinic", "practice")
}
_ANYONE: Final = _EVERYONE | {"anyone", "anybody", "any", "any practitioner", "whoever", "no preference", "the team"}
_EVERYWHERE: Final = frozenset(("both", "all", "everywhere")) | {
    f"{every}{noun}"
    for every in ("both ", "both the ", "all ", "all the ", "all of the ", "every ")
    for noun in ("site", "sites", "clinics", "clinic", "locations", "location", "branches", "places")
}
_ALL_TIME: Final = frozenset(
    (
        "all time",
        "of all time",
        "for all time",
        "any time",
        "ever",
        "always",
        "all",
        "the whole history",
        "whole history",
    )
)


def is_own(query: str) -> bool:
    """Whether these words stand for the practitioner whose key this is: "me", "my", "mine"."""
    return _OWN.fullmatch(query.strip()) is not None


def means_everyone(queries: Collection[str], *, or_anyone: bool = False) -> bool:
    """Whether one of these stands for all practitioners, or where only a question is asked for any of them."""
    return any(fold(query) in (_ANYONE if or_anyone else _EVERYONE) for query in queries)


def means_all_time(phrase: str) -> bool:
    """Whether these words stand for all time, as answers print it."""
    return fold(phrase) in _ALL_TIME


def means_everywhere(query: str) -> bool:
    """Whether these words stand for all sites."""
    return fold(query) in _EVERYWHERE
