"""What a text says of a visit: whose, with whom, where, of what type, when, and which in order ("the last one").

Everything that is said is kept: a word that stands for nothing here goes to the name, which then fits nobody.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES
from cliniko_mcp.sanitize import clean

Order = Literal["", "next", "last", "latest", "final"]
"""Which of several: the next to come, the last (before now, or of those to come), the latest before now, the final."""

_ID: Final = re.compile(
    r"(?:the )?(?:(?:appointment|booking|visit|class|place|attendee)s? ?)?(?:id|no\.?|number)? ?[:=#]? ?([0-9]{1,20})",
    re.I,
)
_O_CLOCK: Final = re.compile(r"\b(?:at |the )?([0-9]{1,2}) ?o['’]? ?clock\b", re.I)
_BARE_HOUR: Final = re.compile(r"(?<=['’]s )([0-9]{1,2})(?= (?!am\b|pm\b|[0-9])|$)", re.I)
_HOUR_OF_A_DAY: Final = re.compile(
    r"\b((?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?: week)?|today|tomorrow|yesterday)"
    r" ([1-9]|1[0-2])(?=$|[,;)]| (?!am\b|pm\b|of\b|[0-9]|[a-z]{3,9}\b))",
    re.I,
)
"""A number that ends a day is its hour: "Faye, Monday 9"; before any other word it may be the day of a month."""
_DAY: Final = r"[0-9]{1,2}(?:st|nd|rd|th)?"
_DATE: Final = (
    rf"(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{1,2}}[/. -][0-9]{{1,2}}[/. -][0-9]{{2,4}}"
    rf"|{_DAY}(?: of)? [a-z]{{3,9}},? [0-9]{{4}}|[a-z]{{3,9}} {_DAY},? [0-9]{{4}}|[0-9]{{4}})"
)
_PERSONAL: Final = re.compile(
    rf"\b(?:born|d\.?o\.?b\.?|date of birth|birth ?(?:day|date)|year of birth)[:=]? (?:on |in )?(?:the )?{_DATE}"
    r"|\((?![A-Z][A-Za-z_]+/|UTC\))[^()]*\)"
    r"|\b(?:patient|patient id|id)[:=#]? ?[0-9]{1,20}\b"
    r"|[^\s,;<>()]+@[^\s,;<>()]+"
    r"|(?:(?:phone|mobile|mob|tel|ph)\.?:? ?)?(?<![0-9:+-])(?:\+|0)[0-9](?:[ ()-]?[0-9]){6,14}(?![0-9:])",
    re.I,
)
"""What belongs to a person though it looks like a date or a time: birth dates, ids, emails, phone numbers."""
_HELD: Final = "\ue000"
_OWNER: Final = re.compile(r"(.+)['’]s|(.+s)['’]", re.I)
_WEEKDAYS: Final = frozenset(name.casefold() for name in WEEKDAY_NAMES)
_MONTHS: Final = frozenset(part for name in MONTH_NAMES for part in (name.casefold(), name[:3].casefold()))
_DAYS_OWN: Final = _WEEKDAYS | {
    "today", "tomorrow", "yesterday", "tonight", "week", "month", "fortnight", "morning", "afternoon", "evening",
}  # fmt: skip
_CALENDAR: Final = _DAYS_OWN | {
    "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "am", "pm", "noon", "midday", "midnight", "weekend",
    "arvo", "lunchtime",
}  # fmt: skip
_BEFORE_MONTHS: Final = frozenset(("in", "of", "next", "last", "this", "early", "late", "mid", "until", "to"))
_NOUNS: Final = frozenset((
    "appointment", "appointments", "appt", "appts", "visit", "visits", "booking", "bookings", "session",
    "sessions", "class", "classes", "place", "places", "spot", "slot", "one", "ones", "consult",
    "consultation",
))  # fmt: skip
_FILLERS: Final = frozenset((
    "the", "on", "that", "this", "please", "patient", "client", "is", "most", "has", "have",
)) | _NOUNS  # fmt: skip
_THEIRS: Final = frozenset((
    "his", "her", "hers", "their", "theirs", "him", "them", "he", "she", "they",
))  # fmt: skip
_MINE: Final = frozenset((
    "my", "mine", "me",
))  # fmt: skip
_Part = Literal["person", "practitioner", "site", "kind"]
_PREPOSITIONS: Final[dict[str, _Part]] = {
    "with": "practitioner", "w/": "practitioner", "at": "site", "in": "site", "for": "person", "of": "person",
}  # fmt: skip
_OPENING: Final = frozenset((*_PREPOSITIONS, "on", "the"))
"""Words that begin something and end nothing."""
_CLOCK: Final = re.compile(r"[0-9][:.][0-9]")
_ORDERS: Final[dict[str, Order]] = {
    "next": "next", "coming": "next", "upcoming": "next", "first": "next", "last": "last", "latest": "latest",
    "previous": "latest", "recent": "latest", "final": "final",
}  # fmt: skip
_BEFORE_ONE: Final = frozenset(("half", "past", "to"))
_AFTER_ONE: Final = frozenset((
    "o'clock", "o’clock", "oclock", "am", "pm", "fifteen", "thirty", "forty", "forty-five",
))  # fmt: skip
"""Beside these "one" is an hour: "half one", "quarter to one", "one thirty"."""
_MAX_WORDS: Final = 24


@dataclass(frozen=True, slots=True)
class VisitPhrase:
    """The parts of what was said of a visit, each empty where nothing was.

    `pronoun` says that a person is meant whom the text does not name ("his"); `mine` that the key's own practitioner;
    `is_patient` that the person can only be a patient, as one who is named in an argument of its own; `has_patients`
    that it can only be one who works here ("Mei's next patient").
    """

    id: str = ""
    person: str = ""
    practitioner: str = ""
    site: str = ""
    kind: str = ""
    when: str = ""
    order: Order = ""
    pronoun: bool = False
    mine: bool = False
    is_patient: bool = False
    has_patients: bool = False


def read_visit_phrase(text: str, reads: Callable[[str], bool]) -> VisitPhrase:
    """The parts of a text such as "Faye's 9:15 on Monday", "the 3 pm with Mei Ng" or "his last one".

    `reads` tells whether words are a time. Raises NotUnderstood where words of time are left that are no time together.
    """
    shown = clean(text, 255)
    if (match := _ID.fullmatch(shown)) is not None:
        return VisitPhrase(id=match[1])
    held: list[str] = []

    def keep(match: re.Match[str]) -> str:
        held.append(match[0])
        return f" {_HELD}{len(held) - 1} "

    spoken = (
        _PERSONAL.sub(keep, _BARE_HOUR.sub(r"at \1", _HOUR_OF_A_DAY.sub(r"\1 at \2", _O_CLOCK.sub(r"at \1", shown))))
        .replace(" - ", " ")
        .split()[:_MAX_WORDS]
    )
    times = _times(spoken, reads)
    rest = [word for place, word in enumerate(spoken) if place not in times]
    wrong = [word for word in rest if _bare(word) in _CALENDAR or _CLOCK.search(word)]
    if wrong and len(spoken) > 1:
        raise NotUnderstood(
            f"The time in “{shown}” could not be read: “{' '.join(wrong)}” does not go with the rest.",
            "Say whose visit it is and one time.",
            examples=["Jane Lima, Monday at 9:15", "Jane Lima tomorrow", "the 3 pm with Mei Ng"],
        )
    return _Parts([held[int(word[1:])] if word.startswith(_HELD) else word for word in rest]).read(
        _joined(spoken, times)
    )


def _bare(word: str) -> str:
    return word.strip(",;.!?“”\"'").casefold()


def _joined(spoken: Sequence[str], places: Iterable[int]) -> str:
    return " ".join(spoken[place].rstrip(";.") for place in sorted(places)).strip(" ,")


def _times(spoken: Sequence[str], reads: Callable[[str], bool]) -> frozenset[int]:
    """The places of the words that are the time: the longest run, and what stands apart and goes with it."""
    open_places = [place for place in range(len(spoken)) if not _is_apart(place, spoken)]
    found: frozenset[int] = frozenset()
    for run in _runs(open_places):
        if run & found or _bare(spoken[max(run)]) in _OPENING:
            continue
        # beside a time that is found already, words have to be a time both by themselves and together with it
        if reads(_joined(spoken, run)) and (not found or reads(_joined(spoken, run | found))):
            found |= run
    return found


def _is_apart(place: int, spoken: Sequence[str]) -> bool:
    """Whether a word is none of a time: whose it is, a noun, "first" of "the first appointment", a name like May."""
    word = spoken[place]
    low = _bare(word)
    before = _bare(spoken[place - 1]) if place else ""
    after = _bare(spoken[place + 1]) if place + 1 < len(spoken) else ""
    if low == "one" and (before in _BEFORE_ONE or after in _AFTER_ONE):
        return False
    if word.startswith(_HELD) or _owner(word) or low in _NOUNS or (low in _ORDERS and after in _NOUNS):
        return True
    # April, May and June are people as well: a month has a number beside it, or a word that goes before a month
    numbered = any(side[:1].isdecimal() for side in (before, after))
    return low in _MONTHS and not numbered and before not in _BEFORE_MONTHS


def _runs(places: Sequence[int]) -> list[frozenset[int]]:
    """All unbroken runs of these places, the longest first, of equal ones the last first."""
    there = set(places)
    runs = [
        frozenset(range(first, last + 1))
        for first in places
        for last in places
        if first <= last and there.issuperset(range(first, last + 1))
    ]
    return sorted(runs, key=lambda run: (-len(run), -min(run)))


def _owner(word: str) -> str:
    """Whose something is: `Faye` of "Faye's"; empty for all other words, and for "today's"."""
    match = _OWNER.fullmatch(word.rstrip(",;"))
    name = (match[1] or match[2]) if match else ""
    return "" if name.casefold() in _DAYS_OWN else name


class _Parts:
    """Sorts the words that are no time by what stands before them."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._words_of: dict[_Part, list[str]] = {"person": [], "practitioner": [], "site": [], "kind": []}
        self._order: Order = ""
        self._pronoun = self._mine = self._has_patients = False

    def read(self, when: str) -> VisitPhrase:
        """The phrase with this time."""
        part: _Part = "person"
        for place, word in enumerate(self._words):
            part = self._take(place, word, part)
        person, practitioner, site, kind = (
            " ".join(self._words_of[name]).strip(" ,;") for name in ("person", "practitioner", "site", "kind")
        )
        return VisitPhrase(
            "", person, practitioner, site, kind, when, self._order, self._pronoun, self._mine,
            has_patients=self._has_patients,
        )  # fmt: skip

    def _take(self, place: int, word: str, part: _Part) -> _Part:
        low = _bare(word)
        if owner := _owner(word):
            self._words_of[part if part == "practitioner" else "person"].append(owner)
            return "kind"
        if word[:1].isupper() and low != "the":  # a name
            if self._names_the_person_meant(place):
                part = "person"
            self._words_of[part].append(word)
        elif low in _PREPOSITIONS:
            return _PREPOSITIONS[low]
        elif low in _THEIRS or low in _MINE:
            self._pronoun |= low in _THEIRS
            self._mine |= low in _MINE
            return "kind"
        elif low in _ORDERS and self._is_order(place):
            self._order = _ORDERS[low] if self._order in ("", "last") else self._order
            self._has_patients |= place + 1 < len(self._words) and _bare(self._words[place + 1]) in (
                "patient",
                "client",
            )
        elif low not in _FILLERS:
            self._words_of[part].append(word)
        return part

    def _names_the_person_meant(self, place: int) -> bool:
        """Whether a name after a comma says who "her" or "his" is: "her last one, Faye Lindqvist"."""
        paused = place > 0 and self._words[place - 1].endswith(",")
        return self._pronoun and paused and not self._words_of["person"]

    def _is_order(self, place: int) -> bool:
        before = self._words[place - 1] if place else ""
        after = _bare(self._words[place + 1]) if place + 1 < len(self._words) else ""
        owned = bool(_owner(before)) or _bare(before) in _THEIRS | _MINE | {"the", "most"}
        return owned or not after or after in _FILLERS
