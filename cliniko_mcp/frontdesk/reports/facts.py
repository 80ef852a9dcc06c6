"""What reports group: facts, each with the day, hour, practitioner, site, type and source that it belongs to.

Every kind of report turns what it counts into facts, and this module alone puts them into groups. The groups of one
breakdown add up to the figure of all facts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.figures import Breakdown, Figure, Group
from cliniko_mcp.frontdesk.roster import Roster

Key = str | int | date
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MINUTE: Final = timedelta(minutes=1)
_MAX_GROUPS: Final = 40
"""Groups shown of a breakdown that is not by time; the smallest of more are shown as one."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is counted. `day` and `hour` are local to its site; `new` says whether it is of someone who had
    not been before; `source` is where they come from.

    `part` of `whole` counts: 1 or 0 of 1, or minutes of minutes. `amount` is what it is worth, `visit` tells apart the
    visits that were billed, of which groups then show the average.
    """

    day: date | None = None
    hour: int | None = None
    practitioner_id: str | None = None
    business_id: str | None = None
    type_id: str = ""
    patient_id: str = ""
    new: bool | None = None
    source: str = ""
    visit: str | None = None
    part: int = 1
    whole: int = 1
    amount: Decimal = Decimal()


class Measure(Enum):
    """What facts add up to, and how groups of them are sorted."""

    COUNT = "count"
    """How many there are; a group shows its share of all."""
    SHARE = "share"
    """How many of them count."""
    HOURS = "hours"
    """How many minutes of theirs count, shown in hours."""
    MONEY = "money"
    """What they are worth."""

    @property
    def order(self) -> str:
        """How groups are sorted, in words."""
        match self:
            case Measure.COUNT:
                return "most first"
            case Measure.MONEY:
                return "largest total first"
            case _:
                return "highest rate first"

    def figure(self, found: Sequence[Fact], among: Sequence[Fact] | None = None) -> Figure:
        """The figure of these facts; a count among others is a share of those."""
        parts, wholes = sum(fact.part for fact in found), sum(fact.whole for fact in found)
        match self:
            case Measure.COUNT:
                return figures.count(parts) if among is None else figures.share(parts, sum(one.part for one in among))
            case Measure.SHARE:
                return figures.share(parts, wholes)
            case Measure.HOURS:
                return figures.share_of_time(parts * _MINUTE, wholes * _MINUTE)
            case Measure.MONEY:
                return figures.money(fact.amount for fact in found)

    def rank(self, found: Sequence[Fact]) -> tuple[float | Decimal, int]:
        """What groups are sorted by, the largest first; of equal rates the one of more."""
        parts, wholes = sum(fact.part for fact in found), sum(fact.whole for fact in found)
        if self is Measure.MONEY:
            return sum((fact.amount for fact in found), Decimal()), len(found)
        if self is Measure.COUNT:
            return parts, 0
        return (parts / wholes if wholes else -1.0), wholes


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report counts, and how it adds up."""

    measure: Measure
    found: Sequence[Fact] = field(default_factory=list[Fact])

    @property
    def figure(self) -> Figure:
        """What all of them come to."""
        return self.measure.figure(self.found)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A way to put facts into groups: the key of each fact, and what a group of that key is called.

    Keys of a grouping by time are in their own order and are called by it; `None` is for facts that have none.
    """

    name: str
    key: Callable[[Fact], Key | None]
    call: Callable[[Key, Roster], str]
    unknown: str
    order: str = ""
    """How groups by time are sorted; empty for the others."""


def _named(name: str, field_name: str, key: Callable[[Fact], str | None], unknown: str) -> Grouping:
    def call(row_id: Key, roster: Roster) -> str:
        return roster.name(field_name, str(row_id)) or str(row_id)

    return Grouping(name, lambda fact: key(fact) or None, call, unknown)


def _as_it_is(key: Key, _: Roster) -> str:
    return str(key)


def _week(fact: Fact) -> date | None:
    return fact.day - timedelta(days=fact.day.weekday()) if fact.day else None


def _new(fact: Fact) -> str | None:
    return None if fact.new is None else "new" if fact.new else "returning"


GROUPINGS: Final[Mapping[str, Grouping]] = {
    grouping.name: grouping
    for grouping in (
        _named("practitioner", "practitioner_id", lambda fact: fact.practitioner_id, "no practitioner"),
        _named("site", "business_id", lambda fact: fact.business_id, "no site"),
        _named("type", "appointment_type_id", lambda fact: fact.type_id, "no type"),
        Grouping(
            "weekday",
            lambda fact: fact.day.weekday() if fact.day else None,
            lambda key, _: _WEEKDAYS[int(str(key))],
            "no day",
            "by weekday",
        ),
        Grouping("hour", lambda fact: fact.hour, lambda key, _: f"{key:02d}:00", "no hour", "by hour of the day"),
        Grouping("week", _week, _as_it_is, "no day", "by week, which is named by its Monday"),
        Grouping(
            "month", lambda fact: f"{fact.day:%Y-%m}" if fact.day else None, _as_it_is, "no day", "by month, in order"
        ),
        Grouping("new_or_returning", _new, _as_it_is, "not known"),
        Grouping("source", lambda fact: fact.source or None, _as_it_is, "no source"),
    )
}
VISIT_GROUPINGS: Final = tuple(GROUPINGS)
"""What visits can be grouped by: all of them."""


def breakdown(grouping: Grouping, facts: Facts, roster: Roster) -> Breakdown:
    """These facts in groups, each with its part of the whole figure."""
    groups: dict[Key | None, list[Fact]] = {}
    for fact in facts.found:
        groups.setdefault(grouping.key(fact), []).append(fact)
    named: dict[str, list[Fact]] = {}
    for key, some in _in_order(groups):
        named.setdefault(grouping.unknown if key is None else grouping.call(key, roster), []).extend(some)
    if not grouping.order:
        named = _ranked(named, facts.measure)
    return Breakdown(
        sorted=grouping.order or facts.measure.order,
        rows=[_group(name, facts, some) for name, some in named.items()],
    )


def parts(named: Mapping[str, Sequence[Fact]], whole: Facts, order: str = "") -> Breakdown:
    """Groups that a report makes itself: as they come where `order` says in which order that is, else largest first."""
    groups = {name: [*some] for name, some in named.items()}
    return Breakdown(
        sorted=order or whole.measure.order,
        rows=[
            _group(name, whole, some) for name, some in (groups if order else _ranked(groups, whole.measure)).items()
        ],
    )


def _in_order(groups: Mapping[Key | None, list[Fact]]) -> list[tuple[Key | None, list[Fact]]]:
    """The groups in the order of their keys, those of no key last; dates and months sort as their text does."""

    def place(key: Key | None) -> tuple[bool, int, str]:
        return key is None, key if isinstance(key, int) else 0, str(key)

    return sorted(groups.items(), key=lambda one: place(one[0]))


def _ranked(named: Mapping[str, list[Fact]], measure: Measure) -> dict[str, list[Fact]]:
    """The largest first; the smallest of too many as one, so that the groups still add up."""
    ranked = sorted(named.items(), key=lambda one: one[0])
    ranked.sort(key=lambda one: measure.rank(one[1]), reverse=True)
    if len(ranked) <= _MAX_GROUPS:
        return dict(ranked)
    rest = [fact for _, some in ranked[_MAX_GROUPS - 1 :] for fact in some]
    return {**dict(ranked[: _MAX_GROUPS - 1]), f"{len(ranked) - _MAX_GROUPS + 1} others": rest}


def _group(name: str, facts: Facts, some: Sequence[Fact]) -> Group:
    figure = facts.measure.figure(some, facts.found)
    billed = {fact.visit for fact in some if fact.visit}
    return Group(
        name=name,
        count=figure.count,
        of=figure.of,
        rate=figure.rate,
        total=figure.total,
        visits=len(billed) or None,
        average=figures.average((fact.amount for fact in some if fact.visit), len(billed)),
    )
