"""Phrases of time as intervals at each site, read by the clock of that site."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Generic, Literal, TypeVar, overload
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster, name_text
from cliniko_mcp.phrases import Anchor, Facing, OpenWhen, When, day_bounds, parse_when
from cliniko_mcp.phrases.format import describe

Window = tuple[datetime, datetime]
WhenT = TypeVar("WhenT", When, OpenWhen)
_MINUTE = timedelta(minutes=1)
_BETWEEN_SITES = "); at "
_WORDING = re.compile(
    r"(?<= )(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day \d{1,2} [A-Z]|up to and including |before |\d{4}-\d\d-\d\dT)"
)


@dataclass(frozen=True, slots=True)
class _AtSites(Generic[WhenT]):
    """Intervals of time at sites, each by the clock of its site, and by the clock of the key's user in `home`."""

    places: Mapping[str, WhenT]
    home: WhenT
    names: Mapping[str, str]
    """The names of the sites, by id."""
    closed: Mapping[str, WhenT] = field(default_factory=dict[str, WhenT])
    """The same time at archived sites, where no site was named: their visits count on the days of their own clocks."""

    @property
    def description(self) -> str:
        """The span in words, with weekdays and zones."""
        whens = self.places.values()
        if len({_instants(when) for when in whens}) == 1:  # the same moments everywhere, as in "the next 14 days"
            return self.home.description if len(whens) > 1 else next(iter(whens)).description
        names: dict[str, list[str]] = {}
        for site_id, when in self.places.items():
            names.setdefault(when.description, []).append(self.names[site_id])
        if len(names) < 2:
            return next(iter(names), self.home.description)
        plain = {wording.rsplit(" (", 1)[0] for wording in names}
        if len(plain) == 1:
            zones = ", ".join(f"{wording.rsplit(' (', 1)[1][:-1]} at {_and(at)}" for wording, at in names.items())
            return f"{plain.pop()} ({zones})"
        return "; ".join(f"at {_and(at)} {wording}" for wording, at in names.items())

    @property
    def zone(self) -> ZoneInfo:
        """The zone to answer in: the one that all sites share, else that of the key's user."""
        zones = {when.zone for when in self.places.values()}
        return zones.pop() if len(zones) == 1 else self.home.zone

    def at(self, business_id: str | None) -> WhenT:
        """The interval by the clock of this site; by that of the key's user for a site that was not asked about."""
        key = business_id or ""
        return self.places.get(key) or self.closed.get(key, self.home)

    @property
    def _read(self) -> Collection[WhenT]:
        """Every interval there is: at the sites, or by the clock of the key's user where there is none."""
        return [*(self.places.values() or [self.home]), *self.closed.values()]


class Span(_AtSites[When]):
    """Intervals with a beginning and an end, at sites."""

    __slots__ = ()

    @classmethod
    def of_days(cls, first: date, last: date, roster: Roster, sites: Collection[Known[Business]] = ()) -> "Span":
        """The local days from `first` to and with `last` at these sites; at all open ones where none is given."""
        closed = {} if sites else {site.id: _days(first, last, roster.zone(site.id)) for site in _closed(roster)}
        sites = list(sites) or roster.sites
        whens = {site.id: _days(first, last, roster.zone(site.id)) for site in sites}
        return cls(whens, _days(first, last, roster.home), {site.id: site.name for site in sites}, closed)

    def narrowed(self, sites: Iterable[Known[Business]]) -> "Span":
        """The same span at only these of its sites, described by their clocks."""
        kept = [site for site in sites if site.id in self.places]
        return Span({site.id: self.places[site.id] for site in kept}, self.home, {site.id: site.name for site in kept})

    def windows(self, business_id: str | None) -> Iterator[Window]:
        """The (start, end) pairs that count at this site: half-open, in order, in UTC."""
        for start, end in self.at(business_id).windows():
            yield start.astimezone(UTC), end.astimezone(UTC)

    @property
    def bounds(self) -> Window:
        """The first start and the last end over all sites, in UTC."""
        return (
            min(when.start.astimezone(UTC) for when in self._read),
            max(when.end.astimezone(UTC) for when in self._read),
        )


class OpenSpan(_AtSites[OpenWhen]):
    """All time before a moment at each site, as "before March" means facing back."""

    __slots__ = ()

    @property
    def end(self) -> datetime:
        """The last end over all sites, in UTC."""
        return max(when.end.astimezone(UTC) for when in self._read)

    def since(self, start: datetime) -> Span:
        """The same with a start, such as the clinic's first record."""
        places = {site: when.since(start) for site, when in self.places.items()}
        closed = {site: when.since(start) for site, when in self.closed.items()}
        return Span(places, self.home.since(start), self.names, closed)


@overload
def read_span(
    phrase: str,
    now: datetime,
    roster: Roster,
    sites: Collection[Known[Business]] = (),
    *,
    facing: Literal[Facing.AHEAD, Facing.WHOLE] = Facing.AHEAD,
    anchor: Anchor | None = None,
) -> Span: ...


@overload
def read_span(
    phrase: str,
    now: datetime,
    roster: Roster,
    sites: Collection[Known[Business]] = (),
    *,
    facing: Facing,
    anchor: Anchor | None = None,
) -> Span | OpenSpan: ...


def read_span(
    phrase: str,
    now: datetime,
    roster: Roster,
    sites: Collection[Known[Business]] = (),
    *,
    facing: Facing = Facing.AHEAD,
    anchor: Anchor | None = None,
) -> Span | OpenSpan:
    """The intervals that `phrase` means at these sites, each by its own clock; at all open ones where none is given.

    "Tomorrow afternoon" at a site in Perth and one in Sydney are two different intervals. `facing` and `anchor` are
    those of `parse_when`: only facing back, or either way, can the answer be an `OpenSpan`. Raises NotUnderstood for
    what cannot be read.
    """
    unlisted = [] if sites else _closed(roster)
    sites = list(sites) or roster.sites
    printed = _by_site(phrase)

    def read(zone: ZoneInfo, site: Known[Business] | None) -> When | OpenWhen:
        country = name_text(site.record.country_code) if site else ""
        words = printed.get(site.name, phrase) if site else phrase
        return parse_when(words, now=now, zone=zone, country=country or None, facing=facing, anchor=anchor)

    whens = {site.id: read(roster.zone(site.id), site) for site in sites}
    try:
        home = read(roster.home, next(iter(sites), None))
    except NotUnderstood:
        # hours that were printed by the clock of another site: nothing is asked about the home zone then
        if not whens:
            raise
        home = next(iter(whens.values()))
    names = {site.id: site.name for site in sites}
    closed: dict[str, When | OpenWhen] = {}
    for site in unlisted:
        with suppress(
            NotUnderstood
        ):  # hours that only the clocks of open sites have: there it is as for the key's user
            closed[site.id] = read(roster.zone(site.id), site)
    if isinstance(home, OpenWhen):
        # whether the start is open is decided by the words alone, so it is so at every site
        return OpenSpan(_of(OpenWhen, whens), home, names, _of(OpenWhen, closed))
    return Span(_of(When, whens), home, names, _of(When, closed))


def _of(kind: type[WhenT], whens: Mapping[str, When | OpenWhen]) -> dict[str, WhenT]:
    return {site: when for site, when in whens.items() if isinstance(when, kind)}


def _closed(roster: Roster) -> list[Known[Business]]:
    """The archived sites by whose clocks a span is not that of the key's user."""
    return [site for site in roster.businesses.values() if site.gone and roster.zone(site.id) != roster.home]


def _by_site(phrase: str) -> dict[str, str]:
    """The wording of each site where a phrase is one that `_worded` made of several: "at A and B ...; at C ..."."""
    if not phrase.startswith("at ") or _BETWEEN_SITES not in phrase:
        return {}
    found: dict[str, str] = {}
    for part in phrase.removeprefix("at ").split(_BETWEEN_SITES):
        # a wording begins with a weekday, an open start or an ISO date, and the names of its sites come before it
        match = _WORDING.search(part)
        if match is not None:
            names = part[: match.start() - 1]
            wording = part[match.start() :].removesuffix(")") + ")"
            found |= dict.fromkeys((names, *names.split(" and ")), wording)
    return found


def _days(first: date, last: date, zone: ZoneInfo) -> When:
    start, end = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    return When(start, end, frozenset(), (), describe(start, end, frozenset(), (), zone))


def _instants(when: When | OpenWhen) -> object:
    if when.weekdays or when.times:
        return when.description
    if when.start is None:
        return when.end.astimezone(UTC)
    return when.start.astimezone(UTC), when.end.astimezone(UTC)


def _and(names: Collection[str]) -> str:
    return " and ".join(names)


def point_of(when: When) -> datetime | None:
    """The start in UTC of a phrase that is one point in time ("Tuesday at 10"), or None for a stretch."""
    start, end = when.start.astimezone(UTC), when.end.astimezone(UTC)
    return start if end - start == _MINUTE and not (when.weekdays or when.times) else None


def start_of(when: When, length: timedelta) -> datetime:
    """The start in UTC where a phrase names one start, or a stretch of exactly this length ("10 to 10:30").

    Raises NotUnderstood for any other stretch, which would leave the start open.
    """
    if (point := point_of(when)) is not None:
        return point
    start = when.start.astimezone(UTC)
    if not (when.weekdays or when.times) and when.end.astimezone(UTC) - start == length:
        return start
    raise NotUnderstood(
        f"That is a stretch of time, not one start: {when.description}.",
        'Give a day and a time, such as "Tuesday at 10:30"; find_times says what is free.',
        examples=["Tuesday at 10:30", "24 November 2026 at 9:00", "tomorrow 14:15"],
    )
