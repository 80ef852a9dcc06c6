"""How often something comes back, in words: what visits and blocked-out time have in common.

"Weekly", "every other week", "every 3 weeks", "once a month" and "every second Friday" mean the same in both. So do
"x6" and "6 times", which count all of them, "for 6 weeks", which is what begins within six weeks of the first, and
"until 12 March", that day included.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.vocabulary import UNITS, WORDS

Unit = Literal["Daily", "Weekly", "Monthly"]
_UNITS: Final[Mapping[str, tuple[Unit, int]]] = {
    "day": ("Daily", 1),
    "week": ("Weekly", 1),
    "fortnight": ("Weekly", 2),
    "month": ("Monthly", 1),
}
_NAMED: Final[Mapping[str, tuple[Unit, int]]] = {
    "daily": ("Daily", 1),
    "weekly": ("Weekly", 1),
    "fortnightly": ("Weekly", 2),
    "monthly": ("Monthly", 1),
}
PLURALS: Final[Mapping[Unit, tuple[str, str]]] = {
    "Daily": ("every day", "days"),
    "Weekly": ("every week", "weeks"),
    "Monthly": ("every month", "months"),
}
_ORDINALS: Final = {"other": 2, "2nd": 2, "3rd": 3, "4th": 4} | {
    text: word.value for text, word in WORDS.items() if word.kind == "ord" and 2 <= word.value <= 12
}


def _either(words: Iterator[str] | list[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


UNIT: Final = _either([spelling for unit in _UNITS for spelling in UNITS[unit].split() if len(spelling) > 1])
DAY: Final = _either([text for text, word in WORDS.items() if word.kind == "weekday" and text != "midweek"])
STEP: Final = rf"(?:(?P<step>\d{{1,3}}|{_either(list(_ORDINALS))}) )?"
FREQUENCY: Final = re.compile(
    rf"(?<![a-z0-9])(?:(?:once )?(?P<named>daily|weekly|fortnightly|monthly)"
    rf"|(?:1 |once )?(?:visit |session )?(?:every|each) {STEP}(?P<unit>{UNIT})"
    rf"|(?:once|1(?: visit| session)?) (?:a|per) (?P<once>{UNIT})(?! apart)"
    rf"|(?P<apart>a|\d{{1,3}}) (?P<between>{UNIT}) apart)(?![a-z])"
)

LENGTH: Final = re.compile(
    r",? ?\b(?:for|over) (?:the )?(?:next (?=[a-z])|(?:next )?(?P<length>a|an|\d{1,3}) )"
    rf"(?P<unit>{UNIT}|years?)(?![a-z])"
)
"""For how long, see `end_of_length`."""
_EDGES: Final = (
    r"(?:(?:the )?last(?: 1| visit)?(?: on| being)?|(?:finish|end)(?:ing)?(?: on)?)(?= (?:the )?\d)|"
    r"(?:up )?(?:until|untill|till|til|thru|through(?: to)?)|up to|before|by|(?:for )?(?:the )?rest of(?: the)?"
)
_NOUNS: Final = (
    r"visits?|sessions?|appointments?|appts?|bookings?|consults?|consultations?|treatments?|times|classes|class"
    r"|lessons?|dates|repeats?|places?|blocks?"
)
_COUNT: Final = re.compile(
    r"(?<![\w:.])(?:for |of |(?:a )?total of |times |(?P<before>x) ?)*(?P<another>another |plus )?(?P<count>\d{1,3})"
    rf"(?P<after> ?x(?! ?\d))?(?P<more> more| further| extra| additional)?(?: (?P<noun>{_NOUNS}))?"
    r"(?: (?:in all|in total|altogether|total|all up))?(?![\w:])"
)

_WEEKS_NOTED: Final = re.compile(r"(?:\bevery )?\b([1-9]\d?)/52\b")
"""As therapists note weeks: 2/52."""


class Ending(NamedTuple):
    """The words that say until when: `phrase` as a phrase of time ("until 12 March"), `start` where they begin."""

    phrase: str
    start: int


class Number(NamedTuple):
    """How many times in all, and where in the text that stands."""

    times: int
    span: tuple[int, int]


def ending_in(text: str, *, after_to: bool = False) -> Ending | None:
    """The last words that say until when; `after_to` takes "to", which beside a time of day is no end: "12 to 1"."""
    edges = f"{_EDGES}|to" if after_to else _EDGES
    match = re.search(rf"(?:,? |^)(?P<edge>{edges}) (?:and including )?(?P<end>(?:(?!\b(?:{edges}) ).)+)$", text)
    if match is None:
        return None
    edge = "the rest of the" if "rest" in match["edge"] else match["edge"]
    edge = edge if edge in ("before", "by", "the rest of the") else "until"
    return Ending(f"{edge} {match['end']}", match.start())


def no_date(problem: NotUnderstood) -> NotUnderstood:
    """The same refusal of an end that is no date, with how an end is said."""
    example = "weekly until 18 December 2026"
    return NotUnderstood(
        problem.message,
        f'Give the last day as a date, as in "{example}", or how many times in all, as in "weekly x4".',
        examples=[example, "weekly x4"],
    )


def end_of_length(match: re.Match[str], first: datetime) -> datetime:
    """The local time until which what first begins at the local time `first` goes on, of a match of `LENGTH`."""
    number = 1 if match["length"] in (None, "a", "an") else int(match["length"])
    kind, size = ("Monthly", 12) if match["unit"].startswith("year") else unit_of(match["unit"])
    return later(first, kind, number * size)


def number_in(text: str) -> Number | None:
    """How many times among other words, which takes a word for it: "x6", "6 times", "another 5"."""
    for match in _COUNT.finditer(text):
        if any(match[word] for word in ("noun", "before", "after", "another", "more")):
            return Number(_times(match), match.span())
    return None


def whole_number(text: str) -> int | None:
    """How many times in all a text means that says nothing else: "6", "another 5" after the first, "x4 4 in total";
    else None."""
    found = [_times(match) for match in _COUNT.finditer(text)]
    return found[0] if not _COUNT.sub("", text).strip() and len(set(found)) == 1 else None


def _times(match: re.Match[str]) -> int:
    return int(match["count"]) + bool(match["another"] or match["more"])


def later(local: datetime, kind: Unit, steps: int) -> datetime:
    """The same local time so many days, weeks or months on; the last day of a month that is too short."""
    if kind != "Monthly":
        return local + timedelta(days=steps * (7 if kind == "Weekly" else 1))
    year, month = divmod(local.year * 12 + local.month - 1 + steps, 12)
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def frequency_of(match: re.Match[str]) -> tuple[Unit, int]:
    """The unit and how many of them lie between, of a match of `FREQUENCY`."""
    if match["named"]:
        return _NAMED[match["named"]]
    if match["between"]:
        return _counted(match["between"], "" if match["apart"] == "a" else match["apart"])
    return _counted(match["unit"] or match["once"], match["step"])


def unit_of(spelling: str) -> tuple[Unit, int]:
    """The unit that a match of `UNIT` spells, and how many of it: a fortnight is two weeks."""
    return _UNITS[WORDS[spelling].text]


def in_short(kind: Unit, interval: int) -> str:
    """How often in a word or three, as it is read back: `weekly`, `every 3 weeks`."""
    names: dict[tuple[Unit, int], str] = {frequency: name for name, frequency in _NAMED.items()}
    return names.get((kind, interval)) or f"every {interval} {PLURALS[kind][1]}"


def _counted(spelling: str, step: str | None) -> tuple[Unit, int]:
    kind, number = unit_of(spelling)
    return kind, number * step_of(step)


def step_of(text: str | None) -> int:
    """The number that a step such as "3" or "other" means; 1 where there is none."""
    if not text:
        return 1
    return int(text) if text.isdigit() else _ORDINALS[text]


def in_digits(text: str) -> str:
    """The text with number words up to ninety-nine in digits, "half a dozen" as 6, "a dozen" as 12 and × as x."""
    text = _WEEKS_NOTED.sub(r"every \1 weeks", text.replace("×", "x").replace("wkly", "weekly"))
    found: list[str] = []
    tens = False
    text = re.sub(r"\b(?:half (?:of )?a|a half) dozen\b", "6", text)
    text = re.sub(r"\b(?:(?:a|one|1) )?dozen\b", "12", re.sub(r"\b(?:two|2) dozen\b", "24", text))
    for word in re.sub(r"(?<=ty)-(?=[a-z])", " ", text).split(" "):
        bare = word.rstrip(",;.")
        known = WORDS.get(bare)
        if known is None or known.kind != "num":
            found.append(word)
            tens = False
        elif tens and 1 <= known.value <= 9:
            found[-1] = f"{int(found[-1]) + known.value}{word[len(bare) :]}"
            tens = False
        else:
            found.append(f"{known.value}{word[len(bare) :]}")
            tens = known.value >= 20 and word == bare
    return " ".join(found)
