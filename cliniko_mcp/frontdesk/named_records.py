"""Records of any kind that has a name, by that name: the ids that filters of lists take.

Patients are found as everywhere, see `patients.patient`. The others are few, so their list is read, hidden ones too (a
request for each hundred, at most ten), and compared like the staff, sites and types of a roster.
"""

from functools import partial
from typing import Final

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import Contains, Family, FilterValue, Hidden, operator_and_value
from cliniko_mcp.cliniko.models import Record
from cliniko_mcp.cliniko.operations import List, Operation
from cliniko_mcp.cliniko.registry import own_lists
from cliniko_mcp.cliniko.resources.patients import Patients
from cliniko_mcp.cliniko.resources.practitioners import Practitioners
from cliniko_mcp.cliniko.resources.users import Users
from cliniko_mcp.errors import Ambiguous, InvalidArguments, JsonValue, NotAllowed, NotFound
from cliniko_mcp.frontdesk import patients
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import Known, chosen, is_id, known_record, named, own_practitioner, remarks
from cliniko_mcp.frontdesk.set_up_words import is_own
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import clean

_MAX_READ: Final = 1_000
"""Records that are looked through for a name."""
_PAGE: Final = 100
_MAX_NAME: Final = 120


class NamedRecords:
    """The records that the names in one call may stand for, each list read once."""

    def __init__(self, clinic: GuardedClinic) -> None:
        self._clinic = clinic
        self._read: dict[str, dict[str, Known]] = {}
        self.notes: list[str] = []
        """Which record each name was taken for, and what has to be said of those that are hidden."""

    async def ids(self, operation: Operation, field: str, listing: List[Record], value: JsonValue) -> JsonValue:
        """The value of a filter or a path id with ids for the names in it.

        Raises Ambiguous and NotFound, both with candidates, and NotAllowed where the list of those records is switched
        off.
        """
        try:
            if isinstance(value, list):
                return [await self._id(field, listing, item) if isinstance(item, str) else item for item in value]
            if not isinstance(value, str):
                return value
            operator, text = operator_and_value(value)
            if field in operation.path_ids or operator in ("", "=", "!=", "~"):
                return operator + await self._one_or_more(operation, field, listing, text)
            return value
        except NotAllowed as refusal:
            raise NotAllowed(refusal.message, f"Give the id in {field} instead of a name.", **refusal.details) from None
        except Ambiguous as problem:
            raise Ambiguous(problem.message, problem.fix, **{**problem.details, "field": field}) from None
        except NotFound as problem:
            raise type(problem)(problem.message, problem.fix, **{**problem.details, "field": field}) from None

    async def _one_or_more(self, operation: Operation, field: str, listing: List[Record], text: str) -> str:
        """The id for a name, which may hold a comma, else those for several names with commas between them."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        several = len(parts) > 1 and operation.filters.get(field) is Family.NUMBER
        if not several:
            return await self._id(field, listing, text)
        if not any(is_id(part) for part in parts):
            try:
                return await self._id(field, listing, text)
            except NotFound:
                pass
        return ",".join([await self._id(field, listing, part) for part in parts])

    async def _id(self, field: str, listing: List[Record], name: str) -> str:
        if is_id(name):
            return name
        if len(name) > _MAX_NAME:
            raise InvalidArguments(f"{field} holds a name that is too long.", "Give the id.", field=field)
        found = await self._record(listing, name)
        self.notes += [note for note in (f"{field} {found.id} is {named(found)}.", *remarks(found)) if note]
        return found.id

    async def _record(self, listing: List[Record], name: str) -> Known:
        if listing is Patients.list_patients:
            return await patients.patient(self._clinic, name)
        if listing is Users.list_users and is_own(name) and (user := await self._clinic.user()) is not None:
            return known_record(user)
        if listing.name not in self._read:
            self._read[listing.name] = await self._among(listing, name)
        if listing is Practitioners.list_practitioners and is_own(name):
            return own_practitioner(name, self._read[listing.name], await self._clinic.user())
        noun = listing.resource.replace("_", " ").removesuffix("s")
        advice = " ".join([f"{listing.name} lists them.", *self._clinic.course.missing])
        return chosen(noun, name, self._read[listing.name], advice)

    async def _among(self, listing: List[Record], name: str) -> dict[str, Known]:
        """All records of a list by id, those out of use too; of a long list those whose name holds a word of this."""
        found = await self._rows(listing, name)
        reads = PartialReads()
        for inactive in own_lists(listing.resource)[1:]:
            what = f"{listing.resource.replace('_', ' ').capitalize()} who no longer work here"
            left = await reads.read(what, partial(self._rows, inactive, name))
            found = {**(left or {}), **found}
        self._clinic.course.missing.extend(note for note in reads.notes if note not in self._clinic.course.missing)
        return found

    async def _rows(self, listing: List[Record], name: str) -> dict[str, Known]:
        everyone: dict[str, FilterValue] = {"archived_at": Hidden.INCLUDED} if "archived_at" in listing.filters else {}
        read = partial(self._clinic.rows, start=0)
        sweep = await read(listing.where(everyone), limit=_PAGE)
        if not sweep.complete:
            narrow = everyone
            if listing.filters.get("name") is Family.TEXT:
                narrow = {**everyone, "name": Contains(max(words(clean(name, _MAX_NAME)) or [name], key=len))}
            call: Call[Record] = listing.where(narrow)
            sweep = await read(call, limit=_MAX_READ)
        if not sweep.complete:
            raise InvalidArguments(
                f"There are too many {listing.resource.replace('_', ' ')} to look through for a name.",
                f"Give the id; {listing.name} shows it.",
            )
        return {known.id: known for known in map(known_record, sweep.rows)}
