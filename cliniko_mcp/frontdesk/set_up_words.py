"""How desks shorten the names of what a clinic has set up: "std consult", "annual leave", "init appt"."""

from collections.abc import Mapping, Sequence
from typing import Final

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
_EMPTY_OF_BLOCKS: Final = _EMPTY | {"annual", "paid", "recreation", "rec", "time", "break", "block", "off"}


def in_full(noun: str, spoken: Sequence[str]) -> list[str]:
    """The folded words in full, without those that say nothing of which `noun` is meant; [] where nothing changes."""
    words = " ".join(spoken)
    for letters in ("f u", "a l", "t x"):
        words = f" {words} ".replace(f" {letters} ", f" {letters.replace(' ', '')} ").strip()
    empty = _EMPTY_OF_BLOCKS if noun == "kind of block" else _EMPTY
    found = [_IN_FULL.get(word, word) for word in words.split() if word not in empty]
    return found if found != list(spoken) else []
