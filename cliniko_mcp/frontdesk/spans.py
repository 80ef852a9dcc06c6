"""Phrases of time as intervals at each site, read by the clock of that site."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.resources.businesses import Business
from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.roster import Known, Roster, name_text
from cliniko_mcp.phrases import When, day_bounds, parse_when
from cliniko_mcp.phrases.format import describe

Window = tuple[datetime, datetime]
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Intervals of time at sites, each by the clock of its site, and by the clock of the key's user in `home`."""

    places: Mapping[str, When]
    home: When
    names: Mapping[str, str]
    """The names of the sites, by id."""

    @classmethod
    def of_days(cls, first: date, last: date, roster: Roster, sites: Collection[Known[Business]] = ()) -> "Span":
        """The local days from `first` to and with `last` at these sites; at all open ones where none is given."""
        sites = list(sites) or roster.sites
        whens = {site.id: _days(first, last, roster.zone(site.id)) for site in sites}
        return cls(whens, _days(first, last, roster.home), {site.id: site.name for site in sites})

    def narrowed(self, sites: Iterable[Known[Business]]) -> "Span":
        """The same span at only these of its sites, described by their clocks."""
        kept = [site for site in sites if site.id in self.places]
        return Span({site.id: self.places[site.id] for site in kept}, self.home, {site.id: site.name for site in kept})

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

    def at(self, business_id: str | None) -> When:
        """The interval by the clock of this site; by that of the key's user for a site that was not asked about."""
        return self.places.get(business_id or "", self.home)

    def windows(self, business_id: str | None) -> Iterator[Window]:
        """The (start, end) pairs that count at this site: half-open, in order, in UTC."""
        for start, end in self.at(business_id).windows():
            yield start.astimezone(UTC), end.astimezone(UTC)

    @property
    def bounds(self) -> Window:
        """The first start and the last end over all sites, in UTC."""
        whens = list(self.places.values()) or [self.home]
        return min(when.start.astimezone(UTC) for when in whens), max(when.end.astimezone(UTC) for when in whens)


def read_span(phrase: str, now: datetime, roster: Roster, sites: Collection[Known[Business]] = ()) -> Span:
    """The intervals that `phrase` means at these sites, each by its own clock; at all open ones where none is given.

    "Tomorrow afternoon" at a site in Perth and one in Sydney are two different intervals. Raises NotUnderstood for what
    cannot be read.
    """
    sites = list(sites) or roster.sites
    whens = {site.id: _read(phrase, now, roster.zone(site.id), site) for site in sites}
    home = _read(phrase, now, roster.home, next(iter(sites), None))
    return Span(whens, home, {site.id: site.name for site in sites})


def _read(phrase: str, now: datetime, zone: ZoneInfo, site: Known[Business] | None) -> When:
    country = name_text(site.record.country_code) if site else ""
    return parse_when(phrase, now=now, zone=zone, country=country or None)


def _days(first: date, last: date, zone: ZoneInfo) -> When:
    start, end = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    return When(start, end, frozenset(), (), describe(start, end, frozenset(), (), zone))


def _instants(when: When) -> object:
    if when.weekdays or when.times:
        return when.description
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
