"""Corrections within a phrase: of "Wednesday at 3, no, Thursday" the last day counts, and the time stays."""

import re
from typing import Final

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.clock import TimeOfDay
from cliniko_mcp.phrases.dates import Now
from cliniko_mcp.phrases.phrase import ParsedPhrase, Segment, parse_phrase
from cliniko_mcp.phrases.refusals import not_understood, quotable

# "no" takes back only before a pause: "next week, no Friday" leaves Friday out
_TAKES_BACK: Final = re.compile(
    r"(?:^|(?<=[\s,;.!?\u2013\u2014-]))"
    r"(?:(?:oh,?\s+)?(?:no|nope)(?=\s*[,;.!\u2013\u2014]|\s+(?:wait|sorry|make|i\s+mean|no\b)|\s+-)"
    r"|(?:no,?\s+)?wait|sorry|oops|correction|actually|or\s+rather|rather|i\s+meant?|scratch\s+that|scrap\s+that"
    r"|strike\s+that|make\s+(?:it|that))"
    r"(?=$|[\s,;.!?:\u2013\u2014-])[\s,;.!?:\u2013\u2014-]*",
    re.IGNORECASE,
)
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
    for part in parts[:-1]:
        before = _corrected(before, part.strip(_PAUSES), now, lenient=True)
    result = _corrected(before, last, now, lenient=False)
    assert result is not None
    return result


def _corrected(before: ParsedPhrase | None, part: str, now: Now, *, lenient: bool) -> ParsedPhrase | None:
    """The phrase so far with what this part replaces; `lenient` passes over a part that broke off, as in "next Tu"."""
    if not part:
        return before
    try:
        return _replaced(before, parse_phrase(part, now, after=before))
    except NotUnderstood:
        if lenient:
            return before
        raise


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
