"""How often something comes back, in words: what visits and blocked-out time have in common.

"Weekly", "every other week", "every 3 weeks", "once a month" and "every second Friday" mean the same in both.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

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
    rf"(?<![a-z0-9])(?:(?P<named>daily|weekly|fortnightly|monthly)"
    rf"|(?:1 |once )?(?:visit |session )?(?:every|each) {STEP}(?P<unit>{UNIT})"
    rf"|(?:once|1 visit|1 session) (?:a|per) (?P<once>{UNIT})"
    rf"|(?P<apart>a|\d{{1,3}}) (?P<between>{UNIT}) apart)(?![a-z])"
)


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
    """The text with number words up to ninety-nine in digits, and "a dozen" as 12."""
    found: list[str] = []
    tens = False
    for word in re.sub(r"(?<=ty)-(?=[a-z])", " ", re.sub(r"\ba dozen\b", "12", text)).split(" "):
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
