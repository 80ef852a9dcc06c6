"""What a phrase of time means at each site in question: every site reads it by its own clock."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.frontdesk.people import Known, Roster
from cliniko_mcp.phrases import When, parse_when
from cliniko_mcp.results.names import text_of

Window = tuple[datetime, datetime]
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase as it was understood. `said` repeats it with weekdays and zones; `zone` is that of the answer."""

    said: str
    zone: ZoneInfo
    sites: Mapping[str, When]
    home: When

    def at(self, business_id: str | None) -> When:
        """The interval by the clock of this site; by that of the key's user where the site is none of those asked."""
        return self.sites.get(business_id or "", self.home)

    def windows(self, business_id: str | None) -> Iterator[Window]:
        """The stretches that count at this site: half-open, in order, in UTC."""
        for start, end in self.at(business_id).windows():
            yield start.astimezone(UTC), end.astimezone(UTC)

    @property
    def bounds(self) -> Window:
        """From the first start to the last end over all sites, in UTC."""
        whens = list(self.sites.values()) or [self.home]
        return min(each.start.astimezone(UTC) for each in whens), max(each.end.astimezone(UTC) for each in whens)


def read_span(phrase: str, now: datetime, roster: Roster, sites: Collection[Known] = ()) -> Span:
    """What `phrase` means at these sites, each by its own clock; without sites at all open ones. `now` is `desk.now`.

    "Tomorrow afternoon" at a site in Perth and one in Sydney are two different stretches. The zone of the answer is the
    one that all sites share, else that of the key's user. Raises NotUnderstood for what cannot be read.
    """
    asked = list(sites) or roster.sites
    whens = {each.id: _read(phrase, now, roster.zone(each.id), each) for each in asked}
    zones = {roster.zone(each.id) for each in asked}
    home = _read(phrase, now, roster.home, asked[0] if asked else None)
    zone = zones.pop() if len(zones) == 1 else roster.home
    return Span(_said(whens, asked, home), zone, whens, home)


def _read(phrase: str, now: datetime, zone: ZoneInfo, site: Known | None) -> When:
    country = text_of(site.record, "country_code") if site else ""
    return parse_when(phrase, now=now, zone=zone, country=country or None)


def _said(whens: Mapping[str, When], sites: Collection[Known], home: When) -> str:
    if len({_instants(each) for each in whens.values()}) == 1:  # the same moments everywhere, as in "the next 14 days"
        return home.description if len(sites) > 1 else next(iter(whens.values())).description
    names: dict[str, list[str]] = {}
    for site in sites:
        names.setdefault(whens[site.id].description, []).append(site.name)
    if len(names) < 2:
        return next(iter(names), home.description)
    plain = {said.rsplit(" (", 1)[0] for said in names}
    if len(plain) == 1:
        zones = ", ".join(f"{said.rsplit(' (', 1)[1][:-1]} at {_and(at)}" for said, at in names.items())
        return f"{plain.pop()} ({zones})"
    return "; ".join(f"at {_and(at)} {said}" for said, at in names.items())


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
