"""A time asked for as the soonest there is: the words that say so, and the spans to look through one after another.

"As soon as possible", "the next available Thursday after 3", "any time" and "next, however far" name no end, and
neither do "mornings" and "Thursdays"; what else such a phrase says holds in each of the spans.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import Span, read_span
from cliniko_mcp.phrases import Facing, local_day

_STEPS: Final = (14, 42, 91, 182, 364)
"""The days after today up to which the spans reach, so that a diary of a year is read in five parts at most."""
_FREE: Final = r"(?: (?:possible|available|free|open|vacant|one|time|slot|opening|appointment|gap|spot|there is)\b)"
_SOONEST: Final = re.compile(
    rf"\b(?:the )?(?:next|first){_FREE}+"
    r"|^(?:the )?(?:next|first)(?=\s*(?:,|$|-|\bhowever\b|\bno matter\b))"
    rf"|\b(?:the )?(?:soonest|earliest)\b{_FREE}*"
    r"|\b(?:as soon as (?:possible|you can|they can|we can)|a\.?s\.?a\.?p\b\.?|any ?time|any day|whenever)\b"
    r"(?: (?:possible|suits|at all))*"
    r"|\b(?:however|no matter how) (?:far|long|late)(?: (?:away|off|ahead|out|it is|it takes|that is))*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Spans:
    """The spans to look through, the soonest first. `walks` where the phrase named no end, so that the first span with
    a free start is the answer."""

    spans: tuple[Span, ...]
    walks: bool


def read_spans(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> Spans:
    """The spans that a phrase ahead means: one, or where it names no end up to five, each following the one before.

    Raises NotUnderstood for what cannot be read.
    """
    rest, count = _SOONEST.subn(" ", phrase)
    rest = re.sub(r"\s+", " ", re.sub(r"\bon an? ", "on ", rest)).strip(" ,;.!-")
    if not count:
        try:
            return Spans((read_span(phrase, now, roster, sites, facing=Facing.AHEAD),), walks=False)
        except NotUnderstood as problem:
            try:
                return Spans(_steps(phrase, now, roster, sites), walks=True)
            except NotUnderstood:
                raise problem from None
    try:
        return Spans(_steps(rest, now, roster, sites), walks=True)
    except NotUnderstood:
        # "any time this week" names its own days
        return Spans((read_span(rest, now, roster, sites, facing=Facing.AHEAD),), walks=False)


def _steps(rest: str, now: datetime, roster: Roster, sites: Collection[Known[Business]]) -> tuple[Span, ...]:
    """The spans in which the rest of the phrase holds. Raises NotUnderstood where it does not hold in all of them."""
    today, first = local_day(now, roster.home), 0
    found: list[Span] = []
    for last in _STEPS:
        days = f"{today + timedelta(days=first)} to {today + timedelta(days=last)}"
        found.append(read_span(f"{days} {rest}".strip(), now, roster, sites, facing=Facing.AHEAD))
        first = last + 1
    return tuple(found)
