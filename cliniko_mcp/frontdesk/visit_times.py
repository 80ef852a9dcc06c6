"""The time of a visit that is looked for in both directions: what the same words mean ahead, today and back."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster
from cliniko_mcp.frontdesk.spans import OpenSpan, Span, read_span
from cliniko_mcp.phrases import Facing, day_bounds, local_day
from cliniko_mcp.sanitize import clean


def is_time(text: str, now: datetime, roster: Roster) -> bool:
    """Whether words are a time, ahead or back."""
    for facing in (Facing.AHEAD, Facing.BACK):
        with suppress(NotUnderstood):
            read_span(text, now, roster, roster.sites[:1], facing=facing)
            return True
    return False


def readings(text: str, now: datetime, roster: Roster) -> dict[str, Span]:
    """What words of time can mean: "ahead" of now, from the beginning of "today", looking "back"; equal ones once.

    Raises NotUnderstood where they mean nothing in either direction, or have no beginning.
    """
    found: dict[str, Span] = {}
    refusal: NotUnderstood | None = None
    reads: dict[str, Callable[[], Span | OpenSpan]] = {
        "ahead": partial(read_span, text, now, roster),
        "today": partial(_from_midnight, text, now, roster),
        "back": partial(read_span, text, now, roster, facing=Facing.BACK),
    }
    for way, read in reads.items():
        try:
            span = read()
        except NotUnderstood as error:
            refusal = refusal or error
            continue
        if isinstance(span, Span) and all(span.bounds != other.bounds for other in found.values()):
            found[way] = span
    if not found:
        raise refusal or NotUnderstood(f"{clean(text, 80)} has no beginning.", "Say a day, and the time of the visit.")
    return found


def _from_midnight(text: str, now: datetime, roster: Roster) -> Span:
    """The span as it was at the beginning of today, each site by its own clock: a clock time is that of today."""

    def read(zone: ZoneInfo, sites: Sequence[Known[Business]]) -> Span:
        return read_span(text, day_bounds(local_day(now, zone), zone)[0], roster, sites)

    home = read(roster.home, ())
    places = {site.id: read(roster.zone(site.id), [site]).at(site.id) for site in roster.sites}
    return Span(places, home.home, home.names)
