"""Practitioners, sites, appointment types and patients by name or id: one record, or candidates to choose from.

A `Roster` holds the staff, sites and types of the clinic, hidden ones too; loading it takes four lists and the key's
user, all at once (5 requests, and one more for each further hundred rows). Nothing here guesses: of several that fit
equally well the caller has to choose.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.errors import Ambiguous, JsonValue, NotAllowed, NotFound
from cliniko_mcp.frontdesk.concurrency import gathered, together
from cliniko_mcp.frontdesk.matching import TIERS, fits, likeness, words
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.names import NAMED, text_of
from cliniko_mcp.sanitize import clean, label

MOST_CANDIDATES: Final = 5
ROSTER_NEEDS: Final = ("list_practitioners", "list_businesses", "list_appointment_types")
"""The operations that no roster can do without, for a tool's `needs`."""

_NEAR: Final = 70.0
_MOST_OTHERS: Final = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A record that a name or an id stood for. `gone` says why it is hidden ("archived", "no longer works here"), or
    is empty; `names` are all the names it goes by. `others` are hidden ones whose name fits what was said as well."""

    id: str
    name: str
    record: Record
    gone: str = ""
    names: tuple[str, ...] = ()
    others: "tuple[Known, ...]" = ()

    @property
    def note(self) -> str:
        """A sentence for the reader where the record is hidden, or a hidden one has a like name; else empty."""
        if self.gone:
            return f"{self.name} is {self.gone}."
        if not self.others:
            return ""
        shown = "; ".join(f"{with_birth_year(each)}, {each.gone}, id {each.id}" for each in self.others[:_MOST_OTHERS])
        more = len(self.others) - _MOST_OTHERS
        also = f"; and {more} more" if more > 0 else ""
        return f"{with_birth_year(self)} was taken; the name fits hidden ones as well: {shown}{also}."


class Roster:
    """Everyone who works at the clinic, its sites and its appointment types, as they were when it was loaded."""

    def __init__(
        self, practitioners: Iterable[Known], businesses: Iterable[Known], types: Iterable[Known], home: ZoneInfo
    ) -> None:
        self.practitioners: Mapping[str, Known] = {each.id: each for each in practitioners}
        self.businesses: Mapping[str, Known] = {each.id: each for each in businesses}
        self.types: Mapping[str, Known] = {each.id: each for each in types}
        self.home = home
        """The zone of the key's user."""
        held = {
            "practitioner_id": self.practitioners,
            "business_id": self.businesses,
            "appointment_type_id": self.types,
        }
        self._held: Mapping[str, Mapping[str, Known]] = held
        self._times = Counter((field, each.name) for field, rows in held.items() for each in rows.values())
        self._zones = {each.id: _zone_of(each.record) or home for each in self.businesses.values()}

    @classmethod
    async def load(cls, clinic: GuardedClinic) -> "Roster":
        """The roster of this clinic: 5 requests at once while no list has more than a hundred rows."""

        async def inactive() -> list[Record]:
            try:
                return await gathered(clinic.all_named("list_inactive_practitioners"))
            except NotAllowed:  # the operator excluded it: those who left stay unknown
                return []

        async def home() -> list[Record]:
            await clinic.zone()
            return []

        active, left, sites, types, _ = await together(
            (
                lambda: gathered(clinic.all_named("list_practitioners")),
                inactive,
                lambda: gathered(clinic.all_named("list_businesses", archived_at="all")),
                lambda: gathered(clinic.all_named("list_appointment_types", archived_at="all")),
                home,
            )
        )
        people = [*active, *(each for each in left if _id(each) not in {_id(one) for one in active})]
        return cls(
            (_known("practitioner_id", each) for each in people),
            (_known("business_id", each) for each in sites),
            (_known("appointment_type_id", each) for each in types),
            await clinic.zone(),
        )

    @property
    def sites(self) -> list[Known]:
        """The sites that are open, in the order in which they were made."""
        return [each for each in self.businesses.values() if not each.gone]

    def zone(self, business_id: str | None) -> ZoneInfo:
        """The zone of a site; that of the key's user where the site is not known or tells none."""
        return self._zones.get(business_id or "", self.home)

    def practitioner(self, said: str) -> Known:
        """The practitioner of this name or id. Raises Ambiguous and NotFound, both with candidates."""
        return chosen("practitioner", said, self.practitioners, "clinic_overview lists who works here.")

    def several(self, said: Collection[str]) -> list[Known]:
        """The practitioners of these names or ids, each once. Raises as `practitioner` does."""
        found = {one.id: one for one in map(self.practitioner, said)}
        return list(found.values())

    def business(self, said: str) -> Known:
        """The site of this name or id. Raises Ambiguous and NotFound, both with candidates."""
        return chosen("site", said, self.businesses, "clinic_overview lists the sites.")

    def type(self, said: str) -> Known:
        """The appointment type of this name or id. Raises Ambiguous and NotFound, both with candidates."""
        return chosen("appointment type", said, self.types, "clinic_overview lists the appointment types.")

    def name(self, field: str, record_id: str | None) -> str:
        """What the record behind `practitioner_id`, `business_id` or `appointment_type_id` is called; "" if unknown.

        Of several with one name each carries its id, so that a name in an answer never means either.
        """
        known = self._held[field].get(record_id or "")
        if known is None:
            return ""
        return known.name if self._times[field, known.name] == 1 else f"{known.name} ({known.id})"

    def legend(self, entries: Iterable[tuple[str, str | None]]) -> dict[str, JsonValue]:
        """The `names` of an answer, name to id by field, for these (field, id) pairs."""
        legend: dict[str, dict[str, JsonValue]] = {}
        for field, record_id in entries:
            if record_id and (name := self.name(field, record_id)):
                legend.setdefault(field, {})[name] = record_id
        return {field: dict(names) for field, names in legend.items()}


def named(known: Known) -> str:
    """A name as it may stand in one of our sentences: in quotes where it reads like a sentence itself."""
    return label(known.name)


def with_birth_year(known: Known) -> str:
    """`Ana Lima (born 1984)`, as a person is told apart from another of the same name; the name alone of the rest."""
    born = getattr(known.record, "date_of_birth", None)
    return f"{named(known)} (born {born.year})" if isinstance(born, date) else named(known)


def remarks(*known: Known | None) -> list[str]:
    """What has to be said of the records that were named: which are hidden, and which have hidden namesakes."""
    return list(dict.fromkeys(each.note for each in known if each is not None and each.note))


def chosen(noun: str, said: str, among: Mapping[str, Known], advice: str) -> Known:
    """The one of these that the words fit best: an id, else the same words, whole words, beginnings of words.

    At each of these steps those in use come before hidden ones, which stand in its `others`. Raises Ambiguous where
    several fit equally well and NotFound where none does, both with up to five candidates.
    """
    asked = clean(said, 80)
    if (known := among.get(said.strip())) is not None:
        return known
    spoken = words(asked)
    for tier in TIERS:
        fitting = [each for each in among.values() if fits(spoken, each.names, tier)]
        live = [each for each in fitting if not each.gone]
        found = live or fitting
        if len(found) == 1:
            return replace(found[0], others=tuple(each for each in fitting if each.id != found[0].id))
        if found:
            raise ambiguous(noun, asked, found)
    near = sorted(among.values(), key=lambda each: -_best(spoken, each))
    near = [each for each in near if _best(spoken, each) >= _NEAR][:MOST_CANDIDATES]
    raise missing(noun, asked, near, advice)


def _best(spoken: Sequence[str], known: Known) -> float:
    return max((likeness(spoken, name) for name in known.names if name), default=0.0)


def ambiguous(noun: str, asked: str, found: Sequence[Known]) -> Ambiguous:
    """The error that several records fit, with up to five of them; the caller raises it."""
    more = len(found) - MOST_CANDIDATES
    also = f"; {more} more are not shown" if more > 0 else ""
    return Ambiguous(
        f"{len(found)} fit the {noun} “{asked}”{also}.",
        "Ask which one is meant, then call again with the id.",
        candidates=[candidate(each) for each in found[:MOST_CANDIDATES]],
    )


def missing(noun: str, asked: str, near: Sequence[Known], advice: str) -> NotFound:
    """The error that none fits, with those that come near; the caller raises it."""
    meant = "Perhaps one of the candidates is meant: ask, then call again with the id. " if near else ""
    candidates: list[JsonValue] | None = [candidate(each) for each in near] or None
    return NotFound(f"There is no {noun} “{asked}”.", f"{meant}{advice}", candidates=candidates)


def candidate(known: Known) -> JsonValue:
    """A record to choose: id, name, year of birth, and whether it is hidden."""
    row: dict[str, JsonValue] = {"id": known.id, "name": known.name}
    born = getattr(known.record, "date_of_birth", None)
    if isinstance(born, date):
        row["born"] = born.year
    if known.gone:
        row["is"] = known.gone
    return row


def _id(record: Record) -> str:
    return str(getattr(record, "id", ""))


def _known(field: str, record: Record) -> Known:
    label: Callable[[Record], str] = NAMED[field].label
    name = label(record)
    names = [name, *(text_of(record, each) for each in ("label", "display_name", "business_name", "name"))]
    first, last = text_of(record, "first_name"), text_of(record, "last_name")
    names.append(" ".join(part for part in (first, last) if part))
    return Known(_id(record), name or _id(record), record, _gone(record), tuple(dict.fromkeys(filter(None, names))))


def _gone(record: Record) -> str:
    if getattr(record, "active", True) is False:
        return "no longer working here (inactive)"
    hidden = getattr(record, "archived_at", None) or getattr(record, "deleted_at", None)
    return "archived" if hidden is not None else ""


def _zone_of(record: Record) -> ZoneInfo | None:
    try:
        return ZoneInfo(text_of(record, "time_zone_identifier") or "?")
    except (LookupError, ValueError, OSError):  # no name, a name this computer does not know, or no name of a zone
        return None
