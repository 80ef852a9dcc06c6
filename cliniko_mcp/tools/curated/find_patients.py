"""find_patients: patients by whatever is known of them, with likely duplicates.

Requests: a name as in `frontdesk.patients`, an email, a birthday or an id one, and one more for the birthday of the
best match; a phone number one for each hundred patients, up to 3,000, the latest changed first, because Cliniko cannot
be asked for it (cliniko-api.md#filters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import Field

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.cliniko.filters import Contains, FilterValue, Hidden
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import InvalidArguments, JsonValue, NotUnderstood
from cliniko_mcp.frontdesk import patients
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.duplicates import born, digits, duplicates, numbers_of
from cliniko_mcp.frontdesk.roster import Known, name_text
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day, parse_when
from cliniko_mcp.phrases.zones import month_first
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.rows import Row
from cliniko_mcp.sanitize import clean
from cliniko_mcp.tools.tool import curated

MAX_SWEPT: Final = 3_000
"""Patients looked through for a phone number."""

_MAX_QUERY: Final = 200
_ID: Final = re.compile(r"[0-9]{1,20}")
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ()./-]{5,24}")
_SLASHED: Final = re.compile(r"([0-9]{1,2})[/. -]([0-9]{1,2})([/. -])([0-9]{4}|[0-9]{2})")
_EASTERN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class FindPatients(Body):
    """Whatever is known of a patient, in one text, and how many to show."""

    query: str = Field(min_length=1, max_length=_MAX_QUERY)
    limit: int = Field(default=10, ge=1, le=50)


@dataclass(slots=True)
class _Result:
    """Who was found, how it was looked for, and remarks; `close` says that none fits and these only come near."""

    by: str
    patients: Sequence[Known[Patient]]
    close: bool = False
    notes: list[str] = field(default_factory=list[str])
    whole: bool = True


async def find_patients(clinic: GuardedClinic, arguments: FindPatients) -> Answer:
    """The patients that fit, the closest first, archived ones too; where none does, those that come near."""
    found = await _look(clinic, clean(arguments.query, _MAX_QUERY))
    shown = list(found.patients[: arguments.limit])
    body: dict[str, JsonValue] = {
        "by": found.by,
        "items": [_row(patient) for patient in shown],
        "page": {
            "returned": len(shown),
            "total": len(found.patients),
            "complete": found.whole and len(shown) == len(found.patients),
        },
    }
    notes = found.notes
    if found.close and shown:
        notes.append("Nobody fits exactly: these come near. Ask before using one of them.")
    if not shown:
        notes.append("Nobody was found. Try part of the name, another spelling, the email or the date of birth.")
    if len(shown) < len(found.patients):
        notes.append(f"{len(found.patients) - len(shown)} more fit: say more of the name, or give a larger limit.")
    if twins := await _duplicates(clinic, shown, found.close):
        body["duplicates"] = twins
        notes.append("duplicates are guesses for a person to check; files are merged in Cliniko itself.")
    return Answer(body, notes)


async def _look(clinic: GuardedClinic, query: str) -> _Result:
    if "@" in query:
        return await _where(clinic, "email", email=Contains(query))
    if (day := await _birthday(clinic, query)) is not None:
        return await _where(clinic, f"date of birth {day.isoformat()}", date_of_birth=day)
    if _ID.fullmatch(query) and not query.startswith("0"):
        record = (await clinic.by_id(Patients.list_patients, [query])).get(query)
        if record is not None:
            return _Result("id", [patients.known_patient(record)])
    if _PHONE.fullmatch(query) and len(digits(query)) >= 6:
        return await _by_phone(clinic, digits(query))
    if digits(query) == query:
        raise InvalidArguments(
            f"There is no patient with the id {query}, and it is too short for a phone number.",
            "Give the whole number, or a name, email or date of birth.",
            field="query",
        )
    named = await patients.by_name(clinic, query)
    return _Result("name", named.patients, named.close, _partly(named), named.folded)


async def _where(clinic: GuardedClinic, by: str, **filters: FilterValue) -> _Result:
    """The patients that these filters find, hidden ones too, those in use first: a request for each hundred."""
    found = await patients.listed(clinic, filters)
    return _Result(by, _live_first(found.patients), notes=_partly(found), whole=found.whole)


def _live_first(found: Iterable[Known[Patient]]) -> list[Known[Patient]]:
    return sorted(found, key=lambda patient: (bool(patient.gone), patient.name, patient.id))


def _partly(found: patients.Found) -> list[str]:
    if not found.whole:
        return ["Very many patients fit and not all were read: say more, such as the full name."]
    if not found.folded:
        return ["Too many patients to compare every spelling: others may be written otherwise. Say more of the name."]
    return []


async def _birthday(clinic: GuardedClinic, query: str) -> date | None:
    """The day that a query is, in the order of the zone of the key's user; None where it is no date.

    A year of two digits is the latest that is not in the future.
    """
    if not any(letter.isdigit() for letter in query):
        return None
    now, zone = clinic.now, await clinic.zone()
    try:
        if _EASTERN.fullmatch(query):
            return parse_day(query)
        # "12 34 56" is more likely part of a phone number
        if (slashed := _SLASHED.fullmatch(query)) and (slashed[3] != " " or len(slashed[4]) == 4):
            one, two, year = int(slashed[1]), int(slashed[2]), int(slashed[4])
            month, day = (one, two) if month_first(None, zone) else (two, one)
            if len(slashed[4]) == 4:
                return date(year, month, day)
            near = date(2000 + year, month, day)
            return near if near <= local_day(now, zone) else date(1900 + year, month, day)
        named = re.fullmatch(r"(?:the )?(.*[^\W\d].*?),? ([0-9]{4})", query)
        if named is None:
            return None
        # Read in a leap year near now, because phrases of time reach back no further than a clinic's own years.
        when = parse_when(f"{named[1]} 2028", now=now, zone=zone)
        return date(int(named[2]), when.start.month, when.start.day) if (when.end - when.start).days <= 1 else None
    except (ValueError, NotUnderstood):
        return None


async def _by_phone(clinic: GuardedClinic, number: str) -> _Result:
    """Patients with this number, looked for in a bounded sweep; the remark says what it covered."""
    call = Patients.list_patients.call(archived_at=Hidden.INCLUDED, sort="updated_at:desc")
    sweep = await clinic.rows(call, limit=MAX_SWEPT)
    known = [patients.known_patient(row) for row in sweep.rows]
    found = [patient for patient in known if any(held.endswith(number[-8:]) for held in numbers_of(patient))]
    total = sweep.total if sweep.total is not None else len(known)
    covered = (
        f"Phone numbers cannot be searched in Cliniko: all {total:,} patients were looked through."
        if sweep.complete
        else f"Phone numbers cannot be searched in Cliniko: the {len(known):,} latest changed of {total:,} patients "
        "were looked through, so somebody may be missing. Try the name or the date of birth."
    )
    return _Result("phone", _live_first(found), notes=[covered])


async def _duplicates(clinic: GuardedClinic, shown: Sequence[Known[Patient]], close: bool) -> list[JsonValue]:
    """Pairs among those shown, and other files with the birthday of the best match."""
    pool = {patient.id: patient for patient in shown}
    ids = frozenset(pool)
    day = born(shown[0]) if shown and not close else None
    if day is not None:
        same = await _where(clinic, "", date_of_birth=day)
        pool |= {patient.id: patient for patient in same.patients}
    return [
        {"ids": [one.id, other.id], "names": [one.name, other.name], "why": why}
        for one, other, why in duplicates(pool.values())
        if one.id in ids or other.id in ids
    ]


def _row(patient: Known[Patient]) -> Row:
    row: Row = {"id": patient.id, "name": patient.name}
    preferred = name_text(patient.record.preferred_first_name)
    if preferred and preferred not in patient.name:
        row["preferred"] = preferred
    if (day := born(patient)) is not None:
        row["born"] = day.isoformat()
    if email := name_text(patient.record.email):
        row["email"] = email
    if phones := phones_of(patient):
        row["phones"] = list[JsonValue](phones)
    if patient.gone:
        row["is"] = patient.gone
    return row


tool = curated(
    "find_patients",
    "Find a patient (client) by name in any order or misspelt, part of a name, email, date of birth, phone or id, "
    "archived ones too. Points out likely duplicates. For the whole file use get_patient; for a new one "
    "create_patient.",
    FindPatients,
    find_patients,
    needs=patients.NEEDS,
)
