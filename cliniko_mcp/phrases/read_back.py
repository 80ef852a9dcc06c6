"""Reads what an answer prints: an interval followed by its zone in parentheses, "(Australia/Sydney)"."""

import re
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.time_zones import time_zone
from cliniko_mcp.phrases.format import describe
from cliniko_mcp.phrases.interval import OpenWhen, When
from cliniko_mcp.phrases.refusals import not_understood

_PRINTED: Final = re.compile(r"^(?P<words>[^()]*[^()\s])\s*\((?P<zones>.*)\)\s*\.?\s*$", re.DOTALL)


class Printed(NamedTuple):
    """A phrase as an answer prints it: its words, and the zone by whose clock they stand."""

    words: str
    zone: ZoneInfo


def printed(phrase: str, clinic: ZoneInfo) -> Printed:
    """The words of a phrase and their zone: the clinic's, or another that stands in parentheses at the end.

    Where several zones stand there ("Australia/Sydney at Northside, Australia/Perth at West") the clinic's own counts,
    or the first of them.
    """
    match = _PRINTED.match(phrase)
    if match is None:
        return Printed(phrase, clinic)
    whole = time_zone(match["zones"])
    names = [name.split(" at ")[0] for name in match["zones"].split(", ")]
    zones = [whole] if whole else [zone for zone in map(time_zone, names) if zone is not None]
    if not zones:
        return Printed(phrase, clinic)
    return Printed(match["words"], clinic if any(zone.key == clinic.key for zone in zones) else zones[0])


def by_other_clock(when: When | OpenWhen, zone: ZoneInfo) -> When | OpenWhen:
    """An interval that was printed by the clock of another zone, by that of this one.

    Raises NotUnderstood where only some hours of it count, which differ from day to day by this clock.
    """
    if when.weekdays or when.times:
        raise not_understood("Those hours stand by the clock of another zone: say them by the clinic's own.")
    end = when.end.astimezone(zone)
    if when.start is None:
        return OpenWhen(end, frozenset(), (), describe(None, end, frozenset(), (), zone))
    start = when.start.astimezone(zone)
    return When(start, end, frozenset(), (), describe(start, end, frozenset(), (), zone))
