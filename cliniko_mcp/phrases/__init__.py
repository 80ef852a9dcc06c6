"""Phrases of time, in the words of a clinic's staff, read as half-open intervals of clinic time.

    >>> when = parse_when("Thursday after 3", now=datetime(2026, 11, 24, 10), zone="Australia/Sydney")

    'Thursday 26 November 2026, 15:00 to 24:00 (Australia/Sydney)'

The conventions, which docs/when.md shows with examples:

- A day runs from local midnight to midnight. Morning is 00-12, afternoon (arvo) 12-17, evening, night and tonight
  17-24, lunchtime 12-14, first thing 00-10, am 00-12, pm 12-24. "After 3pm" is 15-24, "before 10" is 00-10, and "after"
  a part of the day begins where that part ends. Bare hours 1 to 6 mean pm, 7 to 11 am, 12 is noon; "half two" is 14:30.
  A part of the day beside an hour decides am or pm ("evening at 7"). A point in time is one minute long.
- This week is today through Sunday, next week the Monday to Sunday that follow, and so for months, quarters and years.
  A weekend is Saturday and Sunday, a weekday Monday to Friday. Early in a week is Monday and Tuesday, the middle
  Wednesday, late Thursday to Sunday. The end of a month is its last 7 days, its start the first 7.
- A bare weekday is the next one after today; "this Thursday" may be today. "Next Tuesday" is the one in the following
  ISO week, "last Tuesday" the one in the week before; "Tuesday week" is the coming one plus seven days.
- Early and late parts of a day are narrower: late afternoon 15-17. What only a clinic or household knows ("after
  school", "COB") is refused with what to say instead; "by COB Friday" is by the end of that day.
- "In 2 weeks" is that one day, "in the next 2 weeks" now to then, a fortnight 14 days. Past phrases mirror these.
- Numbers like 24/11 are day first except in the United States. A date without a year, a day of the month or a clock
  time already past is the next to come. ISO dates, times, weeks and intervals are always read.
- Q3 and "the third quarter" are calendar quarters. A financial year is that of the country (Australia, New Zealand, the
  United Kingdom), named by the year it ends in. Half a week is Monday to Wednesday or the rest, half a month 15 days.
- Of a correction ("Wednesday, no, Thursday") the last counts. Hedges are dropped beside a real time.
- "By", "until" and "before the end of" a day or span mean now to its end. Spans include their last day. "Except"
  removes days or hours.
- Contradictions, reversed spans, seasons, holidays and vague words are errors, and so is every unknown word.

Facing back (`Facing.BACK`) the same words mean whole local days up to today: the present week, month, quarter, year or
financial year from its first day, the last so many weeks up to yesterday, a bare name or date the latest that has
begun; "before", "until" and "more than 6 months ago" have no start, and what is wholly still to come is refused.
`Facing.WHOLE` reads the present period whole and a bare name as the nearest. From a visit (`anchor`) what the phrase
leaves unsaid stays.
What `description` prints is read back as the same interval in every direction.

When clocks go forward, the skipped hour does not exist: an interval begins or ends at the skip, and a point in it is
refused. When clocks go back, an interval includes both occurrences of the repeated hour, and a point is the first of
them. Lengths in hours and minutes are true durations; lengths in days and longer units keep the time of day.
"""

from datetime import datetime
from typing import Literal, overload
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases.facing import Anchor, Facing
from cliniko_mcp.phrases.interval import OpenWhen, When
from cliniko_mcp.phrases.zones import clinic_zone, day_bounds, local_day

__all__ = ["Anchor", "Facing", "OpenWhen", "When", "clinic_zone", "day_bounds", "local_day", "parse_when"]


@overload
def parse_when(
    phrase: str,
    *,
    now: datetime,
    zone: str | ZoneInfo,
    country: str | None = None,
    facing: Literal[Facing.AHEAD, Facing.WHOLE] = Facing.AHEAD,
    anchor: Anchor | None = None,
) -> When: ...


@overload
def parse_when(
    phrase: str,
    *,
    now: datetime,
    zone: str | ZoneInfo,
    country: str | None = None,
    facing: Facing = Facing.AHEAD,
    anchor: Anchor | None = None,
) -> When | OpenWhen: ...


def parse_when(
    phrase: str,
    *,
    now: datetime,
    zone: str | ZoneInfo,
    country: str | None = None,
    facing: Facing = Facing.AHEAD,
    anchor: Anchor | None = None,
) -> When | OpenWhen:
    """The interval that a phrase means at the moment `now` in a clinic of that zone.

    `now` is an aware datetime, or a naive one taken as local; its seconds are dropped. `zone` is an IANA name, a label
    that Cliniko shows, or a ZoneInfo. `country` is a two-letter code; it decides whether 11/24 is month first (US) and
    when a financial year begins; without it the zone decides. `facing` is the direction in which the tool reads; only
    facing `BACK` and `EITHER` can the start be open. `anchor` is the visit that the phrase moves: what the phrase
    leaves unsaid stays as it is, and the answer is the new start, one minute long, or a part of a day.

    Raises NotUnderstood, with three examples, for a phrase that cannot be read without guessing.
    """
    # the grammar is imported with the first phrase, so that a server starts sooner
    from cliniko_mcp.phrases.resolve import resolve_phrase

    clinic = clinic_zone(zone) if isinstance(zone, str) else zone
    try:
        return resolve_phrase(phrase, now, clinic, country, Facing.AHEAD if anchor else facing, anchor)
    except NotUnderstood as problem:
        if anchor is None and facing is Facing.BACK:
            from cliniko_mcp.phrases.refusals import looking_back

            raise looking_back(problem) from None
        raise
