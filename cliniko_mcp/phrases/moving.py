"""What is said of moving a visit before its new time: "push her back to 3", "bring it forward an hour"."""

import re
from typing import Final

from cliniko_mcp.phrases.vocabulary import WORDS

_MOVING: Final = re.compile(
    r"\s*(?:(?:can|could) (?:you|we|i|she|he|they) |please |just |let['’]?s |have |get )*(?:"
    r"(?:over |across )?(?:back|forwards?) to"
    r"|(?P<verb>move|push|put|bring|pull|shift|slide|bump|change|switch|reschedule|swap|make)\b"
    r"(?: (?:her|him|them|it|this|that|me)(?! (?:week|month|day))(?: one| visit| appointment| appt)?)?"
    r"(?: (?P<way>back|forwards?|up|on|out|over|along|across))?(?: (?:to|for|till|until|by))?"
    r")(?= )\s+",
    re.IGNORECASE,
)
_LENGTH: Final = re.compile(
    r"(?:[\w/]+[ -]){0,4}?\d*(?:min(?:ute)?s?|h(?:ou)?rs?|days?|weeks?|fortnights?|months?)", re.IGNORECASE
)
_POLITE: Final = re.compile(r"[ ,]+(?:please|pls|thanks|ta)$", re.IGNORECASE)
_WAYS: Final = {
    **dict.fromkeys((("push", "back"), ("put", "back"), ("push", "out"), ("move", "out"), ("push", "on")), "later"),
    **dict.fromkeys((("bring", "forward"), ("pull", "forward"), ("move", "up"), ("bring", "up")), "earlier"),
}
"""Ways of moving that have one meaning; "move it back" has two."""


def without_moving(phrase: str) -> str:
    """The new time alone, a length with its direction: `an hour earlier` for "bring it forward an hour"."""
    match = _MOVING.match(phrase)
    if match is None:
        return phrase
    rest = _POLITE.sub("", phrase[match.end() :].strip(" .!?"))
    way = (match["way"] or "").casefold()
    direction = _WAYS.get(((match["verb"] or "").casefold(), "forward" if way == "forwards" else way))
    if direction and _LENGTH.fullmatch(rest):
        return f"{rest} {direction}"
    number = WORDS.get(rest.casefold())
    return f"at {rest}" if re.fullmatch("[0-9]{1,2}", rest) or (number is not None and number.kind == "num") else rest
