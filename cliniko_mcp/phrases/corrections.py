"""Corrections within a phrase: of "Wednesday at 3, no, Thursday" the last day counts, and the time stays."""

import re
from typing import Final

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.clock import TimeOfDay
from cliniko_mcp.phrases.dates import Now
from cliniko_mcp.phrases.phrase import ParsedPhrase, Segment, parse_phrase
from cliniko_mcp.phrases.refusals import not_understood, quotable
from cliniko_mcp.phrases.vocabulary import look_up

# "no" takes back only before a pause: "next week, no Friday" leaves Friday out
_TAKES_BACK: Final = re.compile(
    r"(?:^|(?<=[\s,;.!?\u2013\u2014-]))"
    r"(?:(?:oh,?\s+)?(?:no|nope)(?=\s*[,;.!\u2013\u2014]|\s+(?:wait|hang\s+on|hold\s+on|sorry|make|i\s+mean|no\b)|\s+-)"
    r"|(?:no,?\s+)?(?:wait|hang\s+on|hold\s+on)|sorry|oops|correction|actually|(?:or\s+)?rather(?!\s+than\b)|i\s+meant?|scratch\s+that|scrap\s+that"
    r"|strike\s+that|make\s+(?:it|that))"
    r"(?=$|[\s,;.!?:\u2013\u2014-])[\s,;.!?:\u2013\u2014-]*",
    re.IGNORECASE,
)
_SHORTEST_DAY: Final = 4
"""Letters of the shortest garbled day, such as "thrs"."""
_PAUSES: Final = " \t,;.!?:-\u2013\u2014"
# these may close a phrase without taking anything back: "Thursday, sorry"
_CLOSING: Final = re.compile(r"(?:sorry|actually|rather)[\s,;.!?]*$", re.IGNORECASE)


def parse_corrected(phrase: str, now: Now) -> ParsedPhrase:
    """The parsed phrase, with what a correction in it replaces. Raises NotUnderstood as `parse_phrase` does."""
    text = _CLOSING.sub("", phrase).rstrip(" ,;") if _CLOSING.search(phrase) else phrase
    parts = _TAKES_BACK.split(text)
    if len(parts) == 1:
        return parse_phrase(text or phrase, now)
    last = parts[-1].strip(_PAUSES)
    if not last:
        raise not_understood(f'"{quotable(phrase)}" takes something back and does not say what counts instead.')
    before: ParsedPhrase | None = None
    lost: list[str] = []
    for part in parts[:-1]:
        before = _begun(before, part.strip(_PAUSES), now, lost)
    here = parse_phrase(last, now, after=before)
    if not any(segment.names_day for segment in here.segments) and (
        unread := [part for part in lost if _has_day(part)]
    ):
        raise not_understood(f'I could not read "{quotable(unread[-1])}", which "{quotable(last)}" corrects.')
    return _replaced(before, here)


def _begun(before: ParsedPhrase | None, part: str, now: Now, lost: list[str]) -> ParsedPhrase | None:
    """The phrase so far with what this part replaces: of one that broke off ("Tuesday at 3ish") what stands before its
    last word or two, else nothing, and it is `lost`."""
    words = part.split()
    for kept in range(len(words), max(len(words) - 3, 0), -1):
        try:
            return _replaced(before, parse_phrase(" ".join(words[:kept]).strip(_PAUSES), now, after=before))
        except NotUnderstood:
            continue
    if words:
        lost.append(part)
    return before


def _has_day(part: str) -> bool:
    """Whether a part that could not be read speaks of a day, which what corrects it may leave unsaid.

    A word that nobody knows may be one: "Wendsnesday".
    """
    return any(_may_be_day(word.strip(_PAUSES).casefold()) for word in part.split())


def _may_be_day(word: str) -> bool:
    known = look_up(word)
    if known is None:
        return len(word) >= _SHORTEST_DAY and word.isalpha() and not word.endswith("ish")
    return known.kind in {"weekday", "month", "unit"}


def _replaced(before: ParsedPhrase | None, here: ParsedPhrase) -> ParsedPhrase:
    """The correction, completed by the days or the times of what it corrects where it has none of its own."""
    if before is None or len(before.segments) > 1 or len(here.segments) > 1:
        return here
    old, new = before.segments[0], here.segments[0]
    if new.names_day and new.times:
        return here
    if new.names_day:
        return ParsedPhrase([_with(new, old.times)], here.excluded_days, before.excluded_times + here.excluded_times)
    return ParsedPhrase(
        [Segment(old.days, old.weekdays, new.times or old.times, old.limits)],
        before.excluded_days + here.excluded_days,
        here.excluded_times,
        before.same_time and not new.times,
    )


def _with(segment: Segment, times: list[list[TimeOfDay]]) -> Segment:
    return Segment(segment.days, segment.weekdays, times, segment.limits)
