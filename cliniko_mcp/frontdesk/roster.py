"""Practitioners, sites, appointment types and patients by name or id: one record, or candidates to choose from.

A `Roster` holds the staff, sites and types of the clinic, hidden ones too; loading it takes four lists and the key's
user, all at once (5 requests, one more for each further hundred rows, and none while memory keeps them). Nothing here
guesses: of several that fit equally well the caller has to choose.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final, Generic
from zoneinfo import ZoneInfo

from typing_extensions import TypeVar

from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.labels import NAME_LENGTH, every_name, is_hidden
from cliniko_mcp.cliniko.models import Record, row_id
from cliniko_mcp.cliniko.operations import Operation, RecordT
from cliniko_mcp.cliniko.resources.appointment_types import AppointmentType, AppointmentTypes
from cliniko_mcp.cliniko.resources.businesses import Business, Businesses
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner, Practitioners
from cliniko_mcp.cliniko.resources.users import User
from cliniko_mcp.cliniko.time_zones import zone_of
from cliniko_mcp.errors import Ambiguous, JsonValue, NoSuchName, NotFound
from cliniko_mcp.frontdesk.answer_rows import Names, PatientRow, PersonRow
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.matching import bare_words, best_tier, fits, likeness, words
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.set_up_words import in_full, is_own
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import are, clean, label

MAX_CANDIDATES: Final = 5
ROSTER_NEEDS: Final[tuple[Operation, ...]] = (
    Practitioners.list_practitioners,
    Businesses.list_businesses,
    AppointmentTypes.list_appointment_types,
)
"""The operations that no roster can do without, for a tool's `needs`."""

LEFT: Final = "Practitioners who no longer work here"
_NEAR: Final = 70.0
_MAX_OTHERS: Final = 3
_ID: Final = re.compile(r"[0-9]{1,20}")
_WITH_ID: Final = re.compile(r"(.+?) ?\((?:id )?([0-9]{1,20})\)", re.S)
RecordT_co = TypeVar("RecordT_co", bound=Record, covariant=True, default=Record)

_PEOPLE: Final = ("patient", "practitioner", "user")


@dataclass(frozen=True, slots=True)
class Known(Generic[RecordT_co]):
    """A record that a name or an id stood for. `gone` says why it is hidden ("archived", "no longer works here"), or
    is empty; `names` are all the names it goes by. `others` are hidden ones whose name fits what was asked for too;
    `doubles` says which other files are likely the same person's."""

    id: str
    name: str
    record: RecordT_co
    gone: str = ""
    names: tuple[str, ...] = ()
    others: "tuple[Known[RecordT_co], ...]" = ()
    doubles: str = ""

    @property
    def note(self) -> str:
        """What the reader has to know where the record is hidden, a hidden one has a like name, or there is a second
        file; else empty."""
        return " ".join(filter(None, (self._hidden, self.doubles)))

    @property
    def _hidden(self) -> str:
        if self.gone:
            return f"{self.name} is {self.gone}."
        if not self.others:
            return ""
        shown = "; ".join(
            f"{with_birth_year(other)}, {other.gone}, id {other.id}" for other in self.others[:_MAX_OTHERS]
        )
        more = len(self.others) - _MAX_OTHERS
        also = f"; and {more} more" if more > 0 else ""
        return f"{with_birth_year(self)} was taken; the name fits hidden ones as well: {shown}{also}."


def known_record(record: RecordT) -> Known[RecordT]:
    """A record with the name to show for it, its id where it has none, and all the names that it goes by."""
    record_id = row_id(record)
    names = every_name(record)
    return Known(record_id, names[0] if names else record_id, record, gone(record), names)


def name_text(text: str | None) -> str:
    """A name from Cliniko cleaned and capped for showing; empty where there is none."""
    return clean(text or "", NAME_LENGTH)


def gone(record: Record) -> str:
    """Why a record is hidden: "archived", "merged into patient 12", "no longer working here (inactive)"; else empty."""
    if isinstance(record, Patient) and merged(record):
        into = record.merged_with_patient_id
        return f"merged into patient {into}" if into else "merged into another patient"
    if isinstance(record, Practitioner) and record.active is False:
        return "no longer working here (inactive)"
    return "archived" if is_hidden(record) else ""


def merged(patient: Patient) -> bool:
    """Whether this patient's file was merged into another one."""
    return patient.merged_at is not None or patient.merged_with_patient_id is not None


def is_id(text: str) -> bool:
    """Whether a text has the form of an id: 1 to 20 digits."""
    return _ID.fullmatch(text) is not None


class Roster:
    """Everyone who works at the clinic, its sites and its appointment types, as they were when it was loaded."""

    def __init__(
        self,
        practitioners: Iterable[Known[Practitioner]],
        businesses: Iterable[Known[Business]],
        types: Iterable[Known[AppointmentType]],
        home: ZoneInfo,
        user: User | None = None,
        missing: Sequence[str] = (),
    ) -> None:
        self.missing = missing
        """A sentence for each list that could not be read."""
        self.practitioners: Mapping[str, Known[Practitioner]] = {person.id: person for person in practitioners}
        self.businesses: Mapping[str, Known[Business]] = {site.id: site for site in businesses}
        self.types: Mapping[str, Known[AppointmentType]] = {kind.id: kind for kind in types}
        self.home = home
        """The zone of the key's user; where that is not known, the one of the first open site that has one."""
        self.user = user
        """Whose key this is; None where that may not be read."""
        held: dict[str, Mapping[str, Known]] = {
            "practitioner_id": self.practitioners,
            "business_id": self.businesses,
            "appointment_type_id": self.types,
        }
        self._held: Mapping[str, Mapping[str, Known]] = held
        self._namesakes = Counter(
            key for field, rows in held.items() for row in rows.values() for key in _spoken(field, row.name, *row.names)
        )
        self._zones = {site.id: zone_of(site.record) for site in self.businesses.values()}

    @classmethod
    async def load(cls, clinic: GuardedClinic) -> "Roster":
        """The roster of this clinic: 5 requests at once while no list has more than a hundred rows."""

        reads = PartialReads()
        active, left, sites, types, home = await run_concurrently(
            partial(clinic.collect, Practitioners.list_practitioners),
            partial(reads.read, LEFT, partial(clinic.collect, Practitioners.list_inactive_practitioners)),
            partial(clinic.collect, Businesses.list_businesses, archived_at=Hidden.INCLUDED),
            partial(clinic.collect, AppointmentTypes.list_appointment_types, archived_at=Hidden.INCLUDED),
            clinic.zone,
        )
        if await clinic.zone_note() is not None:
            # The user's zone is a guess: that of a site of the clinic is a better one.
            home = next((zone for site in sites if not gone(site) and (zone := zone_of(site))), home)
        here = {practitioner.id for practitioner in active}
        everyone = [*active, *(practitioner for practitioner in left or () if practitioner.id not in here)]
        user = await clinic.user()  # read with the zone
        clinic.course.missing.extend(note for note in reads.notes if note not in clinic.course.missing)
        staff = map(known_record, everyone)
        return cls(staff, map(known_record, sites), map(known_record, types), home, user, reads.notes)

    @property
    def sites(self) -> list[Known[Business]]:
        """The sites that are open, in the order in which they were made."""
        return [site for site in self.businesses.values() if not site.gone]

    def zone(self, business_id: str | None) -> ZoneInfo:
        """The zone of a site; that of the key's user where the site is not known or tells none."""
        return self._zones.get(business_id or "") or self.home

    def practitioner(self, query: str) -> Known[Practitioner]:
        """The practitioner of this name or id; for "me" and "my" the one whose key this is.

        Raises Ambiguous and NotFound, both with candidates.
        """
        if is_own(query):
            return own_practitioner(query, self.practitioners, self.user)
        advice = " ".join(["clinic_overview lists who works here.", *self.missing])
        return in_set_up("practitioner", query, self.practitioners, advice)

    def business(self, query: str) -> Known[Business]:
        """The site of this name or id. Raises Ambiguous and NotFound, both with candidates."""
        return in_set_up("site", query, self.businesses, "clinic_overview lists the sites.")

    def type(self, query: str) -> Known[AppointmentType]:
        """The appointment type of this name or id. Raises Ambiguous and NotFound, both with candidates."""
        return in_set_up("appointment type", query, self.types, "clinic_overview lists the appointment types.")

    def name(self, field: str, record_id: str | None) -> str:
        """What the record behind `practitioner_id`, `business_id` or `appointment_type_id` is called; "" if unknown.

        Of several with one name, or names that only accents or titles tell apart, each carries its id, so that a name
        in an answer never means either.
        """
        found = self._held[field].get(record_id or "")
        if found is None:
            return ""
        alone = all(self._namesakes[key] == 1 for key in _spoken(field, found.name))
        return found.name if alone else f"{found.name} ({found.id})"

    def legend(self, entries: Iterable[tuple[str, str | None]]) -> Names:
        """The `names` of an answer, name to id by field, for these (field, id) pairs."""
        legend: dict[str, dict[str, str]] = {}
        for field, record_id in entries:
            if record_id and (name := self.name(field, record_id)):
                legend.setdefault(field, {})[name] = record_id
        return Names.model_validate(legend)


def _spoken(field: str, *names: str) -> set[tuple[str, str]]:
    """These names as they are compared, each with the field of its record."""
    return {(field, " ".join(sorted(words(name)))) for name in names}


def named(known: Known) -> str:
    """A name as it may stand in one of our sentences: in quotes where it reads like a sentence itself."""
    return label(known.name)


def birth_date(known: Known) -> date | None:
    """A patient's date of birth, where the file has one; None for all other records."""
    return known.record.date_of_birth if isinstance(known.record, Patient) else None


def with_birth_year(known: Known) -> str:
    """`Ana Lima (born 1984)`, as a person is told apart from another of the same name; the name alone of the rest."""
    born = birth_date(known)
    return f"{named(known)} (born {born.year})" if born else named(known)


def patient_row(known: Known[Patient]) -> PatientRow:
    """A patient with id and date of birth."""
    born = birth_date(known)
    return PatientRow(patient=known.name, patient_id=known.id, born=born.isoformat() if born else None)


def person_row(known: Known[Patient]) -> PersonRow:
    """A patient's file: id, name and date of birth."""
    born = birth_date(known)
    return PersonRow(id=known.id, name=known.name, born=born.isoformat() if born else None)


def preferred_first_name(known: Known[Patient]) -> str | None:
    """The first name that a patient goes by, where it is not in the name that is shown; else None."""
    preferred = name_text(known.record.preferred_first_name)
    shown = set(preferred.split()) <= set(known.name.split())
    return None if shown else preferred


def remarks(*known: Known | None) -> list[str]:
    """What has to be said of the records that were named: which are hidden, and which have hidden namesakes."""
    return list(dict.fromkeys(record.note for record in known if record is not None and record.note))


def best_fitting(spoken: Sequence[str], among: Iterable[Known[RecordT]]) -> list[Known[RecordT]]:
    """Those of these whose names the words (`words(...)`) fit best: all of the first tier at which any fits."""
    tiers = [(best_tier(spoken, row.names), row) for row in among]
    best = min((tier for tier, _ in tiers if tier is not None), default=None)
    return [row for tier, row in tiers if tier is not None and tier == best]


def chosen(noun: str, query: str, among: Mapping[str, Known[RecordT]], advice: str) -> Known[RecordT]:
    """The one of these that the query fits best: an id, else the same words, whole words, beginnings of words.

    At each of these steps those in use come before hidden ones, which stand in its `others`. Raises Ambiguous where
    several fit equally well and NotFound where none does, both with up to five candidates.
    """
    shown = clean(query, 80)
    if (found := among.get(query.strip()) or _printed(query, among)) is not None:
        return found
    spoken = words(shown)
    fitting = best_fitting(spoken, among.values())
    if not fitting and noun not in _PEOPLE:
        bare = bare_words(spoken)
        readings = (
            best_fitting(phrase, among.values()) for phrase in (bare, in_full(noun, spoken), in_full(noun, bare))
        )
        fitting = next(filter(None, readings), fitting)
    closest = [row for row in fitting if not row.gone] or fitting
    if len(closest) == 1:
        return replace(closest[0], others=tuple(row for row in fitting if row.id != closest[0].id))
    if closest:
        raise ambiguous(noun, shown, closest)
    near = sorted(among.values(), key=lambda row: -_closeness(spoken, row))
    near = [row for row in near if _closeness(spoken, row) >= _NEAR][:MAX_CANDIDATES]
    raise missing(noun, shown, near, advice)


def in_set_up(noun: str, query: str, among: Mapping[str, Known[RecordT]], advice: str) -> Known[RecordT]:
    """As `chosen`, from lists that are kept for a while: raises NoSuchName where it raises NotFound."""
    try:
        return chosen(noun, query, among, advice)
    except NotFound as none:
        here = [row for row in among.values() if not row.gone]
        there: dict[str, JsonValue] = {"candidates": [candidate(row) for row in here[:MAX_CANDIDATES]]}
        more = f" {len(here) - MAX_CANDIDATES} more there are." if len(here) > MAX_CANDIDATES else ""
        details, more = (none.details, "") if none.details.get("candidates") or not here else (there, more)
        raise NoSuchName(none.message, f"{none.fix}{more}", **details) from None


def own_practitioner(query: str, practitioners: Mapping[str, Known[RecordT]], user: User | None) -> Known[RecordT]:
    """The practitioner who the key's user is, which "me" and "my" stand for.

    Raises Ambiguous where the user has several diaries or somebody is called so, NotFound where the user is no
    practitioner or is not known, both with up to five candidates.
    """
    shown = clean(query, 80)
    everyone = list(practitioners.values())
    own = [row for row in everyone if user is not None and _user_id(row.record) == user.id]
    own = [row for row in own if not row.gone] or own
    namesakes = [row for row in everyone if not row.gone and row not in own and fits(words(shown), row.names, "words")]
    if len(own) == 1 and not namesakes:
        return own[0]
    if own or namesakes:
        raise ambiguous("practitioner", shown, [*own, *namesakes])
    problem = f"Whose key this is may not be read, so “{shown}” stands for nobody."
    if user is not None:
        problem = f"“{shown}” stands for nobody: this key belongs to {named(known_record(user))}, no practitioner here."
    here = [row for row in everyone if not row.gone]
    more = f" {len(here) - MAX_CANDIDATES} more work here." if len(here) > MAX_CANDIDATES else ""
    raise NotFound(
        problem,
        f"Ask whose diary is meant and give a name or an id; clinic_overview lists who works here.{more}",
        candidates=[candidate(row) for row in here[:MAX_CANDIDATES]] or None,
    )


def _printed(query: str, among: Mapping[str, Known[RecordT]]) -> Known[RecordT] | None:
    """The record whose name stands with its id in brackets, as of several with one name in an answer."""
    match = _WITH_ID.fullmatch(query.strip())
    found = among.get(match[2]) if match else None
    return found if found is not None and match is not None and fits(words(match[1]), found.names, "exact") else None


def _user_id(record: Record) -> str | None:
    return record.user_id if isinstance(record, Practitioner) else None


def _closeness(spoken: Sequence[str], known: Known) -> float:
    return max((likeness(spoken, name) for name in known.names if name), default=0.0)


def ambiguous(noun: str, query: str, found: Sequence[Known]) -> Ambiguous:
    """The error that several records fit, with up to five of them; the caller raises it."""
    more = len(found) - MAX_CANDIDATES
    also = f"; {more} more {are(more)} not shown" if more > 0 else ""
    return Ambiguous(
        f"{len(found)} fit the {noun} “{query}”{also}.",
        "Ask which one is meant, then call again with the id.",
        candidates=[candidate(row) for row in found[:MAX_CANDIDATES]],
    )


def missing(noun: str, query: str, near: Sequence[Known], advice: str) -> NotFound:
    """The error that none fits, with those that come near; the caller raises it."""
    meant = "Perhaps one of the candidates is meant: ask, then call again with the id. " if near else ""
    candidates: list[JsonValue] | None = [candidate(row) for row in near] or None
    return NotFound(f"There is no {noun} “{query}”.", f"{meant}{advice}", candidates=candidates)


def candidate(known: Known) -> JsonValue:
    """A record to choose: id, name, year of birth, and whether it is hidden."""
    row: dict[str, JsonValue] = {"id": known.id, "name": known.name}
    if born := birth_date(known):
        row["born"] = born.year
    if known.gone:
        row["is"] = known.gone
    return row
