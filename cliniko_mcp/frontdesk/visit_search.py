"""Whose visits are looked for, with whom, where and of what type, of what was said of a visit."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.cliniko.resources.practitioners import Practitioner
from cliniko_mcp.errors import Ambiguous, InvalidArguments, NotFound
from cliniko_mcp.frontdesk.bookings import Entry
from cliniko_mcp.frontdesk.matching import Tier, fits, words
from cliniko_mcp.frontdesk.patient_phrase import read_phrase
from cliniko_mcp.frontdesk.patients import ambiguous, by_phrase, patient
from cliniko_mcp.frontdesk.roster import Known, Roster, best_fitting, is_id, name_text, with_birth_year
from cliniko_mcp.frontdesk.visit_choices import Hit
from cliniko_mcp.frontdesk.visit_phrase import VisitPhrase
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean


@dataclass(frozen=True, slots=True)
class VisitSearch:
    """Whose visits fit: of these patients or of this practitioner (`staff`, where a name fits both), at this site, of
    these types; no ids mean all. `people` is None where nobody is named but staff. `guessed` says that the name alone
    makes it the practitioner ("Mei's next one"), which nobody said."""

    people: Sequence[Known[Patient]] | None
    staff: Known[Practitioner] | None = None
    practitioner: Known[Practitioner] | None = None
    site_id: str = ""
    type_ids: frozenset[str] = frozenset()
    guessed: bool = False

    @property
    def name(self) -> str:
        """Whose visits are looked for, for a sentence."""
        if self.people is not None and len(self.people) == 1:
            return with_birth_year(self.people[0])
        if self.people:
            return f"The {len(self.people)} patients of that name"
        seen = self.practitioner or self.staff
        return with_birth_year(seen) if seen else "The clinic"

    @property
    def has(self) -> str:
        """The verb that goes with the name."""
        return "have" if self.people is not None and len(self.people) > 1 else "has"

    def hits(self, entries: Sequence[Entry]) -> list[Hit]:
        """The entries that fit, once for each patient by whom they do."""
        found: list[Hit] = []
        for entry in entries:
            if entry.kind == "block" or (self.site_id and entry.business_id != self.site_id):
                continue
            if self.type_ids and entry.type_id not in self.type_ids:
                continue
            if self.practitioner is not None and entry.practitioner_id != self.practitioner.id:
                continue
            theirs = [Hit(entry, who) for who in self.people or () if who.id in entry.patient_ids]
            found += theirs
            staffed = self.staff is not None and entry.practitioner_id == self.staff.id
            if not theirs and (staffed or (self.people is None and self.staff is None)):
                found.append(Hit(entry, None))
        return found


async def visit_search(
    clinic: GuardedClinic,
    roster: Roster,
    phrase: VisitPhrase,
    beside: Known[Patient] | None,
    practitioner: Known[Practitioner] | None,
) -> VisitSearch:
    """What to look for, of the parts of a phrase and of who is named beside it.

    Raises NotFound and Ambiguous for names, and InvalidArguments where nobody is named.
    """
    person = phrase.person
    if phrase.mine:
        practitioner = roster.practitioner("me")
    elif phrase.practitioner:
        try:
            practitioner = roster.practitioner(phrase.practitioner)
        except NotFound:
            # "Mei's 9:15 with Jane Lima": whoever is named second is the patient
            staff = _staff(roster, person) if person else None
            if person and staff is None:
                raise
            person, practitioner = phrase.practitioner, staff
    type_ids = _types(roster, phrase.kind, "prefixes") if phrase.kind else frozenset[str]()
    site_id = ""
    if phrase.site:
        try:
            site_id = roster.business(phrase.site).id
        except NotFound:
            # "Faye at Pilates this afternoon"
            if type_ids or not (type_ids := _types(roster, phrase.site, "words")):
                raise
    if phrase.kind and not type_ids:
        roster.type(phrase.kind)  # says that there is none, with those that come near
    if person and not phrase.is_patient and not type_ids and (type_ids := _types(roster, person, "words")):
        person = ""
    if not type_ids and "," in person and (named := _types(roster, person.rpartition(",")[2], "words")):
        # "Faye Lindqvist, Pilates"
        person, type_ids = person.rpartition(",")[0].strip(), named
    staff, guessed = None, False
    if person and practitioner is None and (phrase.when or phrase.order) and not phrase.is_patient:
        staff = _staff(roster, person)
    people: Sequence[Known[Patient]] | None = None
    if person:
        people = await _people(clinic, person, found_staff=staff is not None)
    if staff is not None and not phrase.when:  # "Mei's next one", where no patient is called so
        practitioner, staff, guessed = (staff, None, not phrase.has_patients) if people is None else (None, None, False)
    if beside is not None and (people is None or beside.id in {who.id for who in people}):
        people, staff = [beside], None
    elif beside is not None and people:
        raise Ambiguous(
            f"Two patients are named: {with_birth_year(people[0])} and {with_birth_year(beside)}.",
            "Ask whose visit is meant, and name that patient alone.",
        )
    if people is None and (phrase.pronoun or not (staff or practitioner or phrase.when)):
        raise InvalidArguments(
            "It is not said whose visit is meant.",
            'Name the patient, and the time where there are several: "Jane Lima, Monday at 9:15". An id serves too.',
            field="appointment",
        )
    return VisitSearch(people, staff, practitioner, site_id, type_ids, guessed)


def _staff(roster: Roster, name: str) -> Known[Practitioner] | None:
    with suppress(NotFound, Ambiguous):
        return roster.practitioner(name)
    return None


def _types(roster: Roster, text: str, tier: Tier) -> frozenset[str]:
    return frozenset(kind.id for kind in roster.types.values() if fits(words(text), kind.names, tier))


async def _people(clinic: GuardedClinic, text: str, *, found_staff: bool) -> Sequence[Known[Patient]] | None:
    """All patients whom a text fits best; None where none does and it is the name of one who works here."""
    phrase = await read_phrase(clinic, clean(text, 255))
    found = await by_phrase(clinic, phrase)
    if found.close or found.missed or not found.patients or is_id(text):
        return None if found_staff else [await patient(clinic, text)]
    if not found.whole:
        raise ambiguous(name_text(text), found.patients)
    if phrase.name and (fitting := best_fitting(words(phrase.name), found.patients)):
        hidden = tuple(who for who in fitting if who.gone)
        return [replace(who, others=hidden) for who in fitting if not who.gone] or fitting
    return [who for who in found.patients if not who.gone] or found.patients
